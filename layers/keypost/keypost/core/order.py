"""What one customer bought under one order id, with all that became of it. Moments are aware UTC datetimes, whole
seconds; days are dates in the shop's time zone. Pure changes return the very order when they change nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from keypost.core.frozen import dataclass
from keypost.core.languages import DEFAULT
from keypost.core.mail import Asked, Mail, MailState
from keypost.core.payment import Payment, PaymentState, Standing, price_of, settled
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.stored import Stored, with_extra

NO_ADDRESS = "no_address"
MAIL_REPORTED = "mail_reported"  # as spam, and somebody had asked for that mail on the page for customers
RETRY_WAITING = timedelta(minutes=15)  # arriving stock pokes at once; this is for a poke that was lost


class Reason(StrEnum):
    """Why an order waits and cannot go on by itself."""

    HOLD = "hold"  # a person must look: the order itself cannot be served
    STOCK = "stock"  # too few codes
    PRODUCT = "product"  # a line's SKU is not in the catalog
    ADDRESS = "address"  # it takes no mail from us
    MAIL = "mail"  # the mail does not leave, or came back
    CONCERN = "concern"  # its customer let us know something on the page for customers
    RENEWS = "renews"  # it is not known when the license ends that it renews
    OTHER_CUSTOMER = "other_customer"  # it renews the license of somebody else
    UNUSUAL_START = "unusual_start"  # the days of a renewal surprise
    UNPAID = "unpaid"  # the day of a renewal's mail has come, and nobody paid
    BLOCK = "block"  # the money went back after a code left: have the vendor block it
    PAID_TWICE = "paid_twice"  # refund one
    STOPPED = "stopped"  # a person stopped a renewal that is paid: refund it
    SUBSCRIPTION = "subscription"  # its customer was erased, and its provider charges them again
    PART_REFUNDED = "part_refunded"  # after its codes left: is one of its licenses to be blocked?


OF_A_DELIVERY = (Reason.STOCK, Reason.PRODUCT, Reason.RENEWS, Reason.OTHER_CUSTOMER, Reason.UNUSUAL_START)
FOR_A_DECISION = (Reason.OTHER_CUSTOMER, Reason.UNUSUAL_START)  # nothing of these lines leaves before it


@dataclass(frozen=True, slots=True)
class License(Stored):
    id: str
    line: int  # counts from 1
    sku: str
    code: str
    first_day: date
    last_day: date
    case_counts: bool = False  # in its code


@dataclass(frozen=True, slots=True)
class Term(Stored):
    """When the license of a renewal line runs, and what happens before that."""

    line: int  # counts from 1
    first_day: date
    last_day: date
    reserve_at: datetime  # codes are set aside from then on
    mail_at: datetime
    mail_from: datetime  # the first moment of the day of the mail: who pays on that day need not wait for `mail_at`
    renews: str | None = None  # the order whose license it renews, if that was sold here
    is_paid: bool = True  # False: as it would be if it were paid now
    is_other_product: bool = False  # than the license that it renews: the program is not on the device


@dataclass(frozen=True, slots=True)
class Renewal(Stored):
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
    quantity: int | None = None  # of its licenses; None: not known, and taken for all of the line
    sku: str = ""
    behind: str | None = None  # the renewal that it names: it follows that one


@dataclass(frozen=True, slots=True)
class Reminder(Stored):
    """That a license is about to end, unless it is renewed by then."""

    at: datetime
    line: int
    days: int  # before the last day


@dataclass(frozen=True, slots=True)
class Concern(Stored):
    """What a customer let us know, until a person has seen to it: the value of an Ask, or MAIL_REPORTED."""

    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gone(Stored):
    """A license that left the order again after its code was sent. It is not sent again, reminded of or renewed
    here."""

    license: str
    why: str  # "refunded": a part of the money went back for it; "moved": another order has it now
    order: str = ""  # the order that has a moved one


@dataclass(frozen=True, slots=True)
class BadCode(Stored):
    """A code that did not work, and was swapped for another one in its license."""

    license: str
    code: str
    sku: str
    reason: str
    asked: Asked  # without words, which are kept with the code
    case_counts: bool = False  # in the code


@dataclass(frozen=True, slots=True)
class TimelineEntry(Stored):
    """What happened to an order, as a code with values, and who did it. `words` are a person's own."""

    at: datetime
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    who: str = "keypost"
    words: str = ""
    key: str = ""  # of the request, where repeating it would write it twice


