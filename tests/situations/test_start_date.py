"""Kind: a payment from before Keypost served the shop is told again, by whatever door."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.obstacles import is_servable
from tests.builders import NOW, SKU, WOOCOMMERCE_SECRET, code, event, loaded
from tests.functions.callbacks import call, webhook

OLD = datetime(2024, 10, 3, 9, 14, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def shop(wired: Stack, stocked: Any) -> Iterator[Stack]:
    """A shop that Keypost serves since yesterday, with codes in stock."""
    wired.store.put_start(NOW - DAY)
    stocked([code(number) for number in range(3)])
    with time_machine.travel(NOW, tick=False):
        yield wired


def edited(order_id: str, paid: datetime) -> None:
    """WooCommerce calls because somebody edited a paid order, and the worker does what follows."""
    changes = {
        "id": int(order_id),
        "number": order_id,
        "status": "completed",
        "date_paid_gmt": f"{paid:%Y-%m-%dT%H:%M:%S}",
    }
    body = json.dumps(event("woocommerce/order.updated.json") | changes).encode()
    digest = hmac.digest(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256)
    answer = call("woocommerce", body, {"X-WC-Webhook-Signature": base64.b64encode(digest).decode()})
    assert answer["statusCode"] == 200
    wiring.try_order(order_id, 1)


def told(order_id: str, kind: str, at: datetime, **data: Any) -> None:
    """The shop's own program calls, and the worker does what follows."""
    about = {"order_id": order_id, "payment_id": "inv_1", "test": True, **data}
    body = {"type": kind, "timestamp": at.isoformat(), "data": about}
    assert webhook(json.dumps(body).encode())["statusCode"] == 204
    wiring.try_order(order_id, 1)


def test_an_edit_of_an_order_that_was_paid_years_ago_gives_no_license_until_a_person_releases_it(
    shop: Stack, sent: Any
) -> None:
    # woocommerce/woocommerce#62492, #8303, #39694: bulk edits and the sync of orders fire `order.updated` for old ones.
    edited("1001", OLD)

    order = loaded(shop.store, "1001")
    assert (order.is_paid, order.hold.from_before, is_servable(order)) == (True, True, False)
    assert (order.licenses, sent("1001")) == ((), [])


def test_an_edit_of_an_order_that_was_paid_since_then_is_served(shop: Stack, sent: Any) -> None:
    edited("1002", NOW - DAY / 2)

    assert [one.sku for one in loaded(shop.store, "1002").licenses] == [SKU]
    assert len(sent("1002")) == 1


def test_an_old_order_is_served_when_it_is_told_again_after_the_start_was_moved_back(shop: Stack, sent: Any) -> None:
    edited("1003", OLD)
    shop.store.put_start(datetime(2024, 1, 1, tzinfo=UTC))
    wiring.forget()  # a minute passes

    edited("1003", OLD)

    assert len(sent("1003")) == 1


def test_money_back_of_an_old_payment_tells_its_customer_nothing(shop: Stack, sent: Any) -> None:
    # Reported for shops that go over to another system while refunds of the old one are still open.
    card = {"email": "a@klant.example", "amount": "39.95", "currency": "EUR", "lines": [{"sku": SKU, "quantity": 1}]}
    told("back-1", "order.paid", NOW - 2 * DAY, **card)
    assert loaded(shop.store, "back-1").hold.from_before

    told("back-1", "order.refunded", NOW, full=True)

    assert (loaded(shop.store, "back-1").mails, sent("back-1")) == ((), [])
