"""Where in a plain text an activation code may stand, by the groups of letters and digits that its product's codes
have: with anything between the groups or nothing, letter by letter, over two lines, in part, among other words."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate, pairwise

from keypost.core.frozen import dataclass

_FARTHEST = 6  # signs between two groups
_SHORT = 3  # letters and digits that people read out at once
_MOST_WORDS = 3  # between two groups
_TOLD = 5  # signs of a code that are told elsewhere
_GUESSED = 4  # signs of a code that somebody could try out
_FEWEST = 10  # letters and digits of a part that is hidden
_SIGNS = re.compile(r"[A-Za-z0-9]+")
_TOKEN = re.compile(r"[^\W_]+")
_VOWELS = "aeiouy"
# Which consonants stand behind one in words of Dutch, English and German.
_AFTER = {
    "b": "bjlrst",
    "c": "chklrty",
    "d": "dhjlprstvw",
    "f": "flrst",
    "g": "dghlnrst",
    "h": "lmnrt",
    "j": "dfknst",
    "k": "bklmnrstw",
    "l": "bdfgjklmnpstvz",
    "m": "bmpst",
    "n": "bcdfgjklmnpstvwz",
    "p": "fhjlprst",
    "r": "bcdfghjklmnprstvwz",
    "s": "cdhjklmnpstw",
    "t": "bchjklmnrstwz",
    "v": "lr",
    "w": "dlrst",
    "x": "pt",
    "z": "w",
}


@dataclass(frozen=True, slots=True)
class Token:
    """Letters and digits with nothing between them."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What may be a code, or a part of one."""

    tokens: tuple[Token, ...]
    between: tuple[str, ...]  # what stands between each two of them
    sizes: tuple[int, ...]  # of the groups that it has
    score: tuple[int, ...] = ()  # of two that overlap, the higher one is meant

    @property
    def signs(self) -> str:
        return "".join(token.text for token in self.tokens)

    @property
    def groups(self) -> list[str]:
        ends = [*accumulate(self.sizes)]
        return [self.signs[end - size : end] for end, size in zip(ends, self.sizes, strict=True)]

    @property
    def is_aligned(self) -> bool:
        """True if every token is one group, or several."""
        return {*accumulate(len(token.text) for token in self.tokens)} <= {*accumulate(self.sizes)}

    @property
    def is_dashed(self) -> bool:
        """True if it is written as codes are: its groups with dashes between them."""
        is_grouped = [len(token.text) for token in self.tokens] == list(self.sizes)
        return len(self.sizes) > 1 and is_grouped and all(set(each.strip()) == {"-"} for each in self.between)


@cache
def sizes_of(example: str) -> tuple[int, ...]:
    """Of the groups of a code, in letters and digits."""
    return tuple(map(len, _SIGNS.findall(example)))


def tokens_of(text: str) -> list[Token]:
    return [Token(found[0], *found.span()) for found in _TOKEN.finditer(text)]


def whole(text: str, tokens: Sequence[Token], sizes: tuple[int, ...]) -> Iterator[Found]:
    """Every stretch that has the letters and digits of a code."""
    for at in range(len(tokens)):
        found = _found(text, tokens, at, sizes)
        if found and _may_be(text, found):
            yield found


def nearly(text: str, tokens: Sequence[Token], sizes: tuple[int, ...]) -> Iterator[Found]:
    """Groups with dashes between them, in which somebody left a sign out, typed one too many or another one."""
    count = len(sizes)
    for at in range(len(tokens) - count + 1 if count > 2 else 0):  # noqa: PLR2004 - two groups are many a number
        run = tuple(tokens[at : at + count])
        found = Found(run, _between(text, run), tuple(len(token.text) for token in run))
        is_near = all(abs(len(t.text) - size) <= 1 for t, size in zip(run, sizes, strict=True))
        if is_near and found.is_dashed and not _goes_on(text, found) and _is_mixed(found):
            yield found


def parts(text: str, tokens: Sequence[Token], sizes: tuple[int, ...]) -> Iterator[tuple[int, Found]]:
    """Groups of a code that are enough to guess the rest, as its last five signs are told elsewhere; each with the
    group at which it may begin. The longest come first."""
    for count in range(len(sizes) - 1, 1, -1):
        for first in range(len(sizes) - count + 1):
            some = sizes[first : first + count]
            if sum(some) < max(_FEWEST, sum(sizes) - _TOLD - _GUESSED):
                continue
            for at in range(len(tokens)):
                found = _found(text, tokens, at, some)
                if found and _may_be_part(text, found):
                    yield first, found


def scattered(text: str, tokens: Sequence[Token], sizes: tuple[int, ...]) -> Iterator[Found]:
    """The groups of a code with words between them, as one reads them out: `0A3TP streepje Q7Y2M`."""
    for at in range(len(tokens)):
        run = _without_words(text, tokens, at, sizes)
        if run:
            found = Found(run, _between(text, run), sizes)
            is_mixed = 2 * sum(map(_has_both, found.groups)) >= len(found.groups)
            if found.is_aligned and is_mixed and all(map(_is_strong, found.groups)):
                yield found


@lru_cache(maxsize=1000)  # a text has few words, and each is asked for again and again
def is_word(text: str) -> bool:
    """True for letters that could be a word of a language, and are hardly a group of a code."""
    low = text.lower()
    is_cased = text in (low, text.upper(), text.capitalize())
    if not (text.isalpha() and is_cased and set(low) & set(_VOWELS) and set(low) - set(_VOWELS)) or "q" in low:
        return False
    return all(a in _VOWELS or b in _VOWELS or b in _AFTER.get(a, "") for a, b in pairwise(low))


