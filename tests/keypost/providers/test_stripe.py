import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import stripe as stripe_library
from hypothesis import example, given
from hypothesis import strategies as st

from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.core.payment import (
    Charged,
    Dispute,
    DisputeState,
    FailedRefund,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
    SubscriptionEnded,
)
from keypost.core.product import Kind, Line
from keypost.core.said import said
from keypost.providers import stripe
from tests.builders import (
    NOW,
    SESSION,
    SKU,
    STRIPE_SECRET,
    a_call,
    api,
    code,
    english,
    event,
    stripe_event,
    stripe_headers,
)
from tests.builders import stripe_item as item

BODY = stripe_event()
AT = NOW.timestamp()
LATER = datetime(2026, 11, 24, tzinfo=UTC)


def read(body: bytes, stage: str = "test") -> PaymentNotice:
    (notice,) = stripe.read(a_call(body, stage=stage))
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
    with pytest.raises(SignatureRefused, match="signature_too_old"):
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


RIGHT = good.partition("v1=")[2]
PARTS = [
    f"t={int(AT)}",
    f"t={int(AT)}=x",
    f"t={int(AT) - 1}",
    f" t={int(AT)}",
    "t",
    "t=x",
    "v1",
    "v1=",
    "v0=abc",
    "",
    "=",
]
PARTS += [f"v1={RIGHT}", f"v1={RIGHT}=x", f" v1={RIGHT}", f"v1={RIGHT.upper()}", f"v1={RIGHT[:-1]}", "v1=abc"]


def accepted(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except (SignatureRefused, stripe_library.SignatureVerificationError):
        return False
    return True


@given(st.lists(st.sampled_from(PARTS), max_size=6).map(",".join), st.sampled_from([BODY, BODY + b" ", "é".encode()]))
@example(good, BODY)
@example(f"{good},v1=abc", BODY)
def test_of_headers_with_one_moment_we_accept_what_stripes_own_library_accepts(header: str, body: bytes) -> None:
    call = a_call(body, {"stripe-signature": header}, now=NOW)

    ours = accepted(lambda: stripe.verify(call, (STRIPE_SECRET,)))
    theirs = accepted(lambda: stripe_library.WebhookSignature.verify_header(body, header, STRIPE_SECRET))
    moments = re.findall("(?:^|,)t=([^,]*)", header)
    assert ours == (theirs and len(moments) == 1 and moments[0].isdigit())


@given(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.text("abc_", min_size=1),
)
def test_a_body_that_the_library_signs_is_accepted_with_its_own_secret_only(body: str, other: str, secret: str) -> None:
    header = stripe_library.WebhookSignature.generate_signature_header(body, secret, int(AT))
    calls = [a_call(text.encode(), {"stripe-signature": header}, now=NOW) for text in (body, other)]

    assert accepted(lambda: stripe.verify(calls[0], ("old", secret)))
    assert not accepted(lambda: stripe.verify(calls[0], (f"{secret}d",)))
    assert accepted(lambda: stripe.verify(calls[1], (secret,))) == (body == other)


def test_a_paid_session_with_an_order_card_is_an_order() -> None:
    assert read(BODY) == PaymentNotice(
        provider="stripe",
        payment_id=SESSION,
        state=PaymentState.PAID,
        at=datetime.fromtimestamp(1795000000, UTC),
        said=datetime.fromtimestamp(1795000000, UTC),
        order_id="2026-001234",
        amount="39.95",
        currency="EUR",
        email="facturen@klant.example",
        name="Anna Jansen",
        language="nl",
        lines=(Line(SKU, 1),),
        also=("stripe:pi_3SXk1keypost",),
    )


def money(name: str, **changes: Any) -> bytes:
    """A recorded event about returned money, with changes to its object."""
    return stripe_event(changes, name)


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
            {"disputes": (Dispute("dp_1SXdkeypost", DisputeState.OPEN, seconds(1795030000), "39.95"),)},
        ),
        *(
            (
                money("charge.dispute.closed", status=status),
                {"disputes": (Dispute("dp_1SXdkeypost", state, seconds(1795040000), "39.95"),)},
            )
            for status, state in [
                ("won", DisputeState.WON),
                ("warning_closed", DisputeState.WON),
                ("prevented", DisputeState.WON),
                ("lost", DisputeState.LOST),
            ]
        ),
    ],
)
def test_money_that_goes_back_is_told_by_the_payment_intent(body: bytes, says: dict[str, Any]) -> None:
    (told,) = stripe.read(a_call(body, stage="test", now=LATER))

    assert isinstance(told, PaymentNotice)
    assert told.at == told.said
    assert told == replace(PaymentNotice("stripe", "pi_3SXk1keypost", None, told.at, "", said=told.said), **says)


