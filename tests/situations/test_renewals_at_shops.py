"""Renewals out of a shop: WooCommerce."""

import json
from datetime import UTC, datetime

import pytest

from keypost.core.payment import SubscriptionEnded
from keypost.core.product import Kind, Line
from keypost.core.said import Said
from keypost.providers import woocommerce
from tests.builders import SKU, a_call, of_woocommerce, only_notice

RENEWAL = of_woocommerce("order.updated.renewal.json")


def test_an_automatic_order_of_woocommerce_subscriptions_is_a_renewal_and_no_new_purchase() -> None:
    """WooCommerce Subscriptions: its orders have `_subscription_renewal`, the id of the subscription."""
    asked = {"/wp-json/wc/v3/subscriptions/1238": {"id": 1238, "parent_id": 1237}}
    found = only_notice(woocommerce.read(a_call(RENEWAL, get=lambda path, _: asked[path])))

    assert (found.lines, found.problem) == ((Line(SKU, 1, Kind.RENEWAL, "1237"),), None)


def test_without_a_key_nobody_knows_what_an_automatic_order_renews_so_a_person_looks() -> None:
    found = only_notice(woocommerce.read(a_call(RENEWAL, get=None)))

    assert found.problem == Said("renewal_of_what", {"subscription": "1238"})


def test_a_canceled_subscription_gets_no_code() -> None:
    """Tried: the body of subscription.updated has lines and a day of payment, and was served."""
    body = of_woocommerce("subscription.updated.json")

    assert woocommerce.read(a_call(body, {"x-wc-webhook-topic": "subscription.updated"})) == (
        SubscriptionEnded("1237"),
    )
    assert woocommerce.read(a_call(body)) == (SubscriptionEnded("1237"),)


@pytest.mark.parametrize("of_end", ["cancelled_date_gmt", "end_date_gmt", "date_modified_gmt"])
def test_a_subscription_that_ended_long_ago_ended_then_however_late_it_is_told(of_end: str) -> None:
    """Whoever edits a canceled subscription has the shop tell of its end again, with the moment of the edit."""
    told = json.loads(of_woocommerce("subscription.updated.json"))
    moments = dict.fromkeys(("cancelled_date_gmt", "end_date_gmt", "date_modified_gmt"), "")
    moments |= {"date_modified_gmt": "2026-11-20T08:00:00", of_end: "2026-11-01T08:00:00"}

    (ended,) = woocommerce.read(a_call(json.dumps(told | moments).encode()))

    assert isinstance(ended, SubscriptionEnded)
    assert ended.at == datetime(2026, 11, 1, 8, tzinfo=UTC)


def test_a_customer_who_came_by_the_link_in_the_reminder_renews_that_license() -> None:
    line = {"sku": SKU, "quantity": 1, "meta_data": [{"id": 1, "key": "keypost_renews", "value": "LIC-ABCDEFGHIJ"}]}
    found = only_notice(woocommerce.read(a_call(of_woocommerce(line_items=[line]))))

    assert found.lines == (Line(SKU, 1, Kind.RENEWAL, "LIC-ABCDEFGHIJ"),)
