"""What pydantic found, in our own codes: which field, and what is wrong with it. Neither its texts nor the values that
it found reach anybody."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from keypost.core.said import Said, said

# Per type of pydantic's errors; whatever is not here is "not as agreed".
_CODES = {
    "missing": "field_missing",
    "extra_forbidden": "field_unknown",
    "unexpected_keyword_argument": "field_unknown",
    "string_too_short": "field_too_short",
    "too_short": "field_too_short",
    "string_too_long": "field_too_long",
    "too_long": "field_too_long",
    "string_type": "field_not_text",
    "bool_parsing": "field_not_true_or_false",
    "bool_type": "field_not_true_or_false",
    "int_parsing": "field_not_a_whole_number",
    "int_type": "field_not_a_whole_number",
    "int_from_float": "field_not_a_whole_number",
    "greater_than": "field_out_of_range",
    "greater_than_equal": "field_out_of_range",
    "less_than": "field_out_of_range",
    "less_than_equal": "field_out_of_range",
    "date_parsing": "field_not_a_day",
    "date_from_datetime_parsing": "field_not_a_day",
    "date_from_datetime_inexact": "field_not_a_day",
    "date_type": "field_not_a_day",
    "datetime_parsing": "field_not_a_moment",
    "datetime_from_date_parsing": "field_not_a_moment",
    "datetime_type": "field_not_a_moment",
    "timezone_aware": "field_not_a_moment",
    "literal_error": "field_not_one_of",
    "enum": "field_not_one_of",
    "model_type": "field_not_an_object",
    "dict_type": "field_not_an_object",
    "model_attributes_type": "field_not_an_object",
    "list_type": "field_not_a_list",
    "tuple_type": "field_not_a_list",
    "json_invalid": "not_json",
}
_OWN = "Value error, "  # pydantic's words before the code that a validator of ours raised


def first_fault(error: ValidationError) -> Said:
    """The first rule that was broken, and where."""
    return fault(error.errors(include_url=False, include_input=False)[0])


def fault(found: Mapping[str, Any]) -> Said:
    """One of pydantic's errors. The field is named by its path, as a person would write it: `lines.0.sku`."""
    field = ".".join(map(str, path(found["loc"]))) or None
    if found["type"] == "value_error":
        return said(found["msg"].removeprefix(_OWN), field=field)
    context = found.get("ctx", {})
    one_of = re.findall("'([^']*)'", str(context.get("expected", ""))) or None
    most, least = _first_of(context, "max_length", "le", "lt"), _first_of(context, "min_length", "ge", "gt")
    code = _CODES.get(found["type"], "field_not_as_agreed")
    return said(code, field=field, one_of=one_of, most=most, least=least)


def _first_of(context: Mapping[str, Any], *limits: str) -> Any:
    return next((context[limit] for limit in limits if limit in context), None)


def path(where: tuple[str | int, ...]) -> list[str | int]:
    """The keys and places that lead to a field, without the names of pydantic's own validators among them."""
    return [part for part in where if isinstance(part, int) or part.replace("_", "").replace("-", "").isalnum()]
