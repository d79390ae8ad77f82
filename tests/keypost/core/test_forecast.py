from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.forecast import HORIZON_DAYS, Forecast, Stock, drafts, forecast
from tests.builders import SKU

TODAY = date(2026, 11, 23)


def stock(free: int, used: int = 0, waiting: int = 0, **promised: int) -> Stock:
    """`in_10=3`: three codes are promised for ten days from now."""
    days = {TODAY + timedelta(days=int(name[3:])): count for name, count in promised.items()}
    return Stock(SKU, free, waiting, days, used)


@pytest.mark.parametrize(
    ("given", "runs_out_in", "to_order", "order_in"),
    [
        (stock(100, used=30), None, 0, None),  # one a day: enough for 100 days
        (stock(30, used=30), 31, 30, 24),
        (stock(5, in_10=6), 10, 1, 3),
        (stock(5, in_10=3, in_20=3), 20, 1, 13),
        (stock(5, in_10=5), None, 0, None),
        (stock(0, waiting=2), 0, 2, 0),
        (stock(10, used=30, in_5=20), 5, 50, 0),  # the promised ones are a part of the usual use
        (stock(0), None, 0, None),
        (stock(3, in_90=9), None, 0, None),
    ],
)
def test_a_forecast_says_how_many_to_order_before_which_day(
    given: Stock, runs_out_in: int | None, to_order: int, order_in: int | None
) -> None:
    def day(days: int | None) -> date | None:
        return None if days is None else TODAY + timedelta(days=days)

    assert forecast(given, TODAY) == Forecast(given, day(runs_out_in), to_order, day(order_in))


def test_of_what_is_not_sold_any_more_only_what_orders_have_coming_is_ordered() -> None:
    def retired(given: Stock) -> Forecast:
        return forecast(replace(given, is_retired=True), TODAY)

    assert retired(stock(10, used=300)).to_order == 0
    assert retired(stock(1, used=300, waiting=2, in_10=3)).to_order == 4
    assert drafts([replace(stock(10, used=300), is_retired=True)], TODAY, 60) == ()
    assert drafts([stock(10, used=300)], TODAY, 60) != ()


@given(
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 50),
    st.dictionaries(st.integers(0, 90), st.integers(0, 50)),
)
def test_what_was_ordered_lasts_to_the_horizon(free: int, used: int, waiting: int, promised: dict[int, int]) -> None:
    days = {TODAY + timedelta(days=n): count for n, count in promised.items()}
    found = forecast(Stock(SKU, free, waiting, days, used), TODAY)

    assert (found.runs_out is None) == (found.to_order == 0)
    assert forecast(Stock(SKU, free + found.to_order, waiting, days, used), TODAY).runs_out is None
    assert found.runs_out is None or found.runs_out <= TODAY + timedelta(days=HORIZON_DAYS)
