"""What people read is spelled as hunspell has it, in each language for which it has a dictionary."""

import re
from pathlib import Path

import pytest

from cli.languages import texts_of
from keypost.words import LANGUAGES
from tests.programs import misspelled

KNOWN = Path(__file__).parent / "spelling"  # names and terms, in a list for all languages and one for each


def known(language: str) -> set[str]:
    return {word for name in ("all", language) for word in (KNOWN / f"{name}.txt").read_text("utf-8").split()}


def words_in(text: str) -> set[str]:
    """The words of a text, without fields, addresses, names of fields and commands, and what has a digit."""
    plain = re.sub(r"`[^`]*`|\{[^{}]*\}|\S+(?:://|@)\S+|[\w-]*\d[\w-]*|\w+[._]\w[\w.]+|--\w+", " ", text)
    return set(re.findall("[^\\W\\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\\W\\d_]+)*", plain.replace("\\n", " ")))


@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=pytest.mark.needs(f"hunspell-{each}")) for each in LANGUAGES]
)
def test_every_text_is_spelled_as_in_the_dictionary_or_in_our_lists(language: str) -> None:
    words = set().union(*map(words_in, texts_of(language).values()))

    assert len(words) > 1000
    assert misspelled(words - known(language) | {"fuotje"}, language) == ["fuotje"]
