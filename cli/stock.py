"""Codes into the stock, and the orders that waited for them."""

import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import click

from cli.stacks import Stack
from keypost.models import Product, Reason
from keypost.stock_file import Fault, FileCode, read_stock_file

_INDEX_LAG = timedelta(seconds=3)  # until new codes stand in the stock index


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    faults: list[Fault]  # by line
    poked: int


def import_codes(stack: Stack, text: str, sku: str | None, batch: str | None) -> Imported:
    """InvalidInput when the text is no file of codes; then nothing was added."""

    @cache
    def product_of(sku: str) -> Product | None:
        return stack.store.products([sku]).get(sku) if sku else None

    found, faults = read_stock_file(text, product_of, sku, datetime.now(UTC).date())
    groups: dict[tuple[object, ...], list[FileCode]] = defaultdict(list)
    for entry in found:
        groups[entry.sku, entry.batch or batch, entry.activate_before].append(entry)
    added = 0
    with click.progressbar(length=len(found), label="Importing", file=sys.stderr) as bar:
        for entries in groups.values():
            line_of = {entry.code: entry.line for entry in entries}
            first = entries[0]
            for done, known in stack.store.add_codes(
                first.sku, list(line_of), first.batch or batch, first.activate_before
            ):
                faults += [Fault(line_of[code], "imported before; a code exists once") for code in known]
                added += done - len(known)
                bar.update(done)
    return Imported(added, sorted(faults, key=lambda fault: fault.line), poke_waiting(stack, Reason.STOCK))


def poke_waiting(stack: Stack, reason: Reason) -> int:
    """Have every order that waits for this looked at again; how many."""
    poked = 0
    for order_ids in stack.store.needing(reason):
        stack.queue.poke_all(order_ids, _INDEX_LAG)
        poked += len(order_ids)
    return poked
