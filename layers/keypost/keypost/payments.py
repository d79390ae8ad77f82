"""What one payment's callbacks add up to. They come late, twice and in any order; merged here they give the same
payment."""

from dataclasses import replace
from decimal import Decimal

from keypost.models import Dispute, DisputeState, Payment, PaymentNotice, PaymentState, Refunded

_STATES = (PaymentState.OPEN, PaymentState.FAILED, PaymentState.PAID)
_DISPUTES = (DisputeState.OPEN, DisputeState.WON, DisputeState.LOST)


def merged(payment: Payment | None, notice: PaymentNotice) -> Payment:
    """The payment with what a notice says of it; the very payment when that is nothing new."""
    new = Payment(
        provider=notice.provider,
        id=notice.payment_id,
        state=notice.state or PaymentState.OPEN,
        at=notice.at,
        amount=notice.amount,
        currency=notice.currency,
        refunded=notice.refunded,
        failed_refunds=notice.failed_refunds,
        disputes=notice.disputes,
    )
    if payment is None:
        return new
    later = max(payment.state, new.state, key=_STATES.index)
    together = replace(
        payment,
        state=later,
        # The moment it was paid, as the earliest notice of that says; until then, the first notice of all.
        at=min(p.at for p in (payment, new) if p.state is later),
        amount=payment.amount if payment.amount is not None else new.amount,
        currency=payment.currency or new.currency,
        refunded=max((r for r in (payment.refunded, new.refunded) if r), key=_newest_refund, default=None),
        failed_refunds=tuple(sorted({*payment.failed_refunds, *new.failed_refunds}, key=lambda f: f.id)),
        disputes=_merged_disputes((*payment.disputes, *new.disputes)),
    )
    return payment if together == payment else together


def _newest_refund(refunded: Refunded) -> tuple[object, ...]:
    return refunded.as_of, refunded.full, Decimal(refunded.amount or 0)


def _merged_disputes(disputes: tuple[Dispute, ...]) -> tuple[Dispute, ...]:
    latest: dict[str, Dispute] = {}
    for dispute in disputes:
        known = latest.get(dispute.id, dispute)
        latest[dispute.id] = max(known, dispute, key=lambda d: (d.as_of, _DISPUTES.index(d.state)))
    return tuple(latest[key] for key in sorted(latest))
