"""A product, and a line of an order for it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from enum import StrEnum

from keypost.core.frozen import dataclass
from keypost.core.stored import Stored


class Kind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"


class Part(StrEnum):
    """What a step is about. Steps of one part that follow each other are one numbered block of a mail or the guide: the
    block of `install` has the download, that of `activate` the code."""

    INSTALL = "install"
    OPEN = "open"
    ACTIVATE = "activate"
    CHECK = "check"  # what the customer sees at the end


class Platform(StrEnum):
    WINDOWS = "windows"
    MACOS = "macos"
    ANDROID = "android"
    IOS = "ios"
    LINUX = "linux"


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    part: Part = Part.ACTIVATE
    picture: str | None = None  # the URL of a picture of the window
    alt: str = ""  # what the picture shows


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    vendor: str
    name: Mapping[str, str]  # per language
    term_days: int
    devices: int
    code_pattern: str  # a regular expression that a whole code matches
    code_example: str
    download_url: str
    steps: Mapping[Kind, Mapping[str, tuple[Step, ...]]]  # per kind and language
    notes: Mapping[str, str] = field(default_factory=dict)
    open_on: Mapping[str, str] = field(default_factory=dict)  # on which device to open the mail
    elsewhere: Mapping[str, str] = field(default_factory=dict)  # what to do on any other device
    downloads: Mapping[Platform, str] = field(default_factory=dict)  # the latest version per platform
    mail_days_before: int = 7  # days before the period starts on which a renewal's mail is sent
    reserve_days_before: int = 30  # days before the period starts on which codes are reserved for a renewal
    holds_reserve_code: bool = True  # the customer may enter a new code while the old license runs, and loses no days
    reminder_days: tuple[int, ...] = ()  # days before the last day of a license that nobody has renewed
    case_counts: bool = False  # two codes that differ only in upper and lower case are two codes
    renewal_url: str | None = None  # where a customer renews; {license} and {order} stand for what is renewed
    retired_on: date | None = None  # from this day on it is not sold, and has no guide; orders that have it are served

    def is_retired(self, today: date) -> bool:
        return self.retired_on is not None and self.retired_on <= today


@dataclass(frozen=True, slots=True)
class Line(Stored):
    sku: str
    quantity: int
    kind: Kind = Kind.NEW
    renews: str | None = None
    period_start: date | None = None
    period_end: date | None = None
    id: int = field(default=0, compare=False)  # within its order, for ever; 0: its place there, counted from 1


def runs_alike(line: Line, other: Line) -> bool:
    """Whether both run at the same time, however many licenses they are."""
    return replace(line, quantity=1) == replace(other, quantity=1)


def counted(lines: Iterable[Line]) -> frozenset[tuple[str, int]]:
    """How many of which product."""
    count = Counter[str]()
    for line in lines:
        count[line.sku] += line.quantity
    return frozenset(count.items())


def renewing(order_id: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a subscription's card in a later charge: each renews the license of its own line, unless it names
    another."""
    return tuple(
        replace(line, kind=Kind.RENEWAL, renews=line.renews or f"{order_id}/{number}")
        for number, line in enumerate(lines, start=1)
    )