@pytest.mark.parametrize("name", ["charge.refunded", "refund.failed", "charge.dispute.created"])
def test_money_of_a_charge_without_a_payment_intent_is_told_by_the_charge(name: str) -> None:
    assert back(name, payment_intent=None).names == {"stripe:ch_3SXk1keypost"}
    assert back(name, payment_intent={"id": "pi_whole"}).names == {"stripe:pi_whole"}


def back(name: str, get: Any = None, **changes: Any) -> PaymentNotice:
    """The notice of money that went back."""
    (told,) = stripe.read(a_call(money(name, **changes), get=get, now=LATER))
    assert isinstance(told, PaymentNotice)
    return told


@pytest.mark.parametrize("name", ["charge.refunded", "charge.dispute.created"])
def test_money_of_test_mode_never_moves_a_live_order(name: str) -> None:
    with pytest.raises(InvalidInput, match="other_mode"):
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


@pytest.mark.parametrize("event_type", ["invoice.payment_succeeded", "customer.created", "checkout.session.expired"])
def test_an_event_of_another_kind_tells_of_no_payment(event_type: str) -> None:
    assert stripe.read(a_call(stripe_event(type=event_type), stage="test", now=NOW)) == ()


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
        with pytest.raises(InvalidInput, match="other_mode"):
            read(stripe_event(livemode=livemode), stage)


@pytest.mark.parametrize(
    ("session", "order_id", "problem"),
    [
        ({"metadata": {}}, "", None),
        ({"metadata": None}, "", None),
        ({"metadata": {"v": "1", "order_id": "7"}}, "7", None),
        ({"metadata": {"order_id": "a b", "sku": "A"}}, "", "`v` is missing"),
        ({"metadata": {"v": "1", "order_id": "7"} | {f"line_{n}": "A|1" for n in range(21)}}, "7", "is too long"),
        ({"metadata": {"v": "1", "order_id": "7", "line_1": "A|10000"}}, "7", "quantity"),
    ],
)
def test_a_paid_session_that_cannot_be_read_is_still_an_order_with_its_problem(
    session: dict[str, Any], order_id: str, problem: str | None
) -> None:
    notice = read(stripe_event(session))

    assert (notice.order_id, notice.state) == (order_id, PaymentState.PAID)
    assert problem or notice.lines == ()
    assert (problem or "") in (english(notice.problem) if notice.problem else "")
    assert (notice.problem is None) == (problem is None)
    assert notice.email == "anna@klant.example"


@pytest.mark.parametrize("mode", ["subscription", "setup"])
def test_a_session_of_another_mode_sells_nothing_itself(mode: Any) -> None:
    assert stripe.read(a_call(stripe_event({"mode": mode}))) == ()


def test_the_session_of_a_subscription_is_another_name_of_its_first_invoice() -> None:
    joined = read(stripe_event({"mode": "subscription", "invoice": "in_1"}))

    assert joined.names == {"stripe:in_1", f"stripe:{SESSION}"}
    assert (joined.state, joined.order_id) == (None, "")


def unknown(name: str, state: str) -> tuple[Remark]:
    why = said("stripe_unknown_state", id=name, state=state)
    return (Remark("stripe", NOW, why, payment=f"stripe:{name}"),)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"mode": "auction"}, "auction"),
        ({"mode": None}, "?"),
        ({"payment_status": "on_its_way"}, "on_its_way"),
        ({"payment_status": code(1)}, "?"),
        ({"payment_status": "anna@klant.example"}, "?"),
    ],
)
def test_a_session_in_a_state_that_nobody_knows_is_remarked(changes: dict[str, Any], state: str) -> None:
    assert stripe.read(a_call(stripe_event(changes))) == unknown(SESSION, state)


NO_CARD = {"metadata": {"v": "1", "order_id": "7"}}
ITEMS = f"/v1/checkout/sessions/{SESSION}/line_items"


