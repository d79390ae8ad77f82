"""JSON as it should be: Python's own parser lets NaN, a key twice and half a surrogate pair through."""

import json
from typing import Any

from keypost.core.errors import InvalidInput

_DEEPEST = 32


def parse_object(body: bytes) -> dict[str, Any]:
    """One JSON object; InvalidInput with the reason for everything else."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except UnicodeDecodeError:
        raise InvalidInput("the body is not UTF-8") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None
    except ValueError:
        raise InvalidInput("the body is not JSON") from None
    if not isinstance(value, dict):
        raise InvalidInput("the body is not a JSON object")
    _check(value, _DEEPEST)
    return value


def _check(value: Any, levels: int) -> None:
    if levels == 0:
        raise InvalidInput("the body is nested too deeply")
    if isinstance(value, str) and not value.isprintable():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidInput("the body holds half a surrogate pair") from None
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check(child, levels - 1)


def _no_constant(name: str) -> None:
    raise InvalidInput(f"the body holds {name}, which is not JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidInput("the body holds a key twice")
    return found
