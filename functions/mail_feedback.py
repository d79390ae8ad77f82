"""The queue of SES's events: stores what became of each mail, with everything that follows from it. The worker has
nothing to do then."""

import json
from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import batch
from keypost.use_cases import take_mail_event

wiring.warm(wiring.store)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    loaded: dict[str, Any] = {}  # the orders of these events
    return batch.handle_each(event, lambda body: _take(body, loaded), failed="FeedbackFailed")


def _take(body: str, loaded: dict[str, Any]) -> None:
    now, zone = datetime.now(UTC).replace(microsecond=0), wiring.config().zone
    take_mail_event.take(wiring.store(), _envelope(body), now, zone, loaded)


def _envelope(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