@pytest.mark.parametrize(
    ("bought", "charged"),
    [
        ([item("A", 2)], [("A", 2)]),
        ([item(lookup_key="B")], [("B", 1)]),
        ([item(metadata={"sku": "C"}, lookup_key="monthly")], [("C", 1)]),
        ([item("a b", lookup_key="C")], [("C", 1)]),
        ([item("A"), item(), item("a b"), item("D", 3)], [("A", 1), ("", 1), ("a b", 1), ("D", 3)]),
        ([item()], []),
    ],
)
def test_a_session_whose_card_has_no_lines_is_asked_what_it_sold(
    bought: list[dict[str, Any]], charged: list[tuple[str, int]]
) -> None:
    found = read_with(stripe_event(NO_CARD), api(ITEMS, {"data": bought, "has_more": False}))

    assert (found.order_id, found.lines, found.itemized) == ("7", (), False)
    assert [(each.sku, each.quantity) for each in found.charged] == charged


def test_all_pages_of_what_a_session_sold_are_read() -> None:
    def get(path: str, query: Mapping[str, str]) -> dict[str, Any]:
        assert path == ITEMS
        if "starting_after" in query:
            assert query["starting_after"] == "li_1"
            return {"data": [item("B")], "has_more": False}
        return {"data": [item("A") | {"id": "li_1"}], "has_more": True}

    (notice,) = stripe.read(a_call(stripe_event(NO_CARD), get=get))

    assert isinstance(notice, PaymentNotice)
    assert [each.sku for each in notice.charged] == ["A", "B"]


def test_a_session_that_is_not_paid_is_not_asked_about() -> None:
    def nobody_asks(path: str, _query: Any) -> None:
        raise AssertionError(path)

    assert len(stripe.read(a_call(stripe_event(NO_CARD | {"payment_status": "unpaid"}), get=nobody_asks))) == 1


@pytest.mark.parametrize(
    ("items", "lines", "bought"),
    [
        ([item(None, 5) | {"adjustable_quantity": {"enabled": True}}], {"line_1": "A|1"}, [5]),
        ([item(None, 5)], {"line_1": "A|1"}, [1]),  # it may be a bundle
        ([item("A", 5) | {"adjustable_quantity": {"enabled": True}}], {"line_1": "A|1"}, [1]),  # both have a SKU
        ([], {"line_1": "A|1"}, [1]),
    ],
)
def test_the_quantity_that_the_buyer_chose_for_the_only_item_is_that_of_the_only_line(
    items: list[dict[str, Any]], lines: dict[str, str], bought: list[int]
) -> None:
    session = {"metadata": {"v": "1", "order_id": "7", **lines}}

    found = read_with(stripe_event(session), api(ITEMS, {"data": items, "has_more": False}))

    assert [line.quantity for line in found.lines] == bought


def test_a_key_that_may_not_see_what_was_bought_leaves_the_cards_word() -> None:
    def refused(path: str, _query: Any) -> None:
        raise ProviderRefused(path)

    found, remark = stripe.read(a_call(stripe_event(), get=refused))

    assert found == read(BODY)
    why = said("stripe_goods_not_compared", id=SESSION)
    assert remark == Remark("stripe", NOW, why, payment=f"stripe:{SESSION}")
    with pytest.raises(ProviderRefused):
        stripe.read(a_call(stripe_event(NO_CARD), get=refused))


def test_a_session_and_the_invoice_that_checkout_writes_of_it_are_one_payment() -> None:
    assert "stripe:in_1SYinvKeypost" in read(stripe_event({"invoice": "in_1SYinvKeypost"})).names


@pytest.mark.parametrize("lines", [5, {"data": 5}, {"data": [{"period": {"start": [], "end": {}}}]}, []])
def test_lines_of_an_invoice_that_are_none_are_read_as_none(lines: Any) -> None:
    assert read(invoice(lines=lines)).lines == (Line(SKU, 1, Kind.RENEWAL, "2025-000042/1"),)


def test_when_stripe_answers_nonsense_about_a_session_it_is_asked_again_later() -> None:
    for answer in ({}, {"data": 7}, {"data": [7]}):
        with pytest.raises(ProviderUnavailable):
            stripe.read(a_call(stripe_event(NO_CARD), get=api(ITEMS, answer)))


