"""The command `keypost`. Its exit status is 2 after wrong use and 1 after a failure; one line then says what to do."""

import base64
import csv
import getpass
import re
import secrets
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from cli import stacks, stock
from cli.local.commands import local
from cli.mail import mail_group
from keypost.clients.secrets import NAMES
from keypost.core import keys, support
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.mail import Asked
from keypost.core.order import Order, Reason
from keypost.core.periods import local_day
from keypost.core.story import Story, story
from keypost.inputs.addresses import email_address
from keypost.inputs.catalog_file import read_product
from keypost.inputs.stock_file import text_of
from keypost.use_cases.import_stock import poke_waiting
from keypost.use_cases.look_ahead import due_within

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_stack = click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")


def main() -> None:
    try:
        status = cli.main(standalone_mode=False)
    except click.ClickException as error:
        hint = " (--help explains the command)" if error.exit_code == 2 else ""  # noqa: PLR2004
        click.echo(f"keypost: {error.format_message()}{hint}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("keypost: stopped", err=True)
        sys.exit(130)
    except (KeypostError, ClientError, BotoCoreError) as error:
        click.echo(f"keypost: {error}", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


@click.group()
def cli() -> None:
    """Keypost: a paid order becomes a license in the customer's mailbox."""


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
    try:
        entries = tomllib.loads(file.read_text("utf-8")).get("product")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not TOML: {error}") from None
    if not entries or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInput(f"{file} has no [[product]]: docs/catalog.md shows one")
    found = [read_product(entry) for entry in entries]
    to = stacks.connect(stack)
    for product in found:
        to.store.put_product(product)
        click.echo(f"{product.sku}: applied")
    poked = poke_waiting(to.store, to.queue, Reason.PRODUCT)
    if poked:
        click.echo(f"waiting orders that Keypost tries again: {poked}")


@cli.group("stock")
def stock_group() -> None:
    """Activation codes."""


@stock_group.command("import")
@click.argument("file", type=_FILE)
@click.option("--sku", help="The product of all codes, if the file has no column sku.")
@click.option("--batch", help="A name for these codes, if the file has no column batch.")
@_stack
def import_stock(file: Path, sku: str | None, batch: str | None, stack: str | None) -> None:
    """Add the codes of FILE (CSV) to the stock, each code once.

    Codes that are wrong or already known are left out and reported by line; the exit status is then 1.
    Orders that waited for stock go on.
    """
    text = text_of(file.read_bytes())
    done, faults = stock.import_file(stacks.connect(stack), text, sku, batch)
    for fault in faults:
        click.echo(f"{file}:{fault.line}: {fault.reason}", err=True)
    click.echo(f"codes added: {done.added}, left out: {len(faults)}")
    if done.serves:
        click.echo(f"waiting orders that Keypost tries again: {done.serves}")
    if faults:
        raise KeypostError(f"{len(faults)} lines were left out, see above; the other codes were added")


@cli.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(0, 366), help="How far to look ahead.")
@click.option("--hold", metavar="ORDER", help="Hold this order, so that nothing is sent for it.")
@click.option("--release", metavar="ORDER", help="Release this order, for whatever reason it was held.")
@_stack
def due(days: int, hold: str | None, release: str | None, stack: str | None) -> None:
    """List what Keypost will send on which day, what it will not send, and why."""
    to = stacks.connect(stack)
    for order_id, change, said in ((hold, support.hold, "is held"), (release, support.release, "is released")):
        if order_id:
            _change(to, order_id, change)
            click.echo(f"order {order_id} {said}")
    if hold or release:
        return
    rows = due_within(to.store, days, datetime.now(UTC), to.zone)
    for row in rows:
        lines = ", ".join(map(str, row.lines))
        kept_back = f": not sent, {row.why_not}" if row.why_not else ""
        day = row.day.isoformat() if row.day else "unknown"
        click.echo(f"{day:<10}  {row.order_id}  {row.purpose} (line {lines}){kept_back}")
    kept = sum(row.why_not is not None for row in rows)
    click.echo(f"mails due within {days} days: {len(rows) - kept}, kept back: {kept}")


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
@_stack
def erase(stack: str | None, *, yes: bool) -> None:
    """Erase a customer from all their orders. Asks for the address, or reads it from standard input.

    Keypost sends the customer nothing more. Their orders stay, without the customer, for as long as tax law requires.
    """
    address, to = _typed_address(), stacks.connect(stack)
    if not yes and sys.stdin.isatty():
        click.confirm("This cannot be undone. Erase this customer?", abort=True)
    erased = to.desk.erase(address, Asked(*_now_and_who()), to.fiscal_years)
    for order in erased:
        todo = ": end its subscription at the provider, then `keypost subscription-ended`"
        click.echo(f"order {order.id} erased" + (todo if order.is_charged_again else ""))
    click.echo(f"orders erased: {len(erased)}")


@cli.command()
@_stack
def export(stack: str | None) -> None:
    """Print all that is known of a customer, as JSON. Asks for the address, or reads it from standard input."""
    address, to = _typed_address(), stacks.connect(stack)
    now, _ = _now_and_who()
    found = [story(order, now, to.zone, to.store.beside(order)) for order in to.store.orders_of(address)]
    click.echo(TypeAdapter(list[Story]).dump_json(found, indent=2))


def _typed_address() -> str:
    typed = click.prompt("E-mail address", err=True) if sys.stdin.isatty() else sys.stdin.read()
    try:
        return email_address(typed.strip())
    except ValueError:
        raise InvalidInput("this is not an e-mail address; nothing was changed") from None


@cli.command()
@click.argument("order_id", metavar="ORDER")
@_stack
def blocked(order_id: str, stack: str | None) -> None:
    """Note that the vendor has blocked the codes of ORDER, whose money was returned after they were sent."""
    _change(stacks.connect(stack), order_id, support.blocked)
    click.echo(f"the codes of order {order_id} are noted as blocked")


@cli.command("subscription-ended")
@click.argument("order_id", metavar="ORDER")
@_stack
def subscription_ended(order_id: str, stack: str | None) -> None:
    """Note that the subscription of ORDER was ended at its provider, which no longer charges the customer."""
    _change(stacks.connect(stack), order_id, support.subscription_ended)
    click.echo(f"the subscription of order {order_id} is noted as ended")


def _change(to: stacks.Stack, order_id: str, change: Callable[[Order, str, datetime], Order]) -> None:
    now, who = _now_and_who()
    to.desk.change(order_id, lambda order: change(order, who, now))


def _now_and_who() -> tuple[datetime, str]:
    return datetime.now(UTC).replace(microsecond=0), keys.agent_name(getpass.getuser())


@cli.group("secrets")
def secrets_group() -> None:
    """The secrets with which callbacks are verified, and the keys for the providers' APIs."""


@secrets_group.command("set")
@click.argument("name", type=click.Choice(NAMES))
@_stack
def set_secret(name: str, stack: str | None) -> None:
    """Set one secret. Asks for its value, or reads it from standard input.

    During a rotation, give the new and the old value with a space between them.
    """
    typed = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    if not typed.strip():
        raise InvalidInput("no value was given; nothing was changed")
    stacks.connect(stack).secrets.set(name, typed.strip())
    click.echo(f"{name} is set. The functions use it within five minutes, or as soon as a callback needs it")


@secrets_group.command("generate")
@click.argument("name", type=click.Choice(["mollie_token", "webhook_signing"]))
@_stack
def generate_secret(name: str, stack: str | None) -> None:
    """Make a new secret, set it, and print it: the only time that it is shown."""
    value = (
        secrets.token_urlsafe(24)
        if name == "mollie_token"
        else "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    )
    stacks.connect(stack).secrets.set(name, value)
    click.echo(value)


@cli.group("support-key")
def support_keys() -> None:
    """The keys that open the support API."""


@support_keys.command("create")
@click.option("--agent", required=True, help="The person or program that gets the key; timelines show this name.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(keys.SCOPES),
    default=keys.DEFAULT_SCOPES,
    show_default=True,
    help="What the key opens; repeat the option for each scope.",
)
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long the key is valid.")
@_stack
def create_key(agent: str, scopes: tuple[str, ...], days: int, stack: str | None) -> None:
    """Make a key for one agent and print it: the only time that it is shown, because only its digest is stored."""
    key, kept = keys.new_key(agent, scopes, days, datetime.now(UTC).replace(microsecond=0))
    to = stacks.connect(stack)
    to.store.put_support_key(kept)
    until = local_day(kept.expires_at, to.zone)
    click.echo(f"key {kept.id} of {agent} opens {', '.join(kept.scopes)} until {until}:", err=True)
    click.echo(key)


@support_keys.command("list")
@_stack
def list_keys(stack: str | None) -> None:
    """List all keys that were ever made, and the day of their last use. The keys themselves are not stored."""
    now, to = datetime.now(UTC), stacks.connect(stack)
    for key in to.store.support_keys():
        state = keys.state(key, now)
        until = local_day(key.revoked_at or key.expires_at, to.zone)
        used = f"last used {key.last_used}" if key.last_used else "never used"
        click.echo(f"{key.id}  {state:<7}  {until}  {key.agent}  ({', '.join(key.scopes)}), {used}")


@support_keys.command("revoke")
@click.argument("key_id")
@_stack
def revoke_key(key_id: str, stack: str | None) -> None:
    """Revoke a key: within a minute it is refused. KEY_ID is the part between the two _, as `list` shows it."""
    if not stacks.connect(stack).store.revoke_support_key(key_id, datetime.now(UTC).replace(microsecond=0)):
        raise KeypostError(f"there is no key {key_id}: `keypost support-key list` shows their ids")
    click.echo(f"key {key_id} is revoked; within a minute every call with it is refused")


cli.add_command(mail_group)
cli.add_command(local)
