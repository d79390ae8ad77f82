"""The worker of the queue: it does for each poked order what the order's facts require."""

from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import batch


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was never started goes first: an order whose step never ends takes the others of its batch with it."""
    messages = sorted(event["Records"], key=_receives)
    receives = {message["body"]: _receives(message) for message in messages}
    return batch.handle_each(
        {"Records": messages},
        lambda order_id: wiring.try_order(order_id, receives[order_id]),
        failed="AdvanceFailed",
        id_name="order_id",
    )


def _receives(message: dict[str, Any]) -> int:
    """How often the queue has delivered this message; more than once when a start had no end."""
    return int(message["attributes"]["ApproximateReceiveCount"])