@dataclass(frozen=True, slots=True)
class Waiting(Stored):
    """What lines of an order wait for; no lines stand for the whole order."""

    reason: Reason
    why: Said
    since: datetime
    retry_at: datetime
    lines: tuple[int, ...] = ()  # count from 1

    def is_of(self, lines: Collection[int]) -> bool:
        return not self.lines or not lines or not set(self.lines).isdisjoint(lines)


@dataclass(frozen=True, slots=True)
class Customer(Stored):
    """Who an order is for. An erased one is nobody, whose language alone is known."""

    email: str | None = None
    name: str | None = None
    language: str = DEFAULT
    corrected: Mapping[str, str] = field(default_factory=dict)  # wrong addresses, and the right one of each
    wrong_names: tuple[str, ...] = ()  # a person corrected them to the name that stands here, if any
    language_by_person: bool = False  # then no callback changes it

    @property
    def addresses(self) -> frozenset[str]:
        """Those that the customer has or had, as they are compared."""
        known = (self.email, *self.corrected, *self.corrected.values())
        return frozenset(each.casefold() for each in known if each)

    def right(self, email: str) -> str:
        """The address to use for one that was told: that one, unless it was corrected, in whatever case it stands."""
        known = {wrong.casefold(): right for wrong, right in self.corrected.items()}
        return known.get(email.casefold(), email)

    def right_name(self, name: str | None) -> str | None:
        """The name to use for one that was told: that one, unless it was corrected or none was told."""
        is_wrong = name is not None and name.casefold() in map(str.casefold, self.wrong_names)
        return self.name if is_wrong or not name else name

    def corrected_as(self, base: "Customer") -> "Customer":
        """The customer of a renewal, with what a person corrected in the order that it renews, if it is the same
        one."""
        if not self.email or self.email.casefold() != (base.email or "").casefold():
            return self
        wrong = tuple(dict.fromkeys((*base.wrong_names, *self.wrong_names)))
        named = replace(self, name=base.right_name(self.name), wrong_names=wrong)
        if self.language_by_person or not base.language_by_person:
            return named
        return replace(named, language=base.language, language_by_person=True)


@dataclass(frozen=True, slots=True)
class Hold(Stored):
    """What keeps an order back until a person decides."""

    problem: Said | None = None  # why no program may serve it
    by_person: bool = False
    released: bool = False  # a person said: serve it, although a part was refunded
    contents: Said | None = None  # how that differs which was told of its contents
    same_as: str = ""  # the order that may be the same purchase, told by another program of the shop
    from_before: bool = False  # it was paid before the day from which Keypost serves


@dataclass(frozen=True, slots=True)
class Subscription(Stored):
    is_charged: bool = False  # its provider charges the next period by itself
    has_ended: bool = False  # no renewal follows by itself, unless it was paid for again since
    ended_at: datetime | None = None  # None: not known, so that no payment is newer

    def has_ended_after(self, at: datetime | None) -> bool:
        """Whether it has ended, and nobody paid or was charged since."""
        return self.has_ended and (self.ended_at is None or at is None or at <= self.ended_at)


@dataclass(frozen=True, slots=True)
class Cancellation(Stored):
    """The shop's newest word that it canceled an order."""

    at: datetime
    said: datetime | None = None  # by the shop's own clock; None: it gave no moment, or an older version stored it
    lifted: bool = False  # a person has seen it, and released the order


