"""The APIs of WooCommerce and Moneybird on loopback, as far as Keypost calls them: single objects, and lists in pages,
which are bare JSON arrays. `objects` by path: /wp-json/wc/v3/orders/1237, /api/v2/123/sales_invoices/1."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

WOOCOMMERCE_KEY = "test_ck_keypostlocal:cs_keypostlocal"
MONEYBIRD_KEY = "test_keypostlocalkeypostlocal"
ADMINISTRATION = "123456789012345678"

_WOOCOMMERCE, _MONEYBIRD = "/wp-json/wc/v3/", "/api/v2/"
_AUTHORIZED = {
    _WOOCOMMERCE: f"Basic {base64.b64encode(WOOCOMMERCE_KEY.encode()).decode()}",
    _MONEYBIRD: f"Bearer {MONEYBIRD_KEY}",
}

Json = dict[str, Any]
Answer = tuple[int, Json | list[Json]]


def is_of_a_shop(path: str) -> bool:
    return path.startswith(tuple(_AUTHORIZED))


def shop_answers(objects: Mapping[str, Json], path: str, query: Mapping[str, str], authorization: str | None) -> Answer:
    """The status and the body with which the shop or the bookkeeping answers a GET."""
    is_shop = path.startswith(_WOOCOMMERCE)
    if authorization != _AUTHORIZED[_WOOCOMMERCE if is_shop else _MONEYBIRD]:
        return _refused(is_shop, HTTPStatus.UNAUTHORIZED)
    return _of_woocommerce(objects, path, query) if is_shop else _of_moneybird(objects, path, query)


def _refused(is_shop: bool, status: HTTPStatus) -> Answer:
    if is_shop:
        return status, {"code": "woocommerce_rest_cannot_view", "message": status.phrase, "data": {"status": status}}
    return status, {"error": status.phrase, "symbolic": {}}


def _of_woocommerce(objects: Mapping[str, Json], path: str, query: Mapping[str, str]) -> Answer:
    if thing := objects.get(path):
        return HTTPStatus.OK, thing
    if path.rpartition("/")[2] not in ("orders", "webhooks"):
        return _refused(True, HTTPStatus.NOT_FOUND)
    after = query.get("modified_after", "")
    found = [thing for thing in _below(objects, path) if not after or thing["date_modified_gmt"] > after]
    return HTTPStatus.OK, _page(
        sorted(found, key=lambda thing: thing.get("date_modified_gmt", ""), reverse=True), query
    )


def _of_moneybird(objects: Mapping[str, Json], path: str, query: Mapping[str, str]) -> Answer:
    path = path.removesuffix(".json")
    if thing := objects.get(path):
        return HTTPStatus.OK, thing
    if not re.fullmatch(rf"{_MONEYBIRD}{ADMINISTRATION}/(external_)?sales_invoices", path):
        return _refused(False, HTTPStatus.NOT_FOUND)
    wanted = dict(part.split(":", 1) for part in query.get("filter", "").split(",") if part)
    return HTTPStatus.OK, _page([thing for thing in _below(objects, path) if _is_wanted(thing, wanted)], query)


def _is_wanted(invoice: Json, wanted: Mapping[str, str]) -> bool:
    """Whether an invoice is in the list with this filter, as Moneybird describes its keys."""
    first, _, last = wanted.get("period", "00000000..99999999").partition("..")
    day = (invoice.get("invoice_date") or invoice.get("date") or "").replace("-", "")
    states = wanted.get("state", "all").split("|")
    is_of_state = "all" in states or invoice["state"] in states
    after = datetime.fromisoformat(wanted.get("updated_after", "0001-01-01T00:00:00Z"))
    return is_of_state and first <= day <= last and datetime.fromisoformat(invoice["updated_at"]) > after


def _below(objects: Mapping[str, Json], path: str) -> list[Json]:
    return [thing for place, thing in [*objects.items()] if place.rpartition("/")[0] == path]


def _page(found: list[Json], query: Mapping[str, str]) -> list[Json]:
    size = int(query.get("per_page", "10"))
    first = (int(query.get("page", "1")) - 1) * size
    return found[first : first + size]
