"""The stream of the table with the poller that Lambda runs for it, the bus, and the program of the shop. A batch that
fails comes again until it is taken, and holds up those behind it; some come again though they were taken."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.aws_here import Answer, AwsCall
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Invocation, Machine

_WINDOW, _AGAIN, _TIMEOUT = 10.0, 1.0, 30.0  # seconds, as template.yaml and Lambda have them
_BATCH = 100
_TROUBLE = (500, 503, 429, 401, 302)  # what a program answers that is down, busy, or behind a page to sign in
_NO_ANSWER = 13  # seconds

Invoke = Callable[[str, dict[str, Any], float, Callable[[Invocation], None], tuple[str, ...]], None]


@dataclass(slots=True)
class EventsOut:
    machine: Machine
    faults: Faults
    invoke: Invoke
    images: dict[str, dict[str, Any]] = field(default_factory=dict)  # the newest of each item, by its key
    waiting: list[dict[str, Any]] = field(default_factory=list)
    is_reading: bool = False
    read: int = 0
    on_bus: list[dict[str, Any]] = field(default_factory=list)  # events, as often as they were put
    taken: list[dict[str, Any]] = field(default_factory=list)  # as often as the program of the shop took them
    called: Counter[str] = field(default_factory=Counter)  # the program of the shop, by the event
    heard: list[str] = field(default_factory=list)  # all that left, as it left

    def changed(self, items: Sequence[dict[str, Any]]) -> None:
        """These items were put."""
        for item in items:
            key = item["pk"]["S"]
            if not key.startswith(("ORDER#", "EVENT#")):
                continue
            old = {"OldImage": self.images[key]} if key in self.images else {}
            self.images[key] = item
            self.waiting.append({"dynamodb": {"Keys": {"pk": item["pk"]}, "NewImage": item, **old}})
            if not self.is_reading:
                self.is_reading = True
                self.machine.later(_WINDOW, self._read)

    def _read(self) -> None:
        batch = self.waiting[:_BATCH]
        self.invoke("tell_events", {"Records": batch}, _TIMEOUT, lambda run: self._done(len(batch), run), ())

    def _done(self, count: int, run: Invocation) -> None:
        self.read += 1
        if not run.has_failed and not self.faults.at(f"changes {self.read}", ("changes again",)):
            del self.waiting[:count]
        self.is_reading = bool(self.waiting)
        if self.is_reading:
            self.machine.later(_AGAIN if run.has_failed else 0, self._read)

    def put(self, call: AwsCall) -> Answer:
        """PutEvents."""
        for entry in call.body["Entries"]:
            self.heard.append(entry["Detail"])
            self.on_bus.append(json.loads(entry["Detail"]))
        return 200, {}, json.dumps({"FailedEntryCount": 0, "Entries": []})

    def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """What the program of the shop answers."""
        event = json.loads(body)
        self.heard.append(f"{url} {body.decode()} {json.dumps(dict(headers))}")
        self.called[event["id"]] += 1
        place = f"call with {event['id']} #{self.called[event['id']]}"
        match self.faults.at(place, ("shop does not answer", "shop has trouble")):
            case "shop does not answer":
                self.machine.pause(_NO_ANSWER)
                return None
            case "shop has trouble":
                return self.faults.chance(place).choice(_TROUBLE)
        self.machine.pause(0.1)
        self.taken.append(event)
        return 204
