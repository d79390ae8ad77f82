"""Who asks the support API, and in which language they read."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from keypost import wiring
from keypost.core.mail import Asked
from keypost.core.product import Product
from keypost.inputs import gateway
from keypost.words import Reader, accepted, names_of, reader

if TYPE_CHECKING:
    from keypost.use_cases.help_customer import Desk


def reader_of(event: Mapping[str, Any], products: Iterable[Product] = ()) -> Reader:
    """For whom an answer is written: the language that the call accepts, the shop's zone, and what products are
    called."""
    language = accepted(gateway.read_headers(dict(event)).get("accept-language", ""))
    return reader(language, wiring.config().zone, names_of(products, language))


def caller_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The agent that the authorizer found, with the scopes of the key."""
    return event["requestContext"].get("authorizer") or {}


def asked_in(event: Mapping[str, Any], why: str, key: str = "") -> Asked:
    """Who asks now, and why in their own words."""
    return Asked(datetime.now(UTC).replace(microsecond=0), caller_of(event)["agent"], why, key)


def desk_of(_event: Mapping[str, Any]) -> "Desk":
    return wiring.desk()
