"""POST /callbacks/{provider}: verify, read, write down what the payment says, poke its order."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost import gateway, orders, telemetry, wiring
from keypost.errors import (
    Conflict,
    InvalidInput,
    ProviderRefused,
    ProviderUnavailable,
    QueueUnavailable,
    SignatureRefused,
)
from keypost.models import Fact, MoneyBack, Order, PaymentNotice, Standing
from keypost.providers import PROVIDERS, Provider
from keypost.providers.call import Call


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    name = (event.get("pathParameters") or {}).get("provider", "")
    if name not in PROVIDERS:
        return _refused("unknown", HTTPStatus.NOT_FOUND, f"callbacks go to one of: {', '.join(PROVIDERS)}")
    provider = PROVIDERS[name]
    try:
        request = gateway.read_request(event)
        if request.method != "POST":
            return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are sent with POST", Allow="POST")
        if len(request.body) > gateway.LARGEST_BODY:
            return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a callback has at most 64 KB")
        now = datetime.now(UTC).replace(microsecond=0)
        stage = wiring.config().stage
        call = Call(request.body, request.headers, request.query, stage, now, partial(_get, provider.api))
        _verify(provider, call)
        fact = provider.read(call)
        if fact is None:
            telemetry.outcome("CallbackIgnored", provider=name)
        else:
            _write_down(fact, now)
    except SignatureRefused as error:
        return _refused(name, HTTPStatus(provider.refused), str(error))
    except InvalidInput as error:
        return _refused(name, HTTPStatus(provider.malformed), str(error))
    except (ClientError, BotoCoreError, Conflict, QueueUnavailable, ProviderUnavailable, ProviderRefused) as error:
        telemetry.failure(error, provider=name)
        if isinstance(error, ProviderRefused):
            telemetry.outcome("ProviderRefusedUs", provider=name)
        return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, "it could not be stored now; send it again")
    return gateway.answer(provider.accepted)


def _get(api: str, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    return wiring.provider_api(api).get(path, query)


def _verify(provider: Provider, call: Call) -> None:
    """With the secret that is kept; when that does not fit, once more with the secret as it is now."""
    secrets = wiring.secrets()
    kept = secrets.read(provider.secret)
    try:
        provider.verify(call, kept)
    except SignatureRefused:
        fresh = secrets.read_again(provider.secret)
        if fresh == kept:
            raise
        provider.verify(call, fresh)


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
    if status is HTTPStatus.OK:  # to Mollie's classic calls, which anybody may imitate, no answer tells anything
        return gateway.answer(status)
    return gateway.problem(status, detail, **headers)
