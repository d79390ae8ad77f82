"""Orders as the simulator leaves them, in the middle of its stories and at their end: of each set of what stands in the
way and what a person is needed for one, whose named action works and ends it."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from keypost.core.errors import NewerVersion, Unreadable
from keypost.core.order import Order
from keypost.table.orders import order_of
from tests.simulator.faults.at_providers import asked_for
from tests.simulator.faults.faults import Faults, weather
from tests.simulator.faults.play import come_to_the_end, live, open_shop
from tests.simulator.faults.shop import Shop, begin_of
from tests.simulator.faults.simulation import Simulation
from tests.ways_on import states_of, walked

_FEW, _MANY = range(1, 7), range(1, 31)


def _left_by(seeds: Iterable[int]) -> dict[frozenset[str], Order]:
    """By what stands in their way and what they need, one order for each such set."""
    return {states_of(order): order for seed in seeds for order in _orders_of(seed)}


def _orders_of(seed: int) -> Iterator[Order]:
    simulation = Simulation(seed, Faults(seed, weather(seed)), begin_of(seed), asked=asked_for(seed))
    with simulation.playing():
        shop = Shop(simulation, random.Random(seed), days=2)
        open_shop(shop)
        live(shop)
        items = simulation.items()
        come_to_the_end(shop)
        items += simulation.items()
    for item in items:
        if item["pk"].startswith("ORDER#") and "version" in item and _can_be_loaded(item):
            yield order_of(item)


def _can_be_loaded(item: Mapping[str, Any]) -> bool:
    """Some stories damage an order on purpose."""
    try:
        order_of(item)
    except (NewerVersion, Unreadable):
        return False
    return True


def _walk_all(found: Mapping[frozenset[str], Order]) -> list[str]:
    return [action for order in found.values() for action in walked(order)]


def test_what_is_named_as_next_action_works_on_orders_that_the_simulator_left() -> None:
    found = _left_by(_FEW)

    taken = _walk_all(found)

    assert len(found) > 5
    assert len(set(taken)) > 3


@pytest.mark.drill
def test_what_is_named_as_next_action_works_on_all_that_many_seeds_left() -> None:
    found = _left_by(_MANY)

    taken = _walk_all(found)

    assert len(found) > 10
    assert len(set(taken)) > 5
