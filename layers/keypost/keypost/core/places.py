"""A renewal's place in line: in which order's list it stands, what changes there when it comes or is given up, and when
it runs. Orders come in as values, or through a function that finds one: nothing here reads or writes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo

from keypost.core.by_hand import MOVED
from keypost.core.frozen import dataclass
from keypost.core.order import License, Order, Renewal, Term
from keypost.core.payment import MONEY_BACK
from keypost.core.product import Kind, Line, Product
from keypost.core.renewal_choice import is_agreed
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
from keypost.core.said import Said, said

Find = Callable[[str], Order | None]  # gives the order of a number, or of the id of one of its licenses


@dataclass(frozen=True, slots=True)
class Place:
    """A renewal line as it stands in line with the other renewals of the same order."""

    renewal: Renewal
    base_id: str | None  # the order that keeps the list; None: what the line renews is not known here
    has_left: bool  # its mail may have reached the customer
    why_not: Said | None = None  # why it takes no place


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal line renews."""

    base: Order | None  # the order in whose list the line stands; None: that is not known
    part: tuple[int, str | None] = (0, None)  # the line of that order, and the license if one is named
    named: Order | None = None  # the order that the line names, which may be a renewal itself


def places_of(
    order: Order, lines: Iterable[int], products: Mapping[str, Product], find: Find, zone: tzinfo
) -> tuple[Place, ...]:
    """The places that renewal lines, by number, are to take. Their products are all known."""
    found, email = [], order.customer.email
    for number in lines:
        line = order.line(number)
        of = renewed(order, line, find)
        why_not = _why_not(order, number, of, email, find)
        email = email or (of.base.customer.email if of.base and why_not is None else None)
        base_id = of.base.id if of.base and why_not is None else None
        behind = of.named.id if of.named and of.named.id != base_id else None
        renewal = renewal_of(order, number, products[line.sku], of.part, zone, behind if base_id else None)
        found.append(Place(renewal, base_id, number in order.sent_lines, why_not))
    return tuple(found)


def _why_not(order: Order, number: int, of: Renewed, email: str | None, find: Find) -> Said | None:
    """Why a line takes no place, or cannot tell when it runs: a person decides."""
    renews = order.line(number).renews
    if of.base is None and of.named and of.named.id != order.id and not of.part[0]:
        return said("renewed_line_unclear", line=number, order=of.named.id)
    if of.base is None or of.named is None or number in order.sent_lines or is_agreed(order, number):
        return None
    if to := _moved_to(of.base, of.part):
        return said("renewed_has_moved", line=number, order=to)
    if is_same_customer(order, email, of.named, of.base, find) or _is_same_subscription(order, renews, of.named):
        return None
    code = "renewed_was_erased" if of.named.is_erased else "of_other_customer"
    return said(code, line=number, order=of.named.id)


def _moved_to(base: Order, part: tuple[int, str | None]) -> str | None:
    """The order that has all of these licenses now, or the last of them."""
    renewed = {one.id for one in base.licenses if one.line == part[0] and part[1] in (None, one.id)}
    moved = {each.license: each.order for each in base.gone if each.why == MOVED and each.license in renewed}
    return next(reversed(moved.values())) if renewed and moved.keys() == renewed else None


def is_of_others(why: Said | None) -> bool:
    """True if a line takes no place because another customer has the license."""
    return why is not None and why.code in ("of_other_customer", "renewed_was_erased", "renewed_has_moved")


def is_same_customer(order: Order, email: str | None, named: Order, base: Order, find: Find) -> bool:
    """True if an order without an address, or with one of those that the renewed order and its renewals have or had."""
    if email is None:
        return True
    own = {email.casefold(), *map(str.casefold, order.customer.corrected)}
    if own & (named.customer.addresses | base.customer.addresses):
        return True
    others = (find(renewal.order_id) for renewal in base.renewals if renewal.order_id != order.id)
    return any(other and own & other.customer.addresses for other in others)


def _is_same_subscription(order: Order, renews: str | None, named: Order) -> bool:
    """True if no person typed what is renewed: the provider charges both, and may have a newer address."""
    head = (renews or "").partition("/")[0]
    return order.subscription.is_charged and named.subscription.is_charged and head == named.id


def renewed(order: Order, line: Line, find: Find, seen: frozenset[str] = frozenset()) -> Renewed:
    """What a renewal line renews, and in whose list it stands. `seen` are the orders that led here: they may renew each
    other in a circle, and then nobody can say it."""
    seen |= {order.id}
    named = find(line.renews.partition("/")[0]) if line.renews else None
    if named is None or named.id in seen:
        return Renewed(None)
    part = renewed_part(named, line)
    return replace(_first_renewed(named, part, find, seen), named=named) if part else Renewed(None, named=named)


