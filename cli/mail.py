"""`keypost mail`: previews for people who write mails, and a test that a deployed stack can send."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click
from pydantic import TypeAdapter

from cli import orders, smoke_test, stacks, tables, who
from cli.click_words import Command, Group
from cli.local.gallery import title, titles
from cli.local.mailbox import sample
from cli.local.samples import NAMES
from cli.orders import as_json, stack_option
from cli.speech import lang, say, speech, text
from keypost.core.errors import KeypostError
from keypost.core.languages import DEFAULT
from keypost.core.mails_of_day import Became, MailOfDay
from keypost.core.periods import local_day
from keypost.use_cases.list_mails import NotAgain, check_day, mails_of_day, send_day_again
from keypost.words import LANGUAGES, Reader, moment, sentence, worded

_MAIL = TypeAdapter(MailOfDay)
_BECAME = {Became.SENT: "became_sent", Became.FAILED: "became_failed", Became.CAME_BACK: "became_came_back"}
_day = click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="In the shop's time zone. Default: today."
)


@click.group("mail", cls=Group)
def mail_group() -> None:
    """The e-mails."""


class _Preview(Command):
    """Its help lists the kinds of mail by what they are, in the language of the command line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        with formatter.section(text("kinds")):
            formatter.write_dl(list(titles(speech().language).items()))


@mail_group.command("preview", cls=_Preview)
@click.argument("kind", type=click.Choice(NAMES), metavar="KIND")
@click.option("--lang", "language", default=DEFAULT, show_default=True, type=click.Choice(LANGUAGES))
@click.option(
    "--out", default=Path(), type=click.Path(file_okay=False, path_type=Path), help="The folder; default this one."
)
def preview(kind: str, language: str, out: Path) -> None:
    """Write a mail from made-up data as HTML, text and whole message (.eml). No stack is needed."""
    mail = sample(kind, language)
    click.echo(title(kind, speech().language))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for ending, content in {"html": mail.html.encode(), "txt": mail.text.encode(), "eml": mail.raw}.items():
            path = out / f"{kind}-{language}.{ending}"
            path.write_bytes(content)
            click.echo(path)
    except OSError:
        raise KeypostError("not_writable", path=out) from None
    say("subject", subject=mail.subject.strip())


@mail_group.command("list")
@_day
@click.option("--state", type=click.Choice([each.value for each in Became]), help="Only those with this state.")
@as_json
@lang
@stack_option
def list_mails(day: datetime | None, state: str | None, stack: str | None, *, as_json: bool) -> None:
    """List what was sent, failed and came back on a day."""
    to = stacks.connect(stack)
    wanted, reader, rows, after = _checked(to, day), orders.reader_of(to), list[tuple[str, ...]](), None
    while True:
        page = mails_of_day(to.desk, wanted, Became(state) if state else None, after)
        for mail in page.mails:
            if as_json:
                click.echo(_MAIL.dump_json(worded(mail, reader)))
            rows.append(_mail_row(mail, reader))
        after = page.next
        if after is None:
            break
    if not as_json:
        titles = ("col_order", "col_customer", "col_mail", "col_became", "col_when", "col_reason")
        tables.show([text(title) for title in titles], rows)
        say("mails_count", day=wanted, count=len(rows))


def _mail_row(mail: MailOfDay, to: Reader) -> tuple[str, ...]:
    return (
        mail.order_id,
        mail.customer or "-",
        text(f"purpose_{mail.purpose}"),
        text(_BECAME[mail.state]),
        moment(mail.at, to),
        sentence(mail.why, to) if mail.why else "-",
    )


@mail_group.command("resend")
@_day
@who.reason
@who.agent
@lang
@stack_option
def resend_mails(day: datetime | None, why: str, agent: str | None, stack: str | None) -> None:
    """Send again all that failed or came back on a day, one mail per order, with progress."""
    to = stacks.connect_to_write(stack)
    wanted, asked, after, sent, left_out = _checked(to, day), who.asked(to, why, agent), None, 0, list[NotAgain]()
    with click.progressbar(length=0, label=text("sending_again"), file=sys.stderr) as bar:
        while True:
            page = send_day_again(to.desk, wanted, asked, after)
            bar.length, sent, left_out = page.orders, sent + len(page.sent), [*left_out, *page.left_out]
            bar.update(page.done - bar.pos)
            after = page.next
            if after is None:
                break
    for each in left_out:
        say("left_out_of_day", err=True, order=each.order_id, why=each.why)
    say("sent_again_of_day", count=sent, left_out=len(left_out))


def _checked(to: stacks.Stack, day: datetime | None) -> date:
    """The day, or today. InvalidInput for one whose mails are not kept."""
    today = local_day(datetime.now(UTC), to.zone)
    check_day(day.date() if day else today, today)
    return day.date() if day else today


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
