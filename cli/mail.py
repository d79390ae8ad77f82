"""The mails, for who writes or checks them."""

from pathlib import Path

import click

from cli.local.mailbox import sample
from cli.local.samples import NAMES
from keypost.emails.languages import LANGUAGES
from keypost.errors import KeypostError


@click.group("mail")
def mail_group() -> None:
    """The e-mails."""


@mail_group.command("preview")
@click.argument("kind", type=click.Choice(NAMES), metavar="KIND")
@click.option("--lang", "language", default="nl", show_default=True, type=click.Choice(LANGUAGES))
@click.option("--out", default=Path(), type=click.Path(file_okay=False, path_type=Path), help="Where to; default here.")
def preview(kind: str, language: str, out: Path) -> None:
    """Write a mail from made-up data as HTML, text and whole message (.eml). No stack is needed.

    With a KIND that does not exist, the answer lists those that do.
    """
    mail = sample(kind, language)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for ending, content in {"html": mail.html.encode(), "txt": mail.text.encode(), "eml": mail.raw}.items():
            path = out / f"{kind}-{language}.{ending}"
            path.write_bytes(content)
            click.echo(path)
    except OSError as error:
        raise KeypostError(f"{out} cannot be written to: {error.strerror}") from None
    click.echo(f"Subject: {mail.subject.strip()}")
