"""Finds the few decisions of a failing run that are needed for its failure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import process_time

from tests.simulator.faults.play import Script, live_through
from tests.simulator.faults.shop import Shop
from tests.simulator.faults.tape import ACTS, FAULTS, WAITS, Tape, mark

_NAMES = {ACTS: "things that happen", FAULTS: "faults", WAITS: "calls at which others come between"}


def fewest(every: Sequence[str], fails: Callable[[list[str]], bool], is_over: Callable[[], bool]) -> list[str]:
    """As few of these as still fail: all are left out, then halves, quarters, and so on down to single ones."""
    kept, size = list(every), len(every)
    while size:
        start = 0
        while start < len(kept) and not is_over():
            fewer = kept[:start] + kept[start + size :]
            if fails(fewer):
                kept = fewer
            else:
                start += size
        size = size // 2 if size <= len(kept) else len(kept)
    return kept


def taken(shop: Shop, kind: str) -> list[str]:
    """The marks of all decisions of a kind that the tape keeps."""
    simulation = shop.simulation
    texts = {
        ACTS: map(str, shop.acts),
        FAULTS: map(str, simulation.faults.happened),
        WAITS: (place for place, _ in simulation.cloud.places),
    }
    return [mark(kind, text) for text in texts[kind] if shop.tape.keeps(kind, text)]


@dataclass(slots=True)
class Shrinking:
    """Of a script that breaks a check, within so many seconds of the processor."""

    script: Script
    check: str
    seconds: float
    say: Callable[[str], None]
    plays: int = 0
    began: float = field(default_factory=process_time)

    @property
    def spent(self) -> float:
        return process_time() - self.began

    def is_over(self) -> bool:
        return self.spent > self.seconds

    def fails(self, kept: Iterable[str]) -> bool:
        self.plays += 1
        _, found = live_through(self._with(kept))
        return any(violation.check == self.check for violation in found)

    def _with(self, kept: Iterable[str]) -> Script:
        return replace(self.script, tape=Tape(frozenset(kept)))

    def whole_kinds(self) -> None:
        """Leave out all faults, or all that comes between, where it fails without."""
        for kind in (FAULTS, WAITS):
            fewer = self.script.tape.kept - {kind}
            if self.fails(fewer):
                self.script = self._with(fewer)

    def of_a_kind(self, kind: str) -> None:
        if self.is_over():
            return
        shop, _ = live_through(self.script)
        marks = taken(shop, kind)
        others = self.script.tape.kept & {*_NAMES} - {kind}
        others |= {each for other in {*_NAMES} - {kind} - others for each in taken(shop, other)}
        kept = fewest(marks, lambda some: self.fails(others | {*some}), self.is_over)
        self.script = self._with(others | {*kept})
        self.say(f"{len(kept)} of {len(marks)} {_NAMES[kind]} ({self.plays} plays, {self.spent:.0f} s)")


def shrunk(script: Script, check: str, seconds: float, say: Callable[[str], None] = lambda _: None) -> Script:
    """The script with as few decisions as still break the check. What is left out of one kind may make others needless,
    so it begins again until nothing changes."""
    shrinking = Shrinking(script, check, seconds, say)
    shrinking.whole_kinds()
    before = None
    while before != shrinking.script and not shrinking.is_over():
        before = shrinking.script
        for kind in _NAMES:
            shrinking.of_a_kind(kind)
    return shrinking.script


def missing(script: Script) -> list[str]:
    """The marks of a tape that are of no decision of its run: the source has changed since it was made."""
    shop, _ = live_through(script)
    return sorted(script.tape.kept - {*_NAMES} - {each for kind in _NAMES for each in taken(shop, kind)})
