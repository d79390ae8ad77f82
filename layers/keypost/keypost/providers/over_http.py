"""A callback over HTTP: which requests are callbacks at all, and what their providers are answered."""

from http import HTTPStatus
from typing import Any

from keypost import telemetry
from keypost.core.errors import InvalidInput, ProviderRefused, SignatureRefused
from keypost.inputs import gateway
from keypost.providers import PROVIDERS


def unknown() -> dict[str, Any]:
    """The answer to a path that belongs to no provider."""
    return _refused("unknown", HTTPStatus.NOT_FOUND, f"callbacks go to one of: {', '.join(PROVIDERS)}")


def answered_unread(name: str, request: gateway.Request) -> dict[str, Any] | None:
    """The answer to a request that is no callback, by its method or its size; None for one that may be verified."""
    if name == "mollie" and "testByMollie" in request.query:
        return gateway.answer(HTTPStatus.OK)  # how Mollie tried a URL once; its plugins still answer so
    if request.method != "POST":
        return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are sent with POST", Allow="POST")
    largest = PROVIDERS[name].largest
    if len(request.body) > largest:
        return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a callback has at most {largest // 1024} KB")
    return None


def refused(name: str, error: Exception) -> dict[str, Any]:
    """The answer to a callback that was not written down: its own fault is said, of ours only when to try again."""
    provider = PROVIDERS[name]
    if isinstance(error, SignatureRefused):
        return _refused(name, HTTPStatus(provider.refused), str(error))
    if isinstance(error, InvalidInput):
        return _refused(name, HTTPStatus(provider.malformed), str(error))
    telemetry.failure(error, provider=name)
    if isinstance(error, ProviderRefused):
        telemetry.outcome("ProviderRefusedUs", provider=name)
    return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, "it could not be stored now; send it again")


def _refused(provider: str, status: HTTPStatus, detail: str, **headers: str) -> dict[str, Any]:
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=detail)
    if status is HTTPStatus.OK:  # to Mollie's classic calls, which anybody may imitate, no answer tells anything
        return gateway.answer(status)
    return gateway.problem(status, detail, **headers)
