"""What people type to say which order or license they mean, in one spelling, whoever typed it and wherever: in a
search, in a shop's field, on a card."""

import re
import unicodedata

LONGEST = 200
NO_REFERENCE = "…"  # stands for words that are none
_MINUS = "\N{MINUS SIGN}"
_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,80}(?:/[0-9]{1,4})?")
_AROUND = "#,;:!?()[]<>\"'\u2018\u2019\u201c\u201d "
_BEFORE = re.compile(
    r"(?:(?:order|bestel(?:ling)?|licen[cs]e|licentie|activation|activatie|product)?[ -]?"
    r"(?:code|key|sleutel|number|nummer|no|nr|id)?[.:# ]+)+(?=\S)",
    re.IGNORECASE,
)
_LICENSE = re.compile(r"LIC[- ]?([A-Z2-7]{10})")
_PREFIX = re.compile(r"[A-Za-z]{1,10}[._-]?(?=[0-9])")  # of a shop's numbers
_ORDER = re.compile(r"[A-Za-z0-9._-]{1,80}")


def spelled(text: str) -> str:
    """The text as it was meant: without invisible signs, with plain dashes and single spaces, none of them around a
    dash or a slash; the id of a license in capitals. Other letters keep their case, as a shop's numbers may."""
    seen = " ".join("".join(map(_plain, unicodedata.normalize("NFKC", text))).split())
    found = re.sub(r" ?([-/]) ?", r"\1", seen)
    license_ = _LICENSE.fullmatch(found.upper())
    return f"LIC-{license_[1]}" if license_ else found


def meant(text: str) -> str:
    """The same without what people write around it: `Bestelling nr. 2026-001234,` is `2026-001234`."""
    bare = spelled(text).strip(_AROUND)
    return spelled(_BEFORE.sub("", bare, count=1) if _BEFORE.match(bare) else bare)


def _plain(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Pd" or sign == _MINUS:
        return "-"
    if category[0] == "Z" or sign.isspace():
        return " "
    return "" if category[0] == "C" else sign


def numbers(text: str) -> list[str]:
    """Which order a number may mean that somebody typed, the closest first: as it stands, as it was meant, in another
    case, without what a shop writes before its numbers. A shop's numbers may differ in case alone, so that an order
    with the number as it stands always goes before another one."""
    named = [text, spelled(text), meant(text)]
    joined = [each.replace(" ", "-") for each in named]
    cased = [case(each) for each in joined for case in (str, str.upper, str.lower)]
    bare = [_PREFIX.sub("", each, count=1) for each in joined if _PREFIX.match(each)]
    return [each for each in dict.fromkeys((*named, *cased, *bare)) if _ORDER.fullmatch(each)]


def is_number(text: str) -> bool:
    """True if it can be the number of an order or of its line, or the id of a license."""
    return _NUMBER.fullmatch(text) is not None
