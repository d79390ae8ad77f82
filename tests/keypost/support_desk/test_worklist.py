"""The first thing an agent sees: what needs somebody, and the way from there to an order."""

from collections.abc import Callable

from playwright.sync_api import expect

from keypost.core.order import Hold, Reason, waiting_for
from keypost.core.product import Line
from keypost.core.said import said
from tests.keypost.support_desk.conftest import ESET, KASPERSKY, Desk, now

OpenDesk = Callable[..., Desk]


def test_what_needs_somebody_comes_first_by_reason_with_who_what_and_since_when(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("work-stock", Line(ESET, 2), stocked=False)
    at.sold("work-held", hold=Hold(said("other_currency", paid="USD", sold="EUR")))
    at.sold("work-fine")

    at.sign_in()

    page = at.page
    expect(page.get_by_role("heading", name="Action needed")).to_be_visible()
    assert page.title() == "Action needed · Keypost"
    groups = page.locator("main section.card h2")
    expect(groups).to_have_text(["Orders that someone must look at 1", "Orders waiting for codes 1"])
    stock = page.get_by_role("region", name="Orders waiting for codes").get_by_role("listitem")
    expect(stock).to_have_count(1)
    expect(stock).to_contain_text("work-stock · Anna Jansen · ESET HOME Security")
    expect(stock).to_contain_text("There are not enough codes for ESET HOME Security")
    expect(stock).to_contain_text("since")
    expect(stock.get_by_role("link", name="Import codes: order work-stock")).to_be_visible()
    assert "work-fine" not in page.content()


def test_a_reason_has_an_address_of_its_own(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("work-a", Line(ESET, 1), stocked=False)
    at.sold("work-b", hold=Hold(said("other_currency", paid="USD", sold="EUR")))
    at.sign_in()

    at.page.get_by_role("navigation", name="Reasons").get_by_role("link", name="Orders waiting for codes").click()

    expect(at.page.get_by_role("link", name="work-a", exact=True)).to_be_visible()
    expect(at.page.get_by_role("link", name="work-b", exact=True)).to_have_count(0)
    assert at.page.url.endswith("#/waiting/stock")
    at.page.go_back()
    expect(at.page.get_by_role("link", name="work-b", exact=True)).to_be_visible()


def test_the_action_beside_an_order_opens_its_dialog(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("work-bounced")
    bounced = said("address_bounced")
    at.change("work-bounced", lambda order: waiting_for(order, Reason.ADDRESS, bounced, now()))
    at.sign_in()

    at.page.get_by_role("link", name="Change the address: order work-bounced").click()

    expect(at.page.get_by_role("dialog", name="Change the e-mail address")).to_be_visible()
    expect(at.page.get_by_label("New address")).to_be_focused()


def test_what_is_behind_the_first_fifty_is_shown_when_asked_for(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    for n in range(53):
        at.sold(f"work-{n:02}", Line(KASPERSKY, 1), stocked=False)
    at.sign_in()
    work = at.page.locator("li.work")

    expect(work).to_have_count(50)
    expect(at.page.locator("main h2")).to_have_text("Orders waiting for codes 53")
    at.page.get_by_role("button", name="Show more").click()

    expect(work).to_have_count(53)
    expect(work.nth(50).get_by_role("link").first).to_be_focused()


def test_nothing_to_do_is_said(desk: OpenDesk) -> None:
    expect(desk().page.locator("main")).to_contain_text("No order needs action now.")


def test_what_has_been_dealt_with_leaves_the_list_and_its_reason_stays(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("work-twice")
    at.change("work-twice", lambda order: waiting_for(order, Reason.ADDRESS, said("address_bounced"), now()))
    at.go("#/orders/work-twice")
    at.sign_in()

    at.page.get_by_role("button", name="Mark as done").click()
    dialog = at.page.get_by_role("dialog", name="Mark order work-twice as done")
    dialog.get_by_label("Reason").fill("the customer has the codes by phone")
    dialog.get_by_role("button", name="Mark as done").click()

    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text("the customer has the codes by phone")
    expect(at.page.get_by_role("button", name="Mark as done")).to_have_count(0)
