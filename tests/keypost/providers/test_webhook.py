import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from keypost.core.errors import InvalidInput, ProviderUnavailable, SignatureRefused
from keypost.core.payment import Dispute, DisputeState, OrderCanceled, PaymentNotice, PaymentState, Refunded
from keypost.core.product import Kind, Line
from keypost.providers import webhook
from tests.builders import EVENTS, NOW, WEBHOOK_SECRET, a_call, added_up, english, event, webhook_headers

BODY = (EVENTS / "webhook/order.paid.json").read_bytes()


def callback(data: dict[str, Any] | None = None, **changes: Any) -> bytes:
    body = event("webhook/order.paid.json") | changes
    body["data"] |= data or {}
    return json.dumps(body).encode()


def without(*keys: str) -> bytes:
    body = event("webhook/order.paid.json")
    for key in keys:
        del body["data"][key]
    return json.dumps(body).encode()


def read(body: bytes, stage: str = "test") -> PaymentNotice:
    (notice,) = webhook.read(a_call(body, stage=stage))
    assert isinstance(notice, PaymentNotice)
    return notice


def verify(body: bytes, headers: dict[str, str], *secrets: str) -> None:
    webhook.verify(a_call(body, headers, now=datetime.now(UTC)), secrets or (WEBHOOK_SECRET,))


def test_what_the_official_library_signed_is_accepted() -> None:
    verify(BODY, webhook_headers(BODY))


def test_any_of_two_secrets_and_any_of_two_signatures_will_do_during_a_rotation() -> None:
    other = "whsec_" + "B" * 32
    both = webhook_headers(BODY)
    both["webhook-signature"] = webhook_headers(BODY, other)["webhook-signature"] + " " + both["webhook-signature"]

    verify(BODY, both)
    verify(BODY, webhook_headers(BODY), other, WEBHOOK_SECRET)


@pytest.mark.parametrize("seconds", [-302, 302, -86400, 86400])
def test_an_old_or_future_timestamp_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureRefused, match="signature_too_old"):
        verify(BODY, webhook_headers(BODY, at=datetime.now(UTC).timestamp() + seconds))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "\u0661" * 10},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v1,\xe9"},
        {"webhook-signature": "v1,!!!!"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": "v1," + "A" * 43 + "="},
    ],
)
def test_a_malformed_or_forged_header_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        verify(BODY, webhook_headers(BODY) | change)


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff"])
def test_other_bytes_than_those_signed_are_refused(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        verify(body, webhook_headers(BODY))


@pytest.mark.parametrize("secret", ["whsec_", "whsec_AAAA", "whsec_" + "A" * 100, "whsec_" + "!" * 32])
def test_a_secret_that_is_too_short_too_long_or_no_base64_accepts_nothing(secret: str) -> None:
    with pytest.raises(SignatureRefused):
        verify(BODY, webhook_headers(BODY), secret)
    if secret == "whsec_AAAA":
        with pytest.raises(SignatureRefused):
            verify(BODY, webhook_headers(BODY, secret), secret)


@given(st.text(max_size=60), st.text(max_size=20), st.binary(max_size=60))
def test_no_header_and_no_body_raises_anything_but_a_refusal(signature: str, message_id: str, body: bytes) -> None:
    headers = {"webhook-id": message_id, "webhook-signature": signature}
    with pytest.raises(SignatureRefused):
        verify(body, headers | {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()))})


@given(st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64), st.text(max_size=50))
def test_we_accept_what_the_official_library_accepts(signer: bytes, known: bytes, body: str) -> None:
    now = datetime.now(UTC)
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(now.timestamp()))}
    headers["webhook-signature"] = Webhook(signer).sign("m", now, body)
    try:
        webhook.verify(a_call(body.encode(), headers, now=now), (base64.b64encode(known).decode(),))
        ours = True
    except SignatureRefused:
        ours = False

    assert ours == (signer == known)


def test_a_paid_order_is_read_with_all_it_says() -> None:
    assert read(BODY) == PaymentNotice(
        provider="webhook",
        payment_id="inv_88231",
        state=PaymentState.PAID,
        at=datetime(2026, 11, 20, 9, 14, 3, tzinfo=UTC),
        order_id="2026-001235",
        said=datetime(2026, 11, 20, 9, 14, 3, tzinfo=UTC),
        amount="79.90",
        currency="EUR",
        email="facturen@klant.example",
        name="Klant B.V.",
        language="en",
        lines=(Line("ESET-HOME-SECURITY-1D-1Y", 2),),
    )


