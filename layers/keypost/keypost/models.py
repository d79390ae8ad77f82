"""The nouns of Keypost, as frozen values. Moments are aware UTC datetimes, whole seconds; days are dates in
the shop's time zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    DROPPED = "dropped"  # it became untrue before it left


class Fate(StrEnum):
    """What became of a mail that SES took, by rank: each says more than those before it, whichever is told first."""

    SENT = "sent"
    DELAYED = "delayed"
    RETURNED = "returned"  # the other side did not take it for now, and SES tries no more; or an automatic reply
    DELIVERED = "delivered"
    REJECTED = "rejected"  # SES took it, and did not send it
    BOUNCED = "bounced"  # for good
    COMPLAINED = "complained"  # reported as spam


ADDRESS_CHANGED = "address_changed"  # to the old address
REFUNDED = "refunded"  # all the money went back
WAITING = "waiting"  # it is paid, and its codes are still to come
NOTICES = (ADDRESS_CHANGED, REFUNDED)  # are sent whatever becomes of the order
WITHOUT_CODES = ("reminder", WAITING, *NOTICES)


class Reason(StrEnum):
    """Why an order waits and cannot go on by itself."""

    HOLD = "hold"  # a person must look: the order itself cannot be served
    STOCK = "stock"  # too few codes
    PRODUCT = "product"  # a line's SKU is not in the catalog
    ADDRESS = "address"  # it takes no mail from us
    MAIL = "mail"  # the mail does not leave, or came back
    RENEWS = "renews"  # it is not known when the license ends that it renews
    UNPAID = "unpaid"  # the day of a renewal's mail has come, and nobody paid
    BLOCK = "block"  # the money went back after a code left: have the vendor block it
    PAID_TWICE = "paid twice"  # refund one
    SUBSCRIPTION = "subscription"  # its customer was erased, and its provider charges them again


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
    mail_days_before: int = 7  # a renewal's mail leaves so long before its period starts
    reserve_days_before: int = 30  # and its codes are set aside so long before that
    holds_reserve_code: bool = True  # a new code may be entered while the old license runs, whose days are kept
    reminder_days: tuple[int, ...] = ()  # before the last day of a license that nobody renews
    renewal_url: str | None = None  # where a customer renews


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
    problem: str | None = None
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


def _share(payments: Iterable[Payment], whole: Payment) -> tuple[Payment, ...]:
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


@dataclass(frozen=True, slots=True)
class License:
    id: str
    line: int  # counts from 1
    sku: str
    code: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Term:
    """When the license of a renewal line runs, and what happens before that."""

    line: int  # counts from 1
    first_day: date
    last_day: date
    reserve_at: datetime  # codes are set aside from then on
    mail_at: datetime
    mail_from: datetime  # the first moment of the day of the mail: who pays on that day need not wait for `mail_at`
    renews: str | None = None  # the order whose license it renews, if that was sold here
    is_paid: bool = True  # False: as it would be if it were paid now


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal of this order's license, by a line of another order; kept in the order that is renewed."""

    order_id: str
    line: int
    of_line: int
    of_license: str | None  # None: all licenses of that line
    term_days: int
    paid_on: date | None = None  # None: on its way, and not paid yet
    period_start: date | None = None  # as its order card says
    period_end: date | None = None
    moved_up_on: date | None = None  # since one before it was given up: it starts no sooner


@dataclass(frozen=True, slots=True)
class Reminder:
    """That a license is about to end, unless it is renewed by then."""

    at: datetime
    line: int
    days: int  # before the last day


