"""What click says, in the language of the command line."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.click_words import MODULES, words_of
from cli.languages import help_texts
from cli.speech import of_words
from keypost.words import FALLBACK, LANGUAGES

Run = Callable[..., tuple[int, str, str]]
OTHERS = tuple(language for language in LANGUAGES if language != FALLBACK)
NEVER = {  # what no command here makes click say
    "%(prog)s, version %(version)s",
    "Boolean option {decl!r} cannot use the same flag for true/false.",
    "Choice({choices})",
    "Confirm the action without prompting.",
    "DeprecationWarning: The command {name!r} is deprecated.{extra_message}",
    "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}",
    "Do you want to continue?",
    "Error: The two entered values do not match.",
    "Error: The value you entered was invalid.",
    "Invalid start character for option ({option})",
    "Name '{name}' defined twice",
    "Press any key to continue...",
    "Repeat for confirmation",
    "The value {value!r} could not be parsed",
    "Unknown color {colour!r}",
    "Value must be an iterable.",
    "Windows error: {error}",
    "deprecated",
    "env var: {var}",
    "{len_type} values are required, but {len_value} was given.",
    "{len_type} values are required, but {len_value} were given.",
    "{name} {filename!r} is not executable.",
    "{value!r} is not a valid UUID.",
    "{value!r} is not a valid boolean. Recognized values: {states}",
}


def said_by_click() -> Iterator[str]:
    """Every text that click hands to gettext, in the modules that are told our words; without what it tells the author
    of a command, who declared one wrongly."""
    for module in MODULES:
        tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
        raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and "TypeError" in ast.dump(node)]
        of_authors = {line for node in raised for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext") and call.lineno not in of_authors:
                texts = [each.value for each in call.args[:2] if isinstance(each, ast.Constant)]
                yield from (text for text in texts if isinstance(text, str))


@pytest.mark.parametrize("language", OTHERS)
def test_all_that_click_can_say_has_words(language: str) -> None:
    found = set(said_by_click())

    assert "No such option {name!r}." in found
    assert found - set(words_of(language)["click"]) - set(words_of(language)["help"]) - NEVER == set()


@pytest.mark.parametrize("language", OTHERS)
def test_every_help_text_has_words_and_every_word_is_of_a_help_text(language: str) -> None:
    assert len(help_texts()) > 100
    assert help_texts() ^ set(words_of(language)["help"]) == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["due", "--lang", "nl", "--dagen", "3"], "keypost: De optie '--dagen' bestaat niet."),
        (["--lang=nl", "oder"], "keypost: De opdracht 'oder' bestaat niet. Bedoelde u 'order'?"),
        (["order", "show", "--lang", "nl"], "keypost: Dit argument ontbreekt: 'ORDER'."),
        (["due", "--days", "x", "--lang", "nl"], "keypost: De waarde van '--days' kan niet: 'x' is geen getal"),
        (["due", "extra", "--lang", "nl"], "keypost: Dit argument is er te veel: extra"),
        (["due", "--dagen"], "keypost: No such option '--dagen'."),
    ],
)
def test_wrong_use_is_told_in_the_language_of_the_command_line(run: Run, words: list[str], said: str) -> None:
    status, out, err = run(*words)

    assert (status, out) == (2, "")
    assert err.startswith(said)


def test_the_help_is_in_the_language_of_the_command_line(run: Run) -> None:
    def shown(*words: str) -> str:
        return run(*words, "--help")[1]

    assert "\n  Toon de bestellingen waarvoor een medewerker of voorraad" in shown("attention", "--lang", "nl")
    assert "  Houd ORDER vast, zodat er niets voor wordt verstuurd.\n" in shown("--lang", "nl", "order")
    assert "\n  Exitstatus: 0 gelukt," in shown("--lang=nl")
    assert "\n  Exit status: 0 done," in shown()


def test_the_help_has_dutch_headings(run: Run) -> None:
    english = run("due", "--help")[1]

    _, out, _ = run("--lang", "nl", "due", "--help")

    assert out.startswith("Gebruik: keypost due [OPTIONS]")
    assert "\nOpties:\n" in out
    assert "Toon deze uitleg." in out
    assert "Usage:" in english
    assert "Show this message and exit." in english
    assert run("due", "--help")[1] == english


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (["due", "--lang", "nl"], "nl"),
        (["--lang=en", "due"], "en"),
        (["due", "--lang", "xx"], None),
        (["--lang"], None),
        ([], None),
    ],
)
def test_the_language_is_known_before_click_has_read_the_words(words: list[str], language: str | None) -> None:
    assert of_words(words) == language
