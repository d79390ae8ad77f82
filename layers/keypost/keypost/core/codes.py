"""Activation codes: their normal form, their digest, and how to tell what is not a code."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from keypost.core.errors import InvalidInput
from keypost.core.product import Product

_SHOWN = 5
_SEPARATORS = re.compile("[\\s\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]+")

_ALIKE = str.maketrans("OI", "01")

# Kaspersky's 32-character recovery key: 8-4-4-4-12 characters, which the vendor writes with or without dashes.
_LICENSE_KEY = re.compile(r"[0-9A-F]{8}-?(?:[0-9A-F]{4}-?){3}[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code for the stock, in its normal form."""

    sku: str
    code: str
    batch: str | None
    activate_before: date | None


@dataclass(frozen=True, slots=True)
class StockCode:
    """A free code that the stock index offers. The index may be stale; only the condition of the write decides."""

    digest: str
    code: str
    sku: str


@dataclass(frozen=True, slots=True)
class BadStockCode:
    """A code that did not work, for a claim with the distributor who sold it."""

    code: str
    sku: str
    reason: str
    note: str  # of the agent who swapped it
    day: date  # the day on which it was swapped


def normalize(code: str) -> str:
    """The normal form of a code: upper case, and one plain hyphen for any run of spaces and dashes."""
    return _SEPARATORS.sub("-", code.strip()).upper()


def digest(code: str) -> str:
    """The key of a code in the table: equal codes have one key, so a code exists once however often it is imported."""
    return hashlib.sha256(normalize(code).encode()).hexdigest()


def masked(code: str) -> str:
    """The code as people may see it: its last five characters, but never more than half of it."""
    return f"…{code[-min(_SHOWN, len(code) // 2) :]}"


def tail(code: str) -> str:
    """The last five letters and digits of a code as it may be told by telephone, where O is taken for 0 and I for 1;
    empty for a code so short that five would be more than half of it, and for a text without five."""
    signs = "".join(sign for sign in normalize(code) if sign.isalnum()).translate(_ALIKE)
    return signs[-_SHOWN:] if len(signs) == _SHOWN or len(signs) >= 2 * _SHOWN else ""


def checked(code: str, product: Product) -> str:
    """The code in its normal form. InvalidInput if it is not a code of this product."""
    spelled = normalize(code)
    if re.fullmatch(product.code_pattern, spelled):
        return spelled
    if _LICENSE_KEY.fullmatch(spelled):
        raise InvalidInput("code_is_a_license_key")
    raise InvalidInput("not_a_code_of", sku=product.sku, example=product.code_example)
