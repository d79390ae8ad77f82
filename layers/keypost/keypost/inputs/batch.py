"""The messages of a queue that Lambda hands over together: the fault of one does not hold up another."""

from collections.abc import Callable
from typing import Any

from keypost import telemetry
from keypost.core.errors import BatchFailed


def handle_each(
    event: dict[str, Any], handle: Callable[[str], object], failed: str, id_name: str = ""
) -> dict[str, Any]:
    """Hand over the body of each message, and answer which ones are to come back. A failure is counted as the outcome
    `failed`, and logged with the body under `id_name` where the body is an id. BatchFailed when all messages failed:
    Lambda counts that as an error of the function, for which an alarm rings, and brings all messages back."""
    messages = event["Records"]
    back = [message for message in messages if not _is_handled(message["body"], handle, failed, id_name)]
    if messages and len(back) == len(messages):
        raise BatchFailed(f"all {len(messages)} messages failed; each failure stands in a line of its own")
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in back]}


def _is_handled(body: str, handle: Callable[[str], object], failed: str, id_name: str) -> bool:
    try:
        handle(body)
    except Exception as error:  # noqa: BLE001 - one message's fault must not hold up the others
        telemetry.failure(error, **({id_name: body} if id_name else {}))
        telemetry.outcome(failed)
        return False
    return True
