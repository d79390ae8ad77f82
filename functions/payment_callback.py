"""POST /callbacks/{provider}: verify, read, write down what the payment says, poke its order."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost import gateway, orders, telemetry, wiring
from keypost.errors import Conflict, InvalidInput, QueueUnavailable, SignatureRefused
from keypost.models import Order, PaymentNotice
from keypost.providers import PROVIDERS, Entry


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    name = (event.get("pathParameters") or {}).get("provider", "")
    if name not in PROVIDERS:
        return _refused("unknown", HTTPStatus.NOT_FOUND, f"callbacks go to one of: {', '.join(PROVIDERS)}")
    entry = PROVIDERS[name]
    try:
        request = gateway.read_request(event)
        if request.method != "POST":
            return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are sent with POST", Allow="POST")
        if len(request.body) > gateway.LARGEST_BODY:
            return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a callback has at most 64 KB")
        now = datetime.now(UTC).replace(microsecond=0)
        _verify(entry, request, now)
        notice = entry.load().read(request.body, wiring.config().stage, now)
        if notice is None:
            telemetry.outcome("CallbackIgnored", provider=name)
        else:
            _write_down(notice, now)
    except SignatureRefused as error:
        return _refused(name, HTTPStatus(entry.refused), str(error))
    except InvalidInput as error:
        return _refused(name, HTTPStatus.BAD_REQUEST, str(error))
    except (ClientError, BotoCoreError, Conflict, QueueUnavailable) as error:
        telemetry.failure(error, provider=name)
        return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, "it could not be stored now; send it again")
    return gateway.answer(entry.accepted)


def _verify(entry: Entry, request: gateway.Request, now: datetime) -> None:
    """With the secret that is kept; when that does not fit, once more with the secret as it is now."""
    provider, secrets, setting = entry.load(), wiring.secrets(), getattr(wiring.config(), entry.secret)
    kept = secrets.read(setting)
    try:
        provider.verify(request.body, request.headers, kept, now)
    except SignatureRefused:
        fresh = secrets.read_again(setting)
        if fresh == kept:
            raise
        provider.verify(request.body, request.headers, fresh, now)


def _write_down(notice: PaymentNotice, now: datetime) -> None:
    was_paid = False

    def with_notice(order: Order | None) -> Order:
        nonlocal was_paid
        was_paid = order is not None and order.is_paid
        return orders.with_payment(order, notice, now, wiring.config().currency)

    order = wiring.store().change(notice.order_id, with_notice)
    if order.is_paid and not was_paid:
        telemetry.outcome("OrderHeld" if order.problem else "OrderPaid", order_id=order.id)
    wiring.queue().poke(order.id)


def _refused(provider: str, status: HTTPStatus, detail: str, **headers: str) -> dict[str, Any]:
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=detail)
    return gateway.problem(status, detail, **headers)
