"""The APIs of Mollie and Stripe on loopback, as far as Keypost and the examples in its documentation call them, and at
the same address those of WooCommerce and Moneybird. Tests, the made-up shop and the control route decide which objects
they have."""

import json
import re
import secrets
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cli.local.fake_shops import is_of_a_shop, shop_answers
from cli.local.own_hosts import OwnHosts

MOLLIE_KEY = "test_keypostlocalkeypostlocalkeypost"
STRIPE_KEY = "sk_test_keypostlocalkeypostlocalkeypost"
MOLLIE_TOKEN = "access_keypostlocalkeypostlocal"  # noqa: S105 - which opens this fake and nothing else
STRIPE_READING_KEY = "rk_test_keypostlocalkeypostlocal"  # which may make nothing
PROFILE = "pfl_QkEhN94Ba"  # of the shop at Mollie

_MOLLIE_LISTS = re.compile(
    r"/v2/(payments|refunds|chargebacks|payment-links|sales-invoices|webhooks|payment-links/[^/]+/payments)"
)
_EMBEDDED_AS = {"payment-links": "payment_links", "sales-invoices": "invoices"}  # of lists whose name is another there
_STRIPE_LISTS = re.compile(
    r"/v1/(events|invoice_payments|webhook_endpoints|refunds|invoices/[^/]+/lines|checkout/sessions|checkout/sessions/[^/]+/line_items)"
)
# The filters of Stripe's lists, besides `created[gte]` and `types[]`: the field must have the value.
_STRIPE_FILTERS = (
    "payment_intent",
    "charge",
    "customer",
    "invoice",
    "status",
    "type",
    "payment[type]",
    "payment[payment_intent]",
)

Json = dict[str, Any]
Query = list[tuple[str, str]]


