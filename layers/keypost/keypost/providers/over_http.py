"""Callbacks over HTTP: which requests can be callbacks, and what Keypost answers to their providers."""

from datetime import tzinfo
from http import HTTPStatus
from typing import Any

from keypost import telemetry
from keypost.core.errors import InvalidInput, ProviderRefused, SignatureRefused
from keypost.inputs import gateway
from keypost.providers import PROVIDERS
from keypost.words import reader, sentence


def unknown() -> dict[str, Any]:
    """The answer to a path that belongs to no provider."""
    return _refused("unknown", HTTPStatus.NOT_FOUND, f"callbacks go to one of: {', '.join(PROVIDERS)}")


def answered_unread(name: str, request: gateway.Request) -> dict[str, Any] | None:
    """The answer to a request that cannot be a callback because of its method or its size. None for other requests."""
    if name == "mollie" and "testByMollie" in request.query:
        return gateway.answer(HTTPStatus.OK)  # Mollie's old way to test a URL, which its plugins still answer
    if request.method != "POST":
        return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, "callbacks are sent with POST", Allow="POST")
    largest = PROVIDERS[name].largest
    if len(request.body) > largest:
        return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a callback has at most {largest // 1024} KB")
    return None


def refused(name: str, error: Exception, zone: tzinfo) -> dict[str, Any]:
    """The answer to a callback that was not stored. If the callback is at fault, the answer says why, in English for
    the programmers of shops and providers; otherwise it only asks to send the callback again."""
    provider, english = PROVIDERS[name], reader("en", zone)
    if isinstance(error, SignatureRefused):
        return _refused(name, HTTPStatus(provider.refused), sentence(error.said, english), str(error))
    if isinstance(error, InvalidInput):
        return _refused(name, HTTPStatus(provider.malformed), sentence(error.said, english), str(error))
    telemetry.failure(error, provider=name)
    if isinstance(error, ProviderRefused):
        telemetry.outcome("ProviderRefusedUs", provider=name)
    return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, "it could not be stored now; send it again")


def _refused(provider: str, status: HTTPStatus, detail: str, codes: str = "", **headers: str) -> dict[str, Any]:
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=codes or detail)
    if status is HTTPStatus.OK:  # anybody can imitate Mollie's classic calls, so no answer to them says anything
        return gateway.answer(status)
    return gateway.problem(status, detail, **headers)
