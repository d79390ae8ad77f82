"""Some seeds of the simulated shop; `make prove` plays more."""

from functools import cache

from tests.simulator.faults.faults import counted
from tests.simulator.faults.play import Played, Script, live_through, play
from tests.simulator.faults.shrinking import taken
from tests.simulator.faults.stories import a_shop
from tests.simulator.faults.tape import ACTS, FAULTS, WAITS, Tape

_SEEDS = range(1, 17)


@cache
def _once(seed: int) -> Played:
    return play(Script(seed))


def test_no_seed_breaks_a_promise() -> None:
    played = [_once(seed) for seed in _SEEDS]

    assert not [(Script(each.seed).command, each.violations) for each in played if each.violations]
    assert sum(each.mails for each in played) > 20
    assert len(counted([fault for each in played for fault in each.faults])) > 10


def test_a_seed_is_the_same_each_time_and_when_its_decisions_are_named_one_by_one() -> None:
    played = _once(3)

    shop, _ = live_through(Script(3))
    named = Tape(frozenset(mark for kind in (ACTS, FAULTS, WAITS) for mark in taken(shop, kind)))

    assert len(shop.acts) > 5
    assert played.faults
    assert play(Script(3)) == played
    assert play(Script(3, named)) == played
    assert play(Script(3, Tape(frozenset()))).faults == ()


def test_what_a_function_remembers_in_its_module_is_forgotten_before_the_next_shop() -> None:
    with a_shop() as shop:
        remembered = next(state for state, _ in shop.simulation.versions[0].kept if isinstance(state, dict))
        remembered["of this shop"] = True

    with a_shop():
        assert "of this shop" not in remembered


def test_what_the_sdk_has_left_of_its_retries_is_whole_again_in_the_next_shop() -> None:
    with a_shop() as shop:
        quotas = shop.simulation.versions[0].quotas
        whole = [quota.available_capacity for quota in quotas]
        assert quotas
        assert all(quota.acquire(100) for quota in quotas)

    with a_shop():
        assert [quota.available_capacity for quota in quotas] == whole
