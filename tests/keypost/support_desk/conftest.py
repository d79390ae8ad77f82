"""A desk in a browser: the page and the API in this process, over a table of the test's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import dns.resolver
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from cli.local.samples import sample_products
from cli.local.stack import LocalStack, sample_codes
from cli.stacks import Stack
from keypost import wiring
from keypost.core.keys import SCOPES, new_key
from keypost.core.order import Hold, Order
from keypost.core.periods import local_day
from keypost.core.product import Line
from tests.builders import loaded, paid_order
from tests.keypost.support_desk.here import page_here

WINDOW: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 700}
PRODUCTS = {product.sku: product for product in sample_products()}
KASPERSKY, ESET = "KASPERSKY-STANDARD-3D-1Y", "ESET-HOME-SECURITY-1D-1Y"
_MILLISECONDS = 15_000  # on a busy machine


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """The desk needs nothing that is deployed."""
    return in_process


@pytest.fixture(autouse=True)
def no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests make no DNS queries."""

    class Silent:
        def resolve(self, *_: object) -> None:
            raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "get_default_resolver", Silent)


@dataclass(slots=True)
class Desk:
    """The browser of an agent, all that it asked for, and what Keypost does meanwhile."""

    page: Page
    stack: Stack
    url: str
    key: str = ""
    urls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def sold(self, order_id: str, *lines: Line, stocked: bool = True, hold: Hold | None = None, **about: Any) -> Order:
        """An order that was paid, and served as far as there is stock."""
        lines = lines or (Line(KASPERSKY, 1),)
        for line in lines if stocked else ():
            list(self.stack.store.add_codes(line.sku, sample_codes(PRODUCTS[line.sku], line.quantity), "batch-1", None))
        order = paid_order(order_id, *lines, at=now(), **about)
        self.stack.store.save(replace(order, hold=hold or Hold()))
        return self.advance(order_id)

    def advance(self, order_id: str) -> Order:
        wiring.worker().advance(order_id)
        return loaded(self.stack.store, order_id)

    def change(self, order_id: str, change: Callable[[Order], Order]) -> Order:
        return self.stack.desk.change(order_id, change)

    def go(self, hash_: str = "#/") -> None:
        self.page.goto(f"{self.url}/support{hash_}")

    @property
    def today(self) -> date:
        return local_day(now(), self.stack.zone)

    def renew(self) -> None:
        """The agent gets another key."""
        self.key, kept = new_key("anna", SCOPES, 365, now())
        self.stack.store.put_support_key(kept)

    def sign_in(self) -> None:
        self.page.locator("#key").fill(self.key)
        self.page.keyboard.press("Enter")
        self.page.locator("#wanted").wait_for()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def api_url(wired: Stack) -> Iterator[str]:
    for product in PRODUCTS.values():
        wired.store.put_product(product)
    with page_here() as url:
        yield url


@pytest.fixture
def desk(browser: Browser, wired: Stack, api_url: str) -> Iterator[Callable[..., Desk]]:
    """Opens the page in a browser of its own; at the end it has broken no policy and nothing failed."""
    desks: list[Desk] = []
    expect.set_options(timeout=_MILLISECONDS)

    def opened(hash_: str = "#/", *, is_in: bool = True, **how: Any) -> Desk:
        settings = {"locale": "en-GB", "timezone_id": "Europe/Amsterdam", "viewport": WINDOW}
        context = browser.new_context(**settings | how)
        context.set_default_timeout(_MILLISECONDS)
        made = Desk(context.new_page(), wired, api_url)
        made.renew()
        desks.append(made)
        watch(made, made.page)
        made.go(hash_)
        if is_in:
            made.sign_in()
        return made

    yield opened
    for each in desks:
        each.page.context.close()
        assert each.faults == []


def watch(desk: Desk, page: Page) -> None:
    page.on("request", lambda request: desk.urls.append(request.url))
    page.on("pageerror", lambda error: desk.faults.append(str(error)))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " event => { throw new Error('policy broken: ' + event.violatedDirective) })"
    )
