"""The decision: where does this order stand, and what is the one next thing to do? Pure, and level-triggered:
it looks at what is, not at what woke it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from keypost.core.mail import NOTICES, WAITING, Mail, MailState
from keypost.core.order import License, Order, Reason, Reminder
from keypost.core.owed import (
    Delivery,
    deliveries,
    missing,
    owes_refund_notice,
    returnable,
    stuck_mails,
    timely_mails,
    to_block,
    untimely_mails,
)
from keypost.core.payment import Standing
from keypost.core.product import Kind
from keypost.core.renewals import unscheduled

TELL_WAITING = timedelta(hours=1)  # a customer who paid expects the codes by then
MAIL_UNKNOWNS = 5  # attempts of unknown outcome, each of which may have reached the customer


@dataclass(frozen=True, slots=True)
class ReturnCodes:
    """The order will not be served, and these never left: they can be sold again."""

    licenses: tuple[License, ...]


@dataclass(frozen=True, slots=True)
class GiveUpTerms:
    """The order will not be served: who else renews the same license comes sooner."""


@dataclass(frozen=True, slots=True)
class FindTerms:
    """When do these renewal lines run?"""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TellUnpaid:
    """The day of a renewal's mail has come, and nobody paid: support should know."""

    detail: str


@dataclass(frozen=True, slots=True)
class WaitForProduct:
    skus: tuple[str, ...]
    delivery: Delivery | None = None  # that needs them; None: they are needed to know when


@dataclass(frozen=True, slots=True)
class AssignCodes:
    needed: tuple[tuple[str, int], ...]  # sku, how many
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class StartMail:
    """The codes are there, and the time of their mail has come."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Remind:
    reminders: tuple[Reminder, ...]  # all that are due


@dataclass(frozen=True, slots=True)
class TellRefunded:
    """All the money went back, and the customer has not heard so."""


@dataclass(frozen=True, slots=True)
class TellWaiting:
    """The codes of these lines are due to the customer and are not there."""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SendMail:
    mail_id: str


@dataclass(frozen=True, slots=True)
class DoubtMail:
    """The lease of an attempt ran out: whoever sent it is gone, and nobody knows whether SES took it."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class GiveUpMail:
    mail_id: str


@dataclass(frozen=True, slots=True)
class DropMails:
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
MAILING = (Remind, SendMail, StartMail)


def plan(
    order: Order,
    products: Collection[str],
    now: datetime,
    tried: Collection[Delivery] = (),
    *,
    mail_paused: bool = False,
) -> Step | None:
    """The next step for an order, given the SKUs that the catalog knows, the deliveries that wait, as was found just
    now, and whether SES takes any mail; None when there is nothing to do. What needs nothing comes first: one delivery
    that waits keeps no other back."""
    if step := _end_of_lease(order, now) or _drop_mails(order) or _take_back(order) or _tell_refunded(order):
        return step
    if not mail_paused and (notice := _send_notice(order, now)):
        return notice
    if _is_expected(order):
        return _find_terms(order, products, now) or _tell_unpaid(order, now)
    return _serve(order, products, now, tried, mail_paused) if order.is_servable else None


def _drop_mails(order: Order) -> DropMails | None:
    untrue = untimely_mails(order)
    return DropMails(tuple(mail.id for mail in untrue)) if untrue else None


def _take_back(order: Order) -> ReturnCodes | GiveUpTerms | None:
    if back := returnable(order):
        return ReturnCodes(back)
    return GiveUpTerms() if _gives_up_terms(order) else None


def _tell_refunded(order: Order) -> TellRefunded | None:
    return TellRefunded() if owes_refund_notice(order) else None


def _send_notice(order: Order, now: datetime) -> SendMail | GiveUpMail | None:
    """What is told whatever becomes of the order."""
    may_go = [mail for mail in timely_mails(order) if mail.to or _mail_from(order) <= now]
    return _send([mail for mail in may_go if mail.purpose in NOTICES], now)


