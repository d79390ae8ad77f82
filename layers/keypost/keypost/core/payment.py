"""One payment, as the sum of what callbacks reported of it. They arrive late, twice and in any order; joined here, they
always give the same payment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain

from keypost.core.product import Line
from keypost.core.said import Said
from keypost.core.stored import Stored, with_extra


class PaymentState(StrEnum):
    """The state of a payment. It never goes back from paid, whatever is returned later."""

    OPEN = "open"
    FAILED = "failed"  # also expired and canceled
    PAID = "paid"


class Standing(StrEnum):
    """What a payment is worth now, with its refunds and disputes."""

    OPEN = "open"
    FAILED = "failed"
    REFUNDED = "refunded"  # in full, or because the shop lost a dispute
    DISPUTED = "disputed"
    PARTLY_REFUNDED = "partly refunded"
    PAID = "paid"


MONEY_BACK = (Standing.REFUNDED, Standing.DISPUTED)


class DisputeState(StrEnum):
    """The state of a dispute. The order of the members is that of its steps."""

    INQUIRY = "inquiry"  # a question of the bank; no money has moved
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Refunded(Stored):
    """How much of a payment was returned in total, as of a moment."""

    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency
    full: bool = False
    by: str = ""  # the reporter: a shop and its payment provider each know their own refunds


@dataclass(frozen=True, slots=True)
class FailedRefund(Stored):
    """A refund that failed after it had been reported."""

    id: str
    amount: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Dispute(Stored):
    """A chargeback, or a customer's objection at a bank."""

    id: str
    state: DisputeState
    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency; None: all of it


@dataclass(frozen=True, slots=True)
class Charged:
    """One item in the list of what a payment charged, or of what a shop sold; not all of them are ours."""

    sku: str  # as it stands there; empty if it has none
    quantity: int
    name: str = ""  # as the list has it
    total: str | None = None  # decimal, in the payment's currency; of zero or less it is a discount


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """What a provider reports of one payment, and the order that it is for. `problem` says why no program can serve
    that order. A state of None leaves the payment's state open."""

    provider: str
    payment_id: str
    state: PaymentState | None
    at: datetime
    order_id: str  # empty: only a name of the payment leads to the order
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case
    email: str | None = None
    name: str | None = None
    language: str | None = None
    lines: tuple[Line, ...] = ()
    problem: Said | None = None
    said: datetime | None = None  # the teller's own moment of this whole notice, as precise as given; None: none given
    charged: tuple[Charged, ...] = ()  # the teller's own list of what was charged or sold; `lines` are the card's
    refunded: Refunded | None = None
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    also: tuple[str, ...] = ()  # other names of the same payment: "provider:id"
    is_subscription: bool = False  # the provider charges for the next period automatically
    itemized: bool = False  # the lines are a shop's own list, which may have other goods too

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.provider}:{self.payment_id}", *self.also})


@dataclass(frozen=True, slots=True)
class OrderCanceled:
    order_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """The provider charges for no further renewal of this order. What was paid stays as it is."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something genuine that changes nothing: it is written into the inbox, where support finds it with the reason. It
    holds no name, no address and no code."""

    provider: str
    at: datetime  # when it reached us
    why: Said
    order_id: str = ""  # empty: it names none
    payment: str = ""  # "provider:id", where it names one


Fact = PaymentNotice | OrderCanceled | SubscriptionEnded
News = Fact | Remark


@dataclass(frozen=True, slots=True)
class Payment(Stored):
    """All that was reported of one payment."""

    names: tuple[str, ...]  # "provider:id", in order; one payment may be known to a shop and to its provider
    state: PaymentState
    at: datetime
    amount: str | None = None
    currency: str | None = None
    refunded: tuple[Refunded, ...] = ()  # the newest report of each reporter
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def standing(self) -> Standing:
        """The payment's present worth. A paid payment stays paid, so disputes and refunds decide; a dispute counts
        before a refund."""
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
        """The amount that was returned, without refunds that failed after they had been reported; if the reporters
        disagree, the largest amount."""
        returned = [Decimal(0)]
        for refunded in self.refunded:
            failed = (f.amount for f in self.failed_refunds if f.as_of >= refunded.as_of)
            returned.append(Decimal(refunded.amount or 0) - sum(map(Decimal, failed)))
        return max(returned)


def latest_disputes(disputes: Iterable[Dispute]) -> tuple[Dispute, ...]:
    """The newest state of each dispute, sorted by id; of two at one moment, the later step."""
    steps = list(DisputeState)
    latest: dict[str, Dispute] = {}
    for dispute in disputes:
        known = latest.get(dispute.id, dispute)
        newest = max(known, dispute, key=lambda d: (d.as_of, steps.index(d.state)))
        latest[dispute.id] = with_extra(newest, known, dispute)
    return tuple(latest[key] for key in sorted(latest))


def whole_order(order_id: str) -> str:
    """The name of the payments of an order as a whole, for a shop's own callback that does not say which payment it is
    about."""
    return f"webhook:{order_id}"


def share(payments: Iterable[Payment], whole: Payment) -> tuple[Payment, ...]:
    """Take the amount that a shop returned for an order from its payments, the latest first: if there are two, the
    latest is the one too many."""
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
    """Merge a notice into the payments; returns all payments, and the one that the notice is about. That is the one
    that shares a name with the notice. Two payments whose names the notice joins become one."""
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
    failed = set(chain.from_iterable(payment.failed_refunds for payment in told))
    joined = Payment(
        names=tuple(sorted(set(chain.from_iterable(payment.names for payment in told)))),
        state=furthest,
        # The moment of payment by the earliest notice that reports it; until then, the moment of the first notice.
        at=min(payment.at for payment in told if payment.state is furthest),
        # A shop may report only its own part of what was paid at a provider.
        amount=max(filter(None, (payment.amount for payment in told)), key=Decimal, default=None),
        currency=min(filter(None, (payment.currency for payment in told)), default=None),
        refunded=_newest_refunds(chain.from_iterable(payment.refunded for payment in told)),
        failed_refunds=tuple(sorted(failed, key=lambda each: each.id)),
        disputes=latest_disputes(chain.from_iterable(payment.disputes for payment in told)),
    )
    return with_extra(joined, *told)


def _newest_refunds(told: Iterable[Refunded]) -> tuple[Refunded, ...]:
    """The newest report of each reporter; of two at one moment, the larger amount."""
    newest: dict[str, Refunded] = {}
    for refunded in told:
        known = newest.get(refunded.by, refunded)
        newer = max(known, refunded, key=lambda r: (r.as_of, r.full, Decimal(r.amount or 0)))
        newest[refunded.by] = with_extra(newer, known, refunded)
    return tuple(newest[by] for by in sorted(newest))
