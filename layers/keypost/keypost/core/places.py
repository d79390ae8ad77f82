"""A renewal's place in line: in which order's list it stands, what changes there when it comes or is given up, and when
it runs. Orders come in as values, or through a function that finds one: nothing here reads or writes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from keypost.core.order import License, Order, Renewal, Term
from keypost.core.payment import MONEY_BACK
from keypost.core.product import Kind, Line, Product
from keypost.core.renewals import (
    before,
    behind,
    is_awaited,
    listed,
    not_renewed,
    period_of,
    renewal_of,
    renewed_part,
    term_of,
    with_periods,
    with_renewal,
    without_renewals,
)

Find = Callable[[str], Order | None]  # gives the order of a number, or of the id of one of its licenses


@dataclass(frozen=True, slots=True)
class Place:
    """A renewal line as it stands in line with the other renewals of the same order."""

    renewal: Renewal
    base_id: str | None  # the order that keeps the list; None: what the line renews is not known here
    has_left: bool  # its mail may have reached the customer


def places_of(
    order: Order, lines: Iterable[int], products: Mapping[str, Product], find: Find, zone: tzinfo
) -> tuple[Place, ...]:
    """The places that renewal lines, by number, are to take. Their products are all known."""
    found = []
    for number in lines:
        line = order.line(number)
        base, part = renewed(order, line, find)
        renewal = renewal_of(order, number, products[line.sku], part, zone)
        found.append(Place(renewal, base.id if base else None, number in order.sent_lines))
    return tuple(found)


def renewed(
    order: Order, line: Line, find: Find, seen: frozenset[str] = frozenset()
) -> tuple[Order | None, tuple[int, str | None]]:
    """The order in whose list a renewal line stands, and which part of that order it renews; no order when that is not
    known. `seen` are the orders that led here: they may renew each other in a circle."""
    seen |= {order.id}
    base = find(line.renews.partition("/")[0]) if line.renews else None
    part = renewed_part(base, line) if base and base.id not in seen else None
    if base is None or part is None:
        return None, (0, None)
    return _first_renewed(base, part, find, seen)


def _first_renewed(
    base: Order, part: tuple[int, str | None], find: Find, seen: frozenset[str]
) -> tuple[Order, tuple[int, str | None]]:
    """Where the renewed line is a renewal itself, the order that was renewed first keeps the list for both, also when
    the renewal between them is not paid or came to nothing."""
    number = part[0]
    term, line = base.term(number), base.numbered.get(number)
    first = find(term.renews) if term and term.renews else None
    if first and (known := listed(first, base.id, number)):
        return first, (known.of_line, known.of_license)
    if term is None and line and line.kind is Kind.RENEWAL:
        first, of_part = renewed(base, line, find, seen)
        return (first, of_part) if first else (base, part)
    return base, part


def left_by(order: Order, places: Iterable[Place]) -> list[str]:
    """The orders that list an order among their renewals, and that none of its lines renews any more."""
    taken = {place.renewal.line: place.base_id for place in places}
    kept = {term.renews for term in order.terms if term.line not in taken}
    return sorted(set(order.registered) - kept - set(taken.values()))


def placed(base: Order, places: Iterable[Place], others: Iterable[Order], now: datetime) -> Order:
    """The renewed order with these renewals in its list, in which each one has its place already when it is taken
    again. `others` are the orders whose renewals stand there."""
    if any(place.has_left for place in places):
        base = with_told_periods(base, others)
    for place in places:
        base = with_renewal(base, place.renewal, now, has_left=place.has_left)
    return base


def given_up(base: Order, order_id: str, others: Iterable[Order], now: datetime, zone: tzinfo) -> Order:
    """The renewed order without the renewals of an order. Later renewals move up behind those periods that customers
    were told of, which stay. `others` are the orders whose renewals stand in the list."""
    if all(renewal.order_id != order_id for renewal in base.renewals):
        return base
    return without_renewals(with_told_periods(base, others), order_id, now, zone)


def with_told_periods(base: Order, others: Iterable[Order]) -> Order:
    for other in others:
        base = with_periods(base, other.id, (term for term in other.terms if term.line in other.sent_lines))
    return base


def terms_of(
    order: Order,
    places: Iterable[Place],
    bases: Mapping[str, Order],
    products: Mapping[str, Product],
    today: date,
    zone: tzinfo,
) -> tuple[list[Term], list[int]]:
    """When lines run that have taken these places, and the lines, by number, of which nothing says it."""
    terms, unknown = [], []
    for place in places:
        renewal = place.renewal
        product = products[order.line(renewal.line).sku]
        period = period_of(bases.get(place.base_id or ""), renewal, today)
        if period:
            terms.append(term_of(renewal, period, product, place.base_id, zone))
        else:
            unknown.append(renewal.line)
    return terms, unknown


def refunded_base(order: Order, lines: Collection[int], find: Find) -> str | None:
    """The order whose license these lines renew, if its money went back: then they wait, unless an earlier renewal of
    that license reached the customer and stands between the two."""
    for term in order.terms:
        base = find(term.renews) if term.renews and term.line in lines else None
        if base and _is_refunded(base, order, term) and not _has_left(before(base, order.id, term.line), find):
            return base.id
    return None


def _is_refunded(base: Order, order: Order, term: Term) -> bool:
    """Whether the money of all that a line may renew went back, be it a part of what was paid for that order."""
    own = listed(base, order.id, term.line)
    renewed = [one.id for one in base.licenses if own and one.line == own.of_line and own.of_license in (None, one.id)]
    is_part = bool(renewed) and base.gone_for("refunded").issuperset(renewed)
    return base.standing in MONEY_BACK or is_part


def _has_left(found: Iterable[Renewal], find: Find) -> bool:
    orders = ((find(renewal.order_id), renewal.line) for renewal in found)
    return any(order and line in order.sent_lines for order, line in orders)


def is_renewed_by_provider(order: Order, find: Find) -> bool:
    """Whether the provider charges the next period by itself, so that nobody needs to be reminded."""
    first = (find(term.renews) for term in order.terms if term.renews)
    return order.is_charged_again and not any(base and base.subscription.has_ended for base in first)


def _listing_order(order: Order, line: int, find: Find) -> Order:
    """The order whose list a line stands in: the one that it renews, or its own."""
    term = order.term(line)
    return (find(term.renews) if term and term.renews else None) or order


def to_be_reminded(order: Order, line: int, find: Find) -> tuple[License, ...]:
    """The licenses of a line, by number, for which no renewal is paid or may still be paid."""
    base = _listing_order(order, line, find)
    coming = [each for each in behind(base, order.id, line) if each.paid_on or is_awaited(base, find(each.order_id))]
    return not_renewed(base, order, line, coming)
