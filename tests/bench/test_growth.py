"""What the bench of growth counts, with less stored."""

from collections.abc import Iterator

import pytest

from tests.bench.growth import Opened, due_costs, pick_costs, save_costs
from tests.bench.shop import shops


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with shops() as opened:
        yield opened


def test_what_is_due_costs_the_same_however_much_is_stored(opened: Opened) -> None:
    few, many = due_costs(opened, (1000, 4000))

    assert few == many
    assert few.calls > 1000 / 10  # each request to the queue has ten pokes


def test_a_code_is_picked_at_the_same_cost_from_any_stock(opened: Opened) -> None:
    few, many = pick_costs(opened, (100, 2000))

    assert few == many


def test_a_long_timeline_does_not_make_each_save_dearer(opened: Opened) -> None:
    costs = save_costs(opened)

    assert max(each.writes for each in costs[-20:]) <= max(each.writes for each in costs[50:70])
