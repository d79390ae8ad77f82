"""What a story leaves in the table, so that two plays of it can be compared: what an agent asked for is to be done, and
done once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.simulator.faults.shop import Shop
from tests.simulator.faults.simulation import needs

_OF_AN_ORDER = ("lines", "customer", "hold", "blocked", "gone", "subscription", "terms")
_OF_OTHERS = ("PRODUCT", "REMINDERS", "BOUNCED")
_MOMENTS = ("expires", "bounced", "lifted", "complained", "complaint_lifted", "stopped_at", "resumed_at", "ended_at")


def left(shop: Shop) -> dict[str, Any]:
    """What a story leaves, without its moments and without the names of things that are alike."""
    items = shop.simulation.items()
    found: dict[str, Any] = {"codes": Counter(_kind_of(item) for item in items if item["pk"].startswith("CODE#"))}
    for item in items:
        if item["pk"].startswith("ORDER#") and "version" in item:
            found |= {f"{item['pk']} {field}": _timeless(item.get(field)) for field in _OF_AN_ORDER}
            found[f"{item['pk']} licenses"] = len(item.get("licenses", ()))
            found[f"{item['pk']} needs"] = needs(item)
            done = (each["code"] for each in item["timeline"] if "who" in each)
            found[f"{item['pk']} was done by agents"] = Counter(done)
        elif item["pk"].startswith(_OF_OTHERS):
            found[item["pk"]] = _timeless(item)
    return found


def _kind_of(code: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(code.get(field, "")) for field in ("sku", "state", "stock", "batch", "order_id"))


def _timeless(value: Any) -> Any:
    match value:
        case dict():
            return {name: name in _MOMENTS or _timeless(each) for name, each in value.items()}
        case list():
            return [_timeless(each) for each in value]
    return value


def differing(found: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    """What a story left in another state than usual."""
    parts = sorted(part for part in {*found, *usual} if found.get(part) != usual.get(part))
    return [f"{part} is {found.get(part)}, and without a fault {usual.get(part)}" for part in parts]
