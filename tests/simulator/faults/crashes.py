"""What is wrong at the end of a story in which one fault, or two, happened, and all places where one may."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from cli.local.deploy import ROOT
from tests.simulator.faults.checks import violations
from tests.simulator.faults.cloud import faults_of
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.stories import STORIES, a_shop, mailed
from tests.simulator.faults.telling import story

KINDS = ("crash before", "crash after", "answer lost", "conflict", "throttled")
CRASHES = ("crash before", "crash after")
Crash = tuple[str, str]  # the place, and the kind
Places = list[tuple[str, tuple[str, ...]]]  # with the faults that may happen there
# The mails of each story that reach the customer at least once.
OWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
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
    "renewal late": {"o1": ("purchase-1",), "r1": ("renewal-1",)},
    "partly refunded": {"o1": ("purchase-1",)},
    "other address": {"o1": ("purchase-1", "address_changed-1")},
    "canceled": {"o1": ("purchase-1",)},
    "two products": {"o1": ("purchase-1",)},
    "waiting": {"o1": ("purchase-1",)},
}
_BESIDES = ("tell_events", "deliver_events", "write_daily_note")
_READS = ("BatchGetItem", "GetAccount", "GetItem", "GetSecretValue", "Query")


def played(name: str, given: Mapping[str, str], root: Path = ROOT) -> tuple[list[str], Places]:
    """What is wrong at the end of a story with these faults, and all places of it where one may happen. What the stock
    does before and after it is the same in each story, and is of the first only."""
    with a_shop(Faults(1, given=given), roots=(root,)) as shop:
        calls = shop.simulation.cloud.places
        begun = len(calls)
        STORIES[name](shop)
        ended = len(calls)
        come_to_the_end(shop, codes=4)
        wrong = [str(violation) for violation in violations(shop)]
        for order, owed in OWED[name].items():
            if lacking := set(owed) - set(mailed(shop, order)):
                wrong.append(f"{order}: {lacking} never left")
        own = [
            (place, faults_of(call))
            for number, (place, call) in enumerate(calls)
            if name == "purchase" or begun <= number < ended or not _is_of_the_stock(place)
        ]
        told = "\n".join(line for order in OWED[name] for line in story(shop, order)) if wrong else ""
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


def each_fault(name: str) -> Iterator[tuple[str, str]]:
    """But for those of a purchase with which another story begins: they are of the first story only."""
    wrong, places = played(name, {})
    assert not wrong
    known = _of_a_purchase() if name != "purchase" else frozenset[str]()
    for place, possible in (each for each in places if each[0] not in known):
        if not place.startswith(("find_due_orders", "write_daily_note")) or place.endswith("#1"):
            yield from ((place, kind) for kind in KINDS if kind in possible and not is_tried(place, kind))


def is_tried(place: str, kind: str) -> bool:
    """A crash after a call that only reads leaves what a crash before it leaves."""
    return kind == "crash after" and place.rpartition(": ")[2].startswith(_READS)


def crashes(name: str, given: Mapping[str, str], root: Path = ROOT) -> list[Crash]:
    """All that may happen to the orders of a story that has these faults already, in order."""
    places = [each for each in played(name, given, root)[1] if _is_of_orders(name, each[0])]
    found = [(place, kind) for place, possible in places for kind in CRASHES if kind in possible]
    return [crash for crash in found if not is_tried(*crash)]


def _is_of_orders(name: str, place: str) -> bool:
    """Not the stock that a shop has at first, and neither the note nor the events: no order depends on these."""
    is_of_opening = name == "purchase" and _is_of_the_stock(place)
    return not place.startswith(_BESIDES) and not is_of_opening


def pairs(name: str, step: int = 1, root: Path = ROOT) -> Iterator[tuple[Crash, Crash]]:
    """Two crashes at any two calls of a story; the second comes after the first, also in what happens only because of
    that. With a step, only so many-th first ones, and of each so many-th second ones. Two of the purchase with which
    another story begins are of the first story only."""
    known = _of_a_purchase() if name != "purchase" else frozenset[str]()
    for number, first in list(enumerate(crashes(name, {}, root)))[::step]:
        following = crashes(name, dict([first]), root)
        after = [crash for crash in following[following.index(first) + 1 :] if crash[0] != first[0]]
        own = [crash for crash in after if not {first[0], crash[0]} <= known]
        yield from ((first, second) for second in own[number // step % step :: step])
