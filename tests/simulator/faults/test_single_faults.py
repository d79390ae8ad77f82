"""One fault at every call of AWS of a story: whatever breaks once, the customer has what was paid."""

from collections.abc import Iterator, Mapping

import pytest

from tests.simulator.faults.checks import violations
from tests.simulator.faults.cloud import faults_of
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.play import come_to_the_end, story
from tests.simulator.faults.stories import STORIES, a_shop, mailed

KINDS = ("crash before", "crash after", "answer lost", "conflict", "throttled")
# The mails of each story that reach the customer at least once.
_OWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "purchase": {"o1": ("purchase-1",)},
    "renewal": {"o1": ("purchase-1",), "r1": ("renewal-1",)},
    "resend": {"o1": ("purchase-1", "resend-1")},
    "refund": {"o1": ("purchase-1", "refunded-1")},
    "refund before": {"o1": ("refunded-1",)},
    "by hand": {"HAND-BQDMXN75TQ": ("purchase-1",)},
    "moved": {"o1": ("purchase-1", "license_moved-1")},  # the number of the new order follows from the license's id
}


_READS = ("BatchGetItem", "GetAccount", "GetItem", "GetSecretValue", "Query")


def played(name: str, given: Mapping[str, str]) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    """What is wrong at the end of a story with these faults, and all places of it where one may happen. What the stock
    does before and after it is the same in each story, and is of the first only."""
    with a_shop(Faults(1, given=given)) as shop:
        calls = shop.simulation.cloud.places
        begun = len(calls)
        STORIES[name](shop)
        ended = len(calls)
        come_to_the_end(shop, codes=4)
        wrong = [str(violation) for violation in violations(shop)]
        for order, owed in _OWED[name].items():
            if lacking := set(owed) - set(mailed(shop, order)):
                wrong.append(f"{order}: {lacking} never left")
        own = [
            (place, faults_of(call))
            for number, (place, call) in enumerate(calls)
            if name == "purchase" or begun <= number < ended or not _is_of_the_stock(place)
        ]
        told = "\n".join(line for order in _OWED[name] for line in story(shop, order)) if wrong else ""
    return ([*wrong, told] if wrong else []), own


def _is_of_the_stock(place: str) -> bool:
    """Codes are imported, or orders that may want them are looked for, and there is no such order."""
    function, about = place.split(" ")[:2]
    return (function == "support_api" and about.startswith("#")) or all(
        each.startswith("CODES#") for each in about.split("+")
    )


def _each_fault(name: str) -> Iterator[tuple[str, str]]:
    wrong, places = played(name, {})
    assert not wrong
    for place, possible in places:
        if not place.startswith(("find_due_orders", "write_daily_note")) or place.endswith("#1"):
            yield from ((place, kind) for kind in KINDS if kind in possible and not _is_tried(place, kind))


def _is_tried(place: str, kind: str) -> bool:
    """A crash after a call that only reads leaves what a crash before it leaves."""
    return kind == "crash after" and place.rpartition(": ")[2].startswith(_READS)


@pytest.mark.drill
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STORIES)
def test_one_fault_at_any_call_changes_nothing_for_the_customer(name: str, kind: str) -> None:
    faults = [fault for fault in _each_fault(name) if fault[1] == kind]
    wrong = {fault: found for fault in faults if (found := played(name, dict([fault]))[0])}

    assert faults
    assert not wrong, "\n\n".join(f"{kind} at {place}:\n" + "\n".join(told) for (place, _), told in wrong.items())


def test_a_conflict_at_any_call_of_the_worker_that_serves_a_purchase_changes_nothing() -> None:
    faults = [(place, kind) for place, kind in _each_fault("purchase") if kind == "conflict" and "advance" in place]

    assert len(faults) >= 3
    assert not [(fault, found) for fault in faults if (found := played("purchase", dict([fault]))[0])]
