"""Activation codes in what people type: a note, a reference, a name. They are found by the patterns of the catalog, in
any spelling, and are never told again but for their last five characters."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial

from keypost.core.codes import DASHES, is_unseen, masked, normalize, spellings
from keypost.core.product import Product

_FEWEST_GROUPS = 3  # of a code that is recognized with an error in it
_FEWEST = 8  # letters and digits of a code that a text is searched for
_MAY_HOLD = re.compile(rf"[0-9]|[A-Z]{{4}}|[A-Za-z]{{3}}[{DASHES}]")
_BETWEEN = rf"[\s_.:,;/|+~·{DASHES}]"  # what people put between the groups of a code
_WORD = re.compile(r"[^\s,;()\"'<>]+")
_SIGN = re.compile(r"[A-Za-z0-9]")
# What no pattern of codes may take for one: where it does, only codes that are in the table are recognized by it.
_ORDINARY = ("licentiecode", "LICENTIECODE", "2026-001234", "R-8f021204", "LIC-ABCDEFGH23", "info@klant.example")


@dataclass(frozen=True, slots=True)
class Signs:
    """By what the codes of the products of a catalog are recognized."""

    products: tuple[Product, ...] = ()  # whose patterns take nothing else for a code
    others: tuple[Product, ...] = ()


def signs_of(products: Iterable[Product]) -> Signs:
    products = list(products)
    sure = tuple(product for product in products if _is_sure(product))
    return Signs(sure, tuple(product for product in products if product not in sure))


def may_hold_code(text: str) -> bool:
    """Whether it is worth while to look for a code in a text; cheap, and true for many texts that hold none."""
    return len(_SIGN.findall(text)) >= _FEWEST and _MAY_HOLD.search(text) is not None


def without_codes(text: str, signs: Signs, is_known: Callable[[str], bool] = lambda _: False) -> str:
    """The text with each code in it masked to its last five characters. `is_known` says whether a word is a code that
    the table has: it is asked for words that fit a pattern which ordinary words fit too."""
    if not may_hold_code(text):
        return text
    seen = told = "".join(sign for sign in text if not is_unseen(sign))
    for product in signs.products:
        told = _nearly(product.code_example).sub(_hidden_nearly, told)
        for looks in _looks(product):
            told = looks.sub(partial(_hidden, product=product), told)
    if signs.others:
        told = _WORD.sub(partial(_hidden_if, products=signs.others, is_known=is_known), told)
    return text if told == seen else told


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


@cache
def _shapes(example: str) -> tuple[re.Pattern[str], ...]:
    """What a code like the example looks like inside a text: with dashes; with blanks or other signs, also between
    longer runs of such groups, as nobody knows where among them it begins; and as one word."""
    groups = [
        "".join("[A-Za-z0-9]" if _SIGN.fullmatch(sign) else re.escape(sign) for sign in g) for g in example.split("-")
    ]
    alone = r"(?<![^\W_])(?<![@.]){}(?![^\W_])(?!@)"
    if len(groups) == 1:
        return (re.compile(alone.format(groups[0])),)
    dashed = rf"\s?[{DASHES}]{{1,3}}\s?".join(groups)
    between = rf"{_BETWEEN}{{1,4}}"
    blanks = rf"(?<![^\W_]){between.join(groups)}(?:{between}{groups[-1]}(?![^\W_])(?!@))*"
    return re.compile(dashed), re.compile(blanks), re.compile(alone.format(f"[{DASHES}]?".join(groups)))


def _looks(product: Product) -> tuple[re.Pattern[str], ...]:
    return (*_shapes(product.code_example), re.compile(product.code_pattern))


@cache
def _nearly(example: str) -> re.Pattern[str]:
    """What a code like the example looks like in which somebody left a sign out of a group, or typed one too many."""
    sizes = [len(group) for group in example.split("-")]
    if len(sizes) < _FEWEST_GROUPS:
        return re.compile(r"(?!)")
    groups = (f"[A-Za-z0-9]{{{max(1, size - 1)},{size + 1}}}" for size in sizes)
    return re.compile(rf"(?<![\w{DASHES}]){f'[{DASHES}]'.join(groups)}(?![\w{DASHES}])")


def _hidden_nearly(found: re.Match[str]) -> str:
    """Numbers alone are no code with an error, nor are words that somebody joined."""
    text = found[0]
    return masked(text) if text.isupper() or re.search("[0-9].*[A-Za-z]|[A-Za-z].*[0-9]", text) else text


def _hidden(found: re.Match[str], product: Product) -> str:
    return masked(found[0]) if any(_fits(run, product) for run in _runs(found[0], product)) else found[0]


def _runs(text: str, product: Product) -> list[str]:
    """What may be codes in what was found: a longer run of groups has one somewhere. `hallo klant wacht lange` has the
    groups of one, and is none."""
    size = product.code_example.count("-") + 1
    parts = re.split(rf"{_BETWEEN}+", text.strip())
    runs = ("-".join(parts[at : at + size]) for at in range(max(1, len(parts) - size + 1)))
    is_joined = re.fullmatch(rf".*[{DASHES}].*", text) is not None
    return [run for run in runs if is_joined or run.isupper() or any(map(str.isdigit, run))]


def _hidden_if(found: re.Match[str], products: Iterable[Product], is_known: Callable[[str], bool]) -> str:
    word = found[0]
    bare = word.rstrip(".:!?")
    if not any(_fits(bare, product) for product in products) or not is_known(bare):
        return word
    return masked(bare) + word[len(bare) :]
