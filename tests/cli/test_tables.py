"""Tables at a terminal."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cli.tables import lines

ROWS = [["2026-001234", "Anna Jansen", "the order waits for codes of Kaspersky Standard"], ["7", "李明", "-"]]


def test_columns_line_up_also_under_wide_characters() -> None:
    assert lines(["Order", "Customer", "Reason"], ROWS, 200) == [
        "Order        Customer     Reason",
        "2026-001234  Anna Jansen  the order waits for codes of Kaspersky Standard",
        "7            李明         -",
    ]


def test_where_there_is_no_room_the_text_goes_on_in_the_next_line() -> None:
    assert lines(["Order", "Customer", "Reason"], ROWS, 50) == [
        "Order        Customer     Reason",
        "2026-001234  Anna Jansen  the order waits for",
        "                          codes of Kaspersky",
        "                          Standard",
        "7            李明         -",
    ]


def test_a_line_break_or_a_control_character_in_a_name_breaks_no_table_and_steers_no_terminal() -> None:
    assert lines(["Customer"], [["Anna\n\x1b[31mJansen\u202e"]], 80) == ["Customer", "Anna  [31mJansen"]


@given(
    st.lists(st.lists(st.text("ab-, é李", max_size=60), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(50, 120),
)
def test_nothing_is_cut_and_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    found = lines(["a", "b", "c"], rows, width)

    def letters(text: str) -> list[str]:
        return sorted(re.sub(r"\s", "", text))

    assert letters("".join(found)) == letters("abc" + "".join(map("".join, rows)))
