"""The schedules: poke every order that is due. The daily runs and the safety net do the same, and each finds what an
earlier run or a lost message left."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.use_cases.beat import beat
from keypost.use_cases.poke_due import FORGET, poke_due

_SPARE_MILLISECONDS = 40_000  # half of it for those that are let out until the next run

wiring.warm(wiring.schedule, wiring.queue)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> None:
    def is_time_left() -> bool:
        return bool(context.get_remaining_time_in_millis() >= _SPARE_MILLISECONDS)

    now = datetime.now(UTC)
    settings = wiring.config()
    is_in_order = poke_due(wiring.schedule(), wiring.queue(), now, settings.zone, wiring.mails_per_second, is_time_left)
    wiring.begin()  # after a deploy, also where no provider has called yet
    if event.get("rule") == "daily":
        if settings.forget_after_years:
            wiring.queue().poke(FORGET)
        telemetry.outcome("DailyRule")
        if settings.heartbeat_url and is_in_order:
            beat(wiring.outside(), settings.heartbeat_url)
