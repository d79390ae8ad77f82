"""Activation codes in what people type: a note, a reference, a name. They are found by the patterns of the catalog, in
any spelling, and are never told again but for their last five characters."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from keypost.core import typed_shapes
from keypost.core.codes import DASHES, masked, normalize, spellings
from keypost.core.frozen import dataclass
from keypost.core.plain_text import PlainText, plain
from keypost.core.product import Product
from keypost.core.readable import readable
from keypost.core.typed_shapes import Found, Token, is_word, sizes_of, tokens_of, words_at_ends

_FEWEST = 8  # letters and digits of a code that a text is searched for
_MANY = 16  # letters of a text that may hold a code of letters alone
_CAPITALS = 4
_FEW_CODES = 8  # that one text may mean
_FEW = 100  # that overlap; where more do, nobody wrote a sentence
_MAY_HOLD = re.compile(r"[0-9]|[A-Za-z]{3}-")
_WORD = re.compile(r"[^\s,;()\"'<>]+")
_SIGN = re.compile(r"[A-Za-z0-9]")
_ALIKE = (str.maketrans("", ""), str.maketrans("OIl", "011"), str.maketrans("01", "OI"))
# What no pattern of codes may take for one: where it does, only codes that are in the table are recognized by it.
_ORDINARY = ("licentiecode", "LICENTIECODE", "2026-001234", "R-8f021204", "LIC-ABCDEFGH23", "info@klant.example")

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Signs:
    """By what the codes of the products of a catalog are recognized."""

    products: tuple[Product, ...] = ()  # whose patterns take nothing else for a code
    others: tuple[Product, ...] = ()

    @property
    def skus(self) -> list[str]:
        return [product.sku for product in (*self.products, *self.others)]

    @property
    def of_each_form(self) -> list[Product]:
        """One product for all whose codes look alike."""
        return list({(each.code_pattern, each.code_example): each for each in self.products}.values())


def signs_of(products: Iterable[Product]) -> Signs:
    products = list(products)
    sure = tuple(product for product in products if _is_sure(product))
    return Signs(sure, tuple(product for product in products if product not in sure))


def may_hold_code(text: str) -> bool:
    """Whether it is worth while to look for a code in a text; cheap, and true for many texts that hold none."""
    simple = text if text.isascii() else plain(text).text
    signs = _SIGN.findall(simple)
    if len(signs) < _FEWEST:
        return False
    has_many = len(signs) >= _MANY or sum(map(str.isupper, signs)) >= _CAPITALS
    return has_many or _MAY_HOLD.search(simple) is not None


def without_codes(text: str, signs: Signs, is_known: Callable[[str], bool] = lambda _: False) -> str:
    """The text with each code in it masked to its last five characters. `is_known` says whether a word is a code that
    the table has: it is asked for words that fit a pattern which ordinary words fit too."""
    if not may_hold_code(text):
        return text
    seen = plain(text)
    hidden = _codes(seen.text, signs)
    known = _known(text, seen, signs.others, is_known)
    hidden |= {place: masked(word) for place, word in known if not _overlaps(place, hidden)}
    told = text
    for (start, end), instead in sorted(hidden.items(), reverse=True):
        first, last = seen.place(start, end)
        told = told[:first] + instead + told[last:]
    return told


def codes_in(text: str, signs: Signs) -> list[str]:
    """The whole codes that stand in a text, spelled as their products' are."""
    if not may_hold_code(text):
        return []
    seen = plain(text).text
    tokens, found = tokens_of(seen), dict[str, None]()
    for product in signs.of_each_form:
        for each in typed_shapes.whole(seen, tokens, sizes_of(product.code_example)):
            spelled = _with_dashes(each.signs, product.code_example)
            for cased in (spelled, spelled.upper(), spelled.lower()):
                if _compiled(product.code_pattern).fullmatch(cased):
                    found[cased] = None
    return [*found][:_FEW_CODES]


def is_code(text: str, signs: Signs) -> bool:
    """Whether a text is a code and nothing else."""
    return any(_fits(text, product) for product in signs.products)


