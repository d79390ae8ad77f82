"""Events that have left before, or should have. An order holds all of its own, so they leave again with the ids that
they had."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from keypost.core.events import Event
from keypost.core.order import Order
from keypost.table import Store
from keypost.table.orders import order_item
from keypost.table.outbox import Outbox, events_in

_BEGINNING = "2000-01-01T00:00:00+00:00"


def events_of(store: Store, order: Order) -> Sequence[Event]:
    """All events of an order, from the first one on; of an erased order, from the first that is still kept."""
    earlier = store.beside(order).timeline
    whole = replace(order, timeline=(*earlier, *order.timeline), moved=order.moved - len(earlier))
    return events_in({"dynamodb": {"NewImage": order_item(whole)}})


def tell_again(store: Store, order_ids: Iterable[str], since: datetime | None, now: datetime) -> int:
    """Have the events of these orders leave again, those of a moment and later; returns how many. NotFound, before any
    has left, if there is no such order."""
    orders = [store.existing(order_id) for order_id in order_ids]
    found = [event for order in orders for event in events_of(store, order) if since is None or event.at >= since]
    outbox = store.part(Outbox)
    for event in found:
        outbox.put_event(event, now)
    return len(found)


def tell_all_again(store: Store, since: datetime, now: datetime) -> int:
    """The same for all orders that there are. One that cannot be read is left out, which is counted."""
    return sum(tell_again(store, [order.id], since, now) for order in _all_orders(store, now))


def _all_orders(store: Store, now: datetime) -> Iterator[Order]:
    parts = store.created(datetime.fromisoformat(_BEGINNING), now)
    yield from chain.from_iterable(store.read_all([place.order_id for place in part.found]).orders for part in parts)
