"""What a run of the bench says of its figures, and what it writes."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.bench import figures, page
from tests.bench.__main__ import AREAS, Area, Files, main
from tests.bench.figures import (
    Figure,
    Goal,
    area_of,
    left_out,
    missed,
    read_goals,
    read_measured,
    worse,
    write_measured,
)

COLD = Figure("cold/find_due_orders", 0.8, "ratio")
GOALS = {COLD.name: Goal("import and clients", goal=0.8, before=1.36), "cold/other": Goal("import and clients", goal=1)}


def test_a_figure_at_its_goal_meets_it_and_one_above_does_not() -> None:
    assert missed([COLD, Figure("cold/unknown", 9, "ratio")], GOALS) == []
    assert missed([replace(COLD, value=0.81)], GOALS) == ["cold/find_due_orders is 0.81 and misses its goal"]


def test_an_exact_goal_is_missed_from_both_sides() -> None:
    goals = {"contention/licenses": Goal("orders that got a code", exactly=450)}

    assert [bool(missed([Figure("contention/licenses", n, "count")], goals)) for n in (449, 450, 451)] == [1, 0, 1]


def test_a_figure_that_has_a_goal_and_was_not_measured_is_missed_in_its_area_only() -> None:
    assert left_out([COLD], GOALS) == ["cold/other has a goal and was not measured"]
    assert left_out([Figure("size/layer", 1, "MB")], GOALS) == []


def test_a_figure_may_be_two_percent_worse_than_the_committed_one() -> None:
    committed = {COLD.name: COLD}

    assert worse([replace(COLD, value=0.816), Figure("cold/new", 9, "ratio")], committed) == []
    assert worse([replace(COLD, value=0.817)], committed) == [
        "cold/find_due_orders is 0.817 and was 0.8 in the run that was committed"
    ]


def test_what_was_measured_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    write_measured([COLD, Figure("calls/worker", 6, "count")], tmp_path / "measured.json")

    assert read_measured(tmp_path / "measured.json") == {
        "calls/worker": Figure("calls/worker", 6, "count"),
        COLD.name: COLD,
    }


def test_every_goal_has_words_and_a_bound() -> None:
    assert [
        name
        for name, goal in read_goals().items()
        if not goal.what or (goal.goal is None) == (goal.exactly is None) or (goal.floor or 0) > (goal.goal or 1e9)
    ] == []


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench of two areas whose files stand in a directory of their own."""

    files: Files
    areas: tuple[Area, ...]

    def run(self, *words: str) -> int:
        return main(words, self.areas, self.files)

    def has(self, *measured: Figure) -> None:
        write_measured(measured, self.files.measured)

    def cold(self) -> float:
        return read_measured(self.files.measured)[COLD.name].value


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    values = iter([0.8, 0.9, 0.9])
    cold = Area("cold", lambda _: [replace(COLD, value=next(values))])
    calls = Area("calls", lambda _: [Figure("calls/worker", 6, "count"), Figure("calls/shared", 0.5, "ratio")])
    files = Files(tmp_path / "goals.toml", tmp_path / "measured.json", tmp_path / "performance.md")
    files.goals.write_text('[cold]\nfind_due_orders = { what = "import and clients", goal = 0.85 }\n', encoding="utf-8")
    made = Bench(files, (cold, replace(calls, quick=calls.measure)))
    made.has(COLD, Figure("calls/worker", 6, "count"))
    return made


def test_a_run_writes_its_figures_and_the_page_and_keeps_those_of_other_areas(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.run("--areas", "cold") == 0
    assert {name: figure.value for name, figure in read_measured(bench.files.measured).items()} == {
        "calls/worker": 6,
        "cold/find_due_orders": 0.8,
    }
    row = "| cold/find_due_orders | import and clients | 0.85 |  |  | 0.8 |\n"
    assert row in bench.files.page.read_text(encoding="utf-8")
    out, err = capsys.readouterr()
    assert "cold/find_due_orders  import and clients  0.85" in out
    assert "is measured" in err


def test_a_worse_run_fails_and_writes_nothing_unless_it_is_accepted(bench: Bench) -> None:
    assert bench.run() == 0
    assert bench.run() == 1
    assert bench.cold() == 0.8
    assert bench.run("--accept") == 1  # it misses its goal, which nobody can accept
    assert bench.cold() == 0.9


def test_a_quick_run_measures_what_is_quick_and_writes_nothing_and_fails_only_for_what_became_worse(
    bench: Bench,
) -> None:
    bench.files.goals.write_text('[calls]\nworker = { what = "a licence", goal = 5 }\n', encoding="utf-8")

    assert bench.run("--quick") == 0
    assert bench.run("--areas", "calls") == 1
    bench.files.page.unlink()
    bench.has(Figure("calls/worker", 5, "count"))
    assert bench.run("--quick") == 0  # counts have a golden file
    bench.has(Figure("calls/shared", 0.4, "ratio"))
    better = bench.files.measured.read_text(encoding="utf-8")
    assert bench.run("--quick") == 1
    assert bench.files.measured.read_text(encoding="utf-8") == better
    assert not bench.files.page.exists()


def test_the_page_is_written_again_without_a_run(bench: Bench) -> None:
    assert bench.run("--page") == 0
    assert "| calls/worker |  |  |  |  | 6 |\n" in bench.files.page.read_text(encoding="utf-8")


def test_the_page_shows_what_misses_its_goal() -> None:
    assert page.table(GOALS, {COLD.name: replace(COLD, value=0.9)}).splitlines()[2] == (
        "| cold/find_due_orders | import and clients | 0.8 |  | 1.36 | **0.9** |"
    )


def test_the_page_is_what_the_committed_run_wrote() -> None:
    """If not: a goal or the page's words have changed; `python -m tests.bench --page` writes it again."""
    if figures.MEASURED.exists():
        assert page.PAGE.read_text(encoding="utf-8") == page.page(read_goals(), read_measured())


def test_every_figure_that_was_committed_and_misses_its_goal_says_why() -> None:
    goals, measured = read_goals(), read_measured()
    missed_ones = {name for name, goal in goals.items() if name in measured and not goal.is_met(measured[name].value)}

    assert {name for name in missed_ones if not goals[name].why} == set()


def test_every_module_that_measures_is_an_area_and_every_goal_is_of_one() -> None:
    modules = {path.stem for path in figures.HERE.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8")}
    areas = {area.name for area in AREAS}

    assert areas == modules
    assert {area_of(name) for name in read_goals()} <= areas
