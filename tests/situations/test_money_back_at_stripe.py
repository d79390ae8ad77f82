"""Money that went back, or that may: how much, and whether it has moved."""

from dataclasses import replace
from typing import Any

import pytest

from keypost.core.charged import understood
from keypost.core.contents import with_payment
from keypost.core.errors import ProviderForbidden, ProviderRefused
from keypost.core.payment import Dispute, DisputeState, FailedRefund, PaymentNotice, PaymentState, Refunded, Standing
from keypost.core.said import said
from keypost.providers import stripe
from tests.builders import NOW, SESSION, SKU, a_call, added_up, api, event, stripe_event

INTENT = "pi_3SXk1keypost"


def told(name: str, get: Any = None, **changes: Any) -> PaymentNotice:
    *_, found = stripe.read(a_call(stripe_event(changes, name), get=get))
    assert isinstance(found, PaymentNotice)
    return found


def refunds(*found: tuple[str, int]) -> Any:
    """Stripe's list of the refunds of a charge."""
    listed = [{"id": f"re_{n}", "status": s, "amount": a, "currency": "eur"} for n, (s, a) in enumerate(found)]
    return api("/v1/refunds", {"data": listed, "has_more": False})


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review"])
def test_a_question_of_the_bank_moves_no_money(status: str) -> None:
    """woocommerce-gateway-stripe#1233 and #3671, Automattic/woocommerce-payments#9918: inquiries taken for disputes."""
    (inquiry,) = told("charge.dispute.created", status=status).disputes

    assert inquiry.state is DisputeState.INQUIRY


def test_a_question_of_the_bank_that_becomes_a_dispute_is_open_and_one_that_is_closed_is_won() -> None:
    asked = told("charge.dispute.created", status="warning_needs_response")
    moved = told("charge.dispute.funds_withdrawn", status="needs_response")
    assert [dispute.state for dispute in added_up([moved, asked]).disputes] == [DisputeState.OPEN]

    closed = told("charge.dispute.closed", status="warning_closed")
    assert [dispute.state for dispute in added_up([closed, asked]).disputes] == [DisputeState.WON]


def test_a_dispute_of_a_part_has_the_amount_of_that_part_when_it_is_lost() -> None:
    """docs.stripe.com/api/disputes/object: the amount may be that of a part of the order."""
    found = told("charge.dispute.closed", status="lost", amount=1000)

    assert found.said is not None
    assert found.disputes == (Dispute("dp_1SXdkeypost", DisputeState.LOST, found.said, "10.00"),)


@pytest.mark.parametrize(
    ("details", "state"),
    [
        ({"payment_method_details": {"card": {"case_type": "block"}}}, DisputeState.WON),
        ({}, DisputeState.WON),
        ({"payment_method_details": {"card": {"case_type": "resolution"}}}, DisputeState.LOST),
        ({"balance_transactions": [{"amount": -3995}]}, DisputeState.LOST),
        ({"balance_transactions": [{"amount": -3995}, {"amount": 3995}]}, DisputeState.WON),
    ],
)
def test_a_dispute_that_was_prevented_is_lost_if_the_money_went_back(details: Any, state: DisputeState) -> None:
    """docs.stripe.com/disputes/prevention-preview: a rule of the shop may resolve (refund) a dispute at once."""
    (dispute,) = told("charge.dispute.closed", status="prevented", **details).disputes

    assert dispute.state is state


def test_a_refund_that_stripe_has_only_queued_is_not_returned_until_it_is_processed() -> None:
    """docs.stripe.com/refunds: a refund is pending while the balance is too low, or on its way to a bank."""
    queued = told("charge.refunded", refunds(("pending", 3995)), amount_refunded=3995)
    assert queued.refunded == Refunded(NOW, "0.00")

    done = told("refund.updated", refunds(("succeeded", 3995)), status="succeeded")
    assert done.refunded == Refunded(NOW, "39.95")


def test_of_several_refunds_those_that_are_processed_add_up() -> None:
    found = told("refund.failed", refunds(("succeeded", 1000), ("failed", 500), ("requires_action", 700)))

    assert (found.refunded, found.failed_refunds) == (Refunded(NOW, "10.00"), ())
    assert told("charge.refunded", refunds(("succeeded", 1000), ("succeeded", 500))).refunded == Refunded(NOW, "15.00")


@pytest.mark.parametrize(
    "get", [None, api(), api("/v1/refunds", ProviderForbidden("x"))], ids=["no key", "none", "refused"]
)
def test_where_the_refunds_cannot_be_listed_the_events_say_what_they_say(get: Any) -> None:
    (found,) = stripe.read(a_call(stripe_event({}, "charge.refunded"), get=get))
    assert isinstance(found, PaymentNotice)
    assert found.said is not None
    assert found.refunded == Refunded(found.said, "39.95")

    assert stripe.read(a_call(stripe_event({"status": "pending"}, "refund.updated"), get=get)) == ()
    for name, changes in (("refund.failed", {}), ("refund.updated", {"status": "canceled"})):
        found = told(name, get, **changes)
        assert found.said is not None
        assert found.failed_refunds == (FailedRefund("re_3SXk1keypost", "39.95", found.said),)


