"""Imports codes, and pokes the orders that waited for them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from keypost.clients.queue import Queue
from keypost.core.errors import QueueUnavailable
from keypost.core.order import Reason
from keypost.core.periods import local_day
from keypost.core.plan import needed_by
from keypost.core.said import said
from keypost.core.sharing import wanted
from keypost.inputs.stock_file import Fault, FileCode
from keypost.table import Store
from keypost.use_cases.help_customer import Desk

_INDEX_LAG = timedelta(seconds=3)  # seconds until the stock index has new codes


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    duplicates: tuple[Fault, ...]  # by line; known codes are not added again
    not_reached: int  # the codes for which there was no time
    serves: int  # orders that waited for stock and now get all that they lack
    poked: int


def import_codes(
    desk: Desk,
    codes: Sequence[FileCode],
    now: datetime,
    *,
    dry_run: bool = False,
    go_on: Callable[[int], bool] = lambda _: True,
) -> Imported:
    """Add codes to the stock, each only once ever, as long as `go_on` returns true. `go_on` gets the number of codes
    that were just reached. A repeated import continues where this one stopped."""
    lacking = _lacking(desk, now)
    free = Counter(
        {
            sku: desk.store.count_free(sku, local_day(now, desk.zone), most)
            for sku, most in sum(lacking, Counter()).items()
        }
    )
    line_of = {entry.new.code: entry.line for entry in codes}
    duplicates: list[Fault] = []
    reached = added = 0
    for part, known in desk.store.add([entry.new for entry in codes], dry_run=dry_run):
        duplicates += [Fault(line_of[code], said("imported_before"), is_duplicate=True) for code in known]
        free.update(new.sku for new in part if new.code not in known)
        added += len(part) - len(known)
        reached += len(part)
        if not go_on(len(part)):
            break
    poked = 0 if dry_run else poke_waiting(desk.store, desk.queue, Reason.STOCK)
    found = sorted(duplicates, key=lambda fault: fault.line)
    return Imported(added, tuple(found), len(codes) - reached, _served(lacking, free), poked)


def poke_waiting(store: Store, queue: Queue, reason: Reason) -> int:
    """Poke every order that waits for this reason; returns how many."""
    poked = 0
    for order_ids in store.needing(reason):
        with suppress(QueueUnavailable):  # the schedule tries them every 15 minutes
            queue.poke_all(order_ids, _INDEX_LAG)
            poked += len(order_ids)
    return poked


def _lacking(desk: Desk, now: datetime) -> list[Counter[str]]:
    """How many codes of each product every order that waits for stock lacks, those that need them soonest first."""
    waiting = [order for page in desk.store.needing(Reason.STOCK) for order in desk.store.load_all(page)]
    return [wanted([order], now, desk.zone).now for order in sorted(waiting, key=needed_by)]


def _served(lacking: Iterable[Counter[str]], free: Counter[str]) -> int:
    """How many of these orders get all the codes that they lack."""
    served = 0
    for lacks in lacking:
        if lacks <= free:
            free = free - lacks
            served += 1
    return served
