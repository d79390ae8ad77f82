import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.said import said
from tests.builders import PRODUCT

ONE_CODE = "ABCDE-12345-FGHIJ-67890"


@pytest.mark.parametrize(
    "written",
    [
        "ABCDE-12345-FGHIJ-67890",
        " abcde-12345-fghij-67890 ",
        "ABCDE 12345 FGHIJ 67890",
        "ABCDE\u201312345\u2011FGHIJ \u2212 67890",
    ],
)
def test_however_it_is_written_a_code_has_one_spelling_and_one_digest(written: str) -> None:
    assert codes.checked(written, PRODUCT) == ONE_CODE
    assert codes.digest(written) == codes.digest(ONE_CODE)


@given(st.text())
def test_the_one_spelling_is_its_own_spelling(text: str) -> None:
    assert codes.normalize(codes.normalize(text)) == codes.normalize(text)


@pytest.mark.parametrize("key", ["0123ABCD-0123-4567-89AB-0123456789AB", "0123abcd0123456789ab0123456789ab"])
def test_a_license_key_of_32_characters_is_refused_as_such(key: str) -> None:
    with pytest.raises(InvalidInput, match="code_is_a_license_key"):
        codes.checked(key, PRODUCT)


@pytest.mark.parametrize("wrong", ["", "QQQQQ-12345-FGHIJ", "QQQQQ-12345-FGHIJ-67890-X", "Z9TI-CA2K-K6DV-O0RZ-Y1DE"])
def test_a_code_of_another_form_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        codes.checked(wrong, PRODUCT)

    assert refusal.value.said == said("not_a_code_of", sku=PRODUCT.sku, example=PRODUCT.code_example)
