from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from keypost.core.periods import local_day, period_from
from tests.builders import ZONE


def test_a_year_of_365_days_ends_the_day_before_its_anniversary() -> None:
    assert period_from(date(2026, 11, 23), 365) == (date(2026, 11, 23), date(2027, 11, 22))


def test_365_days_over_a_leap_day_end_two_days_before_the_anniversary() -> None:
    assert period_from(date(2027, 11, 23), 365) == (date(2027, 11, 23), date(2028, 11, 21))


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(1, 3660))
def test_a_period_holds_as_many_days_as_its_term_both_ends_included(first: date, term_days: int) -> None:
    start, end = period_from(first, term_days)

    assert start == first
    assert (end - start).days + 1 == term_days


def test_a_payment_late_in_the_utc_evening_is_of_the_next_day_in_amsterdam() -> None:
    assert local_day(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), ZONE) == date(2026, 7, 2)
    assert local_day(datetime(2026, 12, 1, 22, 30, tzinfo=UTC), ZONE) == date(2026, 12, 1)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - made aware below
def test_days_follow_each_other_without_a_gap_over_every_change_of_the_clock(moment: datetime) -> None:
    day = local_day(moment.replace(tzinfo=UTC), ZONE)
    an_hour_later = local_day(moment.replace(tzinfo=UTC) + timedelta(hours=1), ZONE)

    assert an_hour_later - day in (timedelta(), timedelta(days=1))
