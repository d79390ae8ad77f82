from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import renewals
from keypost.core.order import License, Order, Renewal
from keypost.core.periods import morning_of
from keypost.core.product import Kind, Line
from tests.builders import NOW, PRODUCT, SKU, ZONE, paid_order

TODAY = date(2026, 11, 23)
END = date(2027, 11, 22)


def sold(*licenses: License) -> Order:
    """An order whose licenses end on the same day."""
    plain = (License("LIC-AAAAAAAAAA", 1, SKU, "x", TODAY, END), License("LIC-BBBBBBBBBB", 1, SKU, "y", TODAY, END))
    return replace(paid_order("base", Line(SKU, 2), Line("OTHER", 1)), licenses=licenses or plain)


def renewal(order_id: str = "r1", paid_on: date | None = TODAY, **changes: object) -> Renewal:
    return replace(Renewal(order_id, 1, 1, None, 365, paid_on), **changes)  # type: ignore[arg-type]


def listed(*found: Renewal, base: Order | None = None) -> Order:
    """An order with these renewals, entered one after the other."""
    base = base or sold()
    for each in found:
        base = renewals.with_renewal(base, each, NOW)
    return base


def periods(base: Order, *found: Renewal) -> list[tuple[date, date] | None]:
    base = listed(*found, base=base)
    return [renewals.period_of(base, each, TODAY) for each in found]


@pytest.mark.parametrize(
    ("renews", "part"),
    [
        ("base/1", (1, None)),
        ("base/2", (2, None)),
        ("base", (1, None)),  # its line of the same product
        ("LIC-BBBBBBBBBB", (1, "LIC-BBBBBBBBBB")),
        ("base/3", None),
        ("base/0", None),
        ("base/x", None),
        ("LIC-CCCCCCCCCC", None),
    ],
)
def test_a_renewal_says_which_part_of_an_order_it_renews(renews: str, part: tuple[int, str | None] | None) -> None:
    assert renewals.renewed_part(sold(), Line(SKU, 1, Kind.RENEWAL, renews)) == part


def test_an_order_alone_means_its_only_line_or_none_when_several_would_do() -> None:
    renews = Line("UPGRADE", 1, Kind.RENEWAL, "base")

    assert renewals.renewed_part(paid_order("base", Line(SKU, 1)), renews) == (1, None)
    assert renewals.renewed_part(sold(), renews) is None
    twice = paid_order("base", Line(SKU, 1), Line(SKU, 1))
    assert renewals.renewed_part(twice, replace(renews, sku=SKU)) is None


def test_a_period_starts_the_day_after_the_license_ends() -> None:
    assert periods(sold(), renewal()) == [(date(2027, 11, 23), date(2028, 11, 21))]


def test_a_period_starts_on_the_day_of_payment_if_the_license_has_ended() -> None:
    late = date(2028, 2, 29)

    assert periods(sold(), renewal(paid_on=late)) == [(late, date(2029, 2, 27))]
    assert periods(sold(), renewal(paid_on=date(2027, 11, 23))) == [(date(2027, 11, 23), date(2028, 11, 21))]


def test_a_period_that_the_card_gives_counts_whatever_the_license_says() -> None:
    card = renewal(period_start=date(2027, 1, 1))

    assert periods(sold(), card) == [(date(2027, 1, 1), date(2027, 12, 31))]
    assert periods(sold(), replace(card, period_end=date(2027, 6, 30))) == [(date(2027, 1, 1), date(2027, 6, 30))]
    assert renewals.period_of(None, card, TODAY) == (date(2027, 1, 1), date(2027, 12, 31))


def test_without_a_license_that_is_known_nor_a_period_nothing_says_when_it_starts() -> None:
    assert renewals.period_of(None, renewal(), TODAY) is None
    assert renewals.period_of(replace(sold(), licenses=()), renewal(), TODAY) is None


def test_two_renewals_of_one_license_stack_as_they_were_paid() -> None:
    first, second = periods(sold(), renewal("r1"), renewal("r2"))

    assert first == (date(2027, 11, 23), date(2028, 11, 21))
    assert second == (date(2028, 11, 22), date(2029, 11, 21))


def test_renewals_of_different_licenses_and_lines_do_not_wait_for_each_other() -> None:
    base = replace(sold(), licenses=(*sold().licenses, License("LIC-CCCCCCCCCC", 2, "OTHER", "z", TODAY, END)))
    one, other = renewal("r1", of_license="LIC-AAAAAAAAAA"), renewal("r2", of_license="LIC-BBBBBBBBBB")
    both, second_line = renewal("r3"), renewal("r4", of_line=2)

    starts = [period and period[0] for period in periods(base, one, other, both, second_line)]

    assert starts == [date(2027, 11, 23), date(2027, 11, 23), date(2028, 11, 22), date(2027, 11, 23)]


def test_a_renewal_that_is_not_paid_keeps_no_place_and_stands_behind_all_that_are() -> None:
    unpaid, paid = renewal("r1", None), renewal("r2")
    base = listed(unpaid, paid)

    assert renewals.period_of(base, paid, TODAY) == (date(2027, 11, 23), date(2028, 11, 21))
    assert renewals.period_of(base, unpaid, TODAY) == (date(2028, 11, 22), date(2029, 11, 21))
    base = renewals.with_renewal(base, replace(unpaid, paid_on=TODAY), NOW)
    assert [r.order_id for r in base.renewals] == ["r2", "r1"]


