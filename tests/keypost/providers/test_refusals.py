"""A callback that is refused stands in the inbox under its order, if it names one."""

import json
from typing import Any

import pytest

from keypost.core.errors import InvalidInput
from keypost.providers import mollie, moneybird, stripe, webhook, woocommerce
from keypost.providers.refusals import named
from tests.builders import a_call, event, of_moneybird, of_woocommerce, stripe_event

SNAPSHOT = {"entity": {"resource": "payment", "metadata": {"order_id": "2026-7"}}}


@pytest.mark.parametrize(
    ("read", "body", "order_id"),
    [
        (stripe.read, stripe_event({}, livemode=True), "2026-001234"),
        (stripe.read, stripe_event({"id": 7}), "2026-001234"),
        (stripe.read, stripe_event({"id": 7, "metadata": {"order_id": "a b"}}), ""),
        (woocommerce.read, of_woocommerce(total="much"), "1237"),
        (woocommerce.read, of_woocommerce(total="much", id="x"), ""),
        (moneybird.read, of_moneybird(currency="euro"), "2026-0187"),
        (moneybird.read, of_moneybird(currency="euro", invoice_id=None), "433546309874484716"),
        (mollie.read_event, event("mollie/payment.paid.json") | {"entityId": "x", "_embedded": SNAPSHOT}, "2026-7"),
        (webhook.read, {"type": "order.paid", "data": {"order_id": "2026-8"}}, "2026-8"),
        (webhook.read, {"type": "order.paid", "data": {"order_id": 8}}, ""),
    ],
)
def test_an_order_that_a_refused_callback_names_is_told_with_the_reason(read: Any, body: Any, order_id: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    with pytest.raises(InvalidInput) as error:
        read(a_call(raw))

    assert error.value.order_id == order_id


def test_what_is_no_json_names_no_order() -> None:
    with pytest.raises(InvalidInput, match="odd") as error, named(b"{", lambda _: "2026-7"):
        raise InvalidInput("odd")

    assert error.value.order_id == ""
