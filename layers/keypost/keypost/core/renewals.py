"""Renewals: which license a line renews, when its period starts, and when its codes, mail and reminders are due. A
renewed order keeps the list of its renewals, so that two renewals of one license follow each other."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from keypost.core.obstacles import is_servable
from keypost.core.order import (
    FOR_A_DECISION,
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
from keypost.core.renewal_choice import is_stopped
from keypost.core.said import Said, said
from keypost.core.sequence import followed, overlap, rounds
from keypost.core.stored import with_extra

LICENSE_ID = re.compile(r"LIC-[A-Z2-7]{10}")


def renewed_part(base: Order, line: Line) -> tuple[int, str | None] | None:
    """The line number (from 1) of `base`, and the license if `line.renews` names one, that a renewal line renews; None
    if that is not clear. An order id alone means the line with the same product, or the only line."""
    renews = line.renews or ""
    if LICENSE_ID.fullmatch(renews):
        named = base.license(renews)
        return (named.line, named.id) if named else None
    _, _, number = renews.partition("/")
    found = _line_numbered(base, number) if number else _line_like(base, line)
    return (found, None) if found else None


def _line_numbered(base: Order, number: str) -> int | None:
    return int(number) if number.isdecimal() and int(number) in base.numbered else None


def _line_like(base: Order, line: Line) -> int | None:
    """The only line, or the only one of the same product."""
    same = [number for number, sold in base.numbered.items() if sold.sku == line.sku]
    if len(base.lines) == 1:
        return next(iter(base.numbered))
    return same[0] if len(same) == 1 else None


def with_renewal(base: Order, renewal: Renewal, now: datetime, *, has_left: bool = False) -> Order:
    """Add a renewal to the renewed order's list, or replace its entry. It is appended after those that were paid
    before. With `has_left` it is inserted by its period instead, because its mail told the customer those days."""
    changed = _listing(base, renewal, has_left=has_left)
    if changed is base:
        return base
    return noted(changed, now, "renewed" if renewal.paid_on else "renewal_on_its_way", order=renewal.order_id)


def _listing(base: Order, renewal: Renewal, *, has_left: bool) -> Order:
    known = listed(base, renewal.order_id, renewal.line)
    if known and known.paid_on and renewal.paid_on:
        return _told_anew(base, known, renewal)  # it keeps its place
    if known == renewal:
        return base
    others = tuple(each for each in base.renewals if each is not known)
    place = _place_of(renewal, others) if has_left else len(others)
    return replace(base, renewals=(*others[:place], with_extra(renewal, known), *others[place:]))


def _told_anew(base: Order, known: Renewal, renewal: Renewal) -> Order:
    told = replace(
        known,
        period_start=renewal.period_start,
        period_end=renewal.period_end,
        quantity=renewal.quantity,
        sku=renewal.sku,
        behind=renewal.behind,
    )
    return base if told == known else replace(base, renewals=tuple(told if r is known else r for r in base.renewals))


def _place_of(renewal: Renewal, others: Sequence[Renewal]) -> int:
    """The place in the list before the first renewal that starts later, or that can still move because its mail was not
    sent."""
    first = renewal.period_start or date.min
    return next((n for n, r in enumerate(others) if r.period_start is None or r.period_start > first), len(others))


def listed(base: Order, order_id: str, line: int) -> Renewal | None:
    return next((r for r in base.renewals if (r.order_id, r.line) == (order_id, line)), None)


def without_renewals(
    base: Order, order_id: str, now: datetime, zone: tzinfo, lines: Collection[int] | None = None
) -> Order:
    """Remove the renewals of an order (those of these lines of it) from the list. Later renewals of the same license
    start earlier then, but never before today."""
    gone = [r for r in base.renewals if r.order_id == order_id and (lines is None or r.line in lines)]
    if not gone:
        return base
    today = local_day(now, zone)
    moving = {id(each) for one in gone if one.paid_on for each in behind(base, order_id, one.line)}
    others = (replace(r, moved_up_on=today) if id(r) in moving else r for r in base.renewals if r not in gone)
    return noted(replace(base, renewals=tuple(others)), now, "not_renewed", order=order_id)


def with_periods(base: Order, order_id: str, terms: Iterable[Term]) -> Order:
    """Fix the periods of an order's renewals in the list once their mail was sent: they stay, whatever is removed
    before them."""
    fixed = {term.line: term for term in terms}
    kept = tuple(
        replace(r, period_start=fixed[r.line].first_day, period_end=fixed[r.line].last_day)
        if r.order_id == order_id and r.line in fixed
        else r
        for r in base.renewals
    )
    return base if kept == base.renewals else replace(base, renewals=kept)


def before(base: Order, order_id: str, line: int) -> tuple[Renewal, ...]:
    """The paid renewals of the same license that this one follows."""
    place = [(r.order_id, r.line) for r in base.renewals].index((order_id, line))
    return followed(base, base.renewals[place], [r for r in base.renewals[:place] if r.paid_on])


def behind(base: Order, order_id: str, line: int) -> tuple[Renewal, ...]:
    """The renewals, paid or not, that come after a line: a line of the renewed order itself, or of one of its
    renewals. What runs beside it does not come after it."""
    own = listed(base, order_id, line)
    if own is None:
        return tuple(each for each in base.renewals if base.id == order_id and each.of_line == line)
    later = base.renewals[base.renewals.index(own) + 1 :]
    paid = [each for each in base.renewals if each.paid_on]
    beside = {id(each) for number, each in zip(rounds(base, paid), paid, strict=True) if number == _round(base, own)}
    return tuple(each for each in later if overlap(each, own) and id(each) not in beside)


def _round(base: Order, own: Renewal) -> int | None:
    paid = [each for each in base.renewals if each.paid_on]
    return next((number for number, each in zip(rounds(base, paid), paid, strict=True) if each is own), None)


def is_awaited(base: Order, unpaid: Order | None) -> bool:
    """True if a renewal that is not paid may still be paid without anybody's action."""
    if unpaid is None:
        return False
    is_of_ended = unpaid.subscription.is_charged and base.subscription.has_ended_after(unpaid.charged_at)
    has_ended = unpaid.has_ended or is_of_ended
    return unpaid.standing is Standing.OPEN and not unpaid.canceled and not has_ended