def _found(text: str, tokens: Sequence[Token], at: int, sizes: tuple[int, ...]) -> Found | None:
    """The tokens from one on that have as many signs as the groups together, if what is between them lets them."""
    ends, size = {*accumulate(sizes)}, 0
    for end, token in enumerate(tokens[at : at + sum(sizes)], start=at + 1):
        if end > at + 1 and not _joins(text[tokens[end - 2].end : token.start]):
            return None
        size += len(token.text)
        if size >= sum(sizes):
            break
    run = tuple(tokens[at:end])
    found = Found(run, _between(text, run), sizes)
    is_fit = size == sum(sizes) and (_is_regular(run) or _is_split_well(found, ends))
    return found if is_fit else None


def _is_split_well(found: Found, ends: set[int]) -> bool:
    """Groups are read out by the letter or two, or broken where a line ends; otherwise they stay in one piece."""
    done = accumulate(len(token.text) for token in found.tokens)
    pieces = zip(done, pairwise(found.tokens), found.between, strict=False)
    return all(
        size in ends or "\n" in between or max(len(one.text), len(other.text)) <= _SHORT
        for size, (one, other), between in pieces
    )


def _is_regular(run: Sequence[Token]) -> bool:
    """True if somebody made groups of their own: all alike."""
    sizes = [len(token.text) for token in run]
    return len(run) > _SHORT and len({*sizes[:-1]}) == 1 and sizes[-1] <= sizes[0]


def _joins(between: str) -> bool:
    return len(between.strip()) <= _FARTHEST and len(between) <= 4 * _FARTHEST and "@" not in between


def _between(text: str, run: Sequence[Token]) -> tuple[str, ...]:
    return tuple(text[one.end : other.start] for one, other in pairwise(run))


def _may_be(text: str, found: Found) -> bool:
    if found.is_dashed:
        return True
    if _is_address(text, found):
        return False
    if found.signs.isdigit():
        return found.is_aligned or all(len(token.text) == 1 for token in found.tokens)
    pieces = _pieces(found)
    words = 2 * sum(map(is_word, pieces))
    return not _has_words(found) and (words < len(pieces) or (words == len(pieces) and _is_mixed(found)))


def _may_be_part(text: str, found: Found) -> bool:
    kinds = {each.strip() or " " for each in found.between}
    is_read_out = all(len(token.text) == 1 for token in found.tokens)
    if not found.between or (len(kinds) > 1 and not is_read_out) or not (found.is_aligned or is_read_out):
        return False
    if _is_address(text, found) or not _is_mixed(found) or any(map(is_word, found.groups)):
        return False
    return len(found.groups) > 2 or all(map(_has_both, found.groups))  # noqa: PLR2004 - two groups are many a number


def _without_words(text: str, tokens: Sequence[Token], at: int, sizes: tuple[int, ...]) -> tuple[Token, ...] | None:
    run: list[Token] = []
    size = words = 0
    for token in tokens[at : at + (_MOST_WORDS + 2) * len(sizes)]:
        if run and (words > _MOST_WORDS or not _joins(_TOKEN.sub("", text[run[-1].end : token.start]))):
            return None
        if run and not _is_strong(token.text) and token.text.isalpha():
            words += 1
            continue
        run, size, words = [*run, token], size + len(token.text), 0
        if size >= sum(sizes):
            break
    return tuple(run) if size == sum(sizes) and len(run) > 1 else None


def _pieces(found: Found) -> list[str]:
    texts = [token.text for token in found.tokens]
    return texts if len(texts) >= _SHORT and min(map(len, texts)) >= _SHORT else found.groups


def _has_words(found: Found) -> bool:
    """True if an ordinary word stands among what has capitals otherwise, or one that is longer than a group."""
    inner = any(len(token.text) >= _SHORT and _is_plain_word(token.text) for token in found.tokens)
    longest = max(found.sizes)
    is_longer = any(len(token.text) > longest and _is_plain_word(token.text) for token in found.tokens)
    return len(found.tokens) > 1 and (is_longer or (not found.signs.islower() and (inner or words_at_ends(found) > 0)))


def words_at_ends(found: Found) -> int:
    return sum(_is_plain_word(token.text) for token in (found.tokens[0], found.tokens[-1]))


def _is_plain_word(text: str) -> bool:
    return text.islower() and is_word(text)


def _is_address(text: str, found: Found) -> bool:
    start, end = found.tokens[0].start, found.tokens[-1].end
    return "@" in (text[start - 1 : start], text[end : end + 1])


def _goes_on(text: str, found: Found) -> bool:
    """True if a dash and more stand beside it."""
    start, end = found.tokens[0].start, found.tokens[-1].end
    before, after = text[max(0, start - 1) : start], text[end : end + 2]
    return before == "-" or (after[:1] == "-" and after[1:].isalnum())


def _is_mixed(found: Found) -> bool:
    """True if letters and digits stand together in one group, or there are capitals only."""
    return any(map(_has_both, found.groups)) or (found.signs.isalpha() and found.signs.isupper())


def _has_both(text: str) -> bool:
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _is_strong(text: str) -> bool:
    """True for what hardly is a word between two groups."""
    return any(map(str.isdigit, text)) or text not in (text.lower(), text.capitalize())
