"""The queues that keep what failed, as a person reads them: what is received there is hidden for a while, and stays
until somebody deletes it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.faults.machine import Machine

# By the queue in which a message failed, the one that keeps it then; as template.yaml names them.
KEPT_IN: Mapping[str, str] = {
    "work": "DeadLetters",
    "wishes": "DeadLetters",
    "events": "FeedbackDeadLetters",
    "events_out": "EventDeadLetters",
}
_SOURCES: Mapping[str, str] = {
    "Queue": "work",
    "Wishes": "wishes",
    "FeedbackQueue": "events",
    "EventQueue": "events_out",
}
# By its name in template.yaml, the address of each queue.
URLS = {name: f"https://sqs.example/1/{queue}" for name, queue in _SOURCES.items()}
URLS |= {name: f"https://sqs.example/1/{name}" for name in KEPT_IN.values()}


@dataclass(slots=True, eq=False)
class Letter:
    """A message that failed for good."""

    id: str
    source: str  # the queue in which it failed
    body: str
    sent_at: float
    hidden_until: float = 0


@dataclass(slots=True)
class Letters:
    machine: Machine
    kept: list[Letter] = field(default_factory=list)
    alarm: Callable[[str], None] = lambda _: None  # called with the queue to which something came

    def add(self, source: str, id_: str, body: str, sent_at: float) -> None:
        self.kept.append(Letter(f"{id_} dead", source, body, sent_at))
        self.alarm(KEPT_IN[source])

    def of(self, queue: str) -> list[Letter]:
        """Those that a queue keeps, by its name in template.yaml."""
        return [each for each in self.kept if KEPT_IN[each.source] == queue]

    def take(self, operation: str, queue: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the queue of this name answers."""
        match operation:
            case "GetQueueAttributes":
                hidden = sum(each.hidden_until > self.machine.now for each in self.of(queue))
                numbers = {"": len(self.of(queue)) - hidden, "NotVisible": hidden}
                told = {f"ApproximateNumberOfMessages{name}": str(number) for name, number in numbers.items()}
                return {"Attributes": told}
            case "ReceiveMessage":
                return {"Messages": [*self._received(queue, asked)]}
            case "ChangeMessageVisibilityBatch":
                for letter, entry in self._named(asked):
                    letter.hidden_until = self.machine.now + entry["VisibilityTimeout"]
            case "DeleteMessageBatch":
                for letter, _ in self._named(asked):
                    self.kept.remove(letter)
            case _:
                raise AssertionError(f"nobody asks {queue} for {operation}")
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def _received(self, queue: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        seen = [each for each in self.of(queue) if each.hidden_until <= self.machine.now]
        for letter in seen[: asked["MaxNumberOfMessages"]]:
            letter.hidden_until = self.machine.now + asked["VisibilityTimeout"]
            arn = f"arn:aws:sqs:eu-west-1:123456789012:{letter.source}"
            about = {"SentTimestamp": str(round(letter.sent_at * 1000)), "DeadLetterQueueSourceArn": arn}
            yield {"MessageId": letter.id, "ReceiptHandle": letter.id, "Body": letter.body, "Attributes": about}

    def _named(self, asked: Mapping[str, Any]) -> Iterator[tuple[Letter, Mapping[str, Any]]]:
        """The letters of a request that are still there."""
        by_id = {each.id: each for each in self.kept}
        yield from ((by_id[each["ReceiptHandle"]], each) for each in asked["Entries"] if each["ReceiptHandle"] in by_id)
