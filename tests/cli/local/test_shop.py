"""The made-up shop on the deployed stack: what a visitor does there reaches Keypost as a call of the provider."""

import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from cli.local.fake_providers import FakeProviders
from cli.local.samples import sample_products
from cli.local.shop import TELL, NoSuchOrder, Shop, act
from cli.local.stack import LocalStack, sample_codes
from keypost.core.errors import InvalidInput
from keypost.core.mail import MailState
from keypost.core.obstacles import obstacles
from keypost.core.order import Order
from keypost.core.payment import Standing

SKU = "KASPERSKY-PLUS-3D-1Y"  # no other test uses its stock
BOUGHT: dict[str, Any] = {"sku": SKU, "quantity": 2, "email": "klant@klant.example", "language": "en"}


NOWHERE = (lambda _: (200, ""), lambda *_: (204, ""), lambda _: (200, ""), lambda _: (200, ""))


@pytest.fixture
def shop(local: LocalStack) -> Shop:
    (product,) = (product for product in sample_products() if product.sku == SKU)
    list(local.stack.store.add_codes(SKU, sample_codes(product, 4), None, None))
    assert local.mailbox.shop is not None
    return local.mailbox.shop


@pytest.fixture
def alone() -> Shop:
    """A shop whose callbacks are sent nowhere and answered with success."""
    return Shop(FakeProviders(), sample_products(), *NOWHERE)


def is_mailed(order: Order) -> bool:
    return any(mail.state is MailState.SENT for mail in order.mails)


BY_PAYMENT = [provider for provider in TELL if provider != "woocommerce"]  # which has one payment for each order


@pytest.mark.journey
@pytest.mark.parametrize("provider", BY_PAYMENT)
def test_what_was_paid_is_mailed_and_what_was_refunded_is_paid_no_more(
    local: LocalStack, shop: Shop, provider: str
) -> None:
    order_id = f"shop-refund-{provider}"

    assert shop.pay(order_id, provider, **BOUGHT)[0] in (200, 204)

    order = local.order_when(order_id, is_mailed)
    (mail,) = (mail for mail in local.mailbox.mails if order_id in mail.subject)
    assert mail.to == ("klant@klant.example",)
    assert [license_.code in mail.text for license_ in order.licenses] == [True, True]
    assert order.payments[0].amount == "79.90"
    assert order.hold.problem is None

    shop.refund(order_id, Decimal("9.90"))
    local.order_when(order_id, lambda order: order.standing is Standing.PARTLY_REFUNDED)
    shop.refund(order_id)
    local.order_when(order_id, lambda order: order.standing is Standing.REFUNDED)
    assert shop.orders[order_id].state == "refunded"


