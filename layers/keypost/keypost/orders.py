"""What happens to an order, as pure changes: each takes an order and returns the order as it is from then on.
One that changes nothing returns the very order it was given."""

import base64
import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import islice

from keypost import renewals
from keypost.errors import Refused
from keypost.models import (
    NOTICES,
    REFUNDED,
    WAITING,
    Fact,
    Fate,
    Kind,
    License,
    Line,
    Mail,
    MailNotSent,
    MailOutcome,
    MailSent,
    MailState,
    MailUnknown,
    Order,
    OrderCanceled,
    PaymentNotice,
    PaymentState,
    Product,
    Reason,
    Reminder,
    Renewal,
    Standing,
    StockCode,
    SubscriptionEnded,
    Term,
    TimelineEntry,
    Waiting,
)
from keypost.payments import with_notice
from keypost.periods import local_day, period_from
from keypost.renewals import reminder_of, reminders_of

MONEY_BACK = (Standing.REFUNDED, Standing.DISPUTED)
MOST_CODES = 1000  # one order is one item of at most 400 kB
_MOST_NAMED = 20
TIMELINE_KEPT = 200
TIMELINE_BEGINS = 50  # so many of these are never pushed out
HELD = "a person holds it"
NO_ADDRESS = "there is no usable e-mail address: ask the customer for one, and correct it"
RETRY_WAITING = timedelta(minutes=15)  # arriving stock pokes at once; this is for a poke that was lost
MAIL_LEASE = timedelta(minutes=2)  # longer than the worker may run
MAIL_DOUBT = timedelta(minutes=15)  # time for SES to tell, before a mail of unknown outcome is sent again
MAIL_BACK_OFF = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
MAIL_ATTEMPTS = 5  # after so many, somebody should know that it does not leave
MAIL_BACK_OFF_LAST = timedelta(hours=1)


def with_payment(order: Order | None, notice: PaymentNotice, now: datetime, currency: str) -> Order:
    """Write down what a provider says of a payment. The first paid payment fixes what was bought; where it does not
    say, any notice that does. A second payment buys nothing more."""
    if order is None:
        order = _with_contents(Order(id=notice.order_id, created_at=now), notice, currency)
    before = order
    payments, payment = with_notice(order.payments, notice)
    first_paid = notice.state is PaymentState.PAID and order.paid_at is None
    if notice.lines and (first_paid or not order.lines or _says_when(order, notice.lines)):
        order = _with_contents(order, notice, currency)
    elif notice.problem and order.problem is None and not order.code_left:
        order = replace(order, problem=notice.problem)
    elif first_paid:
        known = replace(
            notice, lines=order.lines, email=notice.email or order.email, language=notice.language or order.language
        )
        order = _with_contents(order, known, currency)
    if payments == before.payments and order == before:
        return before
    order = replace(order, payments=payments, is_subscription=order.is_subscription or notice.is_subscription)
    if order.is_paid:
        order = without_waits(order, Reason.UNPAID)
    if before.is_paid and order.standing is Standing.PARTLY_REFUNDED:
        order = replace(order, released=False)  # what a person let go was another state of affairs
    if _says_the_same(before, order):
        return order
    standing = payment.standing if notice.state else order.standing
    order = noted(order, now, f"payment {standing}", f"{notice.provider} {notice.payment_id} says so")
    return _with_consequence(before, order, now)


def _says_when(order: Order, lines: tuple[Line, ...]) -> bool:
    """Whether these are the order's lines, with the days that it waits for."""
    if not order.waits_for(Reason.RENEWS) or order.owed_lines or order.licenses:
        return False
    bare = [replace(line, period_start=None, period_end=None) for line in lines]
    return lines != order.lines and bare == [replace(o, period_start=None, period_end=None) for o in order.lines]


