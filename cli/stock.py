"""`keypost stock`: activation codes, with a progress bar for a file of them."""

import csv
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click

from cli import stacks, tables
from cli.click_words import Group
from cli.orders import as_json
from cli.speech import lang, say, speech
from cli.speech import text as words
from cli.stacks import Stack
from cli.who import asked
from keypost.core import support
from keypost.core.batches import Replacing, State
from keypost.core.codes import masked
from keypost.core.errors import InvalidInput, KeypostError, NotFound
from keypost.core.forecast import HORIZON_DAYS, Draft, Forecast, drafts
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.core.said import said
from keypost.inputs.stock_file import Fault, StockFile, read_stock_file
from keypost.inputs.stock_layout import Layout
from keypost.use_cases import correct_stock, replace_batch
from keypost.use_cases.correct_stock import Corrected, Wanted
from keypost.use_cases.import_stock import Imported, import_codes, product_finder
from keypost.use_cases.look_ahead import forecasts, stocks
from keypost.words import day, in_language, names_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROWS_SHOWN = 5
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_STATES = {
    State.RUNNING: "replacing_running",
    State.SHORT: "replacing_short",
    State.DONE: "replacing_done",
}
_stack = click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")


@click.group("stock", cls=Group)
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
    show_layout(read.layout)
    for each in read.found[:_ROWS_SHOWN]:
        new = each.new
        code, batch, last_day = masked(new.code), new.batch, new.activate_before
        say("row_read", line=each.line, code=code, sku=new.sku, batch=batch, activate_before=last_day)


def show_layout(layout: Layout) -> None:
    """How a file is made, and what each of its columns was taken for."""
    separator = words(_SEPARATORS.get(layout.separator, "bar"))
    say("file_understood", encoding=layout.encoding, separator=separator, line=layout.header_line)
    for meaning, place in sorted(layout.columns.items(), key=lambda column: column[1]):
        say("column_read_as", place=place + 1, name=layout.names[place], meaning=meaning)
    for place, name in layout.ignored:
        say("column_ignored", place=place, name=name or None)


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
        in_language(of.stock.name, language) + (f" ({words('not_sold')})" if of.stock.is_retired else ""),
        str(of.stock.free),
        str(of.promised),
        str(of.stock.waiting),
        f"{of.stock.used} (+{of.stock.used_today})" if of.stock.used_today else str(of.stock.used),
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
        "used_today": of.stock.used_today,
        "runs_out": of.runs_out and of.runs_out.isoformat(),
        "to_order": of.to_order,
        "order_before": of.order_before and of.order_before.isoformat(),
        "is_retired": of.stock.is_retired,
    }


_BATCH = click.option(
    "--batch", help="All codes of this batch; an empty name for codes that were imported without one."
)
_CODES = click.option("--codes", type=_FILE, help="The codes that stand in this file, one a line.")
_REASON = click.option("--reason", default="", help="Why, in your own words.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what this would do, and change nothing.")


@stock_group.command("withdraw")
@click.argument("sku", metavar="SKU")
@_BATCH
@_CODES
@_REASON
@click.option("--undo", is_flag=True, help="Put withdrawn codes back into the stock.")
@_DRY_RUN
@lang
@_stack
def withdraw(  # noqa: PLR0913 - one for each option
    sku: str, batch: str | None, codes: Path | None, reason: str, stack: str | None, *, undo: bool, dry_run: bool
) -> None:
    """Take free codes of SKU out of the stock: those of a batch, or some.

    They stay known for ever. What customers have, they keep: `keypost stock batch --replace` gives them other codes.
    """
    to, wanted = _connected(stack, dry_run=dry_run), _wanted(sku, batch, codes)
    _product(to, sku)
    change = correct_stock.put_back if undo else correct_stock.withdraw
    done = change(to.desk, wanted, asked(to, reason), lambda: True, dry_run=dry_run)
    _tell(done, "codes_put_back" if undo else "codes_withdrawn", dry_run=dry_run)


@stock_group.command("move")
@click.argument("sku", metavar="SKU")
@click.argument("to_sku", metavar="TO")
@_BATCH
@_CODES
@_REASON
@_DRY_RUN
@lang
@_stack
def move(  # noqa: PLR0913 - one for each option
    sku: str, to_sku: str, batch: str | None, codes: Path | None, reason: str, stack: str | None, *, dry_run: bool
) -> None:
    """Give free codes of SKU to the product TO, of which they are: those of a batch, or some."""
    to, wanted = _connected(stack, dry_run=dry_run), _wanted(sku, batch, codes)
    _product(to, sku)
    target = _product(to, to_sku)
    done = correct_stock.move(to.desk, wanted, target, asked(to, reason), lambda: True, dry_run=dry_run)
    _tell(done, "codes_moved", dry_run=dry_run)


