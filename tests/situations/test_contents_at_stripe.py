"""What was charged against what the card says."""

import json
from typing import Any

import pytest

from keypost.core.payment import Charged, PaymentNotice
from keypost.core.product import Kind, Line
from keypost.core.said import said
from keypost.providers import stripe
from tests.builders import SESSION, SKU, a_call, api, event, stripe_event
from tests.builders import stripe_item as item

ITEMS = f"/v1/checkout/sessions/{SESSION}/line_items"
PRICE = "/v1/prices/price_1SXkeypost"
RECORDED = event("stripe/invoice.paid.json")["data"]["object"]["lines"]["data"][0]
BOUGHT = RECORDED["description"]
PARENT = event("stripe/invoice.paid.json")["data"]["object"]["parent"]


def sold(body: bytes, *answers: Any) -> PaymentNotice:
    (found,) = stripe.read(a_call(body, get=api(*answers) if answers else None))
    assert isinstance(found, PaymentNotice)
    return found


def session(*items: dict[str, Any], **changes: Any) -> PaymentNotice:
    return sold(stripe_event(changes), ITEMS, {"data": [*items], "has_more": False})


def invoice(*lines: dict[str, Any], price: dict[str, Any] | None = None, **changes: Any) -> PaymentNotice:
    whole = {"has_more": False, "data": [RECORDED | line for line in lines or ({},)]}
    return sold(stripe_event({"lines": whole} | changes, "invoice.paid"), *((PRICE, price) if price else ()))


def price(sku: str) -> dict[str, Any]:
    return {"id": "price_1SXkeypost", "product": {"id": "prod_1", "metadata": {"sku": sku}}}


def about(item: dict[str, Any], name: str, minor: int, **more: Any) -> dict[str, Any]:
    return item | {"description": name, "amount_total": minor, "currency": "eur"} | more


def test_an_item_that_was_added_at_checkout_is_told_beside_the_card() -> None:
    """docs.stripe.com/payments/checkout/cross-sells and optional-items: the buyer adds to what the shop asked for."""
    found = session(about(item(SKU), "Standard", 3995), about(item("PLUS"), "Plus", 4995), about(item(), "Mok", 900))

    assert found.lines == (Line(SKU, 1),)
    assert found.charged == (
        Charged(SKU, 1, "Standard", "39.95"),
        Charged("PLUS", 1, "Plus", "49.95"),
        Charged("", 1, "Mok", "9.00"),
    )


def test_another_quantity_than_the_cards_is_told_beside_the_card() -> None:
    """Bike4Mind/bike4mind#1602: charged for seats, the count never updated."""
    found = session(about(item(SKU, 3), "Standard", 11985))

    assert (found.lines, found.charged) == ((Line(SKU, 1),), (Charged(SKU, 3, "Standard", "119.85"),))


def test_a_sku_in_another_spelling_is_told_as_it_stands() -> None:
    """Own trial: a SKU in lower case or with a space was not ours, and nobody heard of it."""
    found = session(about(item(f" {SKU.lower()} x"), "Standard", 3995), metadata={})

    assert found.charged == (Charged(f"{SKU.lower()} x", 1, "Standard", "39.95"),)


def test_what_a_payment_link_sold_without_a_card_is_told_whole() -> None:
    """docs.stripe.com/payment-links: the metadata of a link are the same for every buyer, so it has no card."""
    found = session(about(item(SKU, 2), "Standard", 7990), about(item(), "Verzendkosten", 500), metadata={})

    assert found.order_id == ""
    assert found.lines == ()
    assert found.charged == (Charged(SKU, 2, "Standard", "79.90"), Charged("", 1, "Verzendkosten", "5.00"))


def test_items_of_which_none_has_a_sku_are_for_a_person_because_they_may_be_ours() -> None:
    found = session(about(item(), "Kaspersky Standard", 3995), metadata={})

    assert (found.lines, found.charged) == ((), ())


def test_an_item_that_a_coupon_made_free_is_sold_all_the_same_and_a_free_one_is_no_license() -> None:
    """docs.stripe.com/payments/checkout/discounts: a coupon is not an item, it lowers the total of each."""
    free = about(item(SKU), "Standard", 0, amount_subtotal=3995)
    gift = about(item("GIFT"), "Gratis erbij", 0, amount_subtotal=0)

    found = session(free, gift, metadata={}, amount_total=0, total_details={"amount_discount": 3995})

    assert found.amount is None
    assert found.charged == (Charged(SKU, 1, "Standard"), Charged("GIFT", 1, "Gratis erbij", "0.00"))


