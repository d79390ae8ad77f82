"""What a provider's module gets to see of a callback, and how it asks its provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Get = Callable[[str, Mapping[str, str]], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Call:
    body: bytes
    headers: Mapping[str, str]  # by lower-case name
    query: Mapping[str, str]
    stage: str
    now: datetime
    get: Get  # a path and a query of the provider's API; None when there is no such thing
