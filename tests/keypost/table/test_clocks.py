"""The index of what is due says what orders lack, so that a forecast loads none of them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.order import Hold, License, Order, Reason, Renewal, waiting_for
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import said
from keypost.core.sharing import Lacking, lacking
from keypost.table import Store
from keypost.table.clocks import clock_of, lacking_of, last_clock, with_lacking
from keypost.table.items import moment_text
from keypost.table.orders import Coming
from keypost.use_cases.look_ahead import stocks
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order, product

DUE = moment_text(NOW)
moments = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds))
some_lacking = st.builds(Lacking, st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.integers(1, 9999), moments)


@given(moments, st.lists(some_lacking, max_size=5))
def test_a_clock_says_what_the_order_lacks_and_rings_at_its_moment(at: datetime, found: list[Lacking]) -> None:
    text = with_lacking(moment_text(at), found)

    assert (clock_of(text), lacking_of(text)) == (moment_text(at), tuple(found))
    assert text <= last_clock(at)
    assert text > last_clock(at - timedelta(seconds=1))


@pytest.mark.parametrize(
    "found",
    [
        [Lacking("an address@example.com", 1, NOW)],  # a line of a product that no catalog can have
        [Lacking("A=1", 1, NOW)],
        [Lacking(f"{SKU}-{n}", 1, NOW) for n in range(60)],  # longer than a key may be
    ],
)
def test_what_does_not_fit_into_a_clock_is_left_to_the_order(found: list[Lacking]) -> None:
    assert with_lacking(DUE, found) == DUE
    assert lacking_of(DUE) is None


@pytest.mark.parametrize("text", [f"{DUE}#{SKU}", f"{DUE}#{SKU}=1;{SKU}=2", f"{DUE}#{SKU}=1@soon"])
def test_a_clock_of_another_version_is_left_to_the_order(text: str) -> None:
    assert lacking_of(text) is None


def renewing(order_id: str, reserved_on: date, quantity: int = 1, **changes: Any) -> Order:
    """A paid renewal of which codes are reserved on a day."""
    start = reserved_on + timedelta(days=PRODUCT.reserve_days_before)
    renewal = Renewal(order_id, 1, quantity, None, 365, NOW.date())
    term = term_of(renewal, (start, start + timedelta(days=364)), PRODUCT, "base", ZONE)
    return replace(paid_order(order_id, Line(SKU, quantity, Kind.RENEWAL, "base")), terms=(term,), **changes)


def waiting(order_id: str, quantity: int) -> Order:
    why = said("too_few_codes", skus=[SKU])
    order = paid_order(order_id, Line(SKU, quantity), at=NOW - timedelta(days=1))
    return waiting_for(order, Reason.STOCK, why, NOW, timedelta(days=1), lines=(1,))


def test_a_forecast_counts_what_waits_and_what_is_planned_and_loads_none_of_these_orders(store: Store) -> None:
    store.put_product(PRODUCT)
    store.put_product(product("OTHER"))
    soon, later = NOW.date() + timedelta(days=3), NOW.date() + timedelta(days=20)
    for order in (
        renewing("planned-1", soon),
        renewing("planned-2", soon, quantity=4),
        renewing("planned-3", later),
        renewing("held", later, hold=Hold(by_person=True)),
        renewing("beyond", NOW.date() + timedelta(days=99)),
        waiting("waits", quantity=2),
        paid_order("just-paid", Line("OTHER", 3)),  # which the worker is about to serve
    ):
        store.save(order)
    asked: list[str] = []
    store._client.meta.events.register(
        "provide-client-params.dynamodb.BatchGetItem",
        lambda params, **_: asked.extend(key["pk"]["S"] for key in params["RequestItems"][store.table]["Keys"]),
    )

    found, left_out = stocks(store, NOW, ZONE, 60)

    told = {stock.sku: (stock.waiting, dict(stock.promised)) for stock in found}
    assert told == {SKU: (2, {soon: 5, later: 1}), "OTHER": (3, {})}
    assert left_out == ()
    assert [key for key in asked if key.startswith("ORDER#")] == ["ORDER#just-paid"]


def test_orders_of_which_the_index_does_not_say_what_they_lack_are_loaded_and_counted(store: Store) -> None:
    """As an earlier version stores them, which may be at work beside this one."""
    store.put_product(PRODUCT)
    soon = NOW.date() + timedelta(days=3)
    for order in (renewing("old", soon), renewing("new", soon), waiting("waits", quantity=2)):
        store.save(order)
    for order_id in ("old", "waits"):
        key = {"pk": {"S": f"ORDER#{order_id}"}}
        due_at = store._client.get_item(TableName=store.table, Key=key)["Item"]["due_at"]["S"]
        store._client.update_item(
            TableName=store.table,
            Key=key,
            UpdateExpression="SET due_at = :clock",
            ExpressionAttributeValues={":clock": {"S": clock_of(due_at)}},
        )

    ((stock,), _) = stocks(store, NOW, ZONE, 60)

    assert (stock.waiting, stock.promised) == (2, {soon: 2})


def test_an_order_is_due_to_the_second_whatever_it_lacks(store: Store) -> None:
    store.save(waiting("due", quantity=2))
    at = NOW + timedelta(hours=1)  # the customer is told that codes are to come

    assert list(store.due(at - timedelta(seconds=1))) == []
    assert list(store.due(at)) == [["due"]]
    assert list(store.coming(at)) == [Coming("due", moment_text(at), (Lacking(SKU, 2, NOW - timedelta(days=1)),))]


def test_an_order_whose_codes_are_set_aside_says_that_it_lacks_none(store: Store) -> None:
    order = renewing("planned", NOW.date())
    order = replace(order, licenses=(License("LIC-1", 1, SKU, code(1), NOW.date(), NOW.date()),))

    assert list(lacking(order)) == []
    store.save(order)
    (coming,) = store.coming(NOW + timedelta(days=40))
    assert coming.lacking == ()
