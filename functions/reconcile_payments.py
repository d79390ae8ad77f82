"""The hourly schedule: asks each provider whose API key is set for recent payments, and stores what no callback
reported. It also looks which providers have not called for longer than ever."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.core.errors import KeypostError
from keypost.providers import RECONCILED
from keypost.use_cases.reconcile import not_reconciled, reconcile
from keypost.use_cases.watch_doors import silent_doors

wiring.warm(wiring.store, wiring.queue, wiring.secrets)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(_event: dict[str, Any], _context: object) -> None:
    failed = [api for api in RECONCILED if not _reconcile(api)]
    for door in silent_doors(wiring.store(), datetime.now(UTC), wiring.config().quiet_doors):
        telemetry.at_door("DoorSilent", door.provider, since=door.last.isoformat())
    if failed:
        raise KeypostError("not_reconciled", providers=failed)


def _reconcile(api: str) -> bool:
    """True if the provider was asked with success, or if there was nothing to ask."""
    try:
        call = wiring.provider_call(api, datetime.now(UTC).replace(microsecond=0))
        if call.get is not None:
            reconcile(api, call, wiring.store(), wiring.queue(), wiring.intake(call.now))
    except Exception as error:  # noqa: BLE001 - one provider's trouble must not keep another from being asked
        not_reconciled(api, error)
        return False
    return True
