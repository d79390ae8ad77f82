"""The only module that calls SQS: the queues of pokes. A poke holds only an id and means "look at this order (or
request) now". A repeated poke does no harm, and neither does a lost poke of an order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from keypost.core.errors import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = timedelta(minutes=15)  # of an SQS message


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
        refused = 0
        for start in range(0, len(order_ids), 10):
            ten = order_ids[start : start + 10]
            try:
                answer = self._client.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(n), "MessageBody": order_id, "DelaySeconds": round(delay.total_seconds())}
                        for n, order_id in enumerate(ten)
                    ],
                )
                refused += len(answer.get("Failed", []))
            except (ClientError, BotoCoreError):
                refused += len(ten)
        if refused:
            raise QueueUnavailable("queue_refused_some", refused=refused, count=len(order_ids))
