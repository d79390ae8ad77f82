"""What a run of the bench says of its figures, and what it writes."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import figures, page
from tests.bench.__main__ import Area, main
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


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A bench of two areas whose files stand in a directory of their own."""
    write_measured([COLD, Figure("calls/worker", 6, "count")], tmp_path / "measured.json")
    values = iter([0.8, 0.9, 0.9])
    cold = Area("cold", lambda _: [replace(COLD, value=next(values))])
    calls = Area("calls", lambda _: [Figure("calls/worker", 6, "count"), Figure("calls/shared", 0.5, "ratio")])
    monkeypatch.setattr(bench, "AREAS", (cold, replace(calls, quick=calls.measure)))
    monkeypatch.setattr(bench, "MEASURED", tmp_path / "measured.json")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(bench, "read_goals", lambda: {COLD.name: Goal("import and clients", goal=0.85)})
    return tmp_path


def test_a_run_writes_its_figures_and_the_page_and_keeps_those_of_other_areas(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--areas", "cold"]) == 0
    assert {name: figure.value for name, figure in read_measured(written / "measured.json").items()} == {
        "calls/worker": 6,
        "cold/find_due_orders": 0.8,
    }
    assert "| cold/find_due_orders | import and clients | 0.85 |  |  | 0.8 |\n" in (
        written / "performance.md"
    ).read_text(encoding="utf-8")
    out, err = capsys.readouterr()
    assert "cold/find_due_orders  import and clients  0.85" in out
    assert "is measured" in err


def test_a_worse_run_fails_and_writes_nothing_unless_it_is_accepted(written: Path) -> None:
    assert main([]) == 0
    assert main([]) == 1
    assert read_measured(written / "measured.json")[COLD.name].value == 0.8
    assert main(["--accept"]) == 1  # it misses its goal, which nobody can accept
    assert read_measured(written / "measured.json")[COLD.name].value == 0.9


def test_a_quick_run_measures_what_is_quick_and_writes_nothing_and_fails_only_for_what_became_worse(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (written / "measured.json").read_text(encoding="utf-8")
    monkeypatch.setattr(bench, "read_goals", lambda: {"calls/worker": Goal("a licence", goal=5)})

    assert main(["--quick"]) == 0
    assert main(["--areas", "calls"]) == 1
    (written / "performance.md").unlink()
    write_measured([Figure("calls/worker", 5, "count")], written / "measured.json")
    assert main(["--quick"]) == 0  # counts have a golden file
    write_measured([Figure("calls/shared", 0.4, "ratio")], written / "measured.json")
    better = (written / "measured.json").read_text(encoding="utf-8")
    assert main(["--quick"]) == 1
    assert (written / "measured.json").read_text(encoding="utf-8") == better != before
    assert not (written / "performance.md").exists()


def test_the_page_is_written_again_without_a_run(written: Path) -> None:
    assert main(["--page"]) == 0
    assert "| calls/worker |  |  |  |  | 6 |\n" in (written / "performance.md").read_text(encoding="utf-8")


def test_the_page_shows_what_misses_its_goal() -> None:
    assert page.table(GOALS, {COLD.name: replace(COLD, value=0.9)}).splitlines()[2] == (
        "| cold/find_due_orders | import and clients | 0.8 |  | 1.36 | **0.9** |"
    )


def test_the_page_is_what_the_committed_run_wrote() -> None:
    """If not: a goal or the page's words have changed; `python -m tests.bench --page` writes it again."""
    if figures.MEASURED.exists():
        assert page.PAGE.read_text(encoding="utf-8") == page.page(read_goals(), read_measured())


def test_every_module_that_measures_is_an_area_and_every_goal_is_of_one() -> None:
    modules = {path.stem for path in figures.HERE.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8")}
    areas = {area.name for area in bench.AREAS}

    assert areas == modules
    assert {area_of(name) for name in read_goals()} <= areas
