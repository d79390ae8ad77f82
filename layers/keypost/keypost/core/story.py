"""The whole story of an order, for whoever talks to its customer: what was paid, given and sent, every decision with
its reason, what a person must do and what happens next by itself. No code, but for its end."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from keypost.core import codes, daily_note, plan, support
from keypost.core.frozen import dataclass
from keypost.core.mail import Fate, Mail, MailState, Purpose
from keypost.core.obstacles import action, is_servable, obstacles
from keypost.core.order import BadCode, Beside, Decision, Order, Reason, TimelineEntry
from keypost.core.owed import timely_mails
from keypost.core.payment import DisputeState, Payment, Standing
from keypost.core.product import Kind
from keypost.core.renewal_choice import stopped
from keypost.core.said import Said, said
from keypost.core.telling import Buyer, Sum, Word, newest
from keypost.core.upcoming import coming, why_kept_back


@dataclass(frozen=True, slots=True)
class LineTold:
    number: int
    sku: str
    quantity: int
    codes: int  # so many it has
    kind: Kind
    renews: str | None
    first_day: date | None  # of a renewal's period, once that is known
    last_day: date | None
    stopped: bool = False  # a person stopped this renewal


@dataclass(frozen=True, slots=True)
class DisputeTold:
    id: str
    state: DisputeState
    as_of: datetime


@dataclass(frozen=True, slots=True)
class WordTold:
    """What one teller says now of a payment."""

    by: str
    said: datetime | None
    lines: tuple[str, ...]  # "2 x SKU"
    email: str | None
    name: str | None
    amount: str | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class PaymentTold:
    names: tuple[str, ...]
    standing: Standing
    at: datetime
    amount: str | None
    currency: str | None
    returned: str | None
    disputes: tuple[DisputeTold, ...]
    told: tuple[WordTold, ...]  # by whom what was said, of which the order's contents are computed


@dataclass(frozen=True, slots=True)
class DecisionTold:
    """What a person decided of the order's contents, which the timeline tells in words."""

    kind: str  # contents, release, close, renewal, stop, by_hand, imported, own_order
    at: datetime
    who: str
    why: str
    payments: tuple[str, ...]  # of which it was
    lines: tuple[str, ...]  # "2 x SKU"
    email: str | None
    to: str | None  # the other order; of a renewal the number of its line
    start: date | None
    because: str | None  # of an order by hand


@dataclass(frozen=True, slots=True)
class LicenseTold:
    id: str
    line: int
    sku: str
    code: str  # its end
    first_day: date
    last_day: date
    blocked: bool  # by the vendor, as the money went back
    gone: str | None  # "refunded": a part of the money went back for it; "moved": another order has it
    moved_to: str | None  # that order


@dataclass(frozen=True, slots=True)
class BadCodeTold:
    license: str
    code: str  # its end
    reason: str
    note: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class MailTold:
    id: str
    purpose: Purpose
    lines: tuple[int, ...]  # those it is about; none for all
    to: str | None  # the address of its newest attempt or, while none is on its way, that of its next one
    state: MailState
    attempts: int
    sent_at: datetime | None
    next_at: datetime | None
    problem: Said | None
    fate: Fate | None  # what SES told of it, once that is more than that it was sent
    fate_at: datetime | None
    fate_detail: str | None
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class WaitTold:
    reason: Reason
    why: Said
    lines: tuple[int, ...]  # that wait; none for all
    since: datetime
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Needed:
    """What a person must do."""

    reason: Reason
    why: Said
    action: Said


@dataclass(frozen=True, slots=True)
class NextStep:
    what: Said
    at: datetime | None  # None: that is not known
    why_not: Said | None  # what keeps it back


_STOPPED_BY = {support.CUSTOMER: "no_reminders_link", support.KEYPOST: "no_reminders_spam"}
_STOPPING = ("reminders_stopped_here", "reminders_stopped_for_all")


@dataclass(frozen=True, slots=True)
class EntryTold:
    at: datetime
    code: str
    values: Mapping[str, Any]
    who: str
    words: str  # a person's own
    text: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    order_id: str
    version: int  # for `If-Match`: it grows with each change
    zone: str  # the shop's, in which texts give moments
    products: Mapping[str, str]  # what they are called, by SKU
    created_at: datetime
    standing: Standing
    email: str | None
    name: str | None
    language: str
    held: bool  # by a person
    canceled: bool
    erased: bool
    released: bool  # a person said: serve it, although a part was refunded
    charged_again: bool  # its provider charges the next period by itself
    former_addresses: tuple[str, ...]  # that were corrected, of it and of its renewals
    problem: Said | None
    obstacles: tuple[Said, ...]  # why it is not served now, the most important first
    belongs_to: str | None  # the order that its payment turned out to be for
    by_hand: str | None  # why a person made it without a payment
    imported_at: datetime | None  # it was sold before Keypost; None: it was not
    moved_from: str | None  # the order that had its license before
    reminders_stopped: bool
    no_reminders: Said | None  # who stopped them, and since when; None: they are sent
    lines: tuple[LineTold, ...]
    payments: tuple[PaymentTold, ...]
    licenses: tuple[LicenseTold, ...]
    bad_codes: tuple[BadCodeTold, ...]
    mails: tuple[MailTold, ...]
    renewed_by: tuple[str, ...]  # orders
    waits: tuple[WaitTold, ...]
    needs: Needed | None
    next: NextStep | None
    to_come: tuple[NextStep, ...]
    why_no_resend: Said | None  # None: it can be sent again, if need be with its address's suppression lifted
    timeline: tuple[EntryTold, ...]
    decisions: tuple[DecisionTold, ...] = ()  # of persons, the oldest first; they are kept for ever


