"""The decision: what is this order about to do, and what of that is next? Pure, and level-triggered: it looks at what
is, not at what woke it. One agenda makes both the plan and the clock, so that they cannot drift apart."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from keypost.core.closing import is_closed
from keypost.core.frozen import dataclass
from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.obstacles import asks_a_person, is_servable, obstacle
from keypost.core.order import License, Order, Reason, Reminder
from keypost.core.owed import (
    Delivery,
    asks_for_refunded,
    deliveries,
    is_all_left,
    is_told,
    missing,
    owes_refund,
    owes_refund_notice,
    returnable,
    stuck_mails,
    timely_mails,
    to_block,
    untimely_mails,
)
from keypost.core.payment import Standing
from keypost.core.product import Kind
from keypost.core.renewal_choice import stopped
from keypost.core.renewals import unscheduled

TELL_WAITING = timedelta(hours=1)  # a customer who paid expects the codes by then
MAIL_UNKNOWNS = 5  # attempts of unknown outcome, each of which may have reached the customer


class _Act:
    """One step for an order."""

    __slots__ = ()
    needs_mail: ClassVar[bool] = False  # not while SES takes no mail


class _Mailing(_Act):
    __slots__ = ()
    needs_mail: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class ReturnCodes(_Act):
    """The order will not be served, and these never left: they can be sold again."""

    licenses: tuple[License, ...]


@dataclass(frozen=True, slots=True)
class GiveUpTerms(_Act):
    """The order, or these lines of it, will not be served: who else renews the same license comes sooner."""

    lines: tuple[int, ...] = ()  # none for all


@dataclass(frozen=True, slots=True)
class FindTerms(_Act):
    """When do these renewal lines run?"""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TellUnpaid(_Act):
    """The day of a renewal's mail has come, and nobody paid: support should know."""

    first_day: date  # of the new period


@dataclass(frozen=True, slots=True)
class WaitForProduct(_Act):
    skus: tuple[str, ...]
    lines: tuple[int, ...]
    delivery: Delivery | None = None  # that needs them; None: they are needed to know when


@dataclass(frozen=True, slots=True)
class AssignCodes(_Act):
    needed: tuple[tuple[str, int], ...]  # sku, how many
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class StartMail(_Mailing):
    """The codes are there, and the time of their mail has come."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Remind(_Mailing):
    reminders: tuple[Reminder, ...]  # all that are due


@dataclass(frozen=True, slots=True)
class TellRefunded(_Act):
    """All the money went back, and the customer has not heard so."""


@dataclass(frozen=True, slots=True)
class TellWaiting(_Act):
    """The codes of these lines are due to the customer and are not there."""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SendMail(_Mailing):
    mail_id: str


@dataclass(frozen=True, slots=True)
class DoubtMail(_Act):
    """The lease of an attempt ran out: whoever sent it is gone, and nobody knows whether SES took it."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class GiveUpMail(_Act):
    mail_id: str


@dataclass(frozen=True, slots=True)
class DropMails(_Act):
    """What these mails say has become untrue before they left."""

    mail_ids: tuple[str, ...]


Step = (
    ReturnCodes
    | GiveUpTerms
    | FindTerms
    | TellUnpaid
    | WaitForProduct
    | AssignCodes
    | StartMail
    | Remind
    | TellRefunded
    | TellWaiting
    | SendMail
    | DoubtMail
    | GiveUpMail
    | DropMails
)


_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that an order is about to do: what, from which moment on, and for which delivery."""

    at: datetime
    step: Step
    delivery: Delivery | None = None
    retry_at: datetime = _ALWAYS  # it was tried in vain: the clock rings no sooner, while a poke may try it again


def plan(
    order: Order,
    products: Collection[str],
    now: datetime,
    tried: Collection[int] = (),
    *,
    mail_paused: bool = False,
) -> Step | None:
    """The next step for an order: the first entry of its agenda that may happen now. Given are the SKUs that the
    catalog knows, the lines that wait, by number, as was found just now, and whether SES takes any mail."""
    for entry in agenda(order):
        waits = entry.delivery is not None and set(entry.delivery.lines) <= set(tried)
        waits = waits or (mail_paused and entry.step.needs_mail)
        if entry.at <= now and not waits:
            return _with_products(entry, order, products, now)
    return None


def next_due(order: Order) -> datetime | None:
    """The order's clock: the earliest moment of its agenda, None when only a new fact can give it one."""
    due = min((max(entry.at, entry.retry_at) for entry in agenda(order)), default=None)
    return (order.paid_at or order.created_at) if due == _ALWAYS else due