def _send(mails: Iterable[Mail], now: datetime) -> SendMail | GiveUpMail | None:
    for mail in mails:
        if mail.state in (MailState.PENDING, MailState.UNKNOWN) and mail.next_at and mail.next_at <= now:
            spent = mail.state is MailState.UNKNOWN and mail.unknowns >= MAIL_UNKNOWNS
            return GiveUpMail(mail.id) if spent else SendMail(mail.id)
    return None


def _serve(
    order: Order, products: Collection[str], now: datetime, tried: Collection[Delivery], mail_paused: bool
) -> Step | None:
    begun = [d for d in deliveries(order) if min(d.reserve_at, d.mail_at) <= now and d not in tried]
    lacking = [delivery for delivery in begun if missing(order, delivery.lines)]
    ready = [delivery for delivery in begun if delivery not in lacking and delivery.mail_at <= now]
    if not mail_paused and _mail_from(order) <= now and (step := _mail(order, ready, now)):
        return step
    if step := _find_terms(order, products, now):
        return step
    return _assign(order, lacking[0], products) if lacking else _tell_waiting(order, products, now)


def _mail(order: Order, ready: Sequence[Delivery], now: datetime) -> Step | None:
    if ready:
        return StartMail(ready[0])
    if due := tuple(reminder for reminder in order.reminders if reminder.at <= now):
        return Remind(due)
    return _send(timely_mails(order), now)


def _mail_from(order: Order) -> datetime:
    """Nothing is sent to an address that takes no mail, before that is looked at again."""
    waiting = order.waits_for(Reason.ADDRESS)
    return waiting.retry_at if waiting else _ALWAYS


def _find_terms(order: Order, products: Collection[str], now: datetime) -> WaitForProduct | FindTerms | None:
    lines = unscheduled(order)
    waits = [order.waits_for(reason) for reason in (Reason.RENEWS, Reason.PRODUCT)]
    if not lines or any(waiting and waiting.retry_at > now for waiting in waits):
        return None
    unknown = tuple(sorted({order.lines[n - 1].sku for n in lines} - set(products)))
    return WaitForProduct(unknown) if unknown else FindTerms(lines)


def _assign(order: Order, delivery: Delivery, products: Collection[str]) -> WaitForProduct | AssignCodes:
    lacking = missing(order, delivery.lines)
    if unknown := tuple(sorted({line.sku for _, line, _ in lacking} - set(products))):
        return WaitForProduct(unknown, delivery)
    needed: dict[str, int] = {}
    for _, line, count in lacking:
        needed[line.sku] = needed.get(line.sku, 0) + count
    return AssignCodes(tuple(needed.items()), delivery)


def _tell_waiting(order: Order, products: Collection[str], now: datetime) -> TellWaiting | None:
    """Once, and after the codes were looked for: they may be there by now."""
    waiting = order.waits_for(Reason.STOCK)
    is_told = any(mail.purpose == WAITING and mail.state is not MailState.DROPPED for mail in order.mails)
    if waiting is None or waiting.since + TELL_WAITING > now or is_told:
        return None
    for delivery in deliveries(order):
        is_late = delivery.mail_at + TELL_WAITING <= now and missing(order, delivery.lines)
        if is_late and all(order.lines[number - 1].sku in products for number in delivery.lines):
            return TellWaiting(delivery.lines)
    return None


def _is_expected(order: Order) -> bool:
    """An order that the shop told of, and whose money may still come."""
    may_come = order.standing in (Standing.OPEN, Standing.FAILED) and order.problem is None
    return may_come and not order.canceled and not order.is_erased


def _gives_up_terms(order: Order) -> bool:
    return (order.canceled or order.is_erased or order.standing is Standing.REFUNDED) and bool(order.registered)


