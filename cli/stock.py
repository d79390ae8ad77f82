"""`keypost stock`: activation codes, with a progress bar for a file of them."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli import stacks, tables
from cli.orders import as_json
from cli.speech import lang, say, speech
from cli.speech import text as words
from cli.stacks import Stack
from keypost.core.codes import masked
from keypost.core.errors import KeypostError
from keypost.core.forecast import HORIZON_DAYS, Forecast
from keypost.core.periods import local_day
from keypost.inputs.stock_file import Fault, StockFile, read_stock_file
from keypost.use_cases.import_stock import Imported, import_codes, product_finder
from keypost.use_cases.look_ahead import forecasts
from keypost.words import day, in_language, names_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROWS_SHOWN = 5
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_stack = click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")


@click.group("stock")
def stock_group() -> None:
    """Activation codes."""


@stock_group.command("import")
@click.argument("file", type=_FILE)
@click.option("--sku", help="The product of all codes, if the file has no column sku.")
@click.option("--batch", help="A name for these codes, if the file has no column batch.")
@click.option("--dry-run", is_flag=True, help="Show how the file is understood, and change nothing.")
@lang
@_stack
def import_stock(file: Path, sku: str | None, batch: str | None, stack: str | None, *, dry_run: bool) -> None:
    """Add the codes of FILE (CSV) to the stock, each code once.

    Codes that are wrong or already known are left out and reported by line; the exit status is then 1.
    Orders that waited for stock go on.
    """
    content = file.read_bytes()
    to = stacks.connect(stack) if dry_run else stacks.connect_to_write(stack)
    read = read_file(to, content, sku, batch)
    if dry_run:
        _show(read)
    done, faults = import_file(to, read, dry_run=dry_run)
    names = names_of(to.store.catalog().values(), speech().language) if faults or read.changes else {}
    for change in read.changes:
        say(
            "changed_in_file",
            err=True,
            names=names,
            file=file,
            line=change.line,
            column=change.column,
            what=change.what,
        )
    for fault in faults:
        column = fault.column or None
        say("left_out", err=True, names=names, file=file, line=fault.line, column=column, why=fault.reason)
    say("file_checked" if dry_run else "file_imported", added=done.added, left_out=len(faults))
    if done.left_out:
        say("orders_unreadable", err=True, orders=done.left_out)
    if done.serves:
        say("orders_looked_at", count=done.serves)
    if faults:
        raise KeypostError("lines_left_out", count=len(faults))


def _show(read: StockFile) -> None:
    """How a file was understood."""
    layout = read.layout
    separator = words(_SEPARATORS.get(layout.separator, "bar"))
    say("file_understood", encoding=layout.encoding, separator=separator, line=layout.header_line)
    for meaning, place in sorted(layout.columns.items(), key=lambda column: column[1]):
        say("column_read_as", place=place + 1, name=layout.names[place], meaning=meaning)
    for place, name in layout.ignored:
        say("column_ignored", place=place, name=name or None)
    for each in read.found[:_ROWS_SHOWN]:
        new = each.new
        code, batch, last_day = masked(new.code), new.batch, new.activate_before
        say("row_read", line=each.line, code=code, sku=new.sku, batch=batch, activate_before=last_day)


def read_file(stack: Stack, content: bytes, sku: str | None, batch: str | None) -> StockFile:
    """The codes of a file, and how it was understood. InvalidInput if it is not a file of codes."""
    today = local_day(datetime.now(UTC), stack.zone)
    return read_stock_file(content, product_finder(stack.store), sku, batch, today)


def import_file(stack: Stack, file: StockFile, *, dry_run: bool = False) -> tuple[Imported, list[Fault]]:
    """What was imported, or would be, and what was left out, sorted by line (from 1)."""
    found, now = file.found, datetime.now(UTC)
    with click.progressbar(length=len(found), label=words("importing"), file=sys.stderr) as bar:

        def go_on(reached: int) -> bool:
            bar.update(reached)
            return True

        done = import_codes(stack.desk, found, now, dry_run=dry_run, go_on=go_on)
    return done, sorted((*file.faults, *done.duplicates, *done.recalled), key=lambda fault: fault.line)


@stock_group.command("list")
@as_json
@lang
@_stack
def list_stock(stack: str | None, *, as_json: bool) -> None:
    """List how many codes of each product are free, promised and used, and how long they last."""
    show_stock(stacks.connect(stack), as_json=as_json)


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
