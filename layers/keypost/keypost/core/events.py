"""What the shop's own programs hear of: events with ids, without anything personal and without a code. An event follows
from an entry of an order's timeline, which one write stores together with what happened. So a crash loses no event, and
an event that is computed twice has the same id."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from keypost.core.forecast import Forecast
from keypost.core.frozen import dataclass
from keypost.core.mail import Purpose
from keypost.core.order import TimelineEntry
from keypost.core.said import Said

SERVED, DELIVERED, RETURNED = "order.served", "mail.delivered", "mail.returned"
COMPLAINED, UNPAID, WAITS, STOCK_LOW = "mail.complained", "renewal.unpaid", "order.waits", "stock.low"
TYPES = (SERVED, DELIVERED, RETURNED, COMPLAINED, UNPAID, WAITS, STOCK_LOW)

_DELIVERIES = (Purpose.PURCHASE, Purpose.RENEWAL)
# SES accepted the mail, whichever of its reports arrives first.
_LEFT = ("mail_sent", "mail_delayed", "mail_delivered", "mail_complained", "mail_returned", "mail_bounced")


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]
    sequence: int | None = None  # of the events of one order, a later one has a higher number


@dataclass(frozen=True, slots=True)
class MailOf:
    """What events tell of a mail. The purpose may be one that only a newer version knows."""

    id: str
    purpose: str
    products: tuple[str, ...] = ()  # the SKUs of the licenses that it is about
    licenses: tuple[str, ...] = ()  # their ids


Parts = Iterator[tuple[str, Mapping[str, Any]]]  # of events: the type, and what it says besides the order


def events_of(
    order_id: str,
    entries: Sequence[TimelineEntry],
    first: int,
    mails: Mapping[str, MailOf],
    left: frozenset[str] = frozenset(),
) -> Iterator[Event]:
    """The events of these entries of an order's timeline, of which the first has the number `first`, counting from 1.
    Given are the order's mails by id, and which of them SES had accepted before."""
    for number, entry in enumerate(entries, start=first):
        for type_, about in _parts(entry, mails, left):
            id_ = event_id(order_id, str(number), type_)
            yield Event(id_, type_, entry.at, {"order_id": order_id, **about}, number)
        if entry.code in _LEFT:
            left |= {entry.values["mail"]}


def event_id(*parts: str) -> str:
    """An id that says nothing and is the same for the same event. It has no dot, as Standard Webhooks wants it."""
    return f"evt_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def _parts(entry: TimelineEntry, mails: Mapping[str, MailOf], left: frozenset[str]) -> Parts:
    if entry.code in _LEFT:
        yield from _served(mails[entry.values["mail"]], left)
    if make := _OF_ENTRIES.get(entry.code):
        yield make(entry, mails)


def _served(mail: MailOf, left: frozenset[str]) -> Parts:
    if mail.purpose in _DELIVERIES and mail.id not in left:
        yield SERVED, _mail(mail) | {"products": mail.products, "licenses": mail.licenses}


def _mail(mail: MailOf) -> dict[str, Any]:
    return {"mail": mail.id, "purpose": str(mail.purpose)}


Make = Callable[[TimelineEntry, Mapping[str, MailOf]], tuple[str, Mapping[str, Any]]]


def _of_mail(type_: str, **more: str) -> Make:
    return lambda entry, mails: (type_, _mail(mails[entry.values["mail"]]) | more)


def _unpaid(entry: TimelineEntry, _: Mapping[str, MailOf]) -> tuple[str, Mapping[str, Any]]:
    return UNPAID, {"first_day": entry.values["why"].values["first_day"]}


def _waits(reason: str) -> Make:
    return lambda entry, _: (WAITS, {"reason": reason, "why": _why(entry)})


def _why(entry: TimelineEntry) -> str:
    """The code of the reason alone: its values may be what a person typed."""
    why = entry.values.get("why")
    return why.code if isinstance(why, Said) else entry.code


_OF_ENTRIES: Mapping[str, Make] = {
    "mail_delivered": _of_mail(DELIVERED),
    "mail_complained": _of_mail(COMPLAINED),
    "mail_returned": _of_mail(RETURNED, reason="returned"),
    "mail_bounced": _of_mail(RETURNED, reason="bounced"),
    "mail_rejected": _of_mail(RETURNED, reason="rejected"),
    "mail_failed": _of_mail(RETURNED, reason="failed"),
    "waits_unpaid": _unpaid,
    "waits_stock": _waits("stock"),
    "waits_product": _waits("product"),
    "waits_address": _waits("address"),
    "waits_renews": _waits("renews"),
    "waits_other_customer": _waits("other_customer"),
    "waits_unusual_start": _waits("unusual_start"),
    "on_hold": _waits("hold"),
    "held": _waits("hold"),
}


def stock_low(forecast: Forecast, day: date, now: datetime) -> Event | None:
    """That a product is to be ordered, once a day. None while its stock lasts."""
    if forecast.runs_out is None or forecast.order_before is None:
        return None
    stock = forecast.stock
    about = {
        "sku": stock.sku,
        "free": stock.free,
        "waiting": stock.waiting,
        "to_order": forecast.to_order,
        "order_before": forecast.order_before.isoformat(),
        "runs_out": forecast.runs_out.isoformat(),
    }
    return Event(event_id(stock.sku, day.isoformat(), STOCK_LOW), STOCK_LOW, now, about)


def told(event: Event, stage: str) -> dict[str, Any]:
    """The event as programs of the shop get it."""
    number = {} if event.sequence is None else {"sequence": event.sequence}
    moment = event.at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": moment,
        "stage": stage,
        **number,
        "data": dict(event.data),
    }
