"""Callbacks over HTTP: which requests can be callbacks, and what Keypost answers to their providers."""

from datetime import UTC
from http import HTTPStatus
from typing import Any

from keypost import telemetry
from keypost.core.errors import InvalidInput, ProviderRefused, SignatureRefused
from keypost.core.said import Said, said
from keypost.inputs import gateway
from keypost.providers import PROVIDERS
from keypost.words import FALLBACK, reader, sentence


def unknown() -> dict[str, Any]:
    """The answer to a path that belongs to no provider."""
    return _refused("unknown", HTTPStatus.NOT_FOUND, said("no_such_provider", providers=PROVIDERS))


def answered_unread(name: str, request: gateway.Request) -> dict[str, Any] | None:
    """The answer to a request that cannot be a callback because of its method or its size. None for other requests."""
    if name == "mollie" and "testByMollie" in request.query:
        return gateway.answer(HTTPStatus.OK)  # Mollie's old way to test a URL, which its plugins still answer
    if request.method != "POST":
        return _refused(name, HTTPStatus.METHOD_NOT_ALLOWED, said("callback_not_posted"), Allow="POST")
    largest = PROVIDERS[name].largest
    if len(request.body) > largest:
        return _refused(name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said("callback_too_large", most=largest // 1024))
    return None


def asks_what_became(name: str, request: gateway.Request) -> bool:
    """Whether a shop's own program wants to know what became of the order (RFC 7240). The first `return` counts."""
    asked = (part.partition(";")[0].replace('"', "") for part in request.headers.get("prefer", "").lower().split(","))
    wanted = (value.strip() for key, _, value in (each.partition("=") for each in asked) if key.strip() == "return")
    return name == "webhook" and next(wanted, "") == "representation"


def became(order_id: str, state: str) -> dict[str, Any]:
    """The answer to a shop that asked what became of the order."""
    return gateway.represented({"order": order_id, "state": state})


def refused(name: str, error: Exception) -> dict[str, Any]:
    """The answer to a callback that was not stored. If the callback is at fault, the answer says why, in English for
    the programmers of shops and providers; otherwise it only asks to send the callback again."""
    provider = PROVIDERS[name]
    if isinstance(error, SignatureRefused):
        telemetry.at_door("SignatureRefused", name)
        return _refused(name, HTTPStatus(provider.refused), error.said)
    if isinstance(error, InvalidInput):
        return _refused(name, HTTPStatus(provider.malformed), error.said)
    telemetry.failure(error, provider=name)
    telemetry.at_door("CallbackFailed", name)
    if isinstance(error, ProviderRefused):
        telemetry.outcome("ProviderRefusedUs", provider=name)
    return _refused(name, HTTPStatus.SERVICE_UNAVAILABLE, said("not_stored_now"))


def _refused(provider: str, status: HTTPStatus, why: Said, **headers: str) -> dict[str, Any]:
    """In English, for the developer who reads the provider's list of failed callbacks."""
    reason = ": ".join(why.codes)
    telemetry.outcome("CallbackRefused", provider=provider, status=status.value, reason=reason)
    if status is HTTPStatus.OK:  # anybody can imitate Mollie's classic calls, so no answer to them says anything
        return gateway.answer(status)
    return gateway.problem(status, sentence(why, reader(FALLBACK, UTC)), **headers)
