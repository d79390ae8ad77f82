"""Finding an order, reading its story, and acting on it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, Request, Route, expect

from cli.local.mailbox import SentMail
from cli.local.stack import LocalStack, sample_codes
from keypost.core.keys import new_key
from keypost.core.mail import MailState
from keypost.core.order import Order
from keypost.core.periods import local_day
from tests.builders import leaked, loaded
from tests.deployed import ESET, KASPERSKY, PRODUCTS, mails_to
from tests.keypost.support_page.conftest import Visit, find

Sold = Callable[..., Order]


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


def mails_when(local: LocalStack, order_id: str) -> list[SentMail]:
    """The mails of an order, as soon as none of them is on its way."""
    local.order_when(order_id, lambda order: all(mail.state is MailState.SENT for mail in order.mails))
    return mails_to(local, order_id)


def asked(local: LocalStack, method: str, path: str, body: Any = None) -> Any:
    """The answer of the support API."""
    headers = {"Authorization": f"Bearer {local.support_key}", "Content-Type": "application/json"}
    status, answer = local.call(path, json.dumps(body).encode() if body else None, headers, method)
    assert status == 200
    return json.loads(answer)


def heading(page: Page, order_id: str) -> None:
    expect(page.get_by_role("heading", name=f"Order {order_id}", exact=True)).to_be_visible()


def test_an_order_is_found_by_all_that_a_customer_or_provider_may_name(page: Page, sold: Sold) -> None:
    order = sold("page-found")
    code, payment = order.licenses[0].code.lower(), order.payments[0].names[0].removeprefix("stripe:")

    for named in (order.id, f" #{order.id} ", order.customer.email, code, order.licenses[0].id, payment):
        with page.expect_response(re.compile("/orders/page-found$")):
            find(page, str(named))
        heading(page, order.id)


def test_a_text_is_looked_for_as_what_it_looks_like_and_else_as_all_that_it_may_be(page: Page) -> None:
    anything = ["order", "code", "payment", "text"]
    ways = {
        "2026-001234": anything,
        "ABCD1234": anything,
        "ABCDE 12345 FGHIJ 6789": anything,
        "tr_WDqYK6vllg": ["payment"],
        "mollie:tr_WDqYK6vllg": ["payment"],
        "LIC-ABCDEFGHIJ": ["license"],
        "anna@klant.example": ["email", "text"],
        "jansen@": ["text"],
    }

    script = "texts => import('./support/find.js').then(({ ways }) => texts.map((text) => [text, ways(text)]))"

    assert dict(page.evaluate(script, list(ways))) == ways


def test_only_an_order_number_is_ever_part_of_a_url(visited: Visit, sold: Sold) -> None:
    order = sold("page-urls")
    code = order.licenses[0].code
    codes = [code, code[:-1], code.replace("-", ""), code.replace("-", " "), "QZXJ4071", "qzx-jkv-407", "4071"]
    secrets = [order.customer.email, *codes, order.licenses[0].id]

    def answer(route: Route) -> None:
        """Let products have codes as short as these."""
        is_short = json.loads(route.request.post_data or "{}").get("code") in codes[-3:]
        about: dict[str, Any] = {"name": None, "products": [], "standing": "paid", "created_at": "2026-11-23T12:00:00Z"}
        found = {"orders": [{"order_id": order.id, **about}], "total": 1}
        route.fulfill(json=found) if is_short else route.continue_()

    visited.page.route("**/orders/search", answer)
    for text in secrets:
        with visited.page.expect_response(re.compile("/orders/page-urls$|/orders/search$")):
            find(visited.page, str(text))
        expect(visited.page.locator("main #order, main h2").first).to_be_visible()

    def asked() -> str:
        return unquote("\n".join([*visited.urls, visited.page.url])).upper()

    def ask(canary: str) -> None:
        visited.page.evaluate("text => fetch(`support?canary=${encodeURIComponent(text)}`)", canary)

    assert "/ORDERS/SEARCH" in asked()
    private = [str(text).upper() for text in (*secrets, code[-6:])]
    assert leaked(private, asked, ask) == []


def test_of_several_orders_one_is_chosen(page: Page, sold: Sold) -> None:
    card = {"v": "1", "email": "page-twice@klant.example", "lang": "nl", "line_1": f"{KASPERSKY}|1"}
    for order_id in ("page-twice-1", "page-twice-2"):
        sold(order_id, metadata={**card, "order_id": order_id})

    find(page, "page-twice@klant.example")
    expect(page.get_by_role("heading", name="2 orders found")).to_be_focused()
    page.get_by_role("link", name="page-twice-2").click()

    heading(page, "page-twice-2")


def test_the_story_tells_what_happened_with_codes_masked(page: Page, sold: Sold) -> None:
    order = sold("page-story")
    (license_,) = order.licenses

    find(page, "page-story")

    heading(page, "page-story")
    timeline = page.get_by_role("region", name="Timeline").get_by_role("listitem")
    expect(timeline.first).to_contain_text("the e-mail with the codes was sent")
    expect(timeline.last).to_contain_text("(Stripe) of €39.95 was received")
    expect(timeline.last.locator("time")).to_have_text(re.compile(r"^\d+ \w+ \d{4}, \d\d:\d\d$"))
    expect(page.get_by_role("region", name="Licences")).to_contain_text(f"…{license_.code[-5:]}")
    expect(page.get_by_role("region", name="E-mails")).to_contain_text("Codes of the purchase")
    expect(page.get_by_role("region", name="Payments")).to_contain_text("paid")
    assert license_.code not in page.content()


def test_a_double_click_sends_one_mail(page: Page, sold: Sold, local: LocalStack) -> None:
    sold("page-again")
    find(page, "page-again")

    page.get_by_role("button", name="Send again").click()
    dialog = page.get_by_role("dialog", name="Send order page-again again")
    dialog.get_by_label("Reason").fill("customer phoned")
    dialog.get_by_role("button", name="Send again").dblclick()

    expect(dialog).to_be_hidden()
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("customer phoned")
    expect(page.get_by_role("region", name="E-mails")).to_contain_text("Sent again on request")
    mails = mails_when(local, "page-again")
    assert [mail.to for mail in mails] == [("page-again@klant.example",)] * 2


def test_one_dialog_is_one_wish_however_often_it_is_sent(page: Page, sold: Sold, local: LocalStack) -> None:
    sold("page-wish")
    keys: list[str] = []

    def noted(request: Request) -> None:
        if request.url.endswith("/resend"):
            keys.append(request.headers["idempotency-key"])

    page.on("request", noted)
    find(page, "page-wish")
    page.get_by_role("button", name="Send again").click()
    send = page.get_by_role("dialog").get_by_role("button", name="Send again")
    page.route("**/resend", lambda route: route.abort(), times=1)

    send.click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    send.click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_block_after_a_bounce_is_lifted_when_the_agent_says_so(
    page: Page, sold: Sold, local: LocalStack, suppressed: dict[str, str]
) -> None:
    sold("page-bounce")
    suppressed["page-bounce@klant.example"] = "BOUNCE"
    find(page, "page-bounce")

    page.get_by_role("button", name="Send again").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be delivered to")
    page.get_by_role("button", name="Lift the block and send").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert suppressed == {}
    assert len(mails_when(local, "page-bounce")) == 2


def test_after_a_complaint_nothing_is_offered(page: Page, sold: Sold, suppressed: dict[str, str]) -> None:
    sold("page-spam")
    suppressed["page-spam@klant.example"] = "COMPLAINT"
    find(page, "page-spam")

    page.get_by_role("button", name="Send again").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()

    expect(page.get_by_role("alert")).to_contain_text("reported")
    expect(page.get_by_role("button", name="Lift the block and send")).to_have_count(0)


def test_a_typing_error_in_an_address_comes_back_with_what_was_meant(page: Page, sold: Sold, local: LocalStack) -> None:
    sold("page-typo")
    find(page, "page-typo")

    page.get_by_role("button", name="Change the address").click()
    page.get_by_label("New address").fill("anna@gmial.com")
    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("button", name="Use anna@gmail.com").click()

    expect(page.get_by_role("status")).to_contain_text("page-typo")
    expect(page.get_by_text("anna@gmail.com").first).to_be_visible()
    assert loaded(local.stack.store, "page-typo").customer.email == "anna@gmail.com"


def test_an_address_that_looks_wrong_may_be_right(page: Page, sold: Sold, local: LocalStack) -> None:
    sold("page-odd")
    find(page, "page-odd")

    page.get_by_role("button", name="Change the address").click()
    page.get_by_label("New address").fill("anna@gmial.com")
    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("button", name="Use this address anyway").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert loaded(local.stack.store, "page-odd").customer.email == "anna@gmial.com"


def test_a_bad_code_is_swapped_and_the_customer_is_told(page: Page, sold: Sold, local: LocalStack) -> None:
    before = sold("page-swap").licenses[0]
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), "another", None))
    find(page, "page-swap")

    page.get_by_role("button", name=f"Replace the code of {before.id}").click()
    page.get_by_label("already used").check()
    page.get_by_label("Note").fill("Kaspersky says so")
    expect(page.get_by_role("dialog")).to_contain_text("if not, the new code is sent with the e-mail of the order")
    page.get_by_role("dialog").get_by_role("button", name="Replace code").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    (after,) = loaded(local.stack.store, "page-swap").licenses
    assert after.code != before.code
    expect(page.get_by_role("status")).to_contain_text(f"…{after.code[-5:]}")
    licenses = page.get_by_role("region", name="Licences")
    expect(licenses).to_contain_text(f"…{after.code[-5:]}")
    expect(licenses.locator("q")).to_have_text("Kaspersky says so")
    expect(page.get_by_role("region", name="E-mails")).to_contain_text("New code")
    assert after.code in mails_when(local, "page-swap")[-1].text


def test_no_swap_is_offered_where_it_would_be_refused(page: Page, sold: Sold, local: LocalStack) -> None:
    order = sold("2026-700002")
    story = asked(local, "GET", f"/orders/{order.id}")
    (license_,) = story["licenses"]
    swap = page.get_by_role("button", name="Replace the code of")
    today = local_day(datetime.now(UTC), local.stack.zone)

    for changed, offered in (
        ({}, 1),
        ({"erased": True}, 0),
        ({"canceled": True}, 0),
        ({"standing": "refunded"}, 0),
        ({"standing": "disputed"}, 0),
        ({"standing": "partly refunded"}, 1),
        ({"licenses": [license_ | {"last_day": str(today - timedelta(days=1))}]}, 0),
        ({"licenses": [license_ | {"last_day": str(today)}]}, 1),
    ):
        shown = story | changed | {"name": json.dumps(changed)}
        page.route(f"**/orders/{order.id}", partial(Route.fulfill, json=shown), times=1)
        find(page, order.id)
        expect(page.locator(".who")).to_contain_text(shown["name"])
        assert swap.count() == offered, changed


def test_that_the_subscription_of_an_erased_customer_was_ended_is_written_down(
    page: Page, sold: Sold, local: LocalStack
) -> None:
    order = sold("page-subscription")
    local.stack.store.change(
        order.id, lambda _: replace(order, subscription=replace(order.subscription, is_charged=True))
    )
    erased = asked(local, "POST", "/customers/erase", {"email": order.customer.email})
    assert erased["subscriptions"] == [order.id]
    find(page, order.id)
    expect(page.get_by_text("end the subscription at the payment provider")).to_be_visible()

    page.get_by_role("button", name="Subscription has ended").click()
    page.get_by_role("dialog").get_by_role("button", name="Subscription has ended").click()

    expect(page.get_by_role("status")).to_contain_text("It is noted that the subscription has ended")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("subscription has ended")
    expect(page.get_by_role("button", name="Subscription has ended")).to_have_count(0)
    assert not loaded(local.stack.store, order.id).is_charged_again


def test_an_order_is_held_and_released(page: Page, sold: Sold, local: LocalStack) -> None:
    sold("page-hold")
    find(page, "page-hold")

    page.get_by_role("button", name="Hold").click()
    page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    page.get_by_role("button", name="Release").wait_for()
    assert loaded(local.stack.store, "page-hold").hold.by_person
    page.get_by_role("button", name="Release").click()
    page.get_by_role("dialog").get_by_role("button", name="Release").click()

    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    assert not loaded(local.stack.store, "page-hold").hold.by_person


def test_an_order_of_which_two_things_are_told_shows_them_side_by_side_and_offers_no_release(
    page: Page, differing: Sold
) -> None:
    order = differing("page-differs")
    find(page, order.id)

    told = page.get_by_role("region", name="What was ordered, and for whom?").get_by_role("article")
    first, second = (told.filter(has_text=name) for name in ("cs_test_page-differs", "cs_other_page-differs"))
    for telling, texts in (
        (first, ("Stripe, ", "1 \N{MULTIPLICATION SIGN} Kaspersky Standard", "page-differs@klant.example", "€39.95")),
        (
            second,
            ("Stripe, ", "2 \N{MULTIPLICATION SIGN} ESET HOME Security", "other-page-differs@klant.example", "€79.90"),
        ),
    ):
        for text in texts:
            expect(telling).to_contain_text(text)
    boxes = [telling.bounding_box() for telling in (first, second)]
    assert len({box["y"] for box in boxes if box}) == 1
    assert len({box["x"] for box in boxes if box}) == 2
    expect(page.get_by_role("button", name="Release")).to_have_count(0)


def test_an_order_that_is_clear_asks_nothing(page: Page, sold: Sold) -> None:
    sold("page-clear")
    find(page, "page-clear")

    heading(page, "page-clear")
    expect(page.get_by_role("region", name="What was ordered, and for whom?")).to_have_count(0)


def test_a_payment_becomes_an_order_of_its_own(page: Page, differing: Sold, local: LocalStack) -> None:
    order = differing("page-split")
    find(page, order.id)

    page.get_by_role("button", name="Make it a separate order: stripe:cs_other_page-split").click()
    dialog = page.get_by_role("dialog", name="Split order page-split")
    expect(dialog).to_contain_text("Payment stripe:cs_other_page-split gets a new order")
    dialog.get_by_label("Reason").fill("the shop began to count again")
    dialog.get_by_role("button", name="Make it a separate order").dblclick()

    expect(page.get_by_role("status")).to_contain_text("is now order page-split-2")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("the shop began to count again")
    expect(page.get_by_role("region", name="What was ordered, and for whom?")).to_have_count(0)
    kept, own = (loaded(local.stack.store, name) for name in ("page-split", "page-split-2"))
    assert [(line.sku, line.quantity) for line in kept.lines] == [(KASPERSKY, 1)]
    assert [(line.sku, line.quantity) for line in own.lines] == [(ESET, 2)]
    assert own.customer.email == "other-page-split@klant.example"


def test_what_cannot_be_settled_is_told_in_words_and_what_can_be_is_settled(
    page: Page, differing: Sold, local: LocalStack
) -> None:
    order = differing("page-settle")
    find(page, order.id)

    page.get_by_role("button", name="This is right: Stripe about stripe:cs_other_page-settle").click()
    dialog = page.get_by_role("dialog", name="What was ordered with order page-settle")
    expect(dialog).to_contain_text(
        "for 2 \N{MULTIPLICATION SIGN} ESET HOME Security, for other-page-settle@klant.example"
    )
    dialog.get_by_role("button", name="This is right").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be decided: more has been sent than was paid for")
    page.keyboard.press("Escape")

    page.get_by_role("button", name="This is right: Stripe about stripe:cs_test_page-settle").click()
    dialog.get_by_label("Reason").fill("asked by phone")
    dialog.get_by_role("button", name="This is right").click()

    expect(page.get_by_role("status")).to_contain_text("It has been decided what was ordered")
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("asked by phone")
    expect(page.get_by_role("region", name="What was ordered, and for whom?")).to_have_count(0)
    assert [decision.kind for decision in loaded(local.stack.store, order.id).decisions] == ["contents"]


def test_of_two_tellers_of_one_payment_the_right_one_is_chosen_with_its_goods(
    page: Page, sold: Sold, local: LocalStack
) -> None:
    order = sold("page-tellers")
    story = asked(local, "GET", f"/orders/{order.id}")
    (payment,) = story["payments"]
    (word,) = payment["told"]
    tellers = [word, word | {"by": "webhook", "said": None, "lines": [f"3 x {KASPERSKY}"]}]
    shown = story | {"payments": [payment | {"told": tellers}], "obstacles": [{"code": "contents", "values": {}}]}
    sent: list[Any] = []
    page.route(f"**/orders/{order.id}", partial(Route.fulfill, json=shown))

    def answer(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(json={"order_id": order.id, "own_order": None})

    page.route(f"**/orders/{order.id}/contents", answer)
    find(page, order.id)
    expect(page.get_by_role("button", name="Make it a separate order")).to_have_count(0)
    page.get_by_role("button", name="This is right: The shop about").click()
    page.get_by_role("dialog").get_by_role("button", name="This is right").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sent == [{"payment": payment["names"][0], "by": "webhook"}]


def test_a_key_that_may_not_settle_is_told_so(page: Page, differing: Sold, local: LocalStack) -> None:
    order = differing("page-no-scope")
    key, kept = new_key("page-no-scope", ("support",), 1, datetime.now(UTC).replace(microsecond=0))
    local.stack.store.put_support_key(kept)
    find(page, order.id)
    page.get_by_role("button", name="Make it a separate order").first.click()
    page.evaluate("key => sessionStorage.setItem('keypost-support-key', key)", key)

    page.get_by_role("dialog").get_by_role("button", name="Make it a separate order").click()

    expect(page.get_by_role("alert")).to_contain_text("does not allow this: decide what was ordered and for whom")


def test_what_others_wrote_is_text_and_nothing_else(page: Page, sold: Sold) -> None:
    attack = "<img src=x onerror='document.title=\"broken\"'>"
    sold("page-attack", customer_details={"name": attack, "email": "page-attack@klant.example"})
    find(page, "page-attack")

    page.get_by_role("button", name="Send again").click()
    page.get_by_label("Reason").fill("<script>document.title='broken'</script>")
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()

    expect(page.get_by_text("<script>document.title='broken'</script>")).to_be_visible()
    expect(page.get_by_text(attack)).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "Order page-attack · Keypost"
