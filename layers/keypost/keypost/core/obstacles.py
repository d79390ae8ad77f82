"""Why an order is not served now: the one table of it. Whatever tells a person why something does not leave reads it
here, so that no two places give two reasons."""

from collections.abc import Callable
from typing import NamedTuple

from keypost.core import cancellation
from keypost.core.mail import Purpose
from keypost.core.order import Order, Reason
from keypost.core.owed import is_all_left, stuck_mails
from keypost.core.payment import Standing
from keypost.core.product import Kind
from keypost.core.said import Said, said


class Obstacle(NamedTuple):
    stands: Callable[[Order], bool]
    action: str  # what a person can do about it, by its code


def _lacks_a_part(order: Order) -> bool:
    """Once everything has left, a part that goes back keeps nothing back."""
    return order.standing is Standing.PARTLY_REFUNDED and not order.hold.released and not is_all_left(order)


def _is_canceled(order: Order) -> bool:
    return order.canceled and not cancellation.is_after_payment(order)


def _has_unmatched(order: Order) -> bool:
    """Money went back of a payment that nobody knows: it may be a part of those that stand."""
    return any(payment.is_unmatched for payment in order.settled) and not order.hold.released


def _is_refunded(order: Order) -> bool:
    return order.standing is Standing.REFUNDED and not order.is_withdrawn


# In order of precedence: a person who wants the order served takes them away from the first to the last.
OBSTACLES = {
    "erased": Obstacle(lambda order: order.is_erased, "refund_unsent"),
    "belongs_to": Obstacle(lambda order: order.belongs_to is not None, "see_other_order"),
    "withdrawn": Obstacle(lambda order: order.is_withdrawn, "nothing"),
    "refunded": Obstacle(_is_refunded, "buy_again"),
    "disputed": Obstacle(lambda order: order.standing is Standing.DISPUTED, "await_dispute"),
    "canceled_after_payment": Obstacle(cancellation.is_after_payment, "release_or_refund"),
    "canceled": Obstacle(_is_canceled, "release_or_refund"),
    "unpaid": Obstacle(lambda order: order.standing is Standing.OPEN, "ask_to_pay"),
    "payment_failed": Obstacle(lambda order: order.standing is Standing.FAILED, "ask_to_pay"),
    "contents": Obstacle(lambda order: order.hold.contents is not None, "settle_contents"),
    "problem": Obstacle(lambda order: order.hold.problem is not None, "mend_and_release"),
    "money_back_unmatched": Obstacle(_has_unmatched, "release_or_refund"),
    "same_order": Obstacle(lambda order: bool(order.hold.same_as), "release_if_other"),
    "from_before": Obstacle(lambda order: order.hold.from_before, "release"),
    "held": Obstacle(lambda order: order.hold.by_person, "release"),
    "partly_refunded": Obstacle(_lacks_a_part, "release_or_refund"),
}


# What a person can do about that for which an order needs a person or stock; for HOLD it is the obstacle's action, and
# for MAIL that of the mail.
ACTIONS = {
    Reason.STOCK: "import_codes",
    Reason.PRODUCT: "put_product",
    Reason.ADDRESS: "correct_address",
    Reason.MAIL: "send_again",
    Reason.CONCERN: "answer_customer",
    Reason.RENEWS: "name_renewed",
    Reason.OTHER_CUSTOMER: "name_renewed_or_release",
    Reason.UNUSUAL_START: "release_or_move",
    Reason.UNPAID: "ask_to_pay",
    Reason.BLOCK: "block_codes",
    Reason.PAID_TWICE: "refund_one",
    Reason.STOPPED: "refund_stopped",
    Reason.SUBSCRIPTION: "end_subscription",
    Reason.PART_REFUNDED: "name_refunded",
}
_COMPLAINED = {"address_complained", "reminder_complained"}
_EVEN_AFTERWARDS = ("contents", "money_back_unmatched", "canceled_after_payment", "canceled")
_RELEASING = ("mend_and_release", "release", "release_if_other", "release_or_refund")


def obstacles(order: Order) -> tuple[Said, ...]:
    """What keeps an order from being served, the most important first; empty when it is served in its time."""
    return tuple(_said(code, order) for code, obstacle in OBSTACLES.items() if obstacle.stands(order))


def obstacle(order: Order) -> Said | None:
    """The most important of its obstacles."""
    return next(iter(obstacles(order)), None)


def is_servable(order: Order) -> bool:
    """Whether what is still to be sent may be sent, when its time comes."""
    return not any(each.stands(order) for each in OBSTACLES.values())


def asks_a_person(order: Order) -> bool:
    """Whether a person must look, even after everything has left."""
    return bool(
        {"contents", "money_back_unmatched", "canceled_after_payment"}.intersection(
            each.code for each in obstacles(order)
        )
    )


def action(order: Order, reason: Reason) -> Said:
    """What a person can do now about that for which the order needs one."""
    first = obstacle(order)
    if reason is Reason.MAIL:
        return Said(_about_mail(order))
    if reason is not Reason.HOLD or first is None:
        return Said(ACTIONS.get(reason, "nothing"))
    wanted = OBSTACLES[first.code].action
    return Said(_before_release(order) or wanted if wanted in _RELEASING else wanted)


def actions(order: Order, reason: Reason) -> tuple[Said, ...]:
    """What a person can do, the likeliest first. A customer who reported an e-mail as spam may want the next one."""
    first = action(order, reason)
    codes = {wait.why.code for wait in order.waits if wait.reason is Reason.ADDRESS}
    is_spam = reason is Reason.ADDRESS and bool(codes & _COMPLAINED)
    return (first, Said("lift_complaint")) if is_spam else (first,)


def _before_release(order: Order) -> str | None:
    """What an order lacks without which it cannot be released."""
    if order.hold.contents or not order.lines:
        return "settle_contents"
    return None if has_address(order) else "correct_address"


def has_address(order: Order) -> bool:
    """Its own, or that of the order that it renews, once that is found."""
    are_renewals = not order.terms and all(line.kind is Kind.RENEWAL for line in order.lines)
    return bool(order.customer.email) or are_renewals


def _about_mail(order: Order) -> str:
    """A mail that is tried again by itself is not asked for again, and a reminder is not repeated."""
    stuck = stuck_mails(order)
    if any(mail.next_at is not None for mail in stuck):
        return "mend_sending"
    return "tell_and_close" if stuck[0].purpose is Purpose.REMINDER else ACTIONS[Reason.MAIL]


def _said(code: str, order: Order) -> Said:
    match code:
        case "problem":
            return said(code, why=order.hold.problem)
        case "same_order":
            return said(code, order=order.hold.same_as)
        case "contents":
            return said(code, why=order.hold.contents)
        case "belongs_to":
            return said(code, order=order.belongs_to)
    return Said(code)
