"""The order card: what was bought, as a flat map of text that a shop puts on the payment (docs/order-card.md)."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.languages import language_of
from keypost.core.product import Kind, Line
from keypost.core.references import LONGEST, spelled
from keypost.core.said import Said
from keypost.inputs.addresses import email_address, usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.typed import trimmed

MOST_LINES = 20
_LONGEST_NAME = 100
_BREAKS = {"Cc", "Zl", "Zp"}  # categories of Unicode
_INVISIBLE = {"Cf", "Cs", "Co", "Cn"}
_NUMBERED = re.compile("line_([0-9]{1,4})")
_WHOLE = re.compile(r"([0-9]{1,9})(?:[.,]00?)?")  # not 1.000, which is a thousand to many
_DUTCH_DAY = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_CARD_KEYS = ("v", "order_id", "email", "lang")
_LINE_KEYS = ("sku", "quantity", "kind", "renews", "period_start", "period_end")
CARD_KEYS = (*_CARD_KEYS, *_LINE_KEYS, *(f"line_{number}" for number in range(1, MOST_LINES + 1)))


def whole_number(given: Any) -> int | None:
    """The whole number that was written: 2, "2", 2.0, "2.0" or "2,0". None for true, 1.5 and other scripts' digits."""
    text = str(trimmed(given)) if isinstance(given, int | float | str) and not isinstance(given, bool) else ""
    found = _WHOLE.fullmatch(text)
    return int(found[1]) if found else None


def _whole_number(given: Any) -> int:
    number = whole_number(given)
    if number is None:
        raise ValueError("field_not_a_whole_number")
    return number


def _day(given: Any) -> Any:
    """A day as it is written in Dutch, 1-12-2026, as 2026-12-01; whatever else stands there stays as it is."""
    found = _DUTCH_DAY.fullmatch(trimmed(given)) if isinstance(given, str) else None
    return f"{found[4]}-{found[3]:0>2}-{found[1]:0>2}" if found else given


def _lower(given: Any) -> Any:
    return given.lower() if isinstance(given, str) else given


def _reference(given: Any) -> Any:
    """What is renewed, in one spelling; nothing that people type here is refused for its form."""
    return spelled(given) if isinstance(given, str) else given


SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")
ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
Typed = BeforeValidator(trimmed)
OrderId = Annotated[str, Field(pattern=f"^{ORDER_ID.pattern}$"), Typed]
# Text that is no language gives None, because it is no reason to keep a code back.
Language = Annotated[str | None, AfterValidator(lambda text: language_of(trimmed(text)))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31)), Typed, BeforeValidator(_day)]
Email = Annotated[str, AfterValidator(email_address)]


Reference = Annotated[str, BeforeValidator(_reference), Field(min_length=1, max_length=LONGEST)]


def is_sku(given: Any) -> bool:
    return isinstance(given, str) and SKU.fullmatch(given) is not None


class CardLine(BaseModel):
    """One line of an order, as a shop or a card writes it."""

    sku: Annotated[str, Field(pattern=f"^{SKU.pattern}$"), Typed]
    quantity: Annotated[int, Field(ge=1, le=9999), BeforeValidator(_whole_number)]
    kind: Annotated[Kind, BeforeValidator(_lower), Typed] = Kind.NEW
    renews: Reference | None = None
    period_start: Day | None = None
    period_end: Day | None = None

    @model_validator(mode="after")
    def _says_what_it_renews(self) -> Self:
        if self.kind is Kind.RENEWAL and self.renews is None:
            raise ValueError("renewal_without_renews")
        return self

    @model_validator(mode="after")
    def _has_a_possible_period(self) -> Self:
        if self.period_end and self.period_start is None:
            raise ValueError("period_end_alone")
        if self.period_start and self.period_end and self.period_end < self.period_start:
            raise ValueError("period_ends_before_it_starts")
        return self

    def line(self) -> Line:
        return Line(self.sku, self.quantity, self.kind, self.renews, self.period_start, self.period_end)


class OrderCard(BaseModel):
    """A card that was read. Its unknown keys are ignored."""

    v: str = Field(pattern="^1$")
    order_id: OrderId
    email: Email | None = None
    lang: Language = None
    lines: tuple[CardLine, ...] = Field(max_length=MOST_LINES)


def read_card(metadata: Mapping[str, Any]) -> OrderCard:
    """Read the card in a map. InvalidInput says which rule it breaks."""
    texts = _texts(metadata)
    lines = [_fields(values) for values in _lines(texts)]
    try:
        return OrderCard.model_validate(_chosen(texts, _CARD_KEYS) | {"lines": lines})
    except ValidationError as error:
        raise InvalidInput("card_does_not_fit", why=first_fault(error)) from None


