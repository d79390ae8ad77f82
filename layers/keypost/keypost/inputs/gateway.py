"""API Gateway's events and answers: the request as bytes and lower-case headers, errors as problem details (RFC
9457)."""

import base64
import binascii
import json
from http import HTTPStatus
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from keypost.core.errors import InvalidInput

if TYPE_CHECKING:
    from keypost.core.keys import Agent
from keypost.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    parameters: dict[str, str]  # of the path
    query: dict[str, str]
    headers: dict[str, str]  # by lower-case name; the values of one sent twice are joined by a comma
    body: bytes
    source: str  # the caller's IP address, from API Gateway; for IPv6 its /64 network, all of which a visitor has
    path: str = ""


def read_request(event: dict[str, Any]) -> Request:
    body = (event.get("body") or "").encode("utf-8", "surrogatepass")
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error:
            raise InvalidInput("body_not_base64") from None
    return Request(
        event["httpMethod"],
        event.get("pathParameters") or {},
        event.get("queryStringParameters") or {},
        read_headers(event),
        body,
        _source(event.get("requestContext", {}).get("identity", {}).get("sourceIp", "")),
        event.get("path", ""),
    )


def read_headers(event: dict[str, Any]) -> dict[str, str]:
    """The headers by lower-case name; if one was sent twice, its values are joined by a comma."""
    headers: dict[str, str] = {}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers[name.lower()] = ",".join(values)
    for name, value in (event.get("headers") or {}).items():
        headers.setdefault(name.lower(), value)
    return headers


def _source(address: str) -> str:
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def answer(status: int) -> dict[str, Any]:
    """An answer without a body, for a status that needs no words."""
    return {"statusCode": status, "headers": {}, "body": ""}


def represented(what: dict[str, str]) -> dict[str, Any]:
    """An answer to a caller who prefers to read what was stored (RFC 7240)."""
    headers = {"Content-Type": "application/json", "Preference-Applied": "return=representation"}
    return {"statusCode": HTTPStatus.OK.value, "headers": headers, "body": json.dumps(what)}


def problem(status: HTTPStatus, detail: str, **headers: str) -> dict[str, Any]:
    """A problem: what went wrong and what to do, for a developer who reads a provider's list of failed callbacks."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return {
        "statusCode": status.value,
        "headers": {"Content-Type": "application/problem+json", **headers},
        "body": json.dumps(body),
    }


def verdict(agent: "Agent", method_arn: str) -> dict[str, Any]:
    """The answer of an authorizer. It holds for every route, because API Gateway uses a cached answer for all of them.
    An agent without any scope may call no route; the support API checks which scope a route needs."""
    api, stage = method_arn.split("/")[:2]
    effect = "Allow" if agent.scopes else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": agent.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"agent": agent.name, "scopes": " ".join(agent.scopes)},
    }
