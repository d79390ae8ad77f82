"""A client that a public generator makes of docs/openapi.json calls every route of the support API."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import time_machine
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from cli.openapi import CALL_NAME
from cli.stacks import Stack
from keypost import wiring
from tests.builders import NOW, code, paid_order
from tests.functions.support_calls import call

Operation = tuple[str, str, dict[str, Any]]
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each[2]["operationId"])
DONE = {"search", "whole_story", "resend", "hold", "attention", "due", "read_inbox", "all_stock", "all_products"}
DONE |= {"list_orders", "list_mails", "send_again", "export_orders", "export", "erase", "import_stock", "put_product"}
DONE |= {"proof", "correct_customer", "make_by_hand", "write_note", "stop_reminders"}


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that the generator makes. It says nothing, so it left nothing out."""
    to = tmp_path_factory.mktemp("client")
    settings = ConfigFile(post_hooks=[], content_type_overrides={"text/csv": "application/octet-stream"})
    where = ROOT / "docs/openapi.json"
    config = Config.from_sources(settings, MetaType.NONE, where, "utf-8", overwrite=False, output_path=to / "support")
    assert list(generate(config=config)) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(to))
        yield importlib.import_module("support")
    for name in [name for name in sys.modules if name.partition(".")[0] == "support"]:
        del sys.modules[name]


@pytest.fixture
def shop(wired: Stack, stocked: Any) -> Iterator[Stack]:
    """A shop with the order of the examples, whose mail was sent."""
    with time_machine.travel(NOW, tick=False):
        stocked([code(1)])
        wired.store.save(paid_order("2026-001234"))
        wiring.try_order("2026-001234", 1)
        yield wired


def over_gateway(request: httpx.Request) -> httpx.Response:
    """What API Gateway makes of a request, and of its answer."""
    path = request.url.path.removeprefix("/v1")
    template, found = next(
        (template, found)
        for method, template, _ in sorted(OPERATIONS, key=lambda each: each[1].count("{"))
        if method.upper() == request.method
        if (found := re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), path))
    )
    query = f"?{request.url.query.decode()}" if request.url.query else ""
    assert request.headers["Authorization"] == "Bearer kp_x"
    parameters: dict[str, Any] = found.groupdict()
    status, said = call(
        request.method,
        template + query,
        request.content.decode() or None,
        headers={name: value for name, value in request.headers.items() if name == "idempotency-key"},
        **parameters,
    )
    is_text = isinstance(said, str)
    return httpx.Response(status, text=said) if is_text else httpx.Response(status, json=said)


def called(client: ModuleType, operation: Operation) -> Any:
    """The answer to a call as its example is."""
    _, _, about = operation
    (tag,), name = about["tags"], about["operationId"]
    module = importlib.import_module(f"support.api.{tag}.{name}")
    given = {
        each["name"].lower().replace("-", "_"): each["example"]
        for each in about.get("parameters", [])
        if "example" in each
    }
    if content := about.get("requestBody", {}).get("content", {}).get("application/json"):
        model = getattr(importlib.import_module("support.models"), content["schema"]["$ref"].rpartition("/")[2])
        given["body"] = model.from_dict(content["example"])
    http = {"transport": httpx.MockTransport(over_gateway)}
    access = client.AuthenticatedClient("https://keypost.example/v1", token="kp_x", httpx_args=http)
    return module.sync_detailed(client=access, **given)


def names(told: Any) -> Any:
    """The names at every depth: the generator writes moments in another way."""
    if isinstance(told, dict):
        return {name: names(each) for name, each in told.items()}
    return [names(each) for each in told] if isinstance(told, list) else None


@EACH
def test_the_client_of_a_public_generator_calls_it_and_understands_the_answer(
    client: ModuleType, shop: Stack, operation: Operation
) -> None:
    answer = called(client, operation)

    is_done = answer.status_code < 300
    assert is_done or answer.status_code in (404, 409), answer.content
    assert (type(answer.parsed).__name__ == "Problem") is not is_done
    if "json" not in answer.headers["Content-Type"]:  # a file or a page
        assert "2026-001234" in answer.content.decode()
        return
    parsed = [each.to_dict() for each in answer.parsed] if isinstance(answer.parsed, list) else answer.parsed.to_dict()
    assert names(parsed) == names(json.loads(answer.content))
    assert is_done or operation[2]["operationId"] not in DONE


def test_every_call_has_a_short_name_of_its_own_a_described_subject_and_a_whole_example() -> None:
    calls = [operation["operationId"] for _, _, operation in OPERATIONS]
    described = {tag["name"] for tag in DOCUMENT["tags"]}
    assert [name for name in calls if not re.fullmatch(CALL_NAME, name)] == []
    assert len(set(calls)) == len(calls)
    for _, path, operation in OPERATIONS:
        (tag,) = operation["tags"]
        assert tag in described
        needed = [each for each in operation.get("parameters", []) if each["required"]]
        assert all("example" in each for each in needed), path
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            assert "example" in content, (path, kind)


def test_the_description_names_its_licence() -> None:
    assert DOCUMENT["info"]["license"] == {"name": "Apache 2.0", "identifier": "Apache-2.0"}
    assert "Apache License" in Path(ROOT / "LICENSE").read_text("utf-8")
