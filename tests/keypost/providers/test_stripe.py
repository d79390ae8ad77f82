import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe as stripe_library
from hypothesis import given
from hypothesis import strategies as st

from keypost.errors import InvalidInput, SignatureRefused
from keypost.models import (
    Dispute,
    DisputeState,
    FailedRefund,
    Line,
    MoneyBack,
    PaymentNotice,
    PaymentState,
    Refunded,
)
from keypost.providers import stripe
from tests.builders import NOW, SESSION, SKU, STRIPE_SECRET, a_call, event, stripe_event, stripe_headers

BODY = stripe_event()
AT = NOW.timestamp()
LATER = datetime(2026, 11, 24, tzinfo=UTC)


def read(body: bytes, stage: str = "test") -> PaymentNotice:
    notice = stripe.read(a_call(body, stage=stage))
    assert isinstance(notice, PaymentNotice)
    return notice


def test_what_stripe_signed_is_accepted() -> None:
    stripe.verify(a_call(BODY, stripe_headers(BODY, at=AT), now=NOW), (STRIPE_SECRET,))


def test_any_of_two_secrets_and_any_of_two_signatures_will_do_during_a_rotation() -> None:
    old, new = (stripe_headers(BODY, secret, AT)["stripe-signature"] for secret in ("whsec_old", "whsec_new"))
    both = {"stripe-signature": f"{old},{new.partition(',')[2]},v0=abc"}

    stripe.verify(a_call(BODY, both, now=NOW), ("whsec_new",))
    stripe.verify(a_call(BODY, {"stripe-signature": old}, now=NOW), ("whsec_new", "whsec_old"))


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_is_good_for_five_minutes_to_both_sides(seconds: int) -> None:
    stripe.verify(a_call(BODY, stripe_headers(BODY, at=AT + seconds), now=NOW), (STRIPE_SECRET,))


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 86400])
def test_an_old_or_future_signature_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureRefused, match="five minutes"):
        stripe.verify(a_call(BODY, stripe_headers(BODY, at=AT + seconds), now=NOW), (STRIPE_SECRET,))


