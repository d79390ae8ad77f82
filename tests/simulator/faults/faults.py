"""Which fault happens where. Each place where one may happen has a name, which is the same in every play of a seed, so
a run can be played again with some of its faults only."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby

from tests.simulator.faults.tape import FAULTS, WHOLE, Tape

# How often each happens, of a hundred places where it may, in rough weather.
KINDS: Mapping[str, float] = {
    # At a call of AWS.
    "crash before": 0.6,
    "crash after": 0.6,
    "request lost": 0.3,
    "answer lost": 0.8,
    "not reached": 0.3,
    "slow": 2,
    "throttled": 0.6,
    "conflict": 2,  # a write meets a transaction
    "stale index": 4,  # the index shows what was before
    "stale read": 15,  # so does a read that does not ask for the newest
    "unprocessed keys": 4,  # a table that is busy gives some of them
    "some refused": 4,  # of the messages or events that one call sends
    # At SES.
    "too many mails": 6,
    "account paused": 4,
    "mail failed, not sent": 4,
    "mail failed, but sent": 8,
    "mail refused": 3,
    "bounced": 5,
    "event lost": 15,
    "event late": 8,
    "event twice": 5,
    # In a queue.
    "poke lost": 5,
    "poke late": 5,
    "twin": 8,  # a message is delivered twice at one instant
    "delivered again": 3,  # though it was handled
    "visible too soon": 3,  # while it is being handled
    # Elsewhere.
    "run skipped": 5,  # of a schedule
    "run twice": 5,
    "run late": 5,
    "skewed clock": 5,  # of one execution environment
    "callback twice": 10,
    "callback twin": 5,  # two at one instant
    "mail taken, not told": 12,  # SES takes it, and its answer never comes
    # On the way of events.
    "changes again": 3,  # of the stream, though they were handled
    "shop does not answer": 5,
    "shop has trouble": 10,
    # At a provider that is asked, and on the way of its callbacks.
    "provider down": 4,  # for a while
    "provider busy": 8,
    "provider slow": 8,
    "provider silent": 4,
    "provider lags": 15,  # behind what it tells itself
    "callback never sent": 20,
    "callback late": 10,
}
_CALM, _BORNE = 0.1, 0.3
# Lambda stops a function that waits for a call, because its time is over. In rough weather slow calls do that; stories
# that put a fault at each call have it there.
TIME_OVER = ("time over before", "time over after")
CALLS = (
    *("crash before", "crash after", "request lost", "answer lost", "not reached", "slow", "throttled", "conflict"),
    *TIME_OVER,
)


# What the system bears by itself, so that no invocation fails for it. A message that is delivered again is not among
# them: it counts as a start that had no end, and of two such only one goes on.
BEARABLE = frozenset(
    {
        *("conflict", "stale index", "stale read", "unprocessed keys", "bounced", "skewed clock"),
        *("event lost", "event late", "event twice", "poke lost", "poke late", "twin"),
        *("run skipped", "run twice", "run late", "callback twice", "callback twin"),
        *("provider slow", "provider lags", "callback never sent", "callback late"),
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    place: str
    kind: str
    at: float
    lines: str = ""  # of the source, from which the call was made

    def __str__(self) -> str:
        return f"{self.kind} at {self.place}"


@dataclass(slots=True)
class Faults:
    """By chance, at these rates of a hundred, or exactly those that are `given`, by their place; of either, what the
    tape keeps."""

    seed: int
    rates: Mapping[str, float] = field(default_factory=dict)
    given: Mapping[str, str] | None = None
    tape: Tape = WHOLE
    happened: list[Fault] = field(default_factory=list)
    clock: Callable[[], float] = lambda: 0.0
    is_over: bool = False  # nothing goes wrong any more
    planned: list[tuple[Collection[str], str]] = field(default_factory=list)  # words of a place, and what happens there

    def at(self, place: str, kinds: Collection[str], lines: Callable[[], str] = lambda: "") -> str | None:
        """The kind of fault that happens at a place; None for none. Only one that happens asks for the `lines`."""
        if self.is_over:
            return None
        kind = self._planned(place, kinds) or (
            self._drawn(place, kinds) if self.given is None else self.given.get(place)
        )
        if kind is None or kind not in kinds:
            return None
        fault = Fault(place, kind, self.clock(), lines())
        if not self.tape.keeps(FAULTS, str(fault)):
            return None
        self.happened.append(fault)
        return kind

    def _planned(self, place: str, kinds: Collection[str]) -> str | None:
        """At the first place that has its words."""
        for each in self.planned:
            words, kind = each
            if kind in kinds and all(word in place for word in words):
                self.planned.remove(each)
                return kind
        return None

    def _drawn(self, place: str, kinds: Collection[str]) -> str | None:
        drawn = 100 * int.from_bytes(blake2b(f"{self.seed}/{place}".encode(), digest_size=7).digest()) / 2**56
        for kind in kinds:
            drawn -= self.rates.get(kind, 0)
            if drawn < 0:
                return kind
        return None

    def may_happen(self, kind: str) -> bool:
        return kind in (self.rates if self.given is None else self.given.values())

    def chance(self, place: str) -> random.Random:
        """For how long or how bad a fault is."""
        return random.Random(f"{self.seed}/{place}/amount")


def weather(seed: int) -> Mapping[str, float]:
    """The rates of a seed: a tenth are calm; the others have some kinds of faults, often or seldom, and a fifth of all
    only such as the system bears by itself."""
    chance = random.Random(f"{seed}/weather")
    drawn = chance.random()
    if drawn < _CALM:
        return {}
    share, strength = chance.choice((0.2, 0.5, 1)), chance.choice((0.3, 1, 1, 3))
    drawn_kinds = {kind: rate * strength for kind, rate in KINDS.items() if chance.random() < share}
    return {kind: rate for kind, rate in drawn_kinds.items() if drawn > _BORNE or kind in BEARABLE}


def counted(faults: Collection[Fault]) -> dict[str, int]:
    kinds = sorted(fault.kind for fault in faults)
    return {kind: len([*same]) for kind, same in groupby(kinds)}
