"""`keypost secrets` and `keypost support-key`: who may call, and with which proof."""

import base64
import json
import secrets
import sys
from datetime import UTC, datetime

import click

from cli import stacks, tables
from cli.click_words import Group
from cli.orders import as_json, stack_option
from cli.secret_forms import fault_of
from cli.speech import lang, longest_day, say, speech, text
from keypost.clients.secrets import NAMES
from keypost.core import keys
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.periods import local_day
from keypost.words import day

_STATES = ("valid", "expired", "revoked")


@click.group("secrets", cls=Group)
def secrets_group() -> None:
    """The secrets with which callbacks are verified, and the keys for the providers' APIs."""


@secrets_group.command("list")
@as_json
@lang
@stack_option
def list_secrets(stack: str | None, *, as_json: bool) -> None:
    """List the names of the secrets, and which of them are set. Never shows a value."""
    known = stacks.connect(stack).secrets.names()
    if as_json:
        for name in NAMES:
            click.echo(json.dumps({"name": name, "set": name in known}))
        return
    rows = [(name, text("secret_is_set" if name in known else "secret_is_not_set")) for name in NAMES]
    tables.show([text("col_secret"), text("col_state")], rows)


@secrets_group.command("set")
@click.argument("name", type=click.Choice(NAMES))
@stack_option
def set_secret(name: str, stack: str | None) -> None:
    """Set one secret. Asks for its value, or reads it from standard input.

    During a rotation, give the new and the old value with a space between them.
    """
    typed = click.prompt(text("ask_value"), hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    if not typed.strip():
        raise InvalidInput("no_value")
    to = stacks.connect_to_write(stack)
    if fault := fault_of(name, typed, to.parameters.get("Stage", "local")):
        raise InvalidInput("secret_not_set", why=fault)
    to.secrets.set(name, typed.strip())
    say("secret_set", name=name)


@secrets_group.command("generate")
@click.argument("name", type=click.Choice(["mollie_token", "webhook_signing", "events_signing"]))
@stack_option
def generate_secret(name: str, stack: str | None) -> None:
    """Make a new secret, set it, and print it: the only time that it is shown."""
    value = (
        secrets.token_urlsafe(24)
        if name == "mollie_token"
        else "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    )
    stacks.connect_to_write(stack).secrets.set(name, value)
    click.echo(value)


@click.group("support-key", cls=Group)
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
@stack_option
def create_key(agent: str, scopes: tuple[str, ...], days: int, stack: str | None) -> None:
    """Make a key for one agent and print it: the only time that it is shown, because only its digest is stored."""
    key, kept = keys.new_key(agent, scopes, days, datetime.now(UTC).replace(microsecond=0))
    to = stacks.connect_to_write(stack)
    to.store.put_support_key(kept)
    until = local_day(kept.expires_at, to.zone)
    say("key_made", err=True, key=kept.id, agent=agent, scopes=kept.scopes, until=until)
    click.echo(key)


@support_keys.command("list")
@lang
@stack_option
def list_keys(stack: str | None) -> None:
    """List all keys that were ever made, and the day of their last use. The keys themselves are not stored."""
    now, to = datetime.now(UTC), stacks.connect(stack)
    longest = max(len(text(state)) for state in _STATES)
    for key in to.store.support_keys():
        until = day(local_day(key.revoked_at or key.expires_at, to.zone), speech().language)
        click.echo(f"{key.id}  {text(keys.state(key, now)):<{longest}}  {until:<{longest_day()}}  ", nl=False)
        say("key_listed", agent=key.agent, scopes=key.scopes, last_used=key.last_used)


@support_keys.command("revoke")
@click.argument("key_id")
@stack_option
def revoke_key(key_id: str, stack: str | None) -> None:
    """Revoke a key: within a minute it is refused. KEY_ID is the part between the two _, as `list` shows it."""
    if not stacks.connect_to_write(stack).store.revoke_support_key(key_id, datetime.now(UTC).replace(microsecond=0)):
        raise KeypostError("no_such_key", key=key_id)
    say("key_is_revoked", key=key_id)
