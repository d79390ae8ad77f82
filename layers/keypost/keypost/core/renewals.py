"""Renewals: which license a line renews, when its period starts, and when what must happen. An order that is renewed
keeps the list of its renewals, so that two of one license stack one after the other."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from keypost.core.obstacles import is_servable
from keypost.core.order import (
    NO_ADDRESS,
    Customer,
    License,
    Order,
    Reason,
    Reminder,
    Renewal,
    Term,
    noted,
    without_waits,
)
from keypost.core.payment import Standing
from keypost.core.periods import day_after, local_day, midnight_of, morning_of, period_from
from keypost.core.product import Kind, Line, Product
from keypost.core.said import Said, said

LICENSE_ID = re.compile(r"LIC-[A-Z2-7]{10}")


def renewed_part(base: Order, line: Line) -> tuple[int, str | None] | None:
    """The line of an order, and the license of it, that a renewal means by its `renews`; None when that is not
    clear. An order alone means its line of the same product, or its only one."""
    renews = line.renews or ""
    if LICENSE_ID.fullmatch(renews):
        return next(((license_.line, license_.id) for license_ in base.licenses if license_.id == renews), None)
    _, _, number = renews.partition("/")
    if number:
        return (int(number), None) if number.isdecimal() and 1 <= int(number) <= len(base.lines) else None
    same = [n for n, sold in enumerate(base.lines, start=1) if sold.sku == line.sku]
    if len(base.lines) == 1 or len(same) == 1:
        return (same or [1])[0], None
    return None


def with_renewal(base: Order, renewal: Renewal, *, has_left: bool = False) -> Order:
    """The renewed order with a renewal of it, behind those that were paid before. One whose mail had left when it gave
    its place up stands where its days are."""
    known = _listed(base, renewal.order_id, renewal.line)
    if known is None or not (known.paid_on and renewal.paid_on):
        others = tuple(r for r in base.renewals if r is not known)
        place = _place_of(renewal, others) if has_left else len(others)
        return base if known == renewal else replace(base, renewals=(*others[:place], renewal, *others[place:]))
    if known.period_start or not renewal.period_start:
        return base  # it has its place, and keeps it
    told = replace(known, period_start=renewal.period_start, period_end=renewal.period_end)
    return replace(base, renewals=tuple(told if r is known else r for r in base.renewals))


def _place_of(renewal: Renewal, others: Sequence[Renewal]) -> int:
    """Before whoever starts later or, as its mail has not left, can move."""
    first = renewal.period_start or date.min
    return next((n for n, r in enumerate(others) if r.period_start is None or r.period_start > first), len(others))


def _listed(base: Order, order_id: str, line: int) -> Renewal | None:
    return next((r for r in base.renewals if (r.order_id, r.line) == (order_id, line)), None)


def without_renewals(base: Order, order_id: str, today: date) -> Order:
    """The renewed order without those of an order. Who stood behind them moves up, though not into the past."""
    left: list[Renewal] = []
    others: list[Renewal] = []
    for each in base.renewals:
        if each.order_id == order_id:
            left.append(each)
        elif any(one.paid_on and _overlap(one, each) for one in left):
            others.append(replace(each, moved_up_on=today))
        else:
            others.append(each)
    return replace(base, renewals=tuple(others)) if left else base


def with_periods(base: Order, order_id: str, terms: Iterable[Term]) -> Order:
    """The renewed order, with the periods of renewals that have left: they stay, whoever before them gives up."""
    fixed = {term.line: term for term in terms}
    kept = tuple(
        replace(r, period_start=fixed[r.line].first_day, period_end=fixed[r.line].last_day)
        if r.order_id == order_id and r.line in fixed
        else r
        for r in base.renewals
    )
    return base if kept == base.renewals else replace(base, renewals=kept)


def before(base: Order, order_id: str, line: int) -> tuple[Renewal, ...]:
    """The renewals that stand between an order and this one of it."""
    place = [(r.order_id, r.line) for r in base.renewals].index((order_id, line))
    return tuple(r for r in base.renewals[:place] if r.paid_on and _overlap(r, base.renewals[place]))


def behind(base: Order, order_id: str, line: int) -> tuple[Renewal, ...]:
    """The renewals, paid or not, that stand behind a line: of the order itself or of one of its renewals."""
    keys = [(r.order_id, r.line) for r in base.renewals]
    if (order_id, line) not in keys:
        return tuple(r for r in base.renewals if base.id == order_id and r.of_line == line)
    place = keys.index((order_id, line))
    return tuple(r for r in base.renewals[place + 1 :] if _overlap(r, base.renewals[place]))


def is_awaited(base: Order, unpaid: Order) -> bool:
    """Whether the money of a renewal may still come by itself."""
    has_ended = unpaid.subscription.has_ended or (unpaid.subscription.is_charged and base.subscription.has_ended)
    return unpaid.standing is Standing.OPEN and not unpaid.canceled and not has_ended


def not_renewed(base: Order, order: Order, line: int, coming: Sequence[Renewal]) -> tuple[License, ...]:
    """The licenses of a line, of the order that is renewed or of one of its renewals, that none of these renews."""
    own = _listed(base, order.id, line)
    of_line = own.of_line if own else line
    renewed = {license_.id for license_ in base.licenses if license_.line == of_line}
    lacking = renewed - {r.of_license for r in coming}
    if own and own.of_license:
        lacking &= {own.of_license}
    if any(r.of_license is None for r in coming) or (coming and not lacking):
        return ()
    # Of a renewal nobody can say which of its licenses follows which: then it is about all.
    return tuple(one for one in order.licenses if one.line == line and (order.id != base.id or one.id in lacking))


def period_of(base: Order | None, renewal: Renewal, today: date) -> tuple[date, date] | None:
    """The first and the last day of a renewal: what its card says; else the day after the license that it renews
    ends, renewals before it included; else, where that has passed, the day of payment, or that on which it moved up.
    None when nothing says it."""
    renewal = (_listed(base, renewal.order_id, renewal.line) if base else None) or renewal
    if renewal.period_start:
        return _period(renewal, renewal.period_start)
    before: list[tuple[Renewal, date]] = []
    for earlier in base.renewals if base else ():
        is_own = (earlier.order_id, earlier.line) == (renewal.order_id, renewal.line)
        if is_own and renewal.paid_on:
            break
        if earlier.paid_on and not is_own:
            before.append((earlier, _period_behind(base, earlier, before, today)[1]))
    end = _end_of(base, renewal) if base else None
    return _period_behind(base, renewal, before, today) if end else None


def has_moved(base: Order, other: Order, today: date) -> bool:
    """Whether another order's renewal, as far as its mail has not left, now has other days than were found."""
    listed = ((r, other.term(r.line)) for r in base.renewals if r.order_id == other.id)
    return any(
        term and r.line not in other.sent_lines and period_of(base, r, today) != (term.first_day, term.last_day)
        for r, term in listed
    )


