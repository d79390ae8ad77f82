"""What people type into a call, without the activation codes in it. A code that somebody puts into a reason, a number
or the name of a field is not stored there, and not told again but for its last five characters."""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from keypost import wiring
from keypost.core.errors import InvalidInput
from keypost.core.typed_codes import may_hold_code
from keypost.inputs import gateway
from keypost.inputs.strict_json import parse_object

_KEY = "idempotency-key"


def without_codes(event: dict[str, Any], meant: Collection[str]) -> dict[str, Any]:
    """The event with the codes in its JSON body and its key for repetitions hidden. `meant` are the fields of the body
    in which a code is asked for; `*` is the whole body."""
    return event | _with_key(event) | _with_body(event, meant)


def has_code_in_path(event: dict[str, Any]) -> bool:
    """Whether a code stands where a number is asked for. A shop may have numbers that look like codes, so it is looked
    for all the same."""
    return any(hidden(value) != value for value in (event.get("pathParameters") or {}).values())


def hidden(value: Any) -> Any:
    """A value of JSON with the codes in its texts, and in the names of its fields, hidden."""
    match value:
        case str():
            return wiring.hide_codes(value) if may_hold_code(value) else value
        case list():
            return [hidden(each) for each in value]
        case dict():
            return {hidden(name): _field(name, each) for name, each in value.items()}
    return value


def _field(name: str, value: Any) -> Any:
    return wiring.reference(value) if name == "renews" and isinstance(value, str) else hidden(value)


def _with_body(event: dict[str, Any], meant: Collection[str]) -> dict[str, Any]:
    try:
        given = parse_object(gateway.read_request(event).body) if event.get("body") else {}
    except InvalidInput:
        return {}  # it is refused as a whole, and nothing of it is told
    told = _with_names(given) if "*" in meant else _with_texts(given, meant)
    return {} if told == given else {"body": json.dumps(told), "isBase64Encoded": False}


def _with_texts(given: dict[str, Any], meant: Collection[str]) -> dict[str, Any]:
    return {hidden(name): value if name in meant else _field(name, value) for name, value in given.items()}


def _with_names(value: Any) -> Any:
    """The same with the codes in the names of fields hidden, and in nothing else."""
    match value:
        case list():
            return [_with_names(each) for each in value]
        case dict():
            return {hidden(name): _with_names(each) for name, each in value.items()}
    return value


def _with_key(event: dict[str, Any]) -> dict[str, Any]:
    """A key that holds a code stays a key, and is the same each time."""
    headers = {name: _key(value) if name.lower() == _KEY else value for name, value in event["headers"].items()}
    several = event.get("multiValueHeaders") or {}
    lists = {name: [*map(_key, each)] if name.lower() == _KEY else each for name, each in several.items()}
    return {"headers": headers, "multiValueHeaders": lists}


def _key(value: str) -> str:
    return value if hidden(value) == value else hashlib.sha256(value.encode()).hexdigest()[:32]
