"""Who gets which codes when there are too few: what orders lack, and who is first in line."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta, tzinfo
from zlib import crc32

from keypost.core.frozen import dataclass
from keypost.core.obstacles import is_servable
from keypost.core.order import RETRY_WAITING, Order, Reason, Waiting
from keypost.core.owed import Delivery, deliveries, missing
from keypost.core.periods import local_day
from keypost.core.product import Product

RETRY_STOCK = timedelta(days=1)  # codes that arrive have those looked at who wait for them
_SOONEST = RETRY_STOCK / 2  # the first time
_MOST_PASSED = 200  # orders in front that lack more than is free
Free = Callable[[str], int]  # how many codes of a product, by its SKU, are free


@dataclass(frozen=True, slots=True)
class Lacking:
    """Codes of one product that an order lacks, and the moment from which it takes them."""

    sku: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class InLine:
    """An order that waits for codes, the product under which it is found and looked at when codes of it come, and all
    codes that it takes then, if there are enough."""

    order_id: str
    sku: str
    lacks: Counter[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Codes that orders lack, by product: those they wait for now, and those that paid renewals get on a later day."""

    now: Counter[str] = field(default_factory=Counter)
    later: defaultdict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))


def lacking(order: Order) -> Iterator[Lacking]:
    """What an order lacks that will be served, now or later."""
    for delivery in deliveries(order) if is_servable(order) else ():
        for _, line, count in missing(order, delivery.lines):
            yield Lacking(line.sku, count, min(delivery.reserve_at, delivery.mail_at))


def wanted(found: Iterable[Lacking], now: datetime, zone: tzinfo) -> Wanted:
    total = Wanted()
    for each in found:
        if each.at <= now:
            total.now[each.sku] += each.count
        else:
            total.later[each.sku][local_day(each.at, zone)] += each.count
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


def retry_of(order: Order, short: Sequence[str], lines: Collection[int], now: datetime) -> timedelta:
    """After what time lines that wait for codes are looked at without a poke. An order is found, and poked, under one
    product: for another one the clock makes up for it."""
    others = [waiting for waiting in order.waits if waiting.reason is Reason.STOCK and not waiting.is_of(lines)]
    is_elsewhere = any(_first_short(order, waiting) != short[0] for waiting in others)
    return RETRY_WAITING if is_elsewhere else _own_moment(order, now) - now


def _own_moment(order: Order, now: datetime) -> datetime:
    """Once a day, at a time of the day that is the order's own: those that began to wait in one minute, as in a sale,
    are spread over the day."""
    day = RETRY_STOCK.total_seconds()
    early = (crc32(order.id.encode()) - (now + _SOONEST).timestamp()) % day
    return now + _SOONEST + timedelta(seconds=early)


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


def standing(order: Order) -> InLine:
    """The place of an order that waits for codes."""
    return InLine(order.id, waited_for(order), lacks(order))


def short_of(needed: Sequence[tuple[str, int]], rivals: Iterable[InLine], free: Free) -> list[str]:
    """The products, of those that are needed, of which there are too few codes because of rivals, given that there are
    enough without them. Rivals need codes sooner, and come in that order; one that cannot be served with all that it
    lacks of a product keeps none of that."""
    taken, short = Counter[str](), list[str]()
    for rival in rivals:
        taken += _served(rival, taken, free)
        short = [sku for sku, count in needed if free(sku) - taken[sku] < count]
        if len(short) == len(needed):
            break
    return short


def first_served(line: Iterator[InLine], skus: Collection[str], free: Free) -> Iterator[str]:
    """Those in a line who get all that they lack of the product for which they stand in it, with what is free, until
    nothing is left of these products. Whoever lacks more than there is keeps nothing from those behind."""
    taken, passed = Counter[str](), 0
    while any(free(sku) > taken[sku] for sku in skus) and passed < _MOST_PASSED:
        if (first := next(line, None)) is None:
            return
        if served := _served(first, taken, free):
            taken += served
            yield first.order_id
        else:
            passed += 1


def _served(one: InLine, taken: Counter[str], free: Free) -> Counter[str]:
    """What an order takes: all that it lacks of each product of which there is enough. Nothing if there are too few
    codes of the product for which it stands in line: nobody looks at it then, and it keeps none of the others."""
    served = Counter({sku: count for sku, count in one.lacks.items() if free(sku) - taken[sku] >= count})
    return served if one.sku in served else Counter()
