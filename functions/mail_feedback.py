"""The queue of SES's events: stores what became of each mail, with everything that follows from it. The worker has
nothing to do then."""

import json
from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.use_cases import take_mail_event


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now, failed = datetime.now(UTC).replace(microsecond=0), []
    for record in event["Records"]:
        try:
            take_mail_event.take(wiring.store(), _body(record), now)
        except Exception as error:  # noqa: BLE001 - one event's fault must not hold up the others
            telemetry.failure(error)
            telemetry.outcome("FeedbackFailed")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _body(record: dict[str, Any]) -> Any:
    try:
        return json.loads(record["body"])
    except (ValueError, RecursionError):
        return None
