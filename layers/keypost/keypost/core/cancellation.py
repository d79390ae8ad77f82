"""A shop's cancellation of an order. Of a cancellation and a payment the newer one counts; a person may take a
cancellation back, and so may the shop, by telling of the order again."""

from dataclasses import replace
from datetime import datetime

from keypost.core.order import Cancellation, Order
from keypost.core.payment import OrderCanceled, Payment, PaymentState
from keypost.core.stored import with_extra

_SHOP = "webhook"  # the only teller of cancellations


def with_cancellation(order: Order, fact: OrderCanceled, now: datetime) -> Order:
    """The order with the shop's word that it canceled it; the same order if it said so before."""
    known, told = _known(order), Cancellation(fact.at or now, fact.said)
    if known and not _is_news(known, told):
        return order
    return with_state(replace(order, cancellation=with_extra(told, known)))


def with_state(order: Order) -> Order:
    """The order, canceled or not by what was told of it so far."""
    known = _known(order)
    is_canceled = known is not None and not known.lifted and not _is_taken_back(order, known)
    return order if is_canceled == order.canceled else replace(order, canceled=is_canceled)


def released(order: Order) -> Order:
    """The order without the cancellation that a person has seen. A newer one counts again."""
    known = _known(order)
    return replace(order, canceled=False, cancellation=replace(known, lifted=True)) if known else order


def is_after_payment(order: Order) -> bool:
    """Whether the shop canceled the order after it was paid, as far as that is known."""
    known = order.cancellation
    if not order.canceled or known is None or known.said is None:
        return False
    paid = order.standing_payments
    return bool(paid) and all(payment.at <= known.at and _is_dated(payment) for payment in paid)


def _known(order: Order) -> Cancellation | None:
    """An older version has stored that an order is canceled, and not since when."""
    return order.cancellation or (Cancellation(order.created_at) if order.canceled else None)


def _is_news(known: Cancellation, told: Cancellation) -> bool:
    """One without a moment cannot be compared: it counts until a person has seen it."""
    if known.said and told.said:
        return told.said > known.said
    return known.said != told.said and (known.lifted or told.said is None)


def _is_taken_back(order: Order, known: Cancellation) -> bool:
    return known.said is not None and any(_is_newer(payment, known) for payment in order.payments)


def _is_newer(payment: Payment, known: Cancellation) -> bool:
    """Whether the shop has told of this payment since, or somebody else of the money."""
    said = [word.said for word in payment.sums if word.by == _SHOP and word.said]
    is_of_others = bool(payment.tellers - {_SHOP}) and payment.state is PaymentState.PAID
    return (bool(said) and known.said is not None and max(said) > known.said) or (
        is_of_others and payment.at > known.at
    )


def _is_dated(payment: Payment) -> bool:
    return all(word.said for word in payment.sums if word.by == _SHOP)
