from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.models import (
    Dispute,
    DisputeState,
    FailedRefund,
    PaymentNotice,
    PaymentState,
    Refunded,
    Standing,
)
from keypost.orders import with_payment
from keypost.payments import with_notice
from tests.builders import NOW, added_up, notice

MINUTE = timedelta(minutes=1)
OPEN, WON, LOST = DisputeState.OPEN, DisputeState.WON, DisputeState.LOST


def says(minute: int, **changes: Any) -> PaymentNotice:
    """A notice about money that went back, that says nothing of how far the payment came."""
    plain = notice(state=None, at=NOW + minute * MINUTE, lines=(), email=None, amount=None, currency=None)
    return replace(plain, **changes)


def refunded(minute: int, amount: str | None = None, *, full: bool = False) -> PaymentNotice:
    return says(minute, refunded=Refunded(NOW + minute * MINUTE, amount, full))


def failed(minute: int, refund: str, amount: str) -> PaymentNotice:
    return says(minute, failed_refunds=(FailedRefund(refund, amount, NOW + minute * MINUTE),))


def dispute(minute: int, name: str, state: DisputeState) -> PaymentNotice:
    return says(minute, disputes=(Dispute(name, state, NOW + minute * MINUTE),))


PAID = notice()  # 39.95 EUR
UNPAID = notice(state=PaymentState.OPEN)
STORIES: dict[str, tuple[list[PaymentNotice], Standing]] = {
    "open": ([UNPAID], Standing.OPEN),
    "paid later": ([UNPAID, PAID], Standing.PAID),
    "failed, then paid": ([notice(state=PaymentState.FAILED), PAID], Standing.PAID),
    "part refunded": ([PAID, refunded(1, "10.00")], Standing.PARTLY_REFUNDED),
    "refunded in parts": ([PAID, refunded(1, "10.00"), refunded(2, "39.95")], Standing.REFUNDED),
    "more than all refunded": ([PAID, refunded(1, "64.95")], Standing.REFUNDED),
    "refunded, amount not said": ([PAID, refunded(1, full=True)], Standing.REFUNDED),
    "a refund that failed": ([PAID, refunded(1, "39.95"), failed(2, "re_1", "39.95")], Standing.PAID),
    "one of two refunds failed": (
        [PAID, refunded(1, "10.00"), refunded(2, "39.95"), failed(3, "re_2", "29.95")],
        Standing.PARTLY_REFUNDED,
    ),
    "failed, then refunded anew": (
        [PAID, refunded(1, "39.95"), failed(2, "re_1", "39.95"), refunded(3, "39.95")],
        Standing.REFUNDED,
    ),
    "disputed": ([PAID, dispute(1, "dp_1", OPEN)], Standing.DISPUTED),
    "dispute won": ([PAID, dispute(1, "dp_1", OPEN), dispute(2, "dp_1", WON)], Standing.PAID),
    "dispute lost": ([PAID, dispute(1, "dp_1", OPEN), dispute(2, "dp_1", LOST)], Standing.REFUNDED),
    "dispute won, then appealed": (
        [PAID, dispute(1, "dp_1", OPEN), dispute(2, "dp_1", WON), dispute(3, "dp_1", OPEN)],
        Standing.DISPUTED,
    ),
    "one dispute won, another open": (
        [PAID, dispute(1, "dp_1", OPEN), dispute(2, "dp_1", WON), dispute(3, "dp_2", OPEN)],
        Standing.DISPUTED,
    ),
    "refunded before it was paid here": ([UNPAID, PAID, refunded(1, full=True)], Standing.REFUNDED),
}


@pytest.mark.parametrize(("story", "standing"), STORIES.values(), ids=STORIES.keys())
def test_a_payment_stands_where_its_story_leaves_it_in_whatever_order_it_is_told(
    story: list[PaymentNotice], standing: Standing
) -> None:
    told = {added_up(list(order)) for order in permutations(story)}

    assert {payment.standing for payment in told} == {standing}
    assert len(told) == 1


@given(st.data())
def test_any_order_and_any_duplication_of_one_payments_callbacks_gives_the_same_order(data: st.DataObject) -> None:
    story, _ = STORIES[data.draw(st.sampled_from(sorted(STORIES)))]
    again = data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=4))))

    def told(notices: list[PaymentNotice]) -> object:
        order = None
        for each in notices:
            order = with_payment(order, each, NOW, "EUR")
        assert order is not None
        return replace(order, timeline=())

    assert told(again) == told(story)


def test_a_notice_that_says_nothing_new_changes_nothing() -> None:
    payment = added_up([PAID, refunded(2, "10.00"), dispute(1, "dp_1", WON)])

    for each in (PAID, UNPAID, refunded(1, "5.00"), dispute(0, "dp_1", OPEN)):
        payments = (payment,)
        assert with_notice(payments, each) == (payments, payment)
