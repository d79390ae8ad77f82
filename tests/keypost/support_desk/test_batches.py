"""A batch of codes: who has them, out of the stock, back, and another code for everybody."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cli.local.stack import sample_codes
from keypost.core.product import Line
from tests.keypost.support_desk.conftest import KASPERSKY, PRODUCTS, Desk

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


def test_who_has_codes_of_a_batch_is_listed_and_its_free_codes_leave_the_stock_and_come_back(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("batch-order", Line(KASPERSKY, 2))
    list(at.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 3), "batch-1", None))
    at.go("#/stock")
    at.sign_in()
    page = at.page
    batches = page.get_by_role("region", name="Batches")
    batches.get_by_label("Product").select_option(KASPERSKY)
    batches.get_by_label("Batch", exact=True).fill("batch-1")

    batches.get_by_role("button", name="Which orders have codes from this batch?").click()
    expect(batches.get_by_role("listitem")).to_have_text("batch-order \N{MIDDLE DOT} 2")

    batches.get_by_role("button", name="Withdraw free codes from stock").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3")
    assert at.stack.store.count_free(KASPERSKY, at.today, 10) == 3
    dialog.get_by_role("button", name="Withdraw free codes from stock").click()
    expect(dialog).to_have_count(0)
    assert at.stack.store.count_free(KASPERSKY, at.today, 10) == 0

    batches.get_by_role("button", name="Put codes back in stock").click()
    dialog.get_by_role("button", name="Put codes back in stock").click()
    expect(dialog).to_have_count(0)
    assert at.stack.store.count_free(KASPERSKY, at.today, 10) == 3


def test_a_single_code_leaves_the_stock_and_comes_back(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    codes = sample_codes(PRODUCTS[KASPERSKY], 3)
    list(at.stack.store.add_codes(KASPERSKY, codes, "batch-1", None))
    at.go("#/stock")
    at.sign_in()
    batches, dialog = at.page.get_by_role("region", name="Batches"), at.page.get_by_role("dialog")
    batches.get_by_label("Product").select_option(KASPERSKY)

    for button, free in (("Take free codes out of the stock", 2), ("Put codes back", 3)):
        batches.get_by_label("Only these codes").fill(codes[0].lower())
        batches.get_by_role("button", name=button).click()
        dialog.get_by_role("button", name=button).click()
        expect(dialog).to_have_count(0)
        assert at.stack.store.count_free(KASPERSKY, at.today, 10) == free


def test_more_than_fifty_orders_of_a_batch_are_listed_page_by_page(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    for number in range(52):
        at.sold(f"batch-{number:02}")
    at.go("#/stock")
    at.sign_in()
    batches = at.page.get_by_role("region", name="Batches")
    batches.get_by_label("Product").select_option(KASPERSKY)
    batches.get_by_label("Batch", exact=True).fill("batch-1")

    batches.get_by_role("button", name="Which orders have its codes?").click()
    expect(batches.get_by_role("listitem")).to_have_count(50)
    batches.get_by_role("button", name="Show more orders").click()

    expect(batches.get_by_role("listitem")).to_have_count(52)
    expect(batches.get_by_role("button", name="Show more orders")).to_have_count(0)


def test_a_bad_batch_is_replaced_for_everybody_and_says_how_far_it_is(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("batch-bad", Line(KASPERSKY, 1))
    at.go("#/stock")
    at.sign_in()
    batches = at.page.get_by_role("region", name="Batches")
    batches.get_by_label("Product").select_option(KASPERSKY)
    batches.get_by_label("Batch", exact=True).fill("batch-1")

    batches.get_by_role("button", name="Replace for all customers").click()
    at.page.get_by_label("What is wrong with it?").select_option("invalid")
    at.page.get_by_role("dialog").get_by_role("button", name="Replace for all customers").click()

    expect(at.page.get_by_role("dialog")).to_have_count(0)
    expect(batches).to_contain_text("Replaced: 0; still with customers: 1.")
