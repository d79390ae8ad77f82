import base64
import hashlib
import hmac
import io
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.obstacles import obstacles
from keypost.core.order import Reason
from keypost.core.payment import OrderCanceled, PaymentState, Remark, Standing
from keypost.core.product import Line
from keypost.core.said import Said
from keypost.providers import PROVIDERS, Provider
from keypost.use_cases.list_inbox import all_of_inbox
from tests.builders import (
    EVENTS,
    MOLLIE_SECRET,
    MOLLIE_TOKEN,
    MONEYBIRD_SECRET,
    SESSION,
    SKU,
    STRIPE_SECRET,
    WOOCOMMERCE_SECRET,
    count,
    counted,
    english,
    event,
    leaked,
    loaded,
    log,
    pokes,
    printed,
    stripe_event,
    stripe_headers,
    webhook_headers,
)
from tests.faults import on_call, refuse
from tests.functions.callbacks import call, stripe, webhook

PAID = EVENTS / "webhook/order.paid.json"


def paid(**data: Any) -> bytes:
    body = event("webhook/order.paid.json")
    body["data"] |= data
    return json.dumps(body).encode()


def items(stack: Stack, local: LocalStack) -> int:
    """How many items the table has of orders and payments."""
    found = local.session.client("dynamodb").scan(TableName=stack.store.table)["Items"]
    return sum(item["pk"]["S"].startswith(("ORDER#", "PAYMENT#", "ASIDE#")) for item in found)


def remarks(stack: Stack) -> list[tuple[str, str, str]]:
    """What the inbox has: provider, order and sentence."""
    now = datetime.now(UTC)
    return [(item.provider, item.order_id or "", english(item.reason)) for item in all_of_inbox(stack.store, 1, now)]


def test_a_paid_stripe_session_is_written_down_and_pokes_its_order(wired: Stack, local: LocalStack) -> None:
    assert stripe(stripe_event())["statusCode"] == 200

    order = wired.store.load("2026-001234")
    assert order is not None
    assert order.is_paid
    assert pokes(wired, local) == ["2026-001234"]


def test_a_paid_order_of_a_shop_is_written_down_and_pokes_its_order(wired: Stack, local: LocalStack) -> None:
    assert webhook(PAID.read_bytes())["statusCode"] == 204

    order = wired.store.load("2026-001235")
    assert order is not None
    assert order.is_paid
    assert pokes(wired, local) == ["2026-001235"]


def test_a_callback_again_changes_nothing_but_pokes_again(wired: Stack, local: LocalStack) -> None:
    """The poke of the first may be the one that was lost."""
    for _ in range(3):
        assert stripe(stripe_event())["statusCode"] == 200

    order = wired.store.load("2026-001234")
    assert order is not None
    assert order.version == 1
    assert pokes(wired, local) == ["2026-001234"] * 3


def test_an_outcome_is_counted_once_however_often_it_is_told(wired: Stack, logged: io.StringIO) -> None:
    refund = event("webhook/order.refunded.json")
    for body in (paid(), paid(), json.dumps(refund).encode(), json.dumps(refund).encode()):
        assert webhook(body)["statusCode"] == 204

    assert logged.getvalue().count('"OrderPaid"') == 1
    assert logged.getvalue().count('"OrderRefunded"') == 1


def test_two_providers_for_one_order_are_two_payments(wired: Stack, logged: io.StringIO) -> None:
    stripe(stripe_event())
    webhook(paid(order_id="2026-001234", amount="41.00", lines=[{"sku": SKU, "quantity": 1}]))
    assert '"OrderPaidTwice"' in logged.getvalue()

    order = wired.store.load("2026-001234")
    assert order is not None
    assert [payment.names[-1].partition(":")[0] for payment in order.payments] == ["stripe", "webhook"]
    assert order.timeline[-1].code == "paid_twice"


