"""Calls the shop's URL with an event, signed. What the shop does not take is tried again for three days."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keypost import telemetry
from keypost.clients.outside import Outside
from keypost.core import standard_webhooks
from keypost.core.errors import AddressRefused
from keypost.table.events_url import EventsUrl

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# After each attempt in vain; SQS waits for twelve hours at most. After the last one it is among the dead letters.
PAUSES = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, *(5 * (12 * _HOUR,)))
_GONE = 410


@dataclass(frozen=True, slots=True)
class Shop:
    """The program of the shop that takes events. `secrets` are those with which it verifies them."""

    url: str
    secrets: Sequence[str]
    outside: Outside
    state: EventsUrl


def deliver_event(shop: Shop, body: str, now: datetime) -> bool:
    """Whether the shop took the event. If not, it is to be tried again."""
    id_ = json.loads(body)["id"]
    if why := _why_not_called(shop):
        return _held_back(id_, why)
    headers = standard_webhooks.headers(shop.secrets, id_, now, body.encode())
    try:
        status = shop.outside.call("POST", shop.url, body.encode(), {"Content-Type": "application/json", **headers})
    except AddressRefused:
        return _held_back(id_, "not_public")
    if status == _GONE:
        shop.state.put_gone(shop.url, now)
        return _held_back(id_, "gone")
    is_taken = status is not None and status // 100 == 2  # noqa: PLR2004 - 2xx
    telemetry.outcome("EventDelivered" if is_taken else "EventNotDelivered", event=id_, status=status)
    return is_taken


def pause_after(attempts: int) -> timedelta:
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def _why_not_called(shop: Shop) -> str:
    if not shop.secrets:
        return "no_secret"
    return "gone" if shop.state.is_gone(shop.url) else ""


def _held_back(id_: str, why: str) -> bool:
    telemetry.outcome("EventHeldBack", event=id_, reason=why)
    return False
