"""The language of the command line: that of `--lang`, else that of the shell's locale."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Any

import click

from keypost.core.said import Said, said
from keypost.words import LANGUAGES, Reader, day, reader, sentence, spoken


def of_locale(environment: Mapping[str, str]) -> str:
    """The language of a locale such as nl_NL.UTF-8. The first variable that is set counts, as for every program."""
    given = (environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return spoken(next(filter(None, given), ""))


def of_words(words: Sequence[str]) -> str | None:
    """The language that `--lang` names among the words of the command line. Click reads it only after it has found all
    other words to be right; what it says of a wrong one must be in that language too."""
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        chosen = value or next(iter(words[place + 1 :]), "")
        if name == "--lang" and chosen in LANGUAGES:
            return chosen
    return None


@dataclass(slots=True)
class Speech:
    """One for each call of the command; its option --lang changes the language."""

    language: str = field(default_factory=lambda: of_locale(os.environ))

    def reader(self, names: Mapping[str, str] | None = None, zone: tzinfo = UTC) -> Reader:
        """Days are the shop's in any zone; what names moments gives the shop's."""
        return reader(self.language, zone, names)


def speech() -> Speech:
    """The speech of this call of the command."""
    context = click.get_current_context(silent=True)
    return context.find_root().ensure_object(Speech) if context else Speech()


def _choose(context: click.Context, _option: click.Parameter, language: str | None) -> None:
    if language:
        context.find_root().ensure_object(Speech).language = language


lang = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    is_eager=True,
    callback=_choose,
    help="The language of the output. Default: that of the shell's locale.",
)


def text(code: str, /, **values: Any) -> str:
    """The sentence for a code with values."""
    return sentence(said(code, **values), speech().reader())


def longest_day() -> int:
    """How many characters the longest day has, so that what stands behind days begins in one column."""
    return max(len(day(date(2026, month, 28), speech().language)) for month in range(1, 13))


def say(what: str | Said, /, *, err: bool = False, names: Mapping[str, str] | None = None, **values: Any) -> None:
    """Print the sentence for a code with values."""
    what = what if isinstance(what, Said) else said(what, **values)
    click.echo(sentence(what, speech().reader(names)), err=err)
