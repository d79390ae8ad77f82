"""Mails in a real browser, as wide as a phone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from cli.local.samples import NAMES, SAMPLES, SHOP, sample_mail, sample_products
from keypost.emails import compose
from keypost.words import LANGUAGES
from tests.builders import NOW
from tests.keypost.emails.reading import part

PHONE = 375
PRODUCTS = {product.sku: product for product in sample_products()}
LONG = {
    sku: replace(each, name=dict.fromkeys(LANGUAGES, "W" * 200), download_url=f"https://a.example/{'W' * 400}")
    for sku, each in PRODUCTS.items()
}
LONG_SHOP = replace(SHOP, name="W" * 100, address="W" * 200, support_address=f"{'w' * 60}@{'w' * 60}.example")


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": PHONE, "height": 667})
    yield page
    page.close()


def width(page: Page, html: str) -> int:
    page.set_content(html)
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_mail_is_wider_than_a_phone(phone: Page, language: str) -> None:
    found = {name: width(phone, part(sample_mail(name, language), "html")) for name in NAMES}

    assert found == dict.fromkeys(NAMES, PHONE)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_no_mail_is_wider_than_a_phone_whatever_long_words_are_in_it(phone: Page, name: str) -> None:
    sample = SAMPLES[name]
    order = replace(sample.order, id="W" * 64, customer=replace(sample.order.customer, name="W" * 100))

    assert width(phone, part(compose(order, sample.mail, LONG, LONG_SHOP, NOW), "html")) == PHONE
