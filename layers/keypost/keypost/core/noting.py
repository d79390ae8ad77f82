"""What an agent writes into an order without doing anything to it, and whether its customer wants reminders."""

from dataclasses import replace
from datetime import timedelta

from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.order import Order, TimelineEntry, noted

_DOUBLE_CLICK = timedelta(minutes=1)
_SAME_KEY = timedelta(days=1)


def note(order: Order, asked: Asked) -> Order:
    """Write an agent's words into the timeline. The same request twice writes them once."""
    _check_not_erased(order)
    if any(_is_same(entry, asked) for entry in order.timeline):
        return order
    entry = TimelineEntry(asked.at, "note", {}, asked.who, asked.why, asked.key)
    return replace(order, timeline=(*order.timeline, entry))


def _is_same(entry: TimelineEntry, asked: Asked) -> bool:
    if (entry.code, entry.who, entry.words, entry.key) != ("note", asked.who, asked.why, asked.key):
        return False
    return asked.at - entry.at < (_SAME_KEY if asked.key else _DOUBLE_CLICK)


def without_reminders(order: Order, asked: Asked, *, of_customer: bool = False) -> Order:
    """Send no reminders of the licenses of this order any more; `of_customer` notes that it is so of all orders."""
    _check_not_erased(order)
    if order.without_reminders:
        return order
    code = "reminders_stopped_for_all" if of_customer else "reminders_stopped_here"
    return noted(replace(order, without_reminders=True), asked.at, code, who=asked.who, words=asked.why)


def with_reminders(order: Order, asked: Asked, *, of_customer: bool = False) -> Order:
    """Take that back; `of_customer` notes that it was so of all orders. Reminders whose day has passed meanwhile are
    not made up for."""
    _check_not_erased(order)
    if not order.without_reminders and not of_customer:
        return order
    return noted(replace(order, without_reminders=False), asked.at, "reminders_resumed", who=asked.who, words=asked.why)


def _check_not_erased(order: Order) -> None:
    if order.is_erased:
        raise Refused("order_is_erased", order=order.id)
