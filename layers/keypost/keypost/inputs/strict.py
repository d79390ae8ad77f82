"""Types for the bodies and the queries of the API, which take what the description says and nothing like it. By itself
pydantic takes 0 for false, a number of seconds for a day, and null for every field that may be left out."""

import re
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, StrictBool
from pydantic.json_schema import SkipJsonSchema

from keypost.inputs.typed import UNSEEN

DAY = "^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"  # of this century and the next
_FLAGS = {"true": True, "false": False}
T = TypeVar("T")


def one_of(*fields: str, **only_with: str) -> dict[str, Any]:
    """What a body's schema says of these fields: exactly one of them, and which others stand only beside one. It says
    so with `not` twice: of a plain `oneOf` generators of clients make a union, without the body's fields."""
    said = _is_true({"oneOf": [{"required": [field]} for field in fields]})
    return said | ({"dependentRequired": {name: [other] for name, other in only_with.items()}} if only_with else {})


def some_of(*fields: str) -> dict[str, Any]:
    """At least one of them."""
    return _is_true({"anyOf": [{"required": [field]} for field in fields]})


def _is_true(rule: dict[str, Any]) -> dict[str, Any]:
    return {"not": {"not": rule}}


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("field_null")
    return value


def _written_day(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(DAY, value):
        raise ValueError("field_not_a_day")
    return value


def _number(value: Any) -> Any:
    """Neither a flag nor a text; 2.0 is a whole number in JSON."""
    if isinstance(value, bool | str):
        raise ValueError("field_not_a_whole_number")  # noqa: TRY004 - pydantic takes a ValueError
    return value


def _written_flag(value: Any) -> Any:
    """A flag of a query, whose values are all text."""
    if not isinstance(value, str) or value not in _FLAGS:
        raise ValueError("field_not_true_or_false")
    return _FLAGS[value]


# A field that may be left out. Its null is refused.
Omissible = Annotated[T | SkipJsonSchema[None], BeforeValidator(_given)]
Day = Annotated[date, Field(json_schema_extra={"pattern": DAY}), BeforeValidator(_written_day)]
Flag = StrictBool
WHOLE = BeforeValidator(_number)
# For text of which something is to be seen. A pattern cannot say all that `trimmed` knows to be invisible.
SEEN = Field(json_schema_extra={"pattern": rf"[^{UNSEEN}\s]"})
QueryFlag = Annotated[bool, BeforeValidator(_written_flag)]
