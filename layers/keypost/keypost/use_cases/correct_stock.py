"""Corrects what was imported: takes free codes out of the stock, puts them back, or moves them to another product. Each
call may be repeated: it finds what is left to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.inputs.stock_file import Fault
from keypost.table import Store
from keypost.use_cases import serve_waiting
from keypost.use_cases.help_customer import Desk

# What to say of a code that is in another state than what is to be done needs.
_IS = {
    "free": "code_is_free",
    "assigned": "code_is_assigned",
    "quarantined": "code_is_quarantined",
    "withdrawn": "code_is_withdrawn",
}

Page = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Codes of one product: those of a batch, or those that are named."""

    sku: str
    batch: str | None
    named: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Corrected:
    done: int = 0  # or would be, in a dry run
    given: int = 0  # codes of the batch that customers have, which stay with them
    left_out: tuple[Fault, ...] = ()  # of the named codes, by their places from 1
    is_whole: bool = True  # False: there was no time for all; the same call goes on


def withdraw(desk: Desk, wanted: Wanted, asked: Asked, go_on: Callable[[], bool], *, dry_run: bool) -> Corrected:
    """Take free codes out of the stock, for ever or until they are put back. What comes back from orders of a batch
    that was withdrawn stays out too."""
    if wanted.batch is not None and not dry_run:
        desk.store.recall(wanted.sku, wanted.batch)
    done = _each(
        desk.store,
        wanted,
        "free",
        lambda items: desk.store.withdraw(items, asked.why, asked.who, asked.at),
        go_on,
        dry_run=dry_run,
    )
    return replace(done, given=_given(desk.store, wanted))


def put_back(desk: Desk, wanted: Wanted, asked: Asked, go_on: Callable[[], bool], *, dry_run: bool) -> Corrected:
    """Put withdrawn codes back into the stock, and serve who waits for them."""
    done = _each(desk.store, wanted, "withdrawn", desk.store.put_back, go_on, dry_run=dry_run)
    if not dry_run:
        if wanted.batch is not None:
            desk.store.end_recall(wanted.sku, wanted.batch)
        _serve(desk, wanted.sku, asked)
    return done


def move(
    desk: Desk, wanted: Wanted, to: Product, asked: Asked, go_on: Callable[[], bool], *, dry_run: bool
) -> Corrected:
    """Give free codes to the product that they are of. InvalidInput if one of them is no code of that product."""
    if to.sku == wanted.sku:
        raise InvalidInput("moved_to_itself", sku=to.sku)

    def moved(items: Page) -> int:
        _check(items, to)
        return len(items) if dry_run else desk.store.move(items, to.sku)

    done = _each(desk.store, wanted, "free", moved, go_on, dry_run=False)
    if not dry_run:
        _serve(desk, to.sku, asked)
    return replace(done, given=_given(desk.store, wanted))


def _check(items: Page, to: Product) -> None:
    for item in items:
        if codes.checked(item["code"], to) != item["code"]:
            raise InvalidInput("not_a_code_of", sku=to.sku, example=to.code_example)


def _serve(desk: Desk, sku: str, asked: Asked) -> None:
    serve_waiting.mark(desk.store, [sku], asked.at)
    serve_waiting.poke(desk.queue, [sku])


def _given(store: Store, wanted: Wanted) -> int:
    return store.count_given(wanted.batch) if wanted.batch is not None else 0


def _each(
    store: Store,
    wanted: Wanted,
    state: str,
    change: Callable[[Page], int],
    go_on: Callable[[], bool],
    *,
    dry_run: bool,
) -> Corrected:
    pages, left_out = _pages(store, wanted, state)
    done = 0
    for page in pages:
        done += len(page) if dry_run else change(page)
        if not go_on():
            return Corrected(done, left_out=left_out, is_whole=False)
    return Corrected(done, left_out=left_out)


def _pages(store: Store, wanted: Wanted, state: str) -> tuple[Iterator[Page], tuple[Fault, ...]]:
    if wanted.batch is not None:
        return store.codes_of_batch(wanted.sku, wanted.batch, state), ()
    found = store.codes_named(wanted.named)
    why = [_why_not(item, wanted.sku, state) for item in found]
    fit = {item["pk"]: item for item, no in zip(found, why, strict=True) if item and no is None}
    faults = tuple(Fault(place, no) for place, no in enumerate(why, start=1) if no)
    return iter([list(fit.values())]), faults


def _why_not(item: Mapping[str, Any] | None, sku: str, state: str) -> Said | None:
    """Why nothing is done with a code that was named."""
    if item is None:
        return said("code_unknown")
    if item.get("sku") != sku:
        return said("code_of_other_product", sku=item.get("sku"))
    if item.get("state") != state:
        return said(_IS.get(str(item.get("state")), "code_unknown"))
    return None