def story(order: Order, now: datetime, zone: tzinfo, beside: Beside, names: Mapping[str, str] | None = None) -> Story:
    no_reminders = _no_reminders(order, beside)
    if no_reminders:
        order = replace(order, without_reminders=True)
    steps = tuple(sorted(_steps(order, now), key=lambda step: step.at or datetime.max.replace(tzinfo=UTC)))
    return Story(
        order_id=order.id,
        version=order.version,
        zone=str(zone),
        products={sku: (names or {}).get(sku, sku) for sku in skus_told(order)},
        created_at=order.created_at,
        standing=order.standing,
        email=order.customer.email,
        name=order.customer.name,
        language=order.customer.language,
        held=order.hold.by_person,
        canceled=order.canceled,
        erased=order.is_erased,
        released=order.hold.released,
        charged_again=order.is_charged_again,
        former_addresses=tuple(sorted(filter(None, order.customer.corrected))),
        problem=order.hold.problem,
        obstacles=obstacles(order),
        belongs_to=order.belongs_to,
        by_hand=order.by_hand.because if order.by_hand else None,
        imported_at=order.imported.asked.at if order.imported else None,
        moved_from=order.moved_from or None,
        reminders_stopped=no_reminders is not None,
        no_reminders=no_reminders,
        lines=_lines(order),
        payments=tuple(_payment(payment) for payment in order.payments),
        licenses=_licenses(order),
        bad_codes=tuple(_bad_code(bad, beside.notes.get(bad.code, "")) for bad in order.bad_codes),
        mails=tuple(_mail(order, mail) for mail in order.mails),
        renewed_by=tuple(dict.fromkeys(renewal.order_id for renewal in order.renewals)),
        waits=tuple(WaitTold(each.reason, each.why, each.lines, each.since, each.retry_at) for each in order.waits),
        needs=_needs(order),
        next=next(iter(steps), None),
        to_come=steps,
        why_no_resend=support.why_no_resend(order, zone),
        timeline=tuple(entry_told(entry) for entry in (*beside.timeline, *order.timeline)),
        decisions=tuple(map(_decision, order.decisions)),
    )


def _decision(made: Decision) -> DecisionTold:
    return DecisionTold(
        kind=made.kind,
        at=made.asked.at,
        who=made.asked.who,
        why=made.asked.why,
        payments=made.of,
        lines=tuple(f"{line.quantity} x {line.sku}" for line in made.lines),
        email=made.email,
        to=made.to or None,
        start=made.start,
        because=made.because or None,
    )


def _no_reminders(order: Order, beside: Beside) -> Said | None:
    """Who stopped the reminders of the customer, or else of this order alone, and since when, as far as its timeline
    says it."""
    if stopped := beside.unreminded:
        return said(_STOPPED_BY.get(stopped.who, "no_reminders_agent"), at=stopped.at, who=stopped.who)
    if not order.without_reminders:
        return None
    entries = (each for each in reversed((*beside.timeline, *order.timeline)) if each.code in _STOPPING)
    entry = next(entries, None)
    return said("no_reminders_order", who=entry.who if entry else None, at=entry.at if entry else None)


def skus_told(order: Order) -> tuple[str, ...]:
    """All products that the story of an order names: also those of past licenses, and those that only one telling
    has."""
    told = [line.sku for payment in order.payments for word in newest(payment.goods) for line in word.lines]
    return tuple(dict.fromkeys((*order.skus, *(license_.sku for license_ in order.licenses), *told)))


def _licenses(order: Order) -> tuple[LicenseTold, ...]:
    gone = {each.license: each for each in order.gone}
    return tuple(
        LicenseTold(
            id=each.id,
            line=each.line,
            sku=each.sku,
            code=codes.masked(each.code),
            first_day=each.first_day,
            last_day=each.last_day,
            blocked=each.id in order.blocked,
            gone=gone[each.id].why if each.id in gone else None,
            moved_to=gone[each.id].order or None if each.id in gone else None,
        )
        for each in order.licenses
    )


