"""The support API, called as API Gateway calls it."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import support_api
from cli.stacks import Stack
from keypost.api.app import ROUTES
from keypost.keys import SCOPES


def call(
    method: str,
    url: str,
    body: Any = None,
    *,
    scopes: str = " ".join(SCOPES),
    content_type: str = "application/json",
    headers: Mapping[str, str] = MappingProxyType({}),
    **parameters: Any,
) -> tuple[int, Any]:
    """Status and JSON of an answer. The path is that of the route, its parameters are given by name."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    headers = {"Content-Type": content_type, **headers}
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
            "authorizer": {"principalId": "0123456789", "agent": "anna", "scopes": scopes},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
    answer = support_api.handler(event, _Context())
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]
    said = json.loads(answer["body"])
    if answer["statusCode"] >= 400:
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
        assert said["status"] == answer["statusCode"]
        assert said["detail"]
    return answer["statusCode"], said


class _Context:
    function_name = "SupportApi"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:SupportApi"
    aws_request_id = "lambda-1"


def test_nothing_is_due_where_nothing_was_sold(wired: Stack) -> None:
    assert call("GET", "/due") == (200, [])


def test_a_parameter_that_does_not_fit_is_named(wired: Stack) -> None:
    status, said = call("GET", "/due?days=367")

    assert status == 422
    assert said["errors"] == [{"parameter": "days", "detail": "Input should be less than or equal to 366"}]


def test_a_wrong_method_is_told_the_right_one(wired: Stack) -> None:
    status, said = call("DELETE", "/due")

    assert (status, said["detail"]) == (405, "this route takes GET")


def test_what_does_not_exist_is_not_found(wired: Stack) -> None:
    assert call("GET", "/nothing")[0] == 404


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_without_the_scope_of_a_route_is_refused(wired: Stack, route: tuple[str, str]) -> None:
    others = " ".join(scope for scope in SCOPES if scope != ROUTES[route].scope)

    status, said = call(*route, {}, scopes=others)

    assert status == 403
    assert f"`{ROUTES[route].scope}`" in said["detail"]
