"""Some seeds of the simulated shop; `make prove` plays more."""

import math
from functools import cache

from tests.simulator.faults.faults import counted
from tests.simulator.faults.play import Played, Script, fewest, play

_SEEDS = range(1, 5)


@cache
def _once(seed: int) -> Played:
    return play(Script(seed))


def test_no_seed_breaks_a_promise() -> None:
    played = [_once(seed) for seed in _SEEDS]

    assert not [violation for each in played for violation in each.violations]
    assert sum(each.mails for each in played) > 20
    assert len(counted([fault for each in played for fault in each.faults])) > 10


def test_a_seed_is_the_same_each_time_and_when_its_faults_are_given_one_by_one() -> None:
    played = _once(3)

    given = {fault.place: fault.kind for fault in played.faults}

    assert play(Script(3)) == played
    assert play(Script(3, faults=given)) == played


def test_what_a_failure_does_not_need_is_left_out() -> None:
    """It needs both of two of twenty things."""
    found = fewest(list(range(20)), lambda some: {3, 17} <= set(some), until=math.inf)

    assert found == [3, 17]
