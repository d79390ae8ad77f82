"""Words that a reader stumbled over, and that must not come back: in no text of any language that people read."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from keypost import words
from keypost.words import LANGUAGES, TABLES, of_folder

FOLDER = Path(words.__file__).parent


class Never(NamedTuple):
    pattern: str
    was: str  # a text that had it
    now: str  # what it says instead


# Words of programs, and names of the API's fields where a person is to decide something.
EVERYWHERE = (
    Never(r"pydantic|function-after", "email/function-after[email_address()]: wrong", "this is no e-mail address"),
    Never(r"\bbearer\b", "Send it as Authorization: Bearer <key>", "No key was sent."),
    Never(r"(?-i:\bNone\b)|\bnull\b(?!: )", "Input should be None", "[`{field}` ]is null: leave it out instead"),
    Never(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", "1f0c2a3b-0d4e-4b5c-8d6e-7f8a9b0c1d2e failed", "LIC-7K3M2Q failed"),
    Never(r"(see|zie|siehe) `errors`", "The request is not right: see `errors`.", "The request contains errors."),
    Never(r"`confirmed`", "send the same again with `confirmed`", "confirm it and try again"),
)
NEVER = {
    "en": (
        Never(r"nothing to do for you", "There is nothing to do for you.", "You do not need to do anything."),
        Never(r"\ball you need\b", "This e-mail holds all you need", "Everything you need is in this e-mail"),
        Never(r"\bneed not\b", "you need not do anything", "You do not need to do anything."),
        Never(r"is this not right|did you not\b|does it not\b", "Is this not right?", "If this is not right, ..."),
        Never(r"\blicenses?\b", "your license", "your licence {license}"),
        Never(r"\bcanceled\b|\bcatalog\b(?!\.)", "not in the catalog", "not in the catalogue"),
        Never(r"\bemails?\b|(?<!e-)mail address", "your email", "your e-mail"),
        Never(r"\bby itself\b", "it is then sent by itself", "it is then sent automatically"),
        Never(r"\bfor good\b", "it came back for good", "it was permanently refused"),
        Never(r"\bmoney back\b|money was returned|went back", "the money was returned", "the money was refunded"),
        Never(r"\b(told|tell) of\b", "Stripe told of another address", "Stripe reported another address"),
        Never(r"\bserve[sd]?\b", "Keypost serves what was paid", "Keypost handles orders that were paid"),
        Never(r"\bsay which\b|\bsay `", "say which licence it was", "enter which licence it was"),
        Never(
            r"need(s)? (nobody|anybody|somebody)|asks? for nobody", "No order needs anybody now.", "No action needed"
        ),
        Never(
            r"\bwaits? for (a person|you)\b", "the renewal waits for a person", "the renewal is waiting for a decision"
        ),
        Never(r"which is the most\b", "sent three times, which is the most", "sent three times, which is the maximum"),
        Never(r"\ball the same\b|\banew\b", "sell it anew", "make a new order"),
        Never(r"\bhave (it|them|these|this) (un)?blocked", "have them blocked", "ask the vendor to block them"),
        Never(
            r"(?<!there )\bis no (\w+ )?(renewal|month|whole|usable)",
            "Line 1 is no renewal.",
            "Line 1 is not a renewal.",
        ),
        Never(r"\bdo(es)? not take\b|\btakes no\b", "SES takes no mail of it", "SES accepts no e-mail from it"),
        Never(r"\bgoes with (neither|either)\b", "it goes with neither", "it cannot be combined with `to`"),
        Never(r"\bfor who\b|\bto who\b", "for who sold it", "for the distributor"),
    ),
    "nl": (
        Never(r"\biemand nodig\b|niemand meer nodig", "Hier is iemand nodig", "Actie nodig"),
        Never(r"\b(zij|haar)\b", "tot zij wordt vrijgegeven", "tot u deze vrijgeeft"),
        Never(r"op elk daarvan", "activeer op elk daarvan", "activeer op elk apparaat"),
        Never(
            r"\bterugge?gaan\b|\bging(en)? terug\b|geld terug\b",
            "het geld is teruggegaan",
            "het bedrag is terugbetaald",
        ),
        Never(r"met de hand (gemaakt|gegeven)|met de hand$", "Bestelling met de hand", "Handmatige bestelling"),
        Never(r"\bpostvak in\b|\brekenblad\b|\borderkaart\b", "de orderkaart", "de bestelkaart"),
        Never(r"\b(je|jij|jou|jouw)\b", "je code", "uw code"),
        Never(r"(?<!e-)mailadres|e-mail adres|(?-i:\bemail\b)", "uw mailadres", "uw e-mailadres"),
        Never(r"\bschrijf naar\b|\bschrijf de klant\b", "schrijf naar ons", "mail ons"),
        Never(r"\bvertrekt\b|\bgaa?t zo weg\b", "de e-mail vertrekt", "de e-mail wordt verstuurd"),
        Never(r"\bde vraag klopt\b", "De vraag klopt niet", "Het verzoek bevat fouten"),
        Never(r"\bkijkt u\b", "kijkt u bij Mollie", "controleer dat bij Mollie"),
        Never(r"loopt uw vorige", "Loopt uw vorige licentie nog", "Loopt uw huidige licentie nog"),
        Never(r"neemt (onze|geen) e-mail", "het adres neemt geen e-mail aan", "e-mail kan niet worden bezorgd"),
    ),
    "de": (Never(r"(?-i:\b([Dd]u|dir|dich|[Dd]ein\w*)\b)", "dein Code", "Ihr Code"),),
}
CASES = [(language, never) for language in LANGUAGES for never in (*EVERYWHERE, *NEVER.get(language, ()))]


def texts_of(language: str) -> list[str]:
    """All texts in the folder of a language, whatever files it has."""
    files = sorted((FOLDER / language).iterdir())
    return [text for path in files if path.suffix in _READ for text in _READ[path.suffix](path)]


def _of_python(path: Path) -> Iterator[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    keys = {id(key) for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in keys | docs:
            yield node.value


def _of_script(path: Path) -> list[str]:
    return re.findall(r': "((?:[^"\\]|\\.)*)",$', path.read_text("utf-8"), re.MULTILINE)


def _of_toml(path: Path) -> Iterator[str]:
    return _strings(tomllib.loads(path.read_text("utf-8")))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)


_READ = {".py": _of_python, ".js": _of_script, ".toml": _of_toml}


def has(never: Never, text: str) -> bool:
    """Whether a reader meets the words. A field in braces is not read, nor is what stands in backquotes."""
    plain = re.sub(r"\{[^{}]*\}", "", text)
    plain = plain if "`" in never.pattern else re.sub(r"`[^`]*`", "", plain)
    return re.search(never.pattern, plain, re.IGNORECASE) is not None


@pytest.mark.parametrize("never", [*EVERYWHERE, *(each for table in NEVER.values() for each in table)])
def test_each_pattern_finds_what_it_was_written_for_and_not_what_stands_there_now(never: Never) -> None:
    assert (has(never, never.was), has(never, never.now)) == (True, False)


@pytest.mark.parametrize(("language", "never"), CASES)
def test_no_text_has_what_a_reader_stumbled_over(language: str, never: Never) -> None:
    assert [text for text in texts_of(language) if has(never, text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_files_of_a_language_are_read(language: str) -> None:
    found = texts_of(language)

    assert {path.suffix for path in (FOLDER / language).iterdir() if path.is_file()} <= set(_READ)
    assert set(TABLES[language].TEXTS.values()) <= set(found)
    assert len(found) > len(TABLES[language].TEXTS)
    assert tomllib.loads(of_folder(language, "resend_page.toml"))["title"] in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_within_other_sentences_has_no_full_stop(language: str) -> None:
    inner = {code: text for code, text in TABLES[language].TEXTS.items() if text[0].islower()}

    assert inner
    assert {code for code, text in inner.items() if text.endswith(".")} == set()
