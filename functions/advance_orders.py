"""The queue's worker: brings each order that was poked to where its facts say it should be."""

from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import batch


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return batch.handle_each(event, wiring.worker().advance, failed="AdvanceFailed", id_name="order_id")
