"""The error answers of the support API: problem details (RFC 9457) that say what to do now, in the language that the
call accepts, with the code and the values from which the sentence is made."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from itertools import islice
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from botocore.exceptions import BotoCoreError, ClientError

from keypost.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    KeypostError,
    NotFound,
    ProbablyMeant,
    QueueUnavailable,
    Refused,
    TooMany,
)
from keypost.core.said import Said, said
from keypost.inputs.faults import fault
from keypost.words import Reader, worded

CONTENT_TYPE = "application/problem+json"
_LONGEST_POINTER = 100
_MOST_FAULTS = 100  # an answer has at most 6 MB

# By class; for an error, its nearest class in this table counts.
_STATUS: Mapping[type[KeypostError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Refused: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    QueueUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem(
    status: HTTPStatus,
    what: Said,
    to: Reader,
    errors: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, str] = MappingProxyType({}),
) -> Response[str]:
    about: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status, **_told(what, to), **more}
    if errors:
        about["errors"] = errors
    return Response(status.value, CONTENT_TYPE, json.dumps(about))


def _told(what: Said, to: Reader) -> dict[str, Any]:
    told = asdict(worded(what, to))
    return {"detail": told["text"], "code": told["code"], "values": told["values"]}


def of_error(error: Exception, request_id: str, to: Reader) -> Response[str]:
    """The problem for an error. An unexpected error gives only the id under which the log has it."""
    for kind in type(error).__mro__:
        if kind in _STATUS and isinstance(error, KeypostError):
            more = {"suggestion": error.suggestion} if isinstance(error, ProbablyMeant) else {}
            return problem(_STATUS[kind], error.said, to, more=more)
    if isinstance(error, (ClientError, BotoCoreError)):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, said("aws_failed"), to)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, said("unforeseen", request=request_id), to)


def of_faults(faults: Iterable[Mapping[str, Any]], body: Any, to: Reader) -> Response[str]:
    """The problem for what pydantic found, in words of our own and without the values. For a field that may be left out
    pydantic reports one fault per type: the first one counts."""
    found: dict[str, dict[str, Any]] = {}
    for each in (one for one in faults if one["type"] != "none_required"):  # beside what is wrong with the value
        where, *parts = each["loc"]
        parts = _within(parts, body, is_missing=each["type"] == "missing") if where == "body" else parts[:1]
        pointer = "".join(["#", *(f"/{_escaped(part)}" for part in parts)])
        at = {"pointer": pointer} if where == "body" else {"parameter": str(parts[0]) if parts else str(where)}
        found.setdefault(str(at), at | _told(fault({**each, "loc": tuple(parts)}), to))
    return not_as_agreed(list(islice(found.values(), _MOST_FAULTS)), to)


def _within(parts: Sequence[str | int], body: Any, *, is_missing: bool) -> list[str | int]:
    """The keys and places of a location that exist in the body. The others are pydantic's names of types."""
    kept: list[str | int] = []
    for part in parts:
        try:
            body = body[part]
        except (KeyError, IndexError, TypeError):
            continue
        kept.append(part)
    return [*kept, parts[-1]] if is_missing and parts else kept


def not_as_agreed(errors: Sequence[Mapping[str, Any]], to: Reader) -> Response[str]:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, said("not_as_agreed"), to, errors)


def unknown_parameter(name: str, to: Reader) -> dict[str, Any]:
    name = name[:_LONGEST_POINTER]
    return {"parameter": name, **_told(said("parameter_unknown", field=name), to)}


def _escaped(part: str | int) -> str:
    """As RFC 6901 has it, for a pointer that is the fragment of a URI."""
    return quote(str(part)[:_LONGEST_POINTER].replace("~", "~0").replace("/", "~1"), safe="~!$&'()*+,;=:@")