def _period_behind(
    base: Order | None, renewal: Renewal, before: Sequence[tuple[Renewal, date]], today: date
) -> tuple[date, date]:
    """The period of a renewal, given the last days of those before it."""
    ends = [last for earlier, last in before if _overlap(earlier, renewal)]
    own_end = _end_of(base, renewal) if base else None
    days = [day_after(end) for end in (*ends, own_end) if end]
    start = max([*days, renewal.paid_on or today, renewal.moved_up_on or date.min])
    return _period(renewal, renewal.period_start or start)


def _period(renewal: Renewal, first_day: date) -> tuple[date, date]:
    first, last = period_from(first_day, renewal.term_days)
    return first, renewal.period_end or last


def _end_of(base: Order, renewal: Renewal) -> date | None:
    term = base.term(renewal.of_line)  # of a license that was sold elsewhere, for which a code is not set aside yet
    return max(
        (
            license_.last_day
            for license_ in base.licenses
            if license_.line == renewal.of_line and renewal.of_license in (None, license_.id)
        ),
        default=term.last_day if term and term.is_paid else None,
    )


def _overlap(one: Renewal, other: Renewal) -> bool:
    whole = one.of_license is None or other.of_license is None
    return one.of_line == other.of_line and (whole or one.of_license == other.of_license)


