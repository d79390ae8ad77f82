"""What a person corrects of an order's customer: address, name, language. What was wrong is remembered, so that a later
callback or renewal which brings it again does not undo the correction."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import tzinfo

from keypost.core import support
from keypost.core.errors import Refused
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked, MailState
from keypost.core.order import Order, noted

_MOST_WRONG_NAMES = 20


@dataclass(frozen=True, slots=True)
class Right:
    """What is right. None: that is not in question. An empty name: none is known."""

    email: str | None = None
    name: str | None = None
    language: str | None = None


def correct(order: Order, right: Right, asked: Asked, zone: tzinfo, *, tells: bool = True) -> Order:
    """Correct the customer of an order. If the address changes and this order `tells`, the old one gets a notice, which
    does not say the new one."""
    if order.is_erased:
        raise Refused("order_is_erased", order=order.id)
    before = order
    if right.email:
        correct_address = support.correct_address if tells else support.with_address
        order = correct_address(order, right.email, asked, zone)
    return _with_name(order, right, asked if order is before else replace(asked, why=""))


def _with_name(order: Order, right: Right, asked: Asked) -> Order:
    known = order.customer
    changed = known
    if right.name is not None:
        changed = replace(known, name=right.name or None, wrong_names=_wrong_names(order, right.name))
    if right.language:
        changed = replace(changed, language=right.language, language_by_person=True)
    if changed == known:
        return order
    order, words = replace(order, customer=changed), asked.why
    for part in ("name", "language"):
        if getattr(changed, part) != getattr(known, part):
            order, words = noted(order, asked.at, f"{part}_corrected", who=asked.who, words=words), ""
    return order


def _wrong_names(order: Order, right: str) -> tuple[str, ...]:
    """All that this customer was called by now, but for the right name; the oldest first."""
    found = dict.fromkeys((*order.customer.wrong_names, *_names_told(order), order.customer.name or ""))
    wrong = [name for name in found if name and name.casefold() != right.casefold()]
    return tuple(wrong[-_MOST_WRONG_NAMES:])


def _names_told(order: Order) -> Iterator[str]:
    return (word.name for payment in order.payments for word in payment.buyers if word.name)


def sent_elsewhere(orders: Iterable[Order]) -> list[str]:
    """The orders whose codes arrived at a former address and were not sent again."""
    return sorted(order.id for order in orders if _is_elsewhere(order))


def _is_elsewhere(order: Order) -> bool:
    mails = [mail for mail in order.mails if mail.holds_codes and mail.state is not MailState.FAILED and not mail.to]
    here = (order.customer.email or "").casefold()
    return bool(mails) and all(mail.sent_to and mail.sent_to.casefold() != here for mail in mails)
