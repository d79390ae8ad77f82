"""Who gets which codes when there are too few: what orders lack, and who is first in line."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from keypost.core.obstacles import is_servable
from keypost.core.order import Order
from keypost.core.owed import Delivery, deliveries, missing
from keypost.core.periods import local_day
from keypost.core.product import Product

Free = Callable[[str], int]  # how many codes of a product, by its SKU, are free


@dataclass(frozen=True, slots=True)
class Wanted:
    """Codes that orders lack, by product: those they wait for now, and those that paid renewals get on a later day."""

    now: Counter[str] = field(default_factory=Counter)
    later: defaultdict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))


def wanted(found: Iterable[Order], now: datetime, zone: tzinfo) -> Wanted:
    total = Wanted()
    for order in found:
        for delivery in deliveries(order) if is_servable(order) else ():
            for _, line, count in missing(order, delivery.lines):
                if min(delivery.reserve_at, delivery.mail_at) <= now:
                    total.now[line.sku] += count
                else:
                    total.later[line.sku][local_day(delivery.reserve_at, zone)] += count
    return total


def usable_on(order: Order, delivery: Delivery, product: Product, now: datetime, zone: tzinfo) -> date:
    """The day on which the customer can first enter the code: that of the mail, or of the new period where the
    product cannot hold a code in reserve."""
    days = [local_day(max(now, delivery.mail_at), zone)]
    if not product.holds_reserve_code:
        days += [term.first_day for term in order.terms if term.line in delivery.lines]
    return max(days)


def short_of(needed: Sequence[tuple[str, int]], rivals: Iterable[Counter[str]], free: Free) -> list[str]:
    """The products, of those that are needed, of which there are too few codes because of rivals, given that there are
    enough without them. Rivals need codes sooner, and come in that order; one that cannot be served keeps none."""
    taken = Counter[str]()
    for wants in rivals:
        if all(free(sku) - taken[sku] >= count for sku, count in wants.items()):
            taken += wants
            if short := [sku for sku, count in needed if free(sku) - taken[sku] < count]:
                return short
    return []
