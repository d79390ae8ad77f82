"""What is wrong at the end of a story in which one fault, or two, happened, at every place where one may."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from cli.local.deploy import ROOT
from tests.simulator.faults.at_the_desk import AT_THE_DESK, Story
from tests.simulator.faults.at_the_door import AT_THE_DOOR
from tests.simulator.faults.branches import Branch, Forking, branches
from tests.simulator.faults.checks import violations
from tests.simulator.faults.cloud import READING
from tests.simulator.faults.commands import hand_all_back
from tests.simulator.faults.deeds import differing, left
from tests.simulator.faults.faults import TIME_OVER, Fault, Faults
from tests.simulator.faults.shop import PLAIN, Shop
from tests.simulator.faults.simulation import DAY, needs
from tests.simulator.faults.stories import STORIES, a_shop, mailed
from tests.simulator.faults.telling import story

CRASHES = ("crash before", "crash after")
KINDS = (*CRASHES, *TIME_OVER, "answer lost", "conflict", "throttled")
_DESK_AND_DOOR: Mapping[str, Story] = {**AT_THE_DESK, **AT_THE_DOOR}
EVERY: Mapping[str, Callable[[Shop], None]] = {
    **STORIES,
    **{name: told.play for name, told in _DESK_AND_DOOR.items()},
}
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
    **{name: told.owed for name, told in _DESK_AND_DOOR.items()},
}
BESIDES = ("tell_events", "deliver_events", "write_daily_note")  # on which no order depends
_AFTER = ("crash after", "time over after")
_RUN_OF_SCHEDULE, _FEW_RUNS = re.compile(r"(?:find_due_orders|write_daily_note) #(\d+) "), 3


End = Callable[[Shop], list[str]]


def played(name: str, given: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """What is wrong at the end of a story with these faults."""
    return lived(name, Faults(1, given=given), root)


def lived(name: str, faults: Faults, root: Path = ROOT, end: End | None = None) -> list[str]:
    """What is wrong at the end of a story, or what `end` says of it. Faults happen in the story itself: the shop opens,
    and comes to its end, without any."""
    with a_shop(faults, roots=(root,)) as shop:
        if isinstance(faults, Forking):
            faults.next_moment = shop.simulation.machine.next_moment
        EVERY[name](shop)
        _come_to_the_end(shop)
        return end(shop) if end else _wrong(name, shop, root)


def _wrong(name: str, shop: Shop, root: Path) -> list[str]:
    wrong = [str(violation) for violation in violations(shop)]
    for order, owed in OWED[name].items():
        if lacking := set(owed) - set(mailed(shop, order)):
            wrong.append(f"{order}: {lacking} never left")
    if name in AT_THE_DESK and shop.simulation.faults.happened:
        wrong += differing(left(shop), _undisturbed(name, root))
    told = "\n".join(line for order in OWED[name] for line in story(shop, order)) if wrong else ""
    return [*wrong, told] if wrong else []


def ended(shop: Shop) -> list[str]:
    """All that happened until the end of a story, and what is left."""
    told = [f"{entry.at} {entry.text}" for entry in shop.simulation.journal]
    return [*told, f"{shop.simulation.cloud.calls} calls", repr(left(shop))]


def what_is_left(shop: Shop) -> list[str]:
    """At the end of a story, with the mails that left."""
    return [repr(left(shop)), *(f"{mail.order} {mail.mail}" for mail in shop.simulation.ses.accepted)]


def _come_to_the_end(shop: Shop) -> None:
    """As in play.py, for so few customers: what waits for codes gets them, and mails that failed are sent again."""
    simulation = shop.simulation
    simulation.faults.is_over = True
    simulation.ses.paused_until = simulation.now
    simulation.ses.pauses.append(simulation.now)
    hand_all_back(shop)
    if any(needs(simulation.item(order)) == "stock" for order in shop.sales):
        shop.import_codes(PLAIN, 4)
    simulation.run(DAY)
    failed = [order for order in shop.sales if needs(simulation.item(order)) == "mail"]
    for order in failed:
        simulation.support("POST", "/orders/{order_id}/resend", {"reason": "end"}, order_id=order)
    if failed:
        simulation.run(DAY)


@cache
def _undisturbed(name: str, root: Path) -> dict[str, Any]:
    """What the story leaves in which nothing fails."""
    with a_shop(Faults(1, given={}), roots=(root,)) as shop:
        EVERY[name](shop)
        _come_to_the_end(shop)
        return left(shop)


# --- which faults are tried


@cache
def calls(name: str) -> tuple[tuple[str, str], ...]:
    """All calls of AWS in a story in which nothing fails: their places, and what they say."""
    with a_shop(Faults(1, given={})) as shop:
        begun = len(shop.simulation.cloud.places)
        EVERY[name](shop)
        return tuple((place, call.content) for place, call in shop.simulation.cloud.places[begun:])


@cache
def own_places(name: str) -> frozenset[str]:
    """Those of its calls that are not a part of what an earlier story begins with, too: most begin with a purchase. A
    run of a function in which the two differ is its own as a whole."""
    said = calls(name)
    earlier = takewhile(lambda other: other != name, EVERY)
    alike = max((_alike(said, calls(other)) for other in earlier), default=0)
    own_runs = {_run(place) for place, _ in said[alike:]}
    return frozenset(place for number, (place, _) in enumerate(said) if number >= alike or _run(place) in own_runs)


def _is_one_of_many(place: str) -> bool:
    """A later run of a schedule, which looks at the same orders as those before it."""
    found = _RUN_OF_SCHEDULE.match(place)
    return found is not None and int(found[1]) > _FEW_RUNS


def _alike(one: Sequence[object], other: Sequence[object]) -> int:
    """With how many members both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _run(place: str) -> str:
    return place.rpartition(" call ")[0]