def test_a_place_that_is_taken_again_is_the_same() -> None:
    base = listed(renewal("r1"), renewal("r2"))

    assert renewals.with_renewal(base, renewal("r1", paid_on=TODAY + timedelta(days=3)), NOW) is base


def test_who_stood_behind_one_that_is_given_up_moves_up() -> None:
    base = listed(renewal("r1"), renewal("r2"))

    left = renewals.without_renewals(base, "r1", NOW, ZONE)

    assert renewals.period_of(left, renewal("r2"), TODAY) == (date(2027, 11, 23), date(2028, 11, 21))
    assert renewals.without_renewals(left, "r1", NOW, ZONE) is left


@pytest.mark.parametrize(
    ("first_day", "mail_at", "reserve_at"),
    [
        ("2027-11-23", "2027-11-16T06:00+00:00", "2027-10-24T05:00+00:00"),
        ("2027-04-03", "2027-03-27T06:00+00:00", "2027-03-04T06:00+00:00"),  # the day before summer time
        ("2027-04-04", "2027-03-28T05:00+00:00", "2027-03-05T06:00+00:00"),  # the day on which it begins
        ("2027-11-07", "2027-10-31T06:00+00:00", "2027-10-08T05:00+00:00"),  # the day on which it ends
        ("2028-03-07", "2028-02-29T06:00+00:00", "2028-02-06T06:00+00:00"),
        ("2028-01-01", "2027-12-25T06:00+00:00", "2027-12-02T06:00+00:00"),
    ],
)
def test_the_mail_leaves_seven_days_before_at_seven_by_the_shops_clock(
    first_day: str, mail_at: str, reserve_at: str
) -> None:
    start = date.fromisoformat(first_day)

    term = renewals.term_of(renewal(), (start, start), PRODUCT, "base", ZONE)

    assert (term.mail_at, term.reserve_at) == (datetime.fromisoformat(mail_at), datetime.fromisoformat(reserve_at))


def test_the_days_before_are_the_products() -> None:
    own = replace(PRODUCT, mail_days_before=14, reserve_days_before=60)

    term = renewals.term_of(renewal(), (END, END), own, "base", ZONE)

    assert (END - term.mail_at.date(), END - term.reserve_at.date()) == (timedelta(days=14), timedelta(days=60))


@given(st.dates(date(2001, 1, 1), date(2098, 12, 31)), st.sampled_from(["Europe/Amsterdam", "America/Sao_Paulo"]))
def test_the_morning_of_a_day_is_on_that_day(day: date, zone: str) -> None:
    moment = morning_of(day, ZoneInfo(zone))

    assert moment.tzinfo is UTC
    assert moment.astimezone(ZoneInfo(zone)).date() == day


def test_a_line_is_unscheduled_until_its_term_is_known_as_it_is_paid() -> None:
    order = paid_order("r1", Line(SKU, 1, Kind.RENEWAL, "base"), Line(SKU, 1))
    term = renewals.term_of(renewal("r1", None), (END, END), PRODUCT, "base", ZONE)

    assert renewals.unscheduled(order) == (1,)
    assert renewals.unscheduled(replace(order, terms=(term,))) == (1,)
    assert renewals.unscheduled(replace(order, terms=(replace(term, is_paid=True),))) == ()


def test_reminders_come_on_the_mornings_that_the_product_says() -> None:
    reminding = replace(PRODUCT, reminder_days=(0, 30, 7))

    found = renewals.reminders_of(1, END, reminding, ZONE)

    assert [(reminder.at.date(), reminder.days) for reminder in found] == [
        (date(2027, 10, 23), 30),
        (date(2027, 11, 15), 7),
        (END, 0),
    ]
    assert renewals.reminders_of(1, END, PRODUCT, ZONE) == ()


def test_a_renewal_is_paid_on_the_day_of_its_payment_by_the_shops_clock() -> None:
    late = paid_order("r1", Line(SKU, 1, Kind.RENEWAL, "base"), at=NOW.replace(hour=23, minute=30))

    assert renewals.renewal_of(late, 1, PRODUCT, (1, None), ZONE).paid_on == date(2026, 11, 24)


def test_days_that_are_told_later_count_in_the_place_that_it_has() -> None:
    base = listed(renewal("r1"), renewal("r2"))
    told = renewal("r1", period_start=date(2027, 12, 24), term_days=30)

    base = renewals.with_renewal(base, told, NOW)

    assert renewals.period_of(base, told, TODAY) == (date(2027, 12, 24), date(2028, 12, 22))
    assert renewals.period_of(base, renewal("r2"), TODAY) == (date(2028, 12, 23), date(2029, 12, 22))


def test_who_moves_up_does_not_move_into_the_past_and_not_again_another_day() -> None:
    base = listed(renewal("r1"), renewal("r2"), renewal("r3", None))
    late = date(2028, 6, 1)

    base = renewals.without_renewals(base, "r1", morning_of(late, ZONE), ZONE)

    for today in (late, late + timedelta(days=9)):
        assert renewals.period_of(base, renewal("r2"), today) == (late, date(2029, 5, 31))
    assert renewals.without_renewals(base, "r1", morning_of(late + timedelta(days=9), ZONE), ZONE) is base


def test_who_stood_behind_one_that_never_was_paid_does_not_move() -> None:
    base = listed(renewal("r1", None), renewal("r2"))

    base = renewals.without_renewals(base, "r1", morning_of(date(2028, 6, 1), ZONE), ZONE)

    assert renewals.period_of(base, renewal("r2"), date(2028, 6, 1)) == (date(2027, 11, 23), date(2028, 11, 21))
