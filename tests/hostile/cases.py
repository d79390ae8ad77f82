"""Cases: one to three requests to the door of a provider, as API Gateway hands them on. A seed and a number make the
same case again."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from keypost.providers import PROVIDERS
from tests.builders import NOW, SECRETS
from tests.hostile.bodies import IN_BYTES, IN_JSON, recorded
from tests.teller_kit import TELLERS, Signed, Told

Trouble = tuple[int, dict[str, str], bytes]  # an answer of a provider's API
_STAMP = int(NOW.timestamp())


@dataclass(frozen=True)
class Request:
    provider: str  # in the path, where one may not exist
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    form: str = "base64"  # in which API Gateway has the body: see `_FORMS`
    api: Mapping[str, Any] = field(default_factory=dict)  # what the provider's API knows, by path
    trouble: Trouble | None = None  # what it answers instead
    how: tuple[str, ...] = ()  # what was done to it


def _flagged(body: bytes) -> tuple[str, bool]:
    return body.decode("utf-8", "replace"), True


def _in_lines(body: bytes) -> tuple[str, bool]:
    return base64.encodebytes(body).decode(), True


# How API Gateway may hold a body, and whether it says that this is base64.
_FORMS: Mapping[str, Callable[[bytes], tuple[str | None, bool]]] = {
    "base64": lambda body: (base64.b64encode(body).decode(), True),
    "text": lambda body: (body.decode("utf-8", "replace"), False),
    "text that is called base64": _flagged,
    "base64 that is called text": lambda body: (base64.b64encode(body).decode(), False),
    "base64 in lines": _in_lines,
    "base64 of addresses": lambda body: (base64.urlsafe_b64encode(body + b"\xff\xfe").decode(), True),
    "base64 cut off": lambda body: (base64.b64encode(body).decode()[:-1], True),
    "none": lambda _: (None, False),
}


def gateway_event(request: Request) -> dict[str, Any]:
    """The request as API Gateway hands it to the function."""
    body, is_base64 = _FORMS[request.form](request.body)
    several: dict[str, list[str]] = {}
    for name, value in request.headers:
        several.setdefault(name, []).append(value)
    return {
        "resource": "/callbacks/{provider}",
        "path": f"/callbacks/{request.provider}",
        "httpMethod": request.method,
        "pathParameters": {"provider": request.provider},
        "queryStringParameters": dict(request.query) or None,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": several or None,
        "requestContext": {"requestId": "request-1", "identity": {"sourceIp": "192.0.2.7"}},
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _signed(
    request: Request, secret: str | None = None, body: bytes | None = None, at: int = _STAMP, of: str = ""
) -> Request:
    """The request with a signature: right, unless a secret, a body, a moment or a provider is given."""
    of = of or request.provider
    secret = SECRETS[PROVIDERS[of].secret] if secret is None else secret
    made: Signed = TELLERS[of].sign(request.body if body is None else body, secret, at)
    return replace(
        request, headers=request.headers + tuple(made.headers.items()), query={**request.query, **made.query}
    )


def _other(chance: Random, provider: str) -> str:
    return chance.choice([name for name in PROVIDERS if name != provider])


def _with_values(change: Callable[[str], str]) -> Callable[[Random, Request], Request]:
    """Signed rightly, after which each header, and the token, is written otherwise."""

    def signed(_: Random, request: Request) -> Request:
        made = _signed(request)
        headers = tuple((name, change(value)) for name, value in made.headers)
        return replace(made, headers=headers, query={name: change(value) for name, value in made.query.items()})

    return signed


def _twice(first: str, second: str) -> Callable[[Random, Request], Request]:
    """Two signatures, each with its secret; our own where that is empty."""

    def signed(_: Random, request: Request) -> Request:
        forged = TELLERS[request.provider].forged
        return _signed(_signed(request, forged if first else None), forged if second else None)

    return signed


def _in_one(*secrets: str) -> Callable[[Random, Request], Request]:
    """As `_twice`, but in one header, as the provider itself has several when its secret changes."""

    def signed(_: Random, request: Request) -> Request:
        between = " " if request.provider == "webhook" else ","
        forged = TELLERS[request.provider].forged
        each = [_signed(replace(request, headers=()), forged if secret else None) for secret in secrets]
        values = {name: dict.fromkeys(dict(one.headers)[name] for one in each) for name, _ in each[0].headers}
        joined = tuple((name, between.join(different)) for name, different in values.items())
        return replace(each[-1], headers=request.headers + joined)

    return signed


def _in_two_spellings(_: Random, request: Request) -> Request:
    """A right signature and a forged one, whose headers differ in capitals."""
    right, forged = (_signed(replace(request, headers=()), each) for each in (None, TELLERS[request.provider].forged))
    capitals = tuple((name.upper(), value) for name, value in forged.headers)
    return replace(right, headers=request.headers + right.headers + capitals)


def _made_young(chance: Random, request: Request) -> Request:
    """A signature that was right long ago, with the time of now beside it."""
    old = _STAMP - chance.choice((301, 10**6))
    made = _signed(request, at=old)
    return replace(made, headers=tuple((name, value.replace(str(old), str(_STAMP))) for name, value in made.headers))


def _stamped(chance: Random, request: Request) -> Request:
    """A right signature, with its time in another form."""
    made, stamp = _signed(request), str(_STAMP)
    written = chance.choice((f"+{stamp}", f" {stamp}", f"0{stamp}", f"{stamp}.0", f"-{stamp}", stamp * 500, "", "nan"))
    return replace(made, headers=tuple((name, value.replace(stamp, written)) for name, value in made.headers))


Sign = Callable[[Random, Request], Request]
RIGHT = "signed"
SIGNATURES: Mapping[str, Sign] = {
    RIGHT: lambda _, request: _signed(request),
    "no signature": lambda _, request: request,
    "signed with a forged secret": lambda _, request: _signed(request, TELLERS[request.provider].forged),
    "signed long ago": lambda chance, request: _signed(request, at=_STAMP - chance.choice((301, 3600, 10**8))),
    "signed in the future": lambda chance, request: _signed(request, at=_STAMP + chance.choice((301, 3600, 10**9))),
    "signature of another body": lambda _, request: _signed(request, body=b"{}"),
    "signature of nothing": lambda _, request: _signed(request, body=b""),
    "signature of another provider": lambda chance, request: _signed(request, of=_other(chance, request.provider)),
    "signature cut off": _with_values(lambda value: value[:-1]),
    "signature in capitals": _with_values(str.upper),
    "signature of scheme v0": _with_values(lambda value: value.replace("v1", "v0").replace("sha256=", "sha1=")),
    "signature with another script's digits": _with_values(lambda value: value.replace("1", "\u0661")),
    "signature with a line break": _with_values(lambda value: f"{value}\r\nx: y"),
    "signature in brackets": _with_values(lambda value: f"[{value}]"),
    "empty signature": _with_values(lambda _: ""),
    "huge signature": _with_values(lambda value: f"{value}," * 3000),
    "right and forged signature": _twice("", "forged"),
    "forged and right signature": _twice("forged", ""),
    "forged signature twice": _twice("forged", "forged"),
    "signed with an empty secret": lambda _, request: _signed(request, ""),
    "right and forged signature in one header": _in_one("", "forged"),
    "forged and right signature in one header": _in_one("forged", ""),
    "right and forged signature in two spellings": _in_two_spellings,
    "signature of long ago made young": _made_young,
    "signature with its time in another form": _stamped,
}


def _with_header(*headers: tuple[str, str]) -> Sign:
    return lambda chance, request: replace(request, headers=(*request.headers, chance.choice(headers)))


def _on_the_way(in_bytes: str) -> Sign:
    return lambda chance, request: replace(request, body=IN_BYTES[in_bytes](chance, request.body))


def _reordered(chance: Random, request: Request) -> Request:
    """What a proxy makes of JSON that it reads and writes again."""
    try:
        thing = json.loads(request.body)
    except (ValueError, RecursionError):
        return request
    return replace(request, body=json.dumps(IN_JSON["another order of keys"](chance, thing)).encode())


def _to(chance: Random, request: Request) -> Request:
    return replace(request, provider=_other(chance, request.provider))


# What is done to a request that has its signature.
ON_THE_WAY: Mapping[str, Sign] = {
    "a bit flipped after signing": _on_the_way("a bit flipped"),
    "cut off after signing": _on_the_way("cut off"),
    "white space after signing": _on_the_way("white space around"),
    "packed after signing": _on_the_way("packed"),
    "another order of keys after signing": _reordered,
    "another method": lambda chance, request: replace(
        request, method=chance.choice(("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "post", ""))
    ),
    "to another provider": _to,
    "to no provider": lambda chance, request: replace(
        request,
        provider=chance.choice(("", "paypal", "STRIPE", "stripe/", "../stripe", "x" * 5000, "\u0000", "mollie ")),
    ),
    "another content type": _with_header(
        ("Content-Type", "text/plain"),
        ("content-type", "application/xml"),
        ("Content-Type", ""),
        ("Content-Type", "\x00"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "multipart/form-data; boundary="),
        ("Content-Type", "application/json; charset=utf-16"),
        ("CONTENT-TYPE", "application/json, text/html" + ";" * 5000),
    ),
    "said to be packed": _with_header(("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")),
    "wants to know": _with_header(
        ("Prefer", "return=representation"), ("prefer", "return=minimal, return=representation")
    ),
    "another topic": _with_header(("X-WC-Webhook-Topic", "order.deleted"), ("x-wc-webhook-topic", "x" * 9000)),
    "a header of many bytes": _with_header(("X-Long", "x" * 9000), ("Cookie", "\u00e9" * 5000)),
    "as text": lambda _, request: replace(request, form="text"),
    "as text that is called base64": lambda _, request: replace(request, form="text that is called base64"),
    "as base64 that is called text": lambda _, request: replace(request, form="base64 that is called text"),
    "as base64 in lines": lambda _, request: replace(request, form="base64 in lines"),
    "as base64 of addresses": lambda _, request: replace(request, form="base64 of addresses"),
    "as base64 cut off": lambda _, request: replace(request, form="base64 cut off"),
    "without headers": lambda _, request: replace(request, headers=()),
    "without a body": lambda _, request: replace(request, form="none"),
    "Mollie's old test": lambda _, request: replace(request, query={**request.query, "testByMollie": "1"}),
    "more in the query": lambda _, request: replace(
        request, query={"Token": "x", **request.query, "": "", "x" * 900: "x"}
    ),
    "names of headers in capitals": lambda _, request: replace(
        request, headers=tuple((name.upper(), value) for name, value in request.headers)
    ),
}

# What a provider's API answers in place of what it knows.
TROUBLES: Mapping[str, Trouble] = {
    "API: 404": (404, {}, b'{"status":404,"detail":"No payment exists"}'),
    "API: 410": (410, {}, b""),
    "API: 401": (401, {}, b'{"error":{"message":"Invalid API Key"}}'),
    "API: 403": (403, {}, b"{}"),
    "API: 429": (429, {"Retry-After": "9"}, b""),
    "API: 500": (500, {}, b"<html>oops</html>"),
    "API: another mode": (404, {}, b'{"error":{"message":"a similar object exists in live mode"}}'),
    "API: a redirect": (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""),
    "API: no JSON": (200, {"Content-Type": "text/html"}, b"<html>"),
    "API: nothing": (200, {}, b""),
    "API: a list": (200, {}, b"[1,2]"),
    "API: an empty object": (200, {}, b"{}"),
    "API: brackets without an end": (200, {}, b"[" * 9000),
    "API: not packed": (200, {"Content-Encoding": "gzip"}, b"{}"),
}

# Shares of all cases.
_IS_SIGNED, _IN_JSON, _IN_BYTES, _IN_API, _ON_THE_WAY, _IN_TROUBLE = 0.6, 0.75, 0.2, 0.35, 0.25, 0.06


def _pick(chance: Random, table: Mapping[str, Any], share: float) -> list[str]:
    """With this chance one name of a table, or two."""
    return [chance.choice(sorted(table)) for _ in range(chance.choice((1, 1, 2)))] if chance.random() < share else []


def _body(chance: Random, told: Told) -> tuple[bytes, list[str]]:
    done, raw = [], told.raw
    try:
        thing = json.loads(raw)
    except ValueError:  # a form
        thing = None
    if thing is not None and (done := _pick(chance, IN_JSON, _IN_JSON)):
        for name in done:
            thing = IN_JSON[name](chance, thing)
        raw = json.dumps(thing, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    for name in _pick(chance, IN_BYTES, _IN_BYTES):
        raw, done = IN_BYTES[name](chance, raw), [*done, name]
    return raw, done


def _api(chance: Random, told: Told) -> tuple[Mapping[str, Any], list[str]]:
    api, done = dict(told.api), []
    for path, thing in told.api.items():
        for name in _pick(chance, IN_JSON, _IN_API):
            api[path] = IN_JSON[name](chance, api.get(path, thing))
            done.append(f"in the API: {name}")
    return api, done


def _request(chance: Random, provider: str, told: Told) -> Request:
    raw, done = _body(chance, told)
    api, done_to_api = _api(chance, told)
    signature = RIGHT if chance.random() < _IS_SIGNED else chance.choice(sorted(SIGNATURES))
    trouble = chance.choice(sorted(TROUBLES)) if chance.random() < _IN_TROUBLE else ""
    on_the_way = _pick(chance, ON_THE_WAY, _ON_THE_WAY)
    how = (*done, *done_to_api, signature, *on_the_way, *filter(None, [trouble]))
    request = Request(provider, raw, (("Content-Type", "application/json"),), api=api, trouble=TROUBLES.get(trouble))
    request = SIGNATURES[signature](chance, request)
    for name in on_the_way:
        request = ON_THE_WAY[name](chance, request)
    return replace(request, how=how)


def _genuine(provider: str, told: Told) -> Request:
    return replace(_signed(Request(provider, told.raw, api=told.api)), how=("genuine",))


def _again(chance: Random, request: Request) -> Request:
    """The same request again, here or at another provider's door."""
    return replace(request, provider=chance.choice((request.provider, *PROVIDERS)), how=(*request.how, "again"))


# What comes before a hostile request and after it.
SERIES: Mapping[str, Callable[[Random, Request, str], Sequence[Request]]] = {
    "alone": lambda _, request, __: [request],
    "again": lambda chance, request, _: [request, _again(chance, request)],
    "after a payment": lambda _, request, provider: [_genuine(provider, TELLERS[provider].paid), request],
    "before a payment": lambda _, request, provider: [request, _genuine(provider, TELLERS[provider].paid)],
    "after a refund": lambda _, request, provider: [_genuine(provider, TELLERS[provider].refunded), request],
}
_RECORDED = {provider: recorded(provider) for provider in PROVIDERS}


def case(seed: int, provider: str, number: int) -> Sequence[Request]:
    """The requests of a case, in their order."""
    chance = Random(f"{seed} {provider} {number}")  # chance that can be played again
    request = _request(chance, provider, chance.choice(_RECORDED[provider]))
    series = "alone" if chance.random() < 0.7 else chance.choice(sorted(SERIES))
    return SERIES[series](chance, request, provider)
