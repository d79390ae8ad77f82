"""What a use costs, the floor, and what the page says of it."""

import pytest

from tests.bench.bill import bill
from tests.bench.costs import (
    BUSY,
    CONVENTIONAL,
    QUIET,
    REGIONS,
    Used,
    dollars,
    floor,
    from_memory,
    prices,
    summed,
    total,
)
from tests.bench.figures import Figure


def test_each_part_of_a_use_costs_what_its_price_says() -> None:
    used = Used(rest_api=1, gb_seconds=0.1, write_units=10, sqs_requests=3, log_bytes=2000)

    assert {part: round(each, 3) for part, each in dollars(used, prices()).items() if each} == {
        "rest_api": 3.5,
        "gb_seconds": 1.333,
        "write_units": 7.05,
        "sqs_requests": 1.2,
        "log_bytes": 1.14,
    }
    assert round(total(used, prices()), 2) == 14.22


def test_two_uses_add_up() -> None:
    assert Used(write_units=1, traces=0.5) + Used(write_units=2, read_units=1) == Used(
        write_units=3, read_units=1, traces=0.5
    )


def test_both_regions_have_a_price_for_the_same_things() -> None:
    ireland, frankfurt = (prices(region) for region in REGIONS)

    assert ireland.keys() == frankfurt.keys()
    assert all(price > 0 for price in [*ireland.values(), *frankfurt.values()])


def test_a_price_that_nobody_read_is_a_price_of_the_table() -> None:
    assert {name.partition(" ")[0] for name in from_memory()} <= {"traces", "firewall", "alarm", "rest_api"}


def test_the_floor_is_one_order_of_a_kilobyte_in_full_and_in_empty_batches() -> None:
    quiet, busy = (summed([step.used for step in floor(batches)]) for batches in (QUIET, BUSY))

    assert (quiet.write_units, quiet.read_units, quiet.sqs_requests, quiet.lambda_requests) == (14, 4, 7, 3)
    assert (busy.write_units, busy.read_units) == (quiet.write_units, quiet.read_units)
    assert round(busy.sqs_requests, 2) == 4.07
    assert round(total(busy, prices())) == 17
    assert round(total(quiet, prices())) == 18


@pytest.mark.parametrize(("design", "known"), [("conventional", 24.2), ("naive", 69.8)])
def test_the_conventional_designs_cost_what_was_found_for_them_by_the_same_formula(design: str, known: float) -> None:
    assert total(CONVENTIONAL[design], prices()) == pytest.approx(known, rel=0.03)


def test_the_bill_adds_up_a_month() -> None:
    figures = [
        Figure("dollars/a_million", 3.5, "$"),
        Figure("dollars/rest_api", 1, "count"),
        Figure("dollars/idle_alarms", 3.5, "$"),
    ]
    text = bill({figure.name: figure for figure in figures})

    assert "| calls of the API | 1 | 1 | 3.50 | 3.70 | 3.50 |\n" in text
    assert "| the mails (SES) | 0.01 | 0.10 | 1.00 |\n" in text
    assert "| **sum** | 3.68 | 4.82 | 5.87 |\n" in text  # mails, calls, alarms, metrics of sales and backup


def test_without_dollars_there_is_no_bill() -> None:
    assert bill({}) == ""
