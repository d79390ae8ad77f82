"""What an agent must know before doing something for an order, and after."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from keypost.core.mail import Fate, Told
from keypost.core.order import Order, Reason, waiting_for
from keypost.core.said import said
from tests.keypost.support_desk.conftest import Desk, now

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


def opened(desk: OpenDesk, order_id: str, change: Callable[[Order], Order] = lambda order: order) -> tuple[Desk, Order]:
    at = desk(is_in=False)
    at.sold(order_id)
    order = at.change(order_id, change)
    at.go(f"#/orders/{order_id}")
    at.sign_in()
    at.page.locator("#resend").wait_for()
    return at, order


def with_fate(fate: Fate) -> Callable[[Order], Order]:
    return lambda order: replace(
        order, mails=tuple(replace(mail, told=(Told(1, fate, now()),)) for mail in order.mails)
    )


def waiting(code: str) -> Callable[[Order], Order]:
    return lambda order: waiting_for(order, Reason.ADDRESS, said(code), now())


def test_before_sending_again_one_sees_when_the_last_mail_left_to_whom_and_its_fate(desk: OpenDesk) -> None:
    at, _ = opened(desk, "facts-1", with_fate(Fate.DELIVERED))

    at.page.get_by_role("button", name="Send again").click()

    dialog = at.page.get_by_role("dialog")
    for fact in ("Codes of the purchase", "facturen@klant.example", "Delivered"):
        expect(dialog.locator(".facts")).to_contain_text(fact)
    expect(dialog.locator(".facts")).to_contain_text(str(now().year))


def test_where_the_address_is_blocked_the_main_button_is_the_one_that_can_work(desk: OpenDesk) -> None:
    at, _ = opened(desk, "blocked-1", waiting("address_bounced"))

    at.page.get_by_role("button", name="Send again").click()

    dialog = at.page.get_by_role("dialog")
    expect(dialog.locator("button.main")).to_have_text("Lift the block and send")
    dialog.get_by_role("button", name="Change the address").click()
    expect(at.page.get_by_role("dialog", name="Change the e-mail address")).to_be_visible()


def test_the_same_address_is_no_change_and_said_to_be_none(desk: OpenDesk) -> None:
    at, _ = opened(desk, "same-1")
    at.page.get_by_role("button", name="Change the address").click()

    at.page.get_by_label("New address").fill(" Facturen@klant.example ")
    at.page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()

    expect(at.page.get_by_role("alert")).to_contain_text("Nothing was changed")
    assert not any(url.endswith("/email") for url in at.urls)


def test_what_a_change_of_address_found_stays_until_it_is_read_and_sending_is_offered(desk: OpenDesk) -> None:
    at, _ = opened(desk, "warned-1", with_fate(Fate.DELIVERED))
    page = at.page
    page.get_by_role("button", name="Change the address").click()
    page.get_by_label("New address").fill("anna@elders.example")
    page.get_by_role("dialog").get_by_role("button", name="Change", exact=True).click()

    sent_to_old = page.get_by_text("The codes were sent to facturen@klant.example.")
    no_server = page.get_by_text("mail server")
    expect(sent_to_old).to_be_visible()
    expect(no_server).to_be_visible()
    page.reload()
    expect(no_server).to_be_visible()
    page.locator(".notice", has=no_server).get_by_role("button", name="Mark as read").click()
    expect(no_server).to_have_count(0)
    page.get_by_role("button", name="Send again now").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()

    expect(page.get_by_role("region", name="E-mails")).to_contain_text("Sent again on request")
    assert [mail.to or mail.sent_to for mail in at.advance("warned-1").mails][-1] == "anna@elders.example"


def test_a_button_that_cannot_be_pressed_has_its_reason_beside_it(desk: OpenDesk) -> None:
    at, _ = opened(desk, "why-1", lambda order: replace(order, canceled=True))

    expect(at.page.get_by_role("button", name="Send again")).to_be_disabled()
    expect(at.page.locator("#resend + p")).to_contain_text("the shop cancelled the order")


def test_a_mail_is_looked_at_as_the_customer_got_it_without_a_code(desk: OpenDesk) -> None:
    at, order = opened(desk, "shown-1")
    (license_,) = order.licenses

    at.page.get_by_role("button", name="Show e-mail: codes of the purchase").click()

    dialog = at.page.get_by_role("dialog")
    mail = dialog.frame_locator("iframe")
    expect(mail.locator("code")).to_have_text(f"\N{HORIZONTAL ELLIPSIS}{license_.code[-5:]}")
    assert mail.locator("code").evaluate("code => getComputedStyle(code).textAlign") == "center"
    assert mail.locator("script, a[href], img, form").count() == 0
    expect(dialog).to_contain_text("facturen@klant.example")
    dialog.get_by_text("As text").click()
    expect(dialog.locator("pre")).to_contain_text(f"\N{HORIZONTAL ELLIPSIS}{license_.code[-5:]}")
    assert license_.code not in at.page.content()
    at.page.keyboard.press("Escape")
    expect(at.page.get_by_role("button", name="Show e-mail")).to_be_focused()


def test_what_one_needs_elsewhere_is_copied(desk: OpenDesk) -> None:
    at, order = opened(desk, "copy-1")
    at.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wanted = {
        "Copy: Order": "copy-1",
        "Copy: E-mail": "facturen@klant.example",
        "Copy: licence number": order.licenses[0].id,
    }

    for name, text in wanted.items():
        at.page.get_by_role("button", name=name).click()
        expect(at.page.get_by_role("status")).to_contain_text("Copied")
        assert at.page.evaluate("navigator.clipboard.readText()") == text
