"""What tellers said of a payment: what was bought, by whom, and for how much. Each word is kept as it was said, with
its teller's own moment. Only the words of one teller are compared by their moments; joined in any order, they give
the same."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TypeVar

from keypost.core.frozen import dataclass
from keypost.core.product import Line
from keypost.core.said import Said
from keypost.core.stored import Stored

PERSON = "person"  # the teller of an order by hand
IMPORT = "import"  # the teller of an order that was sold before Keypost
# The tellers that sell; of the others, those who take the money. A person, or a file of older orders, sells too.
SHOPS = frozenset({"webhook", "woocommerce", "moneybird", PERSON, IMPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Stored):
    """A whole word of one teller about one part of a payment."""

    by: str  # the teller
    said: datetime | None = None  # by the teller's own clock, as precise as it was given; None: no moment was given
    is_paid: bool = False  # it was said of a payment that had been made

    @property
    def content(self) -> Hashable:
        """What was said, without when."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods(Word):
    lines: tuple[Line, ...] = ()
    problem: Said | None = None  # why no program can serve them
    foreign: bool = False  # its list holds nothing of ours

    @property
    def content(self) -> Hashable:
        return (self.lines, self.problem.content if self.problem else None, self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer(Word):
    email: str | None = None
    name: str | None = None
    language: str | None = None
    by_payer: bool = False  # the address is the payer's at the provider, and no shop wrote it

    @property
    def content(self) -> Hashable:
        return (self.email, self.name, self.language, self.by_payer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Word):
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case

    @property
    def content(self) -> Hashable:
        return (self.amount, self.currency)


W = TypeVar("W", bound=Word)
_NEVER = datetime.min.replace(tzinfo=UTC)


def joined(words: Iterable[W]) -> tuple[W, ...]:
    """The words that still count, in an order that does not depend on theirs: of each teller the newest, the first that
    was said of the paid payment, and, of those without a moment, each that says another thing."""
    by_teller = sorted(words, key=lambda word: (word.by, _age(word)))
    return tuple(word for _, told in groupby(by_teller, key=lambda word: word.by) for word in _kept(list(told)))


def _age(word: Word) -> tuple[datetime, bool, str]:
    """Sorts the words of one teller: those without a moment first; at one moment, a paid payment counts for more."""
    return word.said or _NEVER, word.is_paid, repr(word.content)


def _kept(told: list[W]) -> list[W]:
    """Of the words of one teller, by age."""
    undated, dated = _by_stamp(told)
    paid = [word for word in undated if word.is_paid]
    dated = _repeated(dated)
    first = [word for word in dated if word.is_paid and word != dated[-1]][:1]
    return [*_distinct(paid or undated), *first, *dated[-1:]]


def _by_stamp(told: Iterable[W]) -> tuple[list[W], list[W]]:
    """The words without a moment, and those with one."""
    found = list(told)
    return [word for word in found if not word.said], [word for word in found if word.said]


def _repeated(dated: Iterable[W]) -> list[W]:
    """The same words; one that says again what was said before it keeps what only a newer version knows of that."""
    found: list[W] = []
    for word in dated:
        known = found[-1] if found and found[-1].content == word.content else None
        found.append(replace(known, said=word.said, is_paid=word.is_paid) if known else word)
    return found


def _distinct(words: Iterable[W]) -> list[W]:
    """Each content once, in the first of its words."""
    found: dict[Hashable, W] = {}
    for word in words:
        found.setdefault(word.content, word)
    return list(found.values())


def newest(words: Iterable[W]) -> tuple[W, ...]:
    """What the tellers say now. Two words of one teller are both there when nobody can say which is the newer."""
    found = tuple(words)
    if len(found) <= 1:
        return found
    by_teller = sorted(found, key=lambda word: (word.by, _age(word)))
    return tuple(word for _, told in groupby(by_teller, key=lambda word: word.by) for word in _newest_of_one(told))


def _newest_of_one(told: Iterable[W]) -> list[W]:
    undated, dated = _by_stamp(told)
    found = [*undated, *dated[-1:]]
    of_paid = [word for word in found if word.is_paid]
    return _distinct(of_paid or found)


def first_paid(words: Iterable[W], teller: str) -> W | None:
    """What a teller said first of the paid payment."""
    paid = [word for word in words if word.by == teller and word.is_paid and word.said]
    return min(paid, key=_age, default=None)