def agenda(order: Order) -> Iterator[Entry]:
    """All that an order is about to do. Where several may happen, the first one goes first; an entry of a delivery that
    waits keeps no other one back."""
    yield from (Entry(end, DoubtMail(mail_id)) for mail_id, end in _leases(order))
    yield from _taking_back(order)
    yield from _sending(order, lambda purpose: purpose.is_notice)
    if _is_expected(order):
        yield from _finding_terms(order)
        yield from _telling_unpaid(order)
    if is_servable(order):
        yield from _mailing(order)
        yield from _finding_terms(order)
        yield from _assigning(order)
        yield from _sending(order, lambda purpose: purpose is Purpose.WAITING)


def _leases(order: Order) -> Iterator[tuple[str, datetime]]:
    """The attempts that are under way, by their mail, and when each must have ended."""
    return ((mail.id, mail.next_at) for mail in order.mails if mail.state is MailState.SENDING and mail.next_at)


def _taking_back(order: Order) -> Iterator[Entry]:
    if untrue := untimely_mails(order):
        yield Entry(order.created_at, DropMails(tuple(mail.id for mail in untrue)))
    if back := returnable(order):
        yield Entry(order.created_at, ReturnCodes(back))
    elif _gives_up_terms(order):
        yield Entry(order.created_at, GiveUpTerms())
    elif given_up := sorted(stopped(order) & {term.line for term in order.terms}):
        yield Entry(order.created_at, GiveUpTerms(tuple(given_up)))
    if owes_refund_notice(order):
        yield Entry(order.created_at, TellRefunded())


def _mailing(order: Order) -> Iterator[Entry]:
    mail_from = _mail_from(order)
    for each in deliveries(order):
        if not missing(order, each.lines):
            yield Entry(max(each.mail_at, mail_from), StartMail(each), each, _retry_at(order, each))
    yield from (Entry(max(reminder.at, mail_from), Remind((reminder,))) for reminder in order.reminders)
    yield from _sending(order, lambda purpose: not purpose.is_notice and purpose is not Purpose.WAITING)


def _assigning(order: Order) -> Iterator[Entry]:
    for each in deliveries(order):
        if lacking := missing(order, each.lines):
            needed: Counter[str] = Counter()
            for _, line, count in lacking:
                needed[line.sku] += count
            assign = AssignCodes(tuple(needed.items()), each)
            yield Entry(min(each.reserve_at, each.mail_at), assign, each, _retry_at(order, each))
    if not is_told(order, Purpose.WAITING):
        yield from _telling_waiting(order)


def _telling_waiting(order: Order) -> Iterator[Entry]:
    """Once for all lines that wait by then, and after the codes were looked for: they may be there by now. The mail
    with a part of a purchase says what is still to come of it."""
    has_told = not order.sent_lines.isdisjoint(order.numbers(Kind.NEW))
    waits = [(each, order.waits_for(Reason.STOCK, each.lines)) for each in deliveries(order)]
    found = {
        each: max(waiting.since, each.mail_at) + TELL_WAITING
        for each, waiting in waits
        if waiting and not (has_told and each.purpose is Purpose.PURCHASE)
    }
    at = min(found.values(), default=_ALWAYS)
    if lines := tuple(sorted(line for each in found if found[each] <= at + TELL_WAITING for line in each.lines)):
        yield Entry(at, TellWaiting(lines))


def _sending(order: Order, is_asked: Callable[[Purpose], bool]) -> Iterator[Entry]:
    """The mails of some purposes that are to be tried, for the first time or again."""
    mails = [mail for mail in timely_mails(order) if mail.state in (MailState.PENDING, MailState.UNKNOWN)]
    return (_attempt(order, mail) for mail in mails if is_asked(mail.purpose))


def _attempt(order: Order, mail: Mail) -> Entry:
    is_spent = mail.state is MailState.UNKNOWN and mail.unknowns >= MAIL_UNKNOWNS
    at = max(mail.next_at or _ALWAYS, _ALWAYS if mail.to else _mail_from(order))
    return Entry(at, GiveUpMail(mail.id) if is_spent else SendMail(mail.id))


def _finding_terms(order: Order) -> Iterator[Entry]:
    """The lines of which it is not known when they run, as soon as they may be looked for (again); those together that
    are looked for at one moment."""
    found: dict[datetime, list[int]] = {}
    reasons = (Reason.RENEWS, Reason.OTHER_CUSTOMER, Reason.PRODUCT)
    for line in unscheduled(order):
        found.setdefault(_retry_of(order, reasons, (line,)), []).append(line)
    yield from (Entry(at, FindTerms(tuple(lines))) for at, lines in sorted(found.items()))


def _telling_unpaid(order: Order) -> Iterator[Entry]:
    if not order.has_ended and not order.waits_for(Reason.UNPAID):
        terms = sorted(order.terms, key=lambda term: term.first_day)
        yield from (Entry(term.mail_at, TellUnpaid(term.first_day)) for term in terms)


