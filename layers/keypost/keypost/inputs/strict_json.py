"""Strict JSON. Python's own parser accepts NaN, a repeated key and half a surrogate pair."""

import json
from collections.abc import Iterable
from typing import Any

from keypost.core.errors import InvalidInput

LIST = "list"  # the key under which `parse_answer` gives a list
_DEEPEST = 32


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object. InvalidInput gives the reason for anything else."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except UnicodeDecodeError:
        raise InvalidInput("body_not_utf8") from None
    except RecursionError:
        raise InvalidInput("body_too_deep") from None
    except ValueError:
        raise InvalidInput("not_json") from None
    if not isinstance(value, dict):
        raise InvalidInput("body_not_an_object")
    _check(value, _DEEPEST)
    return value


def parse_answer(body: bytes) -> dict[str, Any]:
    """Parse the answer of an API: one JSON object, or a list, which is given as an object with the key LIST."""
    is_list = body.lstrip()[:1] == b"["
    return parse_object(b'{"%b": %b}' % (LIST.encode(), body) if is_list else body)


def _check(value: Any, levels: int) -> None:
    if levels == 0:
        raise InvalidInput("body_too_deep")
    if isinstance(value, str):
        _check_text(value)
    for child in _children(value):
        _check(child, levels - 1)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("body_half_surrogate") from None


def _no_constant(name: str) -> None:
    raise InvalidInput("body_not_a_number", name=name)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidInput("body_key_twice")
    return found
