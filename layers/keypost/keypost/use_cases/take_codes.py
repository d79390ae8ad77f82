"""Which codes an order gets, and whether others need them sooner. Reads only: nothing is taken before the order is
stored with its codes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from itertools import chain, islice

from keypost.core.codes import StockCode
from keypost.core.frozen import dataclass
from keypost.core.order import License, Order
from keypost.core.owed import Delivery
from keypost.core.periods import local_day
from keypost.core.plan import AssignCodes, needed_by
from keypost.core.product import Product
from keypost.core.sharing import short_of, standing, usable_on
from keypost.table import Store
from keypost.table.codes import Hints
from keypost.table.orders import CODES_PER_TRANSACTION
from keypost.use_cases.serve_waiting import free_codes, in_line

_MOST_RIVALS = 100


@dataclass(frozen=True, slots=True)
class CodePicker:
    store: Store
    zone: tzinfo

    def pick(
        self,
        order: Order,
        step: AssignCodes,
        products: Mapping[str, Product],
        got_codes: Collection[str],
        now: datetime,
    ) -> tuple[list[StockCode], list[str]]:
        """Free codes for a delivery, as many as one transaction holds, and the products of which there are too few,
        those counted out that others need sooner. All or nothing of each product: an order that waits for one keeps
        none of its codes from others. Of a product that got codes it is asked anew who waits."""
        days = {sku: usable_on(order, step.delivery, products[sku], now, self.zone) for sku, _ in step.needed}
        for sku in got_codes:
            self.store.drop_hints(sku)
        portions, short = self._portions(step.needed, days)
        fresh = {sku: hints for sku, (hints, _) in portions.items() if not hints.is_kept}
        there = [(sku, count) for sku, count in step.needed if sku in fresh]
        if there:
            in_front = self._in_front(order, fresh)
            if first := next(in_front, None):
                short += self._short(there, chain([first], in_front), {sku: days[sku] for sku in fresh}, now)
            else:
                for sku, hints in fresh.items():
                    self.store.keep_hints(sku, days[sku], hints)
        picked: list[StockCode] = []
        for sku, (hints, most) in portions.items():
            if sku in short:
                continue
            found = self.store.pick(sku, most, days[sku], hints.keys) if most else []
            if len(found) < most:
                short.append(sku)
            else:
                picked += found
        return picked, short

    def _portions(
        self, needed: Sequence[tuple[str, int]], days: Mapping[str, date]
    ) -> tuple[dict[str, tuple[Hints, int]], list[str]]:
        """Of each product as many as fit into one transaction, with the codes that may be free, and the products of
        which there are too few for all."""
        portions: dict[str, tuple[Hints, int]] = {}
        short: list[str] = []
        room = CODES_PER_TRANSACTION
        for sku, count in needed:
            most = min(count, room)
            hints = self.store.hints(sku, days[sku], most) if most else Hints()
            if len(hints.keys) < most or (most < count and self.store.count_free(sku, days[sku], count) < count):
                short.append(sku)
            else:
                portions[sku] = hints, most
                room -= most
        return portions, short

    def _in_front(self, order: Order, skus: Collection[str]) -> Iterator[Order]:
        """Who waits for these products and needs them sooner. It is asked only once there are enough codes for the
        order: so a look at an order that waits costs the same however many others wait. While there are many codes it
        is asked once in a minute: who begins to wait then lacks more than there are, until codes arrive."""
        return (each for each in in_line(self.store, skus, before=needed_by(order)) if each.id != order.id)

    def _short(
        self, needed: Sequence[tuple[str, int]], in_front: Iterator[Order], days: Mapping[str, date], now: datetime
    ) -> list[str]:
        free = free_codes(self.store, local_day(now, self.zone), days)
        return short_of(needed, map(standing, islice(in_front, _MOST_RIVALS)), free)

    def ran_out(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> list[License]:
        """The licenses that were kept back for so long that nobody can activate their codes any more, as many as one
        transaction holds."""
        if delivery.mail_at > now:
            return []
        kept = [one for one in order.licenses if one.line in delivery.lines and one.sku in products]
        days = {one.sku: usable_on(order, delivery, products[one.sku], now, self.zone) for one in kept}
        return self.store.ran_out(kept, days)[:CODES_PER_TRANSACTION]
