"""Each fault that somebody might put into the protocol is found by the simulator, in the seed that the table names."""

import pytest

from tests.simulator.faults.checks import CHECKS
from tests.simulator.mutants.table import MUTANTS, Mutant
from tests.simulator.mutants.trees import NotThere, changed, found_by, mutated

_LEAST = 100
_NO_REST = "3 the system comes to rest"


@pytest.mark.parametrize("name", MUTANTS)
def test_what_a_mutant_changes_stands_in_the_source(name: str) -> None:
    assert MUTANTS[name].new in changed(MUTANTS[name])


def test_a_mutant_of_what_is_not_there_says_so() -> None:
    with pytest.raises(NotThere, match=r"wiring.py has 0 times, not once, what this mutant changes: 'no such text'"):
        changed(Mutant("wiring.py", "no such text", "", "", 1))


def test_there_are_enough_mutants_and_each_breaks_a_promise() -> None:
    assert len(MUTANTS) >= _LEAST
    assert {mutant.promise for mutant in MUTANTS.values()} <= set(CHECKS) | {_NO_REST}


@pytest.mark.drill
@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_is_found_in_its_seed(name: str) -> None:
    mutant = MUTANTS[name]
    with mutated(mutant) as tree:
        found = found_by(tree, [mutant.seed])

    assert found, f"{name}: no promise is broken in seed {mutant.seed} any more; find another one"
    assert mutant.promise in found[1]