@dataclass(frozen=True, slots=True)
class Asked:
    """That a person, or the customer, wants something done."""

    at: datetime
    who: str
    why: str = ""  # in their own words
    key: str = ""  # the same one again is the same wish


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody typed an address, to get again what was sent to it."""

    id: str
    whose: str  # the customer, by the digest of the address
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class BadCode:
    """A code that did not work, and was swapped for another one in its license."""

    license: str
    code: str
    sku: str
    reason: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class MailReport:
    """What SES tells of one attempt at a mail."""

    order_id: str
    mail_id: str
    attempt: int
    fate: Fate
    at: datetime
    detail: str  # in the words of SES; no address
    address: str  # to which it went
    message_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one attempt at a mail from what SES told later."""

    attempt: int
    fate: Fate
    at: datetime
    detail: str = ""


# Of several attempts, that which is best for the customer counts.
_BEST = (Fate.DELIVERED, Fate.COMPLAINED, Fate.SENT, Fate.DELAYED, Fate.RETURNED, Fate.BOUNCED, Fate.REJECTED)


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
    lines: tuple[int, ...] = ()  # those it is about; none for all
    licenses: tuple[str, ...] = ()  # those of the lines that it is about; none for all
    to: str | None = None  # None: to the address of its order
    sent_to: str | None = None  # the address of its newest attempt
    asked: Asked | None = None  # who wanted it, when it does not follow from the order
    told: tuple[Told, ...] = ()  # by attempt

    @property
    def holds_codes(self) -> bool:
        return self.purpose not in WITHOUT_CODES

    @property
    def outcome(self) -> Told | None:
        """What became of it after SES took it, as far as it told."""
        return min(self.told, key=lambda told: _BEST.index(told.fate), default=None)

    @property
    def came_back(self) -> bool:
        return self.outcome is not None and self.outcome.fate in (Fate.RETURNED, Fate.BOUNCED)


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
    timeline: tuple[TimelineEntry, ...] = ()  # the first 50 and the newest 150
    problem: str | None = None  # why no program may serve it; a person decides
    canceled: bool = False
    subscription_ended: bool = False  # no renewal follows by itself
    is_subscription: bool = False  # its provider charges the next period by itself
    released: bool = False  # a person said: serve it, although a part was refunded
    terms: tuple[Term, ...] = ()  # of its renewal lines
    renewals: tuple[Renewal, ...] = ()  # of its licenses, by other orders, as they were paid
    reminders: tuple[Reminder, ...] = ()  # still to come
    belongs_to: str | None = None  # the order that its payment turned out to be for
    held: bool = False  # a person keeps it back
    waits: tuple[Waiting, ...] = ()  # one for each reason
    registered: tuple[str, ...] = ()  # the orders that list it among their renewals, or are about to
    blocked: tuple[str, ...] = ()  # the licenses whose codes the vendor has blocked, as their money went back
    bad_codes: tuple[BadCode, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)  # wrong addresses, and the right one of each
    forget_on: date | None = None  # its customer was erased; what is left is kept until then
    version: int = 0  # 0: not stored yet

    @property
    def standing(self) -> Standing:
        """That of its best payment: what another attempt failed or got back does not count against it."""
        return max((payment.standing for payment in self._settled), key=list(Standing).index, default=Standing.OPEN)

    @property
    def is_paid(self) -> bool:
        return self.standing is Standing.PAID

    @property
    def is_servable(self) -> bool:
        """Whether what is still to be sent may be sent, when its time comes."""
        may = self.is_paid or (self.released and self.standing is Standing.PARTLY_REFUNDED)
        kept_back = self.problem is not None or self.held or self.canceled or self.belongs_to is not None
        return may and not kept_back and not self.is_erased

    @property
    def is_erased(self) -> bool:
        return self.forget_on is not None

    @property
    def is_charged_again(self) -> bool:
        """Whether its provider charges the next period by itself."""
        return self.is_subscription and not self.subscription_ended

    @property
    def waiting(self) -> Waiting | None:
        """What it waits for first: the others come after that, or by themselves."""
        return min(self.waits, key=lambda waiting: list(Reason).index(waiting.reason), default=None)

    def waits_for(self, reason: Reason) -> Waiting | None:
        return next((waiting for waiting in self.waits if waiting.reason is reason), None)

    @property
    def is_paid_twice(self) -> bool:
        return sum(payment.standing is Standing.PAID for payment in self._settled) > 1

    @property
    def _settled(self) -> tuple[Payment, ...]:
        """Its payments, each with its part of what a shop returned of the order as a whole. A shop that says "it is
        paid" and not by which payment means one that its provider tells of, where that does."""
        whole = next((p for p in self.payments if p.names == (whole_order(self.id),)), None)
        others = tuple(payment for payment in self.payments if payment is not whole)
        if whole is None or all(payment.state is not PaymentState.PAID for payment in others):
            return self.payments
        return _share(others, whole)

    @property
    def paid_at(self) -> datetime | None:
        """The moment of its first payment, even if that was returned since."""
        return min((p.at for p in self.payments if p.state is PaymentState.PAID), default=None)

    @property
    def code_left(self) -> bool:
        """Whether a mail with its codes may have reached the customer."""
        return bool(self._left)

    @property
    def _left(self) -> list[Mail]:
        return [m for m in self.mails if m.holds_codes and (m.may_have_left or m.state is MailState.SENDING)]

    @property
    def sent_lines(self) -> frozenset[int]:
        """The lines whose codes may have reached the customer."""
        return self.lines_of(self._left)

    @property
    def all_left(self) -> bool:
        """Whether all of its codes may have reached the customer."""
        return self.code_left and self.sent_lines >= set(range(1, len(self.lines) + 1))

    @property
    def owed_lines(self) -> frozenset[int]:
        """The lines whose codes have a mail, whatever became of it; but not those whose mail failed and whose codes
        went back to stock since: paid again, they are served like any other."""
        given = {license_.line for license_ in self.licenses}
        mails = [mail for mail in self.mails if mail.holds_codes]
        failed = self.lines_of([mail for mail in mails if mail.state is MailState.FAILED])
        return self.lines_of([mail for mail in mails if mail.state is not MailState.FAILED]) | (failed & given)

    def lines_of(self, mails: Iterable[Mail]) -> frozenset[int]:
        """The lines that these mails of it are about, by number."""
        return frozenset(n for mail in mails for n in mail.lines or range(1, len(self.lines) + 1))

    def licenses_of(self, mails: Iterable[Mail]) -> frozenset[str]:
        """The licenses that these mails of it are about, by id."""
        found = set[str]()
        for mail in mails:
            lines = self.lines_of([mail])
            found |= {one.id for one in self.licenses if one.line in lines and one.id in (mail.licenses or [one.id])}
        return frozenset(found)

    def term(self, line: int) -> Term | None:
        return next((term for term in self.terms if term.line == line), None)

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.sku for line in self.lines))

    def mail(self, mail_id: str) -> Mail:
        return next(mail for mail in self.mails if mail.id == mail_id)


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code for the stock, in its one spelling."""

    sku: str
    code: str
    batch: str | None
    activate_before: date | None


@dataclass(frozen=True, slots=True)
class StockCode:
    """A free code, as the stock offers it: a hint, until the store's condition has decided."""

    digest: str
    code: str
    sku: str


@dataclass(frozen=True, slots=True)
class BadStockCode:
    """A code that did not work, for a claim at who sold it."""

    code: str
    sku: str
    reason: str
    note: str  # of whoever swapped it
    day: date  # on which it was swapped


@dataclass(frozen=True, slots=True)
class MailSent:
    message_id: str


@dataclass(frozen=True, slots=True)
class MailNotSent:
    """SES certainly did not take it: try again later, unless it would refuse the same mail for ever."""

    reason: str
    permanent: bool = False
    account: bool = False  # it takes no mail of the account now


@dataclass(frozen=True, slots=True)
class MailUnknown:
    """The answer was lost: SES may have taken the mail."""

    reason: str


MailOutcome = MailSent | MailNotSent | MailUnknown
