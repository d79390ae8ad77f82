"""Stripe's JSON: ids, amounts, moments and lists, read so that an odd value is no error."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from keypost.core.errors import ProviderUnavailable
from keypost.core.frozen import dataclass
from keypost.core.payment import Remark
from keypost.core.said import Said
from keypost.providers.call import Call

_ID = re.compile(r"[A-Za-z0-9._-]{1,255}")  # the longest id of a session; in test mode they have 66 characters
_WORD = re.compile(r"[a-z0-9_.]{1,80}")
STAMPS = range(10**9, 10**10)  # in seconds, from 2001 to 2286
_AHEAD = timedelta(minutes=5)  # as far as Stripe's clock may be ahead of this one
# Stripe counts in the smallest unit of a currency; these have no smaller one.
_NO_MINOR_UNIT = re.compile("BIF|CLP|DJF|GNF|JPY|KMF|KRW|MGA|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An object of Stripe as it was at one moment: in an event, or when Keypost fetched it."""

    kind: str  # the type of the event; empty without one
    entity: dict[str, Any]
    said: datetime | None  # Stripe's own moment, or the moment of fetching; None for a stamp that is nonsense
    now: datetime

    @property
    def at(self) -> datetime:
        """When it happened, never after now."""
        return min(self.said or self.now, self.now)

    @property
    def as_of(self) -> datetime:
        return self.said or self.now


def shown(call: Call, told: Snapshot, path: str, says: Callable[[Mapping[str, Any]], bool]) -> Snapshot:
    """The snapshot, if it says what its event reports; otherwise the object as Stripe has it by now.
    ProviderUnavailable if that does not say it yet either."""
    if says(told.entity):
        return told
    found = call.get(f"{path}/{told.entity['id']}", {}) if call.get else None
    if found is None or found.get("id") != told.entity["id"] or not says(found):
        raise ProviderUnavailable("stripe_not_yet", id=told.entity["id"])
    return replace(told, entity=found, said=call.now)


def stamped(created: Any, now: datetime) -> datetime | None:
    """The moment of Stripe's stamp, in whole seconds; None if it is none, or far in the future."""
    if not isinstance(created, int) or created not in STAMPS:
        return None
    moment = datetime.fromtimestamp(created, UTC)
    return moment if moment <= now + _AHEAD else None


def remark(call: Call, why: Said, about: Any = None, order_id: str = "") -> Remark:
    """A remark about the object with this id."""
    return Remark("stripe", call.now, why, order_id, f"stripe:{about}" if is_id(about) else "")


def mapped(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def word(given: Any) -> str:
    """A word of Stripe's that we do not know, if it looks like one."""
    return given if isinstance(given, str) and _WORD.fullmatch(given) else "?"


def id_of(value: Any) -> str | None:
    """The id of an object that stands there by its id, or whole."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if is_id(found) else None


def names(*things: Any) -> tuple[str, ...]:
    """The names of the payment that these objects are: sessions, invoices, payment intents or charges."""
    return tuple(dict.fromkeys(f"stripe:{found}" for thing in things if (found := id_of(thing))))


def currency_of(entity: Mapping[str, Any]) -> str:
    return str(entity.get("currency") or "").upper()


def whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def amount(minor: Any, currency: str) -> str | None:
    """An amount in the units of its currency; None if it is no number."""
    if whole(minor) is None:
        return None
    return str(Decimal(minor) if _NO_MINOR_UNIT.fullmatch(currency) else Decimal(minor).scaleb(-2))


def listed(call: Call, path: str, query: Mapping[str, str | Sequence[str]]) -> Iterator[dict[str, Any]]:
    """All objects of a list, page by page. ProviderUnavailable if one of them is none."""
    for found in raw_listed(call, path, query):
        if not isinstance(found, dict):
            raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
        yield found


def raw_listed(call: Call, path: str, query: Mapping[str, str | Sequence[str]]) -> Iterator[Any]:
    """Whatever stands in a list, page by page; nothing if there is no such list. ProviderUnavailable if it breaks off,
    or does not go on: what stands behind is not lost, because it is asked for again."""
    page, last = _page(call, path, query), None
    while page is not None:
        found = page.get("data")
        if not isinstance(found, list):
            raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
        yield from found
        if not page.get("has_more") or not found:
            return
        before, last = last, id_of(found[-1])
        if last == before:
            raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
        page = _page_behind(call, path, query, last)


def _page(call: Call, path: str, query: Mapping[str, str | Sequence[str]]) -> dict[str, Any] | None:
    return call.get(path, {"limit": "100", **query}) if call.get else None


def _page_behind(call: Call, path: str, query: Mapping[str, str | Sequence[str]], last: str | None) -> dict[str, Any]:
    """The page that begins behind this object. ProviderUnavailable if there is none, or if the object has no id."""
    page = _page(call, path, {**query, "starting_after": last}) if last else None
    if page is None:
        raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
    return page