def _texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The keys and values of a card as they were meant: without spaces around them, and without empty values."""
    texts = {trimmed(str(key)).lower(): _text(value) for key, value in metadata.items() if value is not None}
    return {key: text for key, text in texts.items() if text}


def _text(value: Any) -> str:
    """The value as text; of the number 7.0, as some programs write 7, without the zero."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(trimmed(str(value)))


def _lines(texts: Mapping[str, str]) -> list[list[str]]:
    """The values of each line of a card: of `line_1`, `line_2` and so on, or else of the only line of a card that has
    its fields among its own keys."""
    if numbered := _numbered(texts):
        return [texts[key].split("|") for key in numbered]
    short = {"quantity": "1", **texts}
    return [[short.get(key, "") for key in _LINE_KEYS]] if "sku" in texts else []


def _numbered(texts: Mapping[str, str]) -> list[str]:
    """The keys `line_1`, `line_2` and so on that a card has, in the order of their numbers."""
    numbers = {key: int(found[1]) for key in texts if (found := _NUMBERED.fullmatch(key))}
    return sorted(numbers, key=lambda key: numbers[key])


def _fields(values: Sequence[str]) -> dict[str, str]:
    """The fields of `SKU|quantity|kind|renews|period_start|period_end`, without those that are empty."""
    if any(map(trimmed, values[len(_LINE_KEYS) :])):
        raise InvalidInput("card_line_too_long")
    return {key: trimmed(value) for key, value in zip(_LINE_KEYS, values, strict=False) if trimmed(value)}


def _chosen(texts: Mapping[str, str], keys: Sequence[str]) -> dict[str, Any]:
    return {key: texts[key] for key in keys if key in texts}


@dataclass(frozen=True, slots=True)
class Told:
    """What the metadata of a payment says about its order. There are no lines if it has no card, or a card without
    lines. A bad field on a card does not take its good ones away."""

    order_id: str = ""
    email: str | None = None  # None also for one that nobody can write to: then the provider may have a better one
    language: str | None = None
    lines: tuple[Line, ...] = ()  # those that break no rule
    problem: Said | None = None  # the rule that its card breaks; nothing may be sent by it before a person has looked

    @property
    def has_card(self) -> bool:
        return bool(self.lines or self.problem)


def read_metadata(metadata: Any) -> Told:
    """Read an order's card in a payment's metadata, which a provider gives as a map or as its JSON. A map with neither
    a version nor lines is a plugin's own, and no card."""
    given = _map(metadata)
    texts = _texts(given)
    if not _is_card(given):
        return Told(_order_id(given.get("order_id")))
    return Told(
        order_id=_order_id(texts.get("order_id")),
        email=usable_address(texts.get("email")),
        language=language_of(trimmed(texts.get("lang", ""))),
        lines=_good_lines(texts),
        problem=_broken_rule(texts),
    )


def _broken_rule(texts: Mapping[str, str]) -> Said | None:
    """The first rule that a card breaks, other than by its address: the provider may have one, and nothing is sent
    without any."""
    try:
        read_card({key: text for key, text in texts.items() if key != "email"})
    except InvalidInput as error:
        return error.said
    return None


def _good_lines(texts: Mapping[str, str]) -> tuple[Line, ...]:
    return tuple(line for values in _lines(texts) if (line := _good_line(values)))


def _good_line(values: Sequence[str]) -> Line | None:
    try:
        return CardLine.model_validate(_fields(values)).line()
    except (InvalidInput, ValidationError):
        return None


def _map(metadata: Any) -> dict[str, Any]:
    """The metadata as a map; empty if they are something else."""
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return {}
    return metadata if isinstance(metadata, dict) else {}


def _order_id(given: Any) -> str:
    """The id of an order, which may be a number; empty if it cannot be one."""
    text = _text(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    return text if ORDER_ID.fullmatch(text) else ""


def _is_card(given: Mapping[Any, Any]) -> bool:
    """True for a map that has a card's own keys; in other capitals only beside a version, as a plugin may have a `SKU`
    of its own."""
    is_versioned = any(trimmed(str(key)).lower() == "v" for key in given)
    return is_versioned or any(key == "sku" or _NUMBERED.fullmatch(str(key)) for key in given)


def clean_name(name: Any) -> str | None:
    """A name that is fit for a greeting: one line, without control or invisible characters, at most 100 characters.
    None if nothing is left."""
    if not isinstance(name, str):
        return None
    visible = "".join(map(_visible, name))
    return " ".join(visible.split())[:_LONGEST_NAME] or None


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BREAKS:
        return " "
    return "" if category in _INVISIBLE else character


def full_name(first: Any, last: Any) -> str | None:
    """The name of a person, of whom a provider may know only a part of it, or nothing."""
    return clean_name(f"{first or ''} {last or ''}")
