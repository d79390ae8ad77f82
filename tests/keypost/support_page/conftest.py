"""The support page in a real browser, over the deployed local stack, with a real key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from cli.local.samples import sample_products
from cli.local.stack import LocalStack, sample_codes
from keypost.core.mail import MailState
from keypost.core.order import Order
from tests.deployed import ESET, paid_session

WINDOW: ViewportSize = {"width": 1280, "height": 900}
PRODUCTS = {product.sku: product for product in sample_products()}
KASPERSKY = "KASPERSKY-STANDARD-3D-1Y"
_MILLISECONDS = 30_000  # for a cold function on a busy machine


@dataclass(slots=True)
class Visit:
    """The page, and all that the browser asked for and had to say."""

    page: Page
    urls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def open_page(browser: Browser, url: str, **how: Any) -> Visit:
    settings = {"locale": "en-GB", "timezone_id": "Europe/Amsterdam", "viewport": WINDOW}
    context = browser.new_context(**settings | how)
    context.set_default_timeout(_MILLISECONDS)
    expect.set_options(timeout=_MILLISECONDS)
    visit = Visit(context.new_page())
    visit.page.on("request", lambda request: visit.urls.append(request.url))
    visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
    visit.page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " event => { throw new Error('policy broken: ' + event.violatedDirective) })"
    )
    visit.page.goto(url)
    return visit


def sign_in(page: Page, key: str) -> None:
    page.locator("#key").fill(key)
    page.keyboard.press("Enter")
    page.locator("#wanted").wait_for()


@pytest.fixture(scope="session")
def local(deployed: LocalStack) -> LocalStack:
    """The browser asks the deployed API."""
    return deployed


@pytest.fixture
def visit(browser: Browser, local: LocalStack) -> Iterator[Callable[..., Visit]]:
    """Opens the page in a browser of its own; at the end of the test it has broken no policy and nothing failed."""
    visits: list[Visit] = []

    def opened(**how: Any) -> Visit:
        visits.append(open_page(browser, f"{local.api_url}/support", **how))
        return visits[-1]

    yield opened
    for visit in visits:
        visit.page.context.close()
        assert visit.faults == []


@pytest.fixture(scope="session")
def shared(browser: Browser, local: LocalStack) -> Visit:
    return open_page(browser, f"{local.api_url}/support")


@pytest.fixture
def visited(shared: Visit, local: LocalStack) -> Iterator[Visit]:
    """The page after signing in; one for all tests, since loading it is slow here. Each leaves it by signing out."""
    page = shared.page
    page.set_viewport_size(WINDOW)
    if page.locator("#key").is_hidden():  # the test before this one broke off
        page.evaluate("sessionStorage.clear()")
        page.reload()
    sign_in(page, local.support_key)
    shared.urls.clear()
    shared.faults.clear()
    yield shared
    page.unroute_all()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Action needed", exact=True).or_(page.locator("#key")).click()
    page.locator("#sign-out:visible").or_(page.locator("#key")).click()
    assert shared.faults == []


@pytest.fixture
def page(visited: Visit) -> Page:
    return visited.page


@pytest.fixture
def sold(local: LocalStack) -> Callable[..., Order]:
    """An order whose mail has left."""

    def sell(order_id: str, **session: Any) -> Order:
        list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
        assert local.stripe_calls(paid_session(order_id, **session)) == (200, "")
        return local.order_when(order_id, lambda order: any(mail.state is MailState.SENT for mail in order.mails))

    return sell


@pytest.fixture
def differing(local: LocalStack, sold: Callable[..., Order]) -> Callable[[str], Order]:
    """An order under whose number another customer paid other goods."""

    def differ(order_id: str) -> Order:
        sold(order_id)
        card = {"v": "1", "order_id": order_id, "email": f"other-{order_id}@klant.example", "lang": "nl"}
        session: dict[str, Any] = {
            "id": f"cs_other_{order_id}",
            "payment_intent": f"pi_other_{order_id}",
            "amount_total": 7990,
        }
        assert local.stripe_calls(paid_session(order_id, metadata=card | {"line_1": f"{ESET}|2"}, **session)) == (
            200,
            "",
        )
        return local.order_when(order_id, lambda order: len(order.payments) == 2)

    return differ


def find(page: Page, text: str) -> None:
    page.locator("#wanted").fill(text)
    page.keyboard.press("Enter")
