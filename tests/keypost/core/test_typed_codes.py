from dataclasses import replace

import pytest

from keypost.core.typed_codes import is_code, signs_of, without_codes
from tests.builders import PRODUCT

CODE = "0A3TP-Q7Y2M-ZK9PL-7XTRW"
MIXED = replace(
    PRODUCT,
    sku="MIXED",
    code_pattern="[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}",
    code_example="aB3d-E5gH-7jKl-mN0p",
    case_counts=True,
)
LOOSE = replace(
    PRODUCT, sku="LOOSE", code_pattern="[^ ]{5,60}", code_example="gebruiker:Wachtw00rd-x", case_counts=True
)
BARE = replace(PRODUCT, sku="BARE", code_pattern="[A-Z0-9]{16}", code_example="AB12CD34EF56GH78")
SIGNS = signs_of([PRODUCT, MIXED, BARE])


@pytest.mark.parametrize(
    "spelling",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", " "),
        CODE.replace("-", " - "),
        CODE.replace("-", "\u2013"),
        CODE.replace("-", ""),
        CODE.replace("-", "").lower(),
        f"{CODE[:7]}\u200b{CODE[7:]}",
        "qW3e-R5tY-7uIo-pA0s",
        "qW3e R5tY 7uIo pA0s",
        "ZX12CV34BN56MK78",
        *(CODE.replace("-", sign) for sign in ("_", ".", "/", ", ", " | ", ":", "·")),
        "abcde-fghij-klmno-pqrst",
        "AAAAA-BBBBB-CCCCC-DDDDD",
        "AAAAA BBBBB CCCCC DDDDD",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "klant zegt: {} werkt niet", "code={}.", "({})", "de klant {} werkt nooit goed"]
)
def test_a_code_in_a_sentence_is_masked_in_any_spelling(spelling: str, around: str) -> None:
    told = without_codes(around.format(spelling), SIGNS)

    signs = [sign for sign in spelling if sign.isalnum()]
    assert "".join(signs[-6:]) not in "".join(sign for sign in told if sign.isalnum())
    assert "".join(signs[:5]) not in "".join(sign for sign in told if sign.isalnum())
    assert "…" in told


@pytest.mark.parametrize(
    "text",
    [
        "hallo klant wacht lange tijd al",
        "order 2026-001234 en LIC-ABCDEFGH23, betaald met tr_7UhSN1zuXS en cs_test_a1B2c3D4",
        "bel 0612345678 of 020-1234567 voor 31-12-2027",
        "info@klant.example en inkoopafdeling.noord@voorbeeld-bedrijf.example",
        "verantwoordelijkheid aansprakelijkheidsverzekering",
        "KASPERSKY-STANDARD-3D-1Y",
        "hallo, klant, wacht, lange tijd al",
        "bestelling 20261-00123-45678-9012",
        "zeer-lange-woord-samenstelling",
        "",
    ],
)
def test_what_is_no_code_stays(text: str) -> None:
    assert without_codes(text, SIGNS) == text


@pytest.mark.parametrize("typed", [CODE[:-1], CODE[1:], CODE.replace("Q7", "Q77"), CODE.replace("-ZK9PL", "-ZKPL")])
def test_a_code_with_a_sign_too_few_or_too_many_is_masked_all_the_same(typed: str) -> None:
    told = without_codes(f"klant leest {typed} voor", signs_of([PRODUCT]))

    assert told == f"klant leest …{typed[-5:]} voor"


def test_a_pattern_that_ordinary_words_fit_hides_only_what_the_stock_knows() -> None:
    text = "gebruiker:Geheim99--z werkt niet, zegt klant 2026-001234."

    assert without_codes(text, signs_of([LOOSE])) == text
    told = without_codes(text, signs_of([LOOSE]), lambda word: word == "gebruiker:Geheim99--z")
    assert told == "…99--z werkt niet, zegt klant 2026-001234."


def test_a_code_alone_is_known_as_one() -> None:
    assert is_code(CODE.lower().replace("-", " "), SIGNS)
    assert not is_code(f"code {CODE}", SIGNS)
    assert not is_code("2026-001234", SIGNS)
