"""GET and POST /reminders/{link}: the page on which customers stop their reminders, and what mail programs call for a
customer who presses their own button for that (RFC 8058). Reading changes nothing; nobody learns whose a link is."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import gateway
from keypost.reminders_page import over_http
from keypost.use_cases.choose_reminders import choose_reminders

wiring.warm(wiring.store)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    request = gateway.read_request(event)
    wanted = over_http.wanted(request) if request.method == "POST" else None
    if request.method == "POST" and wanted is None:
        outcome = "unclear"
    else:
        outcome = choose_reminders(wiring.store(), request.parameters.get("link", ""), wanted, now)
    telemetry.outcome("RemindersPageCalled", method=request.method, outcome=outcome)
    return over_http.answer(request, outcome, wiring.config())
