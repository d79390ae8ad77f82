"""Orders that were held, shown or kept for ever, for a reason that was over or untrue. Each situation was reported of a
system like this one, or tried on this one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keypost.core import closing, contents, support
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.obstacles import action, obstacle, obstacles
from keypost.core.order import Order, Reason, waiting_for
from keypost.core.payment import OrderCanceled, PaymentState, Refunded
from keypost.core.plan import attention
from keypost.core.product import Line
from keypost.core.progress import progress
from keypost.core.said import Said, said
from keypost.providers import webhook
from tests.builders import NOW, SKU, a_call, licensed, notice, paid_order, sent_order

ORDER = "2026-001234"
ASKED = Asked(NOW + timedelta(hours=5), "anna", "done by hand")


def hour(number: int) -> datetime:
    return NOW + timedelta(hours=number)


def shop_says(what: str, at: datetime | None, **data: Any) -> Any:
    """The fact of a signed callback of the shop, heard a minute later."""
    bought = {
        "currency": "EUR",
        "amount": "39.95",
        "email": "info@klant.example",
        "lines": [{"sku": SKU, "quantity": 1}],
    }
    body: dict[str, Any] = {"type": what, "data": {"order_id": ORDER, "test": True, **data}}
    if what in ("order.paid", "order.open"):
        body["data"] |= bought
    if at:
        body["timestamp"] = at.isoformat()
    (fact,) = webhook.read(replace(a_call(json.dumps(body).encode(), {}), now=(at or hour(9)) + timedelta(minutes=1)))
    return fact


def told(*facts: Any) -> Order:
    order: Order | None = None
    for number, fact in enumerate(facts):
        order = contents.with_fact(order, fact, hour(10) + timedelta(minutes=number), "EUR")
    assert order
    return order


OPEN, CANCELED, PAID = (
    shop_says("order.open", hour(0)),
    shop_says("order.canceled", hour(1)),
    shop_says("order.paid", hour(2)),
)


# mollie/WooCommerce #1060, woocommerce #20928, #22202, #60375: unpaid orders are canceled by a clock, and paid later.
@pytest.mark.parametrize("facts", [(OPEN, CANCELED, PAID), (PAID, CANCELED, OPEN), (CANCELED, PAID), (PAID, CANCELED)])
def test_what_was_paid_after_the_shop_canceled_it_is_served_however_it_arrives(facts: Any) -> None:
    order = told(*facts)

    assert obstacles(order) == ()
    assert attention(order) is None


def test_a_payment_at_a_provider_is_newer_than_the_cancellation_too() -> None:
    order = told(CANCELED, notice(ORDER, at=hour(2)))

    assert obstacles(order) == ()
    assert "not_canceled_any_more" in [entry.code for entry in order.timeline]


def test_a_cancellation_that_arrives_late_does_not_outweigh_the_payment_after_it() -> None:
    order = told(notice(ORDER, at=hour(2)), CANCELED)

    assert obstacles(order) == ()
    assert order.timeline[-1].code == "canceled_before_payment"


@pytest.mark.parametrize("paid", [shop_says("order.paid", hour(0)), notice(ORDER, at=hour(0))])
def test_what_was_canceled_after_it_was_paid_waits_with_that_reason_and_can_be_released(paid: Any) -> None:
    order = told(paid, CANCELED)

    assert obstacle(order) == Said("canceled_after_payment")
    assert action(order, Reason.HOLD) == Said("release_or_refund")
    assert obstacles(support.release(order, "anna", hour(3))) == ()


def test_what_was_canceled_after_everything_left_asks_a_person_and_is_not_held_unseen() -> None:
    order = contents.with_fact(sent_order(), OrderCanceled(ORDER, hour(30), hour(30)), hour(30), "EUR")

    assert obstacle(order) == Said("canceled_after_payment")
    assert attention(order) == (Reason.HOLD, order.paid_at)
    released = support.release(order, "anna", hour(31))
    assert (obstacles(released), attention(released)) == ((), None)


def test_a_cancellation_without_a_moment_is_not_said_to_be_after_the_payment() -> None:
    order = told(shop_says("order.paid", hour(0)), shop_says("order.canceled", None))

    assert obstacle(order) == Said("canceled")
    assert obstacles(support.release(order, "anna", hour(3))) == ()


def test_after_a_release_the_same_cancellation_changes_nothing_and_a_newer_one_holds_the_order() -> None:
    order = support.release(told(shop_says("order.paid", hour(0)), CANCELED), "anna", hour(3))

    assert contents.with_fact(order, CANCELED, hour(4), "EUR") is order
    again = contents.with_fact(order, shop_says("order.canceled", hour(4)), hour(5), "EUR")
    assert obstacle(again) == Said("canceled_after_payment")


def test_the_shop_takes_its_cancellation_back_by_telling_of_the_order_again() -> None:
    order = told(OPEN, CANCELED, shop_says("order.open", hour(3)))

    assert obstacle(order) == Said("unpaid")
    assert obstacles(contents.with_fact(order, shop_says("order.paid", hour(4)), hour(5), "EUR")) == ()


def test_what_an_older_version_stored_as_canceled_can_be_released() -> None:
    order = replace(paid_order(), canceled=True)

    assert obstacle(contents.with_payment(order, notice(at=hour(5)), hour(5), "EUR")) == Said("canceled")
    assert obstacles(support.release(order, "anna", hour(3))) == ()


# woocommerce #67008 (open, Aug 2026), EDD #7758, #8539: a goodwill refund after everything was sent.
def test_after_everything_left_a_partial_refund_keeps_nothing_back() -> None:
    order = contents.with_payment(sent_order(), notice(state=None, refunded=Refunded(NOW, "5.00")), NOW, "EUR")

    assert (obstacles(order), attention(order), progress(order)) == ((), None, "served")
    assert support.resend(order, ASKED, UTC)[1].purpose == "resend"


def test_before_everything_left_a_partial_refund_keeps_the_rest_back() -> None:
    order = contents.with_payment(paid_order(), notice(state=None, refunded=Refunded(NOW, "5.00")), NOW, "EUR")

    assert obstacle(order) == Said("partly_refunded")


def of_three(**refund: Any) -> Order:
    """Three licenses that were sent, of which a part was refunded."""
    order = licensed(paid_order(ORDER, Line(SKU, 3), amount="119.85"))
    return contents.with_payment(order, notice(ORDER, Line(SKU, 3), state=None, **refund), NOW, "EUR")


def test_when_one_of_three_licenses_was_refunded_support_is_asked_once_which_to_block() -> None:
    order = of_three(refunded=Refunded(NOW, "39.95"))

    assert attention(order) == (Reason.PART_REFUNDED, NOW)
    assert action(order, Reason.PART_REFUNDED) == Said("name_refunded")
    closed = closing.close(order, Reason.PART_REFUNDED, ASKED)
    assert attention(closed) is None
    more = notice(ORDER, Line(SKU, 3), state=None, refunded=Refunded(hour(1), "79.90"))
    assert attention(contents.with_payment(closed, more, hour(1), "EUR")) == (Reason.PART_REFUNDED, NOW)


# Own evidence: 20 entries in one daily note that nobody could end.
def test_what_was_done_by_hand_is_closed_and_stays_so_when_the_same_is_told_again() -> None:
    order = paid_order(currency="USD")
    assert attention(order) == (Reason.HOLD, NOW)

    closed = closing.close(order, Reason.HOLD, ASKED)

    assert attention(closed) is None
    assert closed.timeline[-1].code == "closed"
    assert (closed.timeline[-1].who, closed.timeline[-1].words) == ("anna", "done by hand")
    assert attention(contents.with_payment(closed, notice(currency="USD"), hour(6), "EUR")) is None


NEWS: dict[str, Any] = {
    "another payment": notice(payment_id="cs_other", currency="USD"),
    "other goods": notice(currency="USD", said=hour(6), lines=(Line("OTHER", 1),)),
    "money back": notice(currency="USD", state=None, refunded=Refunded(hour(6), "1.00")),
    "a cancellation": OrderCanceled(ORDER, hour(6), hour(6)),
}


@pytest.mark.parametrize("news", NEWS.values(), ids=NEWS)
def test_a_new_fact_opens_what_was_closed_again(news: Any) -> None:
    closed = closing.close(paid_order(currency="USD", said=NOW), Reason.HOLD, ASKED)

    assert attention(contents.with_fact(closed, news, hour(6), "EUR")) is not None


def test_a_delivery_cannot_be_closed_and_it_is_said_what_ends_it() -> None:
    order = waiting_for(paid_order(), Reason.STOCK, said("too_few_codes", skus=[SKU]), NOW, lines=(1,))

    with pytest.raises(Refused) as refused:
        closing.close(order, Reason.STOCK, ASKED)

    why = said("too_few_codes", skus=[SKU])
    assert refused.value.said == said("not_closed", order=ORDER, why=why, action=Said("import_codes"))


def test_an_order_that_asks_for_nothing_has_nothing_to_close_and_a_repeated_close_changes_nothing() -> None:
    with pytest.raises(Refused, match="nothing_to_close"):
        closing.close(sent_order(), None, ASKED)

    closed = closing.close(paid_order(currency="USD"), Reason.HOLD, ASKED)
    assert closing.close(closed, None, ASKED) is closed


def test_a_payment_that_failed_does_not_make_the_shops_cancellation_older() -> None:
    order = told(OPEN, CANCELED, notice(ORDER, state=PaymentState.FAILED, at=hour(3)))

    assert obstacle(order) == Said("canceled")
