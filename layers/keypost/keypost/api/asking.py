"""Who asks the support API, what they have seen, and in which language they read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from keypost import wiring
from keypost.core.errors import InvalidInput
from keypost.core.mail import Asked
from keypost.core.product import Product
from keypost.inputs import gateway
from keypost.words import Reader, accepted, names_of, reader

if TYPE_CHECKING:
    from keypost.use_cases.help_customer import Desk

_VERSION = re.compile(r'(?:W/)?"?([0-9]{1,9})"?')


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


def desk_of(event: Mapping[str, Any]) -> "Desk":
    """The desk that changes the order in the path only as the caller has seen it, where `If-Match` names a version."""
    wanted = gateway.read_headers(dict(event)).get("if-match", "*").strip()
    order_id = (event.get("pathParameters") or {}).get("order_id")
    if wanted == "*" or order_id is None:
        return wiring.desk()
    version = _VERSION.fullmatch(wanted)
    if version is None:
        raise InvalidInput("if_match_unfit")
    return replace(wiring.desk(), seen=(order_id, int(version[1])))
