"""One fault at every call of AWS of a story: whatever breaks once, the customer has what was paid, and what an agent
asked for is done once."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from keypost.providers import PROVIDERS
from tests.figures import ARE_WRITTEN, note
from tests.simulator.faults.at_the_door import READS, look
from tests.simulator.faults.branches import Branch
from tests.simulator.faults.cloud import READING
from tests.simulator.faults.crashes import BESIDES, CRASHES, EVERY, each_fault, own_places
from tests.simulator.faults.deeds import differing, left
from tests.simulator.faults.faults import TIME_OVER
from tests.simulator.faults.simulation import Simulation
from tests.simulator.faults.stories import a_shop, purchase

# What a usual run puts at each call; `make prove-pairs PAGE=--page` puts all of them.
_USUAL = (*CRASHES, "answer lost")
_DONE = 300  # the status of an answer from which on nothing was done


@pytest.mark.drill
@pytest.mark.parametrize("name", EVERY)
def test_one_fault_at_any_call_changes_nothing_for_the_customer(name: str) -> None:
    faults = each_fault(name) if ARE_WRITTEN else _usual(name)
    wrong = [fault for fault in faults if fault.wrong]

    assert faults
    assert not wrong, "\n\n".join(f"{fault.given}:\n" + "\n".join(fault.wrong) for fault in wrong)
    note("single", name, {"calls": len(own_places(name)), "faults": len(faults)})


def _usual(name: str) -> list[Branch]:
    without = () if name == "purchase" else BESIDES  # which work in each story as in that one
    return each_fault(name, _USUAL, but=("crash before",), without=without)


@pytest.mark.parametrize("kinds", [("conflict",), TIME_OVER])
def test_no_conflict_and_no_time_out_at_any_call_of_a_purchase_changes_anything(kinds: tuple[str, ...]) -> None:
    faults = each_fault("purchase", kinds)

    assert len(faults) > 5
    assert not [fault for fault in faults if fault.wrong]


def test_what_was_done_twice_or_not_at_all_is_found() -> None:
    done = []
    for times in (0, 1, 2):
        with a_shop() as shop:
            purchase(shop)
            for key in range(times):
                body = {"note": "calls back"}
                shop.simulation.support("POST", "/orders/{order_id}/note", body, key=f"note-{key}", order_id="o1")
                shop.simulation.run(600)
            done.append(left(shop))

    assert differing(done[1], done[1]) == []
    for other in (done[0], done[2]):
        assert [told.partition(" is ")[0] for told in differing(other, done[1])] == ["ORDER#o1 was done by agents"]


# --- nothing is forgotten


@cache
def _played() -> Mapping[str, Simulation]:
    """Each story, in which nothing fails."""
    found = {}
    for name, play in EVERY.items():
        with a_shop() as shop:
            play(shop)
            found[name] = shop.simulation
    return found


def test_each_function_of_the_template_takes_part_in_a_story(template: dict[str, Any]) -> None:
    functions = {each["Properties"]["Handler"].partition(".")[0] for each in _functions(template)}

    assert {function for simulation in _played().values() for function, _ in simulation.called} == functions


def test_each_provider_calls_in_a_story() -> None:
    doors = {door for simulation in _played().values() for _, door in simulation.called}

    assert doors - {""} == {*PROVIDERS}


def test_each_route_of_the_support_api_is_called_in_a_story(template: dict[str, Any]) -> None:
    """With success. Those that only read are in READS, and have no story but one."""
    (api,) = (each for each in _functions(template) if each["Properties"]["Handler"] == "support_api.handler")
    calls = [event["Properties"] for event in api["Properties"]["Events"].values()]
    answers = [answer for simulation in _played().values() for answer in simulation.answers]
    played = {answer.route for answer in answers if answer.status < _DONE}
    reads = {f"{method} {route}" for method, route in READS}

    assert played | reads == {f"{call['Method']} {call['Path']}" for call in calls}
    assert not played & reads


def _functions(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]


def test_what_is_said_to_read_only_reads() -> None:
    with a_shop() as shop:
        purchase(shop)
        begun = len(shop.simulation.cloud.places)
        runs = look(shop)
        calls = [call.operation for _, call in shop.simulation.cloud.places[begun:]]

    assert {run.result["statusCode"] for run in runs} == {200}
    assert {*calls} <= {*READING}
