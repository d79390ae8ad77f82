"""GET and POST /resend: the page on which customers ask for their licenses again. Every address gets the same answer
after the same work; the function behind the queue finds out whether we know it."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import gateway
from keypost.resend_page import over_http
from keypost.use_cases.take_wish import take_wish

wiring.warm(wiring.kept_wishes, wiring.wishes)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now, settings = datetime.now(UTC).replace(microsecond=0), wiring.config()
    request = gateway.read_request(event)
    telemetry.outcome("ResendPageCalled", method=request.method)
    if settings.self_service == "off":
        return over_http.answer(request, "off", "", settings, now)
    if request.method == "GET":
        return over_http.answer(request, "form", "", settings, now)
    try:
        ask, text = over_http.typed(request)
    except over_http.NotFromPage as error:
        return over_http.refused(request, error, settings.zone)
    outcome = take_wish(wiring.kept_wishes(), wiring.wishes(), ask, text, request.source, now)
    return over_http.answer(request, outcome, text, settings, now)