def not_renewed(base: Order, order: Order, line: int, coming: Sequence[Renewal]) -> tuple[License, ...]:
    """The licenses of a line that none of the `coming` renewals renews. The line is of the renewed order, or of one of
    its renewals."""
    renewed = {each.of_license for each in coming}
    lacking = _renewable(base, order, line) - renewed
    if None in renewed or (coming and not lacking):
        return ()
    of_line = tuple(license_ for license_ in order.current if license_.line == line)
    if order.id != base.id:
        return of_line  # nobody can say which license of a renewal follows which, so the answer is all of them
    return tuple(license_ for license_ in of_line if license_.id in lacking)


def _renewable(base: Order, order: Order, line: int) -> set[str]:
    """The ids of the licenses, of the renewed order, that a renewal of this line can mean."""
    own = listed(base, order.id, line)
    of_line = own.of_line if own else line
    found = {license_.id for license_ in base.current if license_.line == of_line}
    return found & {own.of_license} if own and own.of_license else found


def period_of(base: Order | None, renewal: Renewal, today: date) -> tuple[date, date] | None:
    """The first and the last day of a renewal. The period of its card counts first. Otherwise it starts on the day
    after the license ends, with the renewals before it; if that day has passed, on the day of payment or the day on
    which it moved up. None if no end is known."""
    renewal = (listed(base, renewal.order_id, renewal.line) if base else None) or renewal
    if renewal.period_start:
        return _period(renewal, renewal.period_start)
    if base is None or _end_of(base, renewal) is None:
        return None
    before: list[tuple[Renewal, date]] = []
    for earlier in _paid_before(base, renewal):
        before.append((earlier, _period_behind(base, earlier, before, today)[1]))
    return _period_behind(base, renewal, before, today)


def _paid_before(base: Order, renewal: Renewal) -> Iterator[Renewal]:
    """The paid renewals whose periods come first: those before it in the list or, while it is not paid itself, all."""
    for each in base.renewals:
        is_own = (each.order_id, each.line) == (renewal.order_id, renewal.line)
        if is_own and renewal.paid_on:
            return
        if each.paid_on and not is_own:
            yield each


def has_moved(base: Order, other: Order, today: date) -> bool:
    """True if a renewal of `other` whose mail was not sent now has other days than its term."""
    listed = ((r, other.term(r.line)) for r in base.renewals if r.order_id == other.id)
    return any(
        term and r.line not in other.sent_lines and period_of(base, r, today) != (term.first_day, term.last_day)
        for r, term in listed
    )


def _period_behind(
    base: Order, renewal: Renewal, before: Sequence[tuple[Renewal, date]], today: date
) -> tuple[date, date]:
    """The period of a renewal, given the renewals before it with their last days."""
    own = replace(renewal, paid_on=renewal.paid_on or today)
    first = followed(base, own, [earlier for earlier, _ in before])
    ends = [_end_of(base, renewal), *(last for earlier, last in before if earlier in first)]
    start = max([*map(day_after, filter(None, ends)), renewal.paid_on or today, renewal.moved_up_on or date.min])
    return _period(renewal, renewal.period_start or start)


