"""Imports codes, and pokes the orders that waited for them."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from keypost.clients.queue import Queue
from keypost.core.errors import QueueUnavailable
from keypost.core.order import Reason
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.core.said import said
from keypost.inputs.stock_file import Fault, FileCode
from keypost.table import Store
from keypost.table.codes import recalled_name
from keypost.use_cases import serve_waiting
from keypost.use_cases.help_customer import Desk


def product_finder(store: Store) -> Callable[[str], Product | None]:
    """Finds the product of a SKU, in whatever case it is written; the table is asked once for each spelling."""

    @cache
    def find(sku: str) -> Product | None:
        if not sku:
            return None
        if exact := store.products([sku]).get(sku):
            return exact
        alike = [product for known, product in store.catalog().items() if known.casefold() == sku.casefold()]
        return alike[0] if len(alike) == 1 else None

    return find


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    duplicates: tuple[Fault, ...]  # by line; known codes are not added again
    not_reached: int  # the codes for which there was no time
    serves: int  # orders that waited for stock and now get all that they lack, counted up to 2,000
    left_out: tuple[str, ...] = ()  # orders in front that wait and cannot be read: what they lack is not counted
    recalled: tuple[Fault, ...] = ()  # by line; codes of a batch that was withdrawn are not added


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
    codes, recalled = _not_recalled(desk.store, codes)
    skus = {entry.new.sku for entry in codes}
    free = serve_waiting.free_codes(desk.store, local_day(now, desk.zone))
    for sku in skus:
        free(sku)  # before they come; it counts each product once
    if not dry_run:
        serve_waiting.mark(desk.store, skus, now)
    reached = _add(desk.store, codes, dry_run=dry_run, go_on=go_on)
    if not dry_run:
        serve_waiting.mark(desk.store, skus, now)  # again, as an import may take long
        serve_waiting.poke(desk.queue, skus)
    left_out: list[str] = []
    served = serve_waiting.served_by(desk.store, skus, lambda sku: free(sku) + reached.came[sku], left_out)
    duplicates = _duplicates(codes, reached.known)
    not_reached = len(codes) - reached.codes
    unread = tuple(sorted(left_out))
    return Imported(reached.codes - len(duplicates), duplicates, not_reached, len(served), unread, recalled)


def _not_recalled(store: Store, codes: Sequence[FileCode]) -> tuple[Sequence[FileCode], tuple[Fault, ...]]:
    """Those that may enter the stock, and why not those of a batch that was withdrawn: nobody would get them."""
    recalled = store.recalled() if any(each.new.batch for each in codes) else frozenset()
    bad = {each.line for each in codes if recalled_name(each.new.sku, each.new.batch or "") in recalled}
    faults = tuple(Fault(line, said("batch_is_withdrawn"), column="batch") for line in sorted(bad))
    return [each for each in codes if each.line not in bad] if bad else codes, faults


@dataclass(slots=True)
class _Reached:
    """How far an import came."""

    codes: int = 0
    known: list[str] = field(default_factory=list)  # the codes that were imported before
    came: Counter[str] = field(default_factory=Counter)  # how many are new, by product


def _add(store: Store, codes: Sequence[FileCode], *, dry_run: bool, go_on: Callable[[int], bool]) -> _Reached:
    reached = _Reached()
    for part, known in store.add([entry.new for entry in codes], dry_run=dry_run):
        reached.codes += len(part)
        reached.known += known
        reached.came.update(new.sku for new in part if new.code not in known)
        if not go_on(len(part)):
            break
    return reached


def _duplicates(codes: Sequence[FileCode], known: Sequence[str]) -> tuple[Fault, ...]:
    """The lines of the codes that are known, in the order of the file."""
    line_of = {entry.new.code: entry.line for entry in codes}
    lines = sorted(line_of[code] for code in known)
    return tuple(Fault(line, said("imported_before"), is_duplicate=True) for line in lines)


def poke_waiting(store: Store, queue: Queue, reason: Reason) -> int:
    """Poke every order that waits for this reason; returns how many."""
    poked = 0
    for order_ids in store.needing(reason):
        with suppress(QueueUnavailable):  # the schedule tries them every 15 minutes
            queue.poke_all(order_ids)
            poked += len(order_ids)
    return poked
