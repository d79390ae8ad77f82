"""What one payment's callbacks add up to. They come late, twice and in any order; joined here they give the same
payment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from keypost.core.product import Line
from keypost.core.said import Said


class PaymentState(StrEnum):
    """How far a payment came; it never falls back from paid, whatever is returned later."""

    OPEN = "open"
    FAILED = "failed"  # expired and canceled too
    PAID = "paid"


class Standing(StrEnum):
    """What a payment is worth now, refunds and disputes included."""

    OPEN = "open"
    FAILED = "failed"
    REFUNDED = "refunded"  # all of it, or lost in a dispute
    DISPUTED = "disputed"
    PARTLY_REFUNDED = "partly refunded"
    PAID = "paid"


MONEY_BACK = (Standing.REFUNDED, Standing.DISPUTED)


class DisputeState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Refunded:
    """How much of a payment was returned in all, as of a moment."""

    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency
    full: bool = False
    by: str = ""  # who says so: a shop and its payment provider each know of their own refunds


@dataclass(frozen=True, slots=True)
class FailedRefund:
    """A refund that did not go through after all."""

    id: str
    amount: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    """A chargeback, or a customer's objection at a bank."""

    id: str
    state: DisputeState
    as_of: datetime


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """One payment as a provider tells of it, with the order it is for. `problem` says why a program cannot
    serve that order; a state of None says nothing of how far the payment came."""

    provider: str
    payment_id: str
    state: PaymentState | None
    at: datetime
    order_id: str  # empty: the order is known by a name of the payment only
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case
    email: str | None = None
    name: str | None = None
    language: str | None = None
    lines: tuple[Line, ...] = ()
    problem: Said | None = None
    refunded: Refunded | None = None
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    also: tuple[str, ...] = ()  # other names of the same payment: "provider:id"
    is_subscription: bool = False  # its provider charges the next period by itself
    itemized: bool = False  # the lines are a shop's own list, in which goods of others stand too

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.provider}:{self.payment_id}", *self.also})


@dataclass(frozen=True, slots=True)
class OrderCanceled:
    order_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """No renewal of this order follows by itself; what was paid stays as it is."""

    order_id: str


Fact = PaymentNotice | OrderCanceled | SubscriptionEnded


@dataclass(frozen=True, slots=True)
class Payment:
    """All that was said of one payment."""

    names: tuple[str, ...]  # "provider:id", in order; one payment may be known to a shop and to its provider
    state: PaymentState
    at: datetime
    amount: str | None = None
    currency: str | None = None
    refunded: tuple[Refunded, ...] = ()  # the newest word of each who says so
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def standing(self) -> Standing:
        """What it is worth now. Being paid never goes away, so the money decides, and a dispute before a refund."""
        if self.state is not PaymentState.PAID:
            return Standing(self.state)
        disputes = {dispute.state for dispute in self.disputes}
        if DisputeState.LOST in disputes:
            return Standing.REFUNDED
        if DisputeState.OPEN in disputes:
            return Standing.DISPUTED
        back, total = self.returned, Decimal(self.amount or 0)
        if any(refunded.full for refunded in self.refunded) or (total and back >= total):
            return Standing.REFUNDED
        return Standing.PARTLY_REFUNDED if back else Standing.PAID

    @property
    def returned(self) -> Decimal:
        """What was returned, without the refunds that failed after that was said; the most that anybody says."""
        returned = [Decimal(0)]
        for refunded in self.refunded:
            failed = (f.amount for f in self.failed_refunds if f.as_of >= refunded.as_of)
            returned.append(Decimal(refunded.amount or 0) - sum(map(Decimal, failed)))
        return max(returned)


def latest_disputes(disputes: Iterable[Dispute]) -> tuple[Dispute, ...]:
    """The newest word on each dispute; of two at one moment, the later step of its life."""
    steps = list(DisputeState)
    latest: dict[str, Dispute] = {}
    for dispute in disputes:
        known = latest.get(dispute.id, dispute)
        latest[dispute.id] = max(known, dispute, key=lambda d: (d.as_of, steps.index(d.state)))
    return tuple(latest[key] for key in sorted(latest))


def whole_order(order_id: str) -> str:
    """The name under which a shop's own callback tells of an order without saying which payment of it."""
    return f"webhook:{order_id}"


def share(payments: Iterable[Payment], whole: Payment) -> tuple[Payment, ...]:
    """What a shop returned of an order, taken from its payments, the latest first: that is the one too many."""
    full = any(refunded.full for refunded in whole.refunded)
    left = max((Decimal(refunded.amount or 0) for refunded in whole.refunded), default=Decimal(0))
    shared = []
    for payment in sorted(payments, key=lambda p: (p.at, p.names), reverse=True):
        taken = min(left, Decimal(payment.amount or 0))
        left -= taken
        back = (Refunded(whole.at, str(taken), full, "the shop"),) if taken or full else ()
        disputes = latest_disputes((*payment.disputes, *whole.disputes))
        shared.append(replace(payment, refunded=(*payment.refunded, *back), disputes=disputes))
    return tuple(shared)


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
