"""`keypost local`: the demonstration, and the stack that stays up."""

import json
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from types import FrameType
from typing import Any

import click
from botocore.exceptions import BotoCoreError

from cli import tables
from cli.click_words import Group
from cli.local.deploy import ROOT
from cli.local.directory import locked, own_part, private, written
from cli.local.logs import log_lines
from cli.local.mailbox import SentMail
from cli.local.renewals import show_renewals
from cli.local.samples import SHOP, sample_products
from cli.local.shop import MOST, TELL
from cli.local.stack import LocalStack, describe, local_stack
from cli.speech import lang, speech, text
from cli.stacks import LOCAL_STACK_FILE, local_session
from keypost.core.errors import KeypostError
from keypost.core.languages import DEFAULT
from keypost.core.mail import MailState
from keypost.core.order import Order
from keypost.core.said import Said
from keypost.words import LANGUAGES, moment, names_of, sentence

_DIRECTORY = LOCAL_STACK_FILE.parent.absolute()
_ORDER_ID = "2026-001234"
_SECONDS_TO_MAIL = 60
_SHORT_ID = 12  # characters
_SILENT = "the local stack of .local/stack.json does not answer: start it with `make run`"


@click.group(cls=Group)
def local() -> None:
    """The whole system on this machine, without an AWS account."""
    # `kill` and a closed terminal stop it and all that it started, as Ctrl-C does, even if a shell has Ctrl-C ignored.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _stop)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@local.command()
@lang
def demo() -> None:
    """Start the system, sell one licence through Stripe, show its e-mail and two renewals, and stop."""
    started = time.monotonic()
    with own_part(private(_DIRECTORY)) as part, local_stack(part, _progress) as stack:
        show_renewals(stack, sell_one(stack), _progress)
        pages = [text(name) for name, _ in _pages(stack)]
    click.echo(f"\nAll of it worked, in {time.monotonic() - started:.0f} s.")
    click.echo(tables.paragraph(text("local_look", pages=pages)))


@local.command()
@lang
def run() -> None:
    """Start the system, sell one licence, and stay up with a mailbox page until Ctrl-C."""
    with locked(private(_DIRECTORY) / "run.lock") as is_ours:
        if not is_ours:
            raise KeypostError("local_stack_is_up", url=_mailbox_there())
        _stay_up()


def _mailbox_there() -> str | None:
    """The address of the mailbox of another `make run`; None while that starts."""
    try:
        (url,) = _stack_file("mailbox_url")
    except KeypostError:
        return None
    return url


def _stay_up() -> None:
    with own_part(_DIRECTORY) as part, local_stack(part, _progress) as stack:
        written(LOCAL_STACK_FILE, describe(stack))
        try:
            sell_one(stack)
            click.echo()
            _show_places(stack)
            click.echo(f"\n{text('local_until')}")
            signal.pause()
        except KeyboardInterrupt:
            click.echo("\nStopping")
        finally:
            LOCAL_STACK_FILE.unlink(missing_ok=True)


def _pages(stack: LocalStack) -> list[tuple[str, str]]:
    """What each page is called, and its address."""
    return [
        ("local_mailbox", stack.mailbox.url),
        ("local_gallery", f"{stack.mailbox.url}/gallery"),
        ("local_shop", f"{stack.mailbox.url}/#shop"),
        ("local_guide", stack.guide_url),
        ("local_resend", stack.resend_url),
        ("local_support", stack.support_page_url),
    ]


def _show_places(stack: LocalStack) -> None:
    """Print where everything is, an address a line: a program or a person copies it from there."""
    curl = f'curl -H "Authorization: Bearer {stack.support_key}" {stack.api_url}/orders/{_ORDER_ID}'
    places = [
        *((text(name), url) for name, url in _pages(stack)),
        (text("local_key"), stack.support_key),
        ("Callbacks", f"{stack.api_url}/callbacks/stripe"),
        ("API", curl),
        (text("local_secrets"), str(LOCAL_STACK_FILE)),
    ]
    width = max(len(name) for name, _ in places)
    for name, place in places:
        click.echo(f"{name:{width}}  {place}")


@local.command()
@click.argument("order")
@click.option("--provider", type=click.Choice(list(TELL)), default="stripe", show_default=True)
@click.option("--sku", default="KASPERSKY-STANDARD-3D-1Y", show_default=True)
@click.option("--quantity", type=click.IntRange(1, MOST), default=1, show_default=True)
@click.option("--email", default="klant@klant.example", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT, show_default=True)
def pay(order: str, **bought: Any) -> None:
    """Pay an order in the made-up shop of `make run`; ORDER is its number."""
    _ask_shop("pay", order_id=order, **bought)


