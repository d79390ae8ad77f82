"""The promises of the fakes of WooCommerce and Moneybird."""

import base64
from typing import Any

import pytest

from cli.local.fake_shops import ADMINISTRATION, MONEYBIRD_KEY, WOOCOMMERCE_KEY, is_of_a_shop, shop_answers

ORDERS, INVOICES = "/wp-json/wc/v3/orders", f"/api/v2/{ADMINISTRATION}/sales_invoices"
BASIC, BEARER = f"Basic {base64.b64encode(WOOCOMMERCE_KEY.encode()).decode()}", f"Bearer {MONEYBIRD_KEY}"


def order(number: int, minute: int) -> dict[str, Any]:
    return {"id": number, "date_modified_gmt": f"2026-11-20T09:{minute:02}:00"}


def invoice(number: str, **changes: str) -> dict[str, Any]:
    plain = {"id": number, "state": "paid", "invoice_date": "2026-11-18", "updated_at": "2026-11-20T09:14:03.128Z"}
    return plain | changes


def ids(objects: dict[str, Any], path: str, **query: str) -> list[Any]:
    status, found = shop_answers(objects, path, query, BASIC if path == ORDERS else BEARER)
    assert status == 200
    return [each["id"] for each in found if isinstance(each, dict)]


def test_orders_come_in_pages_the_latest_change_first() -> None:
    orders = {f"{ORDERS}/{number}": order(number, number) for number in range(1, 6)}

    assert ids(orders, ORDERS, per_page="2") == [5, 4]
    assert ids(orders, ORDERS, per_page="2", page="3") == [1]
    assert ids(orders, ORDERS, modified_after="2026-11-20T09:03:00") == [5, 4]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("state:paid", ["1", "2"]),
        ("state:paid,period:20261101..20261130", ["1"]),
        ("state:paid,updated_after:2026-11-20T09:14:03Z", ["1", "2"]),
        ("state:paid,updated_after:2026-11-20T09:14:04Z", []),
        ("state:all", ["1", "2", "3"]),
        ("", ["1", "2", "3"]),
    ],
)
def test_invoices_are_chosen_by_state_day_and_last_change(chosen: str, found: list[str]) -> None:
    invoices = [invoice("1"), invoice("2", invoice_date="2025-11-18"), invoice("3", state="open")]
    objects = {f"{INVOICES}/{each['id']}": each for each in invoices}

    assert ids(objects, f"{INVOICES}.json", filter=chosen) == found


@pytest.mark.parametrize("path", [f"{ORDERS}/1", f"{INVOICES}/1"])
def test_an_object_is_shown_to_its_own_key_only(path: str) -> None:
    right, wrong = (BASIC, BEARER) if path.startswith(ORDERS) else (BEARER, BASIC)
    thing = {"id": "1"}

    assert shop_answers({path: thing}, path, {}, right) == (200, thing)
    assert [shop_answers({path: thing}, path, {}, key)[0] for key in (wrong, None)] == [401, 401]
    assert shop_answers({}, path, {}, right)[0] == 404
    assert is_of_a_shop(path)
    assert not is_of_a_shop("/v2/payments/tr_1")
