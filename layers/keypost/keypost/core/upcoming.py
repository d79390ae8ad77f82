"""What will leave on which day, and what will not and why, order by order."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from keypost.core.order import HELD, Order
from keypost.core.owed import deliveries, stuck_mails, trouble
from keypost.core.payment import Standing
from keypost.core.periods import local_day
from keypost.core.product import Kind
from keypost.core.renewals import behind, not_renewed


@dataclass(frozen=True, slots=True)
class Outlook:
    """One mail of an order that has not left, or came back."""

    order_id: str
    purpose: str
    lines: tuple[int, ...]
    day: date | None  # on which it leaves, or would; None while that is not known
    why_not: str | None  # None: it leaves


@dataclass(frozen=True, slots=True)
class Coming:
    """One mail of an order that is to be written."""

    purpose: str
    lines: tuple[int, ...]
    at: datetime | None  # when it leaves, or would; None while that is not known
    why_not: str | None  # None: it leaves


def outlook(order: Order, until: date, zone: tzinfo) -> tuple[Outlook, ...]:
    """The mails of an order that are to leave up to and including a day, and those that cannot."""
    found = [
        Outlook(order.id, each.purpose, each.lines, local_day(each.at, zone) if each.at else None, each.why_not)
        for each in coming(order)
    ]
    for mail in stuck_mails(order) if order.is_servable else ():
        why_not, lines = f"its mail {trouble(mail)}", tuple(sorted(order.lines_of([mail])))
        found += [Outlook(order.id, mail.purpose, lines, None, why_not)]
    return tuple(each for each in found if each.day is None or each.day <= until)


def coming(order: Order) -> tuple[Coming, ...]:
    if order.canceled or order.belongs_to or order.standing is Standing.REFUNDED:
        return ()
    why_not = why_kept_back(order)
    found = [Coming(each.purpose, each.lines, each.mail_at, why_not) for each in deliveries(order)]
    if order.paid_at is None:
        days: dict[datetime, list[int]] = {}
        for term in order.terms:
            days.setdefault(term.mail_at, []).append(term.line)
        found = [Coming("renewal", tuple(lines), mail_at, why_not) for mail_at, lines in sorted(days.items())]
    known = {line for each in found for line in each.lines} | order.owed_lines
    renewing = [n for n, line in enumerate(order.lines, start=1) if line.kind is Kind.RENEWAL and n not in known]
    if renewing:
        found.append(Coming("renewal", tuple(renewing), None, why_not or "it is not known when it starts"))
    if why_not is None:
        for reminder in order.reminders:
            if not_renewed(order, order, reminder.line, behind(order, order.id, reminder.line)):
                found.append(Coming("reminder", (reminder.line,), reminder.at, None))
    return tuple(found)


def why_kept_back(order: Order) -> str | None:
    """Why what is to come does not leave; None when it does."""
    if order.is_erased:
        return "its customer was erased"
    if order.problem or order.held:
        return order.problem or HELD
    if order.standing is Standing.DISPUTED:
        return "its payment is disputed"
    if order.standing is Standing.PARTLY_REFUNDED and not order.released:
        return "a part was refunded"
    if order.waiting:
        return order.waiting.detail
    return None if order.paid_at else "it is not paid"
