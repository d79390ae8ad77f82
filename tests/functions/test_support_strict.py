"""Bodies and queries of the support API take what their description says, and nothing that only looks like it."""

from typing import Any

import pytest

from cli.stacks import Stack
from tests.builders import SKU
from tests.functions.support_calls import call

WHOLE, FLAG = "field_not_a_whole_number", "field_not_true_or_false"
LINE = {"sku": SKU, "quantity": 1}
CONTENTS, RENEWAL = "/orders/{order_id}/contents", "/orders/{order_id}/lines/{n}/renewal"


@pytest.mark.parametrize(
    ("method", "url", "body", "at", "code"),
    [
        ("GET", "/orders?until=0", None, {"parameter": "until"}, "field_not_a_day"),
        ("GET", "/orders?from=20261101", None, {"parameter": "from"}, "field_not_a_day"),
        ("GET", "/orders?until=0001-01-01", None, {"parameter": "until"}, "field_not_a_day"),
        ("GET", "/mails?day=1764547200", None, {"parameter": "day"}, "field_not_a_day"),
        ("GET", "/attention?next=made-up", None, {"parameter": "next"}, "field_not_as_agreed"),
        ("POST", f"/stock/{SKU}/withdraw?dry_run=0", {"batch": "x"}, {"parameter": "dry_run"}, FLAG),
        ("POST", "/mails/resend", {"day": 0}, {"pointer": "#/day"}, "field_not_a_day"),
        ("POST", "/mails/resend", {"day": "2026-11-23", "page": None}, {"pointer": "#/page"}, "field_null"),
        ("POST", "/orders/search", {"text": "x", "until": 0}, {"pointer": "#/until"}, "field_not_a_day"),
        ("POST", "/orders/search", {"text": "\u200b"}, {"pointer": "#/text"}, "field_too_short"),
        ("PUT", CONTENTS, {"lines": [LINE | {"quantity": "1"}]}, {"pointer": "#/lines/0/quantity"}, WHOLE),
        ("PUT", CONTENTS, {"lines": [LINE | {"renews": None}]}, {"pointer": "#/lines/0/renews"}, "field_null"),
        ("PUT", CONTENTS, {"lines": [LINE], "own_order": None}, {"pointer": "#/own_order"}, "field_null"),
        ("PUT", RENEWAL, {"renews": None}, {"pointer": "#/renews"}, "field_null"),
    ],
)  # fmt: skip
def test_what_only_looks_right_is_refused_and_named(
    wired: Stack, method: str, url: str, body: Any, at: dict[str, str], code: str
) -> None:
    path, _, query = url.partition("?")
    named: dict[str, Any] = {"order_id": "2026-001234"} if "{order_id}" in path else {}
    named |= {"n": "1"} if "{n}" in path else {}
    if path.startswith("/stock/"):
        named, path = {"sku": SKU}, path.replace(SKU, "{sku}")

    status, said = call(method, f"{path}?{query}" if query else path, body, **named)

    assert (status, [(each | at == each, each["code"]) for each in said["errors"]]) == (422, [(True, code)])
