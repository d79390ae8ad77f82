"""Random requests to the deployed support API, made from its own description. `make fuzz` sends more of them."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import unsupported_method

from cli.local.deploy import ROOT
from cli.local.samples import sample_products
from cli.local.stack import LocalStack
from keypost.core.codes import StockCode
from keypost.core.licensing import with_codes
from keypost.core.mail import MailSent
from keypost.core.mailing import settle_mail
from keypost.inputs.typed import trimmed
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order

CASES = int(os.environ.get("KEYPOST_FUZZ_CASES", "10"))  # of each route
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
schema = schemathesis.openapi.from_dict(DESCRIPTION)


@schema.auth()
class _Key:
    """Sends the key of the local stack, which exists only when the first case is sent."""

    here = ""

    def get(self, _case: Case[Any], _context: schemathesis.AuthContext) -> str:
        return self.here

    def set(self, case: Case[Any], key: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {key}"


@pytest.fixture(scope="module")
def fuzzed(local: LocalStack) -> Iterator[LocalStack]:
    """A stack with an order. Products that the requests add to the catalog are removed afterwards."""
    _Key.here = local.support_key
    local.stack.store.save(ORDER)
    yield local
    keys = [f"PRODUCT#{sku}" for sku in set(local.stack.store.catalog()) - {p.sku for p in sample_products()}]
    client, table = local.session.client("dynamodb"), local.outputs["TableName"]
    for key in (*keys, "CATALOG"):
        client.delete_item(TableName=table, Key={"pk": {"S": key}})
    for product in sample_products():
        local.stack.store.put_product(product)


@pytest.mark.drill  # see pytest_ignore_collect in conftest.py
@pytest.mark.journey
@schema.parametrize()
@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Case[Any], fuzzed: LocalStack) -> None:
    if _is_valid(case):
        if case.operation.label == "PUT /products/{sku}":
            assert isinstance(case.body, dict)
            case.path_parameters["sku"] = f"FUZZ-{case.path_parameters['sku'][0]}"  # not thousands of products
            case.body |= _made_whole(case.path_parameters["sku"])
        case.body = _made_seen(case.body)
        _make_find(case)
        if "order_id" in case.path_parameters:
            case.path_parameters["order_id"] = ORDER.id  # a random value would never match
    # API Gateway answers an unknown method as it answers an unknown path: 404.
    case.call_and_validate(base_url=fuzzed.api_url, excluded_checks=[unsupported_method])


def _is_valid(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def _make_find(case: Case[Any]) -> None:
    """What JSON Schema cannot express of a search or a list: one thing to look for, days in order that are kept, and
    a page that was the `next` of another. And of a body: what a renewal renews, and which wishes exclude each other."""
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
    """Values for what JSON Schema cannot express: a code that matches its pattern, days in order, all languages."""
    texts = {"nl": ["Doe."], "en": ["Do."]}
    return {
        "sku": sku,
        "name": {"nl": "Pakket", "en": "Suite"},
        "steps": {"new": texts, "renewal": texts},
        "notes": {},
        "code_pattern": "[A-Z]{4}",
        "code_example": "ABCD",
        "mail_days_before": 7,
        "reserve_days_before": 30,
    }
