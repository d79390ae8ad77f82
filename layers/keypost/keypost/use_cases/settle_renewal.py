"""What a person decides of a renewal before its mail has left: which license it renews, when it starts, or that it
stops."""

from dataclasses import replace
from datetime import date, timedelta

from keypost.core import places, renewal_decisions
from keypost.core.errors import Refused
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.places import Renewed
from keypost.core.product import Line
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.hide_codes import reference
from keypost.use_cases.take_place import PlaceTaker


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the renewal is to be; what is None stays as it is."""

    renews: str | None = None  # as it was typed, perhaps a code
    sets_start: bool = False
    period_start: date | None = None  # None, where it is set: as the license that it renews says
    confirmed: bool = False  # the license may be another customer's


def decide(desk: Desk, order_id: str, number: int, wanted: Wanted, asked: Asked) -> Order:
    """Have a renewal renew another license, or start on another day. Refused if its mail has left, or if what it would
    renew is not clear, or another customer's and not `confirmed`."""
    order = desk.existing(order_id)
    renewal_decisions.check_open(order, number)
    renews = reference(desk.store, wanted.renews) if wanted.renews else None
    _check(desk, order, _changed(order.line(number), renews, wanted), wanted, local_day(asked.at, desk.zone))

    def decided(latest: Order) -> Order:
        renewal_decisions.check_open(latest, number)
        right = _changed(latest.line(number), renews, wanted)
        return renewal_decisions.decide(latest, number, right, asked, agrees=renews is not None)

    return desk.change(order_id, decided)


def stop(desk: Desk, order_id: str, number: int, asked: Asked) -> Order:
    return desk.change(order_id, lambda order: renewal_decisions.stop(order, number, asked))


def _changed(line: Line, renews: str | None, wanted: Wanted) -> Line:
    line = replace(line, renews=renews or line.renews)
    return replace(line, period_start=wanted.period_start, period_end=None) if wanted.sets_start else line


def _check(desk: Desk, order: Order, line: Line, wanted: Wanted, today: date) -> None:
    first, product = line.period_start, desk.store.products([line.sku]).get(line.sku)
    if wanted.sets_start and first and product and first + timedelta(days=product.term_days) <= today:
        raise Refused("renewal_is_over", first_day=first)
    if not wanted.renews:
        return
    taker = PlaceTaker(desk.store, desk.queue.poke, desk.zone)
    of = places.renewed(order, line, taker.find)
    named = taker.find((line.renews or "").partition("/")[0])
    if named and named.id == order.id:
        raise Refused("renewal_of_itself")
    _check_clear(line, of)
    if of.base is None or of.named is None or wanted.confirmed or _names_the_same(order, line):
        return
    if not places.is_same_customer(order, order.customer.email, of.named, of.base, taker.find):
        raise Refused("renewal_of_others", renews=line.renews)


def _check_clear(line: Line, of: Renewed) -> None:
    """Refused if nobody can say from when on the renewal runs, as neither a day nor a known license says it."""
    if of.base is None and line.period_start is None:
        raise Refused("renewal_line_unclear" if of.named else "renewal_of_unknown", renews=line.renews)


def _names_the_same(order: Order, line: Line) -> bool:
    """True if the line named this before: then the agent who says it again has seen whose it is."""
    return any(each.renews == line.renews for each in order.lines)
