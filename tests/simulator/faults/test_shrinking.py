"""A failing run is cut down to what it needs, and told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.faults.play import Script, play
from tests.simulator.faults.shrinking import fewest, missing, shrunk
from tests.simulator.faults.tape import ACTS, FAULTS, WAITS, Tape
from tests.simulator.faults.telling import tell
from tests.simulator.mutants.table import MUTANTS
from tests.simulator.mutants.trees import mutated

_MOST = 10  # decisions
_SECONDS = 90


@pytest.mark.parametrize("needed", ["", "d", "dr", "abcdefghijklmnopqrst"])
def test_what_a_failure_does_not_need_is_left_out(needed: str) -> None:
    found = fewest("abcdefghijklmnopqrst", lambda some: {*needed} <= {*some}, lambda: False)

    assert "".join(found) == needed


def test_a_single_one_of_a_thousand_is_found_in_few_plays() -> None:
    plays = list[int]()

    def fails(some: list[str]) -> bool:
        plays.append(len(some))
        return "777" in some

    assert fewest([str(number) for number in range(1000)], fails, lambda: False) == ["777"]
    assert len(plays) < 30


def test_when_the_time_is_over_what_is_left_fails_still() -> None:
    clock = iter([False] * 3 + [True] * 100)

    found = fewest("abcdefgh", lambda some: "c" in some, lambda: next(clock))

    assert found == ["a", "b", "c", "d"]


def test_the_line_that_plays_a_run_again_names_its_decisions_and_trees() -> None:
    few = Script(17, Tape(frozenset({"0badcafe", WAITS})), roots=(Path("/a"), Path("/b")))

    assert Script(17).command == "make prove SEED=17"
    assert few.command == "make prove SEED=17 ONLY=0badcafe,waits TREES='/a /b'"


def test_decisions_that_a_run_does_not_have_are_named() -> None:
    assert missing(Script(3, Tape(frozenset({FAULTS, ACTS, "0badcafe"})))) == ["0badcafe"]


# --- a mutant each: of what happens alone, of what comes between, and of a fault

_TOLD = {
    "a refund counts for nothing": "order.refunded",
    "a mail is sent before its claim is stored": "use_cases/advance_order.py",
    "a save that came too late is taken for done": "table/orders.py",
    "a mail is given up while the account is paused": "SES pauses",
}


@pytest.mark.drill
@pytest.mark.parametrize("name", _TOLD)
def test_a_mutant_is_told_in_at_most_ten_decisions(name: str) -> None:
    mutant = MUTANTS[name]
    with mutated(mutant) as tree:
        least = shrunk(Script(mutant.seed, roots=(tree,)), mutant.promise, _SECONDS)
        told = [*tell(least, mutant.promise)]
        again = play(least)

    assert mutant.promise in {violation.check for violation in again.violations}
    assert len(least.tape.kept) <= _MOST
    assert least.tape.kept & {ACTS, FAULTS, WAITS} == set()
    assert told[0].startswith(f"Broken: {mutant.promise}. Promise {mutant.promise.split()[0]}: ")
    assert told[-1] == f"Play it again: {least.command}"
    assert any(_TOLD[name] in line for line in _between(told, "It takes", "What happened"))


def _between(lines: list[str], first: str, last: str) -> Iterator[str]:
    starts = [number for number, line in enumerate(lines) if line.startswith((first, last))]
    yield from lines[starts[0] : starts[1]]
