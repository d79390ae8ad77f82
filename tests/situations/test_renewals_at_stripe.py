"""Which payment of a subscription is the purchase, and which renews it."""

from datetime import date
from typing import Any

import pytest

from keypost.core.charged import understood
from keypost.core.contents import with_payment
from keypost.core.errors import ProviderForbidden
from keypost.core.order import Order
from keypost.core.payment import PaymentNotice, PaymentState, Remark
from keypost.core.product import Kind
from keypost.core.said import said
from keypost.providers import stripe
from tests.builders import NOW, SKU, a_call, api, event, stripe_event

INVOICE = event("stripe/invoice.paid.json")["data"]["object"]
LINE = INVOICE["lines"]["data"][0]
SUBSCRIPTION = "/v1/subscriptions/sub_1SXkeypost"
START = LINE["period"]["start"]
FIRST = {"billing_reason": "subscription_create"}
NOTHING = {"total": 0, "amount_paid": 0}
TRIAL = FIRST | NOTHING | {"lines": {"data": [LINE | {"amount": 0, "description": "Proefperiode"}]}}


def heard(get: Any = None, **changes: Any) -> PaymentNotice:
    found, *_ = stripe.read(a_call(stripe_event(changes, "invoice.paid"), get=get))
    assert isinstance(found, PaymentNotice)
    return found


def subscription(**changes: Any) -> Any:
    return api(SUBSCRIPTION, {"id": "sub_1SXkeypost", "start_date": 1, "trial_start": 1, "trial_end": START} | changes)


@pytest.mark.parametrize("line", [{}, {"amount": 0, "subtotal": 3995}])
def test_a_first_invoice_that_a_coupon_made_free_is_the_purchase_as_a_free_session_is(line: dict[str, Any]) -> None:
    """Kilo-Org/cloud#2629, mozilla/fxa#11719: promo users stuck because invoices of 0 were dropped."""
    free = FIRST | NOTHING | {"total_discount_amounts": [{"amount": 3995, "discount": "di_1"}]}

    found = heard(**free, lines={"data": [LINE | line]})

    assert [each.total for each in found.charged] == [None if line else "39.95"]

    assert (found.order_id, found.state, found.amount) == ("2025-000042", PaymentState.PAID, None)
    assert [(line.sku, line.kind) for line in found.lines] == [(SKU, Kind.NEW)]


def test_a_later_invoice_that_a_coupon_made_free_renews() -> None:
    found = heard(**NOTHING, total_discount_amounts=[{"amount": 3995, "discount": "di_1"}])

    assert (found.order_id, found.amount, found.lines[0].kind) == (INVOICE["id"], None, Kind.RENEWAL)


def test_a_trial_sells_nothing_yet_and_opens_the_order_so_that_support_finds_it() -> None:
    found, remark = stripe.read(a_call(stripe_event(TRIAL, "invoice.paid"), get=None))

    assert isinstance(found, PaymentNotice)
    assert (found.order_id, found.state, found.amount) == ("2025-000042", PaymentState.OPEN, None)
    assert found.is_subscription
    assert remark == Remark("stripe", NOW, said("stripe_trial"), "2025-000042", f"stripe:{INVOICE['id']}")


def test_a_later_period_without_a_price_is_remarked_and_is_no_renewal() -> None:
    (found,) = stripe.read(a_call(stripe_event(TRIAL | {"billing_reason": "subscription_cycle"}, "invoice.paid")))

    assert isinstance(found, Remark)


def test_a_trial_with_a_fee_is_for_a_person() -> None:
    assert heard(**TRIAL | {"total": 500, "amount_paid": 500}).problem == said(
        "invoice_not_for_a_period", reason="trial"
    )


def test_the_first_paid_invoice_behind_a_trial_is_the_purchase() -> None:
    found = heard(subscription())

    assert found.order_id == "2025-000042"
    (line,) = found.lines
    assert (line.kind, line.renews, line.period_start) == (Kind.NEW, None, date(2026, 11, 18))


@pytest.mark.parametrize(
    "changes",
    [{"trial_end": None}, {"trial_end": START - 86400 * 365}, {"trial_start": 86400 * 300}],  # the last: a free month
)
def test_an_invoice_that_does_not_follow_the_first_trial_renews(changes: dict[str, Any]) -> None:
    found = heard(subscription(**changes))

    assert (found.order_id, found.lines[0].kind, found.problem) == (INVOICE["id"], Kind.RENEWAL, None)