def test_an_open_order_is_not_paid() -> None:
    assert read(callback(type="order.open")).state is PaymentState.OPEN


def test_news_that_names_no_payment_is_of_the_order_as_a_whole() -> None:
    assert read(without("payment_id")).names == {"webhook:2026-001235"}


MOLLIE_ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"


def confirmed(found: dict[str, Any] | None, **data: Any) -> PaymentNotice:
    """The callback about a payment of Mollie's, while Mollie's API has this payment."""
    body = callback({"payment_id": MOLLIE_ID, "amount": "39.95"} | data)
    (notice,) = webhook.read(a_call(body, get=lambda _path, _query: found))
    assert isinstance(notice, PaymentNotice)
    return notice


def at_mollie(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = event("mollie/payment.json") | {"metadata": {"order_id": "2026-001235"}} | changes
    return found


def test_a_payment_at_mollie_has_both_names_and_is_confirmed_there() -> None:
    assert confirmed(at_mollie()).names == {f"webhook:{MOLLIE_ID}", f"mollie:{MOLLIE_ID}"}
    assert confirmed(at_mollie(metadata=None)).state is PaymentState.PAID


def test_what_mollie_already_returned_of_it_is_known_at_once() -> None:
    refund = {"status": "refunded", "amount": {"value": "39.95", "currency": "EUR"}}

    assert confirmed(at_mollie(_embedded={"refunds": [refund]})).refunded == Refunded(NOW, "39.95", by="mollie")


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (at_mollie(status="expired"), "mollie_knows_it_failed"),
        (at_mollie(metadata={"order_id": "another"}), "mollie_knows_other_order"),
        (at_mollie(amount={"value": "0.01", "currency": "EUR"}), "mollie_knows_less"),
        (at_mollie(amount={"value": "39.95", "currency": "USD"}), "mollie_knows_less"),
    ],
)
def test_a_stolen_secret_makes_up_no_payment_of_mollies(found: dict[str, Any] | None, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        confirmed(found)


@pytest.mark.parametrize("found", [None, at_mollie(status="open"), at_mollie(status="pending")])
def test_a_payment_that_mollie_does_not_call_paid_yet_is_asked_for_again(found: dict[str, Any] | None) -> None:
    with pytest.raises(ProviderUnavailable):
        confirmed(found)


def test_a_charge_of_a_subscription_that_the_shop_gives_its_own_number_is_confirmed_too() -> None:
    charge = at_mollie(metadata={"v": "1", "order_id": "first", "sku": "A"}, subscriptionId="sub_rVKGtNd6s3")

    assert confirmed(charge).state is PaymentState.PAID


@pytest.mark.parametrize("kind", ["order.refunded", "order.disputed", "order.dispute_closed"])
def test_what_went_back_of_a_payment_at_mollie_is_news_of_that_payment(kind: str) -> None:
    (told,) = webhook.read(a_call(later(kind, payment_id=MOLLIE_ID, full=True, won=True)))

    assert isinstance(told, PaymentNotice)
    assert told.names == {f"webhook:{MOLLIE_ID}", f"mollie:{MOLLIE_ID}"}


def test_news_without_a_time_repeated_late_undoes_nothing() -> None:
    def undated(kind: str, **data: Any) -> PaymentNotice:
        body = json.loads(later(kind, **data))
        del body["timestamp"]
        (told,) = webhook.read(a_call(json.dumps(body).encode()))
        assert isinstance(told, PaymentNotice)
        return told

    part, more = undated("order.refunded", amount_refunded="10.00"), undated("order.refunded", amount_refunded="39.95")
    for story in permutations([part, more, part]):
        assert [refunded.amount for refunded in added_up(story).refunded] == ["39.95"]
    opened, won = undated("order.disputed"), undated("order.dispute_closed", won=True)
    for story in permutations([opened, won, opened]):
        assert [dispute.state for dispute in added_up(story).disputes] == [DisputeState.WON]


@pytest.mark.parametrize("ahead", [0.4, 299])
def test_a_clock_of_a_shop_that_is_a_little_ahead_undoes_no_word(ahead: float) -> None:
    """Also where it is ahead by a fraction of the second that the callback arrives in: of a dispute that was opened and
    won, whose first callback is repeated, the last word counts."""

    def at(moment: datetime, kind: str, received: datetime, **data: Any) -> PaymentNotice:
        body = json.loads(later(kind, **data)) | {"timestamp": moment.isoformat()}
        (told,) = webhook.read(a_call(json.dumps(body).encode(), now=received))
        assert isinstance(told, PaymentNotice)
        return told

    opened, closed = NOW + timedelta(seconds=ahead), NOW + timedelta(hours=1, seconds=ahead)
    story = (
        at(opened, "order.disputed", NOW),
        at(opened, "order.disputed", NOW + timedelta(hours=1)),
        at(closed, "order.dispute_closed", NOW + timedelta(hours=1), won=True),
    )

    assert [dispute.state for dispute in added_up(story).disputes] == [DisputeState.WON]
    assert added_up(story).at == NOW


def test_without_a_key_of_mollies_api_the_shops_word_counts() -> None:
    (notice,) = webhook.read(a_call(callback({"payment_id": MOLLIE_ID}), get=None))

    assert isinstance(notice, PaymentNotice)
    assert (notice.state, notice.also) == (PaymentState.PAID, ())


def test_a_local_stack_takes_the_shops_word_for_what_its_made_up_mollie_does_not_know() -> None:
    (notice,) = webhook.read(a_call(callback({"payment_id": MOLLIE_ID}), stage="local"))

    assert isinstance(notice, PaymentNotice)
    assert (notice.state, notice.also) == (PaymentState.PAID, ())


@pytest.mark.parametrize("payment_id", ["inv_1", "tr_1", "ord_123456", None])
def test_other_payments_are_not_asked_for_at_mollie(payment_id: str | None) -> None:
    def nobody_asks(path: str, _query: Any) -> None:
        raise AssertionError(path)

    assert len(webhook.read(a_call(callback({"payment_id": payment_id}), get=nobody_asks))) == 1


def later(kind: str, **data: Any) -> bytes:
    """A callback about returned money, at noon of the day of NOW."""
    body = {"order_id": "2026-001235", "test": True, **data}
    return json.dumps({"type": kind, "timestamp": "2026-11-23T12:00:00+00:00", "data": body}).encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (later("order.refunded", full=True), {"refunded": Refunded(NOW, None, full=True)}),
        (later("order.refunded", amount_refunded="10.00"), {"refunded": Refunded(NOW, "10.00")}),
        (later("order.disputed"), {"disputes": (Dispute("2026-001235", DisputeState.OPEN, NOW),)}),
        (later("order.dispute_closed", won=True), {"disputes": (Dispute("2026-001235", DisputeState.WON, NOW),)}),
        (later("order.dispute_closed", won=False), {"disputes": (Dispute("2026-001235", DisputeState.LOST, NOW),)}),
    ],
)
def test_money_that_goes_back_is_told_of_the_orders_payment(body: bytes, says: dict[str, Any]) -> None:
    plain = PaymentNotice("webhook", "2026-001235", None, NOW, "2026-001235", said=NOW)

    assert webhook.read(a_call(body, stage="test")) == (replace(plain, **says),)


