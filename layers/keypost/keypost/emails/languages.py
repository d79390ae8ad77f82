"""The languages of the mails. To add one, add a folder of templates and an entry here."""

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

T = TypeVar("T")

# fmt: off
_MONTHS = {
    "nl": ("januari", "februari", "maart", "april", "mei", "juni",
           "juli", "augustus", "september", "oktober", "november", "december"),
    "en": ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"),
}
# fmt: on
LANGUAGES = tuple(_MONTHS)
FALLBACK = "en"


def spoken(language: str) -> str:
    """The language in which Keypost writes to a customer who asked for this one."""
    return language if language in LANGUAGES else FALLBACK


def in_language(texts: Mapping[str, T], language: str) -> T:
    return texts[language if language in texts else FALLBACK]


def day(value: date, language: str) -> str:
    """A date as people write it in this language: 1 december 2026, 1 December 2026."""
    return f"{value.day} {_MONTHS[language][value.month - 1]} {value.year}"