@pytest.mark.parametrize(
    "get", [None, api(), api(SUBSCRIPTION, ProviderForbidden("x"))], ids=["no key", "none", "refused"]
)
def test_where_stripe_cannot_be_asked_a_shorter_period_before_may_have_been_a_trial(get: Any) -> None:
    trial = {"period_start": START - 14 * 86400, "period_end": START}

    assert heard(get, **trial).problem == said("stripe_may_follow_trial")
    assert heard(get).problem is None
    assert heard(subscription(trial_end=None), **trial).problem is None


def test_an_invoice_of_nothing_for_which_no_coupon_is_the_reason_is_for_a_person() -> None:
    """One answer for one situation: as an order of 0.00 from WooCommerce."""
    found = heard(**FIRST | NOTHING)

    assert (found.state, found.amount) == (PaymentState.PAID, "0.00")


def test_a_subscription_without_a_card_is_known_by_its_own_number_from_the_first_invoice_on() -> None:
    parent = {"subscription_details": {"subscription": "sub_1", "metadata": {}}}
    price = api("/v1/prices/price_1SXkeypost", {"lookup_key": SKU})

    first, later = heard(price, parent=parent, **FIRST), heard(price, parent=parent)

    assert first.order_id == "sub_1"
    assert [line.renews for line in later.lines] == ["sub_1/1"]


def test_an_invoice_is_known_by_the_charge_where_there_is_no_payment_intent() -> None:
    by_charge = {"data": [{"payment": {"type": "charge", "charge": "ch_1"}}]}

    assert heard(payments=by_charge).also == ("stripe:ch_1",)
    assert heard(charge={"id": "ch_1"}, payment_intent="pi_1").also == ("stripe:pi_1", "stripe:ch_1")
    (joined,) = stripe.read(a_call(stripe_event({"payment": {"charge": "ch_1"}}, "invoice_payment.paid")))
    assert isinstance(joined, PaymentNotice)
    assert joined.names == {f"stripe:{INVOICE['id']}", "stripe:ch_1"}


def order_of(*news: Any) -> Order:
    """The order that these notices of one order make, by a catalog of two products."""
    order: Order | None = None
    for each in news:
        if isinstance(each, PaymentNotice):
            order = with_payment(order, understood(each, [SKU, "PLUS"]), NOW, "EUR")
    assert order is not None
    return order


def test_the_first_paid_invoice_pays_the_order_that_the_trial_has_opened() -> None:
    trial = stripe.read(a_call(stripe_event(TRIAL, "invoice.paid")))
    opened = order_of(*trial)
    assert (opened.is_paid, opened.hold.problem) == (False, None)

    paid = order_of(*trial, heard(subscription(), id="in_first"))

    assert (paid.is_paid, paid.is_paid_twice, paid.hold.problem, paid.hold.contents) == (True, False, None, None)
    assert [(line.kind, line.quantity, line.period_start) for line in paid.lines] == [(Kind.NEW, 1, date(2026, 11, 18))]


def test_a_renewal_without_a_card_is_of_the_goods_that_were_charged_and_renews_what_it_renews() -> None:
    """Own trial: the lines of a shop's own list lost what they renew, and a renewal was mailed as a purchase."""
    parent = {"subscription_details": {"subscription": "sub_1", "metadata": {}}}

    order = order_of(heard(api("/v1/prices/price_1SXkeypost", {"lookup_key": SKU.lower()}), parent=parent))

    assert [(line.sku, line.kind, line.renews, line.period_start) for line in order.lines] == [
        (SKU, Kind.RENEWAL, "sub_1/1", date(2026, 11, 18))
    ]


@pytest.mark.parametrize(("sku", "quantity"), [(SKU, 3), ("PLUS", 1), ("PLUS", 2)])
def test_a_renewal_is_of_what_was_charged_for_the_period_that_was_charged(sku: str, quantity: int) -> None:
    """Bike4Mind/bike4mind#1602, firezone/firezone#10303: quantity and plan were changed in the portal."""
    lines = {"data": [LINE | {"quantity": quantity, "amount": 9000}]}

    order = order_of(heard(api("/v1/prices/price_1SXkeypost", {"lookup_key": sku}), lines=lines))

    assert [(line.sku, line.quantity, line.kind, line.period_start) for line in order.lines] == [
        (sku, quantity, Kind.RENEWAL, date(2026, 11, 18))
    ]
