"""Money that went back (K-F): it finds its payment, a part is a part, and what came back came back."""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from keypost.core import contents, support
from keypost.core.obstacles import is_servable, obstacle
from keypost.core.order import Order
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState, Refunded, Standing
from keypost.core.product import Kind, Line
from keypost.providers import webhook
from keypost.table import Store
from keypost.use_cases.list_inbox import all_of_inbox
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, a_call, loaded, notice

ID = "2026-1"
RENEWAL = Line(SKU, 1, Kind.RENEWAL, "2025-1")


def read(kind: str, **told: Any) -> PaymentNotice:
    body = {"type": kind, "timestamp": NOW.isoformat(), "data": {"order_id": ID, "test": True} | told}
    (found,) = webhook.read(a_call(json.dumps(body).encode()))
    assert isinstance(found, PaymentNotice)
    return found


def told(*news: PaymentNotice) -> Order:
    order: Order | None = None
    for each in news:
        order = contents.with_payment(order, each, NOW, "EUR")
    assert order is not None
    return order


def test_a_refund_that_names_another_id_than_the_payment_names_its_order_all_the_same() -> None:
    """K-F8 and K-F35: the id of the refund or of the credit note."""
    assert read("order.refunded", payment_id="re_9", full=True) == PaymentNotice(
        "webhook", "re_9", None, NOW, ID, said=NOW, refunded=Refunded(NOW, None, full=True)
    )


@pytest.mark.parametrize("name", ["re_9", "pi_3SXk1keypost", "credit-17"])
def test_a_refund_under_another_name_keeps_the_renewal_back_and_asks_for_a_person(name: str) -> None:
    """K-F8: order "paid", needs null, the renewal's code left (own trial)."""
    paid = notice(ID, RENEWAL, provider="webhook", payment_id="inv_1")
    back = read("order.refunded", payment_id=name, full=True)

    for news in permutations([paid, back]):
        order = told(*news)
        found = obstacle(order)
        assert found is not None
        assert (found.code, is_servable(order)) == ("money_back_unmatched", False)
        assert "payment_paid" not in [entry.code for entry in order.timeline if entry.values.get("payment") == name]


def test_a_full_refund_is_one_in_the_currency_in_which_it_was_paid() -> None:
    """K-F14: an order opened at 79.90, paid with 39.95, and refunded with 39.95 was "partly refunded"."""
    opened = notice(ID, provider="webhook", payment_id="inv_1", state=PaymentState.OPEN, amount="79.90", said=NOW)
    paid = notice(ID, provider="webhook", payment_id="inv_1", amount="39.95", said=NOW)
    back = read("order.refunded", payment_id="inv_1", amount_refunded="39.95")

    assert {told(*news).standing for news in permutations([opened, paid, back])} == {Standing.REFUNDED}


def test_more_that_goes_back_after_a_release_is_for_a_person_again() -> None:
    """K-F17: 10.00 back, released, then 35.00 of 39.95 back: the code left."""
    paid = notice(ID, provider="webhook", payment_id="inv_1")
    some, more = (read("order.refunded", payment_id="inv_1", amount_refunded=amount) for amount in ("10.00", "35.00"))
    released = support.release(told(paid, some), "anna", NOW)
    assert is_servable(released)

    order = contents.with_payment(released, more, NOW, "EUR")

    assert (order.standing, is_servable(order)) == (Standing.PARTLY_REFUNDED, False)


def test_of_one_payment_with_two_names_the_money_went_back_once() -> None:
    """K-F22: the shop and Stripe tell of one payment: "paid twice", and who obeyed refunded the only one."""
    by_shop = notice(ID, provider="webhook", payment_id="pi_1", also=("stripe:pi_1",))
    by_stripe = notice(ID, payment_id="cs_1", also=("stripe:pi_1",))
    back = (
        read("order.refunded", payment_id="pi_1", amount_refunded="10.00"),
        PaymentNotice("stripe", "pi_1", None, NOW, ID, refunded=Refunded(NOW, "10.00")),
    )

    for news in permutations([by_shop, by_stripe, *back]):
        order = told(*news)
        assert ([payment.returned for payment in order.settled], order.is_paid_twice) == ([Decimal(10)], False)


@pytest.mark.parametrize(
    ("dispute", "standing"),
    [
        (Dispute("dp", DisputeState.LOST, NOW, "10.00"), Standing.PARTLY_REFUNDED),
        (Dispute("dp", DisputeState.LOST, NOW), Standing.REFUNDED),
        (Dispute("dp", DisputeState.INQUIRY, NOW), Standing.PAID),
        (Dispute("dp", DisputeState.WON, NOW), Standing.PAID),
    ],
)
def test_a_lost_dispute_of_a_part_is_a_part_and_an_inquiry_moves_nothing(dispute: Dispute, standing: Standing) -> None:
    """K-F28: woocommerce-gateway-stripe#1233, Automattic/woocommerce-payments#9918."""
    news = PaymentNotice("stripe", f"cs_{ID}", None, NOW, ID, disputes=(dispute,))

    assert told(notice(ID), news).standing is standing


@pytest.mark.parametrize(("amount", "standing"), [("45.10", Standing.REFUNDED), ("9.02", Standing.PARTLY_REFUNDED)])
def test_what_a_shop_gave_back_in_its_own_currency_is_counted_by_the_rate_and_remarked(
    store: Store, amount: str, standing: Standing
) -> None:
    """K-F14, E5: the shop shows USD 45.10, Mollie charged EUR 39.95, and 45.10 of the order go back."""
    by_shop = notice(ID, provider="webhook", payment_id=ID, amount="45.10", currency="USD", said=NOW)
    news = [notice(ID, provider="mollie", payment_id="tr_1"), by_shop, read("order.refunded", amount_refunded=amount)]

    for each in [*news, news[-1]]:
        record(store, each, NOW, INTAKE)

    order = loaded(store, ID)
    assert order.standing is standing
    assert order.settled[0].returned == (Decimal("39.95") if standing is Standing.REFUNDED else Decimal("7.99"))
    remarks = [(each.order_id, each.reason.code, each.reason.values) for each in all_of_inbox(store, 1, NOW)]
    assert remarks == [(ID, "refund_in_other_currency", {"payment": f"webhook:{ID}", "currency": "USD"})]


def test_a_refund_whose_currency_is_told_and_is_another_one_is_remarked(store: Store) -> None:
    """K-F14: a key `currency` beside the amount that went back was ignored."""
    for each in (
        notice(ID, provider="webhook", payment_id="inv_1"),
        read("order.refunded", payment_id="inv_1", amount_refunded="10.00", currency="EUR"),
    ):
        record(store, each, NOW, INTAKE)
    assert list(all_of_inbox(store, 1, NOW)) == []

    record(store, read("order.refunded", payment_id="inv_1", amount_refunded="11.00", currency="USD"), NOW, INTAKE)

    assert [each.reason.code for each in all_of_inbox(store, 1, NOW)] == ["refund_in_other_currency"]
