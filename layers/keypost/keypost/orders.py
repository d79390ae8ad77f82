"""What happens to an order, as pure changes: each takes an order and returns the order as it is from then on.
One that changes nothing returns the very order it was given."""

import base64
import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import islice

from keypost.models import (
    Fact,
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
    Standing,
    StockCode,
    SubscriptionEnded,
    TimelineEntry,
    Waiting,
)
from keypost.payments import with_notice
from keypost.periods import local_day, period_from

MONEY_BACK = (Standing.REFUNDED, Standing.DISPUTED)
MOST_CODES = 1000  # one order is one item of at most 400 kB
TIMELINE_KEPT = 200
RETRY_WAITING = timedelta(minutes=15)  # arriving stock pokes at once; this is for a poke that was lost
MAIL_LEASE = timedelta(minutes=2)  # longer than the worker may run
MAIL_DOUBT = timedelta(minutes=15)  # time for SES to tell, before a mail of unknown outcome is sent again
MAIL_BACK_OFF = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
MAIL_BACK_OFF_LAST = timedelta(hours=1)


def with_payment(order: Order | None, notice: PaymentNotice, now: datetime, currency: str) -> Order:
    """Write down what a provider says of a payment. The first paid payment fixes what was bought; where it does not
    say, any notice that does. A second payment buys nothing more."""
    if order is None:
        order = _with_contents(Order(id=notice.order_id, created_at=now), notice, currency)
    before = order
    payments, payment = with_notice(order.payments, notice)
    first_paid = notice.state is PaymentState.PAID and order.paid_at is None
    if notice.lines and (first_paid or not order.lines):
        order = _with_contents(order, notice, currency)
    elif first_paid:
        known = replace(
            notice, lines=order.lines, email=notice.email or order.email, language=notice.language or order.language
        )
        order = _with_contents(order, known, currency)
    if payments == before.payments and order == before:
        return before
    order = replace(order, payments=payments)
    if _says_the_same(before, order):
        return order
    order = _noted(order, now, f"payment {payment.standing}", f"{notice.provider} {notice.payment_id} says so")
    if order.is_paid_twice and not before.is_paid_twice:
        return _noted(order, now, "paid twice", "two payments stand; refund one of them")
    if order.is_paid and order.problem and (not before.is_paid or before.problem != order.problem):
        return _noted(order, now, "on hold", order.problem)
    if order.standing is Standing.PARTLY_REFUNDED and not order.code_left:
        return _noted(
            order, now, "on hold", "a part was refunded before anything left: serve by hand, or refund the rest"
        )
    if order.standing in MONEY_BACK and order.code_left:
        ids = ", ".join(license_.id for license_ in order.licenses[:10])
        return _noted(order, now, "codes to block", f"the money went back after they left: {ids}")
    return order


