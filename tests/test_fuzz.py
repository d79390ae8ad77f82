"""Random requests to the support API, made from its own description. `make fuzz` sends more of them. That the deployed
API is reached by each route, and by nobody without a key, is shown by tests/test_support_access.py."""

import io
import json
import os
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import ignored_auth, unsupported_method

import support_api
from cli.local.deploy import ROOT
from cli.local.samples import sample_products
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.codes import StockCode
from keypost.core.licensing import with_codes
from keypost.core.mail import MailSent
from keypost.core.mailing import settle_mail
from keypost.inputs.typed import trimmed
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, leaked, log, paid_order
from tests.figures import note
from tests.gateway import HOST, Door, gateway_session

_AUTHORIZATION = "Bearer kp_x"
CASES = int(os.environ.get("KEYPOST_FUZZ_CASES", "10"))  # of each route
_SEED = 1  # of a drill, so that it finds tomorrow what it finds today; `make fuzz` sends others each time
ORDER = settle_mail(  # served, so that nothing waits
    with_codes(paid_order("fuzzed"), [StockCode("", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE),
    "purchase-1",
    1,
    MailSent("m"),
    NOW,
)
schemathesis.openapi.format("date", st.dates(date(2000, 1, 1), date(2199, 12, 31)).map(str))
schemathesis.openapi.format("email", st.from_regex(r"[a-z0-9]{1,20}@klant\.example", fullmatch=True))


def _without_examples(part: Any) -> Any:
    """The description without its examples, which tests/test_client.py calls: cases are to be random, not near them."""
    if isinstance(part, dict):
        return {name: _without_examples(each) for name, each in part.items() if name != "example"}
    return [_without_examples(each) for each in part] if isinstance(part, list) else part


DESCRIPTION = _without_examples(json.loads((ROOT / "docs/openapi.json").read_text("utf-8")))
_answered: Counter[int] = Counter()  # how often a test got which status
# What no log may hold: the code and the address of the order, the addresses of the requests, and the key.
PRIVATE = (code(1), "klant.example", _AUTHORIZATION)
ROUTES = [(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods]
schema = schemathesis.openapi.from_dict(DESCRIPTION)
if "KEYPOST_FUZZ_CASES" not in os.environ:
    schema.config.seed = _SEED


@schema.auth()
class _Key:
    def get(self, _case: Case[Any], _context: schemathesis.AuthContext) -> str:
        return _AUTHORIZATION

    def set(self, case: Case[Any], authorization: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = authorization


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def gateway(wired: Stack, template: dict[str, Any]) -> requests.Session:
    """Leads to a stack with an order and a catalog."""
    for product in sample_products():
        wired.store.put_product(product)
    wired.store.save(ORDER)
    return gateway_session(template, {route: Door(support_api.handler, _AUTHORIZATION) for route in ROUTES})


@pytest.mark.drill
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(route) for route in ROUTES])
def test_every_answer_is_as_described_and_nothing_private_is_told(
    method: str, path: str, gateway: requests.Session, logged: io.StringIO
) -> None:
    """The cases are made here and not by `schema.parametrize`: that makes those of all routes in each worker, while it
    collects, which takes longer than many tests."""
    load_all_checks()
    answers = build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=is_answered_as_described,
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=None),
        explicit_settings=settings(max_examples=CASES, suppress_health_check=list(HealthCheck)),
    )
    _answered.clear()
    answers(gateway=gateway)
    note("fuzz", f"{method} {path}", {"answers": _answered})
    assert '"message":"SupportCalled"' in logged.getvalue()
    assert [each for each in PRIVATE if each in logged.getvalue()] == []


def test_a_code_in_an_answer_and_an_address_in_the_log_would_be_found(logged: io.StringIO) -> None:
    told = requests.Response()
    told._content = code(1).encode()

    with pytest.raises(AssertionError):
        tells_no_code(told)
    assert leaked(PRIVATE, logged.getvalue, log) == []


