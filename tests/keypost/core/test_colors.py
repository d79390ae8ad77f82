import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.colors import CARD, DARK_CARD, colors_of, contrast


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#0000ff", "#ffffff", 8.59),
        ("#fff000", "#fff000", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(expected, abs=0.01)


@given(st.integers(0, 0xFFFFFF))
def test_whatever_color_a_shop_has_its_words_can_be_read(number: int) -> None:
    colors = colors_of(f"#{number:06X}")

    assert contrast(colors.on_button, colors.button) >= 4.5
    assert contrast(colors.accent, CARD) >= 4.5
    assert contrast(colors.dark_accent, DARK_CARD) >= 4.5


@pytest.mark.parametrize("color", ["#0b6e5b", "#000000", "#1a3c8f"])
def test_a_color_that_can_be_read_is_left_as_it_is(color: str) -> None:
    assert (colors_of(color).button, colors_of(color).accent) == (color, color)
