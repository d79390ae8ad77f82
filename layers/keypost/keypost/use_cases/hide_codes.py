"""Activation codes that stand where something else is asked for: used where a license is meant, otherwise hidden."""

import re
from dataclasses import replace

from keypost.core.errors import SetAside
from keypost.core.payment import PaymentNotice
from keypost.core.product import Line
from keypost.core.references import NO_REFERENCE, is_number, meant, spelled
from keypost.core.renewals import LICENSE_ID
from keypost.core.typed_codes import Signs, codes_in, is_code, may_hold_code, signs_of, without_codes
from keypost.table import Store

_NUMBER = re.compile(r"[A-Za-z]{0,3}[-#]?[0-9]{1,4}-?[0-9]{0,8}(?:/[0-9]+)?")  # what most shops call an order


def hidden(store: Store, text: str, signs: Signs | None = None) -> str:
    """A text with each code in it masked to its last five characters."""
    if not may_hold_code(text):
        return text
    known = signs or signs_of(store.catalog().values())
    return without_codes(text, known, lambda word: store.code_item(word) is not None)


def is_typed_code(store: Store, text: str) -> bool:
    """Whether a text is a code and nothing else, by the patterns of the catalog or because the table has it."""
    if not may_hold_code(text):
        return False
    return is_code(text, signs_of(store.catalog().values())) or store.code_item(text) is not None


def reference(store: Store, renews: str, signs: Signs | None = None) -> str:
    """What a line renews, in one spelling: a customer who renews has the code in hand, and it names its license. One
    that nobody has is masked. Of words that are no number nothing is kept, as they may name a person."""
    if renews.startswith(NO_REFERENCE):
        return renews  # it was looked at before
    named = meant(renews) or spelled(renews)
    if LICENSE_ID.fullmatch(named) or _NUMBER.fullmatch(named):
        return named
    seen = hidden(store, named, signs)
    if seen == named:
        return named if is_number(named) or not named else NO_REFERENCE
    known = signs or signs_of(store.catalog().values())
    licenses = (_license(store, code) for code in (named.rstrip("."), *codes_in(renews, known)))
    return next(filter(None, licenses), None) or _end_of_code(seen)


def order_of_code(store: Store, typed: str) -> str | None:
    """The order that has, or had, the code that somebody typed, in whatever spelling and with words around it."""
    if found := store.order_of_code(typed):
        return found
    codes = codes_in(typed, signs_of(store.catalog().values())) if may_hold_code(typed) else []
    return next(filter(None, map(store.order_of_code, codes)), None)


def _end_of_code(seen: str) -> str:
    """The end of a code that was masked, without the words around it."""
    return NO_REFERENCE + re.sub(r"\W.*", "", seen.partition(NO_REFERENCE)[2], flags=re.DOTALL)


def _license(store: Store, code: str) -> str | None:
    try:
        return store.license_of_code(code)
    except SetAside:  # the order that has it cannot be read now, so that nobody can say which license it is
        return None


def without_typed_codes(store: Store, notice: PaymentNotice) -> PaymentNotice:
    """What a shop or a provider told, with no code in what its customer typed."""
    lines = tuple(_line(store, line) for line in notice.lines)
    name = notice.name and hidden(store, notice.name)
    return notice if (lines, name) == (notice.lines, notice.name) else replace(notice, lines=lines, name=name)


def _line(store: Store, line: Line) -> Line:
    return replace(line, renews=reference(store, line.renews)) if line.renews else line