@local.command()
@click.argument("order")
@click.option("--amount", help="In euros, such as 10.00. Default: everything that is not refunded yet.")
def refund(order: str, amount: str | None) -> None:
    """Refund ORDER."""
    _ask_shop("refund", order_id=order, amount=amount)


@local.command()
@click.argument("order")
@click.option("--won/--lost", default=None, help="End the dispute: the shop wins, or loses.")
def dispute(order: str, won: bool | None) -> None:
    """Let the customer of ORDER dispute the payment, or end that dispute."""
    if won is None:
        _ask_shop("dispute", order_id=order)
    else:
        _ask_shop("close-dispute", order_id=order, won=won)


@local.command()
@click.argument("function", default="")
def logs(function: str) -> None:
    """Print what the functions of `make run` logged, or only FUNCTION, by its name in template.yaml.

    Times are those of the shop's time zone.
    """
    endpoint_url, region, stack = _stack_file("endpoint_url", "region", "stack")
    try:
        lines = log_lines(local_session(endpoint_url, region), stack, function)
    except BotoCoreError:
        raise KeypostError(_SILENT) from None
    for line in lines:
        click.echo(f"{line.at.astimezone(SHOP.zone):%H:%M:%S} {line.function} {line.text}")
    if not lines:
        click.echo(f"{function or 'No function'} has logged nothing", err=True)


def _stack_file(*names: str) -> list[str]:
    """These values of .local/stack.json. KeypostError if no local stack is running."""
    try:
        about = json.loads(LOCAL_STACK_FILE.read_text("utf-8"))
        return [about[name] for name in names]
    except FileNotFoundError:
        raise KeypostError("no_local_stack") from None
    except (ValueError, KeyError, TypeError):
        raise KeypostError("stack_file_damaged") from None


def _ask_shop(action: str, **given: Any) -> None:
    """Call the shop of `make run`, and print what Keypost answered to the shop's callback."""
    (url,) = _stack_file("mailbox_url")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/shop/{action}", json.dumps(given).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise KeypostError(json.load(error)["detail"]) from None
    except OSError:
        raise KeypostError("local_stack_silent") from None
    if told["answered"] >= 300:  # noqa: PLR2004
        raise KeypostError(f"Keypost answered the callback with {told['answered']} {told['said']}")
    click.echo(f"Order {told['order_id']} is {told['state']}: Keypost answered the callback with {told['answered']}")
    click.echo(f"Look at {url}/#shop")


def _progress(doing: str) -> None:
    click.echo(f"- {doing}", err=True)
    sys.stderr.flush()


def sell_one(stack: LocalStack, order_id: str = _ORDER_ID, seconds: float = _SECONDS_TO_MAIL) -> Order:
    """Make one sale, from Stripe's event to the mail. KeypostError says which part did not happen."""
    _progress("Posting Stripe's event of a paid order, signed as Stripe signs it")
    event = json.loads((ROOT / "events/stripe/checkout.session.completed.json").read_text("utf-8"))
    status, answer = stack.stripe_calls(json.dumps(event | {"created": int(time.time())}).encode())
    if status != 200:  # noqa: PLR2004
        raise KeypostError(f"the callback was answered {status} {answer}")
    _progress("Waiting for the mail")
    order = stack.order_when(order_id, _is_mailed, seconds)
    _show(stack.mailbox.mails[0], order, stack.stack.zone)
    return order


def _is_mailed(order: Order) -> bool:
    return any(mail.state is MailState.SENT for mail in order.mails)


def _show(mail: SentMail, order: Order, zone: tzinfo) -> None:
    page = _DIRECTORY / "mail.html"
    page.write_text(mail.html, "utf-8")
    click.echo(f"\nTo:      {', '.join(mail.to)}\nSubject: {mail.subject}\n\n{mail.text}")
    click.echo(f"The mail as HTML: {page.relative_to(Path.cwd())}\n")
    click.echo(f"What the table says about order {order.id}:")
    for license_ in order.licenses:
        days = f"{license_.first_day} up to and including {license_.last_day}"
        told = f"license {license_.id}: {license_.sku}, code …{license_.code[-5:]}, {days}"
        click.echo(tables.paragraph(told, "  "))
    to = speech().reader(names_of(sample_products(), speech().language), zone)
    for entry in order.timeline:
        told = f"{moment(entry.at, to)}  {sentence(Said(entry.code, _short(entry.values)), to)}"
        click.echo(tables.paragraph(told, "  "))


def _short(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an entry; of a payment's id only the beginning, since Stripe's fill a line each."""
    ids = {name: str(value)[:_SHORT_ID] for name, value in values.items() if name == "payment"}
    return {**values, **{name: f"{begin}…" for name, begin in ids.items() if begin != values[name]}}
