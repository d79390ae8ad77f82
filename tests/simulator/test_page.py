"""docs/reliability.md says what a run showed and what the source says, and README's figures are those of that page."""

import re
from typing import Any

from cli.local.deploy import ROOT
from keypost.providers import PROVIDERS
from tests.figures import noted
from tests.simulator.faults.checks import CHECKS, Violation
from tests.simulator.faults.faults import KINDS, Fault
from tests.simulator.faults.flows import FLOWS
from tests.simulator.faults.play import Played
from tests.simulator.mutants.table import MUTANTS
from tests.simulator.page import FAULTS, PAGE, renewed, text

_RENEW = "PYTHONPATH=layers/keypost:functions:. .venv/bin/python -m tests.simulator.page"


def _page() -> str:
    return PAGE.read_text("utf-8")


def _answer(question: str) -> str:
    found = re.search(rf"^\| {re.escape(question)} \| (.*) \|$", _page(), re.MULTILINE)
    assert found, question
    return found[1]


def test_the_page_says_of_checks_and_mutants_what_the_source_says() -> None:
    assert _page() == renewed(_page()), f"run {_RENEW}"


def test_the_page_has_each_check_and_each_mutant() -> None:
    assert [name for name in CHECKS if name.lstrip("0123456789 ") not in _page()] == []
    assert [name for name in MUTANTS if f"| {name} |" not in _page()] == []


def test_each_fault_of_the_simulator_is_explained_and_happened_in_the_run() -> None:
    of_run = _page().partition("## What was checked?")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([\d,]+) \|$", of_run, re.MULTILINE)

    assert [(kind, said) for kind, said, _ in rows] == [(kind, FAULTS[kind]) for kind in KINDS]
    assert [kind for kind, _, times in rows if times == "0"] == []
    total = sum(int(times.replace(",", "")) for *_, times in rows)
    assert _answer("How many faults happened?").partition(", at")[0] == f"{total:,}"


def test_no_shop_of_the_run_broke_a_promise() -> None:
    assert _answer("In how many of them was a promise broken?") == "0"


def test_the_readme_has_the_three_figures_of_the_page() -> None:
    first_screen = (ROOT / "README.md").read_text("utf-8").partition("## Try it")[0]
    shops, faults = (_answer(question) for question in ("Which shops were played?", "How many faults happened?"))
    said = re.search(r"In ([\d,]+) simulated shops, ([\d,]+) faults .* (\d+) faults", first_screen)

    assert said
    assert list(said.groups()) == [shops.partition(":")[0], faults.partition(", at")[0], str(len(MUTANTS))]


def test_the_page_tells_of_every_door_and_route_and_of_all_answers_that_they_gave(
    template: dict[str, Any],
) -> None:
    doors, routes = noted("hostile"), noted("fuzz")
    functions = [each["Properties"].get("Events") or {} for each in template["Resources"].values()]
    calls = [event["Properties"] for events in functions for event in events.values() if event["Type"] == "Api"]

    assert {*doors} == {f"{provider}, {stage}" for provider in PROVIDERS for stage in ("test", "live")}
    assert {*routes} == {f"{call['Method'].upper()} {call['Path']}" for call in calls}
    assert len({door["cases"] for door in doors.values()}) == 2  # of test and live stacks: all of one run
    assert sum(door["cases"] for door in doors.values()) >= 100_000
    assert sum(sum(route["answers"].values()) for route in routes.values()) >= 5_000
    assert {status[0] for part in routes.values() for status in part["answers"]} <= {"2", "3", "4"}
    for door, told in doors.items():
        assert f"| {door} | {sum(told['answers'].values()):,} |" in _page()


def test_the_page_tells_of_all_pairs_of_crashes_of_each_story_that_has_them() -> None:
    pairs, single = noted("pairs"), noted("single")

    assert {*pairs} == {*FLOWS}
    assert {*pairs} <= {*single}
    for flow, told in pairs.items():
        assert f"| {flow} | {told['pairs']:,} | 0 |" in _page()
        assert told["pairs"] > single[flow]["calls"]


def test_a_page_counts_what_happened_in_its_run() -> None:
    faults = (Fault("a place", "slow", 1.0), Fault("another", "slow", 2.0))
    broken = Violation("3 nothing that is due waits for ever", "o1", "it waits")
    page = text([Played(7, 1200, faults, (broken, broken), 3, 4), Played(8, 300, (), (), 3, 1)], 1.0)

    assert "| Which shops were played? | 2: numbers 7 to 8 |" in page
    assert "| In how many of them was a promise broken? | 1 |" in page
    assert "| How many faults happened? | 2, at 1,500 calls of AWS |" in page
    assert "| How many mails were sent? | 5 |" in page
    assert "| How much processor time did a shop take? | 0.50 seconds |" in page
    assert "| slow | a call takes up to 20 seconds longer | 2 |" in page
    assert "| twin | a message is delivered twice at one instant | 0 |" in page
