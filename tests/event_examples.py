"""One event of each type, made by what makes them: orders that are changed as functions change them, and the records
that the stream of the table has of it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from keypost.core import events
from keypost.core.events import Event
from keypost.core.forecast import Stock, forecast
from keypost.core.mail import Fate
from keypost.core.order import Order, Reason, waiting_for
from keypost.core.said import said
from keypost.table.orders import order_item
from keypost.table.outbox import events_in
from tests.builders import NOW, SKU, licensed, paid_order, sent_order, with_fates


def record(after: Order | None, before: Order | None = None) -> dict[str, Any]:
    """As Lambda delivers a change of an order; without `after`, of an item that was deleted."""
    images = {name: order_item(order) for name, order in (("NewImage", after), ("OldImage", before)) if order}
    return {"eventName": "MODIFY", "dynamodb": images}


def came(after: Order, before: Order | None = None) -> list[Event]:
    return [*events_in(record(after, before))]


def unpaid(order: Order) -> Order:
    return waiting_for(order, Reason.UNPAID, said("period_unpaid", first_day=NOW.date()), NOW)


def short() -> Event:
    stock = Stock(SKU, free=12, waiting=0, promised={NOW.date() + timedelta(days=3): 5}, used=60)
    low = events.stock_low(forecast(stock, NOW.date()), NOW.date(), NOW)
    assert low is not None
    return low


def all_types() -> list[Event]:
    sent, order = sent_order(), paid_order()
    return [
        *came(sent, licensed(order)),
        *came(with_fates(sent, Fate.DELIVERED), sent),
        *came(with_fates(sent, Fate.RETURNED), sent),
        *came(with_fates(sent, Fate.DELIVERED, Fate.COMPLAINED), with_fates(sent, Fate.DELIVERED))[:1],
        *came(unpaid(order), order),
        *came(waiting_for(order, Reason.STOCK, said("too_few_codes", skus=[SKU]), NOW), order),
        short(),
    ]


def examples() -> Mapping[str, dict[str, Any]]:
    """By type, each as programs of the shop get it."""
    return {each.type: json.loads(json.dumps(events.told(each, "live"))) for each in all_types()}
