"""What a provider's module gets of a callback, and the functions with which it asks its provider."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from keypost.core.frozen import dataclass

Get = Callable[[str, Mapping[str, str | Sequence[str]]], dict[str, Any] | None]
Post = Callable[[str, bytes, Mapping[str, str]], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Call:
    body: bytes
    headers: Mapping[str, str]  # by lower-case name
    query: Mapping[str, str]
    stage: str
    now: datetime
    zone: tzinfo  # the shop's currency
    profile: str  # the profile at Mollie whose payments count; empty for every profile
    get: Get | None  # the object at a path and query of the provider's API, or None. Without a key there is no function
    paid_statuses: frozenset[str] = frozenset()  # the statuses that a shop on WooCommerce made up for paid orders
    post: Post | None = None  # the answer to a body and headers, for a provider that verifies its own callbacks
