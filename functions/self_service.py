"""GET and POST /resend: the page on which customers ask for their licenses again. Every address gets the same answer
after the same work; the function behind the queue finds out whether we know it."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError, ClientError

from keypost import resend_page, telemetry, wiring
from keypost.core.errors import InvalidInput, QueueUnavailable
from keypost.core.said import Said, said
from keypost.inputs import gateway
from keypost.inputs.addresses import email_address
from keypost.inputs.strict_json import parse_object
from keypost.words import reader, sentence

_TRIES_PER_HOUR = 10  # per hour, from one network
_LARGEST = 4096
_LONGEST = 254  # characters of an address, by RFC 5321
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


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    request, text = gateway.read_request(event), ""
    telemetry.outcome("ResendPageCalled", method=request.method)
    if wiring.config().self_service == "off":
        outcome = "off"
    elif request.method == "GET":
        outcome = "form"
    elif len(request.body) > _LARGEST:
        return _refused(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said("body_too_long", most=_LARGEST))
    elif _kind(request) not in (_FORM, _JSON):
        types = said("content_type_unfit", types=(_FORM, _JSON))
        return _refused(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, types)
    else:
        try:
            text = _text(request)
        except InvalidInput as error:
            return _refused(request, HTTPStatus.BAD_REQUEST, error.said)
        outcome = _take(text, request.source, now)
    return _answer(request, outcome, text, now)


def _refused(request: gateway.Request, status: HTTPStatus, why: Said) -> dict[str, Any]:
    """What the page never sends: told to the program that did."""
    to = reader(_language(request), wiring.config().zone)
    return gateway.problem(status, sentence(why, to), **{"Content-Language": to.language, "Vary": "Accept-Language"})


def _language(request: gateway.Request) -> str:
    return resend_page.language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))


def _text(request: gateway.Request) -> str:
    """The text that was typed. InvalidInput for a body that the page would not send."""
    try:
        pairs = list(parse_object(request.body).items()) if _kind(request) == _JSON else _pairs(request.body)
    except ValueError:
        raise InvalidInput("body_not_a_form") from None
    match pairs:
        case [("email", str(text))]:
            return text.strip()
    raise InvalidInput("body_not_one_address")


def _kind(request: gateway.Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=9)


def _take(text: str, source: str, now: datetime) -> str:
    """Store the request and put it into the queue, unless the text is no address, or too many requests come from that
    network."""
    if not text:
        return "empty"
    if len(text) > _LONGEST:
        return "too long"
    try:
        email = email_address(text)
    except ValueError:
        return "no address"
    try:
        if not wiring.store().count_try(source, _TRIES_PER_HOUR, now):
            telemetry.outcome("WishTooOften")
            return "too often"
        wiring.wishes().poke(wiring.store().put_wish(email, now))
    except (ClientError, BotoCoreError, QueueUnavailable) as error:
        telemetry.failure(error)
        telemetry.outcome("WishNotTaken")
        return "not now"
    telemetry.outcome("WishTaken")
    return "asked"


def _answer(request: gateway.Request, outcome: str, text: str, now: datetime) -> dict[str, Any]:
    """The answer: the page, or JSON for a program that sent JSON."""
    settings, status = wiring.config(), _STATUS[outcome]
    language = _language(request)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": language}
    if outcome == "too often":
        headers["Retry-After"] = str(3600 - now.minute * 60 - now.second)  # tries are counted by the hour
    if _kind(request) != _JSON:
        page = resend_page.render(language, outcome, text, settings.shop_name, settings.support_address)
        return {"statusCode": status.value, "headers": headers | resend_page.HEADERS, "body": page}
    detail = resend_page.said(language, outcome, settings.support_address)
    if status is not HTTPStatus.ACCEPTED:
        return gateway.problem(status, detail, **headers)
    body = json.dumps({"detail": detail})
    return {"statusCode": status.value, "headers": headers | {"Content-Type": _JSON}, "body": body}
