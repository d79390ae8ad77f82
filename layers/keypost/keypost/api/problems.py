"""The error answers of the support API: problem details (RFC 9457) that say what to do now."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from types import MappingProxyType
from typing import Any

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

CONTENT_TYPE = "application/problem+json"
NOT_AS_AGREED = "the request is not as agreed, see errors; nothing was changed"
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
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    more: Mapping[str, str] = MappingProxyType({}),
    **headers: str,
) -> Response[str]:
    said: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **more}
    if errors:
        said["errors"] = errors
    return Response(status.value, CONTENT_TYPE, json.dumps(said), dict(headers))


def of_error(error: Exception, request_id: str) -> Response[str]:
    """The problem for an error. An unexpected error gives only the id under which the log has it."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            more = {"suggestion": error.suggestion} if isinstance(error, ProbablyMeant) else {}
            return problem(_STATUS[kind], str(error), more=more)
    if isinstance(error, (ClientError, BotoCoreError)):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "AWS did not answer as it should: ask again in a minute")
    unforeseen = f"something went wrong here: ask again, and if that fails too, report request {request_id}"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, unforeseen)


def of_faults(faults: Iterable[Mapping[str, Any]]) -> Response[str]:
    """The problem for what pydantic found, without the values."""
    errors = [_fault(fault) for fault in islice(faults, _MOST_FAULTS)]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, NOT_AS_AGREED, errors)


def unknown_parameter(name: str) -> dict[str, str]:
    return {"parameter": name[:_LONGEST_POINTER], "detail": "This parameter is not known"}


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    """One fault, with a JSON pointer for the body, otherwise with the name of the parameter."""
    where, *parts = fault["loc"]
    detail = str(fault["msg"]).removeprefix("Value error, ")
    if where == "body":
        return {"pointer": "".join(["#", *(f"/{_escaped(part)}" for part in parts)]), "detail": detail}
    return {"parameter": str(parts[0]) if parts else str(where), "detail": detail}


def _escaped(part: Any) -> str:
    return str(part)[:_LONGEST_POINTER].replace("~", "~0").replace("/", "~1")