def _tell_unpaid(order: Order, now: datetime) -> TellUnpaid | None:
    due = [term for term in order.terms if term.mail_at <= now]
    if not due or order.subscription_ended or order.waits_for(Reason.UNPAID):
        return None
    first = min(due, key=lambda term: term.first_day)
    return TellUnpaid(f"its new period starts on {first.first_day}, and it is not paid")


def _end_of_lease(order: Order, now: datetime) -> DoubtMail | None:
    for mail in order.mails:
        if mail.state is MailState.SENDING and mail.next_at and mail.next_at <= now:
            return DoubtMail(mail.id)
    return None


def next_due(order: Order) -> datetime | None:
    """The order's clock: the next moment at which `plan` may have a step for it, None when only a new fact can
    give it one."""
    retries = [waiting.retry_at for waiting in order.waits if waiting.reason is not Reason.ADDRESS]
    retry_at = min(retries, default=None)
    mail_from = _mail_from(order)
    tries = [(m.purpose, max(m.next_at, _ALWAYS if m.to else mail_from)) for m in timely_mails(order) if m.next_at]
    moments = [mail.next_at for mail in order.mails if mail.state is MailState.SENDING]
    moments += [moment for purpose, moment in tries if purpose in NOTICES]
    if returnable(order) or _gives_up_terms(order):
        moments = [order.created_at]
    elif (_is_expected(order) or order.is_servable) and unscheduled(order):
        waits = [order.waits_for(reason) for reason in (Reason.RENEWS, Reason.PRODUCT)]
        retries = [waiting.retry_at for waiting in waits if waiting]
        moments.append(max(retries) if retries else order.paid_at or order.created_at)
    elif _is_expected(order) and not order.subscription_ended and not order.waits_for(Reason.UNPAID):
        moments += [term.mail_at for term in order.terms]
    if order.is_servable:
        for delivery in deliveries(order):
            begins = max(delivery.mail_at, mail_from)
            if missing(order, delivery.lines):
                begins = min(delivery.reserve_at, delivery.mail_at)
            moments.append(max(begins, retry_at) if retry_at else begins)
        moments += [moment for _, moment in tries]
        moments += [max(reminder.at, mail_from) for reminder in order.reminders]
    if owes_refund_notice(order) or untimely_mails(order):
        moments.append(order.created_at)
    return min((moment for moment in moments if moment), default=None)


def attention(order: Order) -> tuple[Reason, datetime] | None:
    """Why an order that the customer paid for needs a person or stock, and since when; for stock, by when it needs
    it, so that who loses protection first stands in front."""
    if order.waiting and _is_expected(order):
        return order.waiting.reason, order.waiting.since
    since = order.paid_at
    if order.is_erased and order.is_charged_again:
        return Reason.SUBSCRIPTION, since or order.created_at
    if since is None or order.belongs_to:
        return None
    if to_block(order):
        return Reason.BLOCK, since
    if order.standing is Standing.REFUNDED:
        return None
    if order.is_servable:
        return _while_served(order, since)
    if not order.all_left:
        return Reason.HOLD, since
    return (Reason.PAID_TWICE, since) if order.is_paid_twice else None


def _while_served(order: Order, since: datetime) -> tuple[Reason, datetime] | None:
    if waiting := order.waiting:
        return waiting.reason, needed_by(order) if waiting.reason is Reason.STOCK else waiting.since
    if order.is_paid_twice:
        return Reason.PAID_TWICE, since
    return (Reason.MAIL, since) if stuck_mails(order) else None


def needed_by(order: Order) -> datetime:
    """When the customer has no protection any more, without the codes that the order lacks: a purchase has none since
    it was paid, a renewal from the first day of its period."""
    paid_at = order.paid_at or order.created_at
    bought = [number for number, line in enumerate(order.lines, start=1) if line.kind is Kind.NEW]
    terms = [order.term(number) for number, _, _ in missing(order) if order.term(number) or number in bought]
    days = [datetime.combine(term.first_day, time(), UTC) if term else paid_at for term in terms]
    return min(days, default=paid_at)
