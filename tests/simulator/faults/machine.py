"""Virtual time, and invocations of functions that run side by side in one thread. An invocation gives way whenever it
waits, and goes on when its moment comes; nothing sleeps."""

import heapq
import math
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dns.resolver
import greenlet
import pytest
import time_machine
from botocore.useragent import UserAgentString


class Crash(BaseException):
    """The execution environment is gone: nothing of the invocation runs any more."""


class NeverEnds(AssertionError):
    """The system keeps itself busy."""


@dataclass(slots=True, eq=False)
class Invocation:
    """One run of a function. Its name is the same in every play of a seed, so that a fault can be told again by it."""

    name: str
    function: str
    about: tuple[str, ...]  # the orders for which it was started
    deadline: float
    chance: random.Random
    run: Callable[[], Any]
    then: Callable[["Invocation"], None]
    entropy: random.Random  # of what it draws itself
    thread: Any = None
    calls: int = 0  # of AWS
    skew: float = 0  # seconds by which its clock is wrong
    is_dead: bool = False  # it crashed, or ran out of its time
    is_over: bool = False
    result: Any = None
    error: BaseException | None = None

    @property
    def has_failed(self) -> bool:
        return self.is_dead or self.error is not None

    def body(self) -> None:
        random.seed(self.name)  # so that what others drew before changes nothing here
        try:
            self.result = self.run()
        except Crash:
            self.is_dead = True
        except Exception as error:  # noqa: BLE001 - as Lambda does, whatever it is
            self.error = error
        self.is_over = True


@dataclass(slots=True, eq=False)
class Machine:
    """`enter` is called before an invocation goes on, with the invocation: its modules and globals come first."""

    seed: int
    now: float
    began: float = 0
    enter: Callable[[Invocation], None] = lambda _: None
    leave: Callable[[Invocation], None] = lambda _: None
    current: Invocation | None = None
    traveller: Any = None
    broken: Exception | None = None  # the simulation itself is at fault
    moments: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    planned: int = 0
    started: Counter[str] = field(default_factory=Counter)
    alive: set[Invocation] = field(default_factory=set)
    most_steps: int = 200_000  # of one story, which has some thousand

    def __post_init__(self) -> None:
        self.began = self.now

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def at(self, when: float, act: Callable[[], None]) -> None:
        self.planned += 1
        heapq.heappush(self.moments, (max(when, self.now), self.planned, act))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + seconds, act)

    def next_moment(self) -> float:
        """At which something is planned."""
        return self.moments[0][0] if self.moments else math.inf

    def run(self, until: float) -> None:
        """NeverEnds when there is no end of it."""
        first = self.planned
        while self.moments and self.moments[0][0] <= until:
            when, _, act = heapq.heappop(self.moments)
            self._move_to(when)
            act()
            if self.broken:
                raise self.broken
            if self.planned - first > self.most_steps:
                raise NeverEnds("the story has no end")
        self._move_to(until)

    def _move_to(self, when: float) -> None:
        if when > self.now:
            self.now = when
            self.traveller.move_to(when)

    def start(
        self,
        function: str,
        run: Callable[[], Any],
        timeout: float,
        then: Callable[[Invocation], None],
        about: tuple[str, ...] = (),
    ) -> Invocation:
        title = f"{function} {'+'.join(about)}".strip()
        self.started[title] += 1
        name = f"{title} #{self.started[title]}"
        chance, entropy = random.Random(f"{self.seed}/{name}"), random.Random(f"{self.seed}/{name}/entropy")
        invocation = Invocation(name, function, about, self.now + timeout, chance, run, then, entropy)
        invocation.thread = greenlet.greenlet(invocation.body)
        self.alive.add(invocation)
        self.later(0, lambda: self._resume(invocation))
        return invocation

    def pause(self, seconds: float) -> None:
        """The running invocation waits. Crash when its time is over by then."""
        invocation = self.current
        if invocation is None:
            return
        self.later(seconds, lambda: self._resume(invocation))
        invocation.thread.parent.switch()
        if invocation.is_dead:
            raise Crash

    def pass_by(self, seconds: float) -> None:
        """The running invocation goes on after so many seconds, and nobody comes between. Crash when its time is over
        by then."""
        invocation = self.current
        if invocation is None:
            return
        self.now += seconds
        self.traveller.move_to(self.now + invocation.skew)
        if self.now > invocation.deadline:
            invocation.is_dead = True
            raise Crash

    def _resume(self, invocation: Invocation) -> None:
        invocation.is_dead = invocation.is_dead or self.now > invocation.deadline
        self._switch(invocation)
        if invocation.is_over:
            self.alive.discard(invocation)
            invocation.then(invocation)

    def _switch(self, invocation: Invocation) -> None:
        self.enter(invocation)
        self.current = invocation
        if invocation.skew:
            self.traveller.move_to(self.now + invocation.skew)
        try:
            invocation.thread.parent = greenlet.getcurrent()
            invocation.thread.switch()
        finally:
            self.current = None
            self.leave(invocation)
            if invocation.skew:
                self.traveller.move_to(self.now)

    def stop(self) -> None:
        """Nothing of what still runs goes on."""
        for invocation in self.alive:
            invocation.is_dead = True
            if invocation.thread:
                self._switch(invocation)
        self.alive.clear()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The clock, the pauses, the chance and the name servers of this process are those of the simulation."""
        nobodys = random.Random(f"{self.seed}/entropy")

        def drawn(size: int) -> bytes:
            return (self.current.entropy if self.current else nobodys).randbytes(size)

        random.seed(self.seed)
        with time_machine.travel(self.now, tick=False) as self.traveller, pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", only_here(self.pause, time.sleep))
            patch.setattr(UserAgentString, "to_string", lambda _: "simulated")  # a tenth of a call's time
            patch.setattr(os, "urandom", drawn)
            patch.setattr(random, "_urandom", drawn)
            patch.setattr(dns.resolver.Resolver, "resolve", _no_name_server)
            try:
                yield
            finally:
                self.stop()


def only_here(instead: Callable[..., Any], really: Callable[..., Any]) -> Callable[..., Any]:
    """Calls `instead` on this thread, and `really` on all others: MiniStack has threads of its own, which do sleep."""
    here = threading.get_ident()
    return lambda *args: instead(*args) if threading.get_ident() == here else really(*args)


def _no_name_server(*_: Any, **__: Any) -> Any:
    raise dns.resolver.NoNameservers
