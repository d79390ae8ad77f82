"""Kind: one spelling rule for search, another for references (findings A4). The number of an order means the same order
wherever somebody types it."""

from collections.abc import Callable

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.product import Kind, Line
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, loaded, notice, paid_order
from tests.functions.support_calls import call

NUMBER = "2026-A12"
TYPED = [
    NUMBER,
    "2026-a12",
    " 2026-A12\u00a0",
    "#2026-A12",
    "order 2026-A12",
    "Bestelling nr. 2026-a12,",
    "2026\u2011A12",
    "2026 - A12",
    "\uff12\uff10\uff12\uff16-A12",
    "WC-2026-A12",
]


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def desk(wired: Stack) -> Stack:
    list(wired.store.add_codes(SKU, ["AAAAA-BBBBB-CCCCC-00001", "AAAAA-BBBBB-CCCCC-00002"], "B-1", None))
    wired.store.save(paid_order(NUMBER))
    wiring.try_order(NUMBER, 1)
    return wired


def by_url(typed: str) -> str:
    return str(call("GET", "/orders/{order_id}", order_id=typed)[1].get("order_id"))


def by_a_change(typed: str) -> str:
    return str(call("POST", "/orders/{order_id}/hold", {"reason": "x"}, order_id=typed)[1].get("order_id"))


def by_search(field: str) -> Callable[[str], str]:
    def found(typed: str) -> str:
        return ",".join(each["order_id"] for each in call("POST", "/orders/search", {field: typed})[1]["orders"])

    return found


def by_a_renewal(typed: str) -> str:
    store = wiring.store()
    record(store, notice("R-1", Line(SKU, 1, Kind.RENEWAL, typed)), NOW, INTAKE)
    wiring.try_order("R-1", 1)
    return ",".join(term.renews for term in loaded(store, "R-1").terms if term.renews)


def by_hand(typed: str) -> str:
    given = {
        "customer": {"email": "facturen@klant.example"},
        "lines": [{"sku": SKU, "quantity": 1, "kind": "renewal", "renews": typed}],
        "why": "goodwill",
        "reason": "x",
    }
    order_id = call("POST", "/orders", given)[1]["order_id"]
    wiring.try_order(order_id, 1)
    return ",".join(term.renews for term in loaded(wiring.store(), order_id).terms if term.renews)


WAYS: dict[str, Callable[[str], str]] = {
    "a URL": by_url,
    "a change": by_a_change,
    "the search for a number": by_search("order"),
    "the search for a text": by_search("text"),
    "what a line renews": by_a_renewal,
    "an order by hand": by_hand,
}


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("way", WAYS)
def test_a_number_means_its_order_wherever_it_is_typed(desk: Stack, way: str, typed: str) -> None:
    assert WAYS[way](typed) == NUMBER


@pytest.mark.parametrize("way", ["a URL", "a change", "the search for a number", "what a line renews"])
def test_of_two_orders_whose_numbers_differ_in_case_each_is_found_as_it_stands(desk: Stack, way: str) -> None:
    desk.store.save(paid_order("2026-a12"))

    assert WAYS[way](NUMBER) == NUMBER
    assert WAYS["a URL"]("2026-a12") == "2026-a12"


def test_a_number_that_no_order_has_is_told_as_such(desk: Stack) -> None:
    assert call("GET", "/orders/{order_id}", order_id="2026-B12")[0] == 404
