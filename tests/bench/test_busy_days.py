"""The models of the two busy days, smaller: each fails without what it is about."""

import pytest

from tests.bench.busy_days import Bucket, flash_sale, rate_of_callbacks, renewal_day

RENEWALS = 5000  # six minutes at the pace of SES


def test_who_buys_on_a_morning_of_renewals_waits_seconds_and_the_renewals_leave_at_the_pace_of_ses() -> None:
    found = renewal_day(RENEWALS)

    assert max(found.waits) < 30
    assert (found.to_limit < 1.1, found.twice) == (True, 0)


def test_without_pace_and_overtaking_who_buys_waits_behind_the_renewals() -> None:
    found = renewal_day(RENEWALS, pace=False, overtaking=False)

    assert max(found.waits) > 300


@pytest.mark.drill
def test_who_buys_when_more_do_than_the_renewals_leave_room_for_waits_for_none_of_them() -> None:
    crowded = {"renewals": 30_000, "per_second": 0.4}  # for half an hour, and then five minutes of a crowd

    assert max(renewal_day(**crowded).waits) < 30  # type: ignore[arg-type]
    assert max(renewal_day(**crowded, overtaking=False).waits) > 60  # type: ignore[arg-type]


@pytest.mark.parametrize(("rate", "is_refused"), [(rate_of_callbacks(), False), (Bucket(50, 100), True)])
def test_a_flash_sale_fits_into_the_rate_of_callbacks_and_not_into_that_of_the_other_calls(
    rate: Bucket, is_refused: bool
) -> None:
    found = flash_sale(10_000, 10, rate)

    assert bool(found.refused_by_rate) is is_refused
    assert bool(found.lost) is is_refused
