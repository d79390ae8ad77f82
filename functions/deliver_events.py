"""The queue of events for the shop's URL: calls it with one event, and puts off what the shop does not take."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.use_cases.deliver_event import deliver_event, pause_after

wiring.warm(wiring.secrets, wiring.outside, wiring.events_url)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    (message,) = event["Records"]
    if deliver_event(wiring.events_shop(), message["body"], datetime.now(UTC)):
        return {"batchItemFailures": []}
    pause = pause_after(int(message["attributes"]["ApproximateReceiveCount"]))
    wiring.event_queue().put_off(message["receiptHandle"], pause)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}
