"""docs/performance.md, made from the goals and from the run that was committed."""

from collections.abc import Mapping
from pathlib import Path

from tests.bench.bill import bill
from tests.bench.figures import Figure, Goal, area_of
from tests.bench.memory import reasons

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"

_HEAD = """\
# What does Keypost cost?

`make bench` measured these figures and wrote this page; nobody edits it by hand. It builds what `sam deploy` uploads,
needs no network, and compares each figure with a baseline of the same run: counts and ratios do not depend on the
machine. Goals stand in `tests/bench/goals.toml`. *Floor* is what no version can be below, *before* what the figure was
when the work on it began. A cold start is counted until its function could serve its first call. Only its *before* has
the end of the process in it too, which Lambda never pays: without that it would stand some 0.1 higher.
"""

_AREAS = {
    "calls": "Calls of AWS for each event",
    "waiting": "What others wait for",
    "cold": "Cold start",
    "size": "Size of the layers",
    "warm": "Instructions for each delivered licence",
    "growth": "Growth of the table and of an order",
    "contention": "Many workers at one stock",
    "busy_days": "A flash sale and a renewal day",
    "dollars": "Dollars",
}


def page(goals: Mapping[str, Goal], measured: Mapping[str, Figure]) -> str:
    others = {area_of(name) for name in measured} - _AREAS.keys()
    areas = _AREAS | {area: area for area in sorted(others)}
    parts = [part for area, words in areas.items() for part in _area(area, words, goals, measured)]
    return "\n".join([_HEAD, *parts, *_missed(goals, measured), *filter(None, [bill(measured), reasons(measured)])])


def _area(area: str, words: str, goals: Mapping[str, Goal], measured: Mapping[str, Figure]) -> list[str]:
    rows = table(
        {name: goal for name, goal in goals.items() if area_of(name) == area},
        {name: figure for name, figure in measured.items() if area_of(name) == area},
    )
    return [f"## {words}\n", rows] if rows else []


def _missed(goals: Mapping[str, Goal], measured: Mapping[str, Figure]) -> list[str]:
    """What misses its goal, and why."""
    names = [name for name, goal in goals.items() if name in measured and not goal.is_met(measured[name].value)]
    rows = [f"- **{name}**: {goals[name].why}" for name in names]
    return ["## What misses its goal, and why\n", "\n".join(rows) + "\n"] if rows else []


def table(goals: Mapping[str, Goal], measured: Mapping[str, Figure]) -> str:
    """Markdown, those with a goal first; empty when nothing was measured."""
    names = [name for name in goals if name in measured] + [name for name in measured if name not in goals]
    if not names:
        return ""
    head = "| figure | | goal | floor | before | now |\n| --- | --- | ---: | ---: | ---: | ---: |\n"
    return head + "".join(_row(goals.get(name, Goal("")), measured[name]) for name in names)


def _row(goal: Goal, figure: Figure) -> str:
    asked = _number(goal.goal) if goal.exactly is None else f"exactly {_number(goal.exactly)}"
    now = _number(figure.value) + ("" if figure.unit in {"ratio", "count"} else f" {figure.unit}")
    bold = now if goal.is_met(figure.value) else f"**{now}**"
    return f"| {figure.name} | {goal.what} | {asked} | {_number(goal.floor)} | {_number(goal.before)} | {bold} |\n"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"
