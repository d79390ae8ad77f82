"""Two crashes at any two calls of AWS while one order is served: the customer has what was paid all the same."""

import os

import pytest

from tests.simulator.faults.crashes import OWED, pairs, played
from tests.simulator.faults.flows import FLOWS
from tests.simulator.faults.stories import STORIES
from tests.simulator.mutants.table import MUTANTS
from tests.simulator.mutants.trees import mutated

# `make prove-pairs` plays all; a usual run, of every so many-th first crash every so many-th second one.
_STEP = int(os.environ.get("KEYPOST_PAIRS_STEP", "13"))


@pytest.mark.drill
@pytest.mark.parametrize("name", FLOWS)
def test_two_crashes_at_any_two_calls_change_nothing_for_the_customer(name: str) -> None:
    found = {pair: played(name, dict(pair))[0] for pair in pairs(name, _STEP)}
    wrong = {pair: told for pair, told in found.items() if told}

    print(f"{name}: {len(found)} pairs")  # noqa: T201 - how many, for `make prove-pairs`
    assert found
    assert not wrong, "\n\n".join(f"{pair}:\n" + "\n".join(told) for pair, told in wrong.items())


def test_each_story_says_which_mails_it_owes() -> None:
    assert set(FLOWS) <= set(STORIES) == set(OWED)


@pytest.mark.drill
def test_two_crashes_find_a_mail_that_is_sent_before_its_claim_is_stored() -> None:
    """As the pairs of crashes hold for the product, they have to find what would not hold."""
    with mutated(MUTANTS["a mail is sent before its claim is stored"]) as tree:
        found = (played("resend", dict(pair), tree)[0] for pair in pairs("resend", _STEP, tree))
        wrong = next(filter(None, found), [])

    assert any("6 one attempt is accepted once" in each for each in wrong)
