"""What must hold of each hostile callback, as functions of what was asked, answered, written and logged."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import stripe
from mollie.utils.webhooks import SignatureValidator
from standardwebhooks import Webhook

from keypost.providers import PROVIDERS
from tests.builders import SECRETS
from tests.hostile.bodies import TYPED_CODE
from tests.hostile.cases import Request, gateway_event


@dataclass(frozen=True)
class Seen:
    """A request of a case and what became of it."""

    request: Request
    answer: Any  # of the function; an exception, if it let one out
    written: Sequence[Mapping[str, Any]]  # the items that it wrote, as the SDK gives them
    poked: Sequence[str]  # the messages that it put into the queue
    paid: Sequence[str]  # the ids of the orders that it wrote, that are paid now and were not before this case
    unreadable: Sequence[str]  # and of those that nobody can read
    output: str  # all that it logged and printed
    earlier: Sequence[Request] = ()  # of the same case
    stage: str = "test"  # of the stack


STATUSES = {200, 204, 400, 401, 404, 405, 413, 503}

# The errors for which a provider is asked to call again, each because of what that provider's own API answers.
NAMED = {"ProviderUnavailable", "ProviderUnreadable", "ProviderRefused", "ProviderForbidden"}

PERSONAL = ("klant.example", "Jansen", "Keizersgracht", "NL91ABNA0417164300", "0201234567", "Klant B.V.")
CANARIES = (*PERSONAL, TYPED_CODE, *filter(None, SECRETS.values()))


def faults(seen: Seen) -> list[str]:
    return [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(seen)]


def a_status_that_is_known(seen: Seen) -> Iterator[str]:
    if not isinstance(seen.answer, dict):
        yield f"raised {type(seen.answer).__name__}"
    elif seen.answer["statusCode"] not in STATUSES:
        yield str(seen.answer["statusCode"])


def only_named_failures(seen: Seen) -> Iterator[str]:
    """A provider is asked to call again only where its own API is at fault; every other failure is ours."""
    failures = [line for line in _lines(seen.output) if line.get("message") == "failure"]
    yield from (f"{line['error']} at {line['place']}" for line in failures if line["error"] not in NAMED)
    if isinstance(seen.answer, dict) and seen.answer["statusCode"] >= 500 and not failures:
        yield "a 5xx without a named failure"


def an_answer_that_is_well_formed(seen: Seen) -> Iterator[str]:
    if isinstance(seen.answer, dict):
        kind, body = seen.answer["headers"].get("Content-Type", ""), seen.answer["body"]
        keys = set(_parsed(body.encode()) or ["no JSON"]) if body else set()
        if (kind, keys) not in _FORMS:
            yield f"{kind} with {sorted(keys)}"


_FORMS = (
    ("", set[str]()),
    ("application/problem+json", {"type", "title", "status", "detail"}),
    ("application/json", {"order", "state"}),
)


def nothing_written_without_a_right_signature(seen: Seen) -> Iterator[str]:
    if not is_signed(seen.request):
        yield from (f"wrote {item['pk']['S']}" for item in seen.written)
        yield from (f"poked {order_id}" for order_id in seen.poked)


def nothing_paid_without_a_payment(seen: Seen) -> Iterator[str]:
    """Neither this request nor an earlier one of the case, with a right signature, says that something was paid."""
    if not any(is_signed(each) and says_paid(each) for each in (*seen.earlier, seen.request)):
        yield from (f"{order_id} is paid" for order_id in seen.paid)


def nothing_paid_in_the_other_mode(seen: Seen) -> Iterator[str]:
    """Of what says in which mode it was paid, nothing says the mode of this stack."""
    signed = [each for each in (*seen.earlier, seen.request) if is_signed(each)]
    said = {mode for each in signed for mode in modes(each)}
    if said and seen.stage not in said:
        yield from (f"{order_id} is paid on a stack of {seen.stage}" for order_id in seen.paid)


def only_what_callbacks_write(seen: Seen) -> Iterator[str]:
    """Facts, and that they arrived: no code, product, key, setting or mail."""
    yield from (f"wrote {key}" for item in seen.written if (key := item["pk"]["S"]).partition("#")[0] not in WRITTEN)


WRITTEN = {"ORDER", "PAYMENT", "REFERENCE", "ASIDE", "MONEY", "INBOX", "DOOR"}


def nothing_unreadable(seen: Seen) -> Iterator[str]:
    yield from seen.unreadable


def no_canary(seen: Seen) -> Iterator[str]:
    """No code, address, name or secret in the log, in metrics, in the answer, in a message, in a key or in the inbox.
    What a callback itself calls the number of its order is no secret."""
    texts = {
        "log": seen.output,
        "answer": json.dumps(seen.answer, ensure_ascii=False, default=repr),
        "queue": "\n".join(seen.poked),
        "keys": "\n".join(item["pk"]["S"] for item in seen.written),
        "inbox": json.dumps([item for item in seen.written if item["pk"]["S"].startswith("INBOX#")], default=repr),
    }
    yield from (
        f"{canary} in the {place}" for canary, (place, text) in product(CANARIES, texts.items()) if canary in text
    )


CHECKS: Sequence[Callable[[Seen], Iterator[str]]] = (
    a_status_that_is_known,
    only_named_failures,
    an_answer_that_is_well_formed,
    nothing_written_without_a_right_signature,
    nothing_paid_without_a_payment,
    nothing_paid_in_the_other_mode,
    only_what_callbacks_write,
    nothing_unreadable,
    no_canary,
)


def _lines(output: str) -> Iterator[Mapping[str, Any]]:
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def is_signed(request: Request) -> bool:
    """Whether a signature is right, by the provider's own library where it has one. A header sent twice is right if one
    of its values is, or all of them joined."""
    if request.provider not in PROVIDERS:
        return False
    event = gateway_event(request)
    body, headers = _raw(event), _headers(event)
    return any(_IS_SIGNED[request.provider](body, chosen, request.query) for chosen in headers)


def _raw(event: Mapping[str, Any]) -> bytes:
    body = str(event["body"] or "").encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body
    except binascii.Error:
        return b""


def _headers(event: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The headers by lower-case name, with each choice of the values of those that were sent twice."""
    several: dict[str, list[str]] = {}
    for name, values in (event["multiValueHeaders"] or {}).items():
        several.setdefault(name.lower(), []).extend(values)
    choices = [[*values, ",".join(values)] if len(values) > 1 else values for values in several.values()]
    for chosen in product(*choices):
        yield dict(zip(several, chosen, strict=True))


