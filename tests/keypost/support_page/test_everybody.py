"""The page for everybody: in both languages and color schemes, by keyboard, on a phone, and with a screen reader."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from keypost.core.order import Hold, Order
from keypost.core.said import said
from tests.keypost.support_page.conftest import KASPERSKY, PRODUCTS, Visit, find, sign_in
from tests.languages import foreign

FOLDER = ROOT / "layers/keypost/keypost/support_page"
Sold = Callable[..., Order]


def violations(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return found


def seen(visited: Visit, order_id: str, differing_id: str, look: Callable[[str], None]) -> None:
    """Visit every view of the page, and call `look` with its name."""
    page = visited.page
    look("nothing yet")
    find(page, "page-unknown")
    page.locator("main h2").first.wait_for()
    look("nothing found")
    find(page, order_id)
    page.locator("#resend").wait_for()
    look("an order")
    for button in ("resend", "correct", "hold"):
        page.locator(f"#{button}").click()
        look(button)
        page.keyboard.press("Escape")
    page.locator("[id^=swap-]").click()
    look("swap")
    page.keyboard.press("Escape")
    find(page, differing_id)
    page.locator("#tellings").wait_for()
    look("an order that waits for a person to say what it is for")
    for button in ("settle-0-0", "own-1"):
        page.locator(f"#{button}").click()
        look(button)
        page.keyboard.press("Escape")
    page.locator("#views a").nth(3).click()
    page.locator("svg.chart").first.wait_for()
    page.locator("#codes").fill("not a code")
    page.locator("[aria-labelledby=import] form .main").click()
    page.locator(".faults").wait_for()
    look("the stock")
    page.locator("#views a").nth(2).click()
    page.locator("main [aria-busy=false]").wait_for()
    look("the next 14 days")


# Each view is tested in both languages and both schemes, but not in all four pairs: words do not change colors.
@pytest.mark.parametrize(
    ("locale", "scheme"), [("nl-NL", "light"), pytest.param("en-GB", "dark", marks=pytest.mark.drill)]
)
def test_axe_finds_nothing(
    visit: Callable[..., Visit], local: LocalStack, sold: Sold, differing: Sold, locale: str, scheme: str
) -> None:
    order, other = sold(f"page-axe-{locale[:2]}-{scheme}"), differing(f"page-axe-differs-{locale[:2]}-{scheme}")
    visited = visit(locale=locale, color_scheme=scheme)
    found: list[tuple[str, str, str]] = []

    def look(at: str) -> None:
        found.extend((at, fault["id"], fault["nodes"][0]["html"]) for fault in violations(visited.page))

    visited.page.locator("#key").wait_for()
    look("the door")
    sign_in(visited.page, local.support_key)
    seen(visited, order.id, other.id, look)

    assert found == []


def test_a_phone_shows_it_all_without_scrolling_sideways(
    visit: Callable[..., Visit], local: LocalStack, sold: Sold, differing: Sold
) -> None:
    order, other = sold("page-phone"), differing("page-phone-differs")
    visited = visit(locale="nl-NL", viewport={"width": 320, "height": 640}, is_mobile=True, has_touch=True)
    sign_in(visited.page, local.support_key)
    too_wide: dict[str, int] = {}

    def look(at: str) -> None:
        for width in (320, 375):
            visited.page.set_viewport_size({"width": width, "height": 640})
            seen_width = visited.page.evaluate("document.documentElement.scrollWidth")
            if seen_width != width:
                too_wide[f"{at} at {width}"] = seen_width

    seen(visited, order.id, other.id, look)

    assert too_wide == {}


def test_the_language_of_the_browser_comes_first_and_the_choice_stays(
    visit: Callable[..., Visit], local: LocalStack
) -> None:
    page = visit(locale="nl-BE").page
    sign_in(page, local.support_key)
    expect(page.get_by_label("Bestelling zoeken")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "nl")

    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Find an order")).to_be_visible()
    page.reload()

    expect(page.get_by_label("Find an order")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")


def test_another_language_leaves_the_order_where_it_is(page: Page, sold: Sold) -> None:
    sold("page-language")
    find(page, "page-language")
    page.locator("#resend").wait_for()

    page.get_by_role("button", name="Nederlands").click()

    expect(page.get_by_role("heading", name="Bestelling page-language")).to_be_visible()
    expect(page.get_by_role("button", name="Opnieuw versturen")).to_be_visible()
    expect(page.get_by_role("region", name="Tijdlijn")).to_contain_text("(Stripe) van € 39,95 is ontvangen")
    page.get_by_role("button", name="English").click()


def test_what_the_page_says_of_an_order_has_no_word_of_the_other_language(
    page: Page, sold: Sold, local: LocalStack
) -> None:
    order = sold("page-words")
    problem = Hold(said("other_currency", paid="USD", sold="EUR"))
    local.stack.desk.change(order.id, lambda order: replace(order, hold=problem))
    find(page, order.id)
    expect(page.locator("#why-no-resend")).to_contain_text("the payment is in USD")
    texts = {"en": page.locator("main").inner_text()}

    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("#why-no-resend")).to_contain_text("er is betaald in USD")
    texts["nl"] = page.locator("main").inner_text()
    page.get_by_role("button", name="English").click()
    expect(page.locator("#why-no-resend")).to_contain_text("the payment is in USD")

    assert PRODUCTS[KASPERSKY].name["nl"] in texts["nl"]
    assert "\N{EURO SIGN}\N{NO-BREAK SPACE}39,95" in texts["nl"]
    assert "\N{EURO SIGN}39.95" in texts["en"]
    for language, text in texts.items():
        assert foreign(re.sub(r"\S*[-…]\S*|Sample|Anna", " ", text.replace("e-mail", "mail")), language) == set()
        assert not re.search(r"Bearer|purchase-1|KASPERSKY-", text)


def test_every_text_stands_in_both_languages_and_is_used(page: Page) -> None:
    texts = page.evaluate("import('./support/texts.js').then((module) => module.TEXTS)")
    said = {lang: {name for name in names if ":" not in name} for lang, names in texts.items()}
    source = "".join(path.read_text("utf-8") for path in FOLDER.iterdir() if path.is_file())
    used = set(re.findall(r'(?:\bt\(|\bcount\(|data-text=|data-named=)"([^"]+)"', source))

    assert said["nl"] == said["en"]
    assert used <= said["en"]
    assert all(
        set(re.findall(r"\{\w+\}", texts["nl"][name])) == set(re.findall(r"\{\w+\}", texts["en"][name]))
        for name in said["en"]
    )


def test_everything_can_be_done_with_the_keyboard_alone(
    visit: Callable[..., Visit], sold: Sold, local: LocalStack
) -> None:
    sold("page-keys")
    page = visit().page
    keys = page.keyboard
    expect(page.get_by_label("Support key")).to_be_focused()
    keys.insert_text(local.support_key)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Action needed")).to_be_focused()

    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    expect(page.get_by_label("Find an order")).to_be_focused()
    keys.type("page-keys")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Order page-keys", exact=True)).to_be_focused()
    send = page.get_by_role("button", name="Send again")
    for _ in range(4):  # past the buttons that copy, where the browser lets a page copy
        if send.evaluate("button => button === document.activeElement"):
            break
        keys.press("Tab")
    expect(send).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("button", name="Send again")).to_be_focused()
    keys.press("Enter")
    keys.type("by keyboard")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")

    expect(page.get_by_role("heading", name="Order page-keys", exact=True)).to_be_focused()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("by keyboard")


def test_what_an_order_is_for_is_decided_with_the_keyboard_alone(page: Page, differing: Sold) -> None:
    differing("page-keys-differs")
    find(page, "page-keys-differs")
    expect(page.get_by_role("heading", name="Order page-keys-differs", exact=True)).to_be_focused()
    own = page.get_by_role("button", name="Make it a separate order: stripe:cs_other_page-keys-differs")

    for _ in range(12):
        if own.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(own).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Order page-keys-differs", exact=True)).to_be_focused()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("by keyboard")


def test_what_differs_is_said_in_the_language_of_the_page(page: Page, differing: Sold) -> None:
    differing("page-words-differs")
    find(page, "page-words-differs")
    page.locator("#tellings").wait_for()

    page.get_by_role("button", name="Nederlands").click()

    told = page.get_by_role("region", name="Wat is er besteld, en voor wie?")
    expect(told.get_by_role("button", name="Dit klopt")).to_have_count(2)
    expect(told.get_by_role("button", name="Aparte bestelling maken")).to_have_count(2)
    text = re.sub(r"\S*-\S*|Sample|Anna|Jansen", " ", told.inner_text())
    assert foreign(text, "nl") == set()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("region", name="What was ordered, and for whom?")).to_be_visible()


def test_where_the_focus_is_can_be_seen(page: Page) -> None:
    page.get_by_label("Find an order").focus()
    page.keyboard.press("Tab")

    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "solid 3px" in outline or "3px solid" in outline