@pytest.mark.parametrize("odd", [{"quantity": None}, {"quantity": 0}, {"quantity": 1, "quantity_decimal": "1.5"}])
def test_a_quantity_that_is_no_whole_number_is_a_problem_and_never_guessed(odd: dict[str, Any]) -> None:
    """Stripe's description of quantity_decimal: `quantity` is it with its decimals cut off."""
    found = session(about(item(SKU), "Standard", 3995, **odd))

    assert (found.problem, found.charged[0].quantity) == (said("odd_quantity"), 0)
    whole = session(about(item(SKU), "Standard", 3995, quantity=10, quantity_decimal="10"))
    assert (whole.problem, whole.charged[0].quantity) == (None, 10)


def test_a_quantity_that_was_changed_in_the_portal_is_told_with_the_sku_of_its_price() -> None:
    """zulip/zulip#35984, firezone/firezone#10303: the portal changes quantity and plan."""
    found = invoice({"quantity": 3, "amount": 11985}, price=price(SKU), total=11985, amount_paid=11985)

    assert found.charged == (Charged(SKU, 3, BOUGHT, "119.85"),)
    assert [(line.sku, line.quantity, line.kind) for line in found.lines] == [(SKU, 1, Kind.RENEWAL)]
    assert found.problem is None


def test_a_plan_that_was_changed_in_the_portal_is_told_by_its_own_sku() -> None:
    found = invoice({"amount": 4995}, price=price("PLUS"), total=4995, amount_paid=4995)

    assert found.charged == (Charged("PLUS", 1, BOUGHT, "49.95"),)


def test_a_later_invoice_of_one_where_the_card_says_more_is_for_a_person() -> None:
    """antifailure/antifailure#189: seat counts differ. A price without a SKU may be a bundle as well."""
    parent = json.loads(json.dumps(PARENT))
    parent["subscription_details"]["metadata"]["line_1"] = f"{SKU}|3"

    assert invoice(parent=parent).problem == said("charged_other_quantity", charged=1, card=3)
    assert invoice(parent=parent, billing_reason="subscription_create").problem is None
    assert invoice(price=price(SKU), parent=parent).problem is None


@pytest.mark.parametrize("quantity", [0, None])
def test_an_odd_quantity_of_the_only_line_of_an_invoice_is_a_problem(quantity: Any) -> None:
    assert invoice({"quantity": quantity}).problem == said("odd_quantity")
    assert invoice().problem is None


def test_a_line_of_other_work_and_a_discount_on_an_invoice_are_told_and_a_proration_is_not() -> None:
    once = {"parent": {"invoice_item_details": {"proration": False}}, "pricing": None}
    fee = once | {"amount": 2500, "description": "Installatie"}
    discount = once | {"amount": -500, "description": "Korting"}
    settled = {"parent": {"invoice_item_details": {"proration": True}}, "amount": -1000}

    found = invoice({}, fee, discount, settled)

    assert [(each.name, each.total) for each in found.charged] == [
        (BOUGHT, "39.95"),
        ("Installatie", "25.00"),
        ("Korting", "-5.00"),
    ]
    assert found.lines[0].period_start is not None


def test_what_is_charged_once_beside_a_subscription_without_a_card_renews_nothing() -> None:
    once = {
        "parent": {"invoice_item_details": {"proration": False}},
        "pricing": {"price_details": {"price": "price_once"}},
    }
    bare = {"subscription_details": {"subscription": "sub_1", "metadata": {}}}
    lines = {"lines": {"data": [RECORDED | once, RECORDED]}, "parent": bare}

    found = sold(stripe_event(lines, "invoice.paid"), PRICE, price(SKU), "/v1/prices/price_once", price("PLUS"))

    assert [(line.sku, line.renews) for line in found.lines] == [(SKU, "sub_1/1")]
    assert [each.sku for each in found.charged] == [SKU, "PLUS"]


def test_an_invoice_that_was_written_by_hand_is_told_with_its_lines() -> None:
    """docs.stripe.com/invoicing: an invoice is copied in the dashboard with its metadata, to another customer."""
    card = {"v": "1", "order_id": "7", "line_1": SKU + "|1"}
    found = invoice({"quantity": 2}, price=price(SKU), parent=None, billing_reason="manual", metadata=card)

    assert (found.order_id, found.lines, found.charged[0].quantity) == ("7", (Line(SKU, 1),), 2)


def test_without_a_key_nothing_is_known_but_the_card() -> None:
    assert (sold(stripe_event()).lines, sold(stripe_event()).charged) == ((Line(SKU, 1),), ())
    bare = sold(stripe_event({"metadata": {}}))
    assert (bare.lines, bare.charged) == ((), ())
