from datetime import timedelta

import pytest

from keypost.core.doors import Door, Gap, heard, is_silent
from tests.builders import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def door(*gaps: timedelta) -> Door:
    """A door that was called for the first time and then after each of these gaps, the last time now."""
    made = heard(None, "stripe", NOW - sum(gaps, timedelta()))
    for gap in gaps:
        made = heard(made, "stripe", made.last + gap)
    return made


def test_the_helper_calls_after_each_gap() -> None:
    assert door() == Door("stripe", NOW, NOW)
    assert door(2 * HOUR, HOUR) == Door("stripe", NOW - 3 * HOUR, NOW, (Gap(NOW - HOUR, 2 * HOUR), Gap(NOW, HOUR)))


def test_a_door_is_silent_when_nobody_called_for_longer_than_ever() -> None:
    called = door(*[8 * HOUR] * 30)

    assert not is_silent(called, NOW + 9 * HOUR)
    assert is_silent(called, NOW + 9 * HOUR + timedelta(seconds=1))


def test_a_quiet_weekend_counts_for_28_days() -> None:
    called = door(*[8 * HOUR] * 30, 3 * DAY, *[8 * HOUR] * (25 * 3))

    assert not is_silent(called, NOW + 2 * DAY)
    assert is_silent(called, NOW + 3 * DAY)  # by now that weekend is 28 days ago


def test_a_door_that_is_less_than_a_week_old_is_not_judged_as_it_has_seen_no_weekend() -> None:
    young, old = door(*[DAY] * 6), door(*[DAY] * 7)

    assert (is_silent(young, NOW + 3 * DAY), is_silent(old, NOW + 3 * DAY)) == (False, True)


def test_a_door_stays_silent_until_somebody_calls() -> None:
    called = door(*[DAY] * 10)

    assert is_silent(called, NOW + 400 * DAY)
    assert not is_silent(heard(called, "stripe", NOW + 400 * DAY), NOW + 427 * DAY)


@pytest.mark.parametrize(
    ("hours", "silent_for", "silent"),
    [(48, 48 * HOUR, False), (48, 49 * HOUR, True), (2, 3 * HOUR, True), (0, 400 * DAY, False)],
)
def test_a_number_of_hours_that_a_person_set_counts_in_place_of_the_longest_gap(
    hours: int, silent_for: timedelta, silent: bool
) -> None:
    for called in (door(), door(*[8 * HOUR] * 30)):
        assert is_silent(called, NOW + silent_for, timedelta(hours=hours)) is silent


def test_of_the_gaps_only_those_are_kept_that_no_later_one_exceeds() -> None:
    lengths = [gap.length // HOUR for gap in door(5 * HOUR, 9 * HOUR, 3 * HOUR, 7 * HOUR, 2 * HOUR).gaps]

    assert lengths == [9, 7, 2]