def _bad_code(bad: BadCode, note: str) -> BadCodeTold:
    return BadCodeTold(bad.license, codes.masked(bad.code), bad.reason, note, bad.asked.at, bad.asked.who)


def entry_told(entry: TimelineEntry) -> EntryTold:
    return EntryTold(entry.at, entry.code, entry.values, entry.who, entry.words)


def _lines(order: Order) -> tuple[LineTold, ...]:
    told = []
    for number, line in order.numbered.items():
        term = order.term(number)
        days = (term.first_day, term.last_day) if term else (line.period_start, line.period_end)
        has = sum(license_.line == number for license_ in order.licenses)
        told.append(
            LineTold(number, line.sku, line.quantity, has, line.kind, line.renews, *days, number in stopped(order))
        )
    return tuple(told)


def _payment(payment: Payment) -> PaymentTold:
    returned = str(payment.returned) if payment.returned > Decimal(0) else None
    disputes = tuple(DisputeTold(each.id, each.state, each.as_of) for each in payment.disputes)
    return PaymentTold(
        payment.names,
        payment.standing,
        payment.at,
        payment.amount,
        payment.currency,
        returned,
        disputes,
        tuple(_words(payment)),
    )


def _words(payment: Payment) -> Iterator[WordTold]:
    """Each whole word once, with its parts."""
    goods, buyers, sums = newest(payment.goods), newest(payment.buyers), newest(payment.sums)
    stamps = dict.fromkeys((word.by, word.said, word.is_paid) for word in (*goods, *buyers, *sums))
    for by, said_at, is_paid in stamps:
        stamp = {"by": by, "said": said_at, "is_paid": is_paid}
        lines = next((word.lines for word in goods if _is_of(word, stamp)), ())
        buyer = next((word for word in buyers if _is_of(word, stamp)), Buyer(by=by))
        amount = next((word for word in sums if _is_of(word, stamp)), Sum(by=by))
        told = tuple(f"{line.quantity} x {line.sku}" for line in lines)
        yield WordTold(by, said_at, told, buyer.email, buyer.name, amount.amount, amount.currency)


def _is_of(word: Word, stamp: Mapping[str, Any]) -> bool:
    return all(getattr(word, name) == value for name, value in stamp.items())


def _mail(order: Order, mail: Mail) -> MailTold:
    told = mail.outcome
    return MailTold(
        id=mail.id,
        purpose=mail.purpose,
        lines=mail.lines,
        to=mail.to or (order.customer.email if mail.state is MailState.PENDING else mail.sent_to),
        state=mail.state,
        attempts=mail.attempts,
        sent_at=mail.sent_at,
        next_at=mail.next_at,
        problem=mail.problem,
        fate=told.fate if told else None,
        fate_at=told.at if told else None,
        fate_detail=told.detail if told else None,
        asked_by=mail.asked.who if mail.asked else None,
    )


def _needs(order: Order) -> Needed | None:
    needs = plan.attention(order)
    return needs and Needed(needs[0], daily_note.why(order, needs[0]), action(order, needs[0]))


def _steps(order: Order, now: datetime) -> Iterator[NextStep]:
    """What is to come. What is due already happens now, or is kept back."""
    yield from _mail_steps(order, now)
    for each in coming(order):
        yield _step(said(f"{each.purpose}_leaves", lines=each.lines), each.at, each.why_not, now)
    if order.paid_at is None and not _is_over(order) and order.numbers(Kind.NEW):
        yield NextStep(said("purchase_leaves"), None, _kept(order))


def _mail_steps(order: Order, now: datetime) -> Iterator[NextStep]:
    for mail in timely_mails(order):
        if mail.next_at:
            why_not = None if _goes(order, mail) else _kept(order)
            yield _step(said(_OF_MAIL[mail.state], mail=mail.id), mail.next_at, why_not, now)


def _goes(order: Order, mail: Mail) -> bool:
    """True if a mail leaves, or is leaving, when its time comes."""
    is_kept_back = order.waits_for(Reason.ADDRESS) and not mail.to
    may_go = not is_kept_back and (mail.purpose.is_notice or is_servable(order))
    return mail.state is MailState.SENDING or may_go


def _step(what: Said, at: datetime | None, why_not: Said | None, now: datetime) -> NextStep:
    if at and at <= now:
        at = None if why_not else now
    return NextStep(what, at, why_not)


def _kept(order: Order) -> Said:
    return why_kept_back(order, ()) or said("not_served")


def _is_over(order: Order) -> bool:
    return order.canceled or order.is_erased or order.belongs_to is not None


_OF_MAIL = {
    MailState.PENDING: "mail_leaves",
    MailState.SENDING: "mail_is_being_sent",
    MailState.UNKNOWN: "mail_is_doubtful",
}
