"""A snapshot that does not show yet what its event says, or that says what nobody knows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import stripe as library

from keypost.core.errors import ProviderUnavailable
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState, Refunded, Remark
from keypost.core.said import said
from keypost.providers import stripe
from tests.builders import NOW, SESSION, a_call, api, event, stripe_event

SUCCEEDED = {"type": "checkout.session.async_payment_succeeded"}
OBJECT = f"/v1/checkout/sessions/{SESSION}"
LATE = {"payment_status": "unpaid"}


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = event(f"stripe/{name}.json")["data"]["object"]
    return found | changes


@pytest.mark.parametrize("kind", ["credit_note.created", "invoice.overpaid", "charge.dispute.escalated"])
def test_an_event_of_a_type_that_nobody_here_reads_is_heard(kind: str) -> None:
    """K-E: 200 and forgotten; fxa#19606: a paid event that maps to nothing is no 200."""
    (found,) = stripe.read(a_call(stripe_event({}, type=kind)))

    assert isinstance(found, Remark)
    assert (found.why, found.order_id, found.payment) == (
        said("stripe_unknown_event", kind=kind),
        "2026-001234",
        f"stripe:{SESSION}",
    )


def test_each_type_that_stripe_knows_is_read_or_known_to_change_nothing_or_heard() -> None:
    """Own list: the types that an endpoint may be set to, as Stripe's library names them."""
    params = Path(library.__file__).with_name("params") / "_webhook_endpoint_create_params.py"
    kinds = set(re.findall(r'"([a-z_]+(?:[.][a-z_]+)+)"', params.read_text()))
    unread = {kind for kind in kinds if kind not in stripe.EVENTS and stripe.read(a_call(stripe_event({}, type=kind)))}

    assert len(kinds) > 200
    assert unread == {
        "credit_note.created",
        "credit_note.updated",
        "credit_note.voided",
        "customer.subscription.paused",
        "invoice.overpaid",
        "payment_intent.partially_funded",
        "radar.early_fraud_warning.created",
        "radar.early_fraud_warning.updated",
    }


def test_a_debit_that_succeeded_but_is_not_paid_in_its_event_is_as_stripe_has_it_now() -> None:
    """mollie/mollie-api-node#295 and laravel-cashier-mollie#304: the object lags behind the call about it."""
    session = recorded("checkout.session.completed")

    (found,) = stripe.read(a_call(stripe_event(LATE, **SUCCEEDED), get=api(OBJECT, session)))

    assert isinstance(found, PaymentNotice)
    assert (found.state, found.said) == (PaymentState.PAID, NOW)


@pytest.mark.parametrize(
    "get",
    [None, api(), api(OBJECT, recorded("checkout.session.completed", **LATE))],
    ids=["no key", "none", "as it was"],
)
def test_as_long_as_stripe_does_not_show_the_payment_the_event_is_to_be_told_again(get: Any) -> None:
    with pytest.raises(ProviderUnavailable, match="stripe_not_yet"):
        stripe.read(a_call(stripe_event(LATE, **SUCCEEDED), get=get))
    for unpaid in ({"status": "open"}, {"paid": False, "status": None}):
        with pytest.raises(ProviderUnavailable, match="stripe_not_yet"):
            stripe.read(a_call(stripe_event(unpaid, "invoice.paid"), get=get))


@pytest.mark.parametrize(
    ("name", "path", "late"),
    [
        ("charge.refunded", "/v1/charges/ch_3SXk1keypost", {"amount_refunded": 0}),
        ("charge.dispute.closed", "/v1/disputes/dp_1SXdkeypost", {"status": "under_review"}),
        ("charge.dispute.closed", "/v1/disputes/dp_1SXdkeypost", {"status": "warning_under_review"}),
    ],
)
def test_money_back_that_its_event_does_not_show_yet_is_as_stripe_has_it_now(
    name: str, path: str, late: dict[str, Any]
) -> None:
    (found,) = stripe.read(a_call(stripe_event(late, name), get=api(path, recorded(name))))

    assert isinstance(found, PaymentNotice)
    assert found.refunded == Refunded(NOW, "39.95") or found.disputes[0].state is DisputeState.WON
    with pytest.raises(ProviderUnavailable, match="stripe_not_yet"):
        stripe.read(a_call(stripe_event(late, name)))


def test_an_invoice_that_is_not_paid_in_its_event_is_as_stripe_has_it_now() -> None:
    invoice = recorded("invoice.paid")

    (found,) = stripe.read(
        a_call(stripe_event({"status": "open"}, "invoice.paid"), get=api("/v1/invoices/in_1SYinvKeypost", invoice))
    )

    assert isinstance(found, PaymentNotice)
    assert (found.state, found.said) == (PaymentState.PAID, NOW)


def remarks(body: bytes) -> list[Remark]:
    return [news for news in stripe.read(a_call(body)) if isinstance(news, Remark)]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (stripe_event({"payment_status": "held_by_bank"}), "held_by_bank"),
        (stripe_event({"mode": "auction"}), "auction"),
        (stripe_event({"total": "39.95"}, "invoice.paid"), "total"),
        (stripe_event({"status": "arbitrated"}, "charge.dispute.updated"), "arbitrated"),
        (stripe_event({"amount_refunded": None}, "charge.refunded"), "amount_refunded"),
        (stripe_event({"amount_captured": None}, "charge.captured"), "amount_captured"),
        (stripe_event({"charge": None, "payment_intent": None}, "charge.dispute.created"), "charge"),
    ],
)
def test_a_state_that_nobody_knows_is_written_into_the_inbox(body: bytes, state: str) -> None:
    """Own trial: an unknown state was a silent 200."""
    about = json.loads(body)["data"]["object"]["id"]

    assert remarks(body) == [
        Remark("stripe", NOW, said("stripe_unknown_state", id=about, state=state), payment=f"stripe:{about}")
    ]


def test_a_dispute_in_a_state_that_nobody_knows_is_open_until_somebody_has_looked() -> None:
    found, _ = stripe.read(a_call(stripe_event({"status": "arbitrated"}, "charge.dispute.closed", created=1795000000)))

    assert isinstance(found, PaymentNotice)
    assert found.said is not None
    assert found.disputes == (Dispute("dp_1SXdkeypost", DisputeState.OPEN, found.said, "39.95"),)


def test_states_that_are_known_are_remarked_nowhere() -> None:
    names = ("checkout.session.completed", "invoice.paid", "charge.refunded", "charge.dispute.closed", "refund.failed")

    assert [found for name in names for found in remarks(stripe_event({}, name))] == []
