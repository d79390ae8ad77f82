"""SQS with the pollers that Lambda runs for it: messages are delivered at least once, in any order, some at one
instant twice; what failed comes back after its visibility time-out, and after five times goes to the dead letters."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tests.simulator.aws_here import Answer, AwsCall
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.letters import KEPT_IN, Letters
from tests.simulator.faults.machine import Invocation, Machine
from tests.simulator.faults.tape import mark

REDRIVE = "keypost dead-letters redrive"
_SHORT = 60  # a body that can stand in a name: an order, and no event


@dataclass(frozen=True, slots=True)
class Source:
    """A queue and the function that it feeds, as template.yaml has them."""

    function: str
    batch: int
    at_once: int  # invocations
    visibility: float  # seconds
    timeout: float
    most: int = 5  # times that a message is received


SOURCES: Mapping[str, Source] = {
    "work": Source("advance_orders", batch=3, at_once=5, visibility=360, timeout=60),
    "wishes": Source("send_again", batch=1, at_once=2, visibility=360, timeout=60),
    "events": Source("mail_feedback", batch=10, at_once=2, visibility=180, timeout=30),
    "events_out": Source("deliver_events", batch=1, at_once=2, visibility=180, timeout=30, most=12),
}


@dataclass(slots=True, eq=False)
class Message:
    id: str
    body: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    sent_at: float = 0
    receives: int = 0
    pause: float | None = None  # seconds until it comes back, if its function put it off

    def received_again(self) -> dict[str, Any]:
        """It as Lambda gives it to a function, delivered once more."""
        self.receives += 1
        self.pause = None
        attributes = {"ApproximateReceiveCount": str(self.receives)}
        own = {
            name: {"stringValue": each["StringValue"], "dataType": each["DataType"]}
            for name, each in self.attributes.items()
        }
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": attributes,
            "messageAttributes": own,
        }


# Starts a function with an event, for some seconds; calls back when it is over.
Invoke = Callable[[str, dict[str, Any], float, Callable[[Invocation], None], tuple[str, ...]], None]


@dataclass(slots=True)
class Sqs:
    machine: Machine
    faults: Faults
    invoke: Invoke
    handled: Callable[[str, str], None]  # a message of a queue, by its body, once its function took it
    waiting: dict[str, list[Message]] = field(default_factory=lambda: {name: [] for name in SOURCES})
    running: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0))
    bodies: list[str] = field(default_factory=list)  # but for those that are SES's own words
    sent: dict[str, int] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    received: dict[str, Message] = field(default_factory=dict)  # by receipt
    is_deaf: bool = False  # it takes messages and delivers none of them
    sources: Mapping[str, Source] = field(default_factory=lambda: SOURCES)
    dead: Letters = field(init=False)

    def __post_init__(self) -> None:
        self.dead = Letters(self.machine)

    def take(self, call: AwsCall) -> Answer:
        """SendMessage, SendMessageBatch and ChangeMessageVisibility; and all that queues of dead letters are asked."""
        asked = call.body
        name = asked["QueueUrl"].rpartition("/")[2]
        if name in KEPT_IN.values():
            return 200, {}, json.dumps(self.dead.take(call.operation, name, asked))
        if call.operation == "ChangeMessageVisibility":
            self.received[asked["ReceiptHandle"]].pause = asked["VisibilityTimeout"]
            return 200, {}, "{}"
        for entry in asked.get("Entries", [asked]):
            if name != "events":
                self.bodies.append(entry["MessageBody"])
            self._send(name, entry["MessageBody"], entry.get("DelaySeconds", 0), entry.get("MessageAttributes", {}))
        taken = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "m"} for entry in asked.get("Entries", [])]
        told = {"Successful": taken, "Failed": []} if "Entries" in asked else {"MessageId": "m"}
        return 200, {}, json.dumps(told)

    def _send(self, name: str, body: str, delay: float, attributes: Mapping[str, Any]) -> None:
        place = self._named(name, body)
        if self.is_deaf:
            return
        # SQS loses nothing that it took. That a poke is lost stands for one that was never sent.
        may_be_lost = name in ("work", "wishes") and not self._is_handed_back
        kinds = ("poke lost", "poke late", "twin") if may_be_lost else ("poke late", "twin")
        match self.faults.at(place, kinds):
            case "poke lost":
                return
            case "poke late":
                self.put(name, body, delay + 30 * self.faults.chance(place).random(), attributes)
            case "twin":
                self.put(name, body, delay + 0.05, attributes)
                self.put(name, body, delay + 0.05, attributes)
            case _:
                self.put(name, body, delay + 0.05, attributes)

    @property
    def _is_handed_back(self) -> bool:
        """Whether a person puts a message back who has it before them until then."""
        return self.machine.current is not None and self.machine.current.function == REDRIVE

    def _named(self, name: str, body: str) -> str:
        title = f"message {name} {body[:60]}"
        self.sent[title] = self.sent.get(title, 0) + 1
        return f"{title} #{self.sent[title]}"

    def put(self, name: str, body: str, delay: float, attributes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Put a message into a queue."""
        title = f"{name} {body if len(body) <= _SHORT else mark(name, body)}"
        self.made[title] += 1
        self._offer(name, Message(f"{title} #{self.made[title]}", body, attributes, self.machine.now), delay)

    def _offer(self, name: str, message: Message, delay: float) -> None:
        def arrive() -> None:
            self.waiting[name].append(message)
            self.machine.later(0, lambda: self._poll(name))  # with what arrives at the same instant

        self.machine.later(delay, arrive)

    def _poll(self, name: str) -> None:
        """Twins never come in one batch: each is delivered to an invocation of its own."""
        source = self.sources[name]
        while self.waiting[name] and self.running[name] < source.at_once:
            batch: list[Message] = []
            for message in list(self.waiting[name]):
                if len(batch) < source.batch and all(message.body != other.body for other in batch):
                    batch.append(message)
                    self.waiting[name].remove(message)
            self._deliver(name, source, batch)

    def _deliver(self, name: str, source: Source, batch: list[Message]) -> None:
        self.running[name] += 1
        event = {"Records": [message.received_again() for message in batch]}
        self.received |= {message.id: message for message in batch}
        about = tuple(message.body for message in batch) if name == "work" else ()
        for message in batch:
            place = f"delivery of {message.id}"
            if message.receives < source.most and self.faults.at(place, ("visible too soon",)):
                self._offer(name, message, self.faults.chance(place).choice((0.01, 0.3, 3, 20)))
        self.invoke(source.function, event, source.timeout, lambda run: self._done(name, batch, run), about)

    def _done(self, name: str, batch: list[Message], run: Invocation) -> None:
        self.running[name] -= 1
        failed = {item["itemIdentifier"] for item in (run.result or {}).get("batchItemFailures", [])}
        for message in batch:
            if run.has_failed or message.id in failed:
                self._back(name, message)
                continue
            self.handled(name, message.body)
            if self.faults.at(f"{run.name} of {message.id}", ("delivered again",)):
                self._back(name, message)
        self._poll(name)

    def _back(self, name: str, message: Message) -> None:
        source = self.sources[name]
        if message.receives >= source.most:
            self.dead.add(name, message.id, message.body, message.sent_at)
        else:
            self._offer(name, message, source.visibility if message.pause is None else message.pause)
