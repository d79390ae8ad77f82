"""`keypost local`: the demonstration, and the stack that stays up."""

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from cli.local.deploy import ROOT
from cli.local.mailbox import SentMail
from cli.local.renewals import show_renewals
from cli.local.stack import LocalStack, describe, local_stack
from cli.stacks import LOCAL_STACK_FILE
from keypost.errors import KeypostError
from keypost.models import MailState, Order

_DIRECTORY = LOCAL_STACK_FILE.parent.absolute()
_ORDER_ID = "2026-001234"
_SECONDS_TO_MAIL = 60


@click.group()
def local() -> None:
    """The whole system on this machine, without an AWS account."""
    # `kill` and a closed terminal end it as Ctrl-C does, even where a shell had that ignored: with all it started.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _stop)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@local.command()
def demo() -> None:
    """Start the system, sell one license through Stripe, show the e-mail, then two renewals, stop."""
    started = time.monotonic()
    with local_stack(_DIRECTORY, _progress) as stack:
        show_renewals(stack, sell_one(stack), _progress)
    click.echo(f"\nAll of it worked, in {time.monotonic() - started:.0f} s. To look around: make run")


@local.command()
def run() -> None:
    """The same as demo, and stay up with a mailbox page until Ctrl-C."""
    with local_stack(_DIRECTORY, _progress) as stack:
        LOCAL_STACK_FILE.write_text(describe(stack))
        try:
            sell_one(stack)
            click.echo(
                f"\nMailbox    {stack.mailbox.url}\n"
                f"Callbacks  {stack.api_url}/callbacks/stripe and /callbacks/webhook\n"
                f"Secrets    {LOCAL_STACK_FILE}\n\nIt stays up until Ctrl-C."
            )
            signal.pause()
        except KeyboardInterrupt:
            click.echo("\nStopping")
        finally:
            LOCAL_STACK_FILE.unlink(missing_ok=True)


def _progress(doing: str) -> None:
    click.echo(f"- {doing}", err=True)
    sys.stderr.flush()


def sell_one(stack: LocalStack) -> Order:
    """One sale from Stripe's event to the mail. KeypostError says what did not happen."""
    _progress("Posting Stripe's event of a paid order, signed as Stripe signs it")
    event = json.loads((ROOT / "events/stripe/checkout.session.completed.json").read_text("utf-8"))
    status, answer = stack.stripe_calls(json.dumps(event | {"created": int(time.time())}).encode())
    if status != 200:  # noqa: PLR2004
        raise KeypostError(f"the callback was answered {status} {answer}")
    _progress("Waiting for the mail")
    order = stack.order_when(_ORDER_ID, _is_mailed, _SECONDS_TO_MAIL)
    _show(stack.mailbox.mails[0], order)
    return order


def _is_mailed(order: Order) -> bool:
    return any(mail.state is MailState.SENT for mail in order.mails)


def _show(mail: SentMail, order: Order) -> None:
    page = _DIRECTORY / "mail.html"
    page.write_text(mail.html, "utf-8")
    click.echo(f"\nTo:      {', '.join(mail.to)}\nSubject: {mail.subject}\n\n{mail.text}")
    click.echo(f"As HTML: {page.relative_to(Path.cwd())}\n")
    click.echo(f"What the table says of order {order.id}:")
    for license_ in order.licenses:
        click.echo(
            f"  license {license_.id}: {license_.sku}, code …{license_.code[-5:]}, "
            f"{license_.first_day} up to and including {license_.last_day}"
        )
    for entry in order.timeline:
        click.echo(f"  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.what}: {entry.why}")
