"""The hourly schedule: asks each provider whose API key is set for recent payments, and stores what no callback
reported."""

from datetime import UTC, datetime, timedelta
from typing import Any

from keypost import telemetry, wiring
from keypost.core.errors import KeypostError, ProviderRefused
from keypost.providers import RECONCILED, recent
from keypost.use_cases.take_fact import record

# As far back as the provider itself retries its calls; further, if no run has succeeded for longer.
_WINDOWS = {"mollie": timedelta(hours=26), "stripe": timedelta(days=3)}


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(_event: dict[str, Any], _context: object) -> None:
    failed = [api for api in RECONCILED if not _reconcile(api)]
    if failed:
        raise KeypostError("not_reconciled", providers=failed)


def _reconcile(api: str) -> bool:
    """True if the provider was asked with success, or if there was nothing to ask."""
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        call = wiring.provider_call(api, now)
        if call.get is None:
            return True
        store, settings = wiring.store(), wiring.config()
        begun, until = store.reconciled(api, now)
        for fact in recent(api, call, max(begun, min(until, now - _WINDOWS[api]))):
            order_id, is_news = record(store, fact, now, settings.currency)
            if order_id and is_news:
                telemetry.outcome("PaymentRecovered", order_id=order_id, provider=api)
                wiring.queue().poke(order_id)
        store.put_reconciled(api, now)
    except Exception as error:  # noqa: BLE001 - one provider's trouble must not keep another from being asked
        telemetry.failure(error, provider=api)
        telemetry.outcome("ReconcileFailed", provider=api)
        if isinstance(error, ProviderRefused):
            telemetry.outcome("ProviderRefusedUs", provider=api)
        return False
    return True