def _first_renewed(named: Order, part: tuple[int, str | None], find: Find, seen: frozenset[str]) -> Renewed:
    """Where the renewed line is a renewal itself, the order that was renewed first keeps the list for both, also when
    the renewal between them is not paid or came to nothing."""
    number = part[0]
    term, line = named.term(number), named.numbered.get(number)
    first = find(term.renews) if term and term.renews else None
    if first and (known := listed(first, named.id, number)):
        return Renewed(first, (known.of_line, known.of_license))
    if term is None and line and line.kind is Kind.RENEWAL:
        of = renewed(named, line, find, seen)
        return of if of.base else Renewed(named, part)
    return Renewed(named, part)


def left_by(order: Order, places: Iterable[Place]) -> dict[str, list[int] | None]:
    """The orders that may list an order among their renewals without cause: by their numbers the lines, or None for
    all of them where no line renews that order any more."""
    taken = {place.renewal.line: place.base_id for place in places}
    kept = {term.renews for term in order.terms if term.line not in taken}
    found: dict[str, list[int] | None] = {}
    for base_id in order.registered:
        elsewhere = [line for line, to in taken.items() if to != base_id]
        if base_id not in kept and base_id not in taken.values():
            found[base_id] = None
        elif elsewhere:
            found[base_id] = elsewhere
    return found


def placed(base: Order, places: Sequence[Place], others: Iterable[Order], now: datetime, zone: tzinfo) -> Order:
    """The renewed order with these renewals in its list, in which each one has its place already when it is taken
    again. One that renews another part of the order now gives its old place up. `others` are the orders whose renewals
    stand there."""
    for place in places:
        known = listed(base, place.renewal.order_id, place.renewal.line)
        if known and _part(known) != _part(place.renewal):
            base = without_renewals(base, known.order_id, now, zone, [known.line])
    if any(place.has_left for place in places):
        base = with_told_periods(base, others)
    for place in places:
        base = with_renewal(base, place.renewal, now, has_left=place.has_left)
    return base


def _part(renewal: Renewal) -> tuple[int, str | None]:
    return renewal.of_line, renewal.of_license


def given_up(
    base: Order,
    order_id: str,
    others: Iterable[Order],
    now: datetime,
    zone: tzinfo,
    lines: Collection[int] | None = None,
) -> Order:
    """The renewed order without the renewals of an order, or of these lines of it. Later renewals move up behind those
    periods that customers were told of, which stay. `others` are the orders whose renewals stand in the list."""
    if not any(each.order_id == order_id and (lines is None or each.line in lines) for each in base.renewals):
        return base
    return without_renewals(with_told_periods(base, others), order_id, now, zone, lines)


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
) -> tuple[list[Term], dict[int, Said]]:
    """When lines run that have taken these places; and why nothing says it of the others, by number. A line that was
    sent keeps its days."""
    terms, unknown = [], {}
    for place in places:
        renewal = place.renewal
        line = order.line(renewal.line)
        base = bases.get(place.base_id or "")
        period = None if is_of_others(place.why_not) else period_of(base, renewal, today)
        if period:
            term = term_of(renewal, period, products[line.sku], place.base_id, zone)
            terms.append(replace(term, is_other_product=_is_other(base, renewal, products)))
        else:
            unknown[renewal.line] = place.why_not or _end_unknown(renewal.line, line)
    return terms, unknown


def _end_unknown(number: int, line: Line) -> Said:
    return said("end_unknown", lines=[number], renews=[line.renews or ""])


def _is_other(base: Order | None, renewal: Renewal, products: Mapping[str, Product]) -> bool:
    """True if a renewal is of another program than what it follows."""
    if base is None:
        return False
    first = before(base, renewal.order_id, renewal.line)
    line = base.numbered.get(renewal.of_line)
    skus = [earlier.sku for earlier in first if earlier.sku] or ([line.sku] if line else [])
    return bool(skus) and not _is_same_program(skus[-1], renewal.sku, products)


def _is_same_program(one: str, other: str, products: Mapping[str, Product]) -> bool:
    """True also for two products that are installed from one link, as those for more or fewer devices are."""
    known = [products[sku] for sku in (one, other) if sku in products]
    return one == other or (len(known) > 1 and len({(each.vendor, each.download_url) for each in known}) == 1)


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
    return order.is_charged_again and not any(
        base and base.subscription.has_ended_after(order.charged_at) for base in first
    )


def _listing_order(order: Order, line: int, find: Find) -> Order:
    """The order whose list a line stands in: the one that it renews, or its own."""
    term = order.term(line)
    return (find(term.renews) if term and term.renews else None) or order


def to_be_reminded(order: Order, line: int, find: Find) -> tuple[License, ...]:
    """The licenses of a line, by number, for which no renewal is paid or may still be paid."""
    base = _listing_order(order, line, find)
    coming = [each for each in behind(base, order.id, line) if each.paid_on or is_awaited(base, find(each.order_id))]
    return not_renewed(base, order, line, coming)
