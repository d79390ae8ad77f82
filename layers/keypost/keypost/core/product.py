"""What is sold, and a line of an order that asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    vendor: str
    name: Mapping[str, str]  # per language
    term_days: int
    devices: int
    code_pattern: str  # a regular expression that a whole code matches
    code_example: str
    download_url: str
    steps: Mapping[Kind, Mapping[str, tuple[str, ...]]]  # per kind and language
    notes: Mapping[str, str] = field(default_factory=dict)
    mail_days_before: int = 7  # a renewal's mail leaves so long before its period starts
    reserve_days_before: int = 30  # and its codes are set aside so long before that
    holds_reserve_code: bool = True  # a new code may be entered while the old license runs, whose days are kept
    reminder_days: tuple[int, ...] = ()  # before the last day of a license that nobody renews
    renewal_url: str | None = None  # where a customer renews


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    quantity: int
    kind: Kind = Kind.NEW
    renews: str | None = None
    period_start: date | None = None
    period_end: date | None = None
