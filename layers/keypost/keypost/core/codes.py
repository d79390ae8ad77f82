"""Activation codes: how they are kept, by which form they are compared, and how to tell what is not a code."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Protocol

from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.product import Product

_SHOWN = 5
DASHES = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d-"
_DASH, _SEPARATORS = re.compile(f"[{DASHES}]"), re.compile(rf"[\s{DASHES}]+")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}  # categories of Unicode

_ALIKE = str.maketrans("OI", "01")

# Kaspersky's 32-character recovery key: 8-4-4-4-12 characters, which the vendor writes with or without dashes.
_LICENSE_KEY = re.compile(r"[0-9A-F]{8}-?(?:[0-9A-F]{4}-?){3}[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code for the stock, as its vendor wrote it."""

    sku: str
    code: str
    batch: str | None
    activate_before: date | None
    case_counts: bool = False


@dataclass(frozen=True, slots=True)
class StockCode:
    """A free code that the stock index offers. The index may be stale; only the condition of the write decides."""

    digest: str
    code: str
    sku: str
    batch: str = ""
    case_counts: bool = False


@dataclass(frozen=True, slots=True)
class BadStockCode:
    """A code that did not work, for a claim with the distributor who sold it."""

    code: str
    sku: str
    reason: str
    note: str  # of the agent who swapped it
    day: date  # the day on which it was swapped


class Kept(Protocol):
    """A code as the stock or an order has it."""

    @property
    def code(self) -> str: ...
    @property
    def case_counts(self) -> bool: ...


def is_unseen(sign: str) -> bool:
    """Whether a character is invisible and no space: people copy them without knowing."""
    return unicodedata.category(sign) in _UNSEEN and not sign.isspace()


def as_written(code: str) -> str:
    """The code exactly as it was written, but for the spaces around it and invisible signs, which no code has."""
    if code.isascii() and code.isprintable():
        return code.strip()
    return "".join(sign for sign in code if not is_unseen(sign)).strip()


def normalize(code: str, *, case_counts: bool = False) -> str:
    """The form by which codes are compared. It is in upper case, with one plain hyphen for any run of spaces and
    dashes. Where case counts the code stays as it is, but for the kind of its dashes."""
    if case_counts:
        return _DASH.sub("-", as_written(code))
    return _SEPARATORS.sub("-", as_written(code)).upper()


def digest(code: str, *, case_counts: bool = False) -> str:
    """The key of a code in the table: equal codes have one key, so a code exists once however often it is imported."""
    return hashlib.sha256(normalize(code, case_counts=case_counts).encode()).hexdigest()


def key_of(kept: Kept) -> str:
    """The digest of a code that the stock or an order has."""
    return digest(kept.code, case_counts=kept.case_counts)


def digests(text: str) -> list[str]:
    """The keys that a code may have of which nobody says the product: the closest spelling first."""
    joined = _SEPARATORS.sub("-", as_written(text))
    exact = (digest(each, case_counts=True) for each in (text, joined))
    return list(dict.fromkeys((*exact, digest(text))))


def masked(code: str) -> str:
    """The code as people may see it: its last five characters, but never more than half of it."""
    return f"…{code[-min(_SHOWN, len(code) // 2) :]}"


def tail(code: str) -> str:
    """The last five letters and digits of a code as it may be told by telephone, where O is taken for 0 and I for 1;
    empty for a code so short that five would be more than half of it, and for a text without five."""
    signs = "".join(sign for sign in normalize(code) if sign.isalnum()).translate(_ALIKE)
    return signs[-_SHOWN:] if len(signs) == _SHOWN or len(signs) >= 2 * _SHOWN else ""


def checked(code: str, product: Product) -> str:
    """The code as it is kept: as it was written, if that is a code of the product; otherwise in the spelling that the
    product's codes have. InvalidInput if it is not a code of this product."""
    for spelled in spellings(code, product):
        if re.fullmatch(product.code_pattern, spelled):
            return spelled
    if _LICENSE_KEY.fullmatch(normalize(code)):
        raise InvalidInput("code_is_a_license_key")
    raise InvalidInput("not_a_code_of", sku=product.sku, example=product.code_example)


def spellings(code: str, product: Product) -> Iterator[str]:
    """What may be meant, the closest to what was written first."""
    yield as_written(code)
    yield normalize(code, case_counts=True)
    joined = _SEPARATORS.sub("-", as_written(code))
    grouped = in_groups(joined, product.code_example)
    yield from (joined, grouped)
    if not product.case_counts:
        yield from (joined.upper(), grouped.upper())


def in_groups(bare: str, example: str) -> str:
    """A code that was written without its dashes, with the dashes where the example has them."""
    if "-" in bare or len(bare) != len(example.replace("-", "")):
        return bare
    signs = iter(bare)
    return "".join("-" if sign == "-" else next(signs) for sign in example)
