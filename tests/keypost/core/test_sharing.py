"""Who gets which codes when there are too few."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import renewals
from keypost.core.order import RETRY_WAITING, Hold, Order, Reason, Renewal, waiting_for
from keypost.core.owed import deliveries
from keypost.core.product import Kind, Line
from keypost.core.said import said
from keypost.core.sharing import (
    RETRY_STOCK,
    InLine,
    first_served,
    lacking,
    lacks,
    retry_of,
    short_of,
    usable_on,
    waited_for,
    wanted,
)
from tests.builders import NOW, PRODUCT, SKU, ZONE, paid_order

A, B = Counter(A=1), Counter(B=1)


def in_line(wants: Counter[str], name: str = "") -> InLine:
    """An order that stands in line for the first of the products that it lacks."""
    return InLine(name, next(iter(wants), ""), wants)


@pytest.mark.parametrize(
    ("needed", "rivals", "free", "short"),
    [
        ([("A", 1)], [], Counter(A=1), []),
        ([("A", 1)], [A], Counter(A=2), []),
        ([("A", 1)], [A], Counter(A=1), ["A"]),
        ([("A", 1)], [B, B], Counter(A=1, B=1), []),
        ([("A", 1)], [Counter(A=5)], Counter(A=4), []),  # it cannot be served, and keeps none
        ([("A", 1)], [Counter(A=5), Counter(A=4)], Counter(A=4), ["A"]),
        ([("A", 1)], [Counter(A=1, B=1)], Counter(A=1), ["A"]),  # it is served with A, and waits for B alone
        ([("B", 1)], [Counter(A=2, B=1)], Counter(A=1, B=1), []),  # nobody looks at it before there are two of A
        ([("A", 1), ("B", 1)], [Counter(A=2, B=1)], Counter(A=1, B=1), []),
        ([("A", 2), ("B", 1)], [A], Counter(A=2, B=1), ["A"]),
        ([("A", 2), ("B", 1)], [A, B], Counter(A=2, B=1), ["A", "B"]),
        ([("A", 1), ("B", 1)], [Counter(A=1, B=1)], Counter(A=1, B=1), ["A", "B"]),
    ],
)
def test_rivals_that_can_be_served_are_counted_out_and_others_keep_no_codes(
    needed: list[tuple[str, int]], rivals: list[Counter[str]], free: Counter[str], short: list[str]
) -> None:
    assert short_of(needed, map(in_line, rivals), free.__getitem__) == short


wants = st.dictionaries(st.sampled_from("AB"), st.integers(1, 4), min_size=1).map(Counter)


@given(st.lists(wants, max_size=8), st.dictionaries(st.sampled_from("AB"), st.integers(0, 9)).map(Counter))
def test_whoever_is_served_leaves_enough_for_all_who_come_before_and_can_be_served(
    line: list[Counter[str]], free: Counter[str]
) -> None:
    served, others = Counter[str](), Counter[str]()
    for place, wants in enumerate(line):
        short = short_of(list(wants.items()), map(in_line, line[:place]), free.__getitem__)
        got = {sku: count for sku, count in wants.items() if sku not in short and count <= free[sku]}
        stands_for = in_line(wants).sku
        if stands_for in got:
            served += Counter(got)
        elif wants[stands_for] == 1:
            others[stands_for] += 1

    assert served <= free
    assert all(served[sku] == free[sku] for sku in others)  # nobody who lacks one gets none while one is left


@pytest.mark.parametrize(
    ("line", "free", "served"),
    [
        ([A, A, A], Counter(A=2), ["0", "1"]),
        ([Counter(A=3), A, A, A], Counter(A=2), ["1", "2"]),  # the first one keeps none
        ([Counter(A=1, B=1), A], Counter(A=1), ["0"]),  # it gets what there is, and waits for B
        (
            [Counter(A=2, B=1), A],
            Counter(A=1, B=1),
            ["1"],
        ),  # what it can get is of another product than the one that came
        ([Counter(A=1, B=1), A], Counter(A=1, B=1), ["0"]),
        ([Counter(), A], Counter(A=1), ["1"]),  # a person holds it
        ([A], Counter(), []),
    ],
)
def test_codes_that_came_serve_those_who_are_first_in_line_and_lack_no_more_than_there_is(
    line: list[Counter[str]], free: Counter[str], served: list[str]
) -> None:
    named = (in_line(wants, str(place)) for place, wants in enumerate(line))

    assert list(first_served(named, ["A"], free.__getitem__)) == served


def test_nobody_is_loaded_once_all_codes_are_given_nor_a_whole_line_of_those_who_lack_too_many() -> None:
    asked: list[int] = []

    def line(wants: Counter[str]) -> Iterator[InLine]:
        for place in range(9999):
            asked.append(place)
            yield in_line(wants, str(place))

    assert len(list(first_served(line(A), ["A"], Counter(A=3).__getitem__))) == len(asked) == 3
    asked.clear()
    assert not list(first_served(line(A), ["A"], Counter[str]().__getitem__))
    assert not asked
    assert list(first_served(line(Counter(A=4)), ["A"], Counter(A=3).__getitem__)) == []
    assert len(asked) == 200


def waits(order: Order, *skus: str, lines: tuple[int, ...] = (), reason: Reason = Reason.STOCK, days: int = 0) -> Order:
    return waiting_for(order, reason, said("too_few_codes", skus=skus), NOW + timedelta(days=days), lines=lines)


def test_an_order_is_found_under_the_first_product_that_it_has_waited_for_longest() -> None:
    order = paid_order("1", Line("A", 1), Line("B", 1))

    assert waited_for(waits(order, "B", "A")) == "B"
    both = waits(waits(order, "B", lines=(2,), days=1), "A", lines=(1,))
    assert waited_for(both) == "A"


def test_an_order_lacks_the_codes_of_those_lines_only_that_wait_for_codes_alone() -> None:
    order = paid_order("1", Line("A", 2), Line("B", 1))

    assert lacks(order) == Counter()
    assert lacks(waits(order, "A", lines=(1, 2))) == Counter(A=2, B=1)
    assert lacks(waits(waits(order, "A", lines=(1, 2)), reason=Reason.PRODUCT, lines=(1, 2))) == Counter()
    assert lacks(waits(waits(order, "A"), reason=Reason.ADDRESS)) == Counter(A=2, B=1)  # its codes are set aside
    assert lacks(replace(waits(order, "A"), hold=Hold(by_person=True))) == Counter()


def test_lines_are_looked_at_once_a_day_unless_the_order_is_found_under_another_product() -> None:
    order = waits(paid_order("1", Line("A", 1), Line("B", 1)), "A", lines=(1,))

    first = retry_of(order, ["A"], (1,), NOW)
    assert RETRY_STOCK / 2 <= first < RETRY_STOCK * 1.5
    assert retry_of(order, ["A", "B"], (2,), NOW) == first
    assert retry_of(order, ["A"], (1,), NOW + first) == RETRY_STOCK == timedelta(days=1)
    assert retry_of(order, ["A"], (1,), NOW + first + timedelta(minutes=14)) == RETRY_STOCK - timedelta(minutes=14)
    assert retry_of(order, ["B"], (2,), NOW) == RETRY_WAITING


def test_orders_that_began_to_wait_in_one_second_are_looked_at_all_over_the_day() -> None:
    rings = Counter((NOW + retry_of(paid_order(f"2026-{n:06d}"), [SKU], (1,), NOW)).hour for n in range(1000))

    assert rings.keys() == {*range(24)}
    assert max(rings.values()) < 1000 / 24 * 2


@given(st.integers(0, 10**6), st.integers(0, 10**8), st.lists(st.integers(0, 14), max_size=5))
def test_an_order_that_waits_is_looked_at_once_in_each_day_however_late_the_schedules_are(
    number: int, seconds: int, late: list[int]
) -> None:
    order, began = paid_order(f"2026-{number:06d}"), NOW + timedelta(seconds=seconds)
    rings = began + retry_of(order, [SKU], (1,), began)
    for minutes in late:
        looked = rings + timedelta(minutes=minutes)
        assert looked + retry_of(order, [SKU], (1,), looked) == rings + RETRY_STOCK
        rings += RETRY_STOCK


def test_a_wait_in_which_nothing_is_new_changes_nothing_until_its_clock_rings() -> None:
    order = waits(paid_order("1", Line("A", 1)), "A", lines=(1,))
    (waiting,) = order.waits

    def again(at: timedelta, *skus: str) -> Order:
        return waiting_for(order, Reason.STOCK, said("too_few_codes", skus=skus), NOW + at, lines=(1,))

    assert again(timedelta(minutes=14), "A") is order
    later = again(timedelta(minutes=15), "A")
    assert (later.timeline, later.waits) == (
        order.timeline,
        (replace(waiting, retry_at=waiting.retry_at + timedelta(minutes=15)),),
    )
    assert again(timedelta(0), "B") != order


def test_a_code_is_used_on_the_day_of_its_mail_or_of_the_new_period_where_it_cannot_be_held_in_reserve() -> None:
    order = paid_order("r1", Line(SKU, 1, Kind.RENEWAL, "base"))
    start = date(2027, 11, 23)
    term = renewals.term_of(Renewal("r1", 1, 1, None, 365, NOW.date()), (start, start), PRODUCT, "base", ZONE)
    order = replace(order, terms=(term,))
    (delivery,) = deliveries(order)

    assert usable_on(order, delivery, PRODUCT, NOW, ZONE) == date(2027, 11, 16)
    assert usable_on(order, delivery, replace(PRODUCT, holds_reserve_code=False), NOW, ZONE) == start
    late = NOW + timedelta(days=400)
    assert usable_on(order, delivery, PRODUCT, late, ZONE) == late.date()


def test_what_an_order_lacks_is_wanted_now_or_on_the_day_on_which_it_is_set_aside() -> None:
    bought = paid_order("b", Line(SKU, 2))
    renewing = paid_order("r1", Line(SKU, 1, Kind.RENEWAL, "base"))
    start = date(2027, 11, 23)
    term = renewals.term_of(Renewal("r1", 1, 1, None, 365, NOW.date()), (start, start), PRODUCT, "base", ZONE)

    orders = [bought, replace(renewing, terms=(term,)), replace(bought, hold=Hold(by_person=True))]
    found = wanted(chain.from_iterable(map(lacking, orders)), NOW, ZONE)

    assert (found.now, found.later) == (Counter({SKU: 2}), {SKU: Counter({date(2027, 10, 24): 1})})
