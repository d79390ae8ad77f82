"""The import of a file of codes, with a progress bar, and the list of what is in stock."""

import json
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import click

from cli import tables
from cli.speech import speech
from cli.speech import text as words
from cli.stacks import Stack
from keypost.core.errors import KeypostError
from keypost.core.forecast import HORIZON_DAYS, Forecast
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.inputs.stock_file import Fault, read_stock_file
from keypost.use_cases.import_stock import Imported, import_codes
from keypost.use_cases.look_ahead import forecasts
from keypost.words import day, in_language


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


def show_stock(stack: Stack, *, as_json: bool) -> None:
    """Print the forecast of each product. KeypostError at the end if orders cannot be read, whose codes are not in
    it."""
    now, language = datetime.now(UTC), speech().language
    found, left_out = forecasts(stack.store, now, stack.zone)
    if as_json:
        for each in found:
            click.echo(json.dumps(_told(each)))
    else:
        names = (
            "col_product",
            "col_free",
            "col_promised",
            "col_waiting",
            "col_used",
            "col_until",
            "col_to_order",
            "col_order_before",
        )
        tables.show([words(name) for name in names], [_row(each, language) for each in found])
    if left_out:
        raise KeypostError("found_unreadable", orders=left_out)


def _row(of: Forecast, language: str) -> tuple[str, ...]:
    return (
        in_language(of.stock.name, language),
        str(of.stock.free),
        str(of.promised),
        str(of.stock.waiting),
        str(of.stock.used),
        day(of.runs_out, language) if of.runs_out else words("lasts", days=HORIZON_DAYS),
        str(of.to_order or "-"),
        day(of.order_before, language) if of.order_before else "-",
    )


def _told(of: Forecast) -> dict[str, Any]:
    return {
        "sku": of.stock.sku,
        "free": of.stock.free,
        "promised": of.promised,
        "waiting": of.stock.waiting,
        "used": of.stock.used,
        "runs_out": of.runs_out and of.runs_out.isoformat(),
        "to_order": of.to_order,
        "order_before": of.order_before and of.order_before.isoformat(),
    }
