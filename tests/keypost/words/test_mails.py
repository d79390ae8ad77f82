"""What the mails to customers say: the same codes with the same fields in every language, each of them used."""

import ast
import re
from string import Formatter

import pytest

from cli.local.deploy import ROOT
from keypost.core.product import Part, Platform
from keypost.words import FALLBACK, LANGUAGES, mail_texts

SOURCES = "".join(path.read_text("utf-8") for path in sorted((ROOT / "layers/keypost/keypost/emails").glob("*.py")))
ENTRIES = [(language, code) for language in LANGUAGES for code in mail_texts(language)]


def texts(language: str, code: str) -> tuple[str, ...]:
    """The text of a code, or both of its pair."""
    entry = mail_texts(language)[code]
    return (entry,) if isinstance(entry, str) else entry


def fields(language: str, code: str) -> set[tuple[str, str]]:
    return {
        (name, spec or "") for text in texts(language, code) for _, name, spec, _ in Formatter().parse(text) if name
    }


def built() -> set[str]:
    """The codes that are built of a name."""
    kinds = ("address_changed", "sent_elsewhere", "license_moved")
    notices = {f"{kind}_{part}" for kind in kinds for part in ("subject", "preheader", "heading", "what")}
    counted = {f"product_{what}_{of}" for what in ("now", "later", "devices") for of in ("one", "many")}
    columns = {f"list_{column}" for column in ("product", "code", "license", "first_day", "last_day")}
    made = {f"made_{part}" for part in (Part.INSTALL, Part.ACTIVATE, Part.CHECK)}
    return {*notices, *counted, *columns, *made, *(f"step_{p}" for p in Part), *(f"platform_{p}" for p in Platform)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_has_the_same_fields_in_every_language_and_is_whole(language: str) -> None:
    codes = [code for of, code in ENTRIES if of == language]

    assert set(codes) <= set(mail_texts(FALLBACK))
    assert [code for code in codes if fields(language, code) != fields(FALLBACK, code)] == []
    assert [text for code in codes for text in texts(language, code) if not is_whole(text)] == []


def is_whole(text: str) -> bool:
    """It is not empty, has no space too many, marks each emphasis to its end, and writes its values in a known way."""
    ways = {spec or "" for _, name, spec, _ in Formatter().parse(text) if name}
    marks = [part.count("*") for part in re.split(r"[\[\]]", text)]
    return text == " ".join(text.split()) != "" and not any(n % 2 for n in marks) and ways <= {"", "day", "money"}


@pytest.mark.parametrize("text", ["", "two  spaces", "end ", "*open", "[*over] the edge*", "{on:moment}"])
def test_a_text_that_is_not_whole_is_seen(text: str) -> None:
    assert is_whole("*You* have {count} licences until {until:day}[ and more]")
    assert not is_whole(text)


def test_each_text_is_used_and_each_that_is_used_is_there() -> None:
    constants = {node.value for node in ast.walk(ast.parse(SOURCES)) if isinstance(node, ast.Constant)}
    codes = set(mail_texts(FALLBACK))

    assert codes - {each for each in constants if isinstance(each, str)} - built() == set()
    assert built() - codes == set()
    assert {code for code in re.findall(r'(?:say|text|subject)\(\s*"(\w+)"', SOURCES) if code not in codes} == set()


def test_a_link_ends_its_sentence_because_the_text_part_has_the_address_behind_it() -> None:
    linked = [
        text
        for language, code in ENTRIES
        for text in texts(language, code)
        if re.search(r"\{(guide|resend|download|stop)\}", text)
    ]

    assert len(linked) >= 3
    assert [text for text in linked if not text.endswith("}")] == []