def _is_sure(product: Product) -> bool:
    enough = len(_SIGN.findall(product.code_example)) >= _FEWEST
    return enough and not any(_fits(word, product) for word in _ORDINARY)


def _fits(text: str, product: Product) -> bool:
    return any(re.fullmatch(product.code_pattern, each) for each in spellings(_joined(text), product))


def _joined(text: str) -> str:
    """With one hyphen for whatever stands between two groups."""
    return normalize(re.sub(rf"[\s{DASHES}]+", "-", text.strip()), case_counts=True)


def _codes(text: str, signs: Signs) -> dict[Place, str]:
    """Where codes stand in a plain text, with what is told instead."""
    stays = readable(text, signs.skus, lambda each: _is_any(each, signs))
    tokens = [token for token in tokens_of(text) if not _overlaps((token.start, token.end), stays)]
    hidden: list[Place] = []
    told: dict[Place, str] = {}
    for look in (_whole, _nearly, _in_part, _scattered):
        left = [token for token in tokens if not _overlaps((token.start, token.end), hidden)]
        for place, run in _merged(each for product in signs.of_each_form for each in look(text, left, product)):
            hidden.append(place)
            told |= _told(text, run)
    return told


def _is_any(text: str, signs: Signs) -> bool:
    return any(_fits(text, product) for product in (*signs.products, *signs.others))


def _overlaps(place: Place, others: Iterable[Place]) -> bool:
    return any(place[0] < end and start < place[1] for start, end in others)


def _whole(text: str, tokens: Sequence[Token], product: Product) -> Iterator[Found]:
    for found in typed_shapes.whole(text, tokens, sizes_of(product.code_example)):
        if _is_like(found.signs, product):
            yield _scored(found)
    yield from _as_patterned(text, tokens, product)


def _nearly(text: str, tokens: Sequence[Token], product: Product) -> Iterator[Found]:
    return map(_scored, typed_shapes.nearly(text, tokens, sizes_of(product.code_example)))


def _in_part(text: str, tokens: Sequence[Token], product: Product) -> Iterator[Found]:
    sizes, example = sizes_of(product.code_example), "".join(_SIGN.findall(product.code_example))
    for first, found in typed_shapes.parts(text, tokens, sizes):
        start = sum(sizes[:first])
        if _is_like(example[:start] + found.signs + example[start + len(found.signs) :], product):
            yield _scored(found)


def _scattered(text: str, tokens: Sequence[Token], product: Product) -> Iterator[Found]:
    for found in typed_shapes.scattered(text, tokens, sizes_of(product.code_example)):
        if _is_like(found.signs, product):
            yield _scored(found)


def _scored(found: Found) -> Found:
    """Of two that overlap, the one with dashes is meant, then the longer one, then the one with fewer words."""
    digits = sum(any(map(str.isdigit, token.text)) for token in found.tokens)
    words = sum(is_word(token.text) for token in found.tokens)
    at_ends = 0 if found.is_dashed else words_at_ends(found)
    order = (int(found.is_dashed), -at_ends, sum(found.sizes), digits, -words, -len(set(found.between)))
    return replace(found, score=order)


def _is_like(signs: str, product: Product) -> bool:
    """Whether letters and digits are those of a code of a product, in any case, also with O for 0 or I for 1."""
    spelled = _with_dashes(signs, product.code_example)
    cased = {spelled, spelled.upper(), spelled.lower()}
    return any(
        map(_compiled(product.code_pattern).fullmatch, {each.translate(like) for each in cased for like in _ALIKE})
    )


def _with_dashes(signs: str, example: str) -> str:
    """Letters and digits with what the example has between its groups."""
    return _form(example) % tuple(signs)


@cache
def _form(example: str) -> str:
    """The example with a place for each letter and digit."""
    return _SIGN.sub("%s", example.replace("%", "%%"))


