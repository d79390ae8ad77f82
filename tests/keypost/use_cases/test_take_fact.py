"""From the providers' own bodies to the order, in whatever sequence and however often they arrive."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keypost.core.payment import News, Refunded, Remark, Standing
from keypost.core.said import Said, said
from keypost.providers import mollie, moneybird, stripe, webhook, woocommerce
from keypost.table import Store
from keypost.use_cases.list_inbox import all_of_inbox
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, a_call, code, event, loaded, notice, sent_order

Read = Callable[[Any], Sequence[News]]
BACK = {"id": "re_1", "status": "refunded", "amount": {"value": "39.95", "currency": "EUR"}}
SHOP = {"order_id": "ORDER", "payment_id": "tr_PAYMENT", "amount": "39.95", "currency": "EUR", "test": True,
        "email": "a@klant.example", "lines": [{"sku": SKU, "quantity": 1}]}  # fmt: skip


def by_shop(kind: str, minute: int, **data: Any) -> tuple[Read, Any]:
    told = f"2026-11-23T11:{minute:02}:00Z"
    return webhook.read, {"type": kind, "timestamp": told, "data": {"order_id": "ORDER", "test": True} | data}


def at_stripe(name: str, **changes: Any) -> tuple[Read, Any]:
    body = event(f"stripe/{name}.json")
    body["data"]["object"] |= changes
    return stripe.read, body


INTENT = {"payment_intent": "pi_PAYMENT"}
SESSION = at_stripe("checkout.session.completed", id="cs_PAYMENT", metadata={"v": "1", "order_id": "ORDER", "sku": SKU})
SESSION[1]["data"]["object"] |= INTENT
WOO = (woocommerce.read, event("woocommerce/order.updated.json") | {"id": 7, "transaction_id": "tr_PAYMENT"})
HINT = (mollie.read_classic, "id=tr_PAYMENT")
CARD = {"v": "1", "order_id": "ORDER", "sku": SKU}

# The callbacks, the answers of Mollie's API, and the state of the order afterwards.
STORIES: dict[str, tuple[list[tuple[Read, Any]], dict[str, Any], Standing]] = {
    "a shop and Mollie": ([by_shop("order.paid", 1, **SHOP), HINT], {"metadata": CARD}, Standing.PAID),
    "a shop that names no payment, and Mollie": (
        [by_shop("order.paid", 1, **(SHOP | {"payment_id": None})), HINT],
        {"metadata": CARD},
        Standing.PAID,
    ),
    "a shop and Mollie, refunded by the shop": (
        [by_shop("order.paid", 1, **SHOP), HINT, by_shop("order.refunded", 2, full=True)],
        {"metadata": CARD},
        Standing.REFUNDED,
    ),
    "a shop and Mollie, refunded by Mollie": (
        [by_shop("order.paid", 1, **SHOP), HINT],
        {"metadata": CARD, "_embedded": {"refunds": [BACK]}},
        Standing.REFUNDED,
    ),
    "a refund that names Mollie's payment": (
        [HINT, by_shop("order.refunded", 2, full=True, payment_id="tr_PAYMENT")],
        {"metadata": CARD},
        Standing.REFUNDED,
    ),
    "a dispute that was won": (
        [HINT, by_shop("order.disputed", 2), by_shop("order.dispute_closed", 3, won=True)],
        {"metadata": CARD},
        Standing.PAID,
    ),
    "a shop that names Stripe's intent, and Stripe": (
        [by_shop("order.paid", 1, **(SHOP | {"payment_id": "pi_PAYMENT"})), SESSION],
        {},
        Standing.PAID,
    ),
    "a shop that names Stripe's session, and Stripe, refunded there": (
        [
            by_shop("order.paid", 1, **(SHOP | {"payment_id": "cs_PAYMENT"})),
            SESSION,
            at_stripe("charge.refunded", **INTENT),
        ],
        {},
        Standing.REFUNDED,
    ),
    "stripe, refunded, and the refund failed": (
        [SESSION, at_stripe("charge.refunded", **INTENT), at_stripe("refund.failed", **INTENT)],
        {},
        Standing.PAID,
    ),
    "a subscription at stripe, refunded": (
        [
            at_stripe("invoice.paid", id="in_PAYMENT", billing_reason="subscription_create"),
            at_stripe("invoice_payment.paid", invoice="in_PAYMENT", payment=INTENT),
            at_stripe("charge.refunded", **INTENT),
        ],
        {},
        Standing.REFUNDED,
    ),
    "an invoice at moneybird": (
        [(moneybird.read, event("moneybird/sales_invoice_state_changed_to_paid.json"))],
        {},
        Standing.PAID,
    ),
}


@pytest.mark.parametrize("story", STORIES)
@given(st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_duplication_of_what_is_told_leaves_the_order_the_same(
    store: Store, story: str, data: st.DataObject
) -> None:
    told, at_mollie, standing = STORIES[story]
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
    own = uuid4().hex[:12]

    def mine(thing: Any) -> str:
        """With ids of this example, and in the order of the story's own."""
        text = thing if isinstance(thing, str) else json.dumps(thing)
        for name in ("2025-000042", "2026-0187"):
            text = text.replace(name, f"o{own}")
        text = text.replace("433546309874484716", str(int(own, 16)))
        return text.replace("ORDER", f"o{own}").replace("PAYMENT", own)

    def get(path: str, _query: object) -> Any:
        payment = event("mollie/payment.json") | {"id": "tr_PAYMENT"} | at_mollie
        return json.loads(mine(payment)) if path == f"/v2/payments/tr_{own}" else None

    for read, body in again:
        for fact in read(a_call(mine(body).encode(), get=get)):
            record(store, fact, NOW, INTAKE)

    order = store.load(f"o{own}")
    assert order is not None
    assert (order.standing, order.is_paid_twice, order.hold.problem) == (standing, False, None)
    assert [line.sku for line in order.lines] == [SKU]


