"""The only module that calls SQS: the queues of pokes. A poke holds only an id and means "look at this order (or
request) now". A repeated poke does no harm, and neither does a lost poke of an order."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost.core.errors import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = timedelta(minutes=15)  # of an SQS message
UNTIL = "until"  # the attribute of a message with the moment up to which it is fresh, in seconds since 1970
FRESH = timedelta(seconds=20)
_AT_ONCE = 10  # messages in a request


class Queue:
    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self.url = url

    def poke(self, order_id: str, delay: timedelta = timedelta()) -> None:
        """Send a poke, after a delay rounded to whole seconds. QueueUnavailable if SQS did not accept it."""
        try:
            self._client.send_message(
                QueueUrl=self.url, MessageBody=order_id, DelaySeconds=round(delay.total_seconds())
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable("queue_refused", error=type(error).__name__) from None

    def poke_all(self, order_ids: Sequence[str], delay: timedelta = timedelta()) -> None:
        """Send pokes, ten per request. QueueUnavailable if SQS did not accept some of them; all others were tried
        before."""
        more = {"DelaySeconds": round(delay.total_seconds())}
        self._send_all([{"MessageBody": order_id, **more} for order_id in order_ids])

    def poke_in_turn(self, order_ids: Sequence[str], per_second: float, clock: Callable[[], float] = time.time) -> None:
        """Send pokes of which so many arrive in each second, within LONGEST_DELAY. Each is worth something only while
        it is fresh: when it comes later than it should, others wait in the queue, and they go first. Errors as
        `poke_all`."""
        start = clock()
        refused = 0
        for place in range(0, len(order_ids), _AT_ONCE):
            arrives = start + place / per_second
            delay = min(max(round(arrives - clock()), 0), LONGEST_DELAY.seconds)
            until = {"DataType": "Number", "StringValue": str(round(arrives) + FRESH.seconds)}
            more = {"DelaySeconds": delay, "MessageAttributes": {UNTIL: until}}
            refused += self._send([{"MessageBody": each, **more} for each in order_ids[place : place + _AT_ONCE]])
        _check(refused, len(order_ids))

    def put_off(self, receipt: str, pause: timedelta) -> None:
        """Have a message that was received delivered again after a pause, of twelve hours at most."""
        self._client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=round(pause.total_seconds())
        )

    def _send_all(self, messages: Sequence[dict[str, Any]]) -> None:
        parts = (messages[start : start + _AT_ONCE] for start in range(0, len(messages), _AT_ONCE))
        _check(sum(map(self._send, parts)), len(messages))

    def _send(self, messages: Sequence[dict[str, Any]]) -> int:
        """Send as many messages as one request holds, and return how many of them SQS refused."""
        entries: Any = [{"Id": str(n), **message} for n, message in enumerate(messages)]
        try:
            return len(self._client.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed", []))
        except (ClientError, BotoCoreError):
            return len(messages)


def is_stale(message: Mapping[str, Any], now: datetime) -> bool:
    """Whether a message, as Lambda delivers it, is one that was sent in turn and comes later than it should."""
    until = message.get("messageAttributes", {}).get(UNTIL)
    return until is not None and now.timestamp() > float(until["stringValue"])


def _check(refused: int, count: int) -> None:
    if refused:
        raise QueueUnavailable("queue_refused_some", refused=refused, count=count)
