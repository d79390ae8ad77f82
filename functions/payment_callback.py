"""POST /callbacks/{provider}: verify, read, write down what the payment says, poke its order."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost import gateway, orders, telemetry, wiring
from keypost.errors import Conflict, InvalidInput, QueueUnavailable, SignatureRefused
from keypost.models import Fact, MoneyBack, Order, PaymentNotice, Standing
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
        fact = entry.load().read(request.body, wiring.config().stage, now)
        if fact is None:
            telemetry.outcome("CallbackIgnored", provider=name)
        else:
            _write_down(fact, now)
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


def _write_down(fact: Fact | MoneyBack, now: datetime) -> None:
    """The fact, and what came before it of a payment that nobody knew yet. A fact of a payment that is still
    unknown is kept for that moment."""
    store = wiring.store()
    facts: list[Fact] = []
    if isinstance(fact, MoneyBack):
        facts += store.tell(fact)
    else:
        facts.append(fact)
        if isinstance(fact, PaymentNotice) and fact.reference:
            facts += store.link(fact)
    if not facts:
        return telemetry.outcome("PaymentUnknown")
    before: Order | None = None

    def with_facts(order: Order | None) -> Order:
        nonlocal before
        before = order
        for each in facts:
            order = orders.with_fact(order, each, now, wiring.config().currency)
        return order or Order(id=facts[0].order_id, created_at=now)

    order = store.change(facts[0].order_id, with_facts)
    for name in _outcomes(before, order):
        telemetry.outcome(name, order_id=order.id)
    return wiring.queue().poke(order.id)


def _outcomes(before: Order | None, after: Order) -> list[str]:
    """What an order became by this fact, if anything."""
    was = before or Order(id=after.id, created_at=after.created_at)
    became = {
        "OrderHeld": after.is_paid and not was.is_paid and after.problem is not None,
        "OrderPaid": after.is_paid and not was.is_paid and after.problem is None,
        "OrderRefunded": after.standing is Standing.REFUNDED and was.standing is not Standing.REFUNDED,
        "OrderDisputed": after.standing is Standing.DISPUTED and was.standing is not Standing.DISPUTED,
        "OrderPaidTwice": after.is_paid_twice and not was.is_paid_twice,
        "OrderCanceled": after.canceled and not was.canceled,
    }
    return [name for name, true in became.items() if true]


def _refused(provider: str, status: HTTPStatus, detail: str, **headers: str) -> dict[str, Any]:
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=detail)
    return gateway.problem(status, detail, **headers)
