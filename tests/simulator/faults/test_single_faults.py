"""One fault at every call of AWS of a story: whatever breaks once, the customer has what was paid."""

from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from cli.local.deploy import ROOT
from tests.simulator.faults.checks import violations
from tests.simulator.faults.cloud import faults_of
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.shop import HOUR
from tests.simulator.faults.stories import STORIES, a_shop, bought, mailed
from tests.simulator.faults.telling import story

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
    "wish": {"o1": ("purchase-1",)},  # a visitor whose page failed asks again
    "stopped": {"o1": ("purchase-1", "reminder-1")},
    "short": {"o1": ("purchase-1",)},
    "swap": {"o1": ("purchase-1", "replacement-1")},
    "erasure": {"o1": ("purchase-1",)},
    "batch replaced": {"o1": ("purchase-1",)},
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


@cache
def _of_a_purchase() -> frozenset[str]:
    return frozenset(place for place, _ in played("purchase", {})[1])


def _each_fault(name: str) -> Iterator[tuple[str, str]]:
    """But for those of a purchase with which another story begins: they are of the first story only."""
    wrong, places = played(name, {})
    assert not wrong
    known = _of_a_purchase() if name != "purchase" else frozenset[str]()
    for place, possible in (each for each in places if each[0] not in known):
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


def test_each_function_that_writes_takes_part_in_a_story() -> None:
    """The others only read, or tell of events, of which the checks are apart."""
    functions = {path.stem for path in (ROOT / "functions").glob("*.py")}
    places = {place.split(" ")[0] for name in STORIES for place, _ in played(name, {})[1]}

    assert functions - places - {"deliver_events", "tell_events"} == {"guide_page", "support_auth", "support_page"}


_CRASHES = ("crash before", "crash after")
_PARTS = 8  # of the pairs, so that they are played side by side


@cache
def _of_one_order(given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What is wrong after a purchase in which these crashes happened, and all crashes that could have."""
    with a_shop(Faults(1, given=dict(given))) as shop:
        begun = len(shop.simulation.cloud.places)
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(HOUR)
        item, sent = shop.simulation.item("o1"), mailed(shop)
        wrong = [str(violation) for violation in violations(shop)]
        if not sent or not item or len(item["licenses"]) != 1:
            wrong.append(f"o1 was not served: {sent}")
        places = [place for place, _ in shop.simulation.cloud.places[begun:] if _is_of_the_order(place)]
    crashes = [(place, kind) for place in places for kind in _CRASHES if not _is_tried(place, kind)]
    return tuple(wrong), tuple(crashes)


def _is_of_the_order(place: str) -> bool:
    return place.startswith(("payment_callback", "advance_orders", "mail_feedback", "find_due_orders"))


@pytest.mark.drill
@pytest.mark.parametrize("part", range(_PARTS))
def test_two_crashes_at_any_two_calls_of_one_order_change_nothing_for_the_customer(part: int) -> None:
    """The second one comes after the first, also in what happens only because of that."""
    wrong, pairs = dict[object, object](), 0
    for first in _of_one_order(())[1][part::_PARTS]:
        _, crashes = _of_one_order((first,))
        after = [crash for crash in crashes[crashes.index(first) + 1 :] if crash[0] != first[0]]
        for second in after:
            pairs += 1
            if found := _of_one_order((first, second))[0]:
                wrong[first, second] = found

    assert pairs
    assert not wrong


def test_a_conflict_at_any_call_of_the_worker_that_serves_a_purchase_changes_nothing() -> None:
    faults = [(place, kind) for place, kind in _each_fault("purchase") if kind == "conflict" and "advance" in place]

    assert len(faults) >= 3
    assert not [(fault, found) for fault in faults if (found := played("purchase", dict([fault]))[0])]
