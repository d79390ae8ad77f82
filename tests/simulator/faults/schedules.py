"""EventBridge Scheduler: the daily runs, the safety net, and the daily note. A run that would find nothing is not
made, and an order that the net has poked several times in vain is left alone for longer. A note reads much and changes
little, so only some stories have them."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Machine

ZONE = ZoneInfo("Europe/Amsterdam")
_NET, _HOUR, _DAY = 900, 3600, 86400  # seconds
_GAPS = (900, 900, 3600, 6 * 3600)  # after so many runs for an order
_DAILY = (time(7), time(9), time(12))
NOTES = (time(7, 30), time(9, 30), time(12, 30))
_LATE = (30, 600, 1800)  # seconds
_NOTED = 20  # one of so many stories has notes


@dataclass(slots=True)
class Schedules:
    machine: Machine
    faults: Faults
    invoke: Callable[[str, dict[str, str]], None]
    due: dict[str, float] = field(default_factory=dict)  # the clocks of orders and of what else is due, as stored
    not_before: dict[str, float] = field(default_factory=dict)
    poked: Counter[str] = field(default_factory=Counter)
    next_run: float = math.inf
    notes_at: list[float] = field(default_factory=list)  # when runs that write a note were planned
    hourly_until: float = 0
    hours: set[float] = field(default_factory=set)  # at which a run that comes every hour is planned

    def plan_days(self, first: datetime, days: int, *, noted: int = _NOTED) -> None:
        """The daily runs, and, of one in so many stories, those that write a note; with `noted` 0 of none."""
        for day in (first.astimezone(ZONE).date() + timedelta(days=n) for n in range(days + 1)):
            for at in _DAILY:
                self._plan("find_due_orders", {"rule": "daily"}, datetime.combine(day, at, ZONE).timestamp())
            for at in NOTES if noted and self.faults.seed % noted == 1 else ():
                self._plan("write_daily_note", {}, datetime.combine(day, at, ZONE).timestamp())
                self.notes_at.append(datetime.combine(day, at, ZONE).timestamp())

    def _plan(self, function: str, input_: dict[str, str], moment: float) -> None:
        if moment >= self.machine.now:
            self.machine.at(moment, lambda: self._run_if_due(function, input_, moment))

    def _run_if_due(self, function: str, input_: dict[str, str], moment: float) -> None:
        if function != "find_due_orders" or any(due <= moment for due in self.due.values()):
            self._run(function, input_, moment)

    def _run(self, function: str, input_: dict[str, str], moment: float) -> None:
        place = f"run of {function} at {moment}"
        match self.faults.at(place, ("run skipped", "run twice", "run late")):
            case "run skipped":
                return
            case "run late":
                self.machine.later(self.faults.chance(place).choice(_LATE), lambda: self.invoke(function, input_))
                return
            case "run twice":
                self.invoke(function, input_)
        self.invoke(function, input_)

    def hourly(self, function: str, would_find: Callable[[], bool]) -> None:
        """A run at the next full hour, and at those of the next day that would find something."""
        self.hourly_until = self.machine.now + _DAY
        self._plan_hour(function, lambda: True, would_find)

    def _plan_hour(self, function: str, is_wanted: Callable[[], bool], then: Callable[[], bool]) -> None:
        moment = (self.machine.now // _HOUR + 1) * _HOUR
        if moment not in self.hours:
            self.hours.add(moment)
            self.machine.at(moment, lambda: self._at_the_hour(function, is_wanted, then, moment))

    def _at_the_hour(
        self, function: str, is_wanted: Callable[[], bool], then: Callable[[], bool], moment: float
    ) -> None:
        if is_wanted():
            self._run(function, {}, moment)
        if moment < self.hourly_until or then():
            self._plan_hour(function, then, then)

    def stored(self, order: str, due: float | None) -> None:
        """The clock of an order as it is now. A poke that has changed it was not in vain."""
        if self.due.pop(order, None) != due:
            self.poked.pop(order, None)
            self.not_before.pop(order, None)
        if due is not None:
            self.due[order] = due
            self._look(order)

    def something_new(self) -> None:
        """What waited in vain may have what it needs now."""
        self.poked.clear()
        self.not_before.clear()
        for order in self.due:
            self._look(order)

    def _look(self, order: str) -> None:
        moment = max(self.due[order], self.not_before.get(order, 0), self.machine.now + 1)
        run = math.ceil(moment / _NET) * _NET
        if run < self.next_run:
            self.next_run = run
            self.machine.at(run, lambda: self._net(run))

    def _net(self, run: float) -> None:
        if run != self.next_run:
            return  # an earlier one was planned meanwhile
        self.next_run = math.inf
        rung = [order for order, due in self.due.items() if due <= run]
        for order in rung:
            self.not_before[order] = run + _GAPS[min(self.poked[order], len(_GAPS) - 1)]
            self.poked[order] += 1
        if rung:
            self._run("find_due_orders", {}, run)
        for order in list(self.due):
            self._look(order)
