"""The worker of the queue: it does for each poked order what the order's facts require."""

from typing import Any

from keypost import telemetry, wiring


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    failed = []
    for record in event["Records"]:
        try:
            wiring.worker().advance(record["body"])
        except Exception as error:  # noqa: BLE001 - one order's fault must not hold up the others
            telemetry.failure(error, order_id=record["body"])
            telemetry.outcome("AdvanceFailed")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