def renewal_of(order: Order, number: int, product: Product, part: tuple[int, str | None], zone: tzinfo) -> Renewal:
    """A line of an order as a renewal of that part of another."""
    line = order.lines[number - 1]
    first, last = line.period_start, line.period_end
    if number in order.sent_lines:  # the days that the customer was told of
        first, last = next((one.first_day, one.last_day) for one in order.licenses if one.line == number)
    since = _good_since(order)
    paid_on = local_day(since, zone) if since else None
    return Renewal(order.id, number, *part, product.term_days, paid_on, first, last)


def _good_since(order: Order) -> datetime | None:
    """When it was paid, or when a refund failed: until then its place may have been given up."""
    if order.paid_at is None or not is_servable(order):
        return None
    return max([order.paid_at, *(failed.as_of for payment in order.payments for failed in payment.failed_refunds)])


def term_of(renewal: Renewal, period: tuple[date, date], product: Product, renews: str | None, zone: tzinfo) -> Term:
    first, last = period
    mail_day = first - timedelta(days=product.mail_days_before)
    return Term(
        line=renewal.line,
        first_day=first,
        last_day=last,
        reserve_at=morning_of(first - timedelta(days=product.reserve_days_before), zone),
        mail_at=morning_of(mail_day, zone),
        mail_from=midnight_of(mail_day, zone),
        renews=renews,
        is_paid=renewal.paid_on is not None,
    )


def reminders_of(number: int, last_day: date, product: Product, zone: tzinfo) -> tuple[Reminder, ...]:
    return tuple(reminder_of(number, days, last_day, zone) for days in sorted(product.reminder_days, reverse=True))


def reminder_of(number: int, days: int, last_day: date, zone: tzinfo) -> Reminder:
    return Reminder(morning_of(last_day - timedelta(days=days), zone), number, days)


def unscheduled(order: Order) -> tuple[int, ...]:
    """The renewal lines, by number, of which it is not known when they run, or only as if they were paid now. One that
    has left is among them when its place was given up for a refund that failed."""
    found = []
    for number, line in enumerate(order.lines, start=1):
        if line.kind is Kind.RENEWAL:
            term = order.term(number)
            if term is None or (is_servable(order) and not term.is_paid):
                found.append(number)
    return tuple(found)


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
        customer=_customer(order.customer, base.customer if base else None),
    )
    order = without_waits(order, Reason.PRODUCT, Reason.RENEWS, lines=list(new))
    for term in new.values():
        code = "renewal_scheduled" if term.is_paid else "renewal_expected"
        order = noted(order, now, code, line=term.line, first_day=term.first_day, last_day=term.last_day)
    if order.customer.email is None:
        problem = said(NO_ADDRESS)
        order = noted(replace(order, hold=replace(order.hold, problem=problem)), now, "on_hold", why=problem)
    return order


def _customer(own: Customer, base: Customer | None) -> Customer:
    """The order's own, to the address that was corrected in what it renews; what it lacks is taken from there."""
    if base is None:
        return own
    email = own.email or base.email
    return replace(own, email=base.corrected.get(email, email) if email else None, name=own.name or base.name)


def without_terms(order: Order, now: datetime, why: Said) -> Order:
    """Forget when renewal lines run whose mail has not left: that is to be found out anew, or does not matter now."""
    kept = tuple(term for term in order.terms if term.line in order.sent_lines)
    if kept == order.terms:
        return order
    return noted(replace(order, terms=kept), now, "renewal_unscheduled", why=why)


def without_reminders(order: Order, reminders: Collection[Reminder]) -> Order:
    """Once their time has come they are done, whatever becomes of them."""
    return replace(order, reminders=tuple(each for each in order.reminders if each not in reminders))