@dataclass
class FakeProviders:
    """`objects` by path, as in /v2/payments/tr_x and /v1/events/evt_1. A test can set `trouble` to give another answer:
    a status with headers and a body, or None for the ordinary answer."""

    url: str = ""
    objects: dict[str, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    trouble: Callable[[], tuple[int, dict[str, str], bytes] | None] = lambda: None

    def below(self, path: str) -> list[Json]:
        """The objects directly below a path, newest first. Objects without a time, such as the lines of an invoice,
        keep their order."""
        found = [thing for place, thing in list(self.objects.items()) if place.rpartition("/")[0] == path]
        return sorted(found, key=_made)[::-1] if any(map(_made, found)) else found


def new_id(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


@contextmanager
def fake_providers() -> Iterator[FakeProviders]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Refused(Exception):
    """The error with which the provider answers a call that it refuses."""

    def __init__(self, status: HTTPStatus, body: Json) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def _mollie_refuses(status: HTTPStatus, detail: str) -> _Refused:
    return _Refused(status, {"status": status, "title": status.phrase, "detail": detail})


def _stripe_refuses(status: HTTPStatus, message: str, **more: str) -> _Refused:
    return _Refused(status, {"error": {"type": "invalid_request_error", "message": message, **more}})


def _made(thing: Json) -> float:
    if made := thing.get("createdAt"):
        return datetime.fromisoformat(made).timestamp()
    return float(thing.get("created") or 0)


def _mollie_get(fake: FakeProviders, path: str, query: Query) -> Json:
    asked = dict(query)
    if thing := fake.objects.get(path):
        return _payment(thing, asked.get("embed", "").split(",")) if path.startswith("/v2/payments/") else thing
    if not _MOLLIE_LISTS.fullmatch(path):
        raise _mollie_refuses(HTTPStatus.NOT_FOUND, _unknown_at_mollie(path))
    name = path.rpartition("/")[2]
    found = _parts(fake, name) if name in ("refunds", "chargebacks") else fake.below(path)
    if name == "payments":
        found = [_payment(payment) for payment in found]
    if (first := asked.get("from")) is not None:
        ids = [thing.get("id") for thing in found]
        if first not in ids:
            raise _mollie_refuses(HTTPStatus.NOT_FOUND, _unknown_at_mollie(f"{path}/{first}"))
        found = found[ids.index(first) :]
    limit = _limit(asked.get("limit", "50"), 250)
    if not limit:
        raise _mollie_refuses(HTTPStatus.BAD_REQUEST, "The limit must be between 1 and 250")
    following = None
    if len(found) > limit:
        place = urlencode({"from": found[limit]["id"], "limit": limit})
        following = {"href": f"{fake.url}{path}?{place}", "type": "application/hal+json"}
    page = found[:limit]
    links = {
        "self": {"href": f"{fake.url}{path}", "type": "application/hal+json"},
        "previous": None,
        "next": following,
        "documentation": {"href": f"https://docs.mollie.com/reference/list-{name}", "type": "text/html"},
    }
    return {"count": len(page), "_embedded": {_EMBEDDED_AS.get(name, name): page}, "_links": links}


def mollie_answers(fake: FakeProviders, path: str, query: Query) -> tuple[int, Json]:
    """The status and the body with which Mollie answers a question, without HTTP in between."""
    try:
        return 200, _mollie_get(fake, path, query)
    except _Refused as refused:
        return refused.status, refused.body


def stripe_answers(fake: FakeProviders, path: str, query: Query) -> tuple[int, Json]:
    """The status and the body with which Stripe answers a question, without HTTP in between."""
    try:
        return 200, _stripe_get(fake, path, query)
    except _Refused as refused:
        return refused.status, refused.body


def _unknown_at_mollie(path: str) -> str:
    collection, _, name = path.removeprefix("/v2/").rpartition("/")
    noun = collection.rpartition("/")[2].removesuffix("s").replace("-", " ")
    return f"No {noun} exists with token {name}."


def _payment(stored: Json, embed: list[str] | None = None) -> Json:
    """A payment with the sums of its refunds and chargebacks, and with those parts that `embed` names."""
    payment = {name: value for name, value in stored.items() if name != "_embedded"}
    parts = stored.get("_embedded", {})
    if "refunds" in parts:
        payment["amountRefunded"] = _sum(stored, [r for r in parts["refunds"] if r["status"] not in _CAME_TO_NOTHING])
    if standing := [chargeback for chargeback in parts.get("chargebacks", []) if not chargeback.get("reversedAt")]:
        payment["amountChargedBack"] = _sum(stored, standing)
    if given := {name: things for name, things in parts.items() if name in (embed or [])}:
        payment["_embedded"] = given
    return payment


_CAME_TO_NOTHING = {"failed", "canceled"}


def _sum(payment: Json, parts: list[Json]) -> Json:
    total = sum((Decimal(part["amount"]["value"]) for part in parts), Decimal("0.00"))
    return {"currency": payment["amount"]["currency"], "value": str(total)}


def _parts(fake: FakeProviders, name: str) -> list[Json]:
    """The refunds or the chargebacks of all payments, newest first."""
    payments = fake.below("/v2/payments")
    found = [part | {"paymentId": p["id"]} for p in payments for part in p.get("_embedded", {}).get(name, [])]
    return sorted(found, key=_made, reverse=True)


def _stripe_get(fake: FakeProviders, path: str, query: Query) -> Json:
    if thing := fake.objects.get(path):
        return thing
    if not _STRIPE_LISTS.fullmatch(path):
        raise _unknown_at_stripe(path)
    asked = dict(query)
    found = [thing for thing in fake.below(path) if _is_wanted(thing, query)]
    if (last := asked.get("starting_after")) is not None:
        ids = [thing["id"] for thing in found]
        if last not in ids:
            raise _unknown_at_stripe(f"{path}/{last}")
        found = found[ids.index(last) + 1 :]
    limit = _limit(asked.get("limit", "10"), 100)
    if not limit:
        raise _stripe_refuses(HTTPStatus.BAD_REQUEST, "limit must be between 1 and 100", param="limit")
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": path}


def _unknown_at_stripe(path: str) -> _Refused:
    collection, _, name = path.rpartition("/")
    noun = collection.rpartition("/")[2].removesuffix("s")
    return _stripe_refuses(HTTPStatus.NOT_FOUND, f"No such {noun}: '{name}'", code="resource_missing", param="id")


def _is_wanted(thing: Json, query: Query) -> bool:
    types = [value for name, value in query if re.fullmatch(r"types\[\d*\]", name)]
    if types and thing.get("type") not in types:
        return False
    asked = dict(query)
    if thing.get("created", 0) < int(asked.get("created[gte]", 0)):
        return False
    return all(_at(thing, name) == asked[name] for name in _STRIPE_FILTERS if name in asked)


def _at(thing: Any, name: str) -> Any:
    """The value under a bracketed name, such as payment[payment_intent]."""
    for part in re.findall(r"[^\[\]]+", name):
        thing = thing.get(part) if isinstance(thing, dict) else None
    return thing


def _limit(given: str, most: int) -> int | None:
    return int(given) if re.fullmatch(r"[0-9]{1,3}", given) and 1 <= int(given) <= most else None


def _mollie_post(fake: FakeProviders, path: str, body: bytes) -> tuple[int, Json]:
    """Create an open payment, or a webhook."""
    if path == "/v2/webhooks":
        return 201, _mollie_webhook(fake, json.loads(body))
    if path != "/v2/payments":
        raise _mollie_refuses(HTTPStatus.NOT_FOUND, "Nothing is made here: POST /v2/payments")
    try:
        wanted = json.loads(body)
        missing = [name for name in ("amount", "description", "redirectUrl") if not wanted.get(name)]
    except (ValueError, AttributeError):
        raise _mollie_refuses(HTTPStatus.BAD_REQUEST, "The body is not a JSON object") from None
    if missing:
        raise _mollie_refuses(HTTPStatus.UNPROCESSABLE_ENTITY, f"The {missing[0]} is missing")
    payment_id = new_id("tr_", 22)
    checkout = f"https://www.mollie.com/checkout/test-mode?method=ideal&token={payment_id}"
    kept = ("amount", "description", "redirectUrl", "webhookUrl", "metadata", "lines", "billingAddress", "locale")
    payment = {
        "resource": "payment",
        "id": payment_id,
        "mode": "test",
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": "open",
        "profileId": PROFILE,
        "sequenceType": "oneoff",
        **{name: wanted[name] for name in kept if name in wanted},
        "_links": {
            "self": {"href": f"{fake.url}/v2/payments/{payment_id}", "type": "application/hal+json"},
            "checkout": {"href": checkout, "type": "text/html"},
            "dashboard": {"href": f"https://my.mollie.com/dashboard/payments/{payment_id}", "type": "text/html"},
            "documentation": {"href": "https://docs.mollie.com/reference/create-payment", "type": "text/html"},
        },
    }
    fake.objects[f"/v2/payments/{payment_id}"] = payment
    return 201, payment


def _mollie_webhook(fake: FakeProviders, wanted: Json) -> Json:
    """A webhook as its creation answers; only that answer has the secret."""
    hook_id = new_id("hook_", 22)
    address = f"{fake.url}/v2/webhooks/{hook_id}"
    made = {
        "resource": "webhook",
        "id": hook_id,
        "url": wanted["url"],
        "profileId": PROFILE,
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": wanted["name"],
        "eventTypes": wanted["eventTypes"],
        "status": "enabled",
        "mode": "test" if wanted.get("testmode") else "live",
        "_links": {
            "self": {"href": address, "type": "application/hal+json"},
            "documentation": {"href": "https://docs.mollie.com/reference/create-webhook", "type": "text/html"},
        },
    }
    fake.objects[f"/v2/webhooks/{hook_id}"] = made
    return made | {"webhookSecret": new_id("", 32)}


def _stripe_webhook(fake: FakeProviders, wanted: Json) -> Json:
    """An endpoint as its creation answers; only that answer has the secret."""
    endpoint_id = new_id("we_", 24)
    made = {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": wanted.get("api_version"),
        "application": None,
        "created": int(datetime.now(UTC).timestamp()),
        "description": wanted.get("description"),
        "enabled_events": list(wanted["enabled_events"].values()),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": wanted["url"],
    }
    fake.objects[f"/v1/webhook_endpoints/{endpoint_id}"] = made
    return made | {"secret": new_id("whsec_", 32)}


def _stripe_post(fake: FakeProviders, path: str, body: bytes) -> tuple[int, Json]:
    """Create an unpaid Checkout Session, with its payment intent and its line items; or a webhook endpoint."""
    if path == "/v1/webhook_endpoints":
        form = [(re.sub(r"\[\]$", f"[{n}]", name), value) for n, (name, value) in enumerate(parse_qsl(body.decode()))]
        return 200, _stripe_webhook(fake, _nested(form))
    if path != "/v1/checkout/sessions":
        raise _stripe_refuses(HTTPStatus.NOT_FOUND, "Nothing is made here: POST /v1/checkout/sessions")
    wanted = _nested(parse_qsl(body.decode(), keep_blank_values=True))
    if not wanted.get("mode"):
        raise _stripe_refuses(HTTPStatus.BAD_REQUEST, "Missing required param: mode.", param="mode")
    session_id, intent = new_id("cs_test_", 58), new_id("pi_", 24)
    items = [_line_item(fake, item) for _, item in sorted(wanted.get("line_items", {}).items())]
    total = sum(item["amount_total"] for item in items)
    common = {
        "created": int(datetime.now(UTC).timestamp()),
        "currency": items[0]["currency"] if items else wanted.get("currency", "eur"),
        "livemode": False,
    }
    session = {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "client_reference_id": wanted.get("client_reference_id"),
        "customer_details": None,
        "customer_email": wanted.get("customer_email"),
        "metadata": wanted.get("metadata", {}),
        "mode": wanted["mode"],
        "payment_intent": intent,
        "payment_status": "unpaid",
        "status": "open",
        "success_url": wanted.get("success_url"),
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
        **common,
    }
    fake.objects[f"{path}/{session_id}"] = session
    for item in items:
        fake.objects[f"{path}/{session_id}/line_items/{item['id']}"] = item
    fake.objects[f"/v1/payment_intents/{intent}"] = {
        "id": intent,
        "object": "payment_intent",
        "amount": total,
        "metadata": wanted.get("payment_intent_data", {}).get("metadata", {}),
        "status": "requires_payment_method",
        **common,
    }
    return 200, session


def _nested(form: Query) -> Json:
    """The form as nested objects: line_items[0][quantity]=2 becomes {"line_items": {"0": {"quantity": "2"}}}."""
    found: Json = {}
    for name, value in form:
        *outer, last = re.findall(r"[^\[\]]+", name)
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _line_item(fake: FakeProviders, wanted: Mapping[str, Any]) -> Json:
    if "price_data" in wanted:
        given = wanted["price_data"]
        price = {"id": new_id("price_", 24), "object": "price", "lookup_key": None, "metadata": {}} | given
        price["unit_amount"] = int(given["unit_amount"])
        description = given.get("product_data", {}).get("name")
    else:
        price = _stripe_get(fake, f"/v1/prices/{wanted.get('price')}", [])
        description = price.get("nickname")
    quantity = int(wanted.get("quantity", 1))
    return {
        "id": new_id("li_", 24),
        "object": "item",
        "amount_total": quantity * price["unit_amount"],
        "currency": price["currency"],
        "description": description,
        "metadata": wanted.get("metadata", {}),
        "price": price,
        "quantity": quantity,
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fake = FakeProviders()


class _Handler(OwnHosts, BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        fake = self.server.fake
        if is_of_a_shop(path):
            authorization = self.headers.get("Authorization")
            self._answer_with(lambda: shop_answers(fake.objects, path, dict(query), authorization))
        elif path.startswith("/v1/"):
            self._answer_with(lambda: (200, _stripe_get(fake, path, query)))
        else:
            self._answer_with(lambda: (200, _mollie_get(fake, path, query)))

    def do_POST(self) -> None:
        path, body = urlsplit(self.path).path, self._body()
        post = _stripe_post if path.startswith("/v1/") else _mollie_post
        self._answer_with(lambda: post(self.server.fake, path, body))

    def do_PUT(self) -> None:
        """The control route: PUT /control/v2/payments/{id} stores a payment as Mollie would return it."""
        self.server.fake.objects[self.path.removeprefix("/control")] = json.loads(self._body())
        self._answer(204, {}, b"")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer_with(self, answer: Callable[[], tuple[int, Json | list[Json]]]) -> None:
        fake = self.server.fake
        fake.asked.append(self.path)
        if trouble := fake.trouble():
            return self._answer(*trouble)
        try:
            self._check_key()
            status, body = answer()
        except _Refused as refused:
            status, body = refused.status, refused.body
        return self._answer(status, {}, json.dumps(body).encode())

    def _check_key(self) -> None:
        if is_of_a_shop(self.path):
            return  # it checks its own
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.path.startswith("/v1/"):
            self._check_key_of_stripe(given)
        else:
            self._check_key_of_mollie(given)

    def _check_key_of_stripe(self, given: str) -> None:
        if given not in (STRIPE_KEY, STRIPE_READING_KEY):
            raise _stripe_refuses(HTTPStatus.UNAUTHORIZED, "Invalid API Key provided")
        if given == STRIPE_READING_KEY and self.command != "GET":
            message = "The provided key does not have the required permissions for this endpoint"
            raise _stripe_refuses(HTTPStatus.FORBIDDEN, message)

    def _check_key_of_mollie(self, given: str) -> None:
        if given not in (MOLLIE_KEY, MOLLIE_TOKEN):
            detail = "Missing authentication, or failed to authenticate"
            raise _mollie_refuses(HTTPStatus.UNAUTHORIZED, detail)
        if given == MOLLIE_KEY and self.path.startswith("/v2/webhooks"):
            detail = "This operation is only available for access tokens"
            raise _mollie_refuses(HTTPStatus.FORBIDDEN, detail)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json" if self.path.startswith("/v1/") else "application/hal+json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log of requests."""
