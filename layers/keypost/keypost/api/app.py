"""The support API as a whole: which key may call what, and a proper answer to every request, whatever happens."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from keypost import telemetry, wiring
from keypost.api import (
    actions,
    asking,
    attention,
    batches,
    by_hand,
    closing,
    customer,
    export,
    inbox,
    lists,
    mails,
    orders,
    preview,
    problems,
    products,
    proof,
    renewals,
    stock,
    typed,
)
from keypost.core.frozen import dataclass
from keypost.core.said import Said, said
from keypost.inputs import gateway
from keypost.inputs.strict_json import parse_object

_LARGEST = 4 * 1024 * 1024  # Lambda accepts 6 MB, with the body as a JSON string
_LARGEST_BASE64 = (_LARGEST + 2) // 3 * 4  # a file arrives in this form


# What is answered to a number that no order has; HTTPStatus.UNPROCESSABLE_ENTITY: to one that no order can have.
_NOT_FOUND = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, slots=True)
class Access:
    scope: str
    query: tuple[str, ...] = ()  # a misspelled `dry_run` must not import
    takes: tuple[str, ...] = ("application/json",)
    codes: tuple[str, ...] = ()  # fields of the body in which an activation code is asked for; `*` is the whole body


# A route that is not in this table does not exist. template.yaml has the same routes.
ROUTES = {
    ("POST", "/orders/search"): Access("support", codes=("code", "order", "text")),
    ("GET", "/orders"): Access("support", query=("from", "until", "page")),
    ("GET", "/orders/{order_id}"): Access("support"),
    ("GET", "/orders/{order_id}/mails/{mail_id}/preview"): Access("support"),
    ("GET", "/orders/{order_id}/proof"): Access("support"),
    ("POST", "/orders/{order_id}/resend"): Access("support"),
    ("PUT", "/orders/{order_id}/email"): Access("contact"),
    ("POST", "/orders/{order_id}/licenses/{license_id}/replace"): Access("support"),
    ("POST", "/orders/{order_id}/hold"): Access("support"),
    ("POST", "/orders/{order_id}/release"): Access("support"),
    ("PUT", "/orders/{order_id}/contents"): Access("orders"),
    ("PUT", "/orders/{order_id}/lines/{n}/renewal"): Access("orders"),
    ("POST", "/orders/{order_id}/lines/{n}/renewal/stop"): Access("orders"),
    ("POST", "/orders/{order_id}/blocked"): Access("support"),
    ("POST", "/orders/{order_id}/close"): Access("support"),
    ("POST", "/orders/{order_id}/subscription-ended"): Access("support"),
    ("PUT", "/orders/{order_id}/customer"): Access("contact"),
    ("POST", "/orders/{order_id}/note"): Access("support"),
    ("POST", "/orders/{order_id}/reminders/stop"): Access("support"),
    ("POST", "/orders/{order_id}/lift-complaint"): Access("complaints"),
    ("POST", "/orders"): Access("orders"),
    ("POST", "/orders/{order_id}/withdraw"): Access("orders"),
    ("POST", "/orders/{order_id}/licenses/{license_id}/move"): Access("orders"),
    ("POST", "/orders/{order_id}/licenses/{license_id}/refunded"): Access("support"),
    ("POST", "/customers/erase"): Access("privacy"),
    ("POST", "/customers/export"): Access("privacy"),
    ("GET", "/export/orders"): Access("privacy", query=("month", "page")),
    ("GET", "/attention"): Access("support", query=("reason", "next")),
    ("GET", "/mails"): Access("support", query=("day", "state", "page")),
    ("POST", "/mails/resend"): Access("support"),
    ("GET", "/inbox"): Access("support", query=("days", "next")),
    ("GET", "/due"): Access("support", query=("days",)),
    ("GET", "/stock"): Access("stock"),
    ("POST", "/stock/{sku}"): Access("stock", query=("dry_run",), takes=("application/json", "text/csv"), codes=("*",)),
    ("POST", "/stock/{sku}/withdraw"): Access("stock", query=("dry_run",), codes=("codes",)),
    ("POST", "/stock/{sku}/put-back"): Access("stock", query=("dry_run",), codes=("codes",)),
    ("POST", "/stock/{sku}/move"): Access("stock", query=("dry_run",), codes=("codes",)),
    ("POST", "/batches/orders"): Access("stock"),
    ("POST", "/batches/replace"): Access("stock", query=("dry_run",)),
    ("GET", "/products"): Access("catalog"),
    ("PUT", "/products/{sku}"): Access("catalog", codes=("*",)),
}


def _strict(text: str) -> dict[str, Any]:
    return parse_object(text.encode("utf-8", "surrogatepass"))


app = APIGatewayRestResolver(enable_validation=True, json_body_deserializer=_strict)
SUBJECTS = (
    orders,
    lists,
    mails,
    export,
    proof,
    preview,
    attention,
    inbox,
    actions,
    closing,
    customer,
    by_hand,
    renewals,
    stock,
    batches,
    products,
)
for subject in SUBJECTS:
    app.include_router(subject.router)


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event of API Gateway, whatever it contains."""
    route = event["httpMethod"], event["resource"]
    refused = _refusal(*route, event)
    answered = _built(refused) if refused else _answered(event, ROUTES[route], context)
    answered["multiValueHeaders"] |= {
        "Cache-Control": ["no-store"],
        "Content-Language": [asking.reader_of(event).language],
        "Vary": ["Accept-Language"],
    }
    key, status = asking.caller_of(event).get("principalId", ""), answered["statusCode"]
    # Only the id of an order that was found: any other may be a code that somebody took for a number.
    order_id = (event.get("pathParameters") or {}).get("order_id") if status < HTTPStatus.BAD_REQUEST else None
    telemetry.outcome("SupportCalled", route=" ".join(route), status=status, key=key, order_id=order_id)
    return answered


