"""One fault at every call of AWS of a story: whatever breaks once, the customer has what was paid."""

import re

import pytest

from cli.local.deploy import ROOT
from tests.simulator.faults.crashes import KINDS, each_fault, played
from tests.simulator.faults.stories import STORIES


@pytest.mark.drill
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STORIES)
def test_one_fault_at_any_call_changes_nothing_for_the_customer(name: str, kind: str) -> None:
    faults = [fault for fault in each_fault(name) if fault[1] == kind]
    wrong = {fault: found for fault in faults if (found := played(name, dict([fault]))[0])}

    assert faults
    assert not wrong, "\n\n".join(f"{kind} at {place}:\n" + "\n".join(told) for (place, _), told in wrong.items())


def test_each_function_of_the_template_that_writes_takes_part_in_a_story() -> None:
    """The others only read, but for the authorizer, which notes the day on which a key was used."""
    functions = {*re.findall(r"Handler: (\w+)\.handler", (ROOT / "template.yaml").read_text("utf-8"))}
    places = {place.split(" ")[0] for name in STORIES for place, _ in played(name, {})[1]}

    assert functions - places == {"guide_page", "support_auth", "support_page"}


def test_a_conflict_at_any_call_of_the_worker_that_serves_a_purchase_changes_nothing() -> None:
    faults = [(place, kind) for place, kind in each_fault("purchase") if kind == "conflict" and "advance" in place]

    assert len(faults) >= 3
    assert not [(fault, found) for fault in faults if (found := played("purchase", dict([fault]))[0])]
