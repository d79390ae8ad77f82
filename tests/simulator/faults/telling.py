"""The story of a failing run: its decisions in time order with the lines of the source at which they were taken, what
each invocation did, and the promise that was broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import wrap

from tests.simulator.faults.checks import Violation
from tests.simulator.faults.cloud import WRITES
from tests.simulator.faults.faults import Fault
from tests.simulator.faults.machine import Invocation
from tests.simulator.faults.play import Script, live_through
from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import Act, Shop
from tests.simulator.faults.simulation import DAY
from tests.simulator.faults.tape import ACTS, WAITS
from tests.simulator.page import FAULTS, PROMISES

_WIDTH, _INDENT = 150, " " * 23  # the second for what belongs to a line that begins with its time
_HOUR, _MINUTE = 3600, 60  # seconds
_CHANGES = (*WRITES, "SendEmail", "SendMessage", "SendMessageBatch", "PutEvents")  # the calls that change something


@dataclass(frozen=True, slots=True)
class Made:
    """A call of AWS, made from these lines of the source."""

    at: float
    place: str
    by: str
    orders: tuple[str, ...]
    text: str
    lines: str


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the story. `by` is the invocation whose call it is, and made from these lines of the source."""

    at: float
    text: str
    by: str = ""
    lines: str = ""

    @property
    def changes_something(self) -> bool:
        return bool(self.by) and self.text.split()[0] in _CHANGES


@dataclass(frozen=True, slots=True)
class Decision:
    at: float
    text: str
    lines: str = ""


@dataclass(slots=True)
class Story:
    shop: Shop
    found: Sequence[Violation]
    calls: list[Made] = field(default_factory=list)

    def decisions(self) -> list[Decision]:
        """In time order. Where others may come between at any call, that is none."""
        acts = [_of_act(act) for act in self.shop.acts if self.shop.tape.keeps(ACTS, str(act))]
        faults = [_of_fault(fault) for fault in self.shop.simulation.faults.happened]
        kept = () if WAITS in self.shop.tape.kept else self.calls
        waits = [_of_wait(made) for made in kept if self.shop.tape.keeps(WAITS, made.place)]
        return sorted([*acts, *faults, *waits], key=lambda decision: decision.at)

    def lines(self, orders: Sequence[str]) -> list[Told]:
        """What happened to these orders, and each decision; of a failure of no order, everything."""
        decided = [Told(each.at, f">>> {number}. {each.text}") for number, each in enumerate(self.decisions(), start=1)]
        return sorted([*decided, *self._done(orders), *self._noted(orders)], key=lambda line: line.at)

    def _done(self, orders: Sequence[str]) -> list[Told]:
        """The calls of each invocation that concerns these orders."""
        theirs = {f"ORDER#{order}" for order in orders}
        who = {call.by for call in self.calls if {*call.orders} & {*orders} or {*call.text.split()} & theirs}
        who |= {call.by for call in self.calls for each in self.decisions() if f"{call.by} " in f"{each.text} "}
        is_of_none = not theirs & {f"ORDER#{order}" for order in self.shop.simulation.saves}
        return [Told(call.at, call.text, call.by, call.lines) for call in self.calls if is_of_none or call.by in who]

    def _noted(self, orders: Sequence[str]) -> list[Told]:
        """An act is noted as a decision already."""
        journal = [entry for entry in self.shop.simulation.journal if not entry.text.startswith("ACT: ")]
        mails = self.shop.simulation.ses.accepted
        return [
            *(Told(each.at, each.text) for each in journal if not each.orders or {*each.orders} & {*orders}),
            *(Told(mail.at, _of_mail(mail)) for mail in mails if mail.order in orders),
        ]


def _of_mail(mail: Accepted) -> str:
    return f"SES takes {mail.mail}, attempt {mail.attempt}, to {mail.to} with {len(mail.codes)} codes"


def _of_act(act: Act) -> Decision:
    return Decision(act.at, f"happens: {act.text}")


def _of_fault(fault: Fault) -> Decision:
    return Decision(fault.at, f"fault: {fault} ({FAULTS[fault.kind]})", fault.lines)


def _of_wait(made: Made) -> Decision:
    return Decision(made.at, f"others come between: {made.place}", made.lines)


def played(script: Script) -> Story:
    calls = list[Made]()

    def listen(shop: Shop) -> None:
        def told(place: str, by: Invocation, text: str, lines: str) -> None:
            calls.append(Made(shop.simulation.now, place, by.name, by.about, text, lines))

        shop.simulation.cloud.told = told

    return Story(*live_through(script, listen), calls)


def story(shop: Shop, order: str) -> list[str]:
    """What happened to the orders that are named, line by line."""
    began = shop.simulation.machine.began
    return [f"{_clock(line.at - began)}  {line.text}" for line in Story(shop, ()).lines(order.split())]


def tell(script: Script, check: str) -> Iterator[str]:
    """The story of a script that breaks a check, line by line."""
    story = played(script)
    broken = [violation for violation in story.found if violation.check == check]
    if not broken:
        yield f"{script.command} does not break it in this process: something is carried from one shop to the next"
        return
    began, made = story.shop.simulation.machine.began, story.decisions()
    yield f"Broken: {check}. {_promise(check)}".rstrip()
    for violation in broken:
        yield from _wrapped(f"{violation.order}: {violation.text}", "  ")
    yield f"It takes {len(made)} decisions:"
    for number, decision in enumerate(made, start=1):
        yield from _wrapped(f"{_clock(decision.at - began)}  {number}. {decision.text}", "  ")
        yield from _wrapped(f"at {decision.lines}", _INDENT) if decision.lines else ()
    yield "What happened:"
    for at, text, lines in _joined(story.lines(broken[0].order.split())):
        yield from _wrapped(f"{_clock(at - began)}  {text}", "  ")
        yield from _wrapped(f"at {lines}", _INDENT) if lines else ()
    yield f"Play it again: {script.command}"


def _joined(lines: Sequence[Told]) -> Iterator[tuple[float, str, str]]:
    """The calls of one invocation in one line, up to one that changes something, as long as no other comes between."""
    joined = list[Told]()
    for line, then in zip(lines, [*lines[1:], None], strict=True):
        joined.append(line)
        if line.changes_something or not line.by or then is None or then.by != line.by:
            calls = _counted([each.text for each in joined])
            yield joined[0].at, f"{line.by}: {calls}" if line.by else line.text, line.lines * line.changes_something
            joined = []


def _counted(calls: Sequence[str]) -> str:
    counts = [(call, len([*same])) for call, same in groupby(calls)]
    return ", ".join(f"{call} ({count} times)" if count > 1 else call for call, count in counts)


def _promise(check: str) -> str:
    number = check.partition(" ")[0]
    return f"Promise {number}: {PROMISES[number]}." if number in PROMISES else ""


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=_INDENT)


def _clock(seconds: float) -> str:
    days, rest = divmod(seconds, DAY)
    return f"{days:.0f}d {rest // _HOUR:02.0f}:{rest // _MINUTE % _MINUTE:02.0f}:{rest % _MINUTE:06.3f}"
