"""What comes in by several doors, or by one with a fault of its shop."""

import json
from typing import Any

import pytest

from keypost.core.errors import InvalidInput
from keypost.core.payment import PaymentNotice
from keypost.providers import webhook
from tests.builders import a_call, english, event


def read(**data: Any) -> PaymentNotice:
    body = event("webhook/order.paid.json")
    body["data"] |= data
    (notice,) = webhook.read(a_call(json.dumps(body).encode()))
    assert isinstance(notice, PaymentNotice)
    return notice


@pytest.mark.parametrize(
    "payment_id", ["pi_3SXkeypostTest01", "cs_test_a1" + "B2c3D4e5" * 7, "in_1SYinvKeypost", "cs_live_b1" + "x" * 56]
)
def test_a_payment_that_a_shop_names_as_stripe_does_has_both_names(payment_id: str) -> None:
    """Finding 22: "paid twice: refund one of the payments", for every order of such a shop."""
    assert read(payment_id=payment_id).names == {f"webhook:{payment_id}", f"stripe:{payment_id}"}


@pytest.mark.parametrize("payment_id", ["inv_88231", "pi", "PI_3SXkeypost", "spi_3SXkeypost", "in-1SYinvKeypost"])
def test_a_name_of_the_shops_own_is_none_of_stripes(payment_id: str) -> None:
    assert read(payment_id=payment_id).names == {f"webhook:{payment_id}"}


@pytest.mark.parametrize("kind", ["order.cancelled", "order.refund", "order_paid", "invoice.created"])
def test_a_type_with_a_typing_error_is_refused_with_the_types_that_there_are(kind: str) -> None:
    """Finding 31: a 204, as if it were stored."""
    body = event("webhook/order.refunded.json") | {"type": kind}
    with pytest.raises(InvalidInput) as refusal:
        webhook.read(a_call(json.dumps(body).encode()))

    assert "order.paid, order.open, order.refunded" in english(refusal.value.said)
    assert refusal.value.order_id == "2026-001235"


@pytest.mark.parametrize("key", ["paymentId", "payment-id", "PaymentID", "PAYMENT_ID"])
def test_a_key_with_a_typing_error_is_refused_where_it_would_mean_nothing(key: str) -> None:
    """K-E: without its payment, such a callback would be about the order as a whole."""
    body = event("webhook/order.paid.json")
    body["data"][key] = body["data"].pop("payment_id")
    with pytest.raises(InvalidInput) as refusal:
        webhook.read(a_call(json.dumps(body).encode()))

    assert english(refusal.value.said) == "The callback is not correct: `payment_id` is spelt differently."


def test_a_key_beside_the_right_one_and_a_shops_own_key_mean_nothing() -> None:
    assert read(paymentId="other", cart={"id": 7}) == read()


def test_the_language_of_a_card_is_read_beside_lines_too() -> None:
    body = event("webhook/order.paid.json")
    body["data"]["lang"] = "nl-BE"
    del body["data"]["language"]

    (notice,) = webhook.read(a_call(json.dumps(body).encode()))

    assert isinstance(notice, PaymentNotice)
    assert notice.language == "nl"
