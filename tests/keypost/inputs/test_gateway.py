import base64
import json
from http import HTTPStatus

import pytest

from keypost.core.errors import InvalidInput
from keypost.inputs.gateway import problem, read_request

EVENT = {"httpMethod": "POST", "pathParameters": {"provider": "stripe"}, "headers": {}, "body": None}


def test_the_body_is_the_bytes_that_were_sent() -> None:
    plain = read_request(EVENT | {"body": "é", "isBase64Encoded": False})
    encoded = read_request(EVENT | {"body": base64.b64encode(b"\xff\x00").decode(), "isBase64Encoded": True})

    assert (plain.body, encoded.body, read_request(EVENT).body) == (b"\xc3\xa9", b"\xff\x00", b"")


def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_request(EVENT | {"body": "%%%", "isBase64Encoded": True})


def test_the_query_is_read_and_may_be_missing() -> None:
    assert read_request(EVENT | {"queryStringParameters": {"token": "x"}}).query == {"token": "x"}
    assert read_request(EVENT | {"queryStringParameters": None}).query == {}


def test_headers_have_lower_case_names_and_one_sent_twice_is_joined() -> None:
    headers = {"Stripe-Signature": "b"}
    several = {"Stripe-Signature": ["a", "b"]}

    assert read_request(EVENT | {"headers": headers}).headers == {"stripe-signature": "b"}
    both = read_request(EVENT | {"headers": headers, "multiValueHeaders": several})
    assert both.headers == {"stripe-signature": "a,b"}


def test_a_refusal_is_a_problem_detail() -> None:
    answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are sent with POST", Allow="POST")

    assert answer["statusCode"] == 405
    assert answer["headers"] == {"Content-Type": "application/problem+json", "Allow": "POST"}
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "callbacks are sent with POST",
    }


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("test-invoke-source-ip", "test-invoke-source-ip"),
    ],
)
def test_the_source_is_what_api_gateway_saw_whatever_a_header_says(address: str, source: str) -> None:
    context = {"requestContext": {"identity": {"sourceIp": address}}}
    headers = {"headers": {"X-Forwarded-For": "192.0.2.1"}}

    assert read_request(EVENT | context | headers).source == source
    assert read_request(EVENT | headers).source == ""
