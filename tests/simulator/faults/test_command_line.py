"""The command line in the simulated world: whatever stops a command in the middle, somebody runs it again, and then it
has done what it says, once."""

from collections.abc import Callable, Mapping

import pytest

from tests.simulator.faults import commands
from tests.simulator.faults.checks import violations
from tests.simulator.faults.command_stories import codes_imported, handed_back, licenses_imported, resent
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.shop import Shop
from tests.simulator.faults.sqs import REDRIVE
from tests.simulator.faults.stories import a_shop, asks, bought, mailed, no_pokes, purchase

Story = Callable[[Shop], None]
_STOPS = ("crash before", "crash after", "answer lost")


# By the command, its story, and the mails of o1 at the end; of a resend that was stopped there may be two.
STORIES: Mapping[str, tuple[Story, list[set[str]]]] = {
    "keypost stock import": (codes_imported, [{"purchase-1"}]),
    "keypost import licenses": (licenses_imported, [set()]),
    REDRIVE: (handed_back, [{"purchase-1"}]),
    "keypost order resend": (resent, [{"purchase-1", "resend-1"}, {"purchase-1", "resend-1", "resend-2"}]),
}


def _places(command: str) -> list[str]:
    with a_shop() as shop:
        STORIES[command][0](shop)
        assert not violations(shop)
        return [place for place, _ in shop.simulation.cloud.places if place.startswith(command)]


@pytest.mark.parametrize("command", STORIES)
def test_a_command_does_its_work_once(command: str) -> None:
    assert len(_places(command)) >= 4


@pytest.mark.drill
@pytest.mark.parametrize("command", STORIES)
def test_a_command_that_is_stopped_at_any_call_is_run_again_and_has_done_its_work_once(command: str) -> None:
    story, mails = STORIES[command]
    for number, place in enumerate(_places(command)):
        with a_shop(Faults(1, given={place: _STOPS[number % len(_STOPS)]})) as shop:
            story(shop)
            come_to_the_end(shop, codes=4)

            assert not violations(shop), place
            assert {*mailed(shop)} in mails, place
            assert len(mailed(shop)) == len({*mailed(shop)}), place


def test_what_two_people_hand_back_at_once_is_mailed_once() -> None:
    with a_shop() as shop:
        with no_pokes(shop):
            shop.sell(bought(), shop.simulation.now + 1)
        for number in range(3):
            shop.simulation.sqs.dead.add("work", f"work o1 #{number}", "o1", shop.simulation.now)
        shop.simulation.run(1)
        for _ in range(2):
            commands.hand_back(shop, "DeadLetters")
        shop.simulation.run(60)

        assert mailed(shop) == ["purchase-1"]
        assert not shop.simulation.sqs.dead.kept
        assert not violations(shop)


def test_commands_that_run_side_by_side_print_to_their_own_terminals() -> None:
    with a_shop() as shop:
        purchase(shop)
        shop.simulation.command("order", "show", "o1")
        shop.simulation.command("stock", "list", "--json")
        asks(shop, "resend")
        shop.simulation.command("order", "show", "none")
        shop.simulation.run(60)

        told = sorted(shop.simulation.printed, key=len)
        assert [text.count("\n") for text in told[:1]] == [1]
        assert "there is no order" in told[0].lower()
        assert all(line.startswith('{"sku"') for line in told[1].splitlines())
        assert "facturen@klant.example" in told[2]
