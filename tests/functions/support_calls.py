"""Calls of the support API, as API Gateway hands them to the function."""

import base64
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import support_api
from keypost.core.keys import SCOPES

KEY = "0123456789"


def authorizer(scopes: str = " ".join(SCOPES)) -> dict[str, str]:
    """What the authorizer says of an agent who may do all this."""
    return {"principalId": KEY, "agent": "anna", "scopes": scopes}


class Context:
    """The context that Lambda passes, with remaining time that a test can set."""

    function_name = "SupportApi"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:SupportApi"
    aws_request_id = "lambda-1"
    left = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def call(
    method: str,
    url: str,
    body: Any = None,
    *,
    scopes: str = " ".join(SCOPES),
    content_type: str = "application/json",
    headers: Mapping[str, str] = MappingProxyType({}),
    context: Any = None,
    kept: list[Any] | None = None,
    **parameters: Any,
) -> tuple[int, Any]:
    """Call the API; returns status and JSON. The path is that of the route, and its parameters are given by name.
    A body of bytes is passed on as API Gateway passes on a binary media type."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    headers = {"Content-Type": content_type, **headers}
    is_binary = isinstance(body, bytes)
    event = {
        "resource": parts.path,
        "path": parts.path.format_map(parameters) if parameters else parts.path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": parameters or None,
        "requestContext": {
            "stage": "v1",
            "requestId": "request-1",
            "path": f"/v1{parts.path}",
            "authorizer": authorizer(scopes),
        },
        "body": base64.b64encode(body).decode() if is_binary else _text(body),
        "isBase64Encoded": is_binary,
    }
    answer = support_api.handler(event, context or Context())
    if kept is not None:
        kept.append(answer)
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]
    is_json = "json" in answer["multiValueHeaders"]["Content-Type"][0]
    said = json.loads(answer["body"]) if is_json else answer["body"]
    if answer["statusCode"] >= 400:
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
        assert said["status"] == answer["statusCode"]
        assert said["detail"]
    return answer["statusCode"], said


def _text(body: Any) -> str | None:
    return body if body is None or isinstance(body, str) else json.dumps(body)
