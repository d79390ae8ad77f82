"""The queues of pokes, and the only module that talks to SQS. A poke holds an id and nothing else: it says "look at
this order now" (or at this wish), and one too many does no harm, nor does one lost of an order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from keypost.core.errors import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = timedelta(minutes=15)  # SQS keeps a message back no longer


class Queue:
    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self.url = url

    def poke(self, order_id: str, delay: timedelta = timedelta()) -> None:
        """QueueUnavailable when SQS did not take it."""
        try:
            self._client.send_message(
                QueueUrl=self.url, MessageBody=order_id, DelaySeconds=round(delay.total_seconds())
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable(f"SQS did not take the message: {type(error).__name__}") from None

    def poke_all(self, order_ids: Sequence[str], delay: timedelta = timedelta()) -> None:
        """Ten a request. QueueUnavailable when some were not taken, after all the others were tried."""
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
            raise QueueUnavailable(f"SQS did not take {refused} of {len(order_ids)} messages")
