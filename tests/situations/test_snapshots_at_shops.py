"""A snapshot that lacks what it had, or says what we do not know, is not forgotten (K-E): WooCommerce and Moneybird."""

import json
from collections.abc import Sequence
from itertools import permutations

import pytest

from keypost.core.payment import News, PaymentState, Remark, Standing
from keypost.core.said import Said
from keypost.providers import PROVIDERS, moneybird, woocommerce
from tests.builders import NOW, a_call, added_up, event, of_moneybird, of_woocommerce, only_notice


def test_a_paid_order_with_a_status_that_the_shop_made_up_waits_for_a_person() -> None:
    """woocommerce/woocommerce-gateway-stripe#601: shops choose the status of a paid order."""
    found = only_notice(woocommerce.read(a_call(of_woocommerce(status="licentie-klaar"))))

    assert found.state is PaymentState.PAID
    assert found.problem == Said("shop_status", {"status": "licentie-klaar"})


def test_a_status_that_the_shop_names_as_paid_is_served() -> None:
    call = a_call(of_woocommerce(status="licentie-klaar"), paid_statuses=frozenset({"licentie-klaar"}))

    assert only_notice(woocommerce.read(call)).problem is None


def remarks(news: Sequence[News]) -> list[tuple[str, Said]]:
    return [(each.order_id, each.why) for each in news if isinstance(each, Remark)]


@pytest.mark.parametrize(
    ("body", "topic", "order_id", "why"),
    [
        (b'{"id": 1237}', "order.deleted", "1237", Said("shop_order_deleted")),
        (b'{"id": 1237}', "", "1237", Said("shop_order_deleted")),
        (b'{"id": 12}', "subscription.deleted", "12", Said("shop_no_order", {"topic": "subscription.deleted"})),
        (
            b'{"id": 1237, "status": "processing"}',
            "order.updated",
            "1237",
            Said("shop_no_order", {"topic": "order.updated"}),
        ),
        (b'{"number": "x"}', "<b>", "", Said("shop_no_order", {"topic": "?"})),
    ],
)
def test_a_shop_that_sends_less_than_an_order_is_heard(body: bytes, topic: str, order_id: str, why: Said) -> None:
    """K-E: 200 and forgotten. The body of woocommerce's `order.deleted` is its id (class-wc-webhook.php)."""
    assert remarks(woocommerce.read(a_call(body, {"x-wc-webhook-topic": topic}))) == [(order_id, why)]


@pytest.mark.parametrize(
    "topic", ["product.updated", "customer.created", "coupon.deleted", "action.woocommerce_add_to_cart"]
)
def test_what_a_shop_calls_for_besides_orders_changes_nothing(topic: str) -> None:
    """Own list: the topics of WooCommerce that are not about orders."""
    assert woocommerce.read(a_call(b'{"id": 5}', {"x-wc-webhook-topic": topic})) == ()


def of_action(action: str, **changes: object) -> bytes:
    whole = event("moneybird/sales_invoice_state_changed_to_paid.json") | {"action": action} | changes
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("action", "changes", "order_id"),
    [
        ("sales_invoice_destroyed", {}, "2026-0187"),
        ("sales_invoice_state_changed_to_uncollectible", {}, "2026-0187"),
        ("sales_invoice_split", {"entity": {"id": "7", "details": "?"}}, "7"),
        ("subscription_cancelled", {"entity_type": "Subscription", "entity": {}}, ""),
        ("payment_transaction_rejected", {"entity_type": "PaymentTransaction", "entity": {}}, ""),
    ],
)
def test_an_action_of_moneybird_that_nobody_here_reads_is_heard(
    action: str, changes: dict[str, object], order_id: str
) -> None:
    """K-E: 200 and forgotten. developer.moneybird.com/webhooks lists the actions."""
    why = Said("moneybird_unknown_action", {"action": action})

    assert remarks(moneybird.read(a_call(of_action(action, **changes)))) == [(order_id, why)]


def test_an_action_about_an_invoice_of_other_work_changes_nothing() -> None:
    """Own trial: a bookkeeper has more invoices than those of licenses."""
    hours = event("moneybird/sales_invoice_state_changed_to_paid.json")["entity"] | {
        "details": [{"description": "Uren"}]
    }

    assert moneybird.read(a_call(of_action("sales_invoice_destroyed", entity=hours))) == ()


def test_a_deposit_is_not_the_payment() -> None:
    """WooCommerce Deposits: `partially-paid` has a day of payment, and the total of the whole order."""
    assert only_notice(woocommerce.read(a_call(of_woocommerce(status="partially-paid")))).state is PaymentState.OPEN


def test_a_refund_that_was_entered_by_mistake_and_deleted_is_none() -> None:
    """woocommerce/woocommerce#68658: the order is processing again, and the refund is gone from its list."""
    refund = {"status": "refunded", "refunds": [{"id": 9, "total": "-39.95"}]}
    story = [
        only_notice(woocommerce.read(a_call(of_woocommerce(**told))))
        for told in (
            {},
            refund | {"date_modified_gmt": "2026-11-21T09:00:00"},
            {"date_modified_gmt": "2026-11-21T09:01:00"},
        )
    ]

    assert added_up(story[:2]).standing is Standing.REFUNDED
    assert {added_up([*told]).standing for told in permutations(story)} == {Standing.PAID}


def test_an_order_of_a_state_that_nobody_knows_is_written_into_the_inbox() -> None:
    body = of_woocommerce(status="wacht-op-fabrikant", date_paid_gmt=None)
    why = Said("shop_status", {"status": "wacht-op-fabrikant"})

    assert woocommerce.read(a_call(body)) == (Remark("woocommerce", NOW, why, "1237", "woocommerce:1237"),)


def test_an_invoice_that_its_event_calls_paid_and_its_body_does_not_is_written_into_the_inbox() -> None:
    (remark,) = moneybird.read(a_call(of_moneybird(state="late")))

    assert isinstance(remark, Remark)
    assert remark.why == Said("invoice_not_paid_any_more", {"state": "late"})


@pytest.mark.parametrize("provider", ["woocommerce", "moneybird"])
def test_an_order_with_a_label_in_its_meta_data_is_not_too_large(provider: str) -> None:
    """woocommerce/woocommerce#8876: five refusals, and the webhook is switched off. Lambda takes 6 MB."""
    label = {"key": "_label_pdf", "value": "x" * 1_500_000}
    body = of_woocommerce(meta_data=[label]) if provider == "woocommerce" else of_moneybird(notes=[label])

    assert len(body) < PROVIDERS[provider].largest < 6_000_000
    assert only_notice(PROVIDERS[provider].read(a_call(body))).state is PaymentState.PAID
