"""The import of a file of codes, with a progress bar."""

import sys
from datetime import UTC, datetime
from functools import cache

import click

from cli.speech import text as words
from cli.stacks import Stack
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.inputs.stock_file import Fault, read_stock_file
from keypost.use_cases.import_stock import Imported, import_codes


def import_file(stack: Stack, text: str, sku: str | None, batch: str | None) -> tuple[Imported, list[Fault]]:
    """What was imported, and what was left out, sorted by line (from 1).

    InvalidInput if the text is not a file of codes; then nothing was added."""

    @cache
    def product_of(sku: str) -> Product | None:
        return stack.store.products([sku]).get(sku) if sku else None

    now = datetime.now(UTC)
    found, faults = read_stock_file(text, product_of, sku, batch, local_day(now, stack.zone))
    with click.progressbar(length=len(found), label=words("importing"), file=sys.stderr) as bar:

        def go_on(reached: int) -> bool:
            bar.update(reached)
            return True

        done = import_codes(stack.desk, found, now, go_on=go_on)
    return done, sorted((*faults, *done.duplicates), key=lambda fault: fault.line)
