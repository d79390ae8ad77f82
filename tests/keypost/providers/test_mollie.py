import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.models import Dispute, DisputeState, Line, PaymentNotice, PaymentState, Refunded
from keypost.providers import mollie
from tests.builders import EVENTS, MOLLIE_SECRET, MOLLIE_TOKEN, NOW, SKU, a_call, event

ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"
EVENT = (EVENTS / "mollie/payment.paid.json").read_bytes()


def payment(**changes: Any) -> dict[str, Any]:
    """The recorded payment, with changes; a change to None takes the field away."""
    given: dict[str, Any] = event("mollie/payment.json") | changes
    return {key: value for key, value in given.items() if value is not None}


def fetched(found: dict[str, Any] | None, stage: str = "test") -> PaymentNotice | None:
    asked: list[tuple[str, Mapping[str, str]]] = []

    def get(path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        asked.append((path, query))
        return found

    notice = mollie.read_classic(a_call(f"id={ID}".encode(), stage=stage, get=get))
    assert asked == [(f"/v2/payments/{ID}", {"embed": "refunds,chargebacks"})]
    return notice


def notice(**changes: Any) -> PaymentNotice:
    found = fetched(payment(**changes))
    assert found is not None
    return found


def sign(body: bytes, secret: str = MOLLIE_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


PAID = PaymentNotice(
    provider="mollie",
    payment_id=ID,
    state=PaymentState.PAID,
    at=datetime(2026, 11, 20, 9, 14, 2, tzinfo=UTC),
    order_id="2026-001236",
    amount="39.95",
    currency="EUR",
    email="facturen@klant.example",
    name="Anna Jansen",
    language="nl",
    lines=(Line(SKU, 1),),
)


def test_a_payment_is_read_as_mollie_says_it_is_now() -> None:
    assert notice() == PAID


def test_metadata_may_be_a_text_of_json() -> None:
    assert notice(metadata=json.dumps(payment()["metadata"])) == PAID


def test_a_shop_on_mollies_plugin_works_without_changing_anything() -> None:
    lines = [
        {"type": "digital", "sku": SKU, "quantity": 2},
        {"type": "shipping_fee", "sku": "shipping", "quantity": 1},
        {"type": "physical", "quantity": 1},
    ]

    found = notice(metadata={"order_id": 1234}, lines=lines)

    assert found == replace(PAID, order_id="1234", email="anna@klant.example", lines=(Line(SKU, 2),))


@pytest.mark.parametrize(
    "metadata", [None, 12, "text", [1], {}, {"order_id": None}, {"order_id": True}, {"order_id": "a b"}]
)
def test_a_payment_that_names_no_order_is_an_order_by_its_own_id(metadata: Any) -> None:
    found = notice(metadata=metadata)

    assert (found.order_id, found.lines, found.problem) == (ID, (Line(SKU, 1),), None)


def test_a_payment_that_says_nothing_of_what_was_bought_has_no_lines() -> None:
    found = notice(metadata={"order_id": "7"}, lines=None, billingAddress=None)

    assert (found.order_id, found.lines, found.email) == ("7", (), None)


def test_an_address_at_paypal_is_none_to_write_to() -> None:
    details = {"consumerAccount": "paypal-login@klant.example"}

    assert notice(metadata=None, billingAddress=None, details=details).email is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", PaymentState.OPEN),
        ("pending", PaymentState.OPEN),
        ("canceled", PaymentState.FAILED),
        ("expired", PaymentState.FAILED),
        ("failed", PaymentState.FAILED),
        ("paid", PaymentState.PAID),
    ],
)
def test_the_status_says_how_far_a_payment_came(status: str, state: PaymentState) -> None:
    assert notice(status=status).state is state


@pytest.mark.parametrize("changes", [{"status": "authorized"}, {"status": "new-in-2027"}])
def test_a_status_that_is_not_money_tells_of_nothing(changes: dict[str, Any]) -> None:
    assert fetched(payment(**changes)) is None


def test_a_payment_of_nothing_only_sets_up_a_mandate() -> None:
    assert fetched(payment(amount={"value": "0.00", "currency": "EUR"})) is None


def test_an_unknown_payment_or_another_than_was_asked_for_tells_of_nothing() -> None:
    assert fetched(None) is None
    assert fetched(payment(id="tr_another1")) is None


def back(*refunds: tuple[str, str]) -> dict[str, Any]:
    return {
        "refunds": [{"status": status, "amount": {"value": value, "currency": "EUR"}} for status, value in refunds],
        "chargebacks": [],
    }


@pytest.mark.parametrize(
    ("refunds", "amount"),
    [
        ([("processing", "10.00")], "10.00"),
        ([("refunded", "10.00"), ("processing", "29.95")], "39.95"),
        ([("queued", "10.00"), ("pending", "5.00")], "0"),
        ([("failed", "39.95"), ("canceled", "1.00")], "0"),
    ],
)
def test_refunds_count_from_processing_on_and_not_when_they_failed(refunds: list[tuple[str, str]], amount: str) -> None:
    assert notice(_embedded=back(*refunds)).refunded == Refunded(NOW, amount)


