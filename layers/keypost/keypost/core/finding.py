"""Finding orders by what somebody on the telephone knows of them: a part of a name, an address or a number, however it
is spelled."""

import unicodedata
from collections.abc import Iterator

from keypost.core.order import Order

# Letters that Unicode takes for letters of their own, and people type without their stroke.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})


def folded(text: str) -> str:
    """Letters, digits and `@` only, without case and accents: `Müller-de Vries` is `mullerdevries`."""
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return "".join(sign for sign in apart if sign == "@" or unicodedata.category(sign)[0] in "LN")


def words_of(text: str) -> tuple[str, ...]:
    """What to look for, of what somebody typed: an order is found if it has each of these words."""
    return tuple(dict.fromkeys(filter(None, map(folded, text.split()))))


def findable(order: Order) -> str:
    """By what an order is found, folded, with a space between: its number, and each name and address that it has or
    had. Of an erased customer only the number is left."""
    return " ".join(dict.fromkeys(filter(None, map(folded, _known_of(order)))))


def is_found(order: Order, words: tuple[str, ...]) -> bool:
    known = findable(order)
    return all(word in known for word in words)


def _known_of(order: Order) -> Iterator[str]:
    yield order.id
    if order.is_erased:
        return
    buyers = [(word.name, word.email) for payment in order.payments for word in payment.buyers]
    for name, email in ((order.customer.name, order.customer.email), *buyers):
        yield name or ""
        yield readable(email or "")
    yield from map(readable, order.customer.corrected)


def readable(email: str) -> str:
    """An address with its domain as people write it: `info@xn--mnchen-3ya.example` is `info@münchen.example`."""
    name, at, domain = email.rpartition("@")
    try:
        return f"{name}{at}{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return email


def hidden_address(email: str) -> str:
    """So much of an address that somebody who knows it recognizes it: `a…@klant.example`."""
    name, _, domain = readable(email).rpartition("@")
    return f"{name[:1]}…@{domain}"
