"""Two crashes at any two calls of AWS while one order is served: the customer has what was paid all the same."""

import os
from collections.abc import Collection, Sequence
from functools import partial

import pytest

from tests.figures import note
from tests.simulator.faults.branches import branches, cpu_seconds
from tests.simulator.faults.crashes import (
    CRASHES,
    EVERY,
    OWED,
    each_pair,
    ended,
    is_tried,
    lived,
    played,
    what_is_left,
)
from tests.simulator.faults.faults import Fault, Faults
from tests.simulator.faults.flows import FLOWS
from tests.simulator.mutants.table import MUTANTS
from tests.simulator.mutants.trees import mutated

# `make prove-pairs` plays all; a usual run, of every so many-th first crash every so many-th second one.
_STEP = int(os.environ.get("KEYPOST_PAIRS_STEP", "7"))
_FEW = 11


@pytest.mark.drill
@pytest.mark.parametrize("name", FLOWS)
def test_two_crashes_at_any_two_calls_change_nothing_for_the_customer(name: str) -> None:
    begun = cpu_seconds()
    pairs = each_pair(name, _STEP)
    wrong = [pair for pair in pairs if pair.wrong]
    seconds = cpu_seconds() - begun

    print(f"{name}: {len(pairs)} pairs, {len(wrong)} broken, {seconds:.0f} s", flush=True)  # noqa: T201 - for `make prove-pairs`
    assert pairs
    assert not wrong, "\n\n".join(f"{pair.given}:\n" + "\n".join(pair.wrong) for pair in wrong)
    if _STEP == 1:
        note("pairs", name, {"pairs": len(pairs), "broken": len(wrong), "seconds": round(seconds)})


def test_each_story_says_which_mails_it_owes() -> None:
    assert set(FLOWS) <= set(EVERY) == set(OWED)


def test_a_branch_is_what_is_played_with_its_faults() -> None:
    """Otherwise the branches would show something else, and nobody could play one of them again."""
    played("resend", {})  # a second play of a process finds warm clients

    pairs = each_pair("resend", _FEW, end=ended)

    assert len(pairs) > 1
    assert [pair for pair in pairs if lived("resend", Faults(1, given=pair.given), end=ended) != pair.wrong] == []


def test_of_crashes_between_which_only_time_passes_each_leaves_what_the_first_one_leaves() -> None:
    """Only the first of them is in pairs."""
    tried: list[tuple[str, str, bool]] = []

    def choose(happened: Sequence[Fault], place: str, possible: Collection[str], is_same: bool) -> Collection[str]:
        kinds = [kind for kind in CRASHES if kind in possible and not happened and not is_tried(place, kind)]
        tried.extend((place, kind, is_same and kind == "crash before") for kind in kinds)
        return kinds

    play = partial(lived, "purchase", end=what_is_left)
    left = {(*branch.given.items(),): branch.wrong for branch in branches(play, choose)}
    first, left_out = tried[0][:2], 0
    for place, kind, is_left_out in tried:
        first = first if is_left_out else (place, kind)
        left_out += is_left_out
        assert left[((place, kind),)] == left[(first,)]

    assert left_out > len(tried) / 2


@pytest.mark.drill
def test_two_crashes_find_a_mail_that_is_sent_before_its_claim_is_stored() -> None:
    """As the pairs of crashes hold for the product, they have to find what would not hold."""
    with mutated(MUTANTS["a mail is sent before its claim is stored"]) as tree:
        found = each_pair("resend", _STEP, tree)

    assert any("6 one attempt is accepted once" in told for pair in found for told in pair.wrong)
