"""Brings the events that the stream of the table holds to the bus and into the queue for the shop's URL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keypost import telemetry
from keypost.clients.bus import Bus
from keypost.clients.queue import Queue
from keypost.core.events import Event, told
from keypost.table.outbox import events_in


def tell_events(records: Iterable[Mapping[str, Any]], stage: str, bus: Bus | None, queue: Queue | None) -> None:
    """BusUnavailable or QueueUnavailable if some were not taken: then Lambda delivers all of the records again, and the
    events leave twice with the same ids."""
    events = [told(event, stage) for record in records for event in _read(record)]
    if bus:
        bus.put_all(events)
    if queue:
        queue.poke_all([json.dumps(event) for event in events])
    _count(events)


def _read(record: Mapping[str, Any]) -> Sequence[Event]:
    """What cannot be read would fail for ever, and must not keep back what comes behind it."""
    try:
        return events_in(record)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about this record
        key = record.get("dynamodb", {}).get("Keys", {}).get("pk", {}).get("S", "")
        telemetry.failure(error, item=key)
        telemetry.outcome("EventUnreadable", item=key)
        return ()


def _count(events: Sequence[Mapping[str, Any]]) -> None:
    for event in events:
        telemetry.outcome("EventTold", event=event["id"], type=event["type"], order_id=event["data"].get("order_id"))
