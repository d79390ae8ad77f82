"""What people read: the sentence for what is said as a code with values, from one table per language. Days, moments and
amounts are written as the language writes them, moments in the shop's zone, products by their names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, tzinfo
from string import Formatter
from typing import Any, TypeVar

from keypost.core.said import Said
from keypost.words import en, nl

T = TypeVar("T")

TABLES = {"nl": nl, "en": en}
FALLBACK = "en"
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")  # a part that is left out where one of its values is not known
_FIELD = re.compile(r"\{(\w+)")
_RANGE = re.compile(r"\b([a-z]{2})\b[^,;]*(?:;\s*q=([01](?:\.\d{0,3})?))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom sentences are made."""

    language: str
    zone: tzinfo
    names: Mapping[str, str]  # of products, by SKU


def reader(language: str, zone: tzinfo, names: Mapping[str, str] | None = None) -> Reader:
    return Reader(language if language in TABLES else FALLBACK, zone, names or {})


def accepted(header: str) -> str:
    """The language that an `Accept-Language` header likes best of those that are written here."""
    liked = [(float(weight or 1), name.lower()) for name, weight in _RANGE.findall(header)]
    known = [(weight, name) for weight, name in liked if name in TABLES and weight]
    return max(known, key=lambda each: each[0])[1] if known else FALLBACK


def sentence(what: Said, to: Reader) -> str:
    """The sentence for a code with values. A code that no table knows is its own sentence."""
    text = TABLES[to.language].TEXTS.get(what.code, what.code)
    whole = _OPTIONAL.sub(lambda part: part[1] if set(_FIELD.findall(part[1])) <= set(what.values) else "", text)
    return _Words(to).vformat(whole, (), what.values)


def worded(value: T, to: Reader) -> T:
    """The value with the sentence in every place where something is said."""
    return _worded(value, to)  # type: ignore[no-any-return]


def _worded(value: Any, to: Reader) -> Any:
    if isinstance(value, tuple):
        return tuple(_worded(each, to) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {each.name: _worded(getattr(value, each.name), to) for each in fields(value)}
    if "text" in changed and "code" in changed:
        changed["text"] = sentence(Said(changed["code"], changed["values"]), to)
    return replace(value, **changed)


def day(value: date, language: str) -> str:
    """A date as one reads it: 1 december 2026, 1 December 2026."""
    return f"{value.day} {TABLES[language].MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime, to: Reader) -> str:
    """A moment in the shop's zone: 1 december 2026 om 07:00."""
    here = value.astimezone(to.zone)
    return f"{day(here.date(), to.language)} {TABLES[to.language].AT} {here:%H:%M}"


class _Words(Formatter):
    """Fields name what they hold: {first_day:day}, {at:moment}, {skus:products}, {licenses:list}, {why} for something
    said within."""

    def __init__(self, to: Reader) -> None:
        self._to = to

    def get_value(self, key: int | str, _args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "")

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case _ if isinstance(value, Said):
                return sentence(value, self._to)
            case "day":
                return day(date.fromisoformat(value[:10]), self._to.language)
            case "moment":
                return moment(datetime.fromisoformat(value), self._to)
            case "product":
                return self._to.names.get(value, value)
            case "products":
                return ", ".join(self._to.names.get(each, each) for each in value)
            case "list":
                return ", ".join(map(str, value))
        return str(value)
