"""The page over HTTP: what a browser or a mail program sends, and what Keypost answers."""

from email import message_from_bytes
from email.message import MIMEPart
from email.policy import HTTP
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from keypost.config import Config
from keypost.inputs import gateway
from keypost.reminders_page import render
from keypost.resend_page import HEADERS, language_of

_LARGEST = 4096
_STATUS = {
    "ask": HTTPStatus.OK,
    "stopped": HTTPStatus.OK,
    "again": HTTPStatus.OK,
    "unclear": HTTPStatus.BAD_REQUEST,
    "unknown": HTTPStatus.NOT_FOUND,
    "not now": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Wanted(StrEnum):
    STOP = "stop"
    AGAIN = "again"


_FIELDS = {("list-unsubscribe", "one-click"): Wanted.STOP, ("reminders", "again"): Wanted.AGAIN}


def wanted(request: gateway.Request) -> Wanted | None:
    """What is asked for, by a button of the page or by a mail program (RFC 8058), which may send a form of either kind;
    None if it is neither."""
    if len(request.body) > _LARGEST:
        return None
    asked = {_FIELDS.get((name.strip().lower(), value.strip().lower())) for name, value in _fields(request)}
    return asked.pop() if len(asked) == 1 else None


def _fields(request: gateway.Request) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "")
    if kind.strip().lower().startswith("multipart/form-data"):
        return _parts(kind, request.body)
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=9)
    except ValueError:
        return []


def _parts(kind: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in parts, which is built like a mail with attachments."""
    header = f"Content-Type: {' '.join(kind.split())}\r\n\r\n".encode("ascii", "replace")
    return [(_name(part), _value(part)) for part in message_from_bytes(header + body, policy=HTTP).iter_parts()]


def _name(part: MIMEPart) -> str:
    return str(part.get_param("name", "", header="content-disposition"))


def _value(part: MIMEPart) -> str:
    value = part.get_payload(decode=True)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def answer(request: gateway.Request, outcome: str, settings: Config) -> dict[str, Any]:
    language = language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": language}
    page = render(language, outcome, settings.shop_name, settings.support_address)
    return {"statusCode": _STATUS[outcome].value, "headers": headers | HEADERS, "body": page}
