"""Figures of the bench, the goals they are held to (goals.toml) and those of the last run that was committed
(measured.json). A goal is changed by a decision, measured.json by a run."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GOALS, MEASURED = HERE / "goals.toml", HERE / "measured.json"
WORSE = 1.02  # a run fails above this multiple of the committed figure; some instructions differ from run to run


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, or a ratio to a baseline of the same run. Never a time: that is another one on every machine."""

    name: str  # area/what, such as cold/find_due_orders
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure may be at most, or exactly."""

    what: str  # for the table
    goal: float | None = None
    exactly: float | None = None
    floor: float | None = None  # no figure can be below it, where that is known
    before: float | None = None  # what it was when the goals were set
    why: str = ""  # it is missed

    def is_met(self, value: float) -> bool:
        if self.exactly is not None:
            return value == self.exactly
        return self.goal is None or value <= self.goal


def area_of(name: str) -> str:
    return name.partition("/")[0]


def read_goals(path: Path = GOALS) -> dict[str, Goal]:
    areas = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{area}/{name}": Goal(**goal) for area, goals in areas.items() for name, goal in goals.items()}


def read_measured(path: Path = MEASURED) -> dict[str, Figure]:
    listed: list[Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return {row["name"]: Figure(**row) for row in listed}


def write_measured(figures: Iterable[Figure], path: Path = MEASURED) -> None:
    """A figure a line, so that a change can be read as a difference."""
    rows = ",\n".join(json.dumps(asdict(figure)) for figure in sorted(figures, key=lambda figure: figure.name))
    path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def missed(figures: Sequence[Figure], goals: Mapping[str, Goal]) -> list[str]:
    """What misses its goal, in words."""
    return [
        f"{figure.name} is {figure.value:g} and misses its goal"
        for figure in figures
        if figure.name in goals and not goals[figure.name].is_met(figure.value)
    ]


def left_out(figures: Sequence[Figure], goals: Mapping[str, Goal]) -> list[str]:
    """What a run of whole areas did not measure although it has a goal, in words."""
    measured = {figure.name for figure in figures}
    areas = {area_of(name) for name in measured}
    return [
        f"{name} has a goal and was not measured" for name in goals if area_of(name) in areas and name not in measured
    ]


def worse(figures: Sequence[Figure], committed: Mapping[str, Figure]) -> list[str]:
    """What is worse than in the run that was committed, in words."""
    return [
        f"{figure.name} is {figure.value:g} and was {committed[figure.name].value:g} in the run that was committed"
        for figure in figures
        if figure.name in committed and figure.value > committed[figure.name].value * WORSE
    ]
