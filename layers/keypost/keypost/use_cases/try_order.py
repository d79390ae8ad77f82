"""Tries an order that was poked: what was told while it could not be written is merged into it, and then the worker
advances it. An order that cannot be read, or whose step fails again and again, is set aside: it is tried hourly, then
daily, and holds up nobody."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from keypost import telemetry
from keypost.core.aside import Aside, reason_of, set_aside, started
from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import Conflict, SetAside
from keypost.core.mail import MailReport
from keypost.core.shop import Intake
from keypost.table.aside import Opened
from keypost.table.payments import Heard
from keypost.use_cases import replace_batch, serve_waiting, take_fact, take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk


def try_order(
    worker: Worker, desk: Desk, intake: Callable[[datetime], Intake], order_id: str, receives: int = 1
) -> None:
    """Raises whatever the step raised, until the order is set aside for it. `receives` says how often the queue has
    delivered this message: more than once proves that an earlier start had no end, also when its process was killed.
    A healthy order costs no write here, and only what was told beside an order asks for the `intake`. The poke of a
    product, which got codes, is of no order, nor is that of a batch which is replaced."""
    if serve_waiting.is_of_product(order_id):
        worker.advance(order_id)
        return
    if replace_batch.is_of_batch(order_id):
        replace_batch.go_on(desk, order_id, worker.clock())
        return
    store, now = worker.store, worker.clock()
    opened = store.open_order(order_id)
    aside = opened.aside or Aside(order_id)
    if aside.reason and receives > 1:
        return  # it has its own clock, which has moved
    if opened.fault:
        _set_aside(worker, aside, opened.fault, now)
        return
    if aside.version or receives > 1:
        aside = store.save_aside(started(aside, receives, now), now)
    try:
        _advance(worker, desk, intake, opened, now)
    except Exception as error:
        if isinstance(error, SetAside) and error.order_id == order_id:
            _set_aside(worker, aside, error, now)
        elif aside.reason:
            telemetry.failure(error, order_id=order_id)
            _count(aside)
            store.save_aside(set_aside(aside, AsideReason.FAILING, now, telemetry.place(error)), now)
        else:
            raise
        return
    if aside.version and not store.end_aside(aside):  # more was told meanwhile
        raise Conflict("order_busy", order=order_id)


def _advance(worker: Worker, desk: Desk, intake: Callable[[datetime], Intake], opened: Opened, now: datetime) -> None:
    aside = opened.aside
    if aside and (aside.told or aside.erasure):
        _merge(desk, intake, aside, now)
        worker.advance(aside.order_id)
    elif opened.order:
        worker.advance(opened.order.id, opened.order)
    else:
        telemetry.outcome("OrderNotFound", order_id=opened.order_id)


def _merge(desk: Desk, intake: Callable[[datetime], Intake], aside: Aside, now: datetime) -> None:
    """Everything here may be done again: an order does not change by what it knows already."""
    facts = [each for each in aside.told if not isinstance(each, MailReport)]
    if facts:
        take_fact.write_down(desk.store, aside.order_id, Heard(facts), now, intake(now))
    for report in aside.told:
        if isinstance(report, MailReport):
            take_mail_event.write_down(desk.store, report, now, desk.zone)
    if aside.erasure:
        desk.erase_at_last(aside.order_id, aside.erasure)


def _set_aside(worker: Worker, aside: Aside, error: SetAside, now: datetime) -> None:
    aside = set_aside(aside, reason_of(error), now, error.place)
    _count(aside)
    worker.store.save_aside(aside, now)


def _count(aside: Aside) -> None:
    is_failing = aside.reason is AsideReason.FAILING
    about: dict[str, Any] = {"reason": aside.reason, "place": aside.why, "starts": aside.starts}
    telemetry.outcome("OrderFailing" if is_failing else "OrderUnreadable", order_id=aside.order_id, **about)
