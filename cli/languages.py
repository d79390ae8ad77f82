"""What each language of `keypost.words` lacks, for `make check`. What it lacks is told in English, which nobody else
notices.

The exit status is 1 if a language has a text that English does not have, or one with other fields, which is wrong.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

import click

from cli.click_words import paragraphs, words_of
from cli.main import cli
from keypost import words
from keypost.words import FALLBACK, LANGUAGES, TABLES, mail_texts, of_folder

_JS = re.compile(r'^  "?([\w.-]+)"?: "((?:[^"\\]|\\.)*)",$', re.MULTILINE)
_COMMAND_LINE = "command_line.toml"
_PAGES = sorted({path.name for path in (Path(words.__file__).parent / FALLBACK).glob("*.toml")} - {_COMMAND_LINE})


def help_texts(command: click.Command = cli) -> set[str]:
    """Every paragraph of the help of a command and of those within it, in English."""
    params = command.get_params(click.Context(command))
    texts = [command.help, command.epilog, *(getattr(each, "help", None) for each in params)]
    own = {each for text in texts for each in paragraphs(text)}
    within = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*map(help_texts, within))


def texts_of(language: str) -> dict[str, str]:
    """All texts that a language has itself, each by its place."""
    table = TABLES[language]
    found = {f"sentences: {code}": text for code, text in table.TEXTS.items()}
    found |= {f"SES: {sign}": text for sign, text in table.SES.items()}
    found |= {
        f"mails: {code}": text if isinstance(text, str) else " ".join(text)
        for code, text in mail_texts(language).items()
    }
    for page in _PAGES:
        found |= {f"{page}: {name}": text for name, text in _flat(tomllib.loads(of_folder(language, page)))}
    found |= {f"support_page.js: {name}": text for name, text in _JS.findall(of_folder(language, "support_page.js"))}
    return found | {f"{_COMMAND_LINE}: {english}": text for english, text in _command_line(language).items()}


def _flat(texts: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if isinstance(text, Mapping):
            yield from _flat(text, f"{within}{name}.")
        else:
            yield within + name, text if isinstance(text, str) else " ".join(text)


def _command_line(language: str) -> dict[str, str]:
    """English stands in the commands, and in click: of its words only those count that a language has."""
    if language == FALLBACK:
        of_click = {english for each in LANGUAGES for english in words_of(each)["click"]}
        return {english: english for english in of_click | help_texts()}
    return {**words_of(language)["click"], **words_of(language)["help"]}


def fields_of(text: str) -> list[tuple[str, str]]:
    """The fields of a text, each with how its value is written."""
    return sorted((name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name)


def lacking(language: str) -> list[str]:
    return sorted(set(texts_of(FALLBACK)) - set(texts_of(language)))


def wrong(language: str) -> list[str]:
    """The texts that English does not have, and those that have other fields than in English."""
    english = texts_of(FALLBACK)
    return sorted(place for place, text in texts_of(language).items() if not _fits(place, text, english.get(place)))


def _fits(place: str, text: str, english: str | None) -> bool:
    """What click says may leave out a field, such as whether it is a file or a folder that does not exist. A help text
    that has changed in English is missing, and its old one does no harm."""
    if place.startswith(_COMMAND_LINE):
        return set(fields_of(text)) <= set(fields_of(place))
    return english is not None and fields_of(text) == fields_of(english)


def main() -> int:
    faults = 0
    for language in LANGUAGES:
        name, lacks, bad = TABLES[language].NAME, lacking(language), wrong(language)
        told = f"missing, and told in English: {len(lacks)}" if lacks else "complete"
        for line in (f"{name}: {told}", *(f"  {each}" for each in lacks), *(f"  wrong: {each}" for each in bad)):
            click.echo(" ".join(line.split("\n")))
        faults += len(bad)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
