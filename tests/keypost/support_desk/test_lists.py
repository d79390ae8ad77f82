"""The newest orders, those that a part of something leads to, and the mails of a day."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from keypost.core.mail import Fate, Told
from keypost.core.order import Order
from tests.keypost.support_desk.conftest import Desk, now

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


def bounced(order: Order) -> Order:
    return replace(order, mails=tuple(replace(mail, told=(Told(1, Fate.RETURNED, now()),)) for mail in order.mails))


def test_the_newest_orders_are_there_before_anything_is_looked_for(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    for order_id in ("new-1", "new-2"):
        at.sold(order_id)
    at.sign_in()

    at.page.get_by_role("link", name="Orders", exact=True).click()

    expect(at.page.get_by_role("heading", name="Newest orders")).to_be_focused()
    expect(at.page.locator(".found li")).to_have_count(2)
    expect(at.page.locator(".found li").first).to_contain_text("Anna Jansen \N{MIDDLE DOT} Kaspersky Standard")
    assert at.page.title() == "Newest orders \N{MIDDLE DOT} Keypost"


def test_an_order_is_found_by_a_part_of_a_name_and_by_half_an_address(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("part-1", name="Pieter de Vries", email="pieter@devries.example")
    at.sold("part-2")
    at.sign_in()

    for text in ("vries", "pieter@"):
        at.page.get_by_label("Find an order").fill(text)
        at.page.keyboard.press("Enter")
        expect(at.page.get_by_role("heading", name="Order part-1", exact=True)).to_be_visible()
        at.go("#/")


def test_the_mails_of_a_day_are_listed_and_what_was_lost_is_sent_again(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("day-1")
    at.sold("day-2")
    at.change("day-1", bounced)
    at.sign_in()
    at.page.get_by_role("link", name="E-mails", exact=True).click()
    expect(at.page.get_by_role("listitem").filter(has_text="day-2")).to_contain_text("sent")

    at.page.get_by_label("Result").select_option("came back")
    expect(at.page.locator("main ol li")).to_have_count(1)
    at.page.get_by_role("button", name="Send all failed e-mails again").click()
    at.page.get_by_label("Reason").fill("their server was down")
    at.page.get_by_role("dialog").get_by_role("button", name="Send all failed e-mails again").click()

    expect(at.page.get_by_text("1 e-mail is being sent again")).to_be_visible()
    assert [mail.id for mail in at.advance("day-1").mails] == ["purchase-1", "resend-1"]