def is_answered_as_described(case: Case[Any], gateway: requests.Session) -> None:
    if _is_valid(case):
        if case.operation.label == "PUT /products/{sku}":
            assert isinstance(case.body, dict)
            case.path_parameters["sku"] = f"FUZZ-{case.path_parameters['sku'][0]}"  # not thousands of products
            case.body |= _made_whole(case.path_parameters["sku"])
        case.body = _made_seen(case.body)
        _make_find(case)
        if "order_id" in case.path_parameters:
            case.path_parameters["order_id"] = ORDER.id  # a random value would never match
    # API Gateway answers an unknown method as it answers an unknown path: 404. The other check asks a real server.
    answer = case.call_and_validate(HOST, gateway, excluded_checks=[unsupported_method, ignored_auth])
    _answered[answer.status_code] += 1
    tells_no_code(answer)


def tells_no_code(answer: Any) -> None:
    """Agents see who bought what, and of each code its end."""
    assert code(1) not in answer.text


def _is_valid(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


_NO_CODE = 8  # signs: a longer text may look like an activation code, and is masked as one


def _make_find(case: Case[Any]) -> None:
    """What JSON Schema cannot express of a search or a list: one thing to look for, days in order that are kept, and
    a page that was the `next` of another. And of a body: what a renewal renews, which wishes exclude each other, and
    that the name of a product does not look like an activation code."""
    today = datetime.now(UTC).date().isoformat()
    match case.operation.label:
        case "POST /orders/search":
            assert isinstance(case.body, dict)
            key = next((name for name in case.body if name not in ("from", "until", "page")), "text")
            case.body = {key: "klant" if key == "text" else case.body[key]}
        case "POST /mails/resend":
            assert isinstance(case.body, dict)
            case.body |= {"day": today}
            case.body.pop("page", None)
        case "GET /orders" | "GET /mails" | "GET /export/orders":
            days = {name: today for name in ("from", "until", "day") if name in case.query}
            case.query = {name: value for name, value in case.query.items() if name != "page"} | days
        case "GET /attention":
            case.query = {name: value for name, value in case.query.items() if name != "next"}
        case "PUT /orders/{order_id}/contents" | "POST /orders":
            assert isinstance(case.body, dict)
            lines: Any = case.body.get("lines", ())
            for line in lines:
                line["renews"] = ORDER.id
                line.pop("period_end", None)
                line["sku"] = line["sku"][:_NO_CODE]
        case "POST /customers/export" | "POST /customers/erase":
            assert isinstance(case.body, dict)
            others: Any = case.body.get("and", ())
            case.body |= {"and": [each if "@" in each else each[:_NO_CODE] for each in others]}
        case "POST /orders/{order_id}/resend":
            assert isinstance(case.body, dict)
            case.body.pop("lift_suppression", None)
        case "PUT /orders/{order_id}/lines/{n}/renewal":
            assert isinstance(case.body, dict)
            case.body |= {"period_start": today} if case.body.get("period_start") else {}


def _made_seen(value: Any) -> Any:
    """What JSON Schema cannot express of a text: which of Unicode's characters are invisible."""
    if isinstance(value, dict):
        return {name: _made_seen(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_made_seen(each) for each in value]
    return "seen" if isinstance(value, str) and value and not trimmed(value) else value


def _made_whole(sku: str) -> dict[str, Any]:
    """Values for what JSON Schema cannot express: a code that matches its pattern, days in order, all languages, and
    what may stand in braces."""
    texts = {"nl": ["Doe."], "en": ["Do."]}
    return {
        "sku": sku,
        "name": {"nl": "Pakket", "en": "Suite"},
        "steps": {"new": texts, "renewal": texts},
        "notes": {},
        "open_on": {},
        "elsewhere": {},
        "renewal_url": "https://shop.example/{license}",
        "code_pattern": "[A-Z]{4}",
        "code_example": "ABCD",
        "mail_days_before": 7,
        "reserve_days_before": 30,
    }
