import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.contents import with_payment
from keypost.core.errors import InvalidInput, SignatureRefused
from keypost.core.payment import PaymentNotice, PaymentState, Refunded, Standing
from keypost.core.product import Line
from keypost.core.said import Said
from keypost.providers import woocommerce
from tests.builders import EVENTS, NOW, SKU, WOOCOMMERCE_SECRET, a_call, event

BODY = (EVENTS / "woocommerce/order.updated.json").read_bytes()
PING = (EVENTS / "woocommerce/ping.txt").read_bytes()


def order(**changes: Any) -> bytes:
    return json.dumps(event("woocommerce/order.updated.json") | changes).encode()


def read(body: bytes) -> PaymentNotice:
    (notice,) = woocommerce.read(a_call(body))
    assert notice is not None
    return notice


def sign(body: bytes, secret: str = WOOCOMMERCE_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-wc-webhook-signature": base64.b64encode(digest).decode()}


PAID = PaymentNotice(
    provider="woocommerce",
    payment_id="1237",
    state=PaymentState.PAID,
    at=datetime(2026, 11, 20, 9, 14, 2, tzinfo=UTC),
    order_id="1237",
    amount="39.95",
    currency="EUR",
    email="facturen@klant.example",
    name="Anna Jansen",
    lines=(Line(SKU, 1),),
    itemized=True,
)


def test_a_paid_order_is_read_as_the_shop_sends_it() -> None:
    assert read(BODY) == PAID


def test_an_order_paid_at_mollie_is_mollies_payment_and_not_a_second_one() -> None:
    found = read(order(transaction_id="tr_5B8cwPMGnU6qLbRvo7qEZo"))

    assert found == replace(PAID, also=("mollie:tr_5B8cwPMGnU6qLbRvo7qEZo",))


@pytest.mark.parametrize(
    ("status", "paid", "state"),
    [
        ("pending", None, PaymentState.OPEN),
        ("on-hold", None, PaymentState.OPEN),
        ("processing", None, PaymentState.OPEN),
        ("processing", "2026-11-20T09:14:02", PaymentState.PAID),
        ("completed", "2026-11-20T09:14:02", PaymentState.PAID),
        ("failed", None, PaymentState.FAILED),
        ("cancelled", None, PaymentState.FAILED),
        ("cancelled", "2026-11-20T09:14:02", PaymentState.PAID),
    ],
)
def test_only_a_day_of_payment_makes_an_order_paid(status: str, paid: str | None, state: PaymentState) -> None:
    assert read(order(status=status, date_paid_gmt=paid)).state is state


def test_refunds_are_counted_as_of_the_orders_last_change() -> None:
    refunds = [{"id": 1, "reason": "", "total": "-10.00"}, {"id": 2, "reason": "", "total": "-5.50"}]
    as_of = datetime(2026, 11, 20, 9, 14, 5, tzinfo=UTC)

    assert read(order(refunds=refunds)).refunded == Refunded(as_of, "15.50")
    assert read(order(status="refunded")).refunded == Refunded(as_of, "0", full=True)


def test_a_stale_body_never_undoes_newer_facts() -> None:
    """WooCommerce signs no time, so an attacker who has a call can repeat it for ever."""
    later = {"status": "refunded", "date_modified_gmt": "2026-11-21T09:00:00", "refunds": [{"total": "-39.95"}]}
    story = [read(order(status="pending", date_paid_gmt=None)), read(BODY), read(order(**later))]

    for told in permutations([*story, read(BODY)]):
        stored = None
        for notice in told:
            stored = with_payment(stored, notice, NOW, "EUR")
        assert stored is not None
        assert stored.standing is Standing.REFUNDED


@pytest.mark.parametrize(
    "body",
    [
        PING,
        order(line_items=[{"sku": "", "quantity": 1}]),
        order(line_items=[{"sku": None, "quantity": 1}, {"sku": "a b", "quantity": 1}]),
        order(line_items=[]),
        order(status="wc-of-a-plugin"),
        b'{"id": 5, "name": "a product"}',
    ],
    ids=range(6),
)
def test_what_is_none_of_our_business_tells_of_nothing(body: bytes) -> None:
    assert woocommerce.read(a_call(body)) == ()


@pytest.mark.parametrize(
    "body",
    [b"[]", b"webhook_id=", order(id=None), order(total="much"), order(date_modified_gmt="now")],
    ids=range(5),
)  # fmt: skip
def test_an_order_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        woocommerce.read(a_call(body))


@pytest.mark.parametrize("quantity", [10_000, 2.5, "2", True, -1])
def test_an_odd_quantity_is_looked_at_by_a_person(quantity: Any) -> None:
    found = read(order(line_items=[{"sku": SKU, "quantity": quantity}]))

    assert found.problem == Said("odd_quantity")
    assert [line.sku for line in found.lines] == [SKU]


def test_what_other_goods_and_plugins_leave_out_is_no_reason_to_refuse_an_order() -> None:
    """So the call is accepted: after five refusals WooCommerce would switch the webhook off."""
    bare = read(order(transaction_id=None, date_modified_gmt=None, currency="", line_items=[{"sku": 7}, {"sku": SKU}]))

    assert (bare.lines, bare.also, bare.currency) == ((Line(SKU, 1),), (), "")


def test_what_the_shop_signed_is_accepted_and_the_unsigned_ping_too() -> None:
    woocommerce.verify(a_call(BODY, sign(BODY)), ("other", WOOCOMMERCE_SECRET))
    woocommerce.verify(a_call(PING), ())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, sign(BODY, "forged")),
        (BODY + b" ", sign(BODY)),
        (BODY, {"x-wc-webhook-signature": "\xe9"}),
        (PING + b"&x=1", {}),
    ],
    ids=range(5),
)
def test_a_forged_or_unsigned_order_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        woocommerce.verify(a_call(body, headers), (WOOCOMMERCE_SECRET,))


def test_an_empty_secret_accepts_nothing_not_even_what_was_signed_with_it() -> None:
    with pytest.raises(SignatureRefused):
        woocommerce.verify(a_call(BODY, sign(BODY, "")), ("",))


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(sorted(event("woocommerce/order.updated.json"))), json_values))
def test_whatever_stands_in_an_order_it_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        woocommerce.read(a_call(order(**changes)))
    except InvalidInput:
        return
