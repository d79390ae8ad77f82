"""Who asks the support API, and in which language they read."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from keypost import wiring
from keypost.core.mail import Asked
from keypost.core.product import Product
from keypost.inputs import gateway
from keypost.words import Reader, accepted, names_of, reader


def reader_of(event: Mapping[str, Any], products: Iterable[Product] = ()) -> Reader:
    """For whom an answer is written: the language that the call accepts, the shop's zone, and what products are
    called."""
    language = accepted(gateway.read_headers(dict(event)).get("accept-language", ""))
    return reader(language, wiring.config().zone, names_of(products, language))


def asked_in(event: Mapping[str, Any], why: str) -> Asked:
    """The request of the agent whom the authorizer found, at this moment."""
    agent = event["requestContext"]["authorizer"]["agent"]
    return Asked(datetime.now(UTC).replace(microsecond=0), agent, why)