CARD = {"v": "1", "order_id": "2025-000042", "lang": "nl", "line_1": f"{SKU}|1|new"}
PERIOD = (date(2026, 11, 18), date(2027, 11, 17))
RENEWAL = Line(SKU, 1, Kind.RENEWAL, "2025-000042/1", *PERIOD)


CHARGED = event("stripe/invoice.paid.json")["data"]["object"]["lines"]["data"][0]["description"]


def invoice(**changes: Any) -> bytes:
    return stripe_event(changes, "invoice.paid")


def as_before_basil(**changes: Any) -> bytes:
    """The same invoice in the form of API versions before 2025-03-31."""
    body = event("stripe/invoice.paid.json")
    it = body["data"]["object"]
    del it["parent"]
    (line,) = it["lines"]["data"]
    for new in ("parent", "pricing"):
        del line[new]
    line |= {
        "type": "subscription",
        "subscription": "sub_1SXkeypost",
        "proration": False,
        "price": {"id": "price_1SXkeypost", "product": "prod_1SXkeypost", "lookup_key": None, "metadata": {}},
    }
    it |= {
        "paid": True,
        "subscription": "sub_1SXkeypost",
        "subscription_details": {"metadata": CARD},
        "payment_intent": "pi_3SYkeypost",
        **changes,
    }
    return json.dumps(body).encode()


def test_a_paid_invoice_of_a_running_subscription_is_an_order_that_renews_for_the_period_of_its_line() -> None:
    assert read(invoice()) == PaymentNotice(
        provider="stripe",
        payment_id="in_1SYinvKeypost",
        state=PaymentState.PAID,
        at=seconds(1794996300),
        said=seconds(1794996300),
        order_id="in_1SYinvKeypost",
        amount="39.95",
        currency="EUR",
        email="anna@klant.example",
        by_payer=True,
        name="Anna Jansen",
        language="nl",
        lines=(RENEWAL,),
        charged=(Charged("", 1, CHARGED, "39.95"),),
        is_subscription=True,
        subscription="sub_1SXkeypost",
    )


def test_it_is_read_the_same_in_the_words_from_before_basil_and_knows_its_intent() -> None:
    assert read(as_before_basil()) == replace(read(invoice()), also=("stripe:pi_3SYkeypost",))