Headers = Mapping[str, str]


def _by_stripe(header: str, secret: str) -> Callable[[bytes, Headers, Headers], bool]:
    def is_right(body: bytes, headers: Headers, _query: Headers) -> bool:
        try:
            text = body.decode("utf-8", "surrogateescape")
            return bool(stripe.WebhookSignature.verify_header(text, headers.get(header, ""), SECRETS[secret], 300))
        except (stripe.SignatureVerificationError, UnicodeEncodeError):
            return _by_hand(body, headers.get(header, ""), SECRETS[secret])

    return is_right


def _by_hand(body: bytes, header: str, secret: str) -> bool:
    """Stripe's scheme over bytes that are no text, which its library does not take. It reads the time as a number."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    stamp = dict(parts).get("t", "")
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", stamp):
        return False
    right = hmac.new(secret.encode(), b"%d." % int(stamp) + body, hashlib.sha256).hexdigest()
    return not _is_text(body) and ("v1", right) in parts


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_standard_webhooks(body: bytes, headers: Headers, _query: Headers) -> bool:
    try:
        Webhook(SECRETS["webhook_signing"]).verify(body, dict(headers), json_parse=False)
    except Exception:  # noqa: BLE001 - the library lets many errors out for a malformed signature
        return False
    return True


def _by_mollie(body: bytes, headers: Headers, _query: Headers) -> bool:
    """The library reads texts only."""
    given, secret = headers.get("x-mollie-signature", ""), SECRETS["mollie_signing"]
    right = SignatureValidator.create_signature(body.decode(), secret) if _is_text(body) else _hex(secret, body)
    return f"sha256={right}" in [each.strip() for each in given.split(",")]


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _by_woocommerce(body: bytes, headers: Headers, _query: Headers) -> bool:
    digest = hmac.new(SECRETS["woocommerce_signing"].encode(), body, hashlib.sha256).digest()
    return headers.get("x-wc-webhook-signature", "") == base64.b64encode(digest).decode()


def _by_token(_body: bytes, _headers: Headers, query: Headers) -> bool:
    return query.get("token") == SECRETS["mollie_token"]


_IS_SIGNED: Mapping[str, Callable[[bytes, Headers, Headers], bool]] = {
    "stripe": _by_stripe("stripe-signature", "stripe_signing"),
    "webhook": _by_standard_webhooks,
    "woocommerce": _by_woocommerce,
    "mollie": _by_token,
    "mollie-events": _by_mollie,
    "moneybird": _by_stripe("moneybird-signature", "moneybird_signing"),
}


class _Some:
    """Any value but none."""

    def __contains__(self, value: object) -> bool:
        return bool(value)


_SOME = _Some()

# The fields that say that something was paid, and where they are looked for: in the body, or at the provider's API.
_PAID: Mapping[str, Mapping[str, Container[Any]]] = {
    "stripe": {
        "payment_status": ("paid", "no_payment_required"),
        "status": ("paid", "succeeded"),
        "paid": (True,),
        "captured": (True,),
        "type": ("invoice.paid", "invoice_payment.paid"),
    },
    "webhook": {"type": ("order.paid",)},
    "woocommerce": {"date_paid_gmt": _SOME},  # a day of payment makes an order paid, under whatever status
    "mollie": {"status": ("paid",)},
    "mollie-events": {"status": ("paid",)},
    "moneybird": {"state": ("paid",)},
}


def says_paid(request: Request) -> bool:
    """Whether the body or an object at the provider's API says that something was paid."""
    fields = _PAID[request.provider]
    at_api = [*request.api.values(), _parsed(request.trouble[2] if request.trouble else b"")]
    of_body = [] if request.provider.startswith("mollie") else [_told(request)]
    return any(value in fields[name] for name, value in _fields([*of_body, *at_api]) if name in fields)


# What the fields say that name a mode.
_MODES: Mapping[str, Mapping[Any, str]] = {
    "livemode": {True: "live", False: "test"},
    "mode": {"live": "live", "test": "test"},
    "test": {True: "test", False: "live"},
}


def modes(request: Request) -> Iterator[str]:
    """The modes that the body and the objects at the provider's API say. A shop that says none means live."""
    if request.provider == "webhook" and "test" not in dict(_fields(told := _told(request))) and told:
        yield "live"
    for name, value in _fields([_told(request), *request.api.values()]):
        if name in _MODES and isinstance(value, str | bool) and value in _MODES[name]:
            yield _MODES[name][value]


def _told(request: Request) -> Any:
    """What a body says; at Moneybird what the invoice itself is counts, and not what had become of it."""
    told = _parsed(_raw(gateway_event(request)))
    return told.get("entity") if request.provider == "moneybird" and isinstance(told, dict) else told


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _fields(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, dict):
        yield from ((name, value) for name, value in thing.items() if not isinstance(value, list | dict))
    children = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ()
    for child in children:
        yield from _fields(child)
