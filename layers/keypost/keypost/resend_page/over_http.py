"""The page over HTTP: what a browser or a program sends, and what Keypost answers."""

import json
from datetime import datetime, tzinfo
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from keypost.config import Config
from keypost.core.errors import InvalidInput
from keypost.core.wish import Ask
from keypost.inputs import gateway
from keypost.inputs.strict_json import parse_object
from keypost.inputs.typed import trimmed
from keypost.resend_page import HEADERS, language_of, render, said
from keypost.words import reader, sentence

_LARGEST = 4096
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_STATUS = {
    "form": HTTPStatus.OK,
    "asked": HTTPStatus.ACCEPTED,
    "told": HTTPStatus.ACCEPTED,
    "empty": HTTPStatus.BAD_REQUEST,
    "too long": HTTPStatus.BAD_REQUEST,
    "no address": HTTPStatus.BAD_REQUEST,
    "too often": HTTPStatus.TOO_MANY_REQUESTS,
    "not now": HTTPStatus.SERVICE_UNAVAILABLE,
    "off": HTTPStatus.NOT_FOUND,
}


class NotFromPage(InvalidInput):
    """A request that the page would not send."""

    status = HTTPStatus.BAD_REQUEST


class TooLarge(NotFromPage):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class OtherType(NotFromPage):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def refused(request: gateway.Request, error: NotFromPage, zone: tzinfo) -> dict[str, Any]:
    """The answer to the program that sent such a request."""
    to = reader(_language(request), zone)
    headers = {"Content-Language": to.language, "Vary": "Accept-Language"}
    return gateway.problem(error.status, sentence(error.said, to), **headers)


def typed(request: gateway.Request) -> tuple[Ask, str]:
    """What is asked for, and the text that was typed. NotFromPage for a request that the page would not send."""
    if len(request.body) > _LARGEST:
        raise TooLarge("body_too_long", most=_LARGEST)
    if _kind(request) not in (_FORM, _JSON):
        raise OtherType("content_type_unfit", types=(_FORM, _JSON))
    pairs = _pairs(request)
    match given := dict(pairs):
        case {"email": str(text), **rest} if len(pairs) == len(given) and (ask := _ask(rest)):
            return ask, trimmed(text)
    raise NotFromPage("body_not_one_address", asks=tuple(Ask))


def _ask(rest: dict[str, Any]) -> Ask | None:
    """What the other fields ask for; None when the page has no such field or button."""
    asked = rest.get("ask", Ask.RESEND)
    return Ask(asked) if not rest.keys() - {"ask"} and asked in tuple(Ask) else None


def _pairs(request: gateway.Request) -> list[tuple[str, Any]]:
    try:
        if _kind(request) == _JSON:
            return list(parse_object(request.body).items())
        return list(parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=9))
    except InvalidInput as error:
        raise NotFromPage(error.said.code, **error.said.values) from None
    except ValueError:
        raise NotFromPage("body_not_a_form") from None


def _language(request: gateway.Request) -> str:
    return language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))


def _kind(request: gateway.Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def answer(request: gateway.Request, outcome: str, text: str, settings: Config, now: datetime) -> dict[str, Any]:
    """The answer: the page, or JSON for a program that sent JSON."""
    status = _STATUS[outcome]
    language = _language(request)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": language}
    if outcome == "too often":
        headers["Retry-After"] = str(3600 - now.minute * 60 - now.second)  # tries are counted by the hour
    if _kind(request) != _JSON:
        page = render(language, outcome, text, settings.shop_name, settings.support_address)
        return {"statusCode": status.value, "headers": headers | HEADERS, "body": page}
    detail = said(language, outcome, settings.support_address)
    if status is not HTTPStatus.ACCEPTED:
        return gateway.problem(status, detail, **headers)
    body = json.dumps({"detail": detail})
    return {"statusCode": status.value, "headers": headers | {"Content-Type": _JSON}, "body": body}
