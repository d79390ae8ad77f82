"""Who gets which codes when there are too few: what orders lack, and who is first in line."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta, tzinfo

from keypost.core.frozen import dataclass
from keypost.core.obstacles import is_servable
from keypost.core.order import RETRY_WAITING, Order, Reason, Waiting
from keypost.core.owed import Delivery, deliveries, missing, to_block
from keypost.core.periods import local_day
from keypost.core.product import Product

RETRY_STOCK = timedelta(days=1)  # codes that arrive have those looked at who wait for them
_MOST_PASSED = 200  # orders in front that lack more than is free
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


def waited_for(order: Order) -> str:
    """The product under which an order that waits for codes is found: the first one that it is short of, of those lines
    that have waited longest."""
    waits = [waiting for waiting in order.waits if waiting.reason is Reason.STOCK]
    return _first_short(order, min(waits, key=lambda waiting: waiting.since))


def _first_short(order: Order, waiting: Waiting) -> str:
    skus: Sequence[str] = waiting.why.values.get("skus", order.skus)
    return next(iter(skus), "")  # of a waiting without lines, which nothing here makes


def retry_of(order: Order, short: Sequence[str], lines: Collection[int]) -> timedelta:
    """After what time lines that wait for codes are looked at without a poke. An order is found, and poked, under one
    product, and under none while codes of it are to be blocked: there the clock makes up for it."""
    if to_block(order):
        return RETRY_WAITING
    others = [waiting for waiting in order.waits if waiting.reason is Reason.STOCK and not waiting.is_of(lines)]
    is_elsewhere = any(_first_short(order, waiting) != short[0] for waiting in others)
    return RETRY_WAITING if is_elsewhere else RETRY_STOCK


def lacks(order: Order) -> Counter[str]:
    """The codes that an order takes as soon as they are free: those of its lines that wait for codes and for nothing
    else."""
    found = Counter[str]()
    for delivery in deliveries(order) if is_servable(order) else ():
        waits = {waiting.reason for waiting in order.waits if waiting.is_of(delivery.lines)}
        if waits & {Reason.STOCK, Reason.PRODUCT, Reason.RENEWS} == {Reason.STOCK}:
            for _, line, count in missing(order, delivery.lines):
                found[line.sku] += count
    return found


def short_of(needed: Sequence[tuple[str, int]], rivals: Iterable[Counter[str]], free: Free) -> list[str]:
    """The products, of those that are needed, of which there are too few codes because of rivals, given that there are
    enough without them. Rivals need codes sooner, and come in that order; one that cannot be served with all that it
    lacks of a product keeps none of that."""
    taken, short = Counter[str](), list[str]()
    for wants in rivals:
        taken += _served(wants, taken, free)
        short = [sku for sku, count in needed if free(sku) - taken[sku] < count]
        if len(short) == len(needed):
            break
    return short


def first_served(line: Iterator[tuple[str, Counter[str]]], skus: Collection[str], free: Free) -> Iterator[str]:
    """Those in a line, each with the codes that it lacks, who get all that they lack of one of these products with what
    is free, until none of these is left. Whoever lacks more than there is keeps nothing from those behind."""
    taken, passed = Counter[str](), 0
    while any(free(sku) > taken[sku] for sku in skus) and passed < _MOST_PASSED:
        if (first := next(line, None)) is None:
            return
        name, wants = first
        served = _served(wants, taken, free)
        taken += served
        if served.keys() & set(skus):
            yield name
        else:
            passed += 1


def _served(wants: Counter[str], taken: Counter[str], free: Free) -> Counter[str]:
    """All that is lacked of each product of which there is enough."""
    return Counter({sku: count for sku, count in wants.items() if free(sku) - taken[sku] >= count})
