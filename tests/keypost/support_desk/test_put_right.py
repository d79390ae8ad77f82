"""What an agent seldom does for an order, each from the button that says "More" or from the line it is about."""

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from keypost.core.by_hand import Sale
from keypost.core.contents import with_payment
from keypost.core.mail import Asked
from keypost.core.mailing import with_bad_address
from keypost.core.order import Customer, Reason
from keypost.core.payment import Refunded
from keypost.core.product import Kind, Line
from keypost.use_cases import take_mail_event
from keypost.use_cases.sell_by_hand import sell_by_hand
from tests.builders import loaded, notice, ses_event
from tests.keypost.support_desk.conftest import ESET, KASPERSKY, Desk, now

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


def opened(desk: OpenDesk, order_id: str, *lines: Line) -> Desk:
    at = desk(is_in=False)
    at.sold(order_id, *lines)
    at.go(f"#/orders/{order_id}")
    at.sign_in()
    at.page.locator("#resend").wait_for()
    return at


def choose(page: Page, button: str, choice: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=choice).click()


def confirm(page: Page, button: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_name_and_language_of_all_orders_of_a_customer(desk: OpenDesk) -> None:
    at = opened(desk, "right-1")
    at.sold("right-2")
    choose(at.page, "More …", "Change the customer")
    at.page.get_by_role("textbox", name="Customer", exact=True).fill("Anna de Boer")
    at.page.get_by_label("Language of e-mails").select_option("English")
    at.page.get_by_label("For all orders").check()

    confirm(at.page, "Change")

    expect(at.page.locator(".who")).to_contain_text("Anna de Boer")
    found = [loaded(at.stack.store, order_id).customer for order_id in ("right-1", "right-2")]
    assert [(each.name, each.language) for each in found] == [("Anna de Boer", "en")] * 2


def test_a_note_stands_in_the_timeline(desk: OpenDesk) -> None:
    at = opened(desk, "note-1")
    choose(at.page, "More …", "Write a note")
    at.page.get_by_role("textbox", name="Note", exact=True).fill("calls back on Monday")

    confirm(at.page, "Save")

    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text("calls back on Monday")


def test_a_note_that_was_typed_when_the_key_ended_is_still_there(desk: OpenDesk) -> None:
    at = opened(desk, "note-2")
    choose(at.page, "More …", "Write a note")
    at.page.get_by_role("textbox", name="Note", exact=True).fill("calls back on Tuesday")
    at.stack.store.revoke_support_key(at.key[3:13], now())
    at.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(at.page.get_by_role("alert")).to_contain_text("expired")

    at.renew()
    at.sign_in()

    expect(at.page.get_by_role("textbox", name="Note", exact=True)).to_have_value("calls back on Tuesday")


def test_one_mail_goes_to_a_colleague_and_one_license_of_many_to_the_customer(desk: OpenDesk) -> None:
    at = opened(desk, "once-1", Line(KASPERSKY, 2))
    license_ = loaded(at.stack.store, "once-1").licenses[1]
    choose(at.page, "More …", "Send once to another address")
    at.page.get_by_role("textbox", name="Other address", exact=True).fill("it@bedrijf.example")
    confirm(at.page, "Send again")
    choose(at.page, f"More actions: {license_.id}", "Send this licence only")
    confirm(at.page, "Send again")

    expect(at.page.get_by_role("region", name="E-mails")).to_contain_text("it@bedrijf.example")
    mails = at.advance("once-1").mails
    assert "it@bedrijf.example" in {mail.sent_to for mail in mails}
    assert (license_.id,) in {mail.licenses for mail in mails}


def test_a_license_goes_to_another_customer_and_leads_there(desk: OpenDesk) -> None:
    at = opened(desk, "move-1", Line(KASPERSKY, 2))
    license_ = loaded(at.stack.store, "move-1").licenses[0]
    choose(at.page, f"More actions: {license_.id}", "Move to another customer")
    at.page.get_by_label("E-mail", exact=True).fill("bert@elders.example")
    confirm(at.page, "Move to another customer")

    moved = at.page.get_by_role("listitem").filter(has_text="Moved to another customer:").last
    moved.get_by_role("link").click()

    expect(at.page.locator(".who")).to_contain_text("bert@elders.example")
    expect(at.page.locator(".who")).to_contain_text("Licence moved from")


def test_reminders_are_stopped_and_sent_again(desk: OpenDesk) -> None:
    at = opened(desk, "remind-1")
    choose(at.page, "More …", "Stop reminders")
    confirm(at.page, "Stop reminders")
    choose(at.page, "More …", "Send reminders again")
    confirm(at.page, "Send reminders again")

    assert not loaded(at.stack.store, "remind-1").without_reminders


def test_who_stopped_reminders_is_shown_and_they_start_again_for_all_orders(desk: OpenDesk) -> None:
    at = opened(desk, "remind-2")
    email = loaded(at.stack.store, "remind-2").customer.email or ""
    at.stack.store.stop_reminders(email, now(), "customer")
    at.page.reload()
    expect(at.page.locator(".who")).to_contain_text("The customer stopped all reminders on")
    choose(at.page, "More …", "Send reminders again")
    expect(at.page.get_by_role("dialog").get_by_role("checkbox")).to_have_count(0)
    confirm(at.page, "Send reminders again")

    expect(at.page.locator(".who")).not_to_contain_text("stopped all reminders")
    assert at.stack.store.unreminded(email) is None


def test_after_a_report_on_a_reminder_to_send_again_asks_what_the_customer_said(desk: OpenDesk) -> None:
    at = opened(desk, "remind-3")
    email = loaded(at.stack.store, "remind-3").customer.email or ""
    at.stack.store.put_reminder_complaint(email, now())
    waiting = partial(with_bad_address, why="reminder_complained", since=now(), now=now())
    at.stack.store.change_existing("remind-3", waiting)
    at.page.reload()
    at.page.locator("#resend").click()
    at.page.get_by_role("dialog").get_by_label("What did the customer say?").fill("wants what she paid for")
    confirm(at.page, "Send e-mail to the customer again")

    assert at.stack.store.address(email).reminder_complaint is None
    assert not loaded(at.stack.store, "remind-3").waits


def test_an_order_is_made_by_hand(desk: OpenDesk) -> None:
    at = desk()
    at.page.get_by_role("link", name="Orders", exact=True).click()
    at.page.get_by_role("button", name="Order by hand").click()
    dialog = at.page.get_by_role("dialog")
    dialog.get_by_label("E-mail", exact=True).fill("gift@klant.example")
    dialog.get_by_label("Product").select_option(ESET)
    dialog.get_by_label("Why without a payment?").select_option("goodwill")

    confirm(at.page, "Make the order")

    expect(at.page.locator(".who")).to_contain_text("gift@klant.example")
    expect(at.page.locator(".who")).to_contain_text("goodwill")


def test_an_order_by_hand_may_have_several_products(desk: OpenDesk) -> None:
    at = desk()
    at.page.get_by_role("link", name="Orders", exact=True).click()
    at.page.get_by_role("button", name="Order by hand").click()
    dialog = at.page.get_by_role("dialog")
    dialog.get_by_label("E-mail", exact=True).fill("gifts@klant.example")
    dialog.get_by_label("Product", exact=True).select_option(ESET)
    dialog.get_by_role("button", name="Another product").click()
    dialog.get_by_label("Product 2", exact=True).select_option(KASPERSKY)
    dialog.get_by_label("Quantity 2", exact=True).fill("3")

    confirm(at.page, "Make the order")

    expect(at.page.locator(".who")).to_contain_text("gifts@klant.example")
    (order,) = at.stack.store.orders_of("gifts@klant.example").orders
    assert [(line.sku, line.quantity) for line in order.lines] == [(ESET, 1), (KASPERSKY, 3)]


def test_what_was_given_by_hand_is_taken_back(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    sale = Sale(Customer(email="gift@klant.example", name=None, language="nl"), (Line(ESET, 1),), "goodwill")
    order_id = sell_by_hand(at.stack.desk, sale, Asked(now(), "anna"), "EUR")
    at.go(f"#/orders/{order_id}")
    at.sign_in()

    choose(at.page, "More …", "Withdraw")
    confirm(at.page, "Withdraw")

    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text("was withdrawn")
    assert not loaded(at.stack.store, order_id).is_paid


def test_a_customer_who_reported_an_email_by_mistake_is_written_to_again(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("spam-1")
    take_mail_event.take(at.stack.store, ses_event("complaint", "spam-1"), now(), at.stack.zone)
    assert loaded(at.stack.store, "spam-1").waits_for(Reason.ADDRESS)
    at.go("#/orders/spam-1")
    at.sign_in()

    choose(at.page, "More …", "Send e-mail to the customer again")
    at.page.get_by_label("What did the customer say?").fill("pressed the wrong button")
    confirm(at.page, "Send e-mail to the customer again")

    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text("pressed the wrong button")
    assert not loaded(at.stack.store, "spam-1").waits_for(Reason.ADDRESS)


def test_the_license_that_a_part_of_the_money_went_back_for_is_named(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    license_ = at.sold("part-1", Line(KASPERSKY, 2)).licenses[1]
    back = notice("part-1", state=None, refunded=Refunded(now(), amount="10.00"))
    at.change("part-1", lambda order: with_payment(order, back, now(), "EUR"))
    at.go("#/orders/part-1")
    at.sign_in()

    choose(at.page, f"More actions: {license_.id}", "The refund was for this licence")
    confirm(at.page, "The refund was for this licence")

    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text(license_.id)
    assert loaded(at.stack.store, "part-1").gone_for("refunded") == {license_.id}


def test_a_renewal_starts_now_or_is_stopped(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    base = at.sold("base-1")
    at.sold("renews-1", Line(KASPERSKY, 1, Kind.RENEWAL, base.licenses[0].id), stocked=False)
    at.go("#/orders/renews-1")
    at.sign_in()
    choose(at.page, "Change the renewal", "What it renews, and when it starts")
    at.page.get_by_label("Start now").check()
    confirm(at.page, "Change")
    assert loaded(at.stack.store, "renews-1").lines[0].period_start is not None

    choose(at.page, "Change the renewal", "Stop the renewal")
    confirm(at.page, "Stop the renewal")

    expect(at.page.get_by_role("region", name="Ordered")).to_contain_text("stopped")


def test_a_customer_is_exported_and_erased(desk: OpenDesk) -> None:
    at = opened(desk, "erase-1")
    with at.page.expect_download() as saved:
        choose(at.page, "More …", "Export customer data")
        confirm(at.page, "Save")
    assert "facturen@klant.example" in saved.value.path().read_text("utf-8")

    choose(at.page, "More …", "Erase customer data")
    at.page.get_by_label("Yes, erase this customer's data").check()
    confirm(at.page, "Erase customer data")

    expect(at.page.locator(".pills")).to_contain_text("erased")
    assert loaded(at.stack.store, "erase-1").is_erased


def test_a_month_is_saved_for_the_bookkeeper(desk: OpenDesk) -> None:
    at = desk(is_in=False)
    at.sold("month-1")
    at.go("#/search")
    at.sign_in()
    with at.page.expect_download() as saved:
        at.page.get_by_role("button", name="Month for the bookkeeper").click()
        confirm(at.page, "Save")

    assert "month-1" in saved.value.path().read_text("utf-8")


def test_the_proof_of_delivery_is_shown_to_be_printed(desk: OpenDesk) -> None:
    at = opened(desk, "proof-1")
    code = loaded(at.stack.store, "proof-1").licenses[0].code

    choose(at.page, "More …", "Proof of delivery")

    dialog = at.page.get_by_role("dialog", name="Proof of delivery of order proof-1")
    expect(dialog.get_by_role("button", name="Print")).to_be_visible()
    expect(dialog.frame_locator("iframe").locator("body")).to_contain_text("proof-1")
    assert code not in dialog.frame_locator("iframe").locator("body").inner_text()


def test_orders_of_another_address_that_may_be_of_the_same_person_are_shown_and_taken_in(desk: OpenDesk) -> None:
    at = opened(desk, "linked-1")
    at.sold("linked-2", email="thuis@klant.example")
    choose(at.page, "More …", "Erase customer data")
    at.page.get_by_label("Also of this customer").fill("thuis@klant.example")
    at.page.get_by_label("Yes, erase this customer's data").check()

    confirm(at.page, "Erase customer data")

    expect(at.page.locator(".pills")).to_contain_text("erased")
    assert loaded(at.stack.store, "linked-2").is_erased