def test_a_chargeback_is_a_dispute_until_it_is_reversed() -> None:
    first = {"id": "chb_1", "createdAt": "2026-11-21T10:00:00+00:00", "reversedAt": None}
    second = {"id": "chb_2", "createdAt": "2026-11-21T11:00:00+00:00", "reversedAt": "2026-11-22T10:00:00+00:00"}

    found = notice(_embedded={"chargebacks": [first, second]})

    assert found.disputes == (
        Dispute("chb_1", DisputeState.OPEN, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        Dispute("chb_2", DisputeState.WON, datetime(2026, 11, 22, 10, tzinfo=UTC)),
    )


def test_a_recurring_payment_is_an_order_of_its_own_that_a_person_serves() -> None:
    found = notice(sequenceType="recurring")

    assert found.order_id == ID
    assert "recurring payment" in (found.problem or "")


@pytest.mark.parametrize(("stage", "mode"), [("live", "test"), ("test", "live")])
def test_a_payment_of_the_other_mode_is_a_mistake_in_the_settings(stage: str, mode: str) -> None:
    with pytest.raises(ProviderRefused, match="mode"):
        fetched(payment(mode=mode), stage)


@pytest.mark.parametrize(
    "changes", [{"amount": None}, {"amount": {"value": "39,95", "currency": "EUR"}}, {"createdAt": "now"}, {"id": 7}]
)
def test_an_answer_that_is_not_as_documented_is_asked_for_again(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnavailable, match="not as documented"):
        fetched(payment(**changes))


@pytest.mark.parametrize(
    "body",
    [b"", b"id=", b"id=ord_123456", b"id=tr_/../../v2/customers/cst_x", b"id=tr_abc%0a123456", b"id=tr_12345", b"\xff",
     b"id=" + b"tr_" + b"a" * 65, b"&".join(b"a=1" for _ in range(50))],
    ids=range(9),
)  # fmt: skip
def test_an_id_that_is_none_of_a_payment_never_reaches_a_url(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        mollie.read_classic(a_call(body, get=_nobody_asks))


def _nobody_asks(path: str, _query: Mapping[str, str]) -> None:
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("kind", "entity"),
    [
        ("payment.paid", {}),
        ("payment.new-in-2027", {}),
        ("refund.processing", {"paymentId": ID}),
        ("chargeback.received", {"paymentId": ID}),
    ],
)
def test_an_event_leads_to_its_payment(kind: str, entity: dict[str, Any]) -> None:
    body = event("mollie/payment.paid.json") | {"type": kind, "_embedded": {"entity": entity}}

    assert mollie.read_event(a_call(json.dumps(body).encode(), get=lambda _p, _q: payment())) == PAID


@pytest.mark.parametrize("kind", ["payout.paid", "balance-transaction.created", "hook.ping", ""])
def test_an_event_about_something_else_tells_of_nothing(kind: str) -> None:
    body = event("mollie/payment.paid.json") | {"type": kind}

    assert mollie.read_event(a_call(json.dumps(body).encode(), get=_nobody_asks)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "payment"},
        {"entityId": "tr_/../x"},
        {"entityId": None},
        {"type": "refund.failed", "_embedded": None},
        {"type": "refund.failed", "_embedded": {"entity": "re_1"}},
        {"type": "chargeback.received", "_embedded": {"entity": {"paymentId": "cst_1"}}},
    ],
)
def test_an_event_that_names_no_payment_is_refused(changes: dict[str, Any]) -> None:
    body = event("mollie/payment.paid.json") | changes

    with pytest.raises(InvalidInput):
        mollie.read_event(a_call(json.dumps(body).encode(), get=_nobody_asks))


def test_what_mollie_signed_is_accepted_also_twice_in_one_header_during_a_rotation() -> None:
    for header in (sign(EVENT), f"{sign(EVENT, 'old')},{sign(EVENT)}", f"{sign(EVENT)} , {sign(EVENT, 'new')}"):
        mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": header}), ("other", MOLLIE_SECRET))


@pytest.mark.parametrize(
    "header",
    [
        "",
        sign(EVENT, "forged"),
        sign(EVENT)[7:],
        sign(EVENT).upper(),
        sign(EVENT + b" "),
        "sha256=",
        "sha256=\xe9",
        ",",
    ],
    ids=range(8),
)
def test_a_forged_or_malformed_signature_is_refused(header: str) -> None:
    with pytest.raises(SignatureRefused):
        mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": header}), (MOLLIE_SECRET,))


def test_an_empty_secret_accepts_nothing_not_even_what_was_signed_with_it() -> None:
    for secrets in ((), ("",)):
        with pytest.raises(SignatureRefused):
            mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": sign(EVENT, "")}), secrets)


@pytest.mark.parametrize(
    "query", [{}, {"token": ""}, {"token": "wrong"}, {"token": MOLLIE_TOKEN + "x"}, {"token": "\xe9"}]
)
def test_a_classic_call_without_the_token_of_this_stack_is_refused(query: dict[str, str]) -> None:
    mollie.verify_token(a_call(b"", query={"token": MOLLIE_TOKEN}), (MOLLIE_TOKEN,))

    for secrets in ((), (MOLLIE_TOKEN,)):
        with pytest.raises(SignatureRefused):
            mollie.verify_token(a_call(b"", query=query), secrets)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(sorted(payment())), json_values), st.binary(max_size=80))
def test_whatever_mollie_or_a_stranger_says_it_is_read_or_refused(changes: dict[str, Any], body: bytes) -> None:
    for read, sent in (
        (mollie.read_classic, f"id={ID}".encode()),
        (mollie.read_classic, body),
        (mollie.read_event, body),
    ):
        try:
            read(a_call(sent, get=lambda _path, _query: event("mollie/payment.json") | changes))
        except (InvalidInput, ProviderRefused, ProviderUnavailable):
            continue
