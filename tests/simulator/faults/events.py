"""The events with which API Gateway calls functions."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.builders import webhook_headers

_SCOPES = "support contact stock catalog privacy suppression"


def callback_event(order: str, kind: str, data: Mapping[str, Any], said_at: float, now: float) -> dict[str, Any]:
    """A shop's signed callback, stamped with the moment of which it tells."""
    stamp = datetime.fromtimestamp(said_at, UTC).isoformat()
    body = json.dumps({"type": kind, "timestamp": stamp, "data": {"order_id": order, **data}}).encode()
    return {
        "httpMethod": "POST",
        "pathParameters": {"provider": "webhook"},
        "headers": webhook_headers(body, at=now),
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def support_event(
    method: str, route: str, body: Mapping[str, Any], path: Mapping[str, str], key: str = ""
) -> dict[str, Any]:
    """An agent's call, whose key was looked at already."""
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return {
        "resource": route,
        "path": route.format_map(path),
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
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
