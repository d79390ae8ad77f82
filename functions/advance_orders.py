"""The worker of the queue: it does for each poked order what the order's facts require."""

from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import batch


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return batch.handle_each(event, wiring.worker().advance, failed="AdvanceFailed", id_name="order_id")
