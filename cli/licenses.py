"""`keypost import`: what a system before Keypost sold."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from cli import stacks, who
from cli.click_words import Group
from cli.speech import lang, say, speech
from cli.speech import text as words
from cli.stacks import Stack
from cli.stock import show_layout
from keypost.core.codes import masked
from keypost.core.errors import KeypostError
from keypost.core.languages import DEFAULT
from keypost.core.order import Reason
from keypost.core.periods import local_day
from keypost.inputs.license_file import LicenseFile, Reading, read_license_file
from keypost.inputs.stock_file import Fault
from keypost.table.imports import Imports
from keypost.use_cases.import_licenses import Importer, Planned, reminders_by_day
from keypost.use_cases.import_stock import poke_waiting, product_finder
from keypost.words import LANGUAGES, names_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROWS_SHOWN = 5
_DAYS_SHOWN = 5


@click.group("import", cls=Group)
def import_group() -> None:
    """What a system before Keypost sold."""


@import_group.command("licenses")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Show how the file is understood and what would be done; change nothing.")
@click.option("--confirmed", is_flag=True, help="What looks like a mistake is right.")
@click.option("--leave-out", is_flag=True, help="Import the other lines, although some are wrong.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default=DEFAULT, show_default=True, help="Of customers without one."
)
@who.reason
@who.agent
@lang
@click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")
def import_licenses(  # noqa: PLR0913 - each is an argument or an option of the command
    file: Path,
    language: str,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    dry_run: bool,
    confirmed: bool,
    leave_out: bool,
) -> None:
    """Import the licences of FILE (CSV) that an older system sold, so that Keypost knows them.

    Nothing is mailed because of it. The same file again changes nothing; a corrected one corrects the orders that
    nobody has changed since. If a line is wrong or strange, nothing is imported: see docs/importing.md.
    """
    content = file.read_bytes()
    to = stacks.connect(stack) if dry_run else stacks.connect_to_write(stack)
    asked = who.asked(to, why, agent)
    products = to.store.catalog()
    how = Reading(product_finder(to.store), language, LANGUAGES, local_day(asked.at, to.zone))
    read = read_license_file(content, how)
    importer = Importer(Imports.of(to.store), products, to.zone, to.currency)
    planned = importer.planned(read.found, asked)
    if dry_run:
        _show(read)
    faults = sorted((*read.faults, *planned.faults), key=lambda fault: fault.line)
    doubts = [] if confirmed else read.doubts
    _tell(file, "left_out", faults, to)
    _tell(file, "line_doubtful", doubts, to)
    _tell_planned(planned, to)
    if doubts or (faults and not leave_out):
        raise KeypostError("licenses_not_imported", faults=len(faults) or None, doubts=len(doubts) or None)
    if not dry_run:
        _run(importer, planned, to)


def _show(read: LicenseFile) -> None:
    """How the file was understood."""
    show_layout(read.layout)
    for each in read.found[:_ROWS_SHOWN]:
        for goods in each.sold.goods:
            say(
                "license_read",
                line=each.lines[0],
                order=each.sold.order_id,
                codes=[masked(code.code) for code in goods.codes],
                sku=goods.sku,
                first_day=goods.first_day,
                last_day=goods.last_day,
            )


def _tell(file: Path, code: str, faults: Iterable[Fault], to: Stack) -> None:
    told = list(faults)
    names = names_of(to.store.catalog().values(), speech().language) if told else {}
    for fault in told:
        say(code, err=True, names=names, file=file, line=fault.line, column=fault.column or None, why=fault.reason)


def _tell_planned(planned: Planned, to: Stack) -> None:
    licenses = sum(len(each.codes) for each in planned.wanted)
    say("licenses_planned", orders=len(planned.wanted), licenses=licenses, anew=planned.anew, known=planned.known)
    reminders = reminders_by_day(planned.wanted, to.zone)
    for day, count in reminders[:_DAYS_SHOWN]:
        say("reminders_on", day=day, count=count)
    if left := sum(count for _, count in reminders[_DAYS_SHOWN:]):
        say("reminders_later", count=left)


def _run(importer: Importer, planned: Planned, to: Stack) -> None:
    busy = list[str]()
    with click.progressbar(length=len(planned.wanted), label=words("importing"), file=sys.stderr) as bar:
        for reached, failed in importer.run(planned):
            busy += failed
            bar.update(reached)
    poke_waiting(to.store, to.queue, Reason.RENEWS)  # orders that wait for the licenses which they renew
    say("licenses_imported", orders=len(planned.wanted) - len(busy))
    if busy:
        raise KeypostError("orders_changed_meanwhile", orders=busy)
