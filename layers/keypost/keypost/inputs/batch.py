"""Messages of a queue that Lambda delivers together: the failure of one does not stop another."""

from collections.abc import Callable
from typing import Any

from keypost import telemetry
from keypost.core.errors import BatchFailed


def handle_each(
    event: dict[str, Any], handle: Callable[[str], object], failed: str, id_name: str = ""
) -> dict[str, Any]:
    """Call `handle` with the body of each message, and answer which messages SQS must deliver again. A failure is
    counted as the outcome `failed`, and logged with the body under `id_name` if the body is an id. BatchFailed if all
    messages failed: Lambda counts that as an error of the function, for which an alarm rings, and SQS delivers all of
    them again."""
    messages = event["Records"]
    back = [message for message in messages if not _is_handled(message["body"], handle, failed, id_name)]
    if messages and len(back) == len(messages):
        raise BatchFailed("batch_failed", count=len(messages))
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in back]}


def _is_handled(body: str, handle: Callable[[str], object], failed: str, id_name: str) -> bool:
    try:
        handle(body)
    except Exception as error:  # noqa: BLE001 - the failure of one message must not stop the others
        telemetry.failure(error, **({id_name: body} if id_name else {}))
        telemetry.outcome(failed)
        return False
    return True
