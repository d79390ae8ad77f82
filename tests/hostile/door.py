"""The real handler of callbacks, and what it writes, sends and logs for a case: each begins on the same table."""

import io
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

import payment_callback
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.errors import KeypostError
from tests.builders import Context
from tests.hostile.cases import Request, gateway_event
from tests.hostile.checks import Seen
from tests.in_process import DYNAMODB
from tests.simulator.aws_here import ask_dynamodb

Items = Mapping[str, Mapping[str, Any]]  # by key


@dataclass
class Tried:
    """The door, and which answers it gave to how many requests."""

    stack: Stack
    local: LocalStack
    logged: io.StringIO
    stage: str
    dynamodb: Any = None  # one client for all cases, as for the queue: to build one takes longer than a case
    sqs: Any = None
    before: Items = field(default_factory=dict)  # what a case begins with
    now: Items = field(default_factory=dict)  # what there is after the last request
    counts: dict[int, int] = field(default_factory=dict)  # by status
    slowest: tuple[float, tuple[str, ...]] = (0.0, ())  # seconds of CPU, and what was done to that request

    def __post_init__(self) -> None:
        self.dynamodb, self.sqs = (self.local.session.client(name) for name in ("dynamodb", "sqs"))
        self.before = self.now = self._items()

    @property
    def summary(self) -> str:
        answered = ", ".join(f"{count} x {status}" for status, count in sorted(self.counts.items()))
        seconds, how = self.slowest
        return f"{answered}; the slowest took {seconds * 1000:.0f} ms of CPU ({', '.join(how)})"

    def play(self, requests: Sequence[Request]) -> list[Seen]:
        """What became of each request of a case. The table is afterwards as it was before."""
        seen = []
        for place, request in enumerate(requests):
            seen.append(self._seen(request, requests[:place]))
        if any(each.written for each in seen):
            self._restore()
        wiring.store.cache_clear()  # it remembers which providers called
        return seen

    def _seen(self, request: Request, earlier: Sequence[Request]) -> Seen:
        before = self.now
        self.logged.seek(0)
        self.logged.truncate()
        printed = io.StringIO()
        with redirect_stdout(printed):
            answer = self._answer(request)
        self.now = self._items()
        written = [item for key, item in self.now.items() if item != before.get(key)]
        paid, unreadable = self._orders(written)
        output = self.logged.getvalue() + printed.getvalue()
        return Seen(request, answer, written, self._pokes(), paid, unreadable, output, earlier, self.stage)

    def _answer(self, request: Request) -> Any:
        self.local.providers.objects = dict(request.api)
        self.local.providers.trouble = lambda: request.trouble
        begun = time.thread_time()
        try:
            answer = payment_callback.handler(gateway_event(request), Context())
        except Exception as error:  # noqa: BLE001 - this is what the checks look for
            return error
        self.slowest = max(self.slowest, (time.thread_time() - begun, request.how))
        self.counts[answer["statusCode"]] = self.counts.get(answer["statusCode"], 0) + 1
        return answer

    def _orders(self, written: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
        """The ids of the orders that became paid in this case, and of those that are unreadable."""
        paid, unreadable = [], []
        for item in written:
            kind, _, order_id = item["pk"]["S"].partition("#")
            try:
                order = self.stack.store.load(order_id) if kind == "ORDER" else None
            except KeypostError:
                unreadable.append(order_id)
            else:
                paid += [order_id] if order and order.is_paid and item["pk"]["S"] not in self.before else []
        return paid, unreadable

    def _pokes(self) -> list[str]:
        """The messages in the queue, which is empty afterwards: what is not deleted comes again."""
        url, found = self.stack.queue.url, []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def _items(self) -> Items:
        return {item["pk"]["S"]: item for item in self._ask("Scan")["Items"]}

    def _restore(self) -> None:
        for key in self.now.keys() - self.before.keys():
            self._ask("DeleteItem", Key={"pk": {"S": key}})
        for key, item in self.before.items():
            if self.now.get(key) != item:
                self._ask("PutItem", Item=item)
        self.now = self.before

    def _ask(self, operation: str, **body: Any) -> Any:
        """Past the SDK where that is possible: these calls take longer there than the callback itself."""
        if DYNAMODB:
            return getattr(self.dynamodb, xform_name(operation))(TableName=self.stack.store.table, **body)
        return ask_dynamodb(operation, TableName=self.stack.store.table, **body)
