"""What a provider's module gets to see of a callback, and how it asks its provider."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

Get = Callable[[str, Mapping[str, str | Sequence[str]]], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Call:
    body: bytes
    headers: Mapping[str, str]  # by lower-case name
    query: Mapping[str, str]
    stage: str
    now: datetime
    zone: tzinfo  # the shop's
    profile: str  # of ours at Mollie, empty for any
    get: Get | None  # a path and a query of the provider's API; it gives None for no such thing. None: no key is set