def _answered(event: dict[str, Any], access: Access, context: Any) -> dict[str, Any]:
    try:
        answered = dict(app.resolve(_as_routed(typed.without_codes(event, access.codes)), context))
        if answered["statusCode"] in _NOT_FOUND and (meant := _as_meant(event)):
            answered = dict(app.resolve(_as_routed(typed.without_codes(meant, access.codes)), context))
        if answered["statusCode"] >= HTTPStatus.BAD_REQUEST and typed.has_code_in_path(event):
            answered["body"] = json.dumps(typed.hidden(json.loads(answered["body"])))
    except Exception as error:  # noqa: BLE001 - AWS may fail here as anywhere, and the answer says so
        return _built(_problem_of(error, event))
    return answered


def _as_meant(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event with the number of the order that is meant by the one in its path; None if that is no other one."""
    path = event.get("pathParameters") or {}
    typed_number = path.get("order_id")
    order_id = typed_number and wiring.number_of(typed_number)
    if not order_id or order_id == typed_number:
        return None
    return event | {"pathParameters": {**path, "order_id": order_id}}


def _refusal(method: str, resource: str, event: dict[str, Any]) -> Response[str] | None:
    """Why a request is refused before its content is read; None if it is not."""
    to, access = asking.reader_of(event), ROUTES.get((method, resource))
    if access is None:
        return problems.problem(HTTPStatus.NOT_FOUND, said("no_such_route"), to)
    if access.scope not in asking.caller_of(event).get("scopes", "").split():
        return problems.problem(HTTPStatus.FORBIDDEN, said("key_lacks_scope", scope=access.scope), to)
    if unknown := set(event.get("queryStringParameters") or {}) - set(access.query):
        return problems.not_as_agreed(
            [problems.unknown_parameter(typed.hidden(name), to) for name in sorted(unknown)], to
        )
    refused = _refused_body(access, event) if method in ("POST", "PUT") else None
    return problems.problem(*refused, to) if refused else None


def _refused_body(access: Access, event: dict[str, Any]) -> tuple[HTTPStatus, Said] | None:
    content_type = gateway.read_headers(event).get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() not in access.takes:
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, said("content_type_unfit", types=access.takes)
    if len(event.get("body") or "") > (_LARGEST_BASE64 if event.get("isBase64Encoded") else _LARGEST):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said("body_too_large", most=_LARGEST // 1024 // 1024)
    return None


def _as_routed(event: dict[str, Any]) -> dict[str, Any]:
    """The event for Powertools. API Gateway has already found the route, and decoded what the path holds."""
    return event | {"path": event["resource"].format_map(event.get("pathParameters") or {})}


@app.not_found
def _not_found(_error: Exception) -> Response[str]:
    """A part of the path has a form that no route accepts."""
    return problems.problem(HTTPStatus.NOT_FOUND, said("no_such_route"), asking.reader_of(_event()))


@app.exception_handler(RequestValidationError)
def _not_as_agreed(error: RequestValidationError) -> Response[str]:
    body = app.current_event.json_body if app.current_event.body else None
    return problems.of_faults(error.errors(), body, asking.reader_of(_event()))


@app.exception_handler(Exception)
def _went_wrong(error: Exception) -> Response[str]:
    return _problem_of(error, _event())


def _problem_of(error: Exception, event: dict[str, Any]) -> Response[str]:
    request_id = event["requestContext"].get("requestId") or ""
    found = problems.of_error(error, request_id, asking.reader_of(event))
    if found.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        telemetry.failure(error, request_id=request_id)
    return found


def _event() -> dict[str, Any]:
    event: dict[str, Any] = app.current_event.raw_event
    return event


def _built(response: Response[str]) -> dict[str, Any]:
    """The refusal in the form that API Gateway needs."""
    headers = {name: [value] if isinstance(value, str) else value for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "body": response.body, "multiValueHeaders": headers}