good = stripe_headers(BODY, at=AT)["stripe-signature"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        good.replace("v1=", "v0="),
        good.replace("v1=", "v1=0"),
        good.replace("t=", "t=t="),
        good + f",t={int(AT)}",
        good.replace(str(int(AT)), "1e9"),
        good.replace(str(int(AT)), "\u0661\u0662"),
        f"t={int(AT)},v1=\xe9\xff",
        f"t={int(AT)},v1",
        f"t={int(AT)}",
        "v1=" + good.partition("v1=")[2],
        "," * 5000,
    ],
)
def test_a_malformed_or_forged_header_is_refused(header: str) -> None:
    with pytest.raises(SignatureRefused):
        stripe.verify(a_call(BODY, {"stripe-signature": header}, now=NOW), (STRIPE_SECRET,))


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff" + BODY])
def test_other_bytes_than_those_signed_are_refused(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        stripe.verify(a_call(body, {"stripe-signature": good}, now=NOW), (STRIPE_SECRET,))


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_other",)])
def test_without_the_right_secret_nothing_is_accepted_not_even_with_an_empty_one(secrets: tuple[str, ...]) -> None:
    for key in ("", STRIPE_SECRET):
        with pytest.raises(SignatureRefused):
            stripe.verify(a_call(BODY, stripe_headers(BODY, key, AT)), secrets)


@given(st.text(max_size=60), st.binary(max_size=60))
def test_no_header_and_no_body_raises_anything_but_a_refusal(header: str, body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        stripe.verify(a_call(body, {"stripe-signature": f"t={int(AT)},{header}"}, now=NOW), (STRIPE_SECRET,))


@given(st.integers(-600, 600), st.sampled_from([STRIPE_SECRET, "whsec_other"]))
def test_we_accept_what_stripes_own_library_accepts_but_for_the_future(offset: int, secret: str) -> None:
    """The library is the oracle; it judges by the clock of this machine, so the past is what is compared."""
    now = datetime.now(UTC).replace(microsecond=0)
    stamp = now.timestamp() + offset
    headers = stripe_headers(BODY, secret, stamp)
    try:
        stripe_library.Webhook.construct_event(BODY, headers["stripe-signature"], STRIPE_SECRET)
        theirs = offset <= 300
    except stripe_library.SignatureVerificationError:
        theirs = False
    try:
        stripe.verify(a_call(BODY, headers, now=now), (STRIPE_SECRET,))
        ours = True
    except SignatureRefused:
        ours = False

    assert ours == theirs or offset in (-299, -300, -301)  # a second may pass between the two


def test_a_paid_session_with_an_order_card_is_an_order() -> None:
    assert read(BODY) == PaymentNotice(
        provider="stripe",
        payment_id=SESSION,
        state=PaymentState.PAID,
        at=datetime.fromtimestamp(1795000000, UTC),
        order_id="2026-001234",
        amount="39.95",
        currency="EUR",
        email="facturen@klant.example",
        name="Anna Jansen",
        language="nl",
        lines=(Line(SKU, 1),),
        reference="pi_3SXk1keypost",
    )


def money(name: str, **changes: Any) -> bytes:
    """A recorded event about money that went back, with changes to its object."""
    body = event(f"stripe/{name}.json")
    body["data"]["object"] |= changes
    return json.dumps(body).encode()


def seconds(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (money("charge.refunded"), {"refunded": Refunded(seconds(1795010000), "39.95")}),
        (money("charge.refunded", amount_refunded=1000), {"refunded": Refunded(seconds(1795010000), "10.00")}),
        (
            money("refund.failed"),
            {"failed_refunds": (FailedRefund("re_3SXk1keypost", "39.95", seconds(1795020000)),)},
        ),
        (
            money("charge.dispute.created"),
            {"disputes": (Dispute("dp_1SXdkeypost", DisputeState.OPEN, seconds(1795030000)),)},
        ),
        *(
            (
                money("charge.dispute.closed", status=status),
                {"disputes": (Dispute("dp_1SXdkeypost", state, seconds(1795040000)),)},
            )
            for status, state in [
                ("won", DisputeState.WON),
                ("warning_closed", DisputeState.WON),
                ("lost", DisputeState.LOST),
            ]
        ),
    ],
)
def test_money_that_goes_back_is_told_by_the_payment_intent(body: bytes, says: dict[str, Any]) -> None:
    told = stripe.read(a_call(body, stage="test", now=LATER))

    assert isinstance(told, MoneyBack)
    assert told.reference == "pi_3SXk1keypost"
    assert told.notice == replace(PaymentNotice("stripe", "", None, told.notice.at, ""), **says)


def test_money_that_goes_back_of_something_else_than_a_checkout_is_nothing_to_us() -> None:
    assert stripe.read(a_call(money("charge.refunded", payment_intent=None), stage="test", now=LATER)) is None


@pytest.mark.parametrize("name", ["charge.refunded", "charge.dispute.created"])
def test_money_of_test_mode_never_moves_a_live_order(name: str) -> None:
    with pytest.raises(InvalidInput, match="livemode"):
        stripe.read(a_call(money(name), stage="live", now=LATER))


@pytest.mark.parametrize(
    ("event_type", "payment_status", "state"),
    [
        ("checkout.session.completed", "paid", PaymentState.PAID),
        ("checkout.session.completed", "no_payment_required", PaymentState.PAID),
        ("checkout.session.completed", "unpaid", PaymentState.OPEN),
        ("checkout.session.async_payment_succeeded", "paid", PaymentState.PAID),
        ("checkout.session.async_payment_failed", "unpaid", PaymentState.FAILED),
    ],
)
def test_the_event_and_its_payment_status_say_how_the_payment_stands(
    event_type: str, payment_status: str, state: PaymentState
) -> None:
    assert read(stripe_event({"payment_status": payment_status}, type=event_type)).state is state


@pytest.mark.parametrize("event_type", ["invoice.paid", "customer.created", "checkout.session.expired"])
def test_an_event_of_another_kind_tells_of_no_payment(event_type: str) -> None:
    assert stripe.read(a_call(stripe_event(type=event_type), stage="test", now=NOW)) is None


@pytest.mark.parametrize(
    ("stage", "livemode", "fits"),
    [
        ("live", True, 1),
        ("live", False, 0),
        ("test", True, 0),
        ("test", False, 1),
        ("local", True, 1),
        ("local", False, 1),
    ],
)
def test_test_mode_never_reaches_a_live_stack_nor_live_mode_a_test_stack(stage: str, livemode: bool, fits: int) -> None:
    if fits:
        read(stripe_event(livemode=livemode), stage)
    else:
        with pytest.raises(InvalidInput, match="livemode"):
            read(stripe_event(livemode=livemode), stage)


@pytest.mark.parametrize(
    ("session", "order_id", "problem"),
    [
        ({"id": "c" * 255, "metadata": {}}, "c" * 80, None),
        ({"metadata": {}}, SESSION, None),
        ({"metadata": None}, SESSION, None),
        ({"metadata": {"v": "1", "order_id": "7"}}, "7", "lines"),
        (
            {"metadata": {"order_id": "a b", "sku": "A"}},
            SESSION,
            "v: Field required",
        ),
        ({"metadata": {"v": "1", "order_id": "7"} | {f"line_{n}": "A|1" for n in range(21)}}, "7", "at most 20"),
        ({"metadata": {"v": "1", "order_id": "7", "line_1": "A|10000"}}, "7", "quantity"),
        ({"mode": "subscription"}, "2026-001234", "mode subscription"),
    ],
)
def test_a_paid_session_that_cannot_be_read_is_still_an_order_with_its_problem(
    session: dict[str, Any], order_id: str, problem: str | None
) -> None:
    notice = read(stripe_event(session))

    assert (notice.order_id, notice.state, notice.lines) == (order_id, PaymentState.PAID, ())
    assert notice.problem is None if problem is None else problem in (notice.problem or "")
    assert notice.email == "anna@klant.example"


def test_without_an_address_on_the_card_the_mail_goes_to_the_customer_of_the_session() -> None:
    card = {"v": "1", "order_id": "7", "sku": SKU}

    assert read(stripe_event({"metadata": card})).email == "anna@klant.example"
    assert read(stripe_event({"metadata": card, "customer_details": {"email": "a@b\r\n"}})).email is None
    assert read(stripe_event({"metadata": card, "customer_details": None})).email is None


def test_an_amount_is_counted_in_the_units_of_its_currency() -> None:
    assert read(stripe_event({"currency": "jpy", "amount_total": 500})).amount == "500"
    assert read(stripe_event({"currency": "eur", "amount_total": 500})).amount == "5.00"
    assert read(stripe_event({"amount_total": None})).amount is None


@pytest.mark.parametrize(
    ("locale", "language"), [("nl", "nl"), ("en-GB", "en"), ("auto", None), (None, None), ("", None)]
)
def test_without_a_language_on_the_card_the_session_says_it_if_it_does(
    locale: str | None, language: str | None
) -> None:
    card = {"v": "1", "order_id": "7", "sku": SKU}

    assert read(stripe_event({"metadata": card, "locale": locale})).language == language


def test_a_coupon_for_all_of_it_is_no_payment_of_nothing() -> None:
    assert read(stripe_event({"payment_status": "no_payment_required", "amount_total": 0})).amount is None
    assert read(stripe_event({"amount_total": 0})).amount == "0.00"


def test_a_moment_that_cannot_be_is_replaced_by_now() -> None:
    assert read(stripe_event(created=10**400)).at == NOW
    assert read(stripe_event(created=int(AT) + 60)).at == NOW
    assert read(stripe_event(created="yesterday")).at == NOW


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"not json",
        b'{"object":"v2.core.event","type":"v1.checkout.session.completed"}',
        b'{"object":"event","type":"checkout.session.completed","livemode":false}',
        b'{"object":"event","type":"checkout.session.completed","livemode":false,"data":{"object":{"id":5.5e9}}}',
        stripe_event({"id": "cs/../x"}),
        stripe_event({"id": "c" * 256}),
        stripe_event(type=[]),
        stripe_event(type={}),
        stripe_event(livemode="false"),
    ],
)
def test_a_signed_body_that_is_no_snapshot_event_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        stripe.read(a_call(body, stage="test", now=NOW))


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4)
cards = st.dictionaries(st.sampled_from(["v", "order_id", "email", "name", "line_1", "sku"]), json_values)
session_keys = st.sampled_from(
    ["mode", "metadata", "customer_details", "locale", "currency", "amount_total", "payment_status", "id"]
)


MONEY = ["charge.refunded", "refund.failed", "charge.dispute.created", "charge.dispute.closed"]
money_keys = st.sampled_from(["id", "payment_intent", "amount", "amount_refunded", "currency", "status", "refunded"])
event_keys = st.sampled_from(["type", "created", "livemode", "object", "id", "api_version"])


@given(st.dictionaries(session_keys, json_values | cards), st.dictionaries(event_keys, json_values, max_size=2))
def test_whatever_stands_in_an_event_it_is_read_or_refused(session: dict[str, Any], top: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        stripe.read(a_call(stripe_event(session, **top), stage="test", now=NOW))


@given(st.sampled_from(MONEY), st.dictionaries(money_keys, json_values))
def test_whatever_stands_in_an_event_about_money_it_is_read_or_refused(name: str, changes: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        stripe.read(a_call(money(name, **changes), stage="test", now=NOW))
