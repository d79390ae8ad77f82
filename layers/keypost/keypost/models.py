"""The nouns of Keypost, as frozen values. Moments are aware UTC datetimes, whole seconds; days are dates in
the shop's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"


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


class DisputeState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class MailState(StrEnum):
    """Where a mail is in its life: pending -> sending -> sent; `unknown` when the answer was lost."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Reason(StrEnum):
    """Why an order waits and cannot go on by itself."""

    HOLD = "hold"  # a person must look: the order itself cannot be served
    PRODUCT = "product"  # a line's SKU is not in the catalog
    STOCK = "stock"  # too few codes
    MAIL = "mail"  # the mail does not leave
    BLOCK = "block"  # the money went back after a code left: have the vendor block it
    PAID_TWICE = "paid twice"  # refund one


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    vendor: str
    name: Mapping[str, str]  # per language
    term_days: int
    devices: int
    code_pattern: str  # a regular expression that a whole code matches
    code_example: str
    download_url: str
    steps: Mapping[Kind, Mapping[str, tuple[str, ...]]]  # per kind and language
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    quantity: int
    kind: Kind = Kind.NEW
    renews: str | None = None
    period_start: date | None = None
    period_end: date | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """How much of a payment was returned in all, as of a moment."""

    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency
    full: bool = False


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
    order_id: str
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case
    email: str | None = None
    name: str | None = None
    language: str | None = None
    lines: tuple[Line, ...] = ()
    problem: str | None = None
    refunded: Refunded | None = None
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    reference: str | None = None  # by which the provider tells of its refunds and disputes later


@dataclass(frozen=True, slots=True)
class OrderCanceled:
    order_id: str


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """News of a payment whose order is not named, only a reference that the order's own callback names too."""

    reference: str
    notice: PaymentNotice  # its order and payment id are empty


Fact = PaymentNotice | OrderCanceled


@dataclass(frozen=True, slots=True)
class Payment:
    """All that was said of one payment."""

    provider: str
    id: str
    state: PaymentState
    at: datetime
    amount: str | None = None
    currency: str | None = None
    refunded: Refunded | None = None
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
        back, total = self._returned, Decimal(self.amount or 0)
        if (self.refunded and self.refunded.full) or (total and back >= total):
            return Standing.REFUNDED
        return Standing.PARTLY_REFUNDED if back else Standing.PAID

    @property
    def _returned(self) -> Decimal:
        """What was returned, without the refunds that failed after that was said."""
        if self.refunded is None:
            return Decimal(0)
        failed = (f.amount for f in self.failed_refunds if f.as_of >= self.refunded.as_of)
        return max(Decimal(0), Decimal(self.refunded.amount or 0) - sum(map(Decimal, failed)))


@dataclass(frozen=True, slots=True)
class License:
    id: str
    line: int  # counts from 1
    sku: str
    code: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Mail:
    id: str
    purpose: str
    state: MailState
    next_at: datetime | None  # when it needs something: a try, the end of a lease, the end of a doubt
    attempts: int = 0
    message_id: str | None = None
    sent_at: datetime | None = None
    problem: str | None = None
    may_have_left: bool = False  # true for ever once SES took it, or may have
    unknowns: int = 0  # attempts whose outcome is not known


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    what: str
    why: str
    who: str = "keypost"


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: Reason
    detail: str
    since: datetime
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one customer bought under one order id, with all that became of it."""

    id: str
    created_at: datetime
    email: str | None = None
    name: str | None = None
    language: str = "nl"
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    licenses: tuple[License, ...] = ()
    mails: tuple[Mail, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()  # the newest 200
    problem: str | None = None  # why no program may serve it; a person decides
    canceled: bool = False
    waiting: Waiting | None = None
    version: int = 0  # 0: not stored yet

    @property
    def standing(self) -> Standing:
        """That of its best payment: what another attempt failed or got back does not count against it."""
        return max((payment.standing for payment in self.payments), key=list(Standing).index, default=Standing.OPEN)

    @property
    def is_paid(self) -> bool:
        return self.standing is Standing.PAID

    @property
    def is_paid_twice(self) -> bool:
        return sum(payment.standing is Standing.PAID for payment in self.payments) > 1

    @property
    def paid_at(self) -> datetime | None:
        """The moment of its first payment, even if that was returned since."""
        return min((p.at for p in self.payments if p.state is PaymentState.PAID), default=None)

    @property
    def code_left(self) -> bool:
        """Whether a mail with its codes may have reached the customer."""
        return any(mail.may_have_left or mail.state is MailState.SENDING for mail in self.mails)

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.sku for line in self.lines))

    def mail(self, mail_id: str) -> Mail:
        return next(mail for mail in self.mails if mail.id == mail_id)


@dataclass(frozen=True, slots=True)
class StockCode:
    """A free code, as the stock offers it: a hint, until the store's condition has decided."""

    digest: str
    code: str
    sku: str


@dataclass(frozen=True, slots=True)
class MailSent:
    message_id: str


@dataclass(frozen=True, slots=True)
class MailNotSent:
    """SES certainly did not take it: try again later, unless it would refuse the same mail for ever."""

    reason: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class MailUnknown:
    """The answer was lost: SES may have taken the mail."""

    reason: str


MailOutcome = MailSent | MailNotSent | MailUnknown
