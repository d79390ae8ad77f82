"""The worker of the queue: it does for each poked order what the order's facts require."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.clients.queue import is_stale
from keypost.inputs import batch

wiring.warm(wiring.store, wiring.queue, wiring.mailer, wiring.desk, wiring.load_worker)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was never started goes first: an order whose step never ends takes the others of its batch with it."""
    now = datetime.now(UTC)
    messages = sorted((each for each in event["Records"] if not _gives_way(each, now)), key=_receives)
    receives = {message["body"]: _receives(message) for message in messages}
    return batch.handle_each(
        {"Records": messages},
        lambda order_id: wiring.try_order(order_id, receives[order_id]),
        failed="AdvanceFailed",
        id_name="order_id",
    )


def _gives_way(message: dict[str, Any], now: datetime) -> bool:
    """Whether the poke of a planned order has waited in the queue. It is dropped then, so that the customers behind it,
    who wait, are served sooner; the order stays due, and the next run of the schedules pokes it again. A message that
    was delivered before is kept: it proves that a start had no end."""
    gives_way = _receives(message) == 1 and is_stale(message, now)
    if gives_way:
        telemetry.outcome("OrderGaveWay", order_id=message["body"])
    return gives_way


def _receives(message: dict[str, Any]) -> int:
    """How often the queue has delivered this message; more than once when a start had no end."""
    return int(message["attributes"]["ApproximateReceiveCount"])
