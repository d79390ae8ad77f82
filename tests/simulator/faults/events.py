"""The events with which API Gateway calls functions."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.builders import (
    MONEYBIRD_SECRET,
    STRIPE_SECRET,
    WOOCOMMERCE_SECRET,
    of_moneybird,
    stripe_event,
    stripe_headers,
    webhook_headers,
)

_SCOPES = "support orders contact stock catalog privacy suppression complaints"


ACCEPTED = {"webhook": 204, "woocommerce": 200, "stripe": 200, "moneybird": 200}  # by the teller
Data = Mapping[str, Any]
_TERM = 20 * 86400  # seconds: each product of a shop lasts twenty days


def callback_event(teller: str, order: str, kind: str, data: Data, said_at: float, now: float) -> dict[str, Any]:
    """A signed callback, stamped with the moment of which it tells."""
    body, headers = _CALLBACKS[teller](order, kind, data, said_at, now)
    return {
        "httpMethod": "POST",
        "pathParameters": {"provider": teller},
        "headers": headers,
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def _of_shop(order: str, kind: str, data: Data, said_at: float, now: float) -> tuple[bytes, dict[str, str]]:
    stamp = datetime.fromtimestamp(said_at, UTC).isoformat()
    body = json.dumps({"type": kind, "timestamp": stamp, "data": {"order_id": order, **data}}).encode()
    return body, webhook_headers(body, at=now)


def _of_woocommerce(order: str, _kind: str, data: Data, said_at: float, _now: float) -> tuple[bytes, dict[str, str]]:
    """The whole order, as WooCommerce sends it whenever it changes."""
    stamp = datetime.fromtimestamp(said_at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    items = [{"id": number, "name": "Antivirus", **line} for number, line in enumerate(data["lines"], start=1)]
    told = {
        "id": int(order),
        "number": order,
        "status": "processing",
        "currency": data["currency"],
        "total": data["amount"],
        "date_modified_gmt": stamp,
        "date_paid_gmt": stamp,
        "billing": {"email": data["email"], "first_name": "Anna", "last_name": "Jansen"},
        "line_items": items,
        "refunds": [],
    }
    body = json.dumps(told).encode()
    signed = base64.b64encode(hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()).decode()
    return body, {"x-wc-webhook-signature": signed, "x-wc-webhook-topic": "order.updated"}


def _of_stripe(order: str, kind: str, data: Data, said_at: float, now: float) -> tuple[bytes, dict[str, str]]:
    """A paid session, whose card says what the shop tells too. Stripe knows the payment under names of its own."""
    if kind == "order.refunded":
        return _of_charge(order, data, said_at, now)
    if "subscription" in data:
        return _of_subscription(order, data, said_at, now)
    card = _card(data)
    session = {
        "id": f"cs_test_{order}",
        "payment_intent": f"pi_{order}",
        "amount_total": round(100 * float(data["amount"])),
        "currency": data["currency"].lower(),
        "customer_details": {"email": data["email"], "name": "Anna Jansen"},
        "metadata": {"v": "1", "order_id": order, "email": data["email"], "lang": "nl", **card},
    }
    body = stripe_event(session, created=int(said_at))
    return body, stripe_headers(body, STRIPE_SECRET, now)


def _of_charge(order: str, data: Data, said_at: float, now: float) -> tuple[bytes, dict[str, str]]:
    """All of a payment went back. The event names the payment, and no order."""
    cents = round(100 * float(data["amount"]))
    charge = {
        "id": f"ch_{order}",
        "payment_intent": f"pi_{order}",
        "amount": cents,
        "amount_refunded": cents,
        "currency": "eur",
        "paid": True,
    }
    body = stripe_event(charge, "charge.refunded", created=int(said_at))
    return body, stripe_headers(body, STRIPE_SECRET, now)


def _card(data: Data) -> dict[str, str]:
    return {f"line_{number}": f"{line['sku']}|{line['quantity']}" for number, line in enumerate(data["lines"], start=1)}


def _of_subscription(order: str, data: Data, said_at: float, now: float) -> tuple[bytes, dict[str, str]]:
    """The first paid invoice of a subscription."""
    cents, period = round(100 * float(data["amount"])), {"start": int(said_at), "end": int(said_at) + _TERM}
    about = {"subscription": data["subscription"], "metadata": {"v": "1", "order_id": order, **_card(data)}}
    of_item = {"subscription": data["subscription"], "proration": False}
    line = {
        "id": f"il_{order}",
        "amount": cents,
        "quantity": 1,
        "period": period,
        "parent": {"type": "subscription_item_details", "subscription_item_details": of_item},
    }
    invoice = {
        "id": data["payment_id"],
        "billing_reason": "subscription_create",
        "amount_due": cents,
        "amount_paid": cents,
        "total": cents,
        "customer_email": data["email"],
        "parent": {"type": "subscription_details", "subscription_details": about},
        "lines": {"object": "list", "has_more": False, "data": [line]},
    }
    body = stripe_event(invoice, "invoice.paid", created=int(said_at))
    return body, stripe_headers(body, STRIPE_SECRET, now)


def _of_moneybird(order: str, _kind: str, data: Data, said_at: float, now: float) -> tuple[bytes, dict[str, str]]:
    """An invoice that is settled as a whole, with money or by a credit note."""
    stamp = datetime.fromtimestamp(said_at, UTC).isoformat()
    details = [
        {"description": f"Antivirus [{line['sku']}]", "amount": f"{line['quantity']} x"} for line in data["lines"]
    ]
    body = of_moneybird(
        id=data["payment_id"],
        invoice_id=order,
        reference="",
        total_price_incl_tax=data["amount"],
        contact={"email": data["email"], "firstname": "Anna", "lastname": "Jansen"},
        details=details,
        payments=[{"created_at": stamp, "credit_invoice_id": data.get("credited_by")}],
        paid_at=stamp,
        updated_at=stamp,
    )
    signed = hmac.new(MONEYBIRD_SECRET.encode(), f"{now:.0f}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"moneybird-signature": f"t={now:.0f},v1={signed}"}


_Signed = tuple[bytes, dict[str, str]]
_CALLBACKS: Mapping[str, Callable[[str, str, Data, float, float], _Signed]] = {
    "webhook": _of_shop,
    "woocommerce": _of_woocommerce,
    "stripe": _of_stripe,
    "moneybird": _of_moneybird,
}


def support_event(
    method: str, route: str, body: Mapping[str, Any], path: Mapping[str, str], key: str = ""
) -> dict[str, Any]:
    """An agent's call, whose key was looked at already. The route may end with a query."""
    route, _, query = route.partition("?")
    asked = dict(parse_qsl(query))
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return {
        "resource": route,
        "path": route.format_map(path),
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": asked or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in asked.items()} or None,
        "pathParameters": dict(path) or None,
        "requestContext": {
            "stage": "v1",
            "requestId": "request-1",
            "path": f"/v1{route}",
            "authorizer": {"principalId": "key-1", "agent": "anna", "scopes": _SCOPES},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def link_event(link: str, body: str | None) -> dict[str, Any]:
    """A program that opens the link of a reminder; with a body, a mail program whose reader wants no reminders."""
    return {
        "httpMethod": "GET" if body is None else "POST",
        "pathParameters": {"link": link},
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "queryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": "192.0.2.1"}},
        "body": body,
        "isBase64Encoded": False,
    }


def page_event(email: str, source: str) -> dict[str, Any]:
    """A customer who asks on the page for what was sent to an address."""
    return {
        "httpMethod": "POST",
        "pathParameters": None,
        "headers": {"content-type": "application/json"},
        "queryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": source}},
        "body": json.dumps({"email": email}),
        "isBase64Encoded": False,
    }
