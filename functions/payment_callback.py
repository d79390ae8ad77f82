"""POST /callbacks/{provider}: verify, read, store what the payment says, poke its order."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry, wiring
from keypost.core.errors import (
    Conflict,
    InvalidInput,
    ProviderRefused,
    ProviderUnavailable,
    QueueUnavailable,
    SignatureRefused,
)
from keypost.core.said import Said, said
from keypost.inputs import gateway
from keypost.providers import PROVIDERS, Provider
from keypost.providers.call import Call
from keypost.use_cases.take_fact import record
from keypost.words import reader, sentence


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    name = (event.get("pathParameters") or {}).get("provider", "")
    if name not in PROVIDERS:
        return _refused("unknown", HTTPStatus.NOT_FOUND, said("no_such_provider", providers=PROVIDERS))
    provider = PROVIDERS[name]
    try:
        request = gateway.read_request(event)
        if name == "mollie" and "testByMollie" in request.query:
            return gateway.answer(HTTPStatus.OK)  # Mollie's old way to test a URL, which its plugins still answer
        if request.method != "POST":
            return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, said("callback_not_posted"), Allow="POST")
        if len(request.body) > provider.largest:
            largest = said("callback_too_large", most=provider.largest // 1024)
            return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, largest)
        _take(name, request)
    except SignatureRefused as error:
        return _refused(name, HTTPStatus(provider.refused), error.said)
    except InvalidInput as error:
        return _refused(name, HTTPStatus(provider.malformed), error.said)
    except (ClientError, BotoCoreError, Conflict, QueueUnavailable, ProviderUnavailable, ProviderRefused) as error:
        telemetry.failure(error, provider=name)
        if isinstance(error, ProviderRefused):
            telemetry.outcome("ProviderRefusedUs", provider=name)
        return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, said("not_stored_now"))
    return gateway.answer(provider.accepted)


def _take(name: str, request: gateway.Request) -> None:
    provider, now = PROVIDERS[name], datetime.now(UTC).replace(microsecond=0)
    call = wiring.provider_call(provider.api, now, request.body, request.headers, request.query)
    _verify(provider, call)
    facts = provider.read(call)
    if not facts:
        telemetry.outcome("CallbackIgnored", provider=name)
    for fact in facts:
        order_id, _ = record(wiring.store(), fact, now, wiring.config().currency)
        if order_id:  # also if this is no news, because the poke of the first call may have been lost
            wiring.queue().poke(order_id)


def _verify(provider: Provider, call: Call) -> None:
    """Verify with the cached secret; if it does not match, once more with the secret as it is now."""
    secrets = wiring.secrets()
    kept = secrets.read(provider.secret)
    try:
        provider.verify(call, kept)
    except SignatureRefused:
        fresh = secrets.read_again(provider.secret)
        if fresh == kept:
            raise
        provider.verify(call, fresh)


def _refused(provider: str, status: HTTPStatus, why: Said, **headers: str) -> dict[str, Any]:
    """In English, for the developer who reads the provider's list of failed callbacks."""
    detail = sentence(why, reader("en", UTC))
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=detail)
    if status is HTTPStatus.OK:  # anybody can imitate Mollie's classic calls, so no answer to them says anything
        return gateway.answer(status)
    return gateway.problem(status, detail, **headers)
