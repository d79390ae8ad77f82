"""`keypost doctor`."""

from dataclasses import dataclass
from datetime import UTC, datetime

import click
from pydantic import TypeAdapter

from cli import stacks, tables
from cli.click_words import Command
from cli.doctor import looking
from cli.doctor.checks import Finding, State, findings, left_out
from cli.orders import as_json, stack_option
from cli.speech import lang, say, speech, text
from keypost.words import sentence, worded

_FINDING = TypeAdapter(Finding)


@dataclass(frozen=True, slots=True)
class Told:
    """How a finding begins."""

    word: str
    color: str


_TOLD = {
    State.RIGHT: Told("doctor_right", "green"),
    State.WRONG: Told("doctor_wrong", "red"),
    State.UNSEEN: Told("doctor_unseen", "yellow"),
}


@click.command(cls=Command)
@as_json
@lang
@stack_option
def doctor(stack: str | None, *, as_json: bool) -> None:
    """Say what is not right yet with a stack, in the order in which one mends it, and the command that mends it.

    Changes nothing. The exit status is 1 while something is not right, or could not be read.
    """
    facts = looking.look(stacks.found(stack), looking.resolve, datetime.now(UTC))
    found = list(findings(facts))
    for each in found:
        if as_json:
            click.echo(_FINDING.dump_json(worded(each, speech().reader())))
        else:
            show(each)
    if not as_json:
        _summarize(found, left_out(facts))
    if any(each.state is not State.RIGHT for each in found):
        click.get_current_context().exit(1)


def show(finding: Finding) -> None:
    """A finding in a paragraph, and the command that mends it in a line of its own, whole, so that it can be copied."""
    told = _TOLD[finding.state]
    width = max(len(text(each.word)) for each in _TOLD.values())
    indent = " " * (width + 2)
    words = tables.paragraph(sentence(finding.why, speech().reader()), indent).removeprefix(indent)
    click.echo(f"{click.style(f'{text(told.word):<{width}}', fg=told.color)}  {words}")
    if finding.mend:
        click.echo(f"{indent}$ {finding.mend}")


def _summarize(found: list[Finding], unchecked: list[str]) -> None:
    if unchecked:
        say("doctor_left_out", checks=unchecked)
    wrong, unseen = (sum(each.state is state for each in found) for state in (State.WRONG, State.UNSEEN))
    say("doctor_found", wrong=wrong, unseen=unseen or None) if wrong or unseen else say("doctor_all_right")
