"""What support reads about many orders, page by page, over the emulator's DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from keypost.core.aside import Aside
from keypost.core.aside_reasons import AsideReason
from keypost.core.order import Hold, Order, Reason, Renewal, waiting_for
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import said
from keypost.core.upcoming import Outlook
from keypost.table import Store
from keypost.use_cases.look_ahead import due_page, due_within
from tests.builders import NOW, PRODUCT, SKU, ZONE, paid_order


@pytest.fixture
def shop(store: Store) -> Store:
    """Renewals that are mailed in 1 to 6 days, an order that waits for codes, one that is held, one set aside."""
    for order in _orders():
        store.save(order)
    store.save_aside(Aside("aside", reason=AsideReason.FAILING, since=NOW, starts=5), NOW)
    return store


def _orders() -> Iterator[Order]:
    for days in range(1, 7):
        yield _renewal(f"renewal-{days}", NOW.date() + timedelta(days=days))
    why = said("too_few_codes", skus=[SKU])
    yield waiting_for(paid_order("waits"), Reason.STOCK, why, NOW, timedelta(days=1), lines=(1,))
    yield replace(paid_order("held"), hold=Hold(by_person=True))


def _renewal(order_id: str, mailed_on: date) -> Order:
    start = mailed_on + timedelta(days=PRODUCT.mail_days_before)
    renewal = Renewal(order_id, 1, 1, None, 365, NOW.date())
    term = term_of(renewal, (start, start + timedelta(days=364)), PRODUCT, "base", ZONE)
    return replace(paid_order(order_id, Line(SKU, 1, Kind.RENEWAL, "base"), at=NOW), terms=(term,))


def _pages(store: Store, days: int, size: int) -> list[list[Outlook]]:
    pages, after = list[list[Outlook]](), None
    while not pages or after:
        page = due_page(store, days, NOW, ZONE, after, size)
        pages.append(list(page.rows))
        after = page.next
    return pages


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_pages_together_have_each_mail_that_is_due_once(shop: Store, size: int) -> None:
    pages = _pages(shop, 14, size)

    rows = [row for page in pages for row in page]
    assert sorted(row.order_id for row in rows) == sorted(row.order_id for row in due_within(shop, 14, NOW, ZONE))
    assert {row.order_id for row in rows} == {"aside", "held", "waits", *(f"renewal-{n}" for n in range(1, 7))}
    assert len(pages) == {1: 8, 3: 3, 100: 1}[size]  # of eight orders; what is set aside is on the first one
    assert "aside" in {row.order_id for row in pages[0]}


def test_a_page_loads_its_own_orders_only_the_longest_waiting_first(shop: Store) -> None:
    asked: list[str] = []
    shop._client.meta.events.register(
        "provide-client-params.dynamodb.BatchGetItem",
        lambda params, **_: asked.extend(key["pk"]["S"] for key in params["RequestItems"][shop.table]["Keys"]),
    )

    first = due_page(shop, 14, NOW, ZONE, size=3)
    orders = [key for key in asked if key.startswith("ORDER#")]
    assert sorted(orders) == ["ORDER#renewal-1", "ORDER#renewal-2", "ORDER#renewal-3"]  # codes are lacking for long
    assert {row.order_id for row in first.rows} == {"renewal-1", "renewal-2", "renewal-3", "aside"}

    asked.clear()
    last = due_page(shop, 14, NOW, ZONE, due_page(shop, 14, NOW, ZONE, size=6).next, size=3)
    assert {key for key in asked if key in {"ORDER#held", "ORDER#waits"}} == {"ORDER#held", "ORDER#waits"}
    assert {row.order_id for row in last.rows} == {"held", "waits"}


def test_what_is_due_later_is_on_no_page(shop: Store) -> None:
    rows = [row for page in _pages(shop, 3, 2) for row in page]

    assert {row.order_id for row in rows} == {"aside", "held", "waits", "renewal-1", "renewal-2", "renewal-3"}
