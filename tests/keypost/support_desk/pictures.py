"""The pictures of the README, made anew by `make pictures`: a mail, and an order on the support page that needs action.
Data and clock are always the same ones, so that a picture changes only with what it shows. Pytest runs this file only
when it is named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Browser, Page

from cli.local.deploy import ROOT
from cli.local.gallery import DESKTOP, in_scheme
from cli.local.mailbox import sample
from cli.local.samples import NOW
from keypost.core.mail import Fate, MailSent
from keypost.core.mailing import settle_mail
from keypost.core.order import Order
from tests.builders import licensed, paid_order, with_fates
from tests.keypost.support_desk.conftest import Desk

PICTURES = ROOT / "docs/pictures"
LANGUAGE = "en"  # of the README
MOST_BYTES = 200_000
SHARPNESS = 1.25  # pixels of a picture for one of the page


def test_the_mail(browser: Browser) -> None:
    context = browser.new_context(viewport={"width": DESKTOP, "height": 1110}, device_scale_factor=SHARPNESS)
    page = context.new_page()
    page.set_content(in_scheme(sample("purchase", LANGUAGE).html, "light"))

    take(page, "mail")
    context.close()


def take(page: Page, name: str) -> None:
    """Take the picture of what stands in the window. It fails if that is too large for a page that one reads."""
    PICTURES.mkdir(exist_ok=True)
    taken = page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", caret="hide")
    assert len(taken) < MOST_BYTES


@pytest.fixture
def an_hour_later() -> Iterator[None]:
    """The clock of Keypost goes on from here, or the browser would wait for ever."""
    with time_machine.travel(NOW + timedelta(hours=1), tick=True):
        yield


def bounced() -> Order:
    """An order whose mail came back."""
    order = licensed(paid_order(name="Anna Jansen", language=LANGUAGE))
    order = replace(order, licenses=tuple(replace(each, id="LIC-SAMPLEAAAB") for each in order.licenses))
    return with_fates(settle_mail(order, "purchase-1", 1, MailSent("ses-1"), NOW), Fate.BOUNCED)


def test_an_order_that_needs_action(an_hour_later: None, desk: Callable[..., Desk]) -> None:
    at = desk(viewport={"width": 1100, "height": 840}, device_scale_factor=SHARPNESS, color_scheme="light")
    at.stack.store.save(bounced())
    at.go("#/orders/2026-001234")
    at.page.locator("#timeline").wait_for()

    take(at.page, "order")