@pytest.mark.journey
@pytest.mark.parametrize("provider", BY_PAYMENT)
def test_a_disputed_order_is_paid_again_once_the_dispute_is_won(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-dispute-{provider}"
    shop.pay(order_id, provider, **BOUGHT)
    local.order_when(order_id, is_mailed)

    shop.dispute(order_id)
    local.order_when(order_id, lambda order: order.standing is Standing.DISPUTED)
    shop.close_dispute(order_id, won=True)

    assert local.order_when(order_id, lambda order: order.is_paid).standing is Standing.PAID


@pytest.mark.journey
@pytest.mark.parametrize("provider", ["stripe", "shop"])
def test_a_dispute_that_is_lost_took_the_money(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-lost-{provider}"
    shop.pay(order_id, provider, **BOUGHT)
    local.order_when(order_id, is_mailed)
    shop.dispute(order_id)
    shop.close_dispute(order_id, won=False)

    local.order_when(order_id, lambda order: order.standing is Standing.REFUNDED)
    with pytest.raises(InvalidInput, match="is dispute lost"):
        shop.refund(order_id)


def test_stripe_keeps_each_event_with_the_order_card_and_the_time_of_now(alone: Shop) -> None:
    before = int(time.time())
    alone.pay("7", "stripe", **BOUGHT)
    alone.refund("7", Decimal("9.90"))
    alone.dispute("7")

    events = {event["type"]: event for event in alone.providers.below("/v1/events")}

    assert set(events) == {"checkout.session.completed", "charge.refunded", "charge.dispute.created"}
    assert all(before <= event["created"] <= time.time() for event in events.values())
    (session,) = alone.providers.below("/v1/checkout/sessions")
    assert session == events["checkout.session.completed"]["data"]["object"]
    assert session["metadata"]["line_1"] == f"{SKU}|2|new"
    assert (session["amount_total"], session["payment_status"]) == (7990, "paid")
    refund, dispute = (events[name]["data"]["object"] for name in ("charge.refunded", "charge.dispute.created"))
    assert (refund["amount_refunded"], refund["refunded"], dispute["amount"]) == (990, False, 7000)
    assert refund["payment_intent"] == dispute["payment_intent"] == session["payment_intent"]
    assert refund["id"] == dispute["charge"]


def test_mollie_keeps_the_payment_with_all_that_went_back(alone: Shop) -> None:
    alone.pay("7", "mollie", **BOUGHT)
    alone.refund("7", Decimal("9.90"))
    alone.dispute("7")
    alone.close_dispute("7", won=True)

    (payment,) = alone.providers.below("/v2/payments")

    assert payment["metadata"]["order_id"] == "7"
    assert payment["amount"] == {"currency": "EUR", "value": "79.90"}
    assert [refund["amount"]["value"] for refund in payment["_embedded"]["refunds"]] == ["9.90"]
    assert [chargeback["reversedAt"] is None for chargeback in payment["_embedded"]["chargebacks"]] == [False]


def test_the_next_order_number_is_one_that_nobody_used(alone: Shop) -> None:
    first = alone.next_order_id
    alone.pay(first, "stripe", **BOUGHT)

    assert first.endswith("-001001")
    assert alone.next_order_id == first.replace("-001001", "-001002")


FULL = {"order_id": "8", "provider": "stripe"} | {name: str(value) for name, value in BOUGHT.items()}

BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such product": ("pay", FULL | {"sku": "ESET"}, f"choose one of .*{SKU}"),
    "no such provider": ("pay", FULL | {"provider": "paypal"}, "choose one of stripe, mollie, shop, woocommerce"),
    "no such language": ("pay", FULL | {"language": "fr"}, "choose one of nl, en"),
    "an order number with a space": ("pay", FULL | {"order_id": "a b"}, "choose another one"),
    "an order number that is a path": ("pay", FULL | {"order_id": "../x"}, "choose another one"),
    "an order number twice": ("pay", FULL | {"order_id": "7"}, "choose another number"),
    "no quantity": ("pay", FULL | {"quantity": "0"}, "from 1 to 9999"),
    "half a quantity": ("pay", FULL | {"quantity": "1.5"}, "from 1 to 9999"),
    "too large a quantity": ("pay", FULL | {"quantity": "10000"}, "from 1 to 9999"),
    "no address": ("pay", FULL | {"email": "anna"}, "e-mail address cannot be used"),
    "something left out": ("pay", {"order_id": "8"}, "provider, sku, quantity, email, language missing"),
    "too large a refund": ("refund", {"order_id": "7", "amount": "79.91"}, "79.90 can be refunded"),
    "a refund of nothing": ("refund", {"order_id": "7", "amount": "0.00"}, "79.90 can be refunded"),
    "a refund of words": ("refund", {"order_id": "7", "amount": "ten"}, "such as 10.00"),
    "an item added where there is no checkout": ("pay-with-added", FULL | {"provider": "shop"}, "stripe, mollie"),
    "WooCommerce's number with letters": ("pay", FULL | {"provider": "woocommerce", "order_id": "a1"}, "digits only"),
    "an exchange for the same": ("exchange", {"order_id": "7", "sku": SKU}, "choose another product"),
    "an exchange for nothing known": ("exchange", {"order_id": "7", "sku": "ESET"}, "choose one of"),
    "a second buyer who is the first": (
        "second-buyer",
        {"order_id": "7", "email": "Klant@klant.example"},
        "give another address",
    ),
    "a second buyer without address": ("second-buyer", {"order_id": "7", "email": "anna"}, "cannot be used"),
    "a change of what Stripe charged": ("change", {"order_id": "7", "quantity": "3"}, "exchange it or pay it again"),
    "a refund of Stripe deleted": ("delete-refund", {"order_id": "7"}, "only WooCommerce deletes one"),
    "no dispute to close": ("close-dispute", {"order_id": "7", "won": True}, "dispute it first"),
    "a winner of words": ("close-dispute", {"order_id": "7", "won": "me"}, "true or false"),
}


@pytest.mark.parametrize(("action", "given", "advice"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_done_is_refused_with_advice_and_changes_nothing(
    alone: Shop, action: str, given: dict[str, Any], advice: str
) -> None:
    alone.pay("7", "stripe", **BOUGHT)
    before = dict(alone.providers.objects)

    with pytest.raises(InvalidInput, match=advice):
        act(alone, action, given)

    assert (list(alone.orders), alone.orders["7"].state, alone.providers.objects) == (["7"], "paid", before)


@pytest.mark.parametrize("action", ["refund", "dispute", "close-dispute"])
def test_nothing_happens_to_an_order_that_nobody_placed(alone: Shop, action: str) -> None:
    with pytest.raises(NoSuchOrder, match="pay it first"):
        act(alone, action, {"order_id": "8", "won": "true"})


def test_mollie_says_nothing_of_a_dispute_that_is_lost_so_nothing_is_told(alone: Shop) -> None:
    alone.pay("7", "mollie", **BOUGHT)
    alone.dispute("7")

    with pytest.raises(InvalidInput, match="the chargeback stands"):
        alone.close_dispute("7", won=False)
    assert alone.orders["7"].state == "disputed"


def test_a_dispute_comes_once_and_meanwhile_nothing_is_refunded(alone: Shop) -> None:
    alone.pay("7", "stripe", **BOUGHT)
    alone.dispute("7")
    with pytest.raises(InvalidInput, match="is disputed"):
        alone.refund("7")

    alone.close_dispute("7", won=True)
    with pytest.raises(InvalidInput, match="was disputed before"):
        alone.dispute("7")
    alone.refund("7", Decimal("10.00"))
    assert alone.orders["7"].state == "partly refunded"


OTHER = "KASPERSKY-STANDARD-3D-1Y"


def goods(order: Order) -> dict[str, int]:
    """How much of each product, over all lines."""
    count = Counter[str]()
    for line in order.lines:
        count[line.sku] += line.quantity
    return dict(count)


def waits_for_contents(order: Order) -> bool:
    return [each.code for each in obstacles(order)][:1] == ["contents"]


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize("provider", BY_PAYMENT)
def test_an_exchange_is_served_as_the_other_product(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-exchange-{provider}"
    shop.pay(order_id, provider, **BOUGHT)
    local.order_when(order_id, is_mailed)

    shop.exchange(order_id, OTHER)

    order = local.order_when(order_id, lambda order: goods(order) == {OTHER: 2})
    assert (order.standing, len(order.payments)) == (Standing.PAID, 2)
    assert not waits_for_contents(order)


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize("provider", BY_PAYMENT)
def test_a_second_buyer_under_one_number_waits_for_a_person(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-second-{provider}"
    shop.pay(order_id, provider, **BOUGHT)
    local.order_when(order_id, is_mailed)

    shop.second_buyer(order_id, "ander@klant.example")

    order = local.order_when(order_id, waits_for_contents)
    assert (order.customer.email, goods(order)) == ("klant@klant.example", {SKU: 2})
    assert "It waits: it is not certain what was ordered, or for whom" in local.became(order_id)


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize("provider", BY_PAYMENT)
def test_the_same_paid_twice_is_paid_twice_and_nothing_else(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-twice-{provider}"
    shop.pay(order_id, provider, **BOUGHT)
    local.order_when(order_id, is_mailed)

    shop.pay_again(order_id)

    order = local.order_when(order_id, lambda order: order.is_paid_twice)
    assert (goods(order), len(order.licenses)) == ({SKU: 2}, 2)


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize("provider", ["stripe", "mollie"])
def test_an_item_added_at_checkout_is_not_passed_over(local: LocalStack, shop: Shop, provider: str) -> None:
    order_id = f"shop-added-{provider}"
    shop.pay_with_added(order_id, provider, **BOUGHT)
    added = shop.orders[order_id].payment.added
    assert added is not None

    order = local.order_when(order_id, lambda order: bool(order.payments))

    assert order.payments[0].amount == "119.85"
    assert goods(order) == {SKU: 2, added.sku: 1}


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize(("provider", "number"), [("shop", "shop-change"), ("woocommerce", "1001")])
def test_an_order_that_was_changed_after_payment_is_what_it_is_now(
    local: LocalStack, shop: Shop, provider: str, number: str
) -> None:
    shop.pay(number, provider, **BOUGHT)
    local.order_when(number, is_mailed)

    shop.change(number, 3, Decimal("119.85"))

    order = local.order_when(number, lambda order: goods(order) == {SKU: 3} and len(order.licenses) == 3)
    assert (order.payments[0].amount, waits_for_contents(order)) == ("119.85", False)


@pytest.mark.drill
@pytest.mark.journey
@pytest.mark.parametrize(("provider", "number"), [("shop", "shop-grown"), ("woocommerce", "1004")])
def test_more_for_the_same_money_waits_for_a_person(local: LocalStack, shop: Shop, provider: str, number: str) -> None:
    shop.pay(number, provider, **BOUGHT)
    local.order_when(number, is_mailed)

    shop.change(number, 3, Decimal("79.90"))

    order = local.order_when(number, waits_for_contents)
    assert (goods(order), len(order.licenses)) == ({SKU: 2}, 2)


@pytest.mark.drill
@pytest.mark.journey
def test_a_refund_that_was_entered_by_mistake_and_deleted_was_none(local: LocalStack, shop: Shop) -> None:
    shop.pay("1002", "woocommerce", **BOUGHT)
    local.order_when("1002", is_mailed)
    shop.refund("1002", Decimal("10.00"))
    local.order_when("1002", lambda order: order.standing is Standing.PARTLY_REFUNDED)

    shop.delete_refund("1002")

    assert local.order_when("1002", lambda order: order.standing is Standing.PAID).payments[0].returned == 0


def test_stripe_lists_what_was_charged_beyond_the_card(alone: Shop) -> None:
    alone.pay_with_added("7", "stripe", **BOUGHT)

    (session,) = alone.providers.below("/v1/checkout/sessions")
    items = alone.providers.below(f"/v1/checkout/sessions/{session['id']}/line_items")
    assert (session["metadata"]["line_1"], session["amount_total"]) == (f"{SKU}|2|new", 11985)
    assert [(item["price"]["lookup_key"], item["quantity"], item["amount_total"]) for item in items] == [
        (SKU, 2, 7990),
        (next(product.sku for product in sample_products() if product.sku != SKU), 1, 3995),
    ]


def test_a_refund_is_of_the_payment_whose_money_is_still_there(alone: Shop) -> None:
    alone.pay("7", "mollie", **BOUGHT)
    alone.exchange("7", OTHER)
    alone.refund("7")

    assert [(payment.state, payment.refunded) for payment in alone.orders["7"].payments] == [
        ("refunded", Decimal("79.90"))
    ] * 2
    with pytest.raises(InvalidInput, match="is refunded"):
        alone.pay_again("7")


def test_woocommerce_sends_the_whole_order_with_a_later_moment_each_time(alone: Shop) -> None:
    sent: list[dict[str, Any]] = []

    def keep(body: bytes) -> tuple[int, str]:
        sent.append(json.loads(body))
        return 200, ""

    alone.woocommerce_calls = keep
    alone.pay("1003", "woocommerce", **BOUGHT)
    alone.refund("1003", Decimal("10.00"))
    alone.delete_refund("1003")

    assert [[refund["total"] for refund in order["refunds"]] for order in sent] == [[], ["-10.00"], []]
    moments = [order["date_modified_gmt"] for order in sent]
    assert moments == sorted(set(moments))
    assert sent[-1] == alone.providers.objects["/wp-json/wc/v3/orders/1003"]
    with pytest.raises(InvalidInput, match="one payment for each order"):
        alone.pay_again("1003")
    with pytest.raises(InvalidInput, match="knows no disputes"):
        alone.dispute("1003")
