"""GET /activate and GET /activate/{sku}: the guide that customers follow to install and activate what they bought."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from keypost import telemetry, wiring
from keypost.core.periods import local_day
from keypost.guide_page import over_http
from keypost.inputs import gateway
from keypost.use_cases.read_catalog import read_catalog

wiring.warm(wiring.store)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now, settings = datetime.now(UTC), wiring.config()
    products = read_catalog(partial(wiring.catalog, now))
    return over_http.answer(gateway.read_request(event), products, settings, local_day(now, settings.zone))
