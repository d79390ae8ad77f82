"""Products as an operator writes them, and the checks before they enter the catalog."""

import re
from collections.abc import Collection, Mapping
from string import ascii_lowercase
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    field_validator,
    model_validator,
)

from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.product import Kind, Part, Platform, Product, Step
from keypost.inputs import code_pattern
from keypost.inputs.faults import first_fault
from keypost.inputs.strict import WHOLE, Day
from keypost.inputs.typed import UNSEEN, trimmed

# An invisible character breaks the HTML of a mail, or reverses its text.
_SEEN = rf"^[^{UNSEEN}]*[^{UNSEEN}\s][^{UNSEEN}]*$"


def _seen(text: str) -> str:
    if not re.fullmatch(_SEEN, text):
        raise ValueError("field_empty_or_unseen")
    return text


Typed = BeforeValidator(trimmed)
Text = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra={"pattern": _SEEN}), Typed, AfterValidator(_seen)
]
LongText = Annotated[
    str, Field(min_length=1, max_length=1000, json_schema_extra={"pattern": _SEEN}), Typed, AfterValidator(_seen)
]
Link = Annotated[
    str, Field(pattern=r"^https://[!#-;=?-~]{4,500}$"), Typed
]  # no character that would break HTML or a mail
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
_LONGEST_CODE = 64
_MOST_LANGUAGES = 10  # a product is one item of at most 400 kB


def _tells_case(pattern: str, example: str) -> bool:
    """Whether a pattern has, in one place of a code, room for a letter in upper and in lower case: then the vendor
    tells two codes apart by it."""
    changed = ((example[:at], letter, example[at + 1 :]) for at in range(len(example)) for letter in ascii_lowercase)
    return any(
        re.fullmatch(pattern, before + letter + behind) and re.fullmatch(pattern, before + letter.upper() + behind)
        for before, letter, behind in changed
    )


class StepEntry(BaseModel):
    """A step with what belongs to it. A step that is only text is about activating."""

    model_config = ConfigDict(extra="forbid")

    text: LongText
    part: Part = Part.ACTIVATE
    picture: Link | None = None
    alt: Annotated[str, Field(max_length=200), Typed] = ""

    @model_validator(mode="after")
    def _can_be_read_without_its_picture(self) -> Self:
        if self.picture and not self.alt:
            raise ValueError("picture_without_words")
        return self


def _step(given: Any) -> Any:
    return {"text": given} if isinstance(given, str) else given


Steps = Annotated[
    tuple[Annotated[StepEntry, BeforeValidator(_step, json_schema_input_type=LongText | StepEntry)], ...],
    Field(min_length=1, max_length=20),
]
Texts = Annotated[dict[Language, LongText], Field(default_factory=dict, max_length=_MOST_LANGUAGES)]


class ProductEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$"), Typed]
    vendor: Text
    name: dict[Language, Text] = Field(min_length=1, max_length=_MOST_LANGUAGES)
    term_days: Annotated[int, Field(ge=1, le=3660), WHOLE]
    devices: Annotated[int, Field(ge=1, le=100_000), WHOLE]
    code_pattern: str = Field(min_length=1, max_length=200)
    code_example: str = Field(min_length=1, max_length=_LONGEST_CODE)
    download_url: Link
    steps: dict[Kind, Annotated[dict[Language, Steps], Field(min_length=1, max_length=_MOST_LANGUAGES)]]
    notes: Texts
    open_on: Texts
    elsewhere: Texts
    downloads: dict[Platform, Link] = Field(default_factory=dict)
    mail_days_before: Annotated[int, Field(ge=0, le=90), WHOLE] = 7
    reserve_days_before: Annotated[int, Field(ge=0, le=180), WHOLE] = 30
    holds_reserve_code: StrictBool = True
    reminder_days: tuple[Annotated[int, Field(ge=0, le=180), WHOLE], ...] = Field(default=(), max_length=5)
    renewal_url: Link | None = None
    retired_on: Day | None = None
    case_counts: StrictBool | None = None  # as the pattern tells, where nobody says it

    @field_validator("code_pattern")
    @classmethod
    def _is_one_that_ends(cls, pattern: str) -> str:
        code_pattern.check(pattern)
        return pattern

    @field_validator("renewal_url")
    @classmethod
    def _has_known_places(cls, url: str | None) -> str | None:
        if set(re.findall(r"\{[^{}]*\}|[{}]", url or "")) - {"{license}", "{order}"}:
            raise ValueError("renewal_url_place_unknown")
        return url

    def as_product(self) -> Product:
        steps = {
            kind: {language: tuple(Step(**step.model_dump()) for step in steps) for language, steps in texts.items()}
            for kind, texts in self.steps.items()
        }
        return Product(**(self.model_dump() | {"steps": steps}))

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.reserve_days_before < self.mail_days_before:
            raise ValueError("reserved_after_mail")
        if set(self.steps) != set(Kind):
            raise ValueError("steps_missing")
        return self

    @model_validator(mode="after")
    def _has_codes_to_compare(self) -> Self:
        """The form by which codes are compared must be that of a code: otherwise two codes of the vendor count as
        one, or what a person types is not found."""
        if not re.fullmatch(self.code_pattern, self.code_example):
            raise ValueError("example_does_not_match")
        if self.case_counts is None:
            self.case_counts = _tells_case(self.code_pattern, self.code_example)
        if codes.normalize(self.code_example) != self.code_example.upper():
            raise ValueError("pattern_of_spaces_or_dashes")
        if not self.case_counts and not re.fullmatch(self.code_pattern, self.code_example.upper()):
            raise ValueError("pattern_needs_case")
        return self

    @model_validator(mode="after")
    def _says_all_in_each_language(self) -> Self:
        """What a mail needs is there in each language that the product has: a mail in two languages helps nobody."""
        texts: list[Collection[str]] = [*self.steps.values(), self.notes, self.open_on, self.elsewhere]
        if any(set(each) != set(self.name) for each in texts if each):
            raise ValueError("language_missing")
        return self


def read_product(given: Mapping[str, Any]) -> Product:
    """A product for the catalog. InvalidInput says what is wrong."""
    try:
        product = ProductEntry.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("product_does_not_fit", sku=given.get("sku"), why=first_fault(error)) from None
    return product.as_product()