@pytest.mark.parametrize("first", [0, 1])
def test_an_order_of_woocommerce_and_mollies_payment_of_it_are_one(store: Store, first: int) -> None:
    story = [WOO, HINT]
    payment = event("mollie/payment.json") | {"id": "tr_PAYMENT", "metadata": {"order_id": 7}}
    for read, body in (story[first], story[1 - first]):
        raw = body if isinstance(body, str) else json.dumps(body)
        for fact in read(a_call(raw.encode(), get=lambda _path, _query: payment)):
            record(store, fact, NOW, INTAKE)

    order = store.load("7")
    assert order is not None
    assert (order.is_paid, order.is_paid_twice, len(order.payments)) == (True, False, 1)


def test_money_back_that_a_list_shows_before_its_payment_makes_no_order_and_waits_for_the_one_that_is_named(
    store: Store,
) -> None:
    """Seed 455 of the simulated shop: Mollie was away for two hours, and its list of refunds answered first."""
    paid = notice(payment_id="tr_PAYMENT", provider="mollie")
    back = replace(paid, state=None, order_id="", refunded=Refunded(NOW, "5.00"))

    assert record(store, back, NOW, INTAKE)[0] is None
    assert store.load("tr_PAYMENT") is None
    record(store, paid, NOW, INTAKE)

    order = loaded(store, paid.order_id)
    assert (order.hold.problem, order.standing) == (None, Standing.PARTLY_REFUNDED)


def test_a_remark_of_the_hourly_run_stands_in_the_inbox_and_is_no_news_of_an_order(store: Store) -> None:
    remark = Remark("mollie", NOW, Said("nothing_bought"), "2026-1", "mollie:tr_1")

    assert record(store, remark, NOW, INTAKE) == (None, False)
    assert [(item.provider, item.order_id) for item in all_of_inbox(store, 1, NOW)] == [("mollie", "2026-1")]
    assert store.load("2026-1") is None


def test_of_unknown_goods_the_inbox_names_skus_and_no_code(store: Store) -> None:
    sold = event("woocommerce/order.updated.json")
    (item,) = sold["line_items"]
    sold["line_items"] = [item | {"sku": sku} for sku in ("T-SHIRT", code(1))]
    for news in woocommerce.read(a_call(json.dumps(sold).encode())):
        record(store, news, NOW, INTAKE)

    (remark,) = all_of_inbox(store, 1, NOW)
    assert remark.reason == said("goods_unknown", payment="woocommerce:1237", skus=["T-SHIRT"])


def test_what_a_shop_says_too_late_to_hold_an_order_stands_in_the_inbox(store: Store) -> None:
    """An order that was canceled in WooCommerce after its codes had left."""
    left, canceled = sent_order(), said("shop_status", status="cancelled")
    store.change(left.id, lambda _: left)

    record(store, notice(said=NOW), NOW, INTAKE)
    assert [*all_of_inbox(store, 1, NOW)] == []
    for _ in range(2):
        record(store, notice(said=NOW + timedelta(minutes=1), problem=canceled), NOW, INTAKE)

    (remark,) = all_of_inbox(store, 1, NOW)
    assert remark.order_id == left.id
    assert remark.reason == said("shop_status", payment="stripe:cs_2026-001234", status="cancelled")
    assert loaded(store, left.id).hold.problem is None
