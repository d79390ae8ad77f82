"""What an older system sold, after it was imported: everything that works for an order works for it, and nothing of it
is served a second time, whoever tells of it again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core import imported
from keypost.core.bookkeeping import happened
from keypost.core.codes import NewCode, digest
from keypost.core.imported import Sold, SoldGoods
from keypost.core.mail import Asked, MailState, Purpose
from keypost.core.order import Beside, Customer, Order
from keypost.core.payment import Refunded, Standing, SubscriptionEnded
from keypost.core.periods import midnight_of, morning_of
from keypost.core.plan import attention, next_due, plan
from keypost.core.product import Kind, Line
from keypost.core.progress import Progress, progress
from keypost.core.said import said
from keypost.inputs.license_file import SoldAt
from keypost.providers import stripe
from keypost.table.imports import Imports
from keypost.use_cases.import_licenses import Importer, Planned
from keypost.use_cases.look_ahead import stocks
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, PRODUCT, SKU, ZONE, a_call, code, event, loaded, notice, put_item, stripe_event
from tests.functions.support_calls import call

REMINDING = replace(PRODUCT, reminder_days=(30, 7))
BEGAN, ENDS = date(2026, 3, 1), date(2027, 2, 28)
ASKED = Asked(NOW, "anna")
JAN = Customer(email="jan@klant.example", name="Jan Jansen", language="nl")
THEN = midnight_of(BEGAN, ZONE) + timedelta(hours=12)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


def sold(order_id: str = "2025-0041", *goods: SoldGoods, **changes: Any) -> Sold:
    goods = goods or (SoldGoods(SKU, (NewCode(SKU, code(1), None, None),), BEGAN, ENDS),)
    return replace(Sold(order_id, JAN, goods, BEGAN), **changes)


def made(what: Sold | None = None) -> Order:
    return imported.imported(what or sold(), ASKED, {SKU: REMINDING}, ZONE, "EUR")


def brought(stack: Stack, *what: Sold) -> Order:
    """The first of these, imported."""
    stack.store.put_product(REMINDING)
    importer = Importer(Imports.of(stack.store), stack.store.catalog(), ZONE, "EUR")
    planned = importer.planned([SoldAt((2,), each) for each in what or (sold(),)], ASKED)
    assert planned.faults == ()
    assert [failed for _, failed in importer.run(planned)] == [[]]
    return loaded(stack.store, (what or (sold(),))[0].order_id)


def purposes(order: Order) -> list[tuple[Purpose, MailState]]:
    return [(mail.purpose, mail.state) for mail in order.mails]


BEFORE = [(Purpose.PURCHASE, MailState.BEFORE)]


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


# --- what it is


def test_an_imported_order_is_served_and_has_nothing_to_do_before_its_reminder() -> None:
    order = made()

    assert (progress(order), attention(order), plan(order, {SKU}, NOW)) == (Progress.SERVED, None, None)
    assert next_due(order) == morning_of(ENDS - timedelta(days=30), ZONE)
    assert (order.created_at, order.customer) == (THEN, JAN)
    assert [(entry.code, entry.who) for entry in order.timeline] == [("imported", "anna")]


def test_reminders_whose_day_has_passed_are_left_out() -> None:
    ending = SoldGoods(SKU, (NewCode(SKU, code(1), None, None),), BEGAN, NOW.date() + timedelta(days=10))

    assert [reminder.days for reminder in made(sold("A", ending)).reminders] == [7]


def test_it_is_no_sale_of_a_month_and_no_use_of_stock(wired: Stack) -> None:
    order = brought(wired)

    assert happened(order, Beside()) == []
    assert [stock.used for stock in stocks(wired.store, NOW, ZONE, 30)[0]] == [0]
    assert wired.store.pick(SKU, 9, NOW.date()) == []


def test_it_is_found_by_code_by_its_end_by_license_and_by_address(wired: Stack) -> None:
    order = brought(wired)

    for what in ({"code": code(1)}, {"license": order.licenses[0].id}, {"email": JAN.email}, {"text": "00001"}):
        status, found = call("POST", "/orders/search", what)
        assert (status, [each["order_id"] for each in found["orders"]]) == (200, [order.id]), what


def test_the_story_and_the_proof_say_that_it_was_imported(wired: Stack) -> None:
    brought(wired)

    assert call("GET", "/orders/{order_id}", order_id="2025-0041")[1]["imported_at"] == NOW.isoformat().replace(
        "+00:00", "Z"
    )
    page = call("GET", "/orders/{order_id}/proof", order_id="2025-0041")[1]
    assert "was imported on 23 November 2026" in page
    assert "sent by the system that the shop used before" in page
    assert "Amazon SES" not in page


def test_its_customer_is_sent_the_code_again_and_asks_for_it_on_the_page(
    wired: Stack, sent: Callable[[str], list[str]]
) -> None:
    brought(wired)

    assert call("POST", "/orders/{order_id}/resend", {"reason": "asked"}, order_id="2025-0041")[0] == 202
    wiring.worker().advance("2025-0041")

    (mail,) = sent("2025-0041")
    assert code(1) in mail
    assert purposes(loaded(wired.store, "2025-0041")) == [*BEFORE, (Purpose.RESEND, MailState.SENT)]


def test_its_reminder_leaves_on_its_day(wired: Stack, sent: Callable[[str], list[str]]) -> None:
    brought(wired)

    with time_machine.travel(morning_of(ENDS - timedelta(days=30), ZONE), tick=False):
        wiring.worker().advance("2025-0041")

    (mail,) = sent("2025-0041")
    assert "28 februari 2027" in mail


# --- what is told of it again


@pytest.mark.parametrize("provider", ["mollie", "woocommerce", "webhook", "stripe"])
def test_the_payment_of_then_told_again_serves_nothing_and_is_not_paid_twice(wired: Stack, provider: str) -> None:
    brought(wired)
    other = Line("KASPERSKY-PLUS-3D-1Y", 3)

    record(wired.store, notice("2025-0041", other, provider=provider, at=THEN, email="x@y.example"), NOW, INTAKE)
    wiring.worker().advance("2025-0041")

    order = loaded(wired.store, "2025-0041")
    assert (len(order.settled), order.is_paid_twice, order.customer.email) == (1, False, JAN.email)
    assert [line.sku for line in order.lines] == [SKU]
    assert (attention(order), purposes(order), len(order.licenses)) == (None, BEFORE, 1)


def test_a_refund_of_the_payment_of_then_asks_to_block_the_code(wired: Stack) -> None:
    brought(wired)
    back = Refunded(NOW, "39.95", full=True)

    record(wired.store, notice("2025-0041", at=THEN, refunded=back), NOW, INTAKE)

    order = loaded(wired.store, "2025-0041")
    found = attention(order)
    assert (order.standing, found and found[0].value) == (Standing.REFUNDED, "block")
    assert wired.store.pick(SKU, 9, NOW.date()) == []


def test_money_that_comes_now_for_an_order_of_then_is_seen_by_a_person(wired: Stack) -> None:
    brought(wired)

    record(wired.store, notice("2025-0041", at=NOW + timedelta(minutes=1)), NOW, INTAKE)
    wiring.worker().advance("2025-0041")

    order = loaded(wired.store, "2025-0041")
    assert (order.is_paid_twice, purposes(order)) == (True, BEFORE)


def test_an_order_that_waits_as_one_from_before_becomes_the_imported_one(wired: Stack) -> None:
    start = replace(INTAKE, start=NOW - timedelta(days=1))
    record(wired.store, notice("2025-0041", at=THEN, payment_id="cs_9"), NOW, start)
    assert loaded(wired.store, "2025-0041").hold.from_before

    order = brought(wired)

    assert (order.hold.from_before, order.is_paid_twice, purposes(order)) == (False, False, BEFORE)
    assert order.payments[0].names == ("import:2025-0041", "stripe:cs_9")
    assert order.timeline[-1].code == "imported"


# --- its renewals


def test_a_renewal_that_names_its_number_follows_it(wired: Stack, stocked: Callable[[list[str]], None]) -> None:
    brought(wired)
    stocked([code(50)])

    record(wired.store, notice("R-1", Line(SKU, 1, Kind.RENEWAL, "2025-0041"), email=JAN.email), NOW, INTAKE)
    wiring.worker().advance("R-1")

    (term,) = loaded(wired.store, "R-1").terms
    assert (term.first_day, term.last_day) == (date(2027, 3, 1), date(2028, 2, 28))
    assert loaded(wired.store, "2025-0041").renewals[0].order_id == "R-1"


def test_an_invoice_of_its_subscription_that_says_nothing_renews_it(wired: Stack) -> None:
    brought(wired, sold(is_charged=True, subscription="sub_1SXkeypost"))
    invoice = event("stripe/invoice.paid.json")["data"]["object"]
    bare = {"parent": {"subscription_details": {"subscription": "sub_1SXkeypost", "metadata": {}}}}
    lines = {"data": [invoice["lines"]["data"][0] | {"pricing": None, "price": None, "description": "Jaarlicentie"}]}
    told, *_ = stripe.read(a_call(stripe_event({**bare, "lines": lines}, "invoice.paid"), get=None))

    order_id, _ = record(wired.store, told, NOW, INTAKE)
    assert order_id is not None
    wiring.worker().advance(order_id)

    order = loaded(wired.store, order_id)
    assert [(line.sku, line.kind, line.renews) for line in order.lines] == [(SKU, Kind.RENEWAL, "2025-0041/1")]
    assert loaded(wired.store, "2025-0041").renewals[0].order_id == order_id


def test_a_charge_of_its_subscription_at_mollie_renews_it(wired: Stack) -> None:
    brought(wired, sold(is_charged=True, subscription="sub_8rKeBa"))
    told = notice("tr_77", provider="mollie", payment_id="tr_77", subscription="sub_8rKeBa", email=None)

    record(wired.store, replace(told, lines=()), NOW, INTAKE)

    assert [line.renews for line in loaded(wired.store, "tr_77").lines] == ["2025-0041/1"]


def test_the_end_of_its_subscription_reaches_it_by_the_providers_name(wired: Stack) -> None:
    brought(wired, sold(is_charged=True, subscription="sub_1SXkeypost"))

    record(wired.store, SubscriptionEnded("sub_1SXkeypost", NOW), NOW, INTAKE)

    assert loaded(wired.store, "2025-0041").has_ended
    assert record(wired.store, SubscriptionEnded("sub_other", NOW), NOW, INTAKE) == (None, False)


# --- what a person does


def test_the_mail_of_then_cannot_be_shown_as_nobody_here_has_it(wired: Stack) -> None:
    brought(wired)

    status, why = call("GET", "/orders/{order_id}/mails/{mail_id}/preview", order_id="2025-0041", mail_id="purchase-1")

    assert (status, why["code"]) == (409, "mail_of_before")


def test_it_can_be_withdrawn_and_its_code_is_never_sold(wired: Stack) -> None:
    brought(wired)

    assert call("POST", "/orders/{order_id}/withdraw", {"reason": "not ours"}, order_id="2025-0041")[0] == 200
    wiring.worker().advance("2025-0041")

    order = loaded(wired.store, "2025-0041")
    assert (order.standing, order.is_withdrawn) == (Standing.REFUNDED, True)
    assert wired.store.pick(SKU, 9, NOW.date()) == []


def test_a_customer_who_was_erased_is_not_brought_back_by_the_same_file(wired: Stack) -> None:
    brought(wired)
    assert call("POST", "/customers/erase", {"email": JAN.email})[0] == 200

    importer = Importer(Imports.of(wired.store), wired.store.catalog(), ZONE, "EUR")
    corrected = sold(customer=replace(JAN, name="Jan J. Jansen"))
    planned = importer.planned([SoldAt((2,), corrected)], ASKED)

    assert (planned.wanted, planned.known) == ((), 1)
    order = loaded(wired.store, "2025-0041")
    assert (order.is_erased, order.customer.email, order.customer.name) == (True, None, None)
    assert str(JAN.email) not in repr(order)


def test_an_address_that_is_corrected_stays_corrected_when_the_file_is_imported_again(wired: Stack) -> None:
    brought(wired)
    body = {"email": "jan@nieuw.example", "reason": "moved"}
    assert call("PUT", "/orders/{order_id}/email", body, order_id="2025-0041")[0] == 200

    importer = Importer(Imports.of(wired.store), wired.store.catalog(), ZONE, "EUR")
    same = importer.planned([SoldAt((2,), sold())], ASKED)
    other = importer.planned([SoldAt((2,), sold(sold_on=date(2026, 2, 1)))], ASKED)

    assert (same.wanted, same.known, same.faults) == ((), 1, ())
    assert (other.wanted, [fault.reason for fault in other.faults]) == ((), [said("changed_since_import")])
    assert loaded(wired.store, "2025-0041").customer.email == "jan@nieuw.example"


def test_a_bad_code_of_it_is_swapped_for_one_of_the_stock(
    wired: Stack, stocked: Callable[[list[str]], None], sent: Callable[[str], list[str]]
) -> None:
    order = brought(wired)
    stocked([code(50)])
    path = "/orders/{order_id}/licenses/{license_id}/replace"

    status, _ = call("POST", path, {"reason": "invalid"}, order_id=order.id, license_id=order.licenses[0].id)
    wiring.worker().advance(order.id)

    assert status in (200, 202)
    (mail,) = sent(order.id)
    assert code(50) in mail
    assert code(1) not in mail


# --- what comes between


def planned_for(stack: Stack, *what: Sold) -> tuple[Importer, Planned]:
    stack.store.put_product(REMINDING)
    importer = Importer(Imports.of(stack.store), stack.store.catalog(), ZONE, "EUR")
    return importer, importer.planned([SoldAt((2,), each) for each in what], ASKED)


def test_a_code_that_enters_the_stock_meanwhile_stays_there_and_the_others_are_imported(
    wired: Stack, stocked: Callable[[list[str]], None]
) -> None:
    other = SoldGoods(SKU, (NewCode(SKU, code(2), None, None),), BEGAN, ENDS)
    importer, planned = planned_for(wired, sold(), sold("B", other))
    stocked([code(1)])

    assert [failed for _, failed in importer.run(planned)] == [["2025-0041"]]

    assert wired.store.load("2025-0041") is None
    assert [free.code for free in wired.store.pick(SKU, 9, NOW.date())] == [code(1)]
    assert loaded(wired.store, "B").licenses[0].code == code(2)


def test_an_order_that_changes_meanwhile_keeps_that_change(wired: Stack) -> None:
    brought(wired)
    importer, planned = planned_for(wired, sold(sold_on=date(2026, 2, 1)))
    body = {"email": "jan@nieuw.example", "reason": "moved"}
    assert call("PUT", "/orders/{order_id}/email", body, order_id="2025-0041")[0] == 200

    assert [failed for _, failed in importer.run(planned)] == [["2025-0041"]]
    assert loaded(wired.store, "2025-0041").customer.email == "jan@nieuw.example"


def test_codes_of_an_order_whose_import_broke_off_are_no_hindrance(wired: Stack) -> None:
    """An order with more codes than fit into one transaction is written after them."""
    item = {"pk": f"CODE#{digest(code(1))}", "code": code(1), "sku": SKU, "state": "assigned", "order_id": "2025-0041"}
    put_item(wired.store, item)

    assert brought(wired).licenses[0].code == code(1)
