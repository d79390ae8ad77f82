"""Callbacks of payment providers, as API Gateway hands them to the function."""

import base64
from typing import Any

import payment_callback
from tests.builders import Context, stripe_headers, webhook_headers


def call(
    provider: str,
    body: bytes | None,
    headers: dict[str, str],
    method: str = "POST",
    query: dict[str, str] | None = None,
) -> Any:
    """Call the function as API Gateway does."""
    request = {
        "httpMethod": method,
        "pathParameters": {"provider": provider},
        "queryStringParameters": query,
        "headers": headers,
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return payment_callback.handler(request, Context())


def stripe(body: bytes, **how: Any) -> Any:
    return call("stripe", body, stripe_headers(body, **how))


def webhook(body: bytes, **how: Any) -> Any:
    return call("webhook", body, webhook_headers(body, **how))
