"""A renewal takes its place in line with the other renewals of the same license, or gives it up. `places` decides; here
orders are read and saved, in an order of writes after which a crash changes nothing."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial

from keypost.core import places, renewals, surprises
from keypost.core.frozen import dataclass
from keypost.core.order import Order
from keypost.core.paid_ahead import told_ahead
from keypost.core.periods import local_day
from keypost.core.places import Place
from keypost.core.product import Product
from keypost.core.references import numbers
from keypost.core.said import Said, said
from keypost.core.telling import IMPORT
from keypost.table import Store


@dataclass(frozen=True, slots=True)
class PlaceTaker:
    store: Store
    poke: Callable[[str], None]
    zone: tzinfo
    tells_ahead: bool = False  # a customer who paid long before is told when the codes come

    def find(self, name: str) -> Order | None:
        """The order of this number, or of the license with this id."""
        of_license = self.store.order_of_license(name) if renewals.LICENSE_ID.fullmatch(name) else None
        return self.store.load(of_license or name) or self._meant(name) or self._of_subscription(name)

    def _of_subscription(self, name: str) -> Order | None:
        """The order that an import named as that of a subscription."""
        other = self.store.order_referring_to(name, IMPORT)
        return self.store.load(other) if other else None

    def _meant(self, name: str) -> Order | None:
        other = self.store.first_of(numbers(name))
        return self.store.load(other) if other else None

    def take(
        self, order: Order, lines: Sequence[int], products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, dict[int, Said]]:
        """Find out when renewal lines, by number, run; gives the order, and why nothing says it of the other lines.
        Their place in the renewed order is taken first, and taking it again gives the same one: so a crash between the
        two changes nothing. Conflict when somebody else changed the order meanwhile."""
        bases: dict[str, Order | None] = {}

        def find(name: str) -> Order | None:
            found = bases[name] = bases[name] if name in bases else self.find(name)
            return found

        wanted = places.places_of(order, lines, products, find, self.zone)
        order = self._register(order, wanted)
        for base_id, left in places.left_by(order, wanted).items():
            self._leave(base_id, order.id, said("line_changed"), now, left)
        found = {each.id: each for each in bases.values() if each}
        taken = {id_: self._enter(id_, order, wanted, now, found.get(id_)) for id_ in _bases(wanted)}
        for base in taken.values():
            self._let_move(base, order.id, said("stands_in_line", order=order.id), now)
        known = self._with_renewed(products, taken.values())
        terms, unknown = places.terms_of(order, wanted, taken, known, local_day(now, self.zone), self.zone)
        if terms:
            first = next(iter(taken.values()), None)
            order = renewals.with_terms(order, terms, first, now, self.zone)
            order = surprises.with_surprises(order, wanted, taken, now, self.zone)
            order = self.store.save(told_ahead(order, now) if self.tells_ahead else order)
            order = self._checked(order, taken, now)
        return order, unknown

    def _with_renewed(self, products: Mapping[str, Product], bases: Iterable[Order]) -> Mapping[str, Product]:
        """The products, with those that are renewed where they are others."""
        renewed = {line.sku for base in bases for line in base.lines}
        renewed |= {renewal.sku for base in bases for renewal in base.renewals if renewal.sku}
        others = renewed - products.keys()
        return {**products, **self.store.products(sorted(others))} if others else products

    def _register(self, order: Order, wanted: Sequence[Place]) -> Order:
        """First what is to be undone one day."""
        registered = {*order.registered, *_bases(wanted)}
        if registered == set(order.registered):
            return order
        return self.store.save(replace(order, registered=tuple(sorted(registered))))

    def _enter(
        self, base_id: str, order: Order, wanted: Sequence[Place], now: datetime, found: Order | None = None
    ) -> Order:
        own = [place for place in wanted if place.base_id == base_id]
        kept = {term.line for term in order.terms if term.renews == base_id}
        others = self._in_line(base_id, order.id) if any(place.has_left for place in own) else []

        def entered(base: Order) -> Order:
            listed = {each.line for each in base.renewals if each.order_id == order.id}
            left = listed - kept - {place.renewal.line for place in own}
            base = places.given_up(base, order.id, others, now, self.zone, left)
            return places.placed(base, own, others, now, self.zone)

        return self.store.change_existing(base_id, entered, found)

    def _checked(self, order: Order, taken: Collection[str], now: datetime) -> Order:
        """Another order that gave its place up before these days were saved did not see them."""
        today = local_day(now, self.zone)
        if not any(renewals.has_moved(self.store.existing(base_id), order, today) for base_id in taken):
            return order
        return self.store.save(renewals.without_terms(order, now, said("line_changed")))

    def give_up(self, order: Order, now: datetime, lines: Collection[int] | None = None) -> Order:
        """Give up the places of an order, or those of these lines of it. First the place in the renewed order, then the
        order that had it: a crash between repeats it all."""
        for base_id in order.registered:
            self._leave(base_id, order.id, said("earlier_not_served", order=order.id), now, lines)
        kept = tuple(term for term in order.terms if lines is not None and term.line not in lines)
        registered = tuple(each for each in order.registered if any(term.renews == each for term in kept))
        return self.store.save(replace(order, terms=kept, registered=registered))

    def _leave(
        self, base_id: str, order_id: str, why: Said, now: datetime, lines: Collection[int] | None = None
    ) -> None:
        others = self._in_line(base_id, order_id)
        leaving = partial(places.given_up, order_id=order_id, others=others, now=now, zone=self.zone, lines=lines)
        base = self.store.change_existing(base_id, leaving)
        self._let_move(base, order_id, why, now)

    def _let_move(self, base: Order, order_id: str, why: Said, now: datetime) -> None:
        """Other renewals find their days anew, if these are others now, in the renewed order as it was just stored:
        whoever changes it after that does the same."""
        today = local_day(now, self.zone)
        for other in self._in_line(base.id, order_id, base):
            if renewals.has_moved(base, other, today):
                self.store.change_existing(other.id, partial(renewals.without_terms, now=now, why=why))
                self.poke(other.id)

    def _in_line(self, base_id: str, but: str, base: Order | None = None) -> list[Order]:
        """The other orders whose renewals stand in the list of an order."""
        base = base or self.store.existing(base_id)
        return list(self.store.load_all(sorted({renewal.order_id for renewal in base.renewals} - {but})))


def _bases(wanted: Sequence[Place]) -> list[str]:
    return list(dict.fromkeys(place.base_id for place in wanted if place.base_id))
