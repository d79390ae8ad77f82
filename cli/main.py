"""The command `keypost`. Its exit status is 2 after wrong use, 1 after a failure and 130 after Ctrl-C; one line then
says what to do."""

import csv
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from cli import (
    by_hand,  # noqa: F401 - its commands are in the group `order`
    right,  # noqa: F401 - as are these
    shown,  # noqa: F401 - and these
    stacks,
    tables,
    who,
)
from cli.access import secrets_group, support_keys
from cli.alarms import show_alarms
from cli.catalog import apply, read_products
from cli.click_words import Group, speak
from cli.dead_letters import dead_letters
from cli.deploys import stack_group
from cli.doctor.command import doctor
from cli.events import events_group
from cli.guide import guide_group
from cli.licenses import import_group
from cli.logs import show_logs
from cli.mail import mail_group
from cli.month import export_orders
from cli.orders import as_json, attention, order_group, search, stack_option, typed_address
from cli.places import is_release
from cli.restore import restore_group
from cli.setup.command import setup
from cli.speech import Speech, lang, longest_day, of_locale, of_words, say, speech, text
from cli.stock import stock_group
from cli.versions import OWN
from keypost.core import support
from keypost.core.errors import KeypostError
from keypost.core.periods import midnight_of
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.core.story import Story, story
from keypost.use_cases.list_inbox import MOST_DAYS, InboxItem, all_of_inbox
from keypost.use_cases.look_ahead import due_within
from keypost.words import day, in_language, names_of, sentence, worded

_INBOX_ITEM, _PRODUCT = TypeAdapter(InboxItem), TypeAdapter(Product)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_stack = stack_option


def main() -> None:
    speech = Speech(of_words(sys.argv[1:]) or of_locale(os.environ))
    speak(speech.language)
    try:
        status = cli.main(standalone_mode=False, obj=speech)
    except click.ClickException as error:
        hint = "help_hint" if error.exit_code == 2 else "failed_for"  # noqa: PLR2004
        _end(speech, said(hint, why=error.format_message()), error.exit_code)
    except click.Abort:
        _end(speech, said("stopped"), 130)
    except KeypostError as error:
        _end(speech, said("failed_for", why=error.said), 1)
    except (ClientError, BotoCoreError) as error:
        _end(speech, said("failed_for", why=said("aws_refused", error=str(error))), 1)
    sys.exit(status if isinstance(status, int) else 0)


def _end(speech: Speech, why: Said, status: int) -> NoReturn:
    click.echo(sentence(why, speech.reader()), err=True)
    sys.exit(status)


@click.group(cls=Group, epilog="Exit status: 0 done, 1 failed, 2 wrong use, 130 stopped.")
@lang
@click.version_option(OWN, prog_name="keypost", message="%(prog)s %(version)s")
def cli() -> None:
    """Keypost: a paid order becomes a licence in the customer's mailbox."""


@cli.group()
def products() -> None:
    """The catalog."""


@products.command("apply")
@click.argument("file", type=_FILE)
@_stack
def apply_products(file: Path, stack: str | None) -> None:
    """Add the products of FILE (TOML) to the catalog, or replace them.

    Orders that waited for one of these products go on.
    """
    found = read_products(file)
    apply(stacks.connect_to_write(stack), found)


@products.command("list")
@as_json
@lang
@_stack
def list_products(stack: str | None, *, as_json: bool) -> None:
    """List the products of the catalog."""
    found = sorted(stacks.connect(stack).store.catalog().values(), key=lambda product: product.sku)
    if as_json:
        for product in found:
            click.echo(_PRODUCT.dump_json(product))
        return
    rows = [
        (each.sku, each.vendor, in_language(each.name, speech().language), str(each.term_days), str(each.devices))
        for each in found
    ]
    tables.show([text(name) for name in ("col_sku", "col_vendor", "col_product", "col_days", "col_devices")], rows)


@cli.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(0, 366), help="How far to look ahead.")
@click.option("--hold", metavar="ORDER", hidden=True, help="As `keypost order hold`.")
@click.option("--release", metavar="ORDER", hidden=True, help="As `keypost order release`.")
@lang
@_stack
def due(days: int, hold: str | None, release: str | None, stack: str | None) -> None:
    """List what Keypost will send on which day, what it will not send, and why."""
    is_list = hold is None and release is None  # an empty number is one, of no order
    to = stacks.connect(stack) if is_list else stacks.connect_to_write(stack)
    if hold is not None:
        who.change(to, hold, support.hold)
        say("order_held", order=hold)
    if release is not None:
        who.change(to, release, support.release)
        say("order_released", order=release)
    if is_list:
        _list_due(to, days)


def _list_due(to: stacks.Stack, days: int) -> None:
    rows = due_within(to.store, days, datetime.now(UTC), to.zone)
    names = _names(to) if rows else {}
    for row in rows:
        on = day(row.day, speech().language) if row.day else text("day_unknown")
        click.echo(f"{on:<{longest_day()}}  ", nl=False)
        said_as = "mail_due" if row.purpose else "order_aside"
        say(said_as, names=names, order=row.order_id, purpose=row.purpose, lines=row.lines, why=row.why_not)
    kept = sum(row.why_not is not None for row in rows)
    say("mails_due", days=days, count=len(rows) - kept, kept=kept)


