"""The whole story of an order, for whoever talks to its customer: what was paid, given and sent, every decision with
its reason, what a person must do and what happens next by itself. No code, but for its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from keypost.core import codes, daily_note, plan, support
from keypost.core.mail import NOTICES, Fate, Mail, MailState
from keypost.core.order import Order, Reason, TimelineEntry
from keypost.core.owed import timely_mails
from keypost.core.payment import Dispute, Payment, Standing
from keypost.core.product import Kind
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


@dataclass(frozen=True, slots=True)
class PaymentTold:
    names: tuple[str, ...]
    standing: Standing
    at: datetime
    amount: str | None
    currency: str | None
    returned: str | None
    disputes: tuple[Dispute, ...]


@dataclass(frozen=True, slots=True)
class LicenseTold:
    id: str
    line: int
    sku: str
    code: str  # its end
    first_day: date
    last_day: date
    blocked: bool  # by the vendor, as the money went back


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
    purpose: str
    lines: tuple[int, ...]  # those it is about; none for all
    to: str | None  # the address of its newest attempt or, while none is on its way, that of its next one
    state: MailState
    attempts: int
    sent_at: datetime | None
    next_at: datetime | None
    problem: str | None
    fate: Fate | None  # what SES told of it, once that is more than that it was sent
    fate_at: datetime | None
    fate_detail: str | None
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class WaitTold:
    reason: Reason
    detail: str
    since: datetime
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Needed:
    """What a person must do."""

    reason: Reason
    detail: str
    todo: str


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    at: datetime | None  # None: that is not known
    why_not: str | None  # what keeps it back


@dataclass(frozen=True, slots=True)
class Story:
    order_id: str
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
    problem: str | None
    belongs_to: str | None  # the order that its payment turned out to be for
    lines: tuple[LineTold, ...]
    payments: tuple[PaymentTold, ...]
    licenses: tuple[LicenseTold, ...]
    bad_codes: tuple[BadCodeTold, ...]
    mails: tuple[MailTold, ...]
    renewed_by: tuple[str, ...]  # orders
    waits: tuple[WaitTold, ...]
    needs: Needed | None
    next: Step | None
    to_come: tuple[Step, ...]
    why_no_resend: str | None  # None: it can be sent again, if need be with its address's suppression lifted
    timeline: tuple[TimelineEntry, ...]


def story(order: Order, now: datetime, zone: tzinfo) -> Story:
    steps = tuple(sorted(_steps(order, now), key=lambda step: step.at or datetime.max.replace(tzinfo=UTC)))
    return Story(
        order_id=order.id,
        created_at=order.created_at,
        standing=order.standing,
        email=order.email,
        name=order.name,
        language=order.language,
        held=order.held,
        canceled=order.canceled,
        erased=order.is_erased,
        released=order.released,
        charged_again=order.is_charged_again,
        former_addresses=tuple(sorted(filter(None, order.corrected))),
        problem=order.problem,
        belongs_to=order.belongs_to,
        lines=_lines(order),
        payments=tuple(_payment(payment) for payment in order.payments),
        licenses=tuple(
            LicenseTold(
                id=each.id,
                line=each.line,
                sku=each.sku,
                code=codes.masked(each.code),
                first_day=each.first_day,
                last_day=each.last_day,
                blocked=each.id in order.blocked,
            )
            for each in order.licenses
        ),
        bad_codes=tuple(
            BadCodeTold(bad.license, codes.masked(bad.code), bad.reason, bad.asked.why, bad.asked.at, bad.asked.who)
            for bad in order.bad_codes
        ),
        mails=tuple(_mail(order, mail) for mail in order.mails),
        renewed_by=tuple(dict.fromkeys(renewal.order_id for renewal in order.renewals)),
        waits=tuple(WaitTold(each.reason, each.detail, each.since, each.retry_at) for each in order.waits),
        needs=_needs(order),
        next=next(iter(steps), None),
        to_come=steps,
        why_no_resend=support.why_no_resend(order, zone),
        timeline=order.timeline,
    )


def _lines(order: Order) -> tuple[LineTold, ...]:
    told = []
    for number, line in enumerate(order.lines, start=1):
        term = order.term(number)
        days = (term.first_day, term.last_day) if term else (line.period_start, line.period_end)
        has = sum(license_.line == number for license_ in order.licenses)
        told.append(LineTold(number, line.sku, line.quantity, has, line.kind, line.renews, *days))
    return tuple(told)


def _payment(payment: Payment) -> PaymentTold:
    returned = str(payment.returned) if payment.returned > Decimal(0) else None
    return PaymentTold(
        payment.names, payment.standing, payment.at, payment.amount, payment.currency, returned, payment.disputes
    )


def _mail(order: Order, mail: Mail) -> MailTold:
    told = mail.outcome
    return MailTold(
        id=mail.id,
        purpose=mail.purpose,
        lines=mail.lines,
        to=mail.to or (order.email if mail.state is MailState.PENDING else mail.sent_to),
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


_TODO = {
    Reason.HOLD: "decide: refund it, or mend what is wrong and release it",
    Reason.STOCK: "import codes; it goes on at once",
    Reason.PRODUCT: "put the product into the catalog; it goes on at once",
    Reason.ADDRESS: "ask the customer for the right address and correct it; it goes on at once",
    Reason.MAIL: "mend what the mail's problem says, then send it again",
    Reason.RENEWS: "have the shop send the order again with a period_start, or settle the order that it renews",
    Reason.UNPAID: "ask the customer to pay, or have the shop cancel it",
    Reason.BLOCK: "have the vendor block these codes",
    Reason.PAID_TWICE: "refund one of the payments",
    Reason.SUBSCRIPTION: "end its subscription at the provider, and say so here",
}


def _needs(order: Order) -> Needed | None:
    needs = plan.attention(order)
    return needs and Needed(needs[0], daily_note.entry(order, needs[0]).detail, _TODO[needs[0]])


def _steps(order: Order, now: datetime) -> Iterator[Step]:
    """What is to come. What is due already happens now, or is kept back."""
    for mail in timely_mails(order):
        if mail.next_at:
            is_bad = order.waits_for(Reason.ADDRESS) and not mail.to
            may_go = not is_bad and (mail.purpose in NOTICES or order.is_servable)
            goes = mail.state is MailState.SENDING or may_go
            yield _step(_WHAT_OF_MAIL[mail.state].format(mail.id), mail.next_at, None if goes else _kept(order), now)
    for each in coming(order):
        numbers = ", ".join(map(str, each.lines))
        yield _step(f"{_WHAT[each.purpose]} (line {numbers})", each.at, each.why_not, now)
    if order.paid_at is None and not _is_over(order) and any(line.kind is Kind.NEW for line in order.lines):
        yield Step(_WHAT["purchase"], None, _kept(order))


def _step(what: str, at: datetime | None, why_not: str | None, now: datetime) -> Step:
    if at and at <= now:
        at = None if why_not else now
    return Step(what, at, why_not)


def _kept(order: Order) -> str:
    return why_kept_back(order) or "it is not served any more"


def _is_over(order: Order) -> bool:
    return order.canceled or order.is_erased or order.belongs_to is not None


_WHAT = {
    "purchase": "the mail with the codes leaves",
    "renewal": "the mail of the renewal leaves",
    "reminder": "a reminder leaves, unless it is renewed",
}
_WHAT_OF_MAIL = {
    MailState.PENDING: "mail {} leaves",
    MailState.SENDING: "mail {} is being sent",
    MailState.UNKNOWN: "mail {} is sent again, unless SES tells that it left",
}
