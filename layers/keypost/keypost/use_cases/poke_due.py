"""Pokes every order that is due, and counts those that several runs have poked in vain and those that are set aside."""

from collections.abc import Callable
from datetime import datetime, timedelta

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.aside import AsideReason
from keypost.core.errors import QueueUnavailable
from keypost.table import Store

_OVERDUE = timedelta(hours=2)  # several runs have poked an order by then
_MOST_NAMED = 100
_SET_ASIDE = {
    "OrderUnreadable": (AsideReason.UNREADABLE, AsideReason.NEWER_VERSION),
    "OrderFailing": (AsideReason.FAILING,),
}


def poke_due(store: Store, queue: Queue, now: datetime, go_on: Callable[[], bool]) -> None:
    """Poke the orders that are due, page by page, for as long as `go_on` says so: the next run finds the others, within
    15 minutes. QueueUnavailable, after all pages were tried, if SQS refused some."""
    _count(store, now)  # also when what follows fails
    found, refused = 0, None
    for order_ids in store.due(now):
        try:
            queue.poke_all(order_ids)
        except QueueUnavailable as error:  # the other pages may fare better
            refused = error
        found += len(order_ids)
        if not go_on():
            telemetry.outcome("DueRunCutShort")
            break
    telemetry.outcome("OrdersDue", found)
    if refused:
        raise refused


def _count(store: Store, now: datetime) -> None:
    telemetry.outcome("OrdersOverdue", sum(len(order_ids) for order_ids in store.due(now - _OVERDUE)))
    for name, reasons in _SET_ASIDE.items():
        order_ids = [order_id for reason in reasons for page in store.needing(reason) for order_id in page]
        telemetry.outcome(name, len(order_ids), order_ids=order_ids[:_MOST_NAMED])