def test_a_refund_of_what_was_never_taken_returns_nothing() -> None:
    """docs.stripe.com/changelog/basil/2025-03-31: until then the rest of a partial capture was a refund."""
    rest = {"id": "re_1", "status": "succeeded", "amount": 3995, "currency": "eur", "reason": "partial_capture"}

    found = told("charge.refunded", api("/v1/refunds", {"data": [rest], "has_more": False}))

    assert found.refunded == Refunded(NOW, "0.00")


PART = {"amount": 7990, "amount_captured": 3995}
IN_PART = said("captured_in_part", amount="EUR 39.95", whole="EUR 79.90")


def test_of_a_reserved_amount_only_what_was_taken_is_paid() -> None:
    """docs.stripe.com/payments/place-a-hold-on-a-payment-method: less may be captured than was authorized."""
    found = told("charge.captured", **PART)

    assert (found.payment_id, found.state, found.amount, found.currency) == (INTENT, None, "39.95", "EUR")


def test_a_capture_brings_the_session_that_it_pays_which_no_other_event_does() -> None:
    session = event("stripe/checkout.session.completed.json")["data"]["object"] | {"amount_total": 7990}
    get = api("/v1/checkout/sessions", {"data": [session], "has_more": False})

    paid, captured = stripe.read(a_call(stripe_event(PART, "charge.captured"), get=get))

    assert isinstance(paid, PaymentNotice)
    assert (paid.payment_id, paid.state, paid.amount, paid.problem) == (SESSION, PaymentState.PAID, "39.95", IN_PART)
    assert captured == told("charge.captured", **PART)


def test_a_capture_of_all_that_was_reserved_pays_its_session() -> None:
    session = event("stripe/checkout.session.completed.json")["data"]["object"]

    get = api("/v1/checkout/sessions", {"data": [session], "has_more": False})
    paid, _ = stripe.read(a_call(stripe_event({}, "charge.captured"), get=get))

    assert isinstance(paid, PaymentNotice)
    assert (paid.state, paid.amount, paid.problem) == (PaymentState.PAID, "39.95", None)


def test_the_hourly_run_does_not_take_a_reserved_amount_for_a_paid_one() -> None:
    session = event("stripe/checkout.session.completed.json")["data"]["object"] | {"amount_total": 7990}
    captured = event("stripe/charge.captured.json")
    captured["data"]["object"] |= PART
    lists = {"/v1/events": [captured], "/v1/checkout/sessions": [session]}

    def get(path: str, query: Any) -> Any:
        return {"data": [] if "payment_intent" in query else lists.get(path, []), "has_more": False}

    _, found = stripe.recent(a_call(b"", get=get), NOW)

    assert isinstance(found, PaymentNotice)
    assert (found.payment_id, found.amount, found.problem) == (SESSION, "39.95", IN_PART)


def test_a_key_that_is_refused_does_not_keep_money_back_from_being_told() -> None:
    refused = api("/v1/refunds", ProviderRefused("x"))

    assert told("charge.refunded", refused) == replace(told("charge.refunded"))


def test_an_order_that_was_captured_in_part_is_held_with_what_it_was_for() -> None:
    """mollie/Shopware6#815: two codes for the money of one."""
    session = event("stripe/checkout.session.completed.json")["data"]["object"] | {"amount_total": 7990}
    reserved = stripe_event({"amount_total": 7990, "payment_status": "unpaid"})
    get = api("/v1/checkout/sessions", {"data": [session], "has_more": False})
    told_so = [*stripe.read(a_call(stripe_event(PART, "charge.captured"), get=get)), *stripe.read(a_call(reserved))]

    for news in (told_so, told_so[::-1]):
        order = None
        for each in news:
            assert isinstance(each, PaymentNotice)
            order = with_payment(order, understood(each, [SKU]), NOW, "EUR")
        assert order is not None
        assert (order.is_paid, order.hold.problem) == (True, IN_PART)
        assert [(line.sku, line.quantity) for line in order.lines] == [(SKU, 1)]
        assert [payment.amount for payment in order.payments] == ["39.95"]


def test_an_inquiry_keeps_nothing_back_and_a_lost_part_is_a_part() -> None:
    paid = [told("checkout.session.completed")]

    def standing(*news: Any) -> Standing:
        return added_up([*paid, *news]).standing

    assert standing(told("charge.dispute.created", status="warning_needs_response")) is Standing.PAID
    assert standing(told("charge.dispute.created")) is Standing.DISPUTED
    assert standing(told("charge.dispute.closed", status="lost", amount=1000)) is Standing.PARTLY_REFUNDED
    assert standing(told("charge.dispute.closed", status="lost")) is Standing.REFUNDED
    assert standing(told("charge.refunded", refunds(("pending", 3995)))) is Standing.PAID