def _with_consequence(before: Order, order: Order, now: datetime) -> Order:
    """What a payment's news means for the order, in its timeline."""
    if order.is_paid_twice and not before.is_paid_twice:
        return noted(order, now, "paid twice", "two payments stand; refund one of them")
    if order.is_paid and order.problem and (not before.is_paid or before.problem != order.problem):
        return noted(order, now, "on hold", order.problem)
    if order.standing is Standing.PARTLY_REFUNDED and not order.all_left:
        return noted(order, now, "on hold", "a part was refunded before all had left: let it go, or refund the rest")
    if found := to_block(order):
        return noted(order, now, "codes to block", f"the money went back after they left: {_named(found)}")
    if order.blocked and order.standing not in MONEY_BACK:
        again = [one for one in order.licenses if one.id in order.blocked]
        why = f"the money is there after all: {_named(again)}"
        return noted(replace(order, blocked=()), now, "codes to unblock", why)
    return order


def _named(licenses: Sequence[License]) -> str:
    """By their ids, as many as a timeline has room for."""
    ids = [one.id for one in licenses[:_MOST_NAMED]]
    return ", ".join([*ids, f"and {len(licenses) - len(ids)} others"] if licenses[_MOST_NAMED:] else ids)


def to_block(order: Order) -> tuple[License, ...]:
    """The licenses whose money went back after their codes left, and which the vendor has not blocked yet."""
    if order.standing not in MONEY_BACK:
        return ()
    return tuple(one for one in order.licenses if one.line in order.sent_lines and one.id not in order.blocked)


def _says_the_same(before: Order, after: Order) -> bool:
    """Whether all that is new is as of when so much was returned: who asks a provider each hour hears that each
    hour."""

    def timeless(order: Order) -> Order:
        payments = (
            replace(p, refunded=tuple(replace(refunded, as_of=p.at) for refunded in p.refunded)) for p in order.payments
        )
        return replace(order, payments=tuple(sorted(payments, key=lambda payment: payment.names)))

    return timeless(before) == timeless(after)


def with_fact(order: Order | None, fact: Fact, now: datetime, currency: str) -> Order:
    """Write down what came in; the very order when it is nothing new."""
    match fact:
        case OrderCanceled():
            return canceled(order or Order(id=fact.order_id, created_at=now), now)
        case SubscriptionEnded():
            return with_subscription_ended(order or Order(id=fact.order_id, created_at=now), now)
        case PaymentNotice():
            return with_payment(order, fact, now, currency)


def canceled(order: Order, now: datetime) -> Order:
    """Write down that the shop canceled an order: what has not left yet stays here."""
    if order.canceled:
        return order
    return noted(replace(order, canceled=True), now, "canceled", "the shop says so")


def with_subscription_ended(
    order: Order, now: datetime, who: str = "keypost", why: str = "its provider says so"
) -> Order:
    """Write down that no renewal follows by itself. What was paid stays as it is."""
    if order.subscription_ended:
        return order
    order = without_waits(order, Reason.UNPAID)
    return noted(replace(order, subscription_ended=True), now, "subscription ended", why, who)


