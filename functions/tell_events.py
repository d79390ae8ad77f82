"""The stream of the table: what happened to orders leaves as events, to the bus and to the queue for the shop's URL."""

from typing import Any

from keypost import telemetry, wiring
from keypost.use_cases.tell_events import tell_events

wiring.warm()


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> None:
    settings = wiring.config()
    bus = wiring.bus() if settings.event_bus else None
    queue = wiring.event_queue() if settings.event_queue_url else None
    tell_events(event["Records"], settings.stage, bus, queue)
