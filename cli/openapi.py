"""The description of the support API, made from its code: `make openapi` writes it to docs/openapi.json."""

import json
import re
from collections.abc import Iterator
from typing import Any

import click
from aws_lambda_powertools.event_handler.openapi.models import License, Tag

from keypost.api.app import ROUTES, app

_PROBLEM = {
    "type": "object",
    "description": "What happened, and what to do now (RFC 9457)",
    "required": ["type", "title", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In the language that the call accepts"},
        "code": {"type": "string", "description": "What happened, for programs"},
        "values": {"type": "object", "description": "What the detail is made with"},
        "suggestion": {"type": "string", "description": "What was probably meant"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail", "code", "values"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body, as a JSON pointer (RFC 6901)"},
                    "parameter": {"type": "string", "description": "Which part of the path or the query"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "values": {"type": "object"},
                },
            },
        },
    },
}
_TAGS = {
    "orders": "Find orders, read them, and put them right",
    "worklist": "What needs a person, what is about to be sent, and what changed nothing",
    "customers": "All that is kept of a customer",
    "stock": "Activation codes",
    "catalog": "What is sold",
    "lists": "What bookkeepers and others read",
}
# By the first part of the path.
_SUBJECTS = {
    "orders": "orders",
    "attention": "worklist",
    "due": "worklist",
    "inbox": "worklist",
    "mails": "worklist",
    "customers": "customers",
    "stock": "stock",
    "batches": "stock",
    "products": "catalog",
}
_OTHER = "lists"
CALL_NAME = r"[a-z]+(_[a-z]+){0,3}"  # that of its function

_EXAMPLE_PARAMETERS: dict[str, Any] = {
    "order_id": "2026-001234",
    "license_id": "LIC-ABCDEFGH23",
    "mail_id": "purchase-1",
    "n": 1,
    "sku": "KASPERSKY-STANDARD-3D-1Y",
    "days": 7,
    "month": "2026-11",
    "day": "2026-11-23",
    "reason": "stock",
    "dry_run": True,
    "Idempotency-Key": "0f8fad5b-d9cb-469f-a165-70867728950e",
}
_WHY = {"reason": "The customer called"}  # for every body that needs nothing
# By the name of the call.
_EXAMPLE_BODIES: dict[str, dict[str, Any]] = {
    "search": {"email": "facturen@klant.example"},
    "correct_address": {"email": "administratie@klant.example", **_WHY},
    "correct_customer": {"name": "Anna de Boer", "language": "en", "all_orders": True, **_WHY},
    "make_by_hand": {
        "customer": {"email": "anna@klant.example", "name": "Anna de Boer", "language": "nl"},
        "lines": [{"sku": "KASPERSKY-STANDARD-3D-1Y", "quantity": 1}],
        "why": "goodwill",
        **_WHY,
    },
    "move_license": {"email": "piet@anders.example", "name": "Piet Bakker", **_WHY},
    "lift_complaint": {"reason": "Pressed the button by mistake"},
    "write_note": {"note": "Calls back on Monday"},
    "stop_reminders": {"all_orders": True, **_WHY},
    "lift_complaint_of": {"reason": "She clicked on spam by mistake"},
    "swap_code": {"reason": "already used", "note": "Kaspersky says: too many activations"},
    "settle": {"lines": [{"sku": "KASPERSKY-STANDARD-3D-1Y", "quantity": 2}], **_WHY},
    "send_again": {"day": "2026-11-23", "reason": "The mail server of the customers was down"},
    "close": _WHY,
    "decide_renewal": {"renews": "LIC-ABCDEFGH23", "period_start": "2026-12-01", **_WHY},
    "erase": {"email": "facturen@klant.example"},
    "export": {"email": "facturen@klant.example"},
    "import_stock": {"codes": ["AAAAA-BBBBB-CCCCC-DDDDD"], "batch": "2026-11", "activate_before": "2027-12-31"},
    "withdraw_codes": {"batch": "2026-11", "reason": "The distributor revoked them"},
    "put_codes_back": {"batch": "2026-11", "reason": "They are good after all"},
    "move_codes": {"batch": "2026-11", "to": "KASPERSKY-PLUS-3D-1Y", "reason": "Imported as Standard"},
    "orders_of_batch": {"batch": "2026-11"},
    "replace_codes": {"batch": "2026-11", "reason": "invalid", "note": "Revoked by the distributor"},
    "put_product": {
        "sku": "KASPERSKY-STANDARD-3D-1Y",
        "vendor": "Kaspersky",
        "name": {"nl": "Kaspersky Standard", "en": "Kaspersky Standard"},
        "term_days": 365,
        "devices": 3,
        "code_pattern": "[A-Z0-9]{5}(-[A-Z0-9]{5}){3}",
        "code_example": "ABCDE-FGHIJ-KLMNO-PQRST",
        "download_url": "https://www.kaspersky.nl/downloads/standard",
        "steps": {
            kind: {"nl": ["Open het programma en vul de code in."], "en": ["Open the program and enter the code."]}
            for kind in ("new", "renewal")
        },
    },
}