def _says_the_same(before: Order, after: Order) -> bool:
    """Whether all that is new is as of when so much was returned: who asks a provider each hour hears that each
    hour."""

    def timeless(order: Order) -> Order:
        payments = (
            p if p.refunded is None else replace(p, refunded=replace(p.refunded, as_of=p.at)) for p in order.payments
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
    return _noted(replace(order, canceled=True), now, "canceled", "the shop says so")


def with_subscription_ended(order: Order, now: datetime) -> Order:
    """Write down that no renewal follows by itself. What was paid stays as it is."""
    if order.subscription_ended:
        return order
    return _noted(replace(order, subscription_ended=True), now, "subscription ended", "its provider says so")


def belonging_to(order: Order, other: str, now: datetime) -> Order:
    """Write down that a payment which did not say what it was for turned out to be another order's."""
    if order.belongs_to or order.lines:
        return order
    return _noted(replace(order, belongs_to=other), now, "found", f"its payment is of order {other}")


def _with_contents(order: Order, notice: PaymentNotice, currency: str) -> Order:
    return replace(
        order,
        email=notice.email,
        name=notice.name,
        language=notice.language or order.language,
        lines=notice.lines,
        problem=_problem(notice, currency),
    )


def _problem(notice: PaymentNotice, currency: str) -> str | None:
    if notice.problem:
        return notice.problem
    if not notice.lines:
        return "nothing says what was bought: put an order card on the payment, or serve by hand"
    if not notice.email:
        return "there is no usable e-mail address: ask the customer for one, then serve by hand"
    if notice.amount is not None and not Decimal(notice.amount):
        return "nothing was paid for it: check the shop, then serve by hand"
    if notice.currency != currency:
        return f"it was paid in {notice.currency}, this shop sells in {currency}: check the price, then serve by hand"
    if sum(line.quantity for line in notice.lines) > MOST_CODES:
        return f"it asks for more than {MOST_CODES} codes: split it into several orders"
    if any(line.kind is Kind.RENEWAL for line in notice.lines):
        return "it renews a license, and renewals are not scheduled yet: send the code by hand on its day"
    return None


def missing(order: Order) -> tuple[tuple[int, Line, int], ...]:
    """The lines that lack codes: line number, line, how many."""
    have = [license_.line for license_ in order.licenses]
    short = ((n, line, line.quantity - have.count(n)) for n, line in enumerate(order.lines, start=1))
    return tuple(entry for entry in short if entry[2] > 0)


def with_codes(
    order: Order, codes: Iterable[StockCode], products: Mapping[str, Product], now: datetime, zone: tzinfo
) -> Order:
    """Give codes to the lines that lack them, each with its period. The day of payment is the first day, unless
    the order card names one. Once no line lacks a code, the purchase mail is owed, and claimed by the caller."""
    bought_on = local_day(order.paid_at or now, zone)
    supply: dict[str, deque[StockCode]] = {}
    for code in codes:
        supply.setdefault(code.sku, deque()).append(code)
    given: list[License] = []
    for number, line, count in missing(order):
        first, last = period_from(line.period_start or bought_on, products[line.sku].term_days)
        offered = supply.get(line.sku, deque())
        for _ in range(min(count, len(offered))):
            code = offered.popleft()
            license_id = _license_id(order.id, number, code)
            given.append(License(license_id, number, line.sku, code.code, first, line.period_end or last))
    order = replace(order, licenses=(*order.licenses, *given))
    order = _noted(order, now, "codes assigned", f"{len(given)}, as the order is paid")
    if missing(order):
        return order
    order = replace(order, waiting=None)
    return claim_mail(owe_mail(order, "purchase", now), _next_mail_id(order, "purchase"), now)


def _license_id(order_id: str, line: int, code: StockCode) -> str:
    """Short enough to read out, the same on every try, and it tells nothing of the code."""
    seed = hashlib.sha256(f"{order_id}/{line}/{code.digest}".encode()).digest()
    return "LIC-" + base64.b32encode(seed)[:10].decode()


def with_codes_returned(order: Order, returned: Collection[str], now: datetime) -> Order:
    """Take back licenses, by id, whose mail never left; their codes go back to stock."""
    kept = tuple(license_ for license_ in order.licenses if license_.id not in returned)
    mails = tuple(mail for mail in order.mails if mail.state is not MailState.PENDING)
    order = replace(order, licenses=kept, mails=mails)
    return _noted(order, now, "codes returned", f"{len(returned)}, as the order was refunded before they left")


def waiting_for(order: Order, reason: Reason, detail: str, now: datetime) -> Order:
    known = order.waiting if order.waiting and order.waiting.reason is reason else None
    waiting = Waiting(reason, detail, known.since if known else now, now + RETRY_WAITING)
    order = replace(order, waiting=waiting)
    return order if known and known.detail == detail else _noted(order, now, f"waits for {reason}", detail)


def owe_mail(order: Order, purpose: str, now: datetime) -> Order:
    mail = Mail(_next_mail_id(order, purpose), purpose, MailState.PENDING, next_at=now)
    return replace(order, mails=(*order.mails, mail))


def _next_mail_id(order: Order, purpose: str) -> str:
    return f"{purpose}-{1 + sum(mail.purpose == purpose for mail in order.mails)}"


def claim_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """Take a mail for one attempt. Saved before SES is called, so that nobody else sends it meanwhile."""
    mail = order.mail(mail_id)
    return _with_mail(
        order, replace(mail, state=MailState.SENDING, attempts=mail.attempts + 1, next_at=now + MAIL_LEASE)
    )


def settle_mail(order: Order, mail_id: str, attempt: int, outcome: MailOutcome, now: datetime) -> Order:
    """Write down what became of an attempt, unless a later attempt has begun."""
    mail = order.mail(mail_id)
    if mail.attempts != attempt or mail.state not in (MailState.SENDING, MailState.UNKNOWN):
        return order
    match outcome:
        case MailSent(message_id):
            mail = replace(mail, state=MailState.SENT, next_at=None, message_id=message_id, sent_at=now, problem=None)
            mail = replace(mail, may_have_left=True)
            return _noted(_with_mail(order, mail), now, "mail sent", f"{mail_id}, attempt {attempt}")
        case MailNotSent(reason, permanent=True):
            return fail_mail(order, mail_id, reason, now)
        case MailNotSent(reason):
            mail = replace(mail, state=MailState.PENDING, next_at=now + _back_off(order.id, attempt), problem=reason)
            return _noted(_with_mail(order, mail), now, "mail not sent", f"{mail_id}: {reason}; it is tried again")
        case MailUnknown(reason):
            mail = replace(mail, state=MailState.UNKNOWN, next_at=now + MAIL_DOUBT, problem=reason)
            mail = replace(mail, may_have_left=True, unknowns=mail.unknowns + 1)
            return _noted(_with_mail(order, mail), now, "mail unknown", f"{mail_id}: {reason}")


def fail_mail(order: Order, mail_id: str, reason: str, now: datetime) -> Order:
    mail = replace(order.mail(mail_id), state=MailState.FAILED, next_at=None, problem=reason)
    return _noted(_with_mail(order, mail), now, "mail failed", f"{mail_id}: {reason}")


def _back_off(order_id: str, attempt: int) -> timedelta:
    """Longer each time, and up to a tenth more by the order, so that orders which failed together do not come
    back together."""
    base = next(islice(MAIL_BACK_OFF, attempt - 1, None), MAIL_BACK_OFF_LAST)
    spread = hashlib.sha256(order_id.encode()).digest()[0] / 2560
    return timedelta(seconds=round(base.total_seconds() * (1 + spread)))


def _with_mail(order: Order, mail: Mail) -> Order:
    return replace(order, mails=tuple(mail if m.id == mail.id else m for m in order.mails))


def _noted(order: Order, at: datetime, what: str, why: str) -> Order:
    return replace(order, timeline=(*order.timeline, TimelineEntry(at, what, why))[-TIMELINE_KEPT:])
