"""The month for the bookkeeper, as one file."""

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from cli import stacks
from cli.click_words import Command
from cli.speech import lang, say, speech
from keypost.core.errors import KeypostError
from keypost.use_cases.export_month import pages_of_month


@click.command("orders", cls=Command)
@click.option("--month", required=True, help="Such as 2026-11, in the shop's time zone.")
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="The file; default: standard output."
)
@lang
@click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")
def export_orders(month: str, out: Path | None, stack: str | None) -> None:
    """Write what happened in a month as CSV: money that came and went back, and licences that were sent.

    One row for each, by day. Progress is printed to standard error.
    """
    to, read, unreadable = stacks.connect(stack), 0, set[str]()
    with out.open("w", encoding="utf-8-sig", newline="") if out else nullcontext(sys.stdout) as file:
        for page in pages_of_month(to.store, month, to.zone, speech().reader(zone=to.zone)):
            file.write(page.csv)
            read += page.orders
            unreadable.update(page.unreadable)
            say("orders_read", err=True, count=read)
    if unreadable:
        raise KeypostError("export_incomplete", orders=sorted(unreadable))
