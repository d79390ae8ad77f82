"""POST /callbacks/{provider}: verify, read, store what the payment says, poke its order."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.inputs import gateway
from keypost.providers import PROVIDERS, over_http
from keypost.use_cases.take_callback import progress_of, take_callback

wiring.warm(wiring.store, wiring.queue, wiring.secrets)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    name = (event.get("pathParameters") or {}).get("provider", "")
    if name not in PROVIDERS:
        return over_http.unknown()
    try:
        request = gateway.read_request(event)
        if answer := over_http.answered_unread(name, request):
            return answer
        now = datetime.now(UTC).replace(microsecond=0)
        call = wiring.provider_call(PROVIDERS[name].api, now, request.body, request.headers, request.query)
        store = wiring.store()
        orders = take_callback(name, call, wiring.secrets(), store, wiring.queue(), wiring.intake(now))
        if orders and over_http.asks_what_became(name, request):
            return over_http.became(orders[0], progress_of(store, orders[0]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the provider must call again and not read a stack trace
        return over_http.refused(name, error)
    return gateway.answer(PROVIDERS[name].accepted)