def each_fault(
    name: str,
    kinds: Collection[str] = KINDS,
    root: Path = ROOT,
    *,
    but: Collection[str] = ("time over before",),
    without: tuple[str, ...] = (),
) -> list[Branch]:
    """A story with one fault, for each call of its own and each kind, but those kinds where they are the same as the
    fault after the call before, as nothing but time lies between; and `without` some functions."""
    own = own_places(name)

    def choose(happened: Sequence[Fault], place: str, possible: Collection[str], is_same: bool) -> Collection[str]:
        if happened or place not in own or _is_one_of_many(place) or place.startswith(without):
            return ()
        wanted = kinds if not is_same else [kind for kind in kinds if kind not in but]
        return [kind for kind in wanted if kind in possible and not is_tried(place, kind)]

    _undisturbed(name, root)  # so that no branch has to play it
    return branches(partial(lived, name, root=root), choose)


def is_tried(place: str, kind: str) -> bool:
    """What happens after a call that only reads leaves what happens before it leaves."""
    return kind in _AFTER and place.rpartition(": ")[2].startswith(READING)


def each_pair(name: str, step: int = 1, root: Path = ROOT, end: End | None = None) -> list[Branch]:
    """A story with two crashes at any two calls; the second comes after the first, also in what happens only because of
    that. Of crashes of a function between which nothing happens but time, the first one stands for all. With a step,
    only so many-th first ones, and of each so many-th second ones."""
    firsts, seconds, numbers = count(), count(), dict[tuple[str, str], int]()

    def choose(happened: Sequence[Fault], place: str, possible: Collection[str], is_same: bool) -> Collection[str]:
        if place.startswith(BESIDES) or len(happened) > 1:
            return ()
        kinds = CRASHES[1:] if is_same else CRASHES
        tried = [kind for kind in kinds if kind in possible and not is_tried(place, kind)]
        if happened:
            offset = numbers[happened[0].place, happened[0].kind] // step % step
            return [kind for kind in tried if next(seconds) % step == offset]
        numbers.update({(place, kind): next(firsts) for kind in tried})
        return [kind for kind in tried if numbers[place, kind] % step == 0]

    play = partial(lived, name, root=root, end=end)
    return [branch for branch in branches(play, choose) if len(branch.given) > 1]
