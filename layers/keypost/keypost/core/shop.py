"""The settings of the shop that decide what becomes of a fact."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Intake:
    """By what a fact is judged when it is stored in its order."""

    currency: str  # in which the shop sells, by its three letters
    start: datetime | None  # Keypost serves what was paid from this moment on; None: whenever it was paid