_REFUSED = {
    "description": "Not done, and nothing was changed",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The `version` of the order as you saw it: 409 if somebody has changed it since",
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"?[0-9]{1,9}"?)$'},
}
_FAILED = _REFUSED | {"description": "Something went wrong: ask again"}


def description() -> str:
    """The OpenAPI document, as text."""
    schema = app.get_openapi_schema(
        title="Keypost support API",
        version="1",
        description="For support agents and help desks. docs/support.md explains each call.",
        license_info=License(name="Apache 2.0", identifier="Apache-2.0"),
        tags=[Tag(name=name, description=what) for name, what in _TAGS.items()],
    )
    document: dict[str, Any] = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["servers"] = [{"url": "{ApiUrl}", "variables": {"ApiUrl": {"default": "https://keypost.example/v1"}}}]
    schemas = {name: each for name, each in document["components"]["schemas"].items() if "ValidationError" not in name}
    named = dict(_named(document["paths"]))
    document["components"] = {
        "schemas": dict(sorted((schemas | named | {"Problem": _PROBLEM}).items())),
        "securitySchemes": {"SupportKey": {"type": "http", "scheme": "bearer"}},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, ROUTES[method.upper(), path].scope)
            _name(operation, path, method)
            _exemplify(operation, document["components"]["schemas"])
            if method != "get" and path.startswith("/orders/{order_id}/"):
                operation["parameters"] = [*operation["parameters"], _IF_MATCH]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _complete(operation: dict[str, Any], scope: str) -> None:
    operation["security"] = [{"SupportKey": [scope]}]
    operation["description"] = f"Scope `{scope}`."
    answers = {status: said for status, said in operation["responses"].items() if status != "422"}
    operation["responses"] = answers | {"4XX": _REFUSED, "5XX": _FAILED}


def _named(paths: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The bodies that are described where they are taken, by their names; from now on only their names stand there."""
    for operation in (each for path in paths.values() for each in path.values()):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if title := content["schema"].get("title"):
                yield title, content["schema"]
                content["schema"] = {"$ref": f"#/components/schemas/{title}"}


def _name(operation: dict[str, Any], path: str, method: str) -> None:
    """A call is named as its function is, without the path that Powertools puts behind it."""
    operation["operationId"] = operation["operationId"].removesuffix(re.sub(r"\W", "_", path) + f"_{method}")
    operation["tags"] = [_SUBJECTS.get(path.split("/")[1], _OTHER)]


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in _EXAMPLE_PARAMETERS:
            parameter["example"] = _EXAMPLE_PARAMETERS[parameter["name"]]
    taken = operation.get("requestBody", {}).get("content", {}).get("application/json")
    example = _EXAMPLE_BODIES.get(operation["operationId"])
    if taken and (example or not _needs_something(taken["schema"], schemas)):
        taken["example"] = example or _WHY


def _needs_something(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    body = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return bool(body.get("required")) or "reason" not in body.get("properties", {})


if __name__ == "__main__":
    click.echo(description(), nl=False)