def test_an_invoice_that_says_its_payments_knows_their_intents() -> None:
    payments = {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_3SYkeypost"}}]}

    assert read(invoice(payments=payments)).also == ("stripe:pi_3SYkeypost",)


@pytest.mark.parametrize("body", [invoice, as_before_basil])
def test_the_first_invoice_of_a_subscription_is_the_order_of_its_card(body: Any) -> None:
    found = read(body(billing_reason="subscription_create"))

    assert (found.order_id, found.lines) == ("2025-000042", (Line(SKU, 1, Kind.NEW, None, *PERIOD),))


def test_a_change_in_the_middle_of_a_period_is_looked_at_by_a_person() -> None:
    assert "subscription_update" in repr(read(invoice(billing_reason="subscription_update")).problem)


def test_an_invoice_that_does_not_say_what_it_charges_is_remarked() -> None:
    assert stripe.read(a_call(invoice(total=None))) == unknown("in_1SYinvKeypost", "total")


def test_an_invoice_without_a_subscription_counts_only_by_a_card_of_its_own() -> None:
    """If the shop asks for invoices, Checkout makes one for each session. Only the session is the sale then."""
    alone = {"parent": None, "billing_reason": "manual"}

    assert stripe.read(a_call(invoice(**alone))) == ()
    assert stripe.read(a_call(invoice(**alone, metadata={"order_id": "7"}))) == ()
    found = read(invoice(**alone, metadata=CARD))
    assert (found.order_id, found.lines) == ("2025-000042", (Line(SKU, 1),))


def test_lines_for_different_periods_leave_the_period_to_the_rule() -> None:
    lines = event("stripe/invoice.paid.json")["data"]["object"]["lines"]
    other = lines["data"][0] | {"period": {"start": 1794996000, "end": 1797588000}}

    found = read(invoice(lines={"data": [*lines["data"], other]}))

    assert found.lines == (Line(SKU, 1, Kind.RENEWAL, "2025-000042/1"),)


def test_a_line_of_proration_is_no_period() -> None:
    lines = event("stripe/invoice.paid.json")["data"]["object"]["lines"]["data"]
    proration = json.loads(json.dumps(lines[0]))
    proration["period"]["start"] = 1
    proration["parent"]["subscription_item_details"]["proration"] = True

    assert read(invoice(lines={"data": [proration, *lines]})).lines == (RENEWAL,)


@pytest.mark.parametrize("period", [None, {}, {"start": "x", "end": 1}, {"start": 1794996000, "end": 1794996000}])
def test_a_period_that_is_none_is_left_to_the_rule(period: Any) -> None:
    lines = event("stripe/invoice.paid.json")["data"]["object"]["lines"]["data"]

    found = read(invoice(lines={"data": [lines[0] | {"period": period}]}))

    assert found.lines == (Line(SKU, 1, Kind.RENEWAL, "2025-000042/1"),)


def no_card(**changes: Any) -> bytes:
    parent = {"subscription_details": {"subscription": "sub_1SXkeypost", "metadata": {}}}
    return invoice(parent=parent, **changes)


def read_with(body: bytes, get: Any) -> PaymentNotice:
    (notice,) = stripe.read(a_call(body, get=get))
    assert isinstance(notice, PaymentNotice)
    return notice


def test_a_subscription_without_a_card_is_known_by_its_prices() -> None:
    price = {"id": "price_1SXkeypost", "product": {"metadata": {"sku": SKU}}}

    found = read_with(no_card(), api("/v1/prices/price_1SXkeypost", price))

    assert found.lines == (Line(SKU, 1, Kind.RENEWAL, "sub_1SXkeypost/1", *PERIOD),)
    assert found.itemized


def test_a_card_that_the_invoice_does_not_copy_is_read_from_the_subscription() -> None:
    assert read_with(no_card(), api("/v1/subscriptions/sub_1SXkeypost", {"metadata": CARD})).lines == (RENEWAL,)


def test_all_pages_of_a_long_invoice_are_read() -> None:
    lines = event("stripe/invoice.paid.json")["data"]["object"]["lines"]
    get = api("/v1/invoices/in_1SYinvKeypost/lines", {"data": lines["data"], "has_more": False})

    assert read_with(invoice(lines={"data": [], "has_more": True}), get).lines == (RENEWAL,)


def test_a_subscription_of_which_nothing_is_known_is_kept_without_lines() -> None:
    (found,) = stripe.read(a_call(no_card(), get=None))

    assert isinstance(found, PaymentNotice)
    assert (found.order_id, found.lines) == ("in_1SYinvKeypost", ())


def test_an_invoices_payment_joins_the_invoice_and_the_intent_that_refunds_name() -> None:
    (told,) = stripe.read(a_call(json.dumps(event("stripe/invoice_payment.paid.json")).encode()))

    assert isinstance(told, PaymentNotice)
    assert (told.order_id, told.state) == ("", None)
    assert told.names == {"stripe:in_1SYinvKeypost", "stripe:pi_3SYkeypost"}


@pytest.mark.parametrize("changes", [{"invoice": None}, {"payment": {"type": "charge"}}, {"payment": None}])
def test_an_invoices_payment_that_joins_nothing_tells_of_nothing(changes: dict[str, Any]) -> None:
    body = event("stripe/invoice_payment.paid.json")
    body["data"]["object"] |= changes

    assert stripe.read(a_call(json.dumps(body).encode())) == ()


def test_the_end_of_a_subscription_is_told_of_the_order_of_its_card() -> None:
    body = event("stripe/customer.subscription.deleted.json")
    (ended,) = stripe.read(a_call(json.dumps(body).encode()))
    assert ended == SubscriptionEnded("2025-000042")
    assert isinstance(ended, SubscriptionEnded)
    assert ended.at == min(datetime.fromtimestamp(1795000000, UTC), NOW)

    for metadata in ({}, {"order_id": "2025-000042"}):
        body["data"]["object"]["metadata"] = metadata
        assert stripe.read(a_call(json.dumps(body).encode())) == ()


def listing(*pages: tuple[str, list[Any]]) -> Any:
    """Stripe's lists, by path."""
    answers = dict(pages)
    return lambda path, _query: {"data": answers.get(path, []), "has_more": False}


def told(*pages: tuple[str, list[Any]], stage: str = "test") -> Sequence[Any]:
    return list(stripe.recent(a_call(b"", get=listing(*pages), stage=stage), LATER))


def test_recent_events_tell_what_their_callbacks_would_have() -> None:
    names = ("checkout.session.completed", "invoice.paid", "charge.refunded", "customer.subscription.deleted")
    events = [event(f"stripe/{name}.json") for name in names]

    found = told(("/v1/events", events))

    assert found == [fact for each in events for fact in stripe.read(a_call(json.dumps(each).encode()))]
    assert len(found) == 4


def test_recent_payments_that_say_nothing_of_what_they_were_for_are_left_to_their_callbacks() -> None:
    bare = event("stripe/checkout.session.completed.json")
    bare["data"]["object"]["metadata"] = {}

    assert told(("/v1/events", [bare, event("stripe/invoice.paid.json") | {"type": "customer.created"}])) == []


def test_recent_sessions_tell_the_same_and_only_when_they_are_paid() -> None:
    session = event("stripe/checkout.session.completed.json")["data"]["object"] | {"livemode": False}

    (found,) = told(("/v1/checkout/sessions", [session, session | {"payment_status": "unpaid"}]))

    assert found == replace(read(BODY), at=NOW, said=NOW)


def test_recent_events_are_asked_for_by_type_and_time() -> None:
    asked = []

    def get(path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        asked.append((path, query["created[gte]"]))
        assert path != "/v1/events" or set(query["types[]"]) == set(stripe.EVENTS)
        return {"data": [], "has_more": False}

    assert list(stripe.recent(a_call(b"", get=get), LATER)) == []
    stamp = str(int(LATER.timestamp()))
    assert asked == [("/v1/events", stamp), ("/v1/checkout/sessions", stamp)]


def test_a_key_of_the_other_mode_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ProviderRefused, match="mode"):
        told(("/v1/events", [event("stripe/invoice.paid.json")]), stage="live")


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


def event_of(name: str) -> bytes:
    return stripe_event({}, name)


MONEY = ["charge.refunded", "refund.failed", "charge.dispute.created", "charge.dispute.closed"]
money_keys = st.sampled_from(["id", "payment_intent", "amount", "amount_refunded", "currency", "status", "refunded"])
event_keys = st.sampled_from(["type", "created", "livemode", "object", "id", "api_version"])


@given(st.dictionaries(session_keys, json_values | cards), st.dictionaries(event_keys, json_values, max_size=2))
def test_whatever_stands_in_an_event_it_is_read_or_refused(session: dict[str, Any], top: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        stripe.read(a_call(stripe_event(session, **top), stage="test", now=NOW))


@given(
    st.dictionaries(
        st.sampled_from(["id", "parent", "lines", "metadata", "total", "billing_reason", "payments", "subscription"]),
        json_values | cards,
    )
)
def test_whatever_stands_in_an_invoice_it_is_read_or_refused(changes: dict[str, Any]) -> None:
    with suppress(InvalidInput):
        stripe.read(a_call(invoice(**changes), get=None))


answers = st.dictionaries(
    st.sampled_from(["data", "has_more", "id", "metadata", "trial_end", "product", "lookup_key", "payment_status"]),
    json_values
    | st.lists(
        st.dictionaries(st.sampled_from(["id", "amount", "price", "quantity", "status"]), json_values), max_size=2
    ),
)


@given(
    st.sampled_from([BODY, *map(event_of, [*MONEY, "invoice.paid", "charge.captured"])]),
    st.lists(answers, min_size=1, max_size=4),
)
def test_whatever_stripe_answers_an_event_is_read_or_to_be_told_again(body: bytes, said_so: list[Any]) -> None:
    with suppress(ProviderUnavailable):
        stripe.read(a_call(body, get=lambda path, _query: said_so[len(path) % len(said_so)]))


@given(st.sampled_from(MONEY), st.dictionaries(money_keys, json_values))
def test_whatever_stands_in_an_event_about_money_it_is_read_or_refused(name: str, changes: dict[str, Any]) -> None:
    with suppress(InvalidInput, ProviderUnavailable):
        stripe.read(a_call(money(name, **changes), stage="test", now=NOW))
