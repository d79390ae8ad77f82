"""Pokes every order that is due, and counts those that several runs have poked in vain and those that are set aside.
Many renewals may be due on one morning, more than SES takes in an hour. They are let out at the pace of the mails, so
that a customer who buys meanwhile does not wait behind them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import QueueUnavailable
from keypost.core.periods import DAILY_RULE
from keypost.table.schedule import Due, Schedule
from keypost.use_cases.let_out import let_out

FORGET = "FORGET#"  # a poke by which customers are forgotten; no order's number
_OVERDUE = timedelta(hours=2)  # several runs have poked an order by then
_OFTEN = 15  # minutes between two runs: one of them is in the first quarter of each hour
_MOST_NAMED = 100
_SET_ASIDE = {
    "OrderUnreadable": (AsideReason.UNREADABLE, AsideReason.NEWER_VERSION),
    "OrderFailing": (AsideReason.FAILING,),
}


def poke_due(
    schedule: Schedule,
    queue: Queue,
    now: datetime,
    zone: tzinfo,
    mails_per_second: Callable[[], float],
    go_on: Callable[[], bool],
) -> bool:
    """Poke the orders that are due, page by page, for as long as `go_on` says so: the next run finds the others, within
    15 minutes. Those that were planned for a morning come last and, if they are many, as many as their mails may leave
    until the next run. Returns whether all is in order: nothing is overdue, set aside or left for the next run.
    QueueUnavailable, after all pages were tried, if SQS refused some."""
    aside = _count_aside(schedule) if now.minute < _OFTEN else 0  # also when what follows fails
    found, overdue, oldest, planned = 0, 0, now, list[tuple[datetime, str]]()
    is_whole = True
    refused: QueueUnavailable | None = None
    for page in schedule.due_since(now):
        at_once = [each.name for each in page if not _is_planned(each, zone)]
        planned += [(each.at, each.name) for each in page if _is_planned(each, zone)]
        refused = _poked(queue.poke_all, at_once) or refused  # the other pages may fare better
        found += len(page)
        overdue += sum(each.at <= now - _OVERDUE for each in page)
        oldest = min((oldest, *(each.at for each in page)))
        if not go_on():
            telemetry.outcome("DueRunCutShort")
            is_whole = False
            break
    names = [name for _, name in sorted(planned)]
    refused = _poked(lambda names: let_out(queue, names, mails_per_second), names) or refused
    telemetry.outcome("OrdersOverdue", overdue)
    telemetry.outcome("OrdersDue", found)
    if found:
        telemetry.outcome("OldestDueMinutes", int((now - oldest) / timedelta(minutes=1)))
    if refused:
        raise refused
    return is_whole and not overdue and not aside


def _is_planned(due: Due, zone: tzinfo) -> bool:
    """Whether it was known long before that it would be due then, as of a renewal or a reminder: nobody waits for it to
    the minute. A customer may have paid at this very second."""
    return not due.is_at_once and due.at.astimezone(zone).time() == DAILY_RULE


def _poked(poke: Callable[[Sequence[str]], object], names: Sequence[str]) -> QueueUnavailable | None:
    try:
        poke(names)
    except QueueUnavailable as error:
        return error
    return None


def _count_aside(schedule: Schedule) -> int:
    """Once an hour, for the alarms: it is counted at once when an order is set aside."""
    count = 0
    for name, reasons in _SET_ASIDE.items():
        order_ids = [order_id for reason in reasons for page in schedule.needing(reason) for order_id in page]
        telemetry.outcome(name, len(order_ids), order_ids=order_ids[:_MOST_NAMED])
        count += len(order_ids)
    return count
