"""The schedules: poke every order that is due. The daily runs and the safety net do the same, and each finds what an
earlier run or a lost message left."""

from datetime import UTC, datetime, timedelta
from typing import Any

from keypost import telemetry, wiring
from keypost.core.aside import AsideReason
from keypost.core.errors import QueueUnavailable

_SPARE_MILLISECONDS = 10_000
_OVERDUE = timedelta(hours=2)  # several runs have poked an order by then

_MOST_NAMED = 100
_SET_ASIDE = {
    "OrderUnreadable": (AsideReason.UNREADABLE, AsideReason.NEWER_VERSION),
    "OrderFailing": (AsideReason.FAILING,),
}


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> None:
    now = datetime.now(UTC)
    found = overdue = 0
    for order_ids in wiring.store().due(now - _OVERDUE):
        overdue += len(order_ids)
    telemetry.outcome("OrdersOverdue", overdue)  # also when what follows fails
    for name, reasons in _SET_ASIDE.items():
        order_ids = [id_ for reason in reasons for page in wiring.store().needing(reason) for id_ in page]
        telemetry.outcome(name, len(order_ids), order_ids=order_ids[:_MOST_NAMED])
    refused: QueueUnavailable | None = None
    for order_ids in wiring.store().due(now):
        try:
            wiring.queue().poke_all(order_ids)
        except QueueUnavailable as error:  # the other pages may fare better
            refused = error
        found += len(order_ids)
        if context.get_remaining_time_in_millis() < _SPARE_MILLISECONDS:
            telemetry.outcome("DueRunCutShort")  # the next run, at most 15 minutes away, finds the others
            break
    telemetry.outcome("OrdersDue", found)
    if refused:
        raise refused  # the schedule runs again
    if event.get("rule") == "daily":
        telemetry.outcome("DailyRule")
