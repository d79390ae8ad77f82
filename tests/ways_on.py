"""What an agent does about an order, as the worklist says: one deed for each action, with the functions that the API
calls. What only others do (a customer pays, a distributor delivers codes) is done in their place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

from keypost.core import closing, contents, gone, mailing, obstacles, settling, support
from keypost.core.mail import Asked, MailSent, MailState
from keypost.core.order import Order, Reason, without_waits
from keypost.core.owed import stuck_mails
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState, Refunded
from keypost.core.plan import attention
from keypost.core.product import Line
from tests.builders import NOW, SKU, ZONE

__all__ = ["DEEDS", "states_of", "walked"]

_LATER = NOW + timedelta(days=1000)  # than everything that was told
_ASKED = Asked(_LATER, "anna", "as the worklist says")
_MOST_STEPS = 12


def _told(order: Order, notice: PaymentNotice) -> Order:
    return contents.with_payment(order, notice, _LATER, "EUR")


def _of(order: Order, name: str) -> PaymentNotice:
    provider, _, payment_id = name.partition(":")
    return PaymentNotice(provider, payment_id, None, _LATER, order.id)


def _released(order: Order) -> Order:
    return support.release(order, "anna", _LATER, "looked at it")


def _settled(order: Order) -> Order:
    """What has left, and what the order is for."""
    left = [one for one in order.licenses if order.has_left(one)]
    lines = [Line(sku, sum(one.sku == sku for one in left)) for sku in {one.sku for one in left}]
    return settling.settle(order, lines or order.lines or [Line(SKU, 1)], "anna@klant.example", _ASKED, "EUR")


def _address_corrected(order: Order) -> Order:
    return support.correct_address(order, "right@klant.example", _ASKED, ZONE)


def _paid(order: Order) -> Order:
    named = _of(order, order.payments[0].names[0])
    return _told(order, replace(named, state=PaymentState.PAID, said=_LATER, amount="39.95", currency="EUR"))


def _dispute_won(order: Order) -> Order:
    for payment in order.payments:
        won = tuple(Dispute(each.id, DisputeState.WON, _LATER) for each in payment.disputes)
        order = _told(order, replace(_of(order, payment.names[0]), disputes=won)) if won else order
    return order


def _refunded(order: Order) -> Order:
    for payment in order.payments:
        order = _told(order, replace(_of(order, payment.names[0]), refunded=Refunded(_LATER, full=True)))
    return order


def _one_refunded(order: Order) -> Order:
    last = order.standing_payments[-1]
    return _told(order, replace(_of(order, last.names[0]), refunded=Refunded(_LATER, full=True)))


def _sent_again(order: Order) -> Order:
    order, mail = support.resend(order, replace(_ASKED, at=_LATER + timedelta(days=len(order.mails))), ZONE)
    return _sent(mailing.claim_mail(order, mail.id, _LATER), mail.id)


def _sending_mended(order: Order) -> Order:
    mail = next(mail for mail in stuck_mails(order) if mail.next_at is not None)
    return _sent(mailing.claim_mail(order, mail.id, _LATER), mail.id)


def _sent(order: Order, mail_id: str) -> Order:
    mail = order.mail(mail_id)
    assert mail.state is MailState.SENDING
    return mailing.settle_mail(order, mail_id, mail.attempts, MailSent(f"ses-{next(_NUMBERS)}"), _LATER)


_NUMBERS = count()


def _closed(order: Order) -> Order:
    needs = attention(order)
    return closing.close(order, needs and needs[0], _ASKED)


def _refund_named(order: Order) -> Order:
    return gone.without_refunded(order, order.licenses[0].id, _ASKED)


def _without(reason: Reason) -> Callable[[Order], Order]:
    """What the worker does once this is there."""
    return lambda order: without_waits(order, reason)


DEEDS: dict[str, Callable[[Order], Order]] = {
    "answer_customer": _closed,
    "ask_to_pay": _paid,
    "await_dispute": _dispute_won,
    "block_codes": lambda order: support.blocked(order, "anna", _LATER),
    "correct_address": _address_corrected,
    "end_subscription": lambda order: support.subscription_ended(order, "anna", _LATER),
    "import_codes": _without(Reason.STOCK),
    "mend_and_release": _released,
    "mend_sending": _sending_mended,
    "name_refunded": _refund_named,
    "name_renewed": _without(Reason.RENEWS),
    "name_renewed_or_release": _released,
    "put_product": _without(Reason.PRODUCT),
    "refund_one": _one_refunded,
    "refund_stopped": _refunded,
    "refund_unsent": _refunded,
    "release": _released,
    "release_if_other": _released,
    "release_or_move": _released,
    "release_or_refund": _released,
    "send_again": _sent_again,
    "settle_contents": _settled,
    "tell_and_close": _closed,
}


def states_of(order: Order) -> frozenset[str]:
    """What stands in the order's way, and what it needs a person for."""
    needs = attention(order)
    return frozenset([*(each.code for each in obstacles.obstacles(order)), *([needs[0]] if needs else ())])


def _has_moved(before: Order, after: Order) -> bool:
    """Of three payments for one order two may be left, which are one too many still; and of two mails one."""
    is_less = len(after.standing_payments) < len(before.standing_payments)
    return is_less or len(stuck_mails(after)) < len(stuck_mails(before)) or states_of(after) != states_of(before)


def walked(order: Order) -> list[str]:
    """The actions that were taken until nobody was needed any more. Each must be possible, and must end what it was
    taken for."""
    taken: list[str] = []
    while needs := attention(order):
        action, before = obstacles.action(order, needs[0]).code, order
        assert len(taken) < _MOST_STEPS, (taken, states_of(before))
        order = DEEDS[action](order)
        assert _has_moved(before, order), (taken, action, states_of(before))
        taken.append(action)
    return taken
