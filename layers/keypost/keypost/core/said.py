"""What is said to people, as data: a code with values. `keypost.words` makes the sentence where somebody reads it, in
their language. Days and moments are ISO 8601 text."""

from collections.abc import Hashable, Mapping
from dataclasses import field
from datetime import date, datetime
from itertools import chain
from typing import Any

from keypost.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    code: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)  # text, numbers, lists of text, Said
    text: str = field(default="", compare=False)  # the sentence, in an answer to somebody; never stored

    @property
    def content(self) -> Hashable:
        """The same for the same code and values, in whatever order a table gives them back."""
        values = ((name, each.content if isinstance(each, Said) else each) for name, each in self.values.items())
        return self.code, tuple(sorted(values))

    @property
    def codes(self) -> tuple[str, ...]:
        """Its own code and those of what is said within it."""
        within = (each.codes for each in self.values.values() if isinstance(each, Said))
        return (self.code, *chain.from_iterable(within))


def said(code: str, /, **values: Any) -> Said:
    """A code with values, of which those that are None are left out."""
    return Said(code, {name: _plain(value) for name, value in values.items() if value is not None})


def _plain(value: Any) -> Any:
    match value:
        case Said() | int():
            return value
        case date() | datetime():
            return value.isoformat()
        case str():
            return str(value)
        case _ if hasattr(value, "__iter__"):
            return tuple(map(str, value))
    return str(value)
