"""What Keypost will send for an order on which day, what it will not send, and why."""

from collections.abc import Collection, Mapping
from dataclasses import field
from datetime import date, datetime, tzinfo

from keypost.core.frozen import dataclass
from keypost.core.mail import Purpose
from keypost.core.obstacles import is_servable, obstacle
from keypost.core.order import Order, Reason
from keypost.core.owed import deliveries, stuck_mails, trouble, undecided
from keypost.core.payment import Standing
from keypost.core.periods import local_day
from keypost.core.product import Kind
from keypost.core.renewal_choice import stopped
from keypost.core.renewals import behind, not_renewed
from keypost.core.said import Said, said


@dataclass(frozen=True, slots=True)
class Outlook:
    """One mail of an order that was not sent yet, or came back."""

    order_id: str
    purpose: Purpose | None  # None: the order is set aside, and nobody can say what is due
    lines: tuple[int, ...]
    day: date | None  # the day on which it is sent, or would be; None while that is not known
    why_not: Said | None  # None: it leaves
    customer: str | None = None  # the name, for a person who reads many orders
    products: Mapping[str, str] = field(default_factory=dict)  # of these lines: what they are called, by SKU


@dataclass(frozen=True, slots=True)
class Coming:
    """One mail of an order that Keypost will write later."""

    purpose: Purpose
    lines: tuple[int, ...]
    at: datetime | None  # the moment at which it is sent, or would be; None while that is not known
    why_not: Said | None  # None: it leaves


def outlook(order: Order, until: date, zone: tzinfo) -> tuple[Outlook, ...]:
    """The mails of an order that are due up to and including a day, with those that cannot be sent."""
    found = [_row(order, each, zone) for each in coming(order)]
    for mail in stuck_mails(order) if is_servable(order) else ():
        found += [Outlook(order.id, mail.purpose, tuple(sorted(order.lines_of([mail]))), None, trouble(mail))]
    return tuple(row for row in found if row.day is None or row.day <= until)


def _row(order: Order, each: Coming, zone: tzinfo) -> Outlook:
    return Outlook(order.id, each.purpose, each.lines, local_day(each.at, zone) if each.at else None, each.why_not)


def coming(order: Order) -> tuple[Coming, ...]:
    """The mails of an order that are to be written; none of an order that will not be served."""
    if order.canceled or order.belongs_to or order.standing is Standing.REFUNDED:
        return ()
    found = [*_deliveries(order), *_undecided(order), *_renewals_of_unknown_day(order)]
    due = order.reminders if why_kept_back(order, ()) is None and not order.without_reminders else ()
    ending = (each for each in due if not_renewed(order, order, each.line, behind(order, order.id, each.line)))
    return (*found, *(Coming(Purpose.REMINDER, (each.line,), each.at, None) for each in ending))


def _deliveries(order: Order) -> list[Coming]:
    if order.paid_at is not None:
        return [Coming(d.purpose, d.lines, d.mail_at, why_kept_back(order, d.lines)) for d in deliveries(order)]
    days: dict[datetime, list[int]] = {}
    for term in order.terms:
        days.setdefault(term.mail_at, []).append(term.line)
    why_not = why_kept_back(order, ())
    return [Coming(Purpose.RENEWAL, tuple(lines), mail_at, why_not) for mail_at, lines in sorted(days.items())]


def _undecided(order: Order) -> list[Coming]:
    """The renewals whose days are known, and that wait for a person."""
    terms = [term for term in order.terms if order.paid_at and term.line in undecided(order) - order.owed_lines]
    return [Coming(Purpose.RENEWAL, (t.line,), t.mail_at, why_kept_back(order, (t.line,))) for t in terms]


def _renewals_of_unknown_day(order: Order) -> list[Coming]:
    known = {term.line for term in order.terms} | order.owed_lines | stopped(order)
    lines = [number for number in order.numbers(Kind.RENEWAL) if number not in known]
    why_not = why_kept_back(order, lines) or said("start_unknown")
    return [Coming(Purpose.RENEWAL, tuple(lines), None, why_not)] if lines else []


def why_kept_back(order: Order, lines: Collection[int]) -> Said | None:
    """Why Keypost does not send what is due for an order; None if it does."""
    if found := obstacle(order):
        return found
    waits = [waiting for waiting in order.waits if waiting.is_of(lines)]
    return min(waits, key=lambda waiting: list(Reason).index(waiting.reason)).why if waits else None
