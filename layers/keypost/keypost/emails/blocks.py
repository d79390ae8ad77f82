"""What a mail says, as data: said once, and rendered as HTML and as text. Whatever stands in a block is text; only the
renderers know markup, so no value can bring any."""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from keypost.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    part: ClassVar = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    part: ClassVar = "strong"
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a page. The text part has the address behind them, so a sentence ends with its link."""

    part: ClassVar = "link"
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Words that lead to a page. The text part has the address on the line below."""

    part: ClassVar = "link"
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address."""

    part: ClassVar = "address"
    text: str


@dataclass(frozen=True, slots=True)
class Phone:
    part: ClassVar = "phone"
    text: str


Run = Text | Strong | Link | Reference | Address | Phone
Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    part: ClassVar = "paragraph"
    runs: Runs


@dataclass(frozen=True, slots=True)
class Quiet:
    """A paragraph that matters less than those around it."""

    part: ClassVar = "quiet"
    runs: Runs


@dataclass(frozen=True, slots=True)
class Lines:
    """A paragraph of short lines."""

    part: ClassVar = "lines"
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph in a box, which nobody may overlook."""

    part: ClassVar = "note"
    runs: Runs


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a part of the mail, such as a product, or of a part of that."""

    part: ClassVar = "heading"
    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Button:
    part: ClassVar = "button"
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Codes:
    """Activation codes, each in a box, or close together if they are many."""

    part: ClassVar = "codes"
    codes: tuple[str, ...]
    are_many: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A window of the program. It shows nothing that the words beside it do not say, and the text part leaves it
    out."""

    part: ClassVar = "picture"
    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Bullets:
    part: ClassVar = "bullets"
    items: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """Links of which a reader needs one."""

    part: ClassVar = "choices"
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A table of names and values."""

    part: ClassVar = "facts"
    title: str
    rows: tuple[tuple[str, str], ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class SubStep:
    text: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class SubSteps:
    """What to do within a numbered step, one after the other."""

    part: ClassVar = "sub_steps"
    steps: tuple[SubStep, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A numbered step, with all that one needs for it."""

    part: ClassVar = "step"
    number: int
    title: str
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Rule:
    part: ClassVar = "rule"


Block = (
    Paragraph
    | Quiet
    | Lines
    | Note
    | Heading
    | Button
    | Codes
    | Picture
    | Bullets
    | Choices
    | Facts
    | SubSteps
    | Step
    | Rule
)


def together(*sentences: Runs) -> Runs:
    """Sentences as one paragraph."""
    return tuple(run for n, runs in enumerate(sentences) for run in ((Text(" "), *runs) if n else runs))


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    subtype: str  # of text
    content: bytes
    params: Mapping[str, str]  # of its content type


@dataclass(frozen=True, slots=True)
class Content:
    """A whole mail."""

    subject: str  # at most 60 characters; no code
    preheader: str  # what a list of mails shows beside the subject; no code
    heading: str
    blocks: tuple[Block, ...]
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # besides those that every mail has