@dataclass(frozen=True, slots=True)
class Decision(Stored):
    """What a person decided of an order's contents, for ever. It counts as long as nothing else was told than what that
    person saw, and one of the payments stands that it is about."""

    # "contents", "release", "close", "renewal", "stop", "by_hand": a person made the order; "imported": it was sold
    # before Keypost; or "own_order": a payment belongs to another order
    kind: str
    asked: Asked
    saw: tuple[str, ...] = ()  # digests of what was told by then
    of: tuple[str, ...] = ()  # names of payments
    lines: tuple[Line, ...] = ()
    email: str | None = None
    to: str = ""  # the other order; of a renewal the number of its line, whose `lines` are as told and as decided
    start: date | None = None  # of a renewal: the first day that the person agreed to
    because: str = ""  # of an order by hand: one of BY_HAND


@dataclass(frozen=True, kw_only=True)  # without slots: what is asked of it most is computed once
class Order(Stored):
    """What one customer bought under one order id, with all that became of it."""

    id: str
    created_at: datetime
    customer: Customer = Customer()
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    licenses: tuple[License, ...] = ()
    mails: tuple[Mail, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()  # the newest entries: once stored, at most 69
    moved: int = 0  # so many older entries are kept beside the order
    hold: Hold = Hold()
    decisions: tuple[Decision, ...] = ()
    last_line: int = 0  # the highest number that a line ever had, once that is not the number of its lines
    subscription: Subscription = Subscription()
    canceled: bool = False  # now: neither the shop nor a person has taken its cancellation back
    cancellation: Cancellation | None = None
    terms: tuple[Term, ...] = ()  # of its renewal lines
    renewals: tuple[Renewal, ...] = ()  # of its licenses, by other orders, as they were paid
    reminders: tuple[Reminder, ...] = ()  # still to come
    belongs_to: str | None = None  # the order that its payment turned out to be for
    waits: tuple[Waiting, ...] = ()
    registered: tuple[str, ...] = ()  # the orders that list it among their renewals, or are about to
    blocked: tuple[str, ...] = ()  # the licenses whose codes the vendor has blocked, as their money went back
    bad_codes: tuple[BadCode, ...] = ()
    concerns: tuple[Concern, ...] = ()
    gone: tuple[Gone, ...] = ()
    moved_from: str = ""  # the order that had its license before
    without_reminders: bool = False  # a person said so
    forget_on: date | None = None  # its customer was erased; what is left is kept until then
    version: int = 0  # 0: not stored yet

    @cached_property
    def standing(self) -> Standing:
        """That of its best payment: what another attempt failed or got back does not count against it."""
        return max((payment.standing for payment in self.settled), key=list(Standing).index, default=Standing.OPEN)

    @property
    def is_paid(self) -> bool:
        return self.standing is Standing.PAID

    @property
    def is_erased(self) -> bool:
        return self.forget_on is not None

    @property
    def is_charged_again(self) -> bool:
        """Whether its provider charges the next period by itself."""
        return self.subscription.is_charged and not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether its subscription ended after the newest payment."""
        return self.subscription.has_ended_after(self.charged_at)

    @property
    def charged_at(self) -> datetime | None:
        """The moment of its newest payment; while none is paid, of the first one that was asked for."""
        paid = [payment.at for payment in self.payments if payment.state is PaymentState.PAID]
        return max(paid) if paid else min((payment.at for payment in self.payments), default=None)

    @property
    def waiting(self) -> Waiting | None:
        """What it waits for first: the others come after that, or by themselves."""
        return min(self.waits, key=lambda waiting: list(Reason).index(waiting.reason), default=None)

    def waits_for(self, reason: Reason, lines: Collection[int] = ()) -> Waiting | None:
        """The wait for this of any of these lines, or of the order."""
        return next((each for each in self.waits if each.reason is reason and each.is_of(lines)), None)

    @property
    def is_paid_twice(self) -> bool:
        """Whether more was paid than one payment, of which several may pay a part each. A part that went back of one of
        them does not make it one."""
        paid = [each for each in self.settled if each.standing in (Standing.PAID, Standing.PARTLY_REFUNDED)]
        price = price_of(self.id, self.payments)
        if price is not None and all(payment.currency == price.currency for payment in paid):
            kept = sum(Decimal(payment.amount or 0) - payment.returned for payment in paid)
            return len(paid) > 1 and kept > Decimal(price.amount or 0)
        return len(paid) > 1

    @cached_property
    def settled(self) -> tuple[Payment, ...]:
        """Its payments, each once, whoever tells of it."""
        return settled(self.id, self.payments, self.customer.right)

    @property
    def standing_payments(self) -> tuple[Payment, ...]:
        """Those whose money is there, in whole or in part."""
        return tuple(p for p in self.settled if p.state is PaymentState.PAID and p.standing is not Standing.REFUNDED)

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

    def has_left(self, license_: License) -> bool:
        """Whether the code that a license has now may have reached the customer: a mail from before it was swapped in
        held another one."""
        swapped_at = max((bad.asked.at for bad in self.bad_codes if bad.license == license_.id), default=None)
        mails = (mail for mail in self._left if swapped_at is None or not mail.was_sent_before(swapped_at))
        return any(self._is_in(mail, license_) for mail in mails)

    @property
    def all_left(self) -> bool:
        """Whether all of its codes may have reached the customer."""
        return self.code_left and self.sent_lines >= set(self.numbered)

    @cached_property
    def owed_lines(self) -> frozenset[int]:
        """The lines whose codes have a mail, whatever became of it; but not those of which codes went back to stock
        since, as their mail failed or was dropped, or a code that was swapped in never left: paid again, they are
        served like any other."""
        mails = [mail for mail in self.mails if mail.holds_codes]
        ended = [mail for mail in mails if mail.state in (MailState.FAILED, MailState.DROPPED)]
        failed, stand = self.lines_of(ended), self.lines_of(mail for mail in mails if mail not in ended)
        owed = (stand - self._lacking if self.bad_codes else stand) | (failed - self._lacking)
        return owed & self.numbered.keys()

    @property
    def _lacking(self) -> frozenset[int]:
        given = Counter(license_.line for license_ in self.licenses)
        return frozenset(number for number, line in self.numbered.items() if given[number] < line.quantity)

    def lines_of(self, mails: Iterable[Mail]) -> frozenset[int]:
        """The lines that these mails of it are about, by number."""
        return frozenset(number for mail in mails for number in mail.lines or self.numbered)

    def licenses_of(self, mails: Iterable[Mail]) -> frozenset[str]:
        """The licenses that these mails of it are about, by id."""
        told = [*mails]
        return frozenset(one.id for one in self.licenses if any(self._is_in(mail, one) for mail in told))

    def _is_in(self, mail: Mail, license_: License) -> bool:
        is_of_line = license_.line in (mail.lines or self.numbered)
        return is_of_line and (not mail.licenses or license_.id in mail.licenses)

    def numbers(self, kind: Kind) -> tuple[int, ...]:
        """The numbers of its lines of a kind, counting from 1."""
        return tuple(number for number, line in self.numbered.items() if line.kind is kind)

    @cached_property
    def numbered(self) -> Mapping[int, Line]:
        """Its lines by their numbers, which never change and are never used again."""
        return {line.id or place: line for place, line in enumerate(self.lines, start=1)}

    def line(self, number: int) -> Line:
        return self.numbered[number]

    @cached_property
    def past(self) -> tuple[License, ...]:
        """The licenses that it gave for what it is not for any more, and those that have gone again."""
        numbered, gone = self.numbered, {each.license for each in self.gone}
        return tuple(one for one in self.licenses if one.line not in numbered or one.id in gone)

    def is_past(self, mail: Mail) -> bool:
        """Whether a mail is about what was exchanged since, or has moved or gone back, and about nothing else."""
        past, held = {one.id for one in self.past}, self.licenses_of([mail])
        return bool(past) and past >= held and (bool(held) or not self.numbered.keys() & self.lines_of([mail]))

    @property
    def current(self) -> tuple[License, ...]:
        """The licenses that its customer has by it now."""
        past = self.past
        return tuple(license_ for license_ in self.licenses if license_ not in past) if past else self.licenses

    def gone_for(self, why: str) -> frozenset[str]:
        """The ids of the licenses that have gone for this reason."""
        return frozenset(each.license for each in self.gone if each.why == why)

    @property
    def by_hand(self) -> Decision | None:
        """That a person made the order, and why; None of an order of a shop."""
        return next((each for each in self.decisions if each.kind == "by_hand"), None)

    @property
    def imported(self) -> Decision | None:
        """That it was sold before Keypost, and who imported it; None of any other order."""
        return next((each for each in self.decisions if each.kind == "imported"), None)

    @property
    def is_given(self) -> bool:
        """Whether its customer paid nothing for it."""
        return self.by_hand is not None and self.by_hand.because != "paid_by_bank"

    @property
    def is_withdrawn(self) -> bool:
        """Whether a person took back what was given by hand, and nobody paid for it."""
        return self.standing is Standing.REFUNDED and all(payment.is_by_hand for payment in self.payments)

    def license(self, license_id: str) -> License | None:
        return next((license_ for license_ in self.licenses if license_.id == license_id), None)

    def term(self, line: int) -> Term | None:
        return next((term for term in self.terms if term.line == line), None)

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.sku for line in self.lines))

    def mail(self, mail_id: str) -> Mail:
        return next(mail for mail in self.mails if mail.id == mail_id)


@dataclass(frozen=True, slots=True)
class Unreminded:
    """That a customer gets no reminders, whatever they buy."""

    at: datetime
    who: str  # an agent; the customer, by the link in a reminder; or Keypost, after a spam report on one


@dataclass(frozen=True, slots=True)
class Beside:
    """What is kept beside an order, as only those need it who tell its whole story."""

    timeline: tuple[TimelineEntry, ...] = ()  # the entries that moved out of the order, the oldest first
    notes: Mapping[str, str] = field(default_factory=dict)  # what agents wrote of bad codes, by code
    unreminded: Unreminded | None = None  # None: its customer gets reminders


def waiting_for(
    order: Order,
    reason: Reason,
    why: Said,
    now: datetime,
    retry: timedelta = RETRY_WAITING,
    lines: tuple[int, ...] = (),
) -> Order:
    """With these lines waiting, or the whole order; since the moment at which they began to. Of codes, product and
    period a line waits for one at a time: that which was found last."""
    known = next((each for each in order.waits if (each.reason, each.lines) == (reason, lines)), None)
    is_news = known is None or known.why != why
    if known and not is_news and known.retry_at > now:
        return order  # its clock has not rung
    waiting = with_extra(Waiting(reason, why, known.since if known else now, now + retry, lines), known)
    replaced = OF_A_DELIVERY if reason in OF_A_DELIVERY else (reason,)
    order = without_waits(order, *replaced, lines=lines)
    order = replace(order, waits=(*order.waits, waiting))
    return noted(order, now, f"waits_{reason}", why=why) if is_news else order


def without_waits(order: Order, *reasons: Reason, lines: Collection[int] = ()) -> Order:
    """What these lines (all of them, unless told otherwise) waited for is there, or does not matter any more."""
    kept = tuple(each for each in order.waits if each.reason not in reasons or not each.is_of(lines))
    return order if kept == order.waits else replace(order, waits=kept)


def without_concerns(order: Order, *codes: str) -> Order:
    """A person has seen to these, or to all."""
    kept = tuple(each for each in order.concerns if codes and each.code not in codes)
    return order if kept == order.concerns else replace(order, concerns=kept)


def noted(order: Order, at: datetime, code: str, /, *, who: str = "keypost", words: str = "", **values: Any) -> Order:
    """With an entry in its timeline."""
    return replace(order, timeline=(*order.timeline, TimelineEntry(at, code, said(code, **values).values, who, words)))


def without_words(timeline: Iterable[TimelineEntry]) -> tuple[TimelineEntry, ...]:
    """The same, but for what people wrote."""
    return tuple(replace(entry, words="", key="") for entry in timeline)
