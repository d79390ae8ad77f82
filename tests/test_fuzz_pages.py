"""Random requests to what anybody may call: the pages, and the callbacks of payment providers without a signature.
`make fuzz` sends more of them. tests/test_fuzz.py does the same with the support API, which has a description."""

import io
import os
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

import guide_page
import payment_callback
import reminders_page
import self_service
import support_auth
import support_page
from cli.local.samples import sample_products
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.wish import Ask
from keypost.providers import PROVIDERS
from tests.builders import Context, code, leaked, log, paid_order
from tests.figures import note
from tests.gateway import HOST, Door, gateway_session

CASES = int(os.environ.get("KEYPOST_FUZZ_CASES", "10"))  # of each route
_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE")  # other than that of callbacks
PAGES = {
    ("GET", "/support"): support_page.handler,
    ("GET", "/support/{file}"): support_page.handler,
    ("GET", "/resend"): self_service.handler,
    ("POST", "/resend"): self_service.handler,
    ("GET", "/activate"): guide_page.handler,
    ("HEAD", "/activate"): guide_page.handler,
    ("GET", "/activate/{sku}"): guide_page.handler,
    ("HEAD", "/activate/{sku}"): guide_page.handler,
    ("GET", "/reminders/{link}"): reminders_page.handler,
    ("POST", "/reminders/{link}"): reminders_page.handler,
    ("POST", "/callbacks/{provider}"): payment_callback.handler,
    **{(method, "/callbacks/{provider}"): payment_callback.handler for method in _METHODS},
}
STATUSES = {200, 202, 304, 400, 401, 404, 405, 410, 413, 415, 429}  # a 503 is answered only if AWS fails
KINDS = (
    "text/html",
    "text/css",
    "text/javascript",
    "image/svg+xml",
    "application/json",
    "application/problem+json",
    "",
)
_TYPED = "getypt@fuzzed.example"
# What no log may hold and no stranger may read; of an address that visitors type only the log is meant.
PRIVATE = (code(1), "klant.example")
_ANY: dict[str, Any] = {"type": "string"}
_FORM = {
    "type": "object",
    "properties": {
        "email": {"anyOf": [_ANY, {"const": _TYPED}]},
        "ask": {"anyOf": [_ANY, {"enum": [*Ask]}]},
        "List-Unsubscribe": {"anyOf": [_ANY, {"const": "One-Click"}]},
        "reminders": {"anyOf": [_ANY, {"const": "again"}]},
    },
    "additionalProperties": _ANY,
}
_BODIES: dict[str, Any] = {
    "application/x-www-form-urlencoded": _FORM,
    "multipart/form-data": _FORM,
    "application/json": {"anyOf": [_FORM, {}]},
    "text/plain": _ANY,
    "text/csv": _ANY,
}
# What the parts of a path may be, beside any text.
_VALUES = {"provider": [*PROVIDERS], "file": ["page.js", "said.js"], "sku": [each.sku for each in sample_products()]}


