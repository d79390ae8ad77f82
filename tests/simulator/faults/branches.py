"""Plays a story with each fault that may happen in it, without playing what comes before that fault again: at the place
of a fault the process forks. The branch lives through the fault until the end of the story, and the trunk goes on as if
nothing had happened; of the two faults of a pair the second one is a branch of a branch."""

import gc
import json
import os
import random
import resource
import tempfile
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulator.faults.faults import Fault, Faults

# Which faults are tried at a call of AWS, by those that happened before, the place, those that may happen there, and
# whether nothing but time has passed since the call before.
Choose = Callable[[Sequence[Fault], str, Collection[str], bool], Collection[str]]
_MOST_OF_A_MAIL, _MOST_OF_A_CALL = 0.52, 0.04  # seconds until it has its answer, without a fault


@dataclass(frozen=True, slots=True)
class Branch:
    """What happened, by place, and what was wrong at the end."""

    given: dict[str, str]
    wrong: list[str]


@dataclass
class Forking(Faults):
    """`own` are the faults of this branch; the trunk has none."""

    choose: Choose = lambda *_: ()
    own: list[Fault] = field(default_factory=list)
    told: Callable[[Branch], None] = lambda _: None
    is_branch: bool = False
    next_moment: Callable[[], float] = lambda: 0.0  # at which anybody else does something
    before: tuple[str, bool] = ("", False)  # whose call was the last, and whether nobody else did something meanwhile

    def at(self, place: str, kinds: Collection[str], lines: Callable[[], str] = lambda: "") -> str | None:
        if not self.is_over and "crash before" in kinds:
            for kind in self.choose(self.own, place, kinds, self._is_same(place)):
                fault = Fault(place, kind, self.clock())
                if self._forks(fault):
                    self.own.append(fault)
                    self.happened.append(fault)
                    return kind
        return super().at(place, kinds, lines)

    def _is_same(self, place: str) -> bool:
        """Whether all is as after the last call, and stays so until this one takes effect."""
        name = place.rpartition(" call ")[0]
        most = _MOST_OF_A_MAIL if place.endswith("SendEmail") else _MOST_OF_A_CALL
        now = name, self.next_moment() > self.clock() + most
        before, self.before = self.before, now
        return before == now == (name, True)

    def _forks(self, fault: Fault) -> bool:
        """True in the branch, and False in the trunk, when the branch is over."""
        chance = random.getstate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: the threads of pytest stay behind
            branch = os.fork()
        if not branch:
            self.is_branch = True
            random.setstate(chance)  # a process that forked draws anew
            return True
        _, status = os.waitpid(branch, 0)
        if status:
            self.told(Branch(_given([*self.own, fault]), [f"its process died with {status}"]))
        return False


def _given(faults: Sequence[Fault]) -> dict[str, str]:
    return {fault.place: fault.kind for fault in faults}


def branches(play: Callable[[Forking], list[str]], choose: Choose) -> list[Branch]:
    """Each branch of a story, but not the story itself. `play` plays it and says what is wrong at its end."""
    with tempfile.TemporaryFile("a+", encoding="utf-8") as file, _few_copies():

        def told(branch: Branch) -> None:
            file.write(json.dumps([branch.given, branch.wrong]) + "\n")
            file.flush()

        faults = Forking(1, given={}, choose=choose, told=told)
        try:
            wrong = play(faults)
        except BaseException:  # whatever it is, it must not go on as a second test run
            if not faults.is_branch:
                raise
            wrong = [traceback.format_exc()]
        if faults.is_branch:
            told(Branch(_given(faults.own), wrong))
            os._exit(0)
        file.seek(0)
        return [Branch(*json.loads(line)) for line in file]


@contextmanager
def _few_copies() -> Iterator[None]:
    """A collection of garbage would touch, and so copy, each page of a branch."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def cpu_seconds() -> float:
    """That this process and its branches have taken until now."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
