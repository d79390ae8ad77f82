"""Codes came into the stock: the orders that wait for them are looked at again, first in line first."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from itertools import islice
from types import MappingProxyType

from keypost.clients.queue import LONGEST_DELAY, Queue
from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import QueueUnavailable
from keypost.core.order import Order, Reason
from keypost.core.periods import local_day
from keypost.core.plan import needed_by
from keypost.core.sharing import Free, first_served, standing
from keypost.table import Store
from keypost.table.schedule import CODES_CAME
from keypost.use_cases.let_out import let_out

_INDEX_LAG = timedelta(seconds=3)  # until new codes stand in the stock index
_LOADED_AT_ONCE = 25
_MOST_COUNTED = 2000  # free codes of one product, and orders that they serve
_NEXT = timedelta(minutes=1)  # after the last of them was poked


def in_line(
    store: Store, skus: Iterable[str], before: datetime | None = None, left_out: list[str] | None = None
) -> Iterator[Order]:
    """The orders that wait for codes of these products, those first that need them soonest (before a moment). They are
    loaded as they are asked for. Left out are those that cannot be read, whose ids go into `left_out`, and those that
    fail again and again: they are tried by a clock of their own, and nobody waits behind them until then."""
    failing = cache(lambda: _failing(store))  # asked for only if an order waits
    ids = (each for each in store.in_line(skus, before) if each not in failing())
    while some := list(islice(ids, _LOADED_AT_ONCE)):
        found = store.read_all(some)
        if left_out is not None:
            left_out += found.names_left_out
        waiting = (order for order in found.orders if order.waits_for(Reason.STOCK))
        yield from sorted(waiting, key=lambda order: (needed_by(order), order.id))


def _failing(store: Store) -> set[str]:
    return {order_id for page in store.needing(AsideReason.FAILING) for order_id in page}


def served_by(store: Store, skus: Collection[str], free: Free, left_out: list[str] | None = None) -> list[str]:
    """The ids of the orders that stand in line for codes of these products and get them with what is free, the first in
    line first, as many as one run has time for; into `left_out` go those that were met and cannot be read."""
    line = map(standing, in_line(store, skus, left_out=left_out))
    return list(islice(first_served(line, skus, free), _MOST_COUNTED))


def free_codes(store: Store, today: date, days: Mapping[str, date] = MappingProxyType({})) -> Free:
    """Counts the codes of a product that can still be activated on its day, or today; each product once."""
    return cache(lambda sku: store.count_free(sku, days.get(sku, today), _MOST_COUNTED))


def mark(store: Store, skus: Iterable[str], now: datetime) -> None:
    """Before codes are stored: whatever is lost after that, the schedules make up for it within 15 minutes, at the cost
    of these products and not of the orders that wait."""
    for sku in sorted(skus):
        store.mark_codes_came(sku, now)


def poke(queue: Queue, skus: Iterable[str]) -> None:
    """After codes were stored: have the orders served that wait for them."""
    with suppress(QueueUnavailable):  # their products are marked
        queue.poke_all([f"{CODES_CAME}{sku}" for sku in sorted(skus)], _INDEX_LAG)


def poke_first_in_line(
    store: Store, queue: Queue, name: str, now: datetime, zone: tzinfo, mails_per_second: Callable[[], float]
) -> None:
    """What the poke of a product asks for. Many are let out as the mails leave, so that who buys something else does
    not wait behind them. As long as others may be in line, the product is poked again, and keeps its mark until then.
    QueueUnavailable when SQS did not take all: then it is asked for again."""
    sku, free = name.removeprefix(CODES_CAME), free_codes(store, local_day(now, zone))
    first = served_by(store, [sku], free)
    lasts = let_out(queue, first, mails_per_second)
    if first and (lasts or free(sku) >= _MOST_COUNTED):
        queue.poke(name, min(lasts + _NEXT, LONGEST_DELAY))
    else:
        store.end_codes_came(sku, now)


def is_of_product(name: str) -> bool:
    """Whether a poke is that of a product; an order's number has no such character."""
    return name.startswith(CODES_CAME)
