"""Kind: somebody types an activation code where something else is asked for."""

import json
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.api.app import ROUTES
from keypost.core.order import Order
from keypost.core.product import Kind, Line
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, loaded, notice, paid_order
from tests.functions.support_calls import call

CANARY = "0A3TP-Q7Y2M-ZK9PL-7XTRW"
HEART = "Q7Y2M"  # a part of it that is never told
SAID = f"klant zegt dat {CANARY} niet werkt"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def desk(wired: Stack) -> Stack:
    """An order with the canary as its code, which was mailed."""
    list(wired.store.add_codes(SKU, [CANARY], "B-1", None))
    wired.store.save(paid_order("A-1"))
    wiring.try_order("A-1", 1)
    assert loaded(wired.store, "A-1").licenses[0].code == CANARY
    return wired


def stored_of(order: Order) -> str:
    """What is stored of an order but for its licenses, which have codes."""
    return str([order.timeline, order.mails, order.lines, order.customer, order.decisions, order.waits])


# EDD renews by licence key; an agent pastes what the customer said (findings A4).
@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/orders/{order_id}/hold", {"reason": SAID}),
        ("/orders/{order_id}/resend", {"reason": SAID}),
        ("/orders/{order_id}/licenses/{license_id}/replace", {"reason": "invalid", "note": SAID}),
    ],
)
def test_a_code_in_the_words_of_an_agent_is_kept_by_its_last_five(desk: Stack, url: str, body: Any) -> None:
    list(desk.store.add_codes(SKU, ["AAAAA-BBBBB-CCCCC-00001"], "B-2", None))
    license_id = loaded(desk.store, "A-1").licenses[0].id
    names: dict[str, Any] = {"order_id": "A-1"} | ({"license_id": license_id} if "license" in url else {})

    status, _ = call("POST", url, body, **names)
    _, told = call("GET", "/orders/{order_id}", order_id="A-1")

    assert status < 300
    assert "7XTRW niet werkt" in json.dumps(told, ensure_ascii=False)  # the control: the words themselves are told
    assert HEART not in json.dumps(told)
    assert HEART not in stored_of(loaded(desk.store, "A-1"))


@pytest.mark.parametrize("spelling", [CANARY, CANARY.lower(), CANARY.replace("-", " "), CANARY.replace("-", "")])
@pytest.mark.parametrize("field", ["order", "code"])
def test_a_code_that_is_searched_for_as_a_number_finds_its_order(desk: Stack, field: str, spelling: str) -> None:
    status, said = call("POST", "/orders/search", {field: spelling})

    assert (status, [found["order_id"] for found in said["orders"]]) == (200, ["A-1"])
    assert HEART not in json.dumps(said)


@pytest.mark.parametrize(
    "spelling",
    [
        " ".join(CANARY.replace("-", "")),
        CANARY.replace("-", "%2D"),
        CANARY.replace("-", "&ndash;"),
        CANARY.replace("-", "\n"),
        "".join(chr(ord(sign) + 0xFEE0) for sign in CANARY),
        f"code: {CANARY.lower()} van Jan",
    ],
)
def test_a_code_that_is_typed_in_another_way_is_used_for_what_was_meant(desk: Stack, spelling: str) -> None:
    record(desk.store, notice("R-1", Line(SKU, 1, Kind.RENEWAL, spelling)), NOW, INTAKE)
    assert loaded(desk.store, "R-1").lines[0].renews == loaded(desk.store, "A-1").licenses[0].id

    for field in ("code", "order", "text"):
        status, said = call("POST", "/orders/search", {field: spelling})
        assert (status, [found["order_id"] for found in said["orders"]]) == (200, ["A-1"])
        assert HEART not in json.dumps(said)


WHERE = ("path", "query", "query name", "body", "field name", "deep", "key")


def test_no_route_tells_a_code_that_somebody_put_anywhere(desk: Stack) -> None:
    """Also not in the refusal. The path of an import and of a product are asked with a code for a SKU."""
    told = {(route, where): json.dumps(_answer(*route, where)) for route in ROUTES for where in WHERE}

    assert [asked for asked, said in told.items() if HEART in said] == []
    assert HEART not in stored_of(loaded(desk.store, "A-1"))


def _answer(method: str, url: str, where: str) -> Any:
    names = dict.fromkeys(["order_id", "license_id", "sku", "mail_id", "n"], CANARY if where == "path" else "A-1")
    path: dict[str, Any] = {name: value for name, value in names.items() if f"{{{name}}}" in url}
    how = {"query": f"?reason={CANARY}&days={CANARY}&dry_run={CANARY}", "query name": f"?{CANARY}=1"}.get(where, "")
    fields = dict.fromkeys(["reason", "note", "email", "order", "name", "text", "code", "batch", "payment"], SAID)
    body = {
        "body": fields,
        "field name": {CANARY: 1, "reason": "x"},
        "deep": {"lines": [{"sku": CANARY, "renews": CANARY, "kind": CANARY, CANARY: 1}], "codes": [[CANARY]]},
    }.get(where, {"reason": "x"})
    headers = {"Idempotency-Key": CANARY} if where == "key" else {}
    return call(method, url + how, None if method == "GET" else body, headers=headers, **path)


def test_the_look_for_a_code_would_see_one(desk: Stack) -> None:
    """The control: the catalog does tell its example of a code."""
    assert "12345" in json.dumps(call("GET", "/products"))
    assert HEART in str(loaded(desk.store, "A-1").licenses)


def test_the_log_of_a_call_has_no_code(desk: Stack, caplog: pytest.LogCaptureFixture) -> None:
    call("GET", "/orders/{order_id}", order_id=CANARY)
    call("POST", "/orders/{order_id}/hold", {"reason": SAID}, order_id="A-1")

    printed = str([record.__dict__ for record in caplog.records])
    assert "SupportCalled" in printed
    assert HEART not in printed


def test_an_order_whose_number_looks_like_a_code_is_still_found(desk: Stack) -> None:
    desk.store.save(paid_order("AAAAA-BBBBB-CCCCC-DDDDD"))

    assert call("GET", "/orders/{order_id}", order_id="AAAAA-BBBBB-CCCCC-DDDDD")[0] == 200


def test_a_renewal_by_the_code_in_hand_is_one_of_its_license(desk: Stack) -> None:
    known, unknown = Line(SKU, 1, Kind.RENEWAL, CANARY.lower()), Line(SKU, 1, Kind.RENEWAL, "ZZZZZ-Q7Y2M-ZZZZZ-77777")
    record(desk.store, notice("R-1", known, name="Jan de Vries"), NOW, INTAKE)
    record(desk.store, notice("R-2", unknown, name=f"Jan {CANARY}"), NOW, INTAKE)

    assert loaded(desk.store, "R-1").lines[0].renews == loaded(desk.store, "A-1").licenses[0].id
    assert loaded(desk.store, "R-2").lines[0].renews == "…77777"
    assert loaded(desk.store, "R-2").customer.name == "Jan …7XTRW"
    assert HEART not in json.dumps(call("GET", "/orders/{order_id}", order_id="R-2"))


def test_a_body_that_is_no_json_is_refused_without_being_told(desk: Stack) -> None:
    status, said = call("POST", "/orders/{order_id}/hold", f"{{{CANARY}", order_id="A-1")

    assert status in (400, 422)
    assert HEART not in json.dumps(said)
