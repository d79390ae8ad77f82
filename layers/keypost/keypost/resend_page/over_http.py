"""The page over HTTP: what a browser or a program sends, and what Keypost answers."""

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from keypost.config import Config
from keypost.core.errors import InvalidInput
from keypost.inputs import gateway
from keypost.inputs.strict_json import parse_object
from keypost.resend_page import HEADERS, language_of, render, said

_LARGEST = 4096
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_STATUS = {
    "form": HTTPStatus.OK,
    "asked": HTTPStatus.ACCEPTED,
    "empty": HTTPStatus.BAD_REQUEST,
    "too long": HTTPStatus.BAD_REQUEST,
    "no address": HTTPStatus.BAD_REQUEST,
    "too often": HTTPStatus.TOO_MANY_REQUESTS,
    "not now": HTTPStatus.SERVICE_UNAVAILABLE,
    "off": HTTPStatus.NOT_FOUND,
}


def refusal(request: gateway.Request) -> dict[str, Any] | None:
    """The answer to a request that the page would not send, because of its size or its kind. None for others."""
    if len(request.body) > _LARGEST:
        detail = f"the body has more than {_LARGEST} bytes: send one field, email"
        return gateway.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    if _kind(request) not in (_FORM, _JSON):
        return gateway.problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {_FORM} or {_JSON}, with that Content-Type")
    return None


def typed(request: gateway.Request) -> str:
    """The text that was typed. InvalidInput for a body that the page would not send."""
    try:
        pairs = list(parse_object(request.body).items()) if _kind(request) == _JSON else _pairs(request.body)
    except ValueError:
        raise InvalidInput("the body is not a form in UTF-8") from None
    match pairs:
        case [("email", str(text))]:
            return text.strip()
    raise InvalidInput("the body must hold one field, email, which is text, and nothing else")


def _kind(request: gateway.Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=9)


def answer(request: gateway.Request, outcome: str, text: str, settings: Config, now: datetime) -> dict[str, Any]:
    """The answer: the page, or JSON for a program that sent JSON."""
    status = _STATUS[outcome]
    language = language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": language}
    if outcome == "too often":
        headers["Retry-After"] = str(3600 - now.minute * 60 - now.second)  # tries are counted by the hour
    if _kind(request) != _JSON:
        page = render(language, outcome, text, settings.shop_name, settings.support_address)
        return {"statusCode": status.value, "headers": headers | HEADERS, "body": page}
    sentence = said(language, outcome, settings.support_address)
    if status is not HTTPStatus.ACCEPTED:
        return gateway.problem(status, sentence, **headers)
    body = json.dumps({"detail": sentence})
    return {"statusCode": status.value, "headers": headers | {"Content-Type": _JSON}, "body": body}
