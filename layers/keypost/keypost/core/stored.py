"""What every part of a stored item has in common: the fields that only a newer version knows stay with it."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, TypeVar

from keypost.core.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A part of a stored item. `extra` holds the fields that this version does not know, as they came from the table;
    they are stored again with the part. `replace` keeps them, and a change that builds the part anew hands them on with
    `with_extra`. They count in no comparison: what this version decides cannot depend on what it does not know."""

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


Part = TypeVar("Part", bound="Stored")


def with_extra(new: Part, *known: Stored | None) -> Part:
    """The new form of a part with the unknown fields of its earlier forms; the newest form of a field counts."""
    extra = {name: value for part in (*known, new) if part for name, value in part.extra.items()}
    return replace(new, extra=extra) if extra else new
