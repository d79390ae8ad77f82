"""Which codes an order gets, and whether others need them sooner. Reads only: nothing is taken before the order is
stored with its codes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache

from keypost.core.codes import StockCode
from keypost.core.mail import Purpose
from keypost.core.order import License, Order, Reason
from keypost.core.owed import Delivery
from keypost.core.periods import local_day
from keypost.core.plan import AssignCodes, needed_by
from keypost.core.product import Product
from keypost.core.sharing import short_of, usable_on, wanted
from keypost.table import Store
from keypost.table.orders import CODES_PER_TRANSACTION

_MOST_RIVALS = 200
_MOST_COUNTED = 2000


@dataclass(frozen=True, slots=True)
class CodePicker:
    store: Store
    zone: tzinfo

    def pick(
        self, order: Order, step: AssignCodes, products: Mapping[str, Product], now: datetime
    ) -> tuple[list[StockCode], list[str]]:
        """Free codes for a delivery, as many as one transaction holds, and the products of which there are too few,
        those counted out that others need sooner. All or nothing: an order that waits keeps no codes from others."""
        days = {sku: usable_on(order, step.delivery, products[sku], now, self.zone) for sku, _ in step.needed}
        picked, short = self._picked(step.needed, days)
        short = short or self._short(order, step.needed, days, now)
        return ([], short) if short else (picked, [])

    def _picked(self, needed: Sequence[tuple[str, int]], days: Mapping[str, date]) -> tuple[list[StockCode], list[str]]:
        picked: list[StockCode] = []
        for sku, count in needed:
            most = min(count, CODES_PER_TRANSACTION - len(picked))
            found = self.store.pick(sku, most, days[sku]) if most else []
            is_enough = len(found) == count or self.store.count_free(sku, days[sku], count) == count
            if len(found) < most or not is_enough:
                return [], [sku]
            picked += found
        return picked, []

    def _short(
        self, order: Order, needed: Sequence[tuple[str, int]], days: Mapping[str, date], now: datetime
    ) -> list[str]:
        today = local_day(now, self.zone)
        free = cache(lambda sku: self.store.count_free(sku, days.get(sku, today), _MOST_COUNTED))
        return short_of(needed, self._rivals(order, now), free)

    def _rivals(self, order: Order, now: datetime) -> Iterator[Counter[str]]:
        """What the orders lack that wait for stock and need it sooner, those that need it soonest first."""
        own = needed_by(order)
        waiting = [id_ for page in self.store.needing(Reason.STOCK, before=own) for id_ in page if id_ != order.id]
        found = [each for each in self.store.load_all(waiting[:_MOST_RIVALS]) if each.waits_for(Reason.STOCK)]
        for rival in sorted(found, key=lambda rival: (needed_by(rival), rival.id)):
            yield wanted([rival], now, self.zone).now

    def ran_out(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> list[License]:
        """The licenses of a renewal that was held for so long that nobody can activate their codes any more, as many
        as one transaction holds."""
        if delivery.purpose is not Purpose.RENEWAL or delivery.mail_at > now:
            return []
        kept = [one for one in order.licenses if one.line in delivery.lines]
        days = {one.sku: usable_on(order, delivery, products[one.sku], now, self.zone) for one in kept}
        return self.store.ran_out(kept, days)[:CODES_PER_TRANSACTION]
