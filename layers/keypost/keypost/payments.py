"""What one payment's callbacks add up to. They come late, twice and in any order; joined here they give the same
payment."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from keypost.models import Payment, PaymentNotice, PaymentState, Refunded, latest_disputes

_STATES = (PaymentState.OPEN, PaymentState.FAILED, PaymentState.PAID)


def with_notice(payments: Sequence[Payment], notice: PaymentNotice) -> tuple[tuple[Payment, ...], Payment]:
    """The payments with what a notice says, and the one it speaks of. It is the one that shares a name with it; two
    that turn out to be one, since the notice knows both their names, become one."""
    same = [payment for payment in payments if notice.names & set(payment.names)]
    payment = _joined([*same, _payment(notice)])
    if same == [payment]:
        return tuple(payments), same[0]
    return (*(p for p in payments if p not in same), payment), payment


def _payment(notice: PaymentNotice) -> Payment:
    return Payment(
        names=tuple(sorted(notice.names)),
        state=notice.state or PaymentState.OPEN,
        at=notice.at,
        amount=notice.amount,
        currency=notice.currency,
        refunded=(replace(notice.refunded, by=notice.provider),) if notice.refunded else (),
        failed_refunds=notice.failed_refunds,
        disputes=notice.disputes,
    )


def _joined(told: Sequence[Payment]) -> Payment:
    furthest = max((payment.state for payment in told), key=_STATES.index)
    return Payment(
        names=tuple(sorted({name for payment in told for name in payment.names})),
        state=furthest,
        # The moment it was paid, as the earliest notice of that says; until then, the first notice of all.
        at=min(payment.at for payment in told if payment.state is furthest),
        # A shop may tell of its part of what was paid at a provider.
        amount=max((p.amount for p in told if p.amount is not None), key=Decimal, default=None),
        currency=min((p.currency for p in told if p.currency), default=None),
        refunded=_newest_refunds(refunded for payment in told for refunded in payment.refunded),
        failed_refunds=tuple(sorted({f for payment in told for f in payment.failed_refunds}, key=lambda f: f.id)),
        disputes=latest_disputes(dispute for payment in told for dispute in payment.disputes),
    )


def _newest_refunds(told: Iterable[Refunded]) -> tuple[Refunded, ...]:
    """Of each who says so the newest word; of two at one moment, the larger."""
    newest: dict[str, Refunded] = {}
    for refunded in told:
        known = newest.get(refunded.by, refunded)
        newest[refunded.by] = max(known, refunded, key=lambda r: (r.as_of, r.full, Decimal(r.amount or 0)))
    return tuple(newest[by] for by in sorted(newest))
