"""How far an order is, in one word: for a shop that asks what became of what it told."""

from enum import StrEnum

from keypost.core.mail import MailState
from keypost.core.obstacles import asks_a_person, obstacle
from keypost.core.order import Order
from keypost.core.owed import is_all_left, stuck_mails
from keypost.core.renewal_choice import stopped


class Progress(StrEnum):
    OPEN = "open"  # not paid yet, as far as anybody told
    PAID = "paid"  # it goes on by itself
    WAITING = "waiting"  # for codes, a product or whatever else it lacks
    SERVED = "served"  # SES accepted the mails with its codes, and none came back
    HELD = "held"  # a person must decide
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CANCELED = "canceled"
    ERASED = "erased"
    SET_ASIDE = "set_aside"  # no program can write it now; what was told is kept beside it


_BY_OBSTACLE = {
    "unpaid": Progress.OPEN,
    "payment_failed": Progress.OPEN,
    "refunded": Progress.REFUNDED,
    "disputed": Progress.DISPUTED,
    "canceled": Progress.CANCELED,
    "erased": Progress.ERASED,
}

_ARRIVED = (MailState.SENT, MailState.BEFORE)


def progress(order: Order) -> Progress:
    """What keeps it from being served counts first. When all its codes left, nothing is held back any more; but it may
    still be asked what it was for."""
    first = obstacle(order)
    if first and (found := _BY_OBSTACLE.get(first.code)):
        return found
    if first and (not is_all_left(order) or asks_a_person(order)):
        return Progress.HELD
    if order.lines and _arrived(order) | stopped(order) >= order.numbered.keys():
        return Progress.SERVED
    return Progress.WAITING if order.waits or stuck_mails(order) else Progress.PAID


def _arrived(order: Order) -> frozenset[int]:
    """The lines whose codes SES accepted, and of which no mail came back."""
    return order.lines_of(
        mail for mail in order.mails if mail.holds_codes and mail.state in _ARRIVED and not mail.came_back
    )
