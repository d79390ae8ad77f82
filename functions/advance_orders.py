"""The worker of the queue: it does for each poked order what the order's facts require."""

from typing import Any

from keypost import telemetry, wiring


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    failed = []
    # An order whose step never ends takes its companions with it: what was never started goes first.
    for record in sorted(event["Records"], key=_receives):
        try:
            wiring.try_order(record["body"], _receives(record))
        except Exception as error:  # noqa: BLE001 - one order's fault must not hold up the others
            telemetry.failure(error, order_id=record["body"])
            telemetry.outcome("AdvanceFailed")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _receives(record: dict[str, Any]) -> int:
    """How often the queue has delivered this message; more than once when a start had no end."""
    return int(record["attributes"]["ApproximateReceiveCount"])