def _mail_from(order: Order) -> datetime:
    """Nothing is sent to an address that takes no mail, before that is looked at again."""
    return _retry_of(order, (Reason.ADDRESS,))


def _retry_at(order: Order, delivery: Delivery) -> datetime:
    """What another delivery of the order waits for does not keep this one back."""
    return _retry_of(order, (Reason.STOCK, Reason.PRODUCT, Reason.RENEWS), delivery.lines)


def _retry_of(order: Order, reasons: Iterable[Reason], lines: tuple[int, ...] = ()) -> datetime:
    """The moment at which these lines are looked at again, of those things for which they wait."""
    waits = [order.waits_for(reason, lines) for reason in reasons]
    return min((waiting.retry_at for waiting in waits if waiting), default=_ALWAYS)


def _with_products(entry: Entry, order: Order, products: Collection[str], now: datetime) -> Step:
    """The step of an entry, or that it waits for a product which the catalog does not know."""
    match entry.step:
        case Remind():  # one mail for all that are due
            return Remind(tuple(reminder for reminder in order.reminders if reminder.at <= now))
        case FindTerms(lines) | TellWaiting(lines):
            return _waiting_for_product(order, lines, products) or entry.step
        case AssignCodes(_, delivery):
            return _waiting_for_product(order, delivery.lines, products, delivery) or entry.step
    return entry.step


def _waiting_for_product(
    order: Order, lines: Iterable[int], products: Collection[str], delivery: Delivery | None = None
) -> WaitForProduct | None:
    """That those of these lines wait whose product the catalog does not know."""
    unknown = {number: order.line(number).sku for number in lines if order.line(number).sku not in products}
    return WaitForProduct(tuple(sorted({*unknown.values()})), tuple(unknown), delivery) if unknown else None


def _is_expected(order: Order) -> bool:
    """An order that the shop told of, and whose money may still come."""
    first = obstacle(order)
    return first is not None and first.code in ("unpaid", "payment_failed") and order.hold.problem is None


def _gives_up_terms(order: Order) -> bool:
    is_over = order.canceled or order.is_erased or order.standing is Standing.REFUNDED
    renewing = set(order.numbers(Kind.RENEWAL)) - stopped(order)
    return bool(order.registered) and (is_over or (bool(order.lines) and not renewing))


def attention(order: Order) -> tuple[Reason, datetime] | None:
    """Why an order that the customer paid for needs a person or stock, and since when; for stock, by when it needs
    it, so that who loses protection first stands in front. What a person has closed is left out."""
    return next((each for each in _asking(order) if not is_closed(order, each[0])), None)


def _asking(order: Order) -> Iterator[tuple[Reason, datetime]]:
    """All for which the order needs a person or stock: what its customer waits for goes first."""
    if _is_expected(order):
        yield from _waiting(order)
    since = order.paid_at
    if order.is_erased and order.is_charged_again:
        yield Reason.SUBSCRIPTION, since or order.created_at
    if since is None or order.belongs_to:
        return
    is_over = order.standing is Standing.REFUNDED or order.hold.from_before  # what was sold before is in nobody's way
    if not is_over:
        yield from _held_or_served(order, since)
    if to_block(order):
        yield Reason.BLOCK, since
    if is_over:
        return
    if order.is_paid_twice:
        yield Reason.PAID_TWICE, since
    if owes_refund(order):
        yield Reason.STOPPED, since
    if asks_for_refunded(order):
        yield Reason.PART_REFUNDED, since


def _held_or_served(order: Order, since: datetime) -> Iterator[tuple[Reason, datetime]]:
    if not is_servable(order):
        if not is_all_left(order) or asks_a_person(order):
            yield Reason.HOLD, since
        return
    yield from _waiting(order)
    if order.concerns:
        yield Reason.CONCERN, order.concerns[0].at
    if stuck_mails(order):
        yield Reason.MAIL, since


def _waiting(order: Order) -> Iterator[tuple[Reason, datetime]]:
    """What it waits for, the first to be ended first. A wait for stock stands by when the codes are needed."""
    for waiting in sorted(order.waits, key=lambda each: list(Reason).index(each.reason)):
        is_urgent = waiting.reason is Reason.STOCK and not _is_expected(order)
        yield waiting.reason, needed_by(order) if is_urgent else waiting.since


def needed_by(order: Order) -> datetime:
    """When the customer has no protection any more, without the codes that the order lacks: a purchase has none since
    it was paid, a renewal from the first day of its period."""
    paid_at = order.paid_at or order.created_at
    lacking = {number for number, _, _ in missing(order)}
    terms = [order.term(number) for number in lacking]
    days = [datetime.combine(term.first_day, time(), UTC) for term in terms if term]
    is_bought = not lacking.isdisjoint(order.numbers(Kind.NEW))
    return min([*days, paid_at] if is_bought else days, default=paid_at)
