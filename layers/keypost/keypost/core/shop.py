"""The settings of the shop that decide what becomes of a fact."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, tzinfo

from keypost.core.frozen import dataclass
from keypost.core.languages import DEFAULT
from keypost.core.repeat import Repeat


@dataclass(frozen=True, slots=True)
class Intake:
    """By what a fact is judged when it is stored in its order."""

    currency: str  # in which the shop sells, by its three letters
    start: datetime | None  # Keypost serves what was paid from this moment on; None: whenever it was paid
    zone: tzinfo = UTC
    language: str = DEFAULT  # of a customer of whom nobody says it
    repeats: Mapping[str, Repeat] = field(default_factory=dict)  # by provider: what a product bought again is
    has_books: bool = False  # the bookkeeper's program tells of orders too, which may be copies of those of others
