"""The view of what will be sent in the next 14 days, and what will not."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from cli.local.stack import LocalStack, sample_codes
from keypost.core.periods import local_day
from tests.deployed import KASPERSKY, PRODUCTS, paid_session


def test_the_next_14_days_are_listed_by_day_with_what_is_kept_back(page: Page, local: LocalStack) -> None:
    today = local_day(datetime.now(UTC), local.stack.zone)
    start = today + timedelta(days=10)
    order_id = "page-renewal"
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
    line = f"{KASPERSKY}|1|renewal|LIC-AAAAAAAAAA|{start}|{start + timedelta(days=364)}"
    local.stripe_calls(paid_session(order_id, line))
    local.order_when(order_id, lambda order: bool(order.licenses))

    page.get_by_role("link", name="Coming up").click()

    mine = page.get_by_role("row").filter(has_text=order_id)
    expect(mine).to_contain_text("Codes of the renewal")
    expect(mine).to_contain_text("automatically")
    leaves = today + timedelta(days=3)
    expect(page.get_by_role("heading", name=f"{leaves:%A} {leaves.day} {leaves:%B}")).to_be_visible()

    mine.get_by_role("link", name=order_id).click()
    expect(page.get_by_role("heading", name=f"Order {order_id}")).to_be_visible()
    page.get_by_role("button", name="Hold").click()
    page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    page.get_by_role("button", name="Release").wait_for()
    page.get_by_role("link", name="Coming up").click()
    page.get_by_role("button", name="Refresh").click()

    expect(mine).to_contain_text("kept back")
