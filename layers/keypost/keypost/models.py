"""The nouns of Keypost, as frozen values. Moments are aware UTC datetimes, whole seconds; days are dates in
the shop's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Kind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"


class PaymentState(StrEnum):
    """What a payment at a provider says now."""

    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"


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
class PaymentNotice:
    """One payment as a provider tells of it, with the order it is for. `problem` says why a program cannot
    serve that order."""

    provider: str
    payment_id: str
    state: PaymentState
    at: datetime
    order_id: str
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case
    email: str | None = None
    name: str | None = None
    language: str | None = None
    lines: tuple[Line, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    provider: str
    id: str
    state: PaymentState
    at: datetime
    amount: str | None = None
    currency: str | None = None


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
    waiting: Waiting | None = None
    version: int = 0  # 0: not stored yet

    @property
    def is_paid(self) -> bool:
        return any(payment.state is PaymentState.PAID for payment in self.payments)

    @property
    def paid_at(self) -> datetime | None:
        """The moment of the first payment that stands."""
        return min((p.at for p in self.payments if p.state is PaymentState.PAID), default=None)

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