@stock_group.command("batch")
@click.argument("batch", metavar="BATCH")
@click.option("--sku", default="", help="Only the codes of this product.")
@click.option("--replace", "is_to_replace", is_flag=True, help="Give everybody who has a code of it another one.")
@click.option("--reason", default="invalid", type=click.Choice(support.BAD_CODE_REASONS), show_default=True)
@click.option("--note", default="", help="For the claim, in your own words.")
@lang
@_stack
def show_batch(batch: str, sku: str, reason: str, note: str, stack: str | None, *, is_to_replace: bool) -> None:
    """List the orders that have codes of BATCH, and how far its replacing is; or replace it.

    The worker replaces it, some orders at a time: the same command shows how far it is. What stays is counted by why.
    """
    to = stacks.connect_to_write(stack) if is_to_replace else stacks.connect(stack)
    if is_to_replace:
        by = asked(to, note)
        replace_batch.begin(to.desk, Replacing(batch, sku, reason, by.why, by.who, by.at))
    else:
        _list_orders(to, batch, sku)
    far = replace_batch.how_far(to.desk, batch, sku)
    state = words(_STATES[far.replacing.state]) if far.replacing else words("replacing_not_begun")
    say("batch_is", batch=batch, state=state, replaced=far.replaced, given=far.given)
    for code, count in sorted((far.replacing.left_out if far.replacing else {}).items()):
        say("batch_stays", count=count, why=said(code))


def _list_orders(to: Stack, batch: str, sku: str) -> None:
    behind = ""
    while page := to.store.given(batch, behind):
        for each in page:
            if each.items and (not sku or sku in each.skus):
                click.echo(f"{each.order_id}  {len(each.items)}  {' '.join(each.skus)}")
        behind = page[-1].order_id


@stock_group.command("order")
@click.option("--days", default=HORIZON_DAYS, show_default=True, type=click.IntRange(1, 366), help="How long to last.")
@click.option("--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file as CSV.")
@lang
@_stack
def draft_order(days: int, file: Path | None, stack: str | None) -> None:
    """Draft an order to the distributor: how many codes of which product, by which day, and why."""
    to, now = stacks.connect(stack), datetime.now(UTC)
    found, left_out = stocks(to.store, now, to.zone, days)
    wanted = drafts(found, local_day(now, to.zone), days)
    names = names_of(to.store.catalog().values(), speech().language)
    for each in wanted:
        say("draft_line", names=names, **_draft_values(each))
    say("draft_end", count=len(wanted), days=days)
    if file:
        file.write_text(_as_csv(wanted, speech().language), "utf-8")
        say("draft_written", file=file)
    if left_out:
        raise KeypostError("found_unreadable", orders=left_out)


def _draft_values(each: Draft) -> dict[str, Any]:
    return {
        "count": each.count,
        "sku": each.sku,
        "name": in_language(each.name, speech().language),
        "before": each.order_before,
        "runs_out": each.runs_out,
        "free": each.free,
        "waiting": each.waiting or None,
        "promised": each.promised or None,
        "use": f"{each.per_day:.1f}",
    }


def _as_csv(wanted: Iterable[Draft], language: str) -> str:
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["sku", "product", "count", "order_before", "runs_out", "free", "waiting", "promised", "per_day"])
    for each in wanted:
        days, numbers = (each.order_before, each.runs_out), (each.free, each.waiting, each.promised)
        rows.writerow([each.sku, in_language(each.name, language), each.count, *days, *numbers, f"{each.per_day:.1f}"])
    return text.getvalue()


def _connected(stack: str | None, *, dry_run: bool) -> Stack:
    return stacks.connect(stack) if dry_run else stacks.connect_to_write(stack)


def _wanted(sku: str, batch: str | None, codes: Path | None) -> Wanted:
    named = [line for line in codes.read_text("utf-8-sig").splitlines() if line.strip()] if codes else []
    if (batch is None) == (not named):
        raise InvalidInput("batch_or_codes")
    return Wanted(sku, batch, named)


def _product(to: Stack, sku: str) -> Product:
    found = to.store.products([sku]).get(sku)
    if found is None:
        raise NotFound("no_such_product", sku=sku)
    return found


def _tell(done: Corrected, code: str, *, dry_run: bool) -> None:
    for fault in done.left_out:
        say("left_out", err=True, file="codes", line=fault.line, why=fault.reason)
    say("codes_that_would_be" if dry_run else code, count=done.done, given=done.given or None)
    if done.left_out:
        raise KeypostError("codes_left_out", count=len(done.left_out))