def test_a_canceled_order_is_told_as_such() -> None:
    assert webhook.read(a_call(later("order.canceled"), stage="test")) == (OrderCanceled("2026-001235", NOW, NOW),)


def test_the_order_card_may_stand_there_as_it_is() -> None:
    body = event("webhook/order.paid.json")
    del body["data"]["lines"], body["data"]["language"]
    body["data"] |= {"v": "1", "lang": "nl", "line_1": "A|2", "line_2": "B|1|renewal|LIC-1"}

    notice = read(json.dumps(body).encode())

    assert notice.language == "nl"
    assert notice.lines == (Line("A", 2), Line("B", 1, Kind.RENEWAL, "LIC-1"))


@pytest.mark.parametrize("kind", ["order.cancelled", "order.refund", "ORDER.PAID", "", None, 7, ["order.paid"]])
def test_a_type_that_keypost_does_not_know_is_refused_with_those_that_it_knows(kind: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        webhook.read(a_call(callback(type=kind), stage="test"))

    known = "order.paid, order.open, order.refunded, order.disputed, order.dispute_closed, order.canceled"
    assert english(refusal.value.said) == f"The callback is not correct: `type` is not one of: {known}."
    assert refusal.value.order_id == "2026-001235"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (later("order.refunded"), "a refund must contain"),
        (later("order.refunded", amount_refunded=-1), "`amount_refunded`"),
        (later("order.dispute_closed"), "`won` is missing"),
        (later("order.disputed", order_id="a/b"), "`order_id`"),
        (callback(timestamp="20 november"), "`timestamp`"),
        (callback(timestamp="2026-11-20T09:14:03"), "`timestamp`"),
        (without("order_id"), "`order_id` is missing"),
        (without("email"), "`email` is missing"),
        (without("currency"), "`currency` is missing"),
        (without("amount"), "`amount` is missing"),
        (without("lines"), "`lines` is missing"),
        (
            callback({"paymentId": "inv_1"}).replace(b'"payment_id"', b'"reference"'),
            "`payment_id` is spelt differently",
        ),
        (callback({"Language": "nl"}).replace(b'"language"', b'"reference"'), "`language` is spelt differently"),
        (callback({"lines": [{"sku": "A", "quantity": 1, "Kind": "renewal", "renews": "B"}]}), "`kind` is spelt"),
        (without("lines").replace(b'"data": {', b'"data": {"line1": "A|1", "line_2": "B|1", '), "`line_1` is spelt"),
        (callback(timeStamp="2026-11-20T09:14:03Z").replace(b'"timestamp"', b'"at"'), "`timestamp` is spelt"),
        (callback({"order_id": "a/b"}), "`order_id`"),
        (callback({"order_id": 7}), "`order_id`"),
        (callback({"email": 7}), "`email`"),
        (callback({"currency": "euro"}), "`currency`"),
        (callback({"amount": -1}), "`amount`"),
        (callback({"amount": "1e9"}), "`amount`"),
        (callback({"lines": []}), "`lines`"),
        (callback({"lines": "A|1"}), "`lines`"),
        (callback({"lines": [{"sku": "A", "quantity": 0}]}), "`lines.0.quantity`"),
        (callback({"lines": [{"sku": "A", "quantity": 10_000}]}), "`lines.0.quantity`"),
        (callback({"lines": [{"sku": "A", "quantity": True}]}), "is not a whole number"),
        (callback({"lines": [{"sku": "A", "quantity": 1, "kind": "renewal"}]}), "what it renews"),
        (callback({"test": "maybe"}), "`test`"),
        (callback(data=None).replace(b'"data": {', b'"data": [{').replace(b"}]}}", b"}]}]}"), "`data`"),
    ],
)
def test_a_callback_that_does_not_fit_is_refused_with_the_rule(body: bytes, fault: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        webhook.read(a_call(body, stage="test"))

    assert fault in english(refusal.value.said)


@pytest.mark.parametrize(("stage", "test"), [("live", True), ("test", False)])
def test_a_test_order_never_reaches_a_live_stack_nor_a_real_one_a_test_stack(stage: str, test: bool) -> None:
    with pytest.raises(InvalidInput, match="other_mode"):
        webhook.read(a_call(callback({"test": test}), stage=stage))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=9), each, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["order_id", "payment_id", "lines", "line_1", "Line 1", "lang", "sku", "amount", "full", "won"])


@given(st.sampled_from([*webhook._DATA]) | json_values, json_values, st.dictionaries(keys, json_values) | json_values)
def test_whatever_is_genuine_is_read_or_refused_with_a_rule(kind: Any, stamp: Any, data: Any) -> None:
    body = event("webhook/order.paid.json")
    body |= {"type": kind, "timestamp": stamp, "data": (body["data"] | data) if isinstance(data, dict) else data}
    try:
        found = [type(each).__name__ for each in webhook.read(a_call(json.dumps(body).encode()))]
    except InvalidInput as error:
        found = [english(error.said)]

    assert found
    assert all(text in ("PaymentNotice", "OrderCanceled", "Remark") or " " in text for text in found)