@pytest.mark.parametrize(
    ("story", "standing"),
    [
        (["checkout.session.completed", "charge.refunded"], Standing.REFUNDED),
        (["checkout.session.completed", "charge.refunded", "refund.failed"], Standing.PAID),
        (["checkout.session.completed", "charge.dispute.created"], Standing.DISPUTED),
        (["checkout.session.completed", "charge.dispute.created", "charge.dispute.closed"], Standing.PAID),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_stripes_events_may_come_in_any_order_and_twice(wired: Stack, story: list[str], standing: Standing) -> None:
    for number, order in enumerate(permutations(story)):
        order_id, intent = f"any-order-{number}", f"pi_{number}"
        bodies = []
        for name in order:
            body = event(f"stripe/{name}.json")
            about = body["data"]["object"]
            about |= {"payment_intent": intent, "id": f"{about['id']}{number}"}
            if name == "checkout.session.completed":
                about["metadata"]["order_id"] = order_id
            bodies.append(json.dumps(body).encode())

        for told in (bodies, bodies[:1], bodies[::-1]):  # once, and then again
            assert [stripe(body)["statusCode"] for body in told] == [200] * len(told)
            stored = wired.store.load(order_id)
            assert stored is not None
            assert (stored.standing, len(stored.payments), stored.is_paid_twice) == (standing, 1, False)


def test_a_refund_of_a_payment_that_is_none_of_ours_is_kept_but_makes_no_order(
    wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    assert stripe(json.dumps(event("stripe/charge.refunded.json")).encode())["statusCode"] == 200

    assert '"PaymentUnknown"' in logged.getvalue()
    assert pokes(wired, local) == []
    assert items(wired, local) == 1


@pytest.mark.parametrize(
    ("session", "order_id", "problem"),
    [
        (
            {"metadata": {}},
            SESSION,
            "it is not known what was bought",
        ),
        ({"currency": "usd"}, "2026-001234", "the payment is in USD"),
        ({"metadata": {"v": "1", "order_id": "7", "line_1": "A|0"}}, "7", "the order card is not correct"),
        ({"metadata": {"v": "1", "order_id": "7"} | {f"line_{n}": "A|1" for n in range(1, 22)}}, "7", "at most 20"),
        (
            {"metadata": {"v": "1", "order_id": "7", "email": "a@b.c\r\nX: y", "sku": SKU}, "customer_details": None},
            "7",
            "e-mail",
        ),
    ],
)
def test_a_customer_who_paid_is_never_dropped(
    wired: Stack, session: dict[str, Any], order_id: str, problem: str
) -> None:
    assert stripe(stripe_event(session))["statusCode"] == 200

    order = wired.store.load(order_id)
    assert order is not None
    assert order.is_paid
    assert order.hold.problem
    assert problem in english(order.hold.problem)


def test_an_unpaid_session_waits_for_its_money(wired: Stack) -> None:
    stripe(stripe_event({"payment_status": "unpaid"}))

    order = wired.store.load("2026-001234")
    assert order is not None
    assert [payment.state for payment in order.payments] == [PaymentState.OPEN]


BODY = stripe_event()


def stripe_bytes(body: bytes) -> Any:
    """A call of Stripe with any bytes, rightly signed; the official library signs text only."""
    stamp = int(time.time())
    signature = hmac.new(STRIPE_SECRET.encode(), b"%d." % stamp + body, "sha256").hexdigest()
    return call("stripe", body, {"stripe-signature": f"t={stamp},v1={signature}"})


BAD_INPUT: dict[str, tuple[Callable[[], Any], int, str]] = {
    "GET": (lambda: call("stripe", None, {}, "GET"), 405, "POST"),
    "PUT": (lambda: call("webhook", BODY, {}, "PUT"), 405, "POST"),
    "nobody's route": (lambda: call("paypal", BODY, {}), 404, "stripe, webhook, woocommerce, mollie"),
    "stripe: nothing": (lambda: call("stripe", None, {}), 400, "Stripe-Signature"),
    "stripe: no signature": (lambda: call("stripe", BODY, {}), 400, "Stripe-Signature"),
    "webhook: nothing": (lambda: call("webhook", None, {}), 401, "webhook-id"),
    "stripe: signed nothing": (lambda: stripe(b""), 400, "not JSON"),
    "stripe: too large": (lambda: stripe(b"a" * (64 * 1024 + 1)), 413, "64 KB"),
    "webhook: too large": (lambda: webhook(b"a" * (64 * 1024 + 1)), 413, "64 KB"),
    "stripe: not UTF-8": (lambda: call("stripe", b"\xff\xfe", stripe_headers(b"x")), 400, "matches the body"),
    "stripe: signed, not UTF-8": (lambda: stripe_bytes(b'{"a": "\xff"}'), 400, "not UTF-8"),
    "stripe: not JSON": (lambda: stripe(b"not json"), 400, "not JSON"),
    "webhook: not JSON": (lambda: webhook(b"not json"), 400, "not JSON"),
    "stripe: deep nesting": (lambda: stripe(b'{"a":' * 5000), 400, "nested too deeply"),
    "webhook: NaN": (lambda: webhook(b'{"a":NaN}'), 400, "NaN"),
    "webhook: duplicate keys": (lambda: webhook(b'{"a":1,"a":2}'), 400, "twice"),
    "stripe: forged": (lambda: stripe(BODY, secret="whsec_forged"), 400, "matches the body"),
    "webhook: forged": (lambda: webhook(PAID.read_bytes(), secret="whsec_" + "B" * 32), 401, "matches the body"),
    "stripe: old": (lambda: stripe(BODY, at=1_600_000_000), 400, "five minutes"),
    "stripe: future": (lambda: stripe(BODY, at=4_000_000_000), 400, "five minutes"),
    "webhook: old": (lambda: webhook(PAID.read_bytes(), at=1_600_000_000), 401, "five minutes"),
    "webhook: future": (lambda: webhook(PAID.read_bytes(), at=4_000_000_000), 401, "five minutes"),
    "stripe: other mode": (lambda: stripe(stripe_event(livemode=True)), 400, "other mode"),
    "webhook: other mode": (lambda: webhook(paid(test=False)), 400, "other mode"),
    "webhook: quantity 0": (lambda: webhook(paid(lines=[{"sku": SKU, "quantity": 0}])), 400, "quantity"),
    "webhook: quantity 10,000": (lambda: webhook(paid(lines=[{"sku": SKU, "quantity": 10_000}])), 400, "quantity"),
    "webhook: no lines": (lambda: webhook(paid(lines=None)), 400, "lines"),
}


@pytest.mark.parametrize(("answer", "status", "detail"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_its_answer_and_changes_nothing_and_the_inbox_says_the_same_if_it_is_genuine(
    wired: Stack, local: LocalStack, answer: Any, status: int, detail: str
) -> None:
    given = answer()

    assert given["statusCode"] == status
    assert given["headers"]["Content-Type"] == "application/problem+json"
    problem = json.loads(given["body"])
    assert problem["status"] == status
    assert detail in problem["detail"]
    assert "Traceback" not in given["body"]
    genuine = (
        status == 400
        and "stripe-signature" not in detail.lower()
        and detail not in ("matches the body", "five minutes")
    )
    assert [text for _, _, text in remarks(wired)] == ([problem["detail"]] if genuine else [])
    assert items(wired, local) == 0
    assert pokes(wired, local) == []


def mollie(body: str = (EVENTS / "mollie/classic.txt").read_text("utf-8"), token: str = MOLLIE_TOKEN) -> Any:
    return call("mollie", body.encode(), {}, query={"token": token})


def test_mollies_call_is_a_hint_and_what_mollie_answers_counts(wired: Stack, local: LocalStack) -> None:
    payment = event("mollie/payment.json")
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment
    assert mollie()["statusCode"] == 200
    paid_order = wired.store.load("2026-001236")
    assert paid_order is not None
    assert paid_order.standing is Standing.PAID

    refund = {"status": "processing", "amount": {"value": "39.95", "currency": "EUR"}}
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment | {"_embedded": {"refunds": [refund]}}
    body = json.dumps(event("mollie/payment.paid.json")).encode()
    signature = "sha256=" + hmac.new(MOLLIE_SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert call("mollie-events", body, {"X-Mollie-Signature": signature})["statusCode"] == 200

    refunded = wired.store.load("2026-001236")
    assert refunded is not None
    assert refunded.standing is Standing.REFUNDED
    assert len(refunded.payments) == 1


def test_woocommerces_order_and_mollies_payment_for_it_are_one_payment(wired: Stack, local: LocalStack) -> None:
    payment = event("mollie/payment.json") | {"metadata": {"order_id": 1237}}
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment
    body = json.dumps(event("woocommerce/order.updated.json") | {"transaction_id": payment["id"]}).encode()
    digest = hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()

    assert call("woocommerce", body, {"X-WC-Webhook-Signature": base64.b64encode(digest).decode()})["statusCode"] == 200
    assert mollie()["statusCode"] == 200

    order = wired.store.load("1237")
    assert order is not None
    assert (order.is_paid, order.is_paid_twice, len(order.payments)) == (True, False, 1)


@pytest.mark.parametrize("goods", [["T-SHIRT"], ["T-SHIRT", SKU]], ids=["other goods", "both"])
def test_of_a_shops_own_list_of_goods_those_in_the_catalog_are_ours(
    wired: Stack, local: LocalStack, goods: list[str]
) -> None:
    lines = [{"sku": sku, "quantity": 1} for sku in goods]
    body = json.dumps(event("woocommerce/order.updated.json") | {"line_items": lines}).encode()
    digest = hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()

    assert call("woocommerce", body, {"X-WC-Webhook-Signature": base64.b64encode(digest).decode()})["statusCode"] == 200

    order = wired.store.load("1237")
    assert (order.lines if order else ()) == ((Line(SKU, 1),) if SKU in goods else ())
    unknown = ("woocommerce", "1237", "none of the products that were paid for is in the catalogue: T-SHIRT")
    assert remarks(wired) == ([] if order else [unknown])
    assert pokes(wired, local) == (["1237"] if order else [])


@pytest.mark.parametrize("story", list(permutations(["payment", "invoice"])), ids=" then ".join)
def test_a_sales_invoice_and_the_payment_that_paid_it_are_one_order(
    wired: Stack, local: LocalStack, story: tuple[str, ...]
) -> None:
    """The payment alone does not say what it was for, so its order is on hold until the invoice arrives."""
    payment = event("mollie/payment.json") | {"id": f"tr_{story[0]}First", "metadata": None, "lines": None}
    invoice = {
        "id": f"invoice_{story[0]}First",
        "mode": "test",
        "status": "paid",
        "totalAmount": {"value": "39.95", "currency": "EUR"},
        "metadata": {"v": "1", "order_id": "F-2026-12", "line_1": f"{SKU}|1"},
        "recipient": {"email": "factuur@klant.example"},
        "paymentDetails": [{"source": "payment", "sourceReference": payment["id"]}],
    }
    local.providers.objects |= {
        f"/v2/payments/{payment['id']}": payment,
        f"/v2/sales-invoices/{invoice['id']}": invoice,
    }
    for told in story:
        if told == "payment":
            assert mollie(f"id={payment['id']}")["statusCode"] == 200
        else:
            change = {"type": "sales-invoice.paid", "entityId": invoice["id"]}
            body = json.dumps(event("mollie/payment.paid.json") | change).encode()
            signature = "sha256=" + hmac.new(MOLLIE_SECRET.encode(), body, hashlib.sha256).hexdigest()
            assert call("mollie-events", body, {"X-Mollie-Signature": signature})["statusCode"] == 200

    order = wired.store.load("F-2026-12")
    assert order is not None
    assert (order.is_paid, order.hold.problem, order.is_paid_twice) == (True, None, False)
    assert not [page for page in wired.store.needing(Reason.HOLD) if payment["id"] in page]


def test_a_payment_link_that_mollie_shows_late_is_told_again_and_then_served(wired: Stack, local: LocalStack) -> None:
    """findings/payments.md 12: it was answered with 200, and neither the hourly run nor anybody else found it."""
    link = {"id": "pl_lateShown", "mode": "test", "amount": {"value": "39.95", "currency": "EUR"}}
    payment = event("mollie/payment.json") | {"id": "tr_lateShown", "metadata": None}
    told = {"type": "payment-link.paid", "entityId": link["id"], "createdAt": datetime.now(UTC).isoformat()}
    body = json.dumps(event("mollie/payment.paid.json") | told).encode()
    signature = "sha256=" + hmac.new(MOLLIE_SECRET.encode(), body, hashlib.sha256).hexdigest()
    paths = f"/v2/payment-links/{link['id']}", f"/v2/payments/{payment['id']}"

    local.providers.objects[paths[0]] = link
    assert call("mollie-events", body, {"X-Mollie-Signature": signature})["statusCode"] == 503
    local.providers.objects |= {f"{paths[0]}/payments/{payment['id']}": payment, paths[1]: payment}
    assert call("mollie-events", body, {"X-Mollie-Signature": signature})["statusCode"] == 200

    order = wired.store.load(payment["id"])
    assert order is not None
    assert (order.is_paid, order.hold.problem, order.lines) == (True, None, (Line(SKU, 1),))


def test_a_refund_of_a_subscriptions_charge_finds_its_order_by_the_invoices_payment(wired: Stack) -> None:
    refund = event("stripe/charge.refunded.json")
    refund["data"]["object"]["payment_intent"] = "pi_3SYkeypost"
    story = [refund, event("stripe/invoice_payment.paid.json"), event("stripe/invoice.paid.json")]
    for body in story:
        assert stripe(json.dumps(body).encode())["statusCode"] == 200

    order = wired.store.load("in_1SYinvKeypost")
    assert order is not None
    assert (order.standing, len(order.payments)) == (Standing.REFUNDED, 1)


def test_the_session_and_the_invoice_of_a_new_subscription_are_one_order(wired: Stack) -> None:
    session = event("stripe/checkout.session.completed.json")
    session["data"]["object"] |= {"mode": "subscription", "payment_intent": None}
    invoice = event("stripe/invoice.paid.json")
    invoice["data"]["object"]["billing_reason"] = "subscription_create"
    for body in (session, invoice, session):
        assert stripe(json.dumps(body).encode())["statusCode"] == 200

    order = wired.store.load("2025-000042")
    assert order is not None
    assert (len(order.payments), len(order.lines)) == (1, 1)
    assert wired.store.load("2026-001234") is None


def test_two_payments_that_a_shop_tells_of_by_their_ids_are_two(wired: Stack) -> None:
    for payment_id in ("inv_1", "inv_1", "inv_2"):
        assert webhook(paid(payment_id=payment_id))["statusCode"] == 204

    order = wired.store.load("2026-001235")
    assert order is not None
    assert (len(order.payments), order.is_paid, order.is_paid_twice) == (2, True, True)

    one_back = {"order_id": "2026-001235", "amount_refunded": "79.90", "test": True}
    assert webhook(json.dumps({"type": "order.refunded", "data": one_back}).encode())["statusCode"] == 204
    order = wired.store.load("2026-001235")
    assert order is not None
    assert (order.is_paid, order.is_paid_twice) == (True, False)


def test_a_payment_at_mollie_that_paid_one_order_pays_for_no_other(wired: Stack, local: LocalStack) -> None:
    payment = event("mollie/payment.json") | {"id": "tr_paidForOne1", "metadata": None}
    local.providers.objects["/v2/payments/tr_paidForOne1"] = payment
    for order_id in ("first", "second"):
        body = paid(order_id=order_id, payment_id="tr_paidForOne1", amount="39.95")
        assert webhook(body)["statusCode"] == 204
    assert webhook(paid(order_id="third", payment_id="tr_madeUpByThief"))["statusCode"] == 503

    first, second = wired.store.load("first"), wired.store.load("second")
    assert first is not None
    assert second is not None
    assert first.hold.problem is None
    assert second.hold.problem
    assert "order first has already been paid with payment" in english(second.hold.problem)
    assert wired.store.load("third") is None


def test_a_payment_that_two_tell_of_under_different_numbers_pays_for_the_first(wired: Stack, local: LocalStack) -> None:
    """WooCommerce counts its orders by one number, the order card by another."""
    payment = event("mollie/payment.json") | {"id": "tr_twoNumbers1"}
    local.providers.objects["/v2/payments/tr_twoNumbers1"] = payment
    body = json.dumps(event("woocommerce/order.updated.json") | {"transaction_id": "tr_twoNumbers1"}).encode()
    digest = hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()
    call("woocommerce", body, {"X-WC-Webhook-Signature": base64.b64encode(digest).decode()})

    assert mollie("id=tr_twoNumbers1")["statusCode"] == 200

    orders = [wired.store.load(order_id) for order_id in ("1237", "2026-001236")]
    assert [order.hold.problem is None for order in orders if order] == [True, False]


@pytest.mark.parametrize("paid_by", ["mollie", "stripe"])
@pytest.mark.parametrize("kind", ["order.refunded", "order.disputed"])
def test_a_shop_that_tells_of_money_that_went_back_is_believed_whoever_told_of_the_payment(
    wired: Stack, local: LocalStack, paid_by: str, kind: str
) -> None:
    payment = event("mollie/payment.json")
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment
    order_id = "2026-001236" if paid_by == "mollie" else "2026-001234"
    assert (mollie() if paid_by == "mollie" else stripe(stripe_event()))["statusCode"] == 200

    body = {"type": kind, "data": {"order_id": order_id, "full": True, "test": True}}
    assert webhook(json.dumps(body).encode())["statusCode"] == 204

    order = wired.store.load(order_id)
    assert order is not None
    assert not order.is_paid


def test_what_is_said_of_an_unknown_payment_of_mollies_again_and_again_is_kept_once(
    wired: Stack, local: LocalStack
) -> None:
    back = {"status": "refunded", "amount": {"value": "39.95", "currency": "EUR"}}
    bare = event("mollie/payment.json") | {"id": "tr_unknownBare1", "metadata": None, "lines": None}
    local.providers.objects["/v2/payments/tr_unknownBare1"] = bare | {"_embedded": {"refunds": [back]}}
    for _ in range(3):
        assert mollie("id=tr_unknownBare1")["statusCode"] == 200

    client = local.session.client("dynamodb")
    key = {"pk": {"S": "PAYMENT#mollie:tr_unknownBare1"}}
    item = client.get_item(TableName=wired.store.table, Key=key)["Item"]
    assert [name for name in item if name.startswith("told_")] == ["told_mollie"]
    assert int(item["expires"]["N"]) > 0


def test_the_end_of_a_subscription_whose_order_is_not_known_makes_no_order_and_is_remarked(
    wired: Stack, local: LocalStack
) -> None:
    for _ in range(2):
        assert stripe(json.dumps(event("stripe/customer.subscription.deleted.json")).encode())["statusCode"] == 200

    assert items(wired, local) == 0
    assert remarks(wired) == [("stripe", "2025-000042", "a subscription has ended whose order is not known here")]


def test_how_mollie_once_tried_a_url_gets_its_200(wired: Stack) -> None:
    assert call("mollie", None, {}, "GET", {"testByMollie": "1"})["statusCode"] == 200
    assert call("mollie", None, {}, "GET")["statusCode"] == 405


def test_an_invoice_with_a_long_history_is_read_and_one_without_end_is_not(wired: Stack) -> None:
    body = json.dumps(event("woocommerce/order.updated.json") | {"note": "x" * 1_000_000}).encode()
    digest = base64.b64encode(hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()).decode()

    assert call("woocommerce", body, {"X-WC-Webhook-Signature": digest})["statusCode"] == 200
    assert call("woocommerce", body + b" " * 4 * 1024 * 1024, {})["statusCode"] == 413


def test_a_malformed_order_is_not_one_of_the_five_refusals_after_which_the_webhook_is_switched_off(
    wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    body = json.dumps(event("woocommerce/order.updated.json") | {"total": "much"}).encode()
    digest = base64.b64encode(hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()).decode()

    assert call("woocommerce", body, {"X-WC-Webhook-Signature": digest})["statusCode"] == 200
    assert call("woocommerce", body, {"X-WC-Webhook-Signature": "forged"})["statusCode"] == 401
    assert logged.getvalue().count('"CallbackRefused"') == 2
    assert items(wired, local) == 0


def test_woocommerces_ping_gets_the_200_that_saving_the_webhook_needs(wired: Stack, local: LocalStack) -> None:
    assert call("woocommerce", (EVENTS / "woocommerce/ping.txt").read_bytes(), {})["statusCode"] == 200
    assert items(wired, local) == 0


def test_a_call_that_only_tries_the_url_is_no_call_of_its_door(wired: Stack) -> None:
    trial = json.dumps({"action": "test_webhook"}).encode()

    for provider, body in (("woocommerce", (EVENTS / "woocommerce/ping.txt").read_bytes()), ("moneybird", trial)):
        assert call(provider, body, {})["statusCode"] == 200
    assert list(wired.store.doors(PROVIDERS)) == []

    assert moneybird("payment_destroyed.json")["statusCode"] == 200
    assert [door.provider for door in wired.store.doors(PROVIDERS)] == ["moneybird"]


def moneybird(path: str, secret: str = MONEYBIRD_SECRET) -> Any:
    body = (EVENTS / "moneybird" / path).read_bytes()
    header = stripe_headers(body, secret)["stripe-signature"]  # the same signature scheme
    return call("moneybird", body, {"Moneybird-Signature": header})


@pytest.mark.parametrize("first", ["sales_invoice_state_changed_to_paid.json", "payment_destroyed.json"])
def test_moneybirds_payment_taken_back_finds_its_order_whichever_is_told_first(wired: Stack, first: str) -> None:
    story = ["sales_invoice_state_changed_to_paid.json", "payment_destroyed.json"]
    for path in story if first == story[0] else story[::-1]:
        assert moneybird(path)["statusCode"] == 200

    order = wired.store.load("2026-0187")
    assert order is not None
    assert (order.standing, len(order.payments)) == (Standing.DISPUTED, 1)


def test_the_try_that_moneybird_makes_before_it_tells_the_secret_gets_its_200(wired: Stack, local: LocalStack) -> None:
    assert call("moneybird", b'{"action":"test_webhook"}', {})["statusCode"] == 200
    assert items(wired, local) == 0


def test_a_call_that_moneybird_did_not_sign_is_refused_and_leaves_no_trace(wired: Stack, local: LocalStack) -> None:
    assert moneybird("sales_invoice_state_changed_to_paid.json", "forged")["statusCode"] == 401
    assert call("moneybird", b'{"action":"payment_destroyed"}', {})["statusCode"] == 401
    assert items(wired, local) == 0


def test_a_stranger_cannot_make_us_ask_mollie(wired: Stack, local: LocalStack) -> None:
    asked = len(local.providers.asked)

    assert mollie(token="guess")["statusCode"] == 401
    assert mollie("id=tr_/../../v2/customers/cst_x")["statusCode"] == 200  # an attacker learns nothing from it
    assert mollie("") == mollie("id=tr_unknownunknown") | {"statusCode": 200}
    asked += 1

    assert len(local.providers.asked) == asked
    assert items(wired, local) == 0


def test_a_payment_that_mollie_does_not_know_is_accepted_and_forgotten(wired: Stack, local: LocalStack) -> None:
    assert mollie("id=tr_unknownunknown")["statusCode"] == 200
    assert items(wired, local) == 0


TROUBLE: dict[str, tuple[int, dict[str, str], bytes]] = {
    "it is down": (503, {}, b""),
    "it has had enough of us": (429, {"Retry-After": "30"}, b"{}"),
    "it answers no JSON": (200, {}, b"<html>"),
    "it answers something else": (200, {}, b'{"resource":"order"}'),
    "it redirects": (302, {"Location": "http://127.0.0.1:1/"}, b""),
    "our key is wrong": (401, {}, b"{}"),
    "our key is of the other mode": (404, {}, b'{"detail":"Payment exists, but the wrong mode is used"}'),
}


@pytest.mark.parametrize("answer", TROUBLE.values(), ids=TROUBLE.keys())
def test_when_mollie_is_in_trouble_it_is_asked_to_call_again_and_nothing_is_written(
    wired: Stack, local: LocalStack, answer: tuple[int, dict[str, str], bytes]
) -> None:
    local.providers.trouble = lambda: answer

    assert mollie()["statusCode"] == 503
    assert items(wired, local) == 0
    assert pokes(wired, local) == []


def test_without_a_key_of_mollies_api_its_calls_are_asked_for_again(
    wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    wired.secrets.set("mollie_api_key", "")

    assert mollie()["statusCode"] == 503
    assert '"ProviderRefusedUs"' in logged.getvalue()


def test_an_event_that_tells_of_no_payment_is_accepted_and_forgotten(wired: Stack, local: LocalStack) -> None:
    assert stripe(stripe_event(type="customer.created"))["statusCode"] == 200
    assert items(wired, local) == 0


def test_a_rotated_secret_works_without_a_deploy(wired: Stack) -> None:
    assert stripe(BODY)["statusCode"] == 200
    wired.secrets.set("stripe_signing", "whsec_rotated")

    wiring.secrets()._fetched_at -= 11  # seconds: so long ago; it waits ten between two fetches

    assert stripe(BODY, secret="whsec_rotated")["statusCode"] == 200
    assert stripe(BODY, secret=STRIPE_SECRET)["statusCode"] == 400


@pytest.mark.parametrize("broken", ["KEYPOST_TABLE", "KEYPOST_QUEUE_URL", "KEYPOST_SECRETS"])
def test_when_nothing_can_be_stored_the_provider_is_asked_to_try_again(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setenv(broken, "http://127.0.0.1:1/000000000000/gone")
    wiring.config.cache_clear()

    answer = stripe(BODY)

    assert answer["statusCode"] == 503
    assert "send it again" in answer["body"]


def test_nothing_personal_and_no_secret_is_logged_or_counted(
    wired: Stack, logged: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    stripe(stripe_event())
    stripe(stripe_event(), secret="whsec_forged")
    webhook(paid(email="private@", lines=None))

    metrics = printed(capsys)
    assert '"OrderPaid"' in logged.getvalue()
    assert logged.getvalue().count('"CallbackRefused"') == 2
    assert '"Name":"OrderPaid"' in metrics()
    private = ("klant.example", "Anna", "Jansen", "private@", STRIPE_SECRET, "Keizersgracht", "v1=")
    assert leaked(private, logged.getvalue, log) == []
    assert leaked(private, metrics, count) == []


def test_a_wrong_signature_is_counted_for_its_provider_and_is_no_call_of_that_provider(
    wired: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("woocommerce", b"{}", {"x-wc-webhook-signature": "AAAA"})["statusCode"] == 401
    assert stripe(stripe_event())["statusCode"] == 200

    printed = capsys.readouterr().out
    assert counted(printed, "SignatureRefused") == [{"provider": "woocommerce", "service": "keypost"}]
    assert counted(printed, "CallbackFailed") == []
    assert [door.provider for door in wired.store.doors(PROVIDERS)] == ["stripe"]


def test_a_callback_that_cannot_be_stored_is_counted_for_its_provider(
    wired: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(wiring.store()._client, "PutItem", "InternalServerError", times=5)

    assert stripe(stripe_event())["statusCode"] == 503

    printed = capsys.readouterr().out
    assert counted(printed, "CallbackFailed") == [{"provider": "stripe", "service": "keypost"}]
    assert counted(printed, "SignatureRefused") == []


def test_a_genuine_call_that_has_not_the_agreed_form_is_a_call_of_its_provider_all_the_same(wired: Stack) -> None:
    assert webhook(b"[")["statusCode"] == 400

    assert [door.provider for door in wired.store.doors(PROVIDERS)] == ["webhook"]


def test_a_callback_is_stored_though_it_cannot_be_written_down_that_its_provider_called(wired: Stack) -> None:
    refuse(wiring.store()._client, "BatchGetItem", "InternalServerError")

    assert stripe(stripe_event())["statusCode"] == 200

    assert loaded(wired.store, "2026-001234").is_paid
    assert list(wired.store.doors(PROVIDERS)) == []


@pytest.mark.parametrize("email", ["jan@voorbeeld,nl", "a@b.example\r\nBcc: c@d.example"])
def test_a_payment_whose_address_is_mistyped_is_an_order_that_asks_for_the_address(wired: Stack, email: str) -> None:
    """Finding 19: support finds the order that was paid, and puts it right."""
    assert webhook(paid(email=email, name="Jan Jansen"))["statusCode"] == 204

    order = loaded(wired.store, "2026-001235")
    assert (order.is_paid, order.customer.email, order.customer.name) == (True, None, "Jan Jansen")
    assert [each.code for each in obstacles(order)] == ["problem"]
    assert "c@d.example" not in repr(order)


def test_money_back_of_an_order_that_nobody_knows_is_remarked(wired: Stack) -> None:
    back = {"order_id": "2026-000404", "payment_id": "re_9", "full": True, "test": True}
    body = json.dumps({"type": "order.refunded", "data": back}).encode()
    for _ in range(2):
        assert webhook(body)["statusCode"] == 204

    said = "a refund or a dispute was reported for an order that was not known here"
    assert remarks(wired) == [("webhook", "2026-000404", said)]


def test_the_inbox_holds_nothing_personal(wired: Stack, local: LocalStack) -> None:
    """So there is nothing in it to erase or to export. Each text stands wherever a callback can say one."""
    canaries = ["canary@klant.example", "Canary Jansen", "CANARY-CODE1-23456"]
    for canary in canaries:
        webhook(paid(email="private@", name=canary, payment_id=canary, language=canary, note=canary))
        webhook(paid(order_id=f"{canary} ", email=canary))
        webhook(paid(lines=[{"sku": f"{canary}!", "quantity": canary, canary: canary}], **{canary: canary}))
        webhook(json.dumps({"type": canary, canary: canary, "data": {canary: canary}}).encode())
        webhook(json.dumps({"type": "order.paid", "timestamp": canary, "data": canary}).encode())
        stripe(stripe_event(livemode=True, customer_email=canary, metadata={canary: canary}))
        stripe(canary.encode())
    assert len(remarks(wired)) > 5

    def read() -> str:
        found = local.session.client("dynamodb").scan(TableName=wired.store.table)["Items"]
        return repr([item for item in found if item["pk"]["S"].startswith("INBOX#")])

    def plant(canary: str) -> None:
        wired.store.put_remark(Remark("webhook", datetime.now(UTC), Said("field_missing", {"field": canary})))

    assert leaked(canaries, read, plant) == []


def preferring(prefer: str, body: bytes) -> Any:
    return call("webhook", body, webhook_headers(body) | {"Prefer": prefer})


def test_a_shop_that_asks_hears_what_became_of_its_order(wired: Stack, local: LocalStack) -> None:
    """Finding "every door has a second way": a job at night posts the day's orders again and looks at the states."""
    for _ in range(3):
        answer = preferring("return=representation", PAID.read_bytes())

        assert answer["statusCode"] == 200
        assert json.loads(answer["body"]) == {"order": "2026-001235", "state": "paid"}
        assert answer["headers"] == {
            "Content-Type": "application/json",
            "Preference-Applied": "return=representation",
        }
    assert loaded(wired.store, "2026-001235").version == 1

    refunded = preferring("return=representation", json.dumps(event("webhook/order.refunded.json")).encode())
    assert json.loads(refunded["body"]) == {"order": "2026-001235", "state": "refunded"}


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("return=representation", 200),
        ('respond-async, Return = "representation"; foo=1', 200),
        ("return=minimal", 204),
        ("return=minimal, return=representation", 204),
        ("representation", 204),
        ("", 204),
    ],
)
def test_what_a_shop_prefers_is_read_as_its_standard_says(wired: Stack, prefer: str, status: int) -> None:
    """RFC 7240, section 2: names are in any case, and the first of a preference that is given twice counts."""
    assert preferring(prefer, PAID.read_bytes())["statusCode"] == status


def test_only_a_shops_own_program_hears_what_became_of_an_order(wired: Stack) -> None:
    headers = stripe_headers(stripe_event()) | {"Prefer": "return=representation"}

    assert call("stripe", stripe_event(), headers) == {"statusCode": 200, "headers": {}, "body": ""}


def test_an_order_that_no_program_can_write_is_said_to_be_set_aside(wired: Stack, local: LocalStack) -> None:
    webhook(PAID.read_bytes())
    client, key = local.session.client("dynamodb"), {"pk": {"S": "ORDER#2026-001235"}}
    stored = client.get_item(TableName=wired.store.table, Key=key)["Item"]
    client.put_item(TableName=wired.store.table, Item=stored | {"payments": {"S": "damaged"}})

    answer = preferring("return=representation", json.dumps(event("webhook/order.refunded.json")).encode())

    assert json.loads(answer["body"]) == {"order": "2026-001235", "state": "set_aside"}


class _Broken:
    """A provider's module with a plain bug in it."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def verify(self, _call: object, _secrets: object) -> None:
        """Everything is genuine here."""

    def read(self, _call: object) -> object:
        raise self._error


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Puts a provider into the table whose reader raises this."""

    def put(error: BaseException) -> None:
        monkeypatch.setitem(sys.modules, "broken", _Broken(error))
        monkeypatch.setitem(PROVIDERS, "broken", Provider("broken", "webhook_signing"))

    return put


@pytest.mark.parametrize("error", [KeyError("a@b.example"), RecursionError(), OverflowError(), AttributeError("x")])
def test_a_bug_in_a_providers_module_is_no_502_but_told_again_and_in_the_inbox(
    wired: Stack, logged: io.StringIO, broken: Callable[[BaseException], None], error: Exception
) -> None:
    broken(error)

    answer = call("broken", b"{}", {})

    assert (answer["statusCode"], json.loads(answer["body"])["detail"]) == (
        503,
        "The callback could not be stored now: send it again.",
    )
    assert f'"error":"{type(error).__name__}"' in logged.getvalue()
    ((provider, order_id, text),) = remarks(wired)
    assert (provider, order_id) == ("broken", "")
    assert text.startswith(f"because of a fault in Keypost, a callback was not stored (`{type(error).__name__} in ")


class _Telling(_Broken):
    """A provider's module that reads this."""

    def __init__(self, *news: object) -> None:
        self._news = news

    def read(self, _call: object) -> object:
        return self._news


@pytest.mark.parametrize(("beside", "status"), [([], 503), ([OrderCanceled("beside-1")], 200)], ids=["alone", "beside"])
def test_a_remark_that_cannot_be_kept_makes_a_callback_fail_only_if_it_is_all_that_it_says(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, beside: list[object], status: int
) -> None:
    remark = Remark("broken", datetime.now(UTC), Said("nothing_bought"), "beside-1")
    monkeypatch.setitem(sys.modules, "telling", _Telling(remark, *beside))
    monkeypatch.setitem(PROVIDERS, "telling", Provider("telling", "webhook_signing"))
    client = wiring.store()._client

    def refuse_remarks(put: dict[str, Any]) -> None:
        if put["Item"]["pk"]["S"].startswith("INBOX#"):
            raise EndpointConnectionError(endpoint_url="dynamodb")

    on_call(client, "PutItem", refuse_remarks)

    assert call("telling", b"{}", {})["statusCode"] == status
    assert (wired.store.load("beside-1") is not None) == bool(beside)