def _parameters(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    within = [
        {"name": name, "in": "path", "required": True, "schema": {"anyOf": [_ANY, {"enum": _VALUES.get(name, ["x"])}]}}
        for name in names
    ]
    named = [("query", "lang"), ("query", "token"), ("query", "testByMollie")]
    named += [("header", name) for name in ("Accept-Language", "If-None-Match", "Prefer", "Stripe-Signature")]
    named += [("header", name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")]
    named += [("header", name) for name in ("X-Mollie-Signature", "X-WC-Webhook-Signature", "Moneybird-Signature")]
    return within + [{"name": name, "in": place, "schema": _ANY} for place, name in named]


def _operation(method: str, path: str) -> dict[str, Any]:
    body = {"requestBody": {"content": {kind: {"schema": schema} for kind, schema in _BODIES.items()}}}
    plain = {"parameters": _parameters(path), "responses": {"default": {"description": "Any"}}}
    return plain | (body if method in ("POST", "PUT", "PATCH", "DELETE") else {})


def _description() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for method, path in PAGES:
        paths.setdefault(path, {})[method.lower()] = _operation(method, path)
    return {"openapi": "3.1.0", "info": {"title": "Pages", "version": "1"}, "paths": paths}


schema = schemathesis.openapi.from_dict(_description())
if "KEYPOST_FUZZ_CASES" not in os.environ:
    schema.config.seed = 1
_answered: Counter[int] = Counter()  # how often a test got which status


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def gateway(wired: Stack, template: dict[str, Any]) -> requests.Session:
    """Leads to a stack with an order and a catalog."""
    for product in sample_products():
        wired.store.put_product(product)
    wired.store.save(paid_order("fuzzed"))
    list(wired.store.add_codes(sample_products()[0].sku, [code(1)], None, None))
    return gateway_session(template, {route: Door(handler) for route, handler in PAGES.items()})


def test_every_route_that_anybody_may_call_is_here(template: dict[str, Any]) -> None:
    functions = [each["Properties"] for each in template["Resources"].values()]
    events = [event["Properties"] for each in functions for event in (each.get("Events") or {}).values()]
    routes = {(each["Method"].upper(), each["Path"]) for each in events if "Path" in each and "Auth" not in each}

    assert routes == set(PAGES)


@pytest.mark.drill
@pytest.mark.parametrize(("method", "path"), PAGES, ids=[" ".join(route) for route in PAGES])
def test_a_stranger_gets_a_proper_answer_writes_no_order_and_reads_nothing_private(
    method: str, path: str, gateway: requests.Session, wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    before = _orders_and_codes(wired, local)
    load_all_checks()
    _answered.clear()
    answers = build_operation_test(
        config=schema.config,
        operation=schema[path][method.lower()],
        test_func=_is_proper,
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=None),
        explicit_settings=settings(max_examples=CASES, suppress_health_check=list(HealthCheck)),
    )
    answers(gateway=gateway)

    note("fuzz", f"{method} {path}", {"answers": _answered})
    assert [each for each in (*PRIVATE, _TYPED) if each in logged.getvalue()] == []
    assert _orders_and_codes(wired, local) == before


def _is_proper(case: Case[Any], gateway: requests.Session) -> None:
    answer = case.call(HOST, gateway)
    _answered[answer.status_code] += 1
    assert_proper(answer)


def assert_proper(answer: Any) -> None:
    assert answer.status_code in STATUSES, answer.status_code
    assert ", ".join(answer.headers.get("Content-Type", [""])).partition(";")[0] in KINDS
    assert [each for each in PRIVATE if each in answer.text] == []


def _orders_and_codes(stack: Stack, local: LocalStack) -> list[Any]:
    items = local.session.client("dynamodb").scan(TableName=stack.store.table)["Items"]
    kinds = ("ORDER#", "CODE#", "PAYMENT#", "ASIDE#", "PRODUCT#", "KEY#")
    return sorted((item for item in items if item["pk"]["S"].startswith(kinds)), key=lambda item: item["pk"]["S"])


_HEADERS = st.text() | st.builds("{} {}".format, st.sampled_from(["Bearer", "bearer", "Basic"]), st.text())
_HEADERS |= st.builds("Bearer kp_{}_{}".format, st.text(max_size=20), st.text(max_size=60))
_HEADERS |= st.builds("Bearer {}.{}.{}".format, st.text(), st.text(), st.text())


@pytest.mark.drill
def test_no_header_that_a_stranger_makes_up_opens_the_support_api(wired: Stack, logged: io.StringIO) -> None:
    @settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
    @given(_HEADERS)
    def is_refused(header: str) -> None:
        event = {"authorizationToken": header, "methodArn": "arn:aws:execute-api:eu-west-1:1:api/v1/GET/orders"}
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            support_auth.handler(event, Context())

    is_refused()
    assert '"message":"SupportKeyRefused"' in logged.getvalue()


def test_what_is_looked_for_would_be_found(logged: io.StringIO) -> None:
    for status, told in ((500, b""), (502, b""), (200, code(1).encode()), (200, b"x@klant.example")):
        answer = requests.Response()
        answer.status_code, answer._content = status, told
        with pytest.raises(AssertionError):
            assert_proper(answer)
    assert leaked((*PRIVATE, _TYPED), logged.getvalue, log) == []
