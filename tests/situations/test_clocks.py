"""Two clocks are never compared: the words of a shop are ordered by its own stamps, as precise as they are (K-A)."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from keypost.core.payment import PaymentNotice, PaymentState, Remark, Standing
from keypost.providers import webhook
from tests.builders import NOW, a_call, added_up, english


def told(kind: str, stamp: datetime | None, received: datetime = NOW, **data: Any) -> PaymentNotice:
    """What Keypost reads of a signed callback. It cuts its own clock to whole seconds, as the function does."""
    body: dict[str, Any] = {"type": kind, "data": {"order_id": "2026-1", "test": True, **data}}
    if stamp:
        body["timestamp"] = stamp.isoformat()
    notice, *_ = webhook.read(a_call(json.dumps(body).encode(), now=received.replace(microsecond=0)))
    assert isinstance(notice, PaymentNotice)
    return notice


def paid(stamp: datetime | None = NOW) -> PaymentNotice:
    lines = [{"sku": "A", "quantity": 1}]
    return told("order.paid", stamp, currency="EUR", amount="39.95", email="anna@klant.example", lines=lines)


@pytest.mark.parametrize("ahead", [-5.0, 0.0, 0.000001, 0.4, 0.999999, 1.0, 25.0, 300.0])
def test_a_full_refund_told_within_the_second_of_its_stamp_counts(ahead: float) -> None:
    """Finding 1: the stamp was compared with our clock in whole seconds, so it seemed to be from the future."""
    sent = NOW + timedelta(microseconds=250_000)
    part = told("order.refunded", sent - timedelta(seconds=30), amount_refunded="10.00")
    full = told("order.refunded", sent + timedelta(seconds=ahead), received=sent, full=True)

    for story in permutations([paid(NOW - timedelta(hours=1)), part, full]):
        assert added_up(story).standing is Standing.REFUNDED


def test_two_words_of_one_second_are_in_the_order_of_their_microseconds() -> None:
    """Finding 1, cf. RamaAditya49/titen#265: events of one millisecond were dropped."""
    first, second = NOW + timedelta(microseconds=100_000), NOW + timedelta(microseconds=100_001)
    more = told("order.refunded", first, amount_refunded="39.95")
    corrected = told("order.refunded", second, amount_refunded="10.00")

    for story in permutations([paid(), more, corrected]):
        assert added_up(story).returned == 10
    assert [notice.said for notice in (more, corrected)] == [first, second]


@pytest.mark.parametrize(("won", "standing"), [(True, Standing.PAID), (False, Standing.REFUNDED)])
def test_a_dispute_that_is_closed_by_a_clock_two_seconds_ahead_is_closed(won: bool, standing: Standing) -> None:
    """Finding 1, the part about disputes: an undated opening counted before the dated end, or the other way round."""
    opened = told("order.disputed", NOW)
    closed = told("order.dispute_closed", NOW + timedelta(seconds=2), won=won)

    for story in permutations([paid(), opened, closed, opened]):
        assert added_up(story).standing is standing


def test_a_clock_that_is_ahead_delays_no_mail() -> None:
    """Finding 18: what happens is dated by our clock at the latest; the order of words stays the shop's."""
    ahead = paid(NOW + timedelta(seconds=25, microseconds=7))

    assert (ahead.at, ahead.said) == (NOW, NOW + timedelta(seconds=25, microseconds=7))


def test_a_payment_of_long_ago_keeps_its_day() -> None:
    """K-D: told today as of today, it would be served as new."""
    old = datetime(2024, 10, 3, 11, 14, 2, tzinfo=UTC)

    assert (paid(old).at, paid(old).said) == (old, old)


@pytest.mark.parametrize("undated", [{"full": True}, {"amount_refunded": "39.95"}])
def test_of_a_refund_with_a_stamp_and_one_without_the_larger_counts(undated: dict[str, Any]) -> None:
    """Nobody knows which is newer, and a code must not leave for money that went back."""
    words = [told("order.refunded", NOW, amount_refunded="10.00"), told("order.refunded", None, **undated)]

    for story in permutations([paid(), *words, words[0]]):
        assert added_up(story).standing is Standing.REFUNDED


def test_of_a_dispute_with_a_stamp_and_one_without_the_worse_counts() -> None:
    lost = told("order.dispute_closed", None, won=False)
    won = told("order.dispute_closed", NOW, won=True)

    for story in permutations([paid(), lost, won]):
        assert added_up(story).standing is Standing.REFUNDED


@pytest.mark.parametrize(
    "stamp",
    [
        NOW + timedelta(seconds=302),
        NOW + timedelta(hours=1),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime.fromisoformat("0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_stamp_that_cannot_be_counts_as_none_and_the_shops_programmer_hears_of_it(stamp: datetime) -> None:
    """A local time that is sent as UTC would make its word the newest for ever."""
    data = {"order_id": "2026-1", "full": True, "test": True}
    body = {"type": "order.refunded", "timestamp": stamp.isoformat(), "data": data}
    notice, remark = webhook.read(a_call(json.dumps(body).encode()))

    assert isinstance(notice, PaymentNotice)
    assert (notice.at, notice.said) == (NOW, None)
    assert isinstance(remark, Remark)
    assert (remark.order_id, english(remark.why)) == (
        "2026-1",
        "`timestamp` is in the future or before 2000, so it is ignored: send UTC",
    )
    assert added_up([paid(), notice]).state is PaymentState.PAID


def test_a_word_that_is_told_again_is_kept_once() -> None:
    """A shop's job at night tells the day again; each telling must leave the order as it is."""
    refund = told("order.refunded", NOW, amount_refunded="10.00")

    once = added_up([paid(), refund])
    assert added_up([paid(), refund, paid(), refund, paid()]) == once
    assert (len(once.sums), len(once.goods), len(once.buyers), len(once.refunded)) == (1, 1, 1, 1)
