"""What click itself says, in the languages of the command line, and help texts that are not cut. Click takes its words
from the gettext catalogs of the machine, of which there is none for it."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import click
import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.termui
import click.types

MODULES: tuple[ModuleType, ...] = (
    click.core,
    click.decorators,
    click.exceptions,
    click.formatting,
    click.parser,
    click.termui,
    click.types,
)
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {},
    "nl": {
        "Usage:": "Gebruik:",
        "Options": "Opties",
        "Commands": "Commando's",
        "Positional arguments": "Argumenten",
        "Show this message and exit.": "Toon deze uitleg.",
        "Show the version and exit.": "Toon de versie.",
        "default: {default}": "standaard: {default}",
        "required": "verplicht",
        "(dynamic)": "(wisselend)",
        "Try '{command} {option}' for help.": "'{command} {option}' geeft uitleg.",
        "Aborted!": "Afgebroken.",
        "Error: {message}": "Fout: {message}",
        "Error: invalid input": "Fout: dat is geen geldig antwoord",
        "Missing argument": "Dit argument ontbreekt:",
        "Missing option": "Deze optie ontbreekt:",
        "Missing parameter": "Dit ontbreekt:",
        "Missing parameter: {param_name}": "Dit ontbreekt: {param_name}",
        "Missing {param_type}": "Dit ontbreekt ({param_type}):",
        "Missing command.": "Er staat geen commando.",
        "No such command {name!r}.": "Het commando {name!r} bestaat niet.",
        "No such option {name!r}.": "De optie {name!r} bestaat niet.",
        "Did you mean {possibility}?": "Bedoelde u {possibility}?",
        "(Did you mean one of: {possibilities}?)": "(Bedoelde u een van deze: {possibilities}?)",
        "Got unexpected extra argument ({args})": "Dit argument is er te veel: {args}",
        "Got unexpected extra arguments ({args})": "Deze argumenten zijn er te veel: {args}",
        "Option {name!r} requires an argument.": "Achter de optie {name!r} hoort een waarde.",
        "Option {name!r} requires {nargs} arguments.": "Achter de optie {name!r} horen {nargs} waarden.",
        "Option {name!r} does not take a value.": "Achter de optie {name!r} hoort geen waarde.",
        "Argument {name!r} takes {nargs} values.": "Het argument {name!r} heeft {nargs} waarden.",
        "Takes {nargs} values but 1 was given.": "Hier horen {nargs} waarden, en er staat er 1.",
        "Takes {nargs} values but {len} were given.": "Hier horen {nargs} waarden, en er staan er {len}.",
        "Invalid value for {param_hint}: {message}": "De waarde van {param_hint} kan niet: {message}",
        "Invalid value: {message}": "Deze waarde kan niet: {message}",
        "{value!r} is not {choice}.": "{value!r} is niet {choice}.",
        "{value!r} is not one of {choices}.": "{value!r} is geen van {choices}.",
        "{value!r} is not a valid {number_type}.": "{value!r} is geen getal ({number_type}).",
        "{value} is not in the range {range}.": "{value} ligt niet in {range}.",
        "{value!r} does not match the format {format}.": "{value!r} heeft niet de vorm {format}.",
        "{value!r} does not match the formats {formats}.": "{value!r} heeft geen van de vormen {formats}.",
        "{name} {filename!r} does not exist.": "{filename!r} bestaat niet.",
        "{name} {filename!r} is a directory.": "{filename!r} is een map.",
        "{name} {filename!r} is a file.": "{filename!r} is een bestand.",
        "{name} {filename!r} is not readable.": "{filename!r} is niet te lezen.",
        "{name} {filename!r} is not writable.": "{filename!r} is niet te schrijven.",
        "Could not open file {filename!r}: {message}": "Het bestand {filename!r} gaat niet open: {message}",
        "Choose from:\n\t{choices}": "Kies uit:\n\t{choices}",
        "File": "Het bestand",
        "Directory": "De map",
        "Path": "Het pad",
        "file": "bestand",
        "directory": "map",
        "path": "pad",
        "unknown error": "onbekende fout",
    },
}


def speak(language: str) -> None:
    """Let click say what it has to say in this language from now on."""
    words = WORDS[language]

    def one(text: str) -> str:
        return words.get(text, text)

    def one_or_many(text: str, texts: str, count: int) -> str:
        return one(text if count == 1 else texts)

    for module in MODULES:
        for name, said in (("_", one), ("ngettext", one_or_many)):
            if hasattr(module, name):
                setattr(module, name, said)


class Command(click.Command):
    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - the list of commands wraps it
        return super().get_short_help_str(_WHOLE)


class Group(click.Group):
    command_class = Command
    group_class: Any = type  # groups in it are like it

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - as above
        return super().get_short_help_str(_WHOLE)


_WHOLE = 1000  # characters: the whole sentence
