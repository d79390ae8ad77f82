"""An order of 500 codes and 200 entries: what is asked comes first, also on a phone, and nobody tabs through the
rest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from keypost.core.order import Order, TimelineEntry
from keypost.core.product import Line
from tests.keypost.support_desk.conftest import ESET, KASPERSKY, PHONE, Desk, now

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


@pytest.fixture
def long(desk: OpenDesk) -> Callable[..., tuple[Page, Order]]:
    def opened(**how: object) -> tuple[Page, Order]:
        at = desk(is_in=False, **how)
        at.sold("long-1", Line(KASPERSKY, 40), Line(ESET, 2))
        entries = [TimelineEntry(now() - timedelta(hours=n), "note", {}, "anna", f"note {n}") for n in range(60, 0, -1)]
        order = at.change("long-1", lambda order: replace(order, timeline=(*entries, *order.timeline)))
        at.go("#/orders/long-1")
        at.sign_in()
        at.page.locator("#resend").wait_for()
        return at.page, order

    return opened


def test_the_newest_ten_entries_are_shown_and_all_when_asked_for(long: Callable[..., tuple[Page, Order]]) -> None:
    page, order = long()
    timeline = page.get_by_role("region", name="Timeline")
    entries = timeline.get_by_role("listitem")
    expect(entries).to_have_count(10)
    expect(entries.first).to_contain_text("the e-mail with the codes was sent")

    timeline.get_by_role("button", name=f"Show all {len(order.timeline)}").click()

    expect(entries).to_have_count(len(order.timeline))
    expect(timeline.get_by_role("button", name="Show fewer")).to_be_focused()


def test_a_code_is_found_by_its_end_among_many(long: Callable[..., tuple[Page, Order]]) -> None:
    page, order = long()
    licenses = page.get_by_role("region", name="Licences")
    rows = licenses.locator(".product").first.get_by_role("listitem")
    expect(rows).to_have_count(10)
    expect(licenses).to_contain_text("10 of 40 shown")
    wanted = [license_ for license_ in order.licenses if license_.sku == KASPERSKY][-1]

    licenses.get_by_label("Last characters of the code").fill(wanted.code[-5:].lower())

    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(wanted.id)


def test_a_phone_shows_mails_and_payments_first_and_few_stops_for_the_keyboard(
    long: Callable[..., tuple[Page, Order]],
) -> None:
    page, _ = long(viewport=PHONE, is_mobile=True, has_touch=True)

    order_of_parts = page.locator("main section.card > h2").all_inner_texts()
    assert order_of_parts == ["E-mails", "Payments", "Ordered", "Licences", "Timeline"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.documentElement.scrollHeight") < 8 * PHONE["height"]
    stops = page.evaluate("document.querySelectorAll('button, a[href], input, select, textarea, summary').length")
    assert stops < 70


def test_a_part_is_one_press_away(long: Callable[..., tuple[Page, Order]]) -> None:
    page, _ = long(viewport=PHONE, is_mobile=True, has_touch=True)

    page.get_by_role("navigation", name="Parts of this order").get_by_role("button", name="Timeline").click()

    expect(page.get_by_role("heading", name="Timeline")).to_be_focused()
    expect(page.get_by_role("heading", name="Timeline")).to_be_in_viewport()
    assert page.url.endswith("#/orders/long-1")