def _as_patterned(text: str, tokens: Sequence[Token], product: Product) -> Iterator[Found]:
    """What fits the pattern as it stands, which the groups of the example do not show: codes of several lengths, and
    codes that somebody typed against a word."""
    for found in (*_dashed(product.code_example).finditer(text), *_compiled(product.code_pattern).finditer(text)):
        first = bisect_right(tokens, found.start(), key=lambda token: token.end)
        run = tuple(tokens[first : bisect_left(tokens, found.end(), key=lambda token: token.start)])
        is_written = "-" in found[0] or found[0].isupper() or any(map(str.isdigit, found[0]))
        if run and is_written and _is_bounded(found, run) and _fits(found[0], product):
            ends = replace(run[0], text=run[0].text[found.start() - run[0].start :], start=found.start())
            last = replace(run[-1] if len(run) > 1 else ends, end=found.end())
            last = replace(last, text=text[last.start : last.end])
            run = (ends, *run[1:-1], last) if len(run) > 1 else (last,)
            between = tuple(text[one.end : other.start] for one, other in pairwise(run))
            yield _scored(Found(run, between, tuple(len(token.text) for token in run)))


def _is_bounded(found: re.Match[str], run: Sequence[Token]) -> bool:
    """A code without dashes is a word of its own; one with dashes may stand against a word."""
    return "-" in found[0] or (found.start() <= run[0].start and run[-1].end <= found.end())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _dashed(example: str) -> re.Pattern[str]:
    """What a code like the example looks like with its dashes, wherever it stands."""
    groups = [f"[A-Za-z0-9]{{{size}}}" for size in sizes_of(example)]
    return re.compile(r"\s?-{1,3}\s?".join(groups) if len(groups) > 1 else r"(?!)")


def _merged(all_found: Iterable[Found]) -> Iterator[tuple[Place, tuple[Token, ...]]]:
    """The places to hide: of those that overlap the best one, and all of them where none is better."""
    for cluster in _clusters(all_found):
        for chosen in _clusters(_best(cluster) if len(cluster) <= _FEW else cluster):
            run = {token.start: token for found in chosen for token in found.tokens}
            tokens = tuple(run[start] for start in sorted(run))
            yield _place(tokens), tokens


def _clusters(all_found: Iterable[Found]) -> Iterator[list[Found]]:
    """Those that overlap, together."""
    cluster, end = list[Found](), 0
    for found in sorted(all_found, key=lambda each: _place(each.tokens)):
        if cluster and found.tokens[0].start >= end:
            yield cluster
            cluster = []
        cluster.append(found)
        end = max(end, found.tokens[-1].end) if len(cluster) > 1 else found.tokens[-1].end
    if cluster:
        yield cluster


def _best(cluster: Sequence[Found]) -> list[Found]:
    chosen: list[Found] = []
    for found in sorted(cluster, key=lambda each: each.score, reverse=True):
        better = (other for other in chosen if _overlaps(_place(found.tokens), [_place(other.tokens)]))
        if all(other.score == found.score for other in better):
            chosen.append(found)
    return chosen


def _place(run: Sequence[Token]) -> Place:
    return run[0].start, run[-1].end


def _told(text: str, run: tuple[Token, ...]) -> dict[Place, str]:
    """What is told instead of a code; the words between its groups are told as they are."""
    stretches: list[list[Token]] = []
    for token in run:
        if stretches and not any(map(str.isalnum, text[stretches[-1][-1].end : token.start])):
            stretches[-1].append(token)
        else:
            stretches.append([token])
    joined = ("" if max(len(token.text) for token in run) == 1 else "-").join(token.text for token in run)
    told = {_place(stretch): "…" for stretch in stretches}
    return told | {_place(stretches[-1]): masked(joined)}


def _known(
    text: str, seen: PlainText, others: Sequence[Product], is_known: Callable[[str], bool]
) -> Iterator[tuple[Place, str]]:
    """Words that fit a pattern which ordinary words fit too, and that the table has as a code."""
    for found in _WORD.finditer(seen.text) if others else ():
        bare = found[0].rstrip(".:!?")
        typed = text[slice(*seen.place(found.start(), found.start() + len(bare)))] if bare else ""
        for word in dict.fromkeys(filter(None, (bare, typed))):
            if any(_fits(word, product) for product in others) and is_known(word):
                yield (found.start(), found.start() + len(bare)), word
                break