def subscription_ended(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person says that its subscription was ended at the provider. Refused when it has none."""
    if not order.is_subscription:
        raise Refused(f"order {order.id} has no subscription: nothing charges its customer again")
    return with_subscription_ended(order, now, who, "" if order.is_erased else why)


def belonging_to(order: Order, other: str, now: datetime) -> Order:
    """Write down that a payment which did not say what it was for turned out to be another order's."""
    if order.belongs_to or order.lines:
        return order
    return noted(replace(order, belongs_to=other), now, "found", f"its payment is of order {other}")


def _with_contents(order: Order, notice: PaymentNotice, currency: str) -> Order:
    notice = replace(notice, email=order.corrected.get(notice.email or "", notice.email))
    return replace(
        order,
        email=None if order.is_erased else notice.email,
        name=None if order.is_erased else notice.name,
        language=notice.language or order.language,
        lines=notice.lines,
        terms=order.terms if notice.lines == order.lines else (),
        waits=order.waits if notice.lines == order.lines else (),
        problem=_problem(notice, currency),
    )


def _problem(notice: PaymentNotice, currency: str) -> str | None:
    if notice.problem:
        return notice.problem
    if not notice.lines:
        return "nothing says what was bought: put an order card on the payment, or serve by hand"
    if not notice.email and not all(line.kind is Kind.RENEWAL for line in notice.lines):
        return NO_ADDRESS
    if notice.amount is not None and not Decimal(notice.amount):
        return "nothing was paid for it: check the shop, then serve by hand"
    if notice.currency != currency:
        return f"it was paid in {notice.currency}, this shop sells in {currency}: check the price, then serve by hand"
    if sum(line.quantity for line in notice.lines) > MOST_CODES:
        return f"it asks for more than {MOST_CODES} codes: split it into several orders"
    return None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Lines that leave in one mail: when their codes are to be there, and when the mail is to go."""

    purpose: str
    lines: tuple[int, ...]
    reserve_at: datetime
    mail_at: datetime


def deliveries(order: Order) -> tuple[Delivery, ...]:
    """What a paid order is still to get, in one mail per day: a purchase at once, renewals on the day of their term or,
    where that has passed, at once."""
    paid_at = order.paid_at
    if paid_at is None:
        return ()
    owed = order.owed_lines
    bought = tuple(n for n, line in enumerate(order.lines, start=1) if line.kind is Kind.NEW and n not in owed)
    found = [Delivery("purchase", bought, paid_at, paid_at)] if bought else []
    days: dict[datetime, list[Term]] = {}
    for term in order.terms:
        if term.line not in owed:
            days.setdefault(paid_at if paid_at >= term.mail_from else term.mail_at, []).append(term)
    for mail_at, terms in sorted(days.items()):
        lines = tuple(sorted(term.line for term in terms))
        found.append(Delivery("renewal", lines, min(term.reserve_at for term in terms), mail_at))
    return tuple(found)


def missing(order: Order, lines: Collection[int] | None = None) -> tuple[tuple[int, Line, int], ...]:
    """The lines that lack codes (of these, or of all): line number, line, how many."""
    have = [license_.line for license_ in order.licenses]
    short = ((n, line, line.quantity - have.count(n)) for n, line in enumerate(order.lines, start=1))
    return tuple(entry for entry in short if entry[2] > 0 and (lines is None or entry[0] in lines))


def with_codes(  # noqa: PLR0913 - all that decides it
    order: Order,
    codes: Iterable[StockCode],
    products: Mapping[str, Product],
    now: datetime,
    zone: tzinfo,
    delivery: Delivery | None = None,
    *,
    may_mail: bool = True,
) -> Order:
    """Give codes to the lines of a delivery (the first one) that lack them, each with its period: that of its term or,
    for a purchase, from the day of payment unless the order card names one. Once no line lacks a code and the time of
    the mail has come, it is owed, and claimed by the caller."""
    delivery = delivery or deliveries(order)[0]
    bought_on = local_day(order.paid_at or now, zone)
    supply: dict[str, deque[StockCode]] = {}
    for code in codes:
        supply.setdefault(code.sku, deque()).append(code)
    given: list[License] = []
    reminders: list[Reminder] = []
    for number, line, count in missing(order, delivery.lines):
        term = order.term(number)
        first, last = period_from(line.period_start or bought_on, products[line.sku].term_days)
        first, last = (term.first_day, term.last_day) if term else (first, line.period_end or last)
        offered = supply.get(line.sku, deque())
        for _ in range(min(count, len(offered))):
            code = offered.popleft()
            given.append(License(_license_id(order.id, number, code), number, line.sku, code.code, first, last))
        if not any(reminder.line == number for reminder in order.reminders):
            reminders += reminders_of(number, last, products[line.sku], zone)
    order = replace(order, licenses=(*order.licenses, *given), reminders=(*order.reminders, *reminders))
    order = noted(order, now, "codes assigned", f"{len(given)}, as the order is paid")
    if missing(order, delivery.lines):
        return order
    order = without_waits(order, Reason.STOCK, Reason.PRODUCT)
    return with_mail_of(order, delivery, now) if may_mail and delivery.mail_at <= now else order


def with_mail_of(order: Order, delivery: Delivery, now: datetime) -> Order:
    """The mail of a delivery, claimed for its first attempt."""
    order = without_waits(order, Reason.PRODUCT, *(() if renewals.unscheduled(order) else (Reason.RENEWS,)))
    owed = owe_mail(order, delivery.purpose, now, delivery.lines)
    return claim_mail(owed, owed.mails[-1].id, now)


def _license_id(order_id: str, line: int, code: StockCode) -> str:
    """Short enough to read out, the same on every try, and it tells nothing of the code."""
    seed = hashlib.sha256(f"{order_id}/{line}/{code.digest}".encode()).digest()
    return "LIC-" + base64.b32encode(seed)[:10].decode()


def returnable(order: Order) -> tuple[License, ...]:
    """The licenses of an order that will not be served, whose codes never left: these can be sold again."""
    if order.standing is not Standing.REFUNDED and not order.canceled and not order.is_erased:
        return ()
    return tuple(license_ for license_ in order.licenses if license_.line not in order.sent_lines)


def with_codes_returned(order: Order, returned: Collection[str], now: datetime) -> Order:
    """Take back licenses, by id, whose mail never left; their codes go back to stock."""
    kept = tuple(license_ for license_ in order.licenses if license_.id not in returned)
    mails = tuple(mail for mail in order.mails if mail.state is not MailState.PENDING or mail.purpose in NOTICES)
    order = replace(order, licenses=kept, mails=mails)
    why = "was canceled" if order.canceled else "was erased" if order.is_erased else "was refunded"
    return noted(order, now, "codes returned", f"{len(returned)}, as the order {why} before they left")


def with_codes_exchanged(order: Order, ran_out: Collection[str], now: datetime) -> Order:
    """Take back licenses, by id, whose codes ran out while something kept their mail back: others take their place."""
    kept = tuple(license_ for license_ in order.licenses if license_.id not in ran_out)
    why = f"{len(ran_out)}, as they ran out before their mail left"
    return noted(replace(order, licenses=kept), now, "codes exchanged", why)


def with_terms(order: Order, terms: Iterable[Term], base: Order | None, now: datetime, zone: tzinfo) -> Order:
    """Write down when renewal lines run. A renewal that names no address goes to that of what it renews. Codes that
    were set aside already take the new period, and their reminders its last day."""
    new = {term.line: term for term in terms}
    kept = [term for term in order.terms if term.line not in new]
    order = replace(
        order,
        terms=tuple(sorted((*kept, *new.values()), key=lambda term: term.line)),
        licenses=tuple(
            replace(one, first_day=new[one.line].first_day, last_day=new[one.line].last_day) if one.line in new else one
            for one in order.licenses
        ),
        reminders=tuple(
            reminder_of(each.line, each.days, new[each.line].last_day, zone) if each.line in new else each
            for each in order.reminders
        ),
        email=_address(order, base),
        name=order.name or (base.name if base else None),
    )
    order = without_waits(order, Reason.PRODUCT, *(() if renewals.unscheduled(order) else (Reason.RENEWS,)))
    for term in new.values():
        paid = "" if term.is_paid else ", if it is paid"
        why = f"line {term.line} runs from {term.first_day} up to and including {term.last_day}{paid}"
        order = noted(order, now, "renewal scheduled", why)
    if order.email is None:
        order = noted(replace(order, problem=NO_ADDRESS), now, "on hold", NO_ADDRESS)
    return order


def _address(order: Order, base: Order | None) -> str | None:
    """Its own, unless that was corrected in what it renews, or there is none."""
    address = order.email or (base.email if base else None)
    return base.corrected.get(address, address) if base and address else address


def without_terms(order: Order, now: datetime, why: str) -> Order:
    """Forget when renewal lines run whose mail has not left: that is to be found out anew, or does not matter now."""
    kept = tuple(term for term in order.terms if term.line in order.sent_lines)
    if kept == order.terms:
        return order
    return noted(replace(order, terms=kept), now, "renewal unscheduled", why)


def with_renewal(base: Order, renewal: Renewal, now: datetime, *, has_left: bool) -> Order:
    """Write down in the order that is renewed who renews it."""
    changed = renewals.with_renewal(base, renewal, has_left=has_left)
    if changed is base:
        return base
    return noted(changed, now, "renewed" if renewal.paid_on else "renewal on its way", f"by order {renewal.order_id}")


def without_renewals(base: Order, order_id: str, now: datetime, zone: tzinfo) -> Order:
    changed = renewals.without_renewals(base, order_id, local_day(now, zone))
    return base if changed is base else noted(changed, now, "not renewed after all", f"by order {order_id}")


def without_reminders(order: Order, reminders: Collection[Reminder]) -> Order:
    """Once their time has come they are done, whatever becomes of them."""
    return replace(order, reminders=tuple(each for each in order.reminders if each not in reminders))


def blocked(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person says that the vendor has blocked the codes whose money went back. Refused when there are none."""
    why = "" if order.is_erased else why  # nothing that somebody types comes in again
    ids = tuple(license_.id for license_ in to_block(order))
    if not ids and not order.blocked:
        raise Refused(f"order {order.id} has no codes to block: none left, or its money is here")
    if not ids:
        return order
    words = ", ".join(filter(None, (_named(to_block(order)), why)))
    return noted(replace(order, blocked=(*order.blocked, *ids)), now, "codes blocked", words, who)


def _check_not_erased(order: Order) -> None:
    if order.is_erased:
        raise Refused(f"order {order.id} stays as it is: its customer was erased")


def hold(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person keeps an order back. Refused when its customer was erased: nothing of it leaves any more."""
    _check_not_erased(order)
    is_known = any(entry.what == "on hold" and entry.why == why for entry in order.timeline)
    if order.held and (not why or is_known):
        return order
    return noted(replace(order, held=True), now, "on hold", why or HELD, who)


def release(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person lets an order go that was held, whatever for. Refused when it cannot be served as it is."""
    has_address = order.email or (not order.terms and all(line.kind is Kind.RENEWAL for line in order.lines))
    _check_not_erased(order)
    if not order.lines or not has_address:
        raise Refused(f"order {order.id} cannot be served: nothing says what was bought, or for which address")
    if order.canceled or order.standing in MONEY_BACK:
        raise Refused(f"order {order.id} cannot be served: it was canceled, or its money went back")
    is_part = order.standing is Standing.PARTLY_REFUNDED
    free = replace(order, problem=None, held=False, released=order.released or is_part)
    return order if free == order else noted(free, now, "released", why or "a person lets it go", who)


def waiting_for(order: Order, reason: Reason, detail: str, now: datetime, retry: timedelta = RETRY_WAITING) -> Order:
    known = order.waits_for(reason)
    waiting = Waiting(reason, detail, known.since if known else now, now + retry)
    order = replace(order, waits=(*(each for each in order.waits if each is not known), waiting))
    return order if known and known.detail == detail else noted(order, now, f"waits for {reason}", detail)


def without_waits(order: Order, *reasons: Reason) -> Order:
    """That for which it waited is there, or does not matter any more."""
    kept = tuple(waiting for waiting in order.waits if waiting.reason not in reasons)
    return order if kept == order.waits else replace(order, waits=kept)


def owe_mail(order: Order, purpose: str, now: datetime, lines: tuple[int, ...] = ()) -> Order:
    return replace(order, mails=(*order.mails, replace(new_mail(order, purpose, now), lines=lines)))


def owe_reminder(order: Order, licenses: Sequence[License], now: datetime) -> Order:
    """A mail about licenses that end; it names them only where others of their lines do not."""
    lines = tuple(sorted({one.line for one in licenses}))
    are_all = len(licenses) == sum(one.line in lines for one in order.licenses)
    named = () if are_all else tuple(one.id for one in licenses)
    return replace(order, mails=(*order.mails, replace(new_mail(order, "reminder", now), lines=lines, licenses=named)))


def new_mail(order: Order, purpose: str, now: datetime) -> Mail:
    """The next mail of its kind, to be sent at once."""
    mail_id = f"{purpose}-{1 + sum(mail.purpose == purpose for mail in order.mails)}"
    return Mail(mail_id, purpose, MailState.PENDING, next_at=now)


def claim_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """Take a mail for one attempt. Saved before SES is called, so that nobody else sends it meanwhile."""
    mail = order.mail(mail_id)
    mail = replace(mail, attempts=mail.attempts + 1, sent_to=mail.to or order.email)
    return _with_mail(order, replace(mail, state=MailState.SENDING, next_at=now + MAIL_LEASE))


def settle_mail(order: Order, mail_id: str, attempt: int, outcome: MailOutcome, now: datetime) -> Order:
    """Write down what became of an attempt, unless a later attempt has begun."""
    mail = order.mail(mail_id)
    if mail.attempts != attempt or mail.state not in (MailState.SENDING, MailState.UNKNOWN):
        return order
    match outcome:
        case MailSent(message_id):
            mail = replace(mail, state=MailState.SENT, next_at=None, message_id=message_id, sent_at=now, problem=None)
            mail = replace(mail, may_have_left=True)
            return noted(_with_mail(order, mail), now, "mail sent", f"{mail_id}, attempt {attempt}")
        case MailNotSent(reason, permanent=True):
            return fail_mail(order, mail_id, reason, now)
        case MailNotSent(reason):
            mail = replace(mail, state=MailState.PENDING, next_at=now + _back_off(order.id, attempt), problem=reason)
            return noted(_with_mail(order, mail), now, "mail not sent", f"{mail_id}: {reason}; it is tried again")
        case MailUnknown(reason):
            mail = replace(mail, state=MailState.UNKNOWN, next_at=now + MAIL_DOUBT, problem=reason)
            mail = replace(mail, may_have_left=True, unknowns=mail.unknowns + 1)
            return noted(_with_mail(order, mail), now, "mail unknown", f"{mail_id}: {reason}")


def doubt_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """The lease of an attempt ran out: whoever sent it is gone. The time that SES has to report the attempt counts from
    its beginning, not from the moment at which somebody looked."""
    mail = order.mail(mail_id)
    begun = (mail.next_at or now) - MAIL_LEASE
    lost = MailUnknown("whoever sent it stopped before it wrote down the answer")
    order = settle_mail(order, mail_id, mail.attempts, lost, now)
    return _with_mail(order, replace(order.mail(mail_id), next_at=max(now, begun + MAIL_DOUBT)))


def fail_mail(order: Order, mail_id: str, reason: str, now: datetime) -> Order:
    mail = replace(order.mail(mail_id), state=MailState.FAILED, next_at=None, problem=reason)
    return noted(_with_mail(order, mail), now, "mail failed", f"{mail_id}: {reason}")


def owes_refund_notice(order: Order) -> bool:
    """The customer is told once that all the money went back, but not one who disputed the payment: that is between
    the shop and the bank."""
    is_known = bool(order.lines and order.email)
    is_disputed = any(payment.disputes for payment in order.payments)
    is_told = any(mail.purpose == REFUNDED and mail.state is not MailState.DROPPED for mail in order.mails)
    return order.standing is Standing.REFUNDED and is_known and not is_disputed and not is_told


def timely_mails(order: Order) -> list[Mail]:
    """Without what is not so any more: that codes are still to come, that the money went back."""
    untrue = set() if order.waits_for(Reason.STOCK) else {WAITING}
    untrue |= set() if order.standing is Standing.REFUNDED else {REFUNDED}
    return [mail for mail in order.mails if mail.purpose not in untrue]


def untimely_mails(order: Order) -> list[Mail]:
    """The mails that were not sent yet, or perhaps, and say what is not so any more."""
    timely = timely_mails(order)
    return [m for m in order.mails if m not in timely and m.state in (MailState.PENDING, MailState.UNKNOWN)]


def drop_mails(order: Order, mail_ids: Collection[str], now: datetime) -> Order:
    """Keypost does not send a mail that has become untrue."""
    for mail_id in mail_ids:
        mail = replace(order.mail(mail_id), state=MailState.DROPPED, next_at=None, problem=None)
        order = noted(_with_mail(order, mail), now, "mail dropped", f"{mail_id}: what it says is not so any more")
    return order


def stuck_mails(order: Order) -> list[Mail]:
    """Those that do not leave or came back, and that no later mail made good."""
    stuck = []
    for place, mail in enumerate(order.mails):
        failing = mail.state is MailState.FAILED or (mail.attempts >= MAIL_ATTEMPTS and mail.next_at)
        failing = failing or (mail.came_back and mail.holds_codes)
        later = [each for each in order.mails[place + 1 :] if each.state is MailState.SENT]
        is_about_codes = mail.holds_codes or mail.purpose == WAITING
        is_made_good = is_about_codes and tell_all_of(order, mail, later)
        if failing and mail.purpose not in NOTICES and not is_made_good:
            stuck.append(mail)
    return stuck


def tell_all_of(order: Order, mail: Mail, others: Iterable[Mail]) -> bool:
    """Whether other mails with codes are about all lines and licenses of a mail."""
    told = [each for each in others if each.holds_codes]
    lines, licenses = order.lines_of([mail]), order.licenses_of([mail])
    return lines <= order.lines_of(told) and licenses <= order.licenses_of(told)


def trouble(mail: Mail) -> str:
    """What is the matter with a mail that does not leave, or came back; it follows on the name of the mail."""
    if mail.came_back and mail.outcome:
        advice = "correct the address" if mail.outcome.fate is Fate.BOUNCED else "send it again, or to another address"
        return f"came back ({mail.outcome.detail}): {advice}"
    return f"{'failed' if mail.state is MailState.FAILED else 'has not left yet'}: {mail.problem}"


def _back_off(order_id: str, attempt: int) -> timedelta:
    """Longer each time, and up to a tenth or a quarter of a minute more by the order, so that orders which failed
    together do not come back together."""
    base = next(islice(MAIL_BACK_OFF, attempt - 1, None), MAIL_BACK_OFF_LAST)
    spread = hashlib.sha256(order_id.encode()).digest()[0] / 256
    return timedelta(seconds=round((base + max(base / 10, timedelta(seconds=15)) * spread).total_seconds()))


def _with_mail(order: Order, mail: Mail) -> Order:
    return replace(order, mails=tuple(mail if m.id == mail.id else m for m in order.mails))


def noted(order: Order, at: datetime, what: str, why: str, who: str = "keypost") -> Order:
    """With an entry in its timeline, which keeps its beginning and the newest."""
    begun, later = order.timeline[:TIMELINE_BEGINS], order.timeline[TIMELINE_BEGINS:]
    kept = (*later, TimelineEntry(at, what, why, who))[TIMELINE_BEGINS - TIMELINE_KEPT :]
    return replace(order, timeline=(*begun, *kept))
