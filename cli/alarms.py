"""`keypost alarms`: which alarms of a stack ring, since when, and what to do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from cli import stacks, tables
from cli.click_words import Command
from cli.orders import as_json, stack_option
from cli.speech import lang, say, speech, text
from keypost.words import Reader, moment, page_words

_AT_ONCE = 100  # names in a request
_RINGS = "ALARM"
_STATES = {_RINGS: "alarm_rings", "INSUFFICIENT_DATA": "alarm_unheard", "OK": "alarm_quiet"}  # in the order shown
_COLORS = {_RINGS: "red", "INSUFFICIENT_DATA": "yellow", "OK": "green"}


@dataclass(frozen=True, slots=True)
class Alarm:
    name: str  # in template.yaml
    state: str  # as CloudWatch has it
    since: datetime
    description: str  # in English
    page: str  # the address or the file of what to do; empty if the description ends with none

    @property
    def subject(self) -> str:
        """The name of its page without what is around it."""
        return self.page.rpartition("/")[2].removesuffix(".md")


def alarms_of(at: stacks.Found) -> list[Alarm]:
    """The alarms of a stack, those that ring first."""
    names = {physical: name for name, physical in at.resources("AWS::CloudWatch::Alarm").items()}
    found = [alarm_of(names[each["AlarmName"]], each) for each in _described(at.session, list(names))]
    return sorted(found, key=lambda each: (list(_STATES).index(each.state), each.name))


def _described(session: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    asked = session.client("cloudwatch").get_paginator("describe_alarms")
    for start in range(0, len(names), _AT_ONCE):
        for page in asked.paginate(AlarmNames=names[start : start + _AT_ONCE]):
            yield from page["MetricAlarms"]


def alarm_of(name: str, told: dict[str, Any]) -> Alarm:
    """An alarm as CloudWatch describes it. Its page stands at the end of its description."""
    description, _, last = told.get("AlarmDescription", "").rpartition(" ")
    is_page = last.startswith(("https://", "docs/runbook/"))
    words = description if is_page else f"{description} {last}".strip()
    return Alarm(name, told["StateValue"], told["StateUpdatedTimestamp"], words, last if is_page else "")


@click.command("alarms", cls=Command)
@click.option("--all", "all_", is_flag=True, help="Those that are quiet too.")
@as_json
@lang
@stack_option
def show_alarms(stack: str | None, *, all_: bool, as_json: bool) -> None:
    """Show which alarms ring, since when, what to do, and the page that has the commands for it.

    The exit status is 1 while one rings.
    """
    at = stacks.found(stack)
    zone, found = at.connected().zone, alarms_of(at)
    shown = found if all_ or as_json else [each for each in found if each.state == _RINGS]
    for each in shown:
        if as_json:
            click.echo(json.dumps(_told(each), ensure_ascii=False))
        else:
            _show(each, speech().reader(zone=zone))
    if not as_json:
        counts = Counter(each.state for each in found)
        say("alarms_found", rings=counts[_RINGS], quiet=counts["OK"], unheard=counts["INSUFFICIENT_DATA"])
    if any(each.state == _RINGS for each in found):
        click.get_current_context().exit(1)


def _told(alarm: Alarm) -> dict[str, str]:
    since = alarm.since.isoformat()
    return {"alarm": alarm.name, "state": alarm.state, "since": since, "to_do": to_do(alarm), "page": alarm.page}


def to_do(alarm: Alarm) -> str:
    """What to do, in the language of the command; as the alarm itself says it, where a newer stack has one that this
    command does not know."""
    words: dict[str, str] = page_words(speech().language, "runbook.toml")["alarms"]
    return words.get(alarm.subject, alarm.description)


def _show(alarm: Alarm, to: Reader) -> None:
    width = max(len(text(code)) for code in _STATES.values())
    state, indent = text(_STATES[alarm.state]), " " * (width + 2)
    click.echo(f"{click.style(f'{state:<{width}}', fg=_COLORS[alarm.state])}  {alarm.name}  ", nl=False)
    click.echo(moment(alarm.since, to))
    if alarm.state == _RINGS:
        click.echo(tables.paragraph(to_do(alarm), indent))
        click.echo(f"{indent}{alarm.page}")
