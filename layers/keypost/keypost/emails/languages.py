"""The languages of the mails. A further one is a folder of templates and a line here."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

LANGUAGES = ("nl", "en")
FALLBACK = "en"


def spoken(language: str) -> str:
    """The language to write in to somebody who asked for this one."""
    return language if language in LANGUAGES else FALLBACK


def in_language(texts: Mapping[str, T], language: str) -> T:
    return texts[language if language in texts else FALLBACK]
