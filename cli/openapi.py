"""The description of the support API, made from its code: `make openapi` writes it to docs/openapi.json."""

import json
from typing import Any

import click

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
_REFUSED = {
    "description": "Not done, and nothing was changed",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_FAILED = _REFUSED | {"description": "Something went wrong: ask again"}


def description() -> str:
    """The OpenAPI document, as text."""
    schema = app.get_openapi_schema(
        title="Keypost support API",
        version="1",
        description="For support agents and help desks. docs/support.md explains each call.",
    )
    document: dict[str, Any] = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["servers"] = [{"url": "{ApiUrl}", "variables": {"ApiUrl": {"default": "https://keypost.example/v1"}}}]
    schemas = {name: each for name, each in document["components"]["schemas"].items() if "ValidationError" not in name}
    document["components"] = {
        "schemas": dict(sorted((schemas | {"Problem": _PROBLEM}).items())),
        "securitySchemes": {"SupportKey": {"type": "http", "scheme": "bearer"}},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, ROUTES[method.upper(), path].scope)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _complete(operation: dict[str, Any], scope: str) -> None:
    operation["security"] = [{"SupportKey": [scope]}]
    operation["description"] = f"Scope `{scope}`."
    answers = {status: said for status, said in operation["responses"].items() if status != "422"}
    operation["responses"] = answers | {"4XX": _REFUSED, "5XX": _FAILED}


if __name__ == "__main__":
    click.echo(description(), nl=False)
