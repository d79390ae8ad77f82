from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.contents import with_payment
from keypost.core.payment import (
    Dispute,
    DisputeState,
    FailedRefund,
    PaymentNotice,
    PaymentState,
    Refunded,
    Standing,
    with_notice,
)
from tests.builders import NOW, added_up, notice

MINUTE = timedelta(minutes=1)
OPEN, WON, LOST = DisputeState.OPEN, DisputeState.WON, DisputeState.LOST


def says(minute: int, **changes: Any) -> PaymentNotice:
    """A notice about returned money that does not say the state of the payment."""
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


def of_shop(payment_id: str, **changes: Any) -> PaymentNotice:
    return notice(provider="webhook", payment_id=payment_id, **changes)


SHOPS_STORIES: dict[str, tuple[list[PaymentNotice], Standing, bool]] = {
    "all of it went back": ([of_shop("inv_1"), refunded(1, full=True)], Standing.REFUNDED, False),
    "a part went back": ([of_shop("inv_1"), refunded(1, "10.00")], Standing.PARTLY_REFUNDED, False),
    "paid twice": ([of_shop("inv_1"), of_shop("inv_2")], Standing.PAID, True),
    "one of two went back": ([of_shop("inv_1"), of_shop("inv_2"), refunded(1, "39.95")], Standing.PAID, False),
    "both went back": ([of_shop("inv_1"), of_shop("inv_2"), refunded(1, "79.90")], Standing.REFUNDED, False),
    "paid without an id": ([of_shop("2026-001234"), refunded(1, "39.95")], Standing.REFUNDED, False),
    "disputed": ([of_shop("inv_1"), dispute(1, "dp_1", OPEN)], Standing.DISPUTED, False),
    "dispute won": ([of_shop("inv_1"), dispute(1, "dp_1", OPEN), dispute(2, "dp_1", WON)], Standing.PAID, False),
    "told by its provider too, all of it went back": ([notice(), refunded(1, full=True)], Standing.REFUNDED, False),
    "told by its provider too, disputed": ([notice(), dispute(1, "dp_1", OPEN)], Standing.DISPUTED, False),
    "said to be paid, and by its provider": ([notice(), of_shop("2026-001234")], Standing.PAID, False),
    "said to be paid, and its provider's failed": (
        [notice(state=PaymentState.FAILED), of_shop("2026-001234")],
        Standing.PAID,
        False,
    ),
}


@pytest.mark.parametrize(("story", "standing", "twice"), SHOPS_STORIES.values(), ids=SHOPS_STORIES.keys())
def test_what_a_shop_returned_of_an_order_is_taken_from_its_payments_in_whatever_order_it_is_told(
    story: list[PaymentNotice], standing: Standing, twice: bool
) -> None:
    news = [n if n.state else replace(n, provider="webhook", payment_id=n.order_id) for n in story]
    for told in permutations(news):
        order = None
        for each in told:
            order = with_payment(order, each, NOW, "EUR")
        assert order is not None
        assert (order.standing, order.is_paid_twice) == (standing, twice)


def test_two_payments_that_turn_out_to_be_one_become_one() -> None:
    by_shop, at_mollie = of_shop("tr_123456"), notice(provider="mollie", payment_id="tr_123456")
    both = replace(by_shop, also=("mollie:tr_123456",))

    for story in permutations([by_shop, at_mollie, both]):
        assert added_up(story).names == ("mollie:tr_123456", "webhook:tr_123456")


def test_a_refund_that_one_teller_does_not_see_is_not_undone_by_his_word() -> None:
    by_shop = notice(provider="woocommerce", also=("mollie:tr_123456",), refunded=Refunded(NOW, "39.95"))
    later = notice(provider="mollie", payment_id="tr_123456", refunded=Refunded(NOW + MINUTE, "0"))

    for story in permutations([by_shop, later]):
        assert added_up(story).standing is Standing.REFUNDED


def test_of_two_amounts_that_are_said_of_a_payment_the_larger_counts() -> None:
    """A shop may report only its own part of what was paid at a provider."""
    for story in permutations([notice(amount="39.95"), notice(amount="100.00"), notice(amount=None)]):
        assert added_up(story).amount == "100.00"