@cli.command("inbox")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, MOST_DAYS), help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@lang
@_stack
def list_inbox(days: int, stack: str | None, *, as_json: bool) -> None:
    """List what payment providers and shops told that changed nothing, and why: the newest first."""
    to, now, count = stacks.connect(stack), datetime.now(UTC), 0
    for count, item in enumerate(all_of_inbox(to.store, days, now), start=1):  # noqa: B007 - the last one is the count
        if as_json:
            click.echo(_INBOX_ITEM.dump_json(worded(item, speech().reader(zone=to.zone))))
        else:
            at = item.at.astimezone(to.zone)
            click.echo(f"{at:%Y-%m-%d %H:%M}  {item.provider:<11}  {item.order_id or '-'}  ", nl=False)
            say(item.reason)
    if not as_json:
        say("inbox_count", days=days, count=count)


def _names(to: stacks.Stack) -> dict[str, str]:
    return names_of(to.store.catalog().values(), speech().language)


@cli.command()
@click.option(
    "--from",
    "first",
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Serve what was paid from this day on, such as 2026-12-01, in the shop's time zone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@lang
@_stack
def start(first: datetime | None, stack: str | None, *, as_json: bool) -> None:
    """Show or change the moment from which Keypost serves: it keeps orders that were paid before it, and sends nothing.

    The first function that runs on a deployed stack sets it to a day before that moment. The local stack has none.
    """
    to = stacks.connect_to_write(stack) if first else stacks.connect(stack)
    if first:
        to.store.put_start(midnight_of(first.date(), to.zone))
    begun = to.store.start()
    if as_json:
        click.echo(json.dumps({"from": begun and begun.astimezone(to.zone).isoformat()}))
        return
    code = "start_changed" if first else "start_is" if begun else "no_start"
    click.echo(sentence(said(code, at=begun), speech().reader(zone=to.zone)))


@cli.command()
@click.option("--batch", required=True, help="The batch; an empty name for codes that were imported without one.")
@_stack
def claims(batch: str, stack: str | None) -> None:
    """Print the codes of a batch that did not work, as CSV, for the distributor who sold them."""
    rows = csv.writer(sys.stdout)
    rows.writerow(["code", "sku", "reason", "day", "note"])
    for bad in stacks.connect(stack).store.claims(batch):
        note = re.sub("^(?=[=+@-])", "'", bad.note.replace(";", ","))  # a spreadsheet must not run it
        rows.writerow([bad.code, bad.sku, bad.reason, bad.day.isoformat(), note])


@cli.command()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@lang
@_stack
def erase(stack: str | None, *, yes: bool) -> None:
    """Erase a customer from all their orders. Asks for the address, or reads it from standard input.

    Keypost sends the customer nothing more. Their orders stay, without the customer, for as long as tax law requires.
    """
    address, to = typed_address(), stacks.connect_to_write(stack)
    if not yes and sys.stdin.isatty():
        click.confirm(text("ask_erasure"), abort=True)
    erased = to.desk.erase(address, who.asked(to), to.fiscal_years)
    for order in erased.orders:
        say("order_erased_and_charged" if order.is_charged_again else "order_erased", order=order.id)
    say("orders_erased", count=len(erased.orders))
    for linked in erased.linked:
        say("order_linked", order=linked.order_id, email=linked.email, why=linked.why)
    for order_id in erased.later:
        say("order_erased_later", err=True, order=order_id)
    if erased.later:
        raise KeypostError("erased_later", count=len(erased.later))


@cli.group(invoke_without_command=True)
@_stack
@click.pass_context
def export(context: click.Context, stack: str | None) -> None:
    """Print all that is known of a customer, as JSON. Asks for the address, or reads it from standard input."""
    if context.invoked_subcommand:
        return
    address, to = typed_address(), stacks.connect(stack)
    now, _ = who.now_and_who()
    loaded = to.store.orders_of(address)
    whole, left_out = to.store.beside_each(loaded.orders)
    told = [story(order, now, to.zone, beside) for order, beside in whole]
    found = [worded(each, speech().reader(zone=to.zone)) for each in told]
    click.echo(TypeAdapter(list[Story]).dump_json(found, indent=2))
    unreadable = sorted({*loaded.names_left_out, *(error.order_id for error in left_out)})
    if unreadable:
        raise KeypostError("export_incomplete", orders=unreadable)


export.add_command(export_orders)


@cli.command()
@click.argument("order_id", metavar="ORDER")
@_stack
def blocked(order_id: str, stack: str | None) -> None:
    """Note that the vendor has blocked the codes of ORDER, whose money was returned after they were sent."""
    who.change(stacks.connect_to_write(stack), order_id, support.blocked)
    say("blocked_noted", order=order_id)


@cli.command("subscription-ended")
@click.argument("order_id", metavar="ORDER")
@_stack
def subscription_ended(order_id: str, stack: str | None) -> None:
    """Note that the subscription of ORDER was ended at its provider, which no longer charges the customer."""
    who.change(stacks.connect_to_write(stack), order_id, support.subscription_ended)
    say("ended_noted", order=order_id)


for command in (
    attention,
    setup,
    doctor,
    show_alarms,
    show_logs,
    dead_letters,
    search,
    order_group,
    stock_group,
    import_group,
    secrets_group,
    support_keys,
    mail_group,
    guide_group,
    stack_group,
    events_group,
    restore_group,
):
    cli.add_command(command)
if not is_release():  # the local stack needs a clone, and what is installed there
    from cli.local.commands import local

    cli.add_command(local)
