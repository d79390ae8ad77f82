"""The queue of customers' requests: sends customers again what they asked for on the page, and notes what they let us
know there. Only here, where nobody can see how long it takes, the customer is looked up by the address."""

from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import batch
from keypost.use_cases.grant_wish import grant

wiring.warm(wiring.desk)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return batch.handle_each(event, _grant, failed="WishFailed", id_name="wish_id")


def _grant(wish_id: str) -> None:
    wish = wiring.store().wish(wish_id)
    granted = grant(wiring.desk(), wish) if wish else []
    for order_id in granted:
        telemetry.outcome("WishGranted", order_id=order_id)
    if not granted:
        telemetry.outcome("WishNotGranted", wish_id=wish_id)
