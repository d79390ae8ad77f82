"""docs/openapi.json is what the code generates, and has the routes of template.yaml."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from cli.local.deploy import ROOT
from cli.openapi import description
from keypost.api.app import ROUTES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))
    return parsed


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m.upper(), path): said for path, methods in document["paths"].items() for m, said in methods.items()}


def test_it_is_what_the_code_makes() -> None:
    written = (ROOT / "docs/openapi.json").read_text("utf-8")

    assert description() == written, "write it again with `make openapi`"


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)

    assert document["openapi"].startswith("3.1")


def test_its_routes_are_those_of_the_template_and_of_the_table_of_scopes(
    document: dict[str, Any], template: dict[str, Any]
) -> None:
    events = template["Resources"]["SupportApi"]["Properties"]["Events"].values()
    assert all(event["Properties"]["Auth"] == {"Authorizer": "SupportKey"} for event in events)

    routes = {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events}
    assert set(operations(document)) == routes == set(ROUTES)


def test_every_route_says_its_scope_its_parameters_and_what_it_takes(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        access = ROUTES[route]
        asked = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        taken = operation.get("requestBody", {}).get("content", {})
        assert operation["security"] == [{"SupportKey": [access.scope]}]
        assert asked == set(access.query), route
        assert not taken or set(taken) == set(access.takes)


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for status in ("4XX", "5XX"):
            (kind,) = operation["responses"][status]["content"]
            assert kind == "application/problem+json"
