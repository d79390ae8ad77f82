"""What looks like an activation code and is none: it stays readable where codes are masked."""

import re
from collections.abc import Callable, Iterable, Iterator

_UUID = r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])"
# Names that payment providers give: tr_7UhSN1zuXS, pi_3MtwBwLkdIwHu7ix28a3tqPa, cs_test_a1B2c3.
_PAYMENT = (
    r"(?<![^\W_])(?:tr|re|ch|py|pi|cs|in|ii|il|sub|si|cus|cst|mdt|ord|odl|pl|plink|cpt|chb|stl|evt|txn|po|dp|du|pm|src"
    r"|price|prod|pyr|card|inv|ba|seti|cn|sr|event|profile|pfl|org)_(?:test_|live_)?[A-Za-z0-9]+(?![^\W_])"
)
_TELEPHONE = r"(?<![\w+])(?:\+|00?)(?:[ ().-]{0,2}[0-9]){9,14}(?![\w])(?![ .-][0-9])"
_ALL = re.compile(f"(?P<uuid>{_UUID})|(?P<payment>{_PAYMENT})|(?P<telephone>{_TELEPHONE})", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}(?![^\W_])")
# Letters and digits of an IBAN, by country.
_IBAN = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "TR": 26,
}  # fmt: skip
_CHECKED_BY = 97


def readable(text: str, skus: Iterable[str], is_code: Callable[[str], bool]) -> list[tuple[int, int]]:
    """Where in a text they stand: products by their SKU, UUIDs, names of payments, telephone numbers and IBANs. A UUID
    or a number is a code all the same where a product has such codes."""
    patterns = (rf"(?<!\w){re.escape(sku)}(?!\w)" for sku in skus)
    named = (found.span() for each in patterns for found in re.finditer(each, text, re.IGNORECASE))
    others = (found.span() for found in _ALL.finditer(text) if not _may_be_code(found, is_code))
    return [*named, *others, *_accounts(text)]


def _may_be_code(found: re.Match[str], is_code: Callable[[str], bool]) -> bool:
    return _is_in_one_case(found["payment"]) if found["payment"] else is_code(found[0])


def _is_in_one_case(payment: str) -> bool:
    """A payment's long name has letters of both cases; after `in_`, capitals alone may be a code."""
    signs = payment.rpartition("_")[2]
    return len(signs) > 12 and (signs.isupper() or signs.islower())  # noqa: PLR2004 - longer than Mollie's names are


def _accounts(text: str) -> Iterator[tuple[int, int]]:
    for found in _ACCOUNT.finditer(text):
        end = _end_of_account(found[0])
        if end:
            yield found.start(), found.start() + end


def _end_of_account(text: str) -> int:
    """Where the IBAN ends with which a text begins; 0 if none does."""
    size, at = _IBAN.get(text[:2].upper(), 0), 0
    signs = ""
    for at, sign in enumerate(text, start=1):  # noqa: B007 - the place where it ends
        signs += sign.strip().upper()
        if len(signs) == size:
            break
    is_whole = bool(size) and len(signs) == size and not text[at : at + 1].isalnum()
    return at if is_whole and _checks(signs) else 0


def _checks(account: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % _CHECKED_BY == 1
