"""Where an agent is has an address: to link to, go back to, load again and open beside another. What was open when a
key ended is there again after signing in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from keypost.core.product import Line
from tests.builders import leaked
from tests.keypost.support_desk.conftest import KASPERSKY, Desk, now, watch

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_an_order_has_an_address_which_opens_it_in_any_tab(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("2026-001234")
    at.go("#/orders/2026-001234")
    at.sign_in()

    heading(at.page, "Order 2026-001234")
    assert at.page.title() == "Order 2026-001234 \N{MIDDLE DOT} Keypost"
    at.page.reload()
    heading(at.page, "Order 2026-001234")
    beside = at.page.context.new_page()
    watch(at, beside)
    beside.goto(at.page.url)
    heading(beside, "Order 2026-001234")


def test_back_and_forward_go_through_what_was_seen(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    for order_id in ("back-1", "back-2"):
        at.sold(order_id)
    at.sign_in()
    page = at.page
    page.get_by_label("Find an order").fill("facturen@klant.example")
    page.keyboard.press("Enter")
    heading(page, "2 orders found")
    page.get_by_role("link", name="back-1").click()
    heading(page, "Order back-1")

    page.go_back()
    heading(page, "2 orders found")
    assert page.title() == "Search \N{MIDDLE DOT} Keypost"
    page.go_back()
    heading(page, "Action needed")
    page.go_forward()
    page.go_forward()
    heading(page, "Order back-1")
    expect(page.get_by_role("heading", name="Order back-1", exact=True)).to_be_focused()


def test_what_is_searched_for_stands_in_no_address_and_is_there_after_loading_again(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    for order_id in ("words-1", "words-2"):
        at.sold(order_id)
    at.sign_in()
    page = at.page

    page.get_by_label("Find an order").fill("facturen@klant.example")
    page.keyboard.press("Enter")
    heading(page, "2 orders found")
    page.reload()

    heading(page, "2 orders found")
    expect(page.get_by_label("Find an order")).to_have_value("facturen@klant.example")
    seen = [*at.urls, page.url]
    assert leaked(["klant.example"], lambda: "".join(seen), seen.append) == []


def test_an_address_of_nothing_is_that_of_the_worklist_and_an_unknown_order_is_said(desk: OpenDesk) -> None:
    at = desk("#/orders/%E0%A4%A/x")

    heading(at.page, "Action needed")
    at.go("#/orders/not-there")

    expect(at.page.get_by_role("alert")).to_contain_text("There is no order not-there")
    expect(at.page.get_by_role("heading", name="Order not-there")).to_be_visible()


def test_a_key_that_ends_leads_back_to_what_was_open_with_what_was_typed(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("ended-1")
    at.go("#/orders/ended-1")
    at.sign_in()
    page = at.page
    page.get_by_role("button", name="Change the address").click()
    page.get_by_label("New address").fill("anna@elders.example")
    page.get_by_label("Reason").fill("phoned")
    at.stack.store.revoke_support_key(at.key[3:13], now())

    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("has expired or was revoked")
    expect(page.locator("dialog")).to_have_count(0)  # it closes at once and is removed a moment later
    assert "facturen@klant.example" not in page.content()
    at.renew()
    at.sign_in()
    heading(page, "Order ended-1")
    dialog = page.get_by_role("dialog", name="Change the e-mail address")
    expect(dialog.get_by_label("New address")).to_have_value("anna@elders.example")
    expect(dialog.get_by_label("Reason")).to_have_value("phoned")
    dialog.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("phoned")


def test_a_dialog_of_a_license_that_only_the_filter_shows_comes_back_too(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    order = at.sold("ended-2", Line(KASPERSKY, 30))
    at.go("#/orders/ended-2")
    at.sign_in()
    page, last = at.page, order.licenses[-1]
    page.get_by_label("Last characters of the code").fill(last.code[-5:])
    page.get_by_role("button", name=f"Replace the code of {last.id}").click()
    page.get_by_label("wrong region").check()
    at.stack.store.revoke_support_key(at.key[3:13], now())
    page.get_by_role("dialog").get_by_role("button", name="Replace code").click()
    expect(page.get_by_role("alert")).to_contain_text("expired")

    at.renew()
    at.sign_in()

    expect(
        page.get_by_role("dialog", name=f"Replace the code of {last.id}").get_by_label("wrong region")
    ).to_be_checked()


def test_each_way_in_which_a_key_may_be_wrong_has_its_words(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    page = at.page
    page.get_by_label("Support key").fill(at.key[:-3])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not a complete key")
    assert not any(url.endswith("/orders/search") for url in at.urls)

    page.get_by_label("Support key").fill(f"kp_0123456789_{'0' * 64}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is not valid")


def test_after_signing_out_nothing_is_left_in_the_tab(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("left-1")
    at.sign_in()
    at.page.get_by_label("Find an order").fill("left-1")
    at.page.keyboard.press("Enter")
    heading(at.page, "Order left-1")
    assert "left-1" in at.page.evaluate("JSON.stringify(sessionStorage)")

    at.page.get_by_role("button", name="Sign out").click()

    assert at.page.evaluate("Object.keys(sessionStorage).filter(name => name !== 'keypost-language')") == []
    assert "facturen@" not in at.page.content()
