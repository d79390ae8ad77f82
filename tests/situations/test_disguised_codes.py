"""Kind: a code that somebody types another way than it is printed. It never comes out, and the rest of the
sentence does (findings A4; Licence Protector, "Format of a Key": people read codes out sign by sign)."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.local.samples import sample_products
from keypost.core.product import Product
from keypost.core.typed_codes import signs_of, without_codes
from tests.builders import PRODUCT

CODE = "0A3TP-Q7Y2M-ZK9PL-7XTRW"
FOURS = replace(PRODUCT, sku="FOURS", code_pattern="[A-Z0-9]{4}(-[A-Z0-9]{4}){3}", code_example="AB12-CD34-EF56-GH78")
MADE_UP = replace(
    PRODUCT,
    sku="MADE-UP",
    code_pattern="[a-zA-Z0-9]{6}(-[a-zA-Z0-9]{6}){2}",
    code_example="aB3dE5-gH7jKl-mN0pQ2",
    case_counts=True,
)
PRODUCTS = (*sample_products(), FOURS, MADE_UP)
SIGNS = signs_of(PRODUCTS)

WIDE = {at: at + 0xFEE0 for at in range(0x21, 0x7F)}
CYRILLIC = str.maketrans("ABEKMHOPCTX", "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425")
BETWEEN = ("%2D", "%252d", "%E2%80%91", "&#45;", "&#x2d;", "&ndash;", "&amp;ndash;", "&nbsp;", "\u2011", "\u00ad")
MORE_BETWEEN = ("\n", "\r\n", "-\n> ", "<br>", "</b>-<b>", " - ", "_", ".", " | ", "\u2013", "\\u2011", "", "~")

Disguise = Callable[[str], str]
DISGUISES: dict[str, Disguise] = {
    "as printed": lambda code: code,
    "in lower case": str.lower,
    "letter by letter": lambda code: " ".join(code.replace("-", "")),
    "letter by letter, with dots": lambda code: ".".join(code.replace("-", "")),
    "letter by letter, with its dashes": " ".join,
    "by twos": lambda code: " ".join(re.findall("..?", code.replace("-", ""))),
    "in other groups": lambda code: " ".join(re.findall(".{1,4}", code.replace("-", ""))),
    "full width": lambda code: code.translate(WIDE),
    "in bold": lambda code: "".join(chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else c for c in code),
    "with Cyrillic letters": lambda code: code.translate(CYRILLIC),
    "with invisible signs": "\u200b".join,
    "with lines under it": "\u0332".join,
    "broken within a group": lambda code: f"{code[:7]}\n{code[7:]}",
    "with words between": lambda code: code.replace("-", " streepje "),
    "O for 0": lambda code: code.replace("0", "O"),
} | {f"with {each!r}": (lambda code, each=each: code.replace("-", each)) for each in BETWEEN + MORE_BETWEEN}

BEFORE = ["Klant zegt:", "De code", "Bij order 2026-001234 zegt de klant dat", "Graag hulp, want code", "code="]
AFTER = ["werkt niet.", "geeft een fout", "is al in gebruik, bel 020-1234567", ", zegt Jan de Vries.", "?"]


def codes(product: Product) -> st.SearchStrategy[str]:
    """Codes as vendors make them: at random, with letters and digits."""
    signs = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    ends = [len(group) for group in product.code_example.split("-")]
    groups = (st.text(signs, min_size=size, max_size=size).filter(_is_group) for size in ends)
    return st.tuples(*groups).map("-".join)


def _is_group(text: str) -> bool:
    return re.search("[0-9]", text) is not None and re.search("[A-Z]", text) is not None


def heart(text: str) -> str:
    """Letters and digits only, as somebody reads them who wants to put a code together."""
    simple = unicodedata.normalize("NFKD", re.sub(r"%(25)*[0-9A-Fa-f]{2}|&[a-z#0-9;]+;|streepje", "", text))
    return "".join(sign for sign in simple if sign.isascii() and sign.isalnum()).upper()


@given(
    data=st.data(),
    product=st.sampled_from(PRODUCTS),
    disguise=st.sampled_from(sorted(DISGUISES)),
    before=st.sampled_from(BEFORE),
    after=st.sampled_from(AFTER),
)
def test_a_code_never_comes_out_of_a_sentence_and_the_rest_does(
    data: st.DataObject, product: Product, disguise: str, before: str, after: str
) -> None:
    code = data.draw(codes(product))
    typed = DISGUISES[disguise](code)
    glue = "" if before.endswith("=") else " "

    told = without_codes(f"{before}{glue}{typed} {after}", SIGNS)

    assert told.startswith(f"{before}{glue}…")
    assert told.endswith(f" {after}")
    left = heart(told[len(before) : -len(after)])
    assert len(left) <= 5, told


STAYS = [
    "uuid 550e8400-e29b-41d4-a716-446655440000 van de betaling",
    "uuid 550E8400-E29B-41D4-A716-446655440000 VAN DE BETALING",
    "order 2026-001234, WC-2026-000123, ORD-2026-0012-3456 en R-8f021204",
    "betaald met tr_7UhSN1zuXS, pi_3MtwBwLkdIwHu7ix28a3tqPa en cs_test_a1B2c3D4e5F6g7H8",
    "licentie LIC-ABCDEFGH23 van KASPERSKY-SMALL-OFFICE-5D-1Y en ESET-HOME-SECURITY-1D-1Y",
    "bel 020-1234567, 06 12 34 56 78, +31 6 1234 5678 of 0031 (0)20 123 45 67",
    "rekening NL91 ABNA 0417 1643 00 of NL91ABNA0417164300",
    "IBAN BE68 5390 0754 7034 en DE89 3704 0044 0532 0130 00",
    "een mail aan inkoopafdeling.noord@voorbeeld-bedrijf.example op 31-12-2027 om 12:30",
    "deze code werkt niet want deze code hoort niet",
    "DEZE CODE WERKT NIET WANT DEZE CODE HOORT NIET",
    "klant heeft vijf keer gebeld over factuur 20261234 van 28 november 2026",
    "Voorbeeldstraat 1, 1234 AB Amsterdam, KvK 12345678, btw NL123456789B01",
    "MacBook Pro 2023 met macOS 15.1 en Windows 11 23H2",
    "één café: crème brûlée \U0001f600",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_a_code_stays_readable(text: str) -> None:
    assert without_codes(text, SIGNS) == text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("begint met 0A3TP-Q7Y2M-ZK9PL", "begint met …ZK9PL"),
        ("eindigt op Q7Y2M-ZK9PL-7XTRW, zegt de klant", "eindigt op …7XTRW, zegt de klant"),
        ("0A3TP Q7Y2M ZK9PL en verder onleesbaar", "…ZK9PL en verder onleesbaar"),
        ("0A3TP Q7Y2M en verder onleesbaar", "0A3TP Q7Y2M en verder onleesbaar"),
        ("de laatste vijf zijn 7XTRW", "de laatste vijf zijn 7XTRW"),
    ],
)
def test_a_part_of_a_code_is_hidden_where_its_last_five_would_make_it_whole(typed: str, told: str) -> None:
    assert without_codes(typed, SIGNS) == told


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("klant 0A3TP Q7Y2M ZK9PL 7XTRW werkt nooit", "klant …7XTRW werkt nooit"),
        ("klant 0a3tp q7y2m zk9pl 7xtrw werkt nooit", "klant …7xtrw werkt nooit"),
        (f"eerst {CODE}, toen AAAAA-BBBBB-CCCCC-11111.", "eerst …7XTRW, toen …11111."),
        (f"order NL91 ABNA 0417 1643 00 {CODE} tr_7UhSN1zuXS", "order NL91 ABNA 0417 1643 00 …7XTRW tr_7UhSN1zuXS"),
        ("0A3TP-Q7Y2M en dan ZK9PL-7XTRW", "… en dan …7XTRW"),
        ("zie &ndash; en %20 in één zin met 0A3TP&ndash;Q7Y2M&ndash;ZK9PL&ndash;7XTRW", None),
    ],
)
def test_only_the_code_is_taken_out(typed: str, told: str | None) -> None:
    assert without_codes(typed, SIGNS) == (told or "zie &ndash; en %20 in één zin met …7XTRW")
