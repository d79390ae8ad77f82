"""What click itself says, in the languages of the command line, and help texts that are not cut. Click takes its words
from the gettext catalogs of the machine, of which there is none for it."""

from collections.abc import Mapping
from copy import copy
from functools import cache
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

from cli.speech import Speech, speech
from keypost.words import page_words

MODULES: tuple[ModuleType, ...] = (
    click.core,
    click.decorators,
    click.exceptions,
    click.formatting,
    click.parser,
    click.termui,
    click.types,
)
_FILE = "command_line.toml"


@cache
def words_of(language: str) -> Mapping[str, Mapping[str, str]]:
    """Of a language, what stands in place of the texts of click, and of the paragraphs of the help."""
    return page_words(language, _FILE)


def speak(language: str) -> None:
    """Let click say what it has to say in this language from now on."""
    words = words_of(language)["click"]

    def one(text: str) -> str:
        return words.get(text, text)

    def one_or_many(text: str, texts: str, count: int) -> str:
        return one(text if count == 1 else texts)

    for module in MODULES:
        for name, said in (("_", one), ("ngettext", one_or_many)):
            if hasattr(module, name):
                setattr(module, name, said)


def paragraphs(text: str | None) -> list[str]:
    return [" ".join(each.split()) for each in (text or "").split("\n\n") if each.strip()]


def translated(text: str | None, language: str) -> str | None:
    """A help text in a language, paragraph by paragraph; one that the language lacks stays as it is."""
    words = words_of(language)["help"]
    return text and "\n\n".join(words.get(each, each) for each in paragraphs(text))


def _in_language(command: click.Command, context: click.Context) -> click.Command:
    """The command as its help is shown: a copy, because the command itself serves every language."""
    language = context.find_root().ensure_object(Speech).language
    shown = copy(command)
    shown.params = [_shown(each, language) for each in command.get_params(context)]
    shown.add_help_option = False  # it is among them: click makes it once, in English
    shown.help, shown.epilog = translated(command.help, language), translated(command.epilog, language)
    return shown


def _shown(param: click.Parameter, language: str) -> click.Parameter:
    shown = copy(param)
    if isinstance(shown, click.Option):
        shown.help = translated(shown.help, language)
    return shown


class Command(click.Command):
    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        click.Command.format_help(_in_language(self, ctx), ctx, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - the list of commands wraps it
        return _short(self)


class Group(click.Group):
    command_class = Command
    group_class: Any = type  # groups in it are like it

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        click.Group.format_help(_in_language(self, ctx), ctx, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - as above
        return _short(self)


def _short(command: click.Command) -> str:
    """The first sentence of the help, whole."""
    shown = copy(command)
    shown.help = translated(command.help, speech().language)
    return click.Command.get_short_help_str(shown, _WHOLE)


_WHOLE = 1000  # characters: the whole sentence
