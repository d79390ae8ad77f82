"""`keypost mail`: previews for people who write mails, and a test that a deployed stack can send."""

from pathlib import Path

import click

from cli import smoke_test, stacks
from cli.click_words import Group
from cli.local.mailbox import sample
from cli.local.samples import NAMES
from cli.speech import say
from keypost.core.errors import KeypostError
from keypost.words import LANGUAGES


@click.group("mail", cls=Group)
def mail_group() -> None:
    """The e-mails."""


@mail_group.command("preview")
@click.argument("kind", type=click.Choice(NAMES), metavar="KIND")
@click.option("--lang", "language", default="nl", show_default=True, type=click.Choice(LANGUAGES))
@click.option(
    "--out", default=Path(), type=click.Path(file_okay=False, path_type=Path), help="The folder; default this one."
)
def preview(kind: str, language: str, out: Path) -> None:
    """Write a mail from made-up data as HTML, text and whole message (.eml). No stack is needed.

    For a KIND that does not exist, the error lists all kinds.
    """
    mail = sample(kind, language)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for ending, content in {"html": mail.html.encode(), "txt": mail.text.encode(), "eml": mail.raw}.items():
            path = out / f"{kind}-{language}.{ending}"
            path.write_bytes(content)
            click.echo(path)
    except OSError:
        raise KeypostError("not_writable", path=out) from None
    say("subject", subject=mail.subject.strip())


@mail_group.command("smoke-test")
@click.option("--stack", required=True, help="The name of a deployed stack.")
@click.option("--minutes", default=5.0, show_default=True, help="How long to wait for the events of SES.")
def smoke_test_mail(stack: str, minutes: float) -> None:
    """Send to the five addresses of SES's mailbox simulator, and wait for the events of each mail.

    The exit status is 1 if an event is missing. It also works in the sandbox; SES bills five mails.
    """
    to = stacks.connect(stack)
    run = smoke_test.send(to)
    missing = dict(smoke_test.EXPECTED)
    say("smoke_begun", count=len(missing), run=run)
    for arrived in smoke_test.wait(to, run, minutes * 60):
        del missing[arrived.which]
        count, seconds = len(smoke_test.EXPECTED), round(arrived.seconds)
        done = count - len(missing)
        say("smoke_reported", done=done, count=count, which=arrived.which, fate=arrived.fate, seconds=seconds)
    if missing:
        raise KeypostError("smoke_missing", minutes=f"{minutes:g}", missing=[f"{which}@" for which in missing])
    say("smoke_passed")
