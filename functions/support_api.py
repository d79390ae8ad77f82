"""/orders, /attention, /inbox, /customers, /due, /stock and /products: what agents, help desks and the shop call."""

from typing import Any

from keypost import telemetry, wiring
from keypost.api.app import answer

wiring.warm(wiring.desk)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
