"""Who gets which codes when there are too few."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import renewals
from keypost.core.order import Hold, Renewal
from keypost.core.owed import deliveries
from keypost.core.product import Kind, Line
from keypost.core.sharing import short_of, usable_on, wanted
from tests.builders import NOW, PRODUCT, SKU, ZONE, paid_order

A, B = Counter(A=1), Counter(B=1)


@pytest.mark.parametrize(
    ("needed", "rivals", "free", "short"),
    [
        ([("A", 1)], [], Counter(A=1), []),
        ([("A", 1)], [A], Counter(A=2), []),
        ([("A", 1)], [A], Counter(A=1), ["A"]),
        ([("A", 1)], [B, B], Counter(A=1, B=1), []),
        ([("A", 1)], [Counter(A=5)], Counter(A=4), []),  # it cannot be served, and keeps none
        ([("A", 1)], [Counter(A=5), Counter(A=4)], Counter(A=4), ["A"]),
        ([("A", 1)], [Counter(A=1, B=1)], Counter(A=1), []),  # of B there is none
        ([("A", 2), ("B", 1)], [A, B], Counter(A=2, B=1), ["A"]),
        ([("A", 1), ("B", 1)], [Counter(A=1, B=1)], Counter(A=1, B=1), ["A", "B"]),
    ],
)
def test_rivals_that_can_be_served_are_counted_out_and_others_keep_no_codes(
    needed: list[tuple[str, int]], rivals: list[Counter[str]], free: Counter[str], short: list[str]
) -> None:
    assert short_of(needed, rivals, free.__getitem__) == short


wants = st.dictionaries(st.sampled_from("AB"), st.integers(1, 4), min_size=1).map(Counter)


@given(st.lists(wants, max_size=8), st.dictionaries(st.sampled_from("AB"), st.integers(0, 9)).map(Counter))
def test_whoever_is_served_leaves_enough_for_all_who_come_before_and_can_be_served(
    line: list[Counter[str]], free: Counter[str]
) -> None:
    served = [
        wants
        for place, wants in enumerate(line)
        if wants <= free and not short_of(list(wants.items()), line[:place], free.__getitem__)
    ]

    assert sum(served, Counter()) <= free
    others = [wants for wants in line if wants not in served]
    assert all(not wants <= free - sum(served, Counter()) for wants in others)


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

    found = wanted([bought, replace(renewing, terms=(term,)), replace(bought, hold=Hold(by_person=True))], NOW, ZONE)

    assert (found.now, found.later) == (Counter({SKU: 2}), {SKU: Counter({date(2027, 10, 24): 1})})
