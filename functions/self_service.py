"""GET and POST /resend: the page on which customers ask for their licenses again. Every address gets the same answer
after the same work; the function behind the queue finds out whether we know it."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from keypost import telemetry, wiring
from keypost.core.errors import InvalidInput
from keypost.inputs import gateway
from keypost.resend_page import over_http
from keypost.use_cases.take_wish import take_wish
from keypost.words import reader, sentence


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
    if refusal := over_http.refusal(request):
        return refusal
    try:
        text = over_http.typed(request)
    except InvalidInput as error:
        return gateway.problem(HTTPStatus.BAD_REQUEST, sentence(error.said, reader("en", settings.zone)))
    outcome = take_wish(wiring.store(), wiring.wishes(), text, request.source, now)
    return over_http.answer(request, outcome, text, settings, now)
