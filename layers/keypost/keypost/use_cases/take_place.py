"""A renewal takes its place in line with the other renewals of the same license, or gives it up. `places` decides; here
orders are read and saved, in an order of writes after which a crash changes nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial

from keypost.core import places, renewals
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.places import Place
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.table import Store


@dataclass(frozen=True, slots=True)
class PlaceTaker:
    store: Store
    poke: Callable[[str], None]
    zone: tzinfo

    def find(self, name: str) -> Order | None:
        """The order of this number, or of the license with this id."""
        of_license = self.store.order_of_license(name) if renewals.LICENSE_ID.fullmatch(name) else None
        return self.store.load(of_license or name)

    def take(
        self, order: Order, lines: Sequence[int], products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, list[int]]:
        """Find out when renewal lines, by number, run; gives the order, and the lines of which nothing says it. Their
        place in the renewed order is taken first, and taking it again gives the same one: so a crash between the two
        changes nothing. Conflict when somebody else changed the order meanwhile."""
        wanted = places.places_of(order, lines, products, self.find, self.zone)
        order = self._register(order, wanted)
        for base_id in places.left_by(order, wanted):
            self._leave(base_id, order.id, said("line_changed"), now)
        taken = {id_: self._enter(id_, order.id, wanted, now) for id_ in _bases(wanted)}
        for base_id in taken:
            self._let_move(base_id, order.id, said("stands_in_line", order=order.id), now)
        terms, unknown = places.terms_of(order, wanted, taken, products, local_day(now, self.zone), self.zone)
        if terms:
            first = next(iter(taken.values()), None)
            order = self.store.save(renewals.with_terms(order, terms, first, now, self.zone))
            order = self._checked(order, taken, now)
        return order, unknown

    def _register(self, order: Order, wanted: Sequence[Place]) -> Order:
        """First what is to be undone one day."""
        registered = {*order.registered, *_bases(wanted)}
        if registered == set(order.registered):
            return order
        return self.store.save(replace(order, registered=tuple(sorted(registered))))

    def _enter(self, base_id: str, order_id: str, wanted: Sequence[Place], now: datetime) -> Order:
        own = [place for place in wanted if place.base_id == base_id]
        others = self._in_line(base_id, order_id) if any(place.has_left for place in own) else []
        return self.store.change_existing(base_id, partial(places.placed, places=own, others=others, now=now))

    def _checked(self, order: Order, taken: Collection[str], now: datetime) -> Order:
        """Another order that gave its place up before these days were saved did not see them."""
        today = local_day(now, self.zone)
        if not any(renewals.has_moved(self.store.existing(base_id), order, today) for base_id in taken):
            return order
        return self.store.save(renewals.without_terms(order, now, said("line_changed")))

    def give_up(self, order: Order, now: datetime) -> Order:
        """First the place in the renewed order, then the order that had it: a crash between repeats it all."""
        for base_id in order.registered:
            self._leave(base_id, order.id, said("earlier_not_served", order=order.id), now)
        return self.store.save(replace(order, terms=(), registered=()))

    def _leave(self, base_id: str, order_id: str, why: Said, now: datetime) -> None:
        others = self._in_line(base_id, order_id)
        leaving = partial(places.given_up, order_id=order_id, others=others, now=now, zone=self.zone)
        self.store.change_existing(base_id, leaving)
        self._let_move(base_id, order_id, why, now)

    def _let_move(self, base_id: str, order_id: str, why: Said, now: datetime) -> None:
        """Other renewals find their days anew, if these are others now."""
        base, today = self.store.existing(base_id), local_day(now, self.zone)
        for other in self._in_line(base_id, order_id, base):
            if renewals.has_moved(base, other, today):
                self.store.change_existing(other.id, partial(renewals.without_terms, now=now, why=why))
                self.poke(other.id)

    def _in_line(self, base_id: str, but: str, base: Order | None = None) -> list[Order]:
        """The other orders whose renewals stand in the list of an order."""
        base = base or self.store.existing(base_id)
        return list(self.store.load_all(sorted({renewal.order_id for renewal in base.renewals} - {but})))


def _bases(wanted: Sequence[Place]) -> list[str]:
    return list(dict.fromkeys(place.base_id for place in wanted if place.base_id))
