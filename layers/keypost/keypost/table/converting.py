"""How what an order, a product or a fact is made of becomes an item of the table, and comes back from one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from keypost.core.payment import PaymentNotice
from keypost.core.product import Step
from keypost.core.said import Said
from keypost.core.stored import Stored
from keypost.table.items import moment_text

_LONGEST_PLACE = 200


def seconds_of(moment: datetime) -> int:
    """A moment as the whole seconds since 1970: a third of the bytes of its text."""
    return int(moment.replace(microsecond=0).timestamp())


def exact_moment(moment: datetime) -> int | str:
    """A moment as precise as it is: that of a teller, whose words of one second have an order too."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment.microsecond else seconds_of(moment)


class UnknownMember(ValueError):
    """A text that is no member of its enum: a newer version of Keypost may know it."""


def reasons_of(error: BaseException) -> list[BaseException]:
    """What a converter found at each place, without the groups around it."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for each in error.exceptions for reason in reasons_of(each)]
    return [error]


def place_of(error: Exception) -> str:
    """Where in an item a converter stopped: names and numbers only, as a key of a mapping may be an address."""
    if not isinstance(error, BaseExceptionGroup):
        return type(error).__name__
    places = (text.rpartition(" @ $")[2].removeprefix(".") for text in cattrs.transform_error(error))
    return ", ".join(re.sub(r"\[[^\]]*[^\]\d][^\]]*\]", "[]", place) for place in places)[:_LONGEST_PLACE]


def _moment(stored: Any, _: Any) -> datetime:
    if isinstance(stored, int | Decimal):
        return datetime.fromtimestamp(int(stored), UTC)
    moment = datetime.fromisoformat(stored)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment


def _member(value: Any, members: type[StrEnum]) -> StrEnum:
    if not isinstance(value, str):
        raise TypeError("not a text")
    try:
        return members(value)
    except ValueError:
        raise UnknownMember(f"no {members.__name__}") from None


def _flag(flag: Any, _: Any) -> bool:
    if not isinstance(flag, bool):
        raise TypeError("neither true nor false")
    return flag


def _text(text: Any, _: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("not a text")
    return text


def _is_stored(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Stored)


def _structure_stored(type_: type[Stored]) -> Callable[[Mapping[str, Any], Any], Stored]:
    """What is not known goes into `extra`, and comes out of it where it was."""
    known: Any = make_dict_structure_fn(type_, converter, extra=override(omit=True))
    names = {field.name for field in fields(type_)} - {"extra"}

    def structure(item: Mapping[str, Any], _: Any) -> Stored:
        part: Stored = known(item, type_)
        extra = {name: value for name, value in item.items() if name not in names}
        return replace(part, extra=extra) if extra else part

    return structure


def _unstructure_stored(type_: type[Stored]) -> Callable[[Stored], dict[str, Any]]:
    exact = _exact_fields(type_)
    known: Any = make_dict_unstructure_fn(
        type_, converter, _cattrs_omit_if_default=True, extra=override(omit=True), **exact
    )
    return lambda part: {**part.extra, **known(part)}


def _exact_fields(type_: type) -> dict[str, Any]:
    """The moments of tellers, and the one that is a key of an index."""
    exact = override(unstruct_hook=lambda moment: moment and exact_moment(moment))
    own = {"said": exact, "as_of": exact, "created_at": override(unstruct_hook=moment_text)}
    return {field.name: own[field.name] for field in fields(type_) if field.name in own}


def _unstructure_notice(type_: type) -> Callable[[PaymentNotice], dict[str, Any]]:
    return make_dict_unstructure_fn(type_, converter, _cattrs_omit_if_default=True, **_exact_fields(type_))


def _structure_step(type_: type) -> Callable[[Any, Any], Step]:
    of_item: Any = make_dict_structure_fn(type_, converter)
    return lambda item, _: Step(item) if isinstance(item, str) else of_item(item, type_)


def _unstructure_step(type_: type) -> Callable[[Step], Any]:
    """A step is stored as its text, as long as it has nothing else."""
    whole: Any = make_dict_unstructure_fn(type_, converter, _cattrs_omit_if_default=True)
    return lambda step: step.text if step == Step(step.text) else whole(step)


converter = cattrs.Converter(omit_if_default=True)
converter.register_unstructure_hook(datetime, seconds_of)  # in whole seconds, as clocks are compared with them
converter.register_structure_hook(datetime, _moment)
converter.register_unstructure_hook(date, date.isoformat)
converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
converter.register_structure_hook(int, lambda number, _: int(Decimal(number)))
converter.register_structure_hook(bool, _flag)  # a bool is an int too
converter.register_structure_hook(str, _text)
converter.register_structure_hook(StrEnum, _member)
converter.register_structure_hook_factory(_is_stored, _structure_stored)
converter.register_unstructure_hook_factory(_is_stored, _unstructure_stored)
converter.register_unstructure_hook_factory(lambda type_: type_ is PaymentNotice, _unstructure_notice)
converter.register_structure_hook_factory(lambda type_: type_ is Step, _structure_step)
converter.register_unstructure_hook_factory(lambda type_: type_ is Step, _unstructure_step)
converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], lambda values, _: _values(values))


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of what is said, which are text, whole numbers, lists of text and what is said within."""
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    match value:
        case Decimal() if value == int(value):
            return int(value)
        case list():
            return tuple(map(_value, value))
        case dict() if "code" in value:
            return converter.structure(value, Said)
    return value