def _period(renewal: Renewal, first_day: date) -> tuple[date, date]:
    first, last = period_from(first_day, renewal.term_days)
    return first, renewal.period_end or last


def _end_of(base: Order, renewal: Renewal) -> date | None:
    term = base.term(renewal.of_line)  # the term of a license that was sold elsewhere and has no code yet
    return max(
        (
            license_.last_day
            for license_ in base.licenses
            if license_.line == renewal.of_line and renewal.of_license in (None, license_.id)
        ),
        default=term.last_day if term and term.is_paid else None,
    )


def renewal_of(
    order: Order,
    number: int,
    product: Product,
    part: tuple[int, str | None],
    zone: tzinfo,
    behind: str | None = None,
) -> Renewal:
    """The entry for the list: a line of an order as a renewal of this part of another order. `behind` is the renewal
    that the line names."""
    line = order.line(number)
    first, last = line.period_start, line.period_end
    if number in order.sent_lines:  # the days that the mail told the customer
        first, last = next((one.first_day, one.last_day) for one in order.licenses if one.line == number)
    since = _good_since(order)
    paid_on = local_day(since, zone) if since else None
    return Renewal(
        order.id,
        number,
        *part,
        product.term_days,
        paid_on,
        first,
        last,
        quantity=line.quantity,
        sku=line.sku,
        behind=behind,
    )


def _good_since(order: Order) -> datetime | None:
    """The moment since which the order is paid without a break: its payment, or a later refund that failed, until which
    its place in the list may have been given up. None if it is not served."""
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
    """The numbers (from 1) of the renewal lines whose period is not known, or known only as if they were paid now. This
    includes a line that was already mailed, if its place was given up for a refund that failed later."""
    found = []
    for number, line in order.numbered.items():
        if line.kind is Kind.RENEWAL and not is_stopped(order, number):
            term = order.term(number)
            if term is None or (is_servable(order) and not term.is_paid):
                found.append(number)
    return tuple(found)


def with_terms(order: Order, terms: Iterable[Term], base: Order | None, now: datetime, zone: tzinfo) -> Order:
    """Store when renewal lines run. A renewal without an address gets that of the order that it renews. Licenses that
    have codes already get the new period, and their reminders its last day."""
    new = {term.line: with_extra(term, order.term(term.line)) for term in terms}
    kept = [term for term in order.terms if term.line not in new]
    order = replace(
        order,
        terms=tuple(sorted((*kept, *new.values()), key=lambda term: term.line)),
        licenses=tuple(
            replace(one, first_day=new[one.line].first_day, last_day=new[one.line].last_day) if one.line in new else one
            for one in order.licenses
        ),
        reminders=tuple(
            with_extra(reminder_of(each.line, each.days, new[each.line].last_day, zone), each)
            if each.line in new
            else each
            for each in order.reminders
        ),
        customer=_customer(order.customer, base.customer if base else None),
    )
    order = without_waits(order, Reason.PRODUCT, Reason.RENEWS, *FOR_A_DECISION, lines=list(new))
    for term in new.values():
        code = "renewal_scheduled" if term.is_paid else "renewal_expected"
        order = noted(order, now, code, line=term.line, first_day=term.first_day, last_day=term.last_day)
    if order.customer.email is None:
        problem = said(NO_ADDRESS)
        order = noted(replace(order, hold=replace(order.hold, problem=problem)), now, "on_hold", why=problem)
    return order


def _customer(own: Customer, base: Customer | None) -> Customer:
    """The address of the order, as corrected in the order that it renews, also when its shop tells the wrong one again;
    without one, the address of that order. The name of that order's customer is this one's only with the same
    address."""
    if base is None:
        return own
    email = own.email or base.email
    right = base.right(email) if email else None
    is_same = bool(right and base.email and right.casefold() == base.email.casefold())
    corrected = {own.email: right} if own.email and right and own.email.casefold() != right.casefold() else {}
    name = own.name or (base.name if is_same else None)
    own = replace(own, email=right, name=name, corrected={**own.corrected, **corrected})
    return own.corrected_as(base)


def without_terms(order: Order, now: datetime, why: Said) -> Order:
    """Remove the terms of renewal lines whose mail was not sent, because they must be computed again or do not matter
    now."""
    kept = tuple(term for term in order.terms if term.line in order.sent_lines)
    if kept == order.terms:
        return order
    return noted(replace(order, terms=kept), now, "renewal_unscheduled", why=why)


def without_reminders(order: Order, reminders: Collection[Reminder]) -> Order:
    """Remove these reminders, which are done once their moment has come, whether or not they were sent."""
    return replace(order, reminders=tuple(each for each in order.reminders if each not in reminders))
