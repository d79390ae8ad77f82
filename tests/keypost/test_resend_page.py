"""The page for customers, as a customer sees it."""

import base64
import hashlib
import re
from typing import Any

import html5lib
import pytest

from keypost.resend_page import HEADERS, WORDS, language_of, render, said
from keypost.words import LANGUAGES

SHOP, SUPPORT = "Voorbeeld & Zoon", "hulp@voorbeeld.example"
FAULTS, NOTICES = sorted(WORDS["en"]["faults"]), sorted(WORDS["en"]["notices"])
OUTCOMES = ["form", *FAULTS, *NOTICES]


def page(language: str = "nl", outcome: str = "form", text: str = "") -> str:
    return render(language, outcome, text, SHOP, SUPPORT)


def parsed(html: str) -> Any:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(html)
    assert parser.errors == []
    return document


def names(words: dict[str, Any]) -> dict[str, Any]:
    return {name: names(word) if isinstance(word, dict) else None for name, word in words.items()}


def test_every_language_of_the_mails_says_everything() -> None:
    assert set(WORDS) == set(LANGUAGES)
    assert names(WORDS["nl"]) == names(WORDS["en"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_page_is_whole_and_leads_to_the_other_language(language: str, outcome: str) -> None:
    document = parsed(page(language, outcome))

    (switch,) = document.findall(".//header/a")
    assert document.attrib["lang"] == language
    assert switch.attrib["href"] == f"?lang={switch.attrib['lang']}"
    assert switch.attrib["lang"] != language
    assert document.findtext(".//header/p") == SHOP
    assert len(document.findall(".//h1")) == 1
    assert document.findtext("head/title").endswith(f" - {SHOP}")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_style_is_the_one_that_the_policy_allows_and_nothing_else_is_needed(outcome: str) -> None:
    document = parsed(page(outcome=outcome))
    policy = HEADERS["Content-Security-Policy"]

    (style,) = document.findall(".//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element in document.findall(".//*"):
        assert element.tag not in {"script", "img", "link", "iframe"}
        assert not {name for name in element.attrib if name == "style" or name.startswith("on")}
    assert "url(" not in style.text


def test_the_field_has_its_label_and_a_fault_is_told_with_it() -> None:
    document = parsed(page(outcome="no address", text="jan@"))

    (field,) = document.findall(".//input")
    (label,) = document.findall(".//label")
    (fault,) = document.findall(f".//*[@id='{field.attrib['aria-describedby']}']")
    assert label.attrib["for"] == field.attrib["id"]
    assert field.attrib["aria-invalid"] == "true"
    assert field.attrib["value"] == "jan@"
    assert fault.text == WORDS["nl"]["faults"]["no address"]
    assert document.findtext("head/title").startswith("Fout: ")


def test_without_a_fault_none_is_told() -> None:
    assert "fault" not in re.sub("<style>.*</style>", "", page(), flags=re.DOTALL)


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "$css {support} ' \" & <b>", "a" * 3000])
def test_what_was_typed_is_text_and_nothing_else(text: str) -> None:
    document = parsed(page(outcome="no address", text=text))

    (field,) = document.findall(".//input")
    assert field.attrib["value"] == text[:254]
    assert len(document.findall(".//*")) == len(parsed(page(outcome="no address")).findall(".//*"))


def test_what_cannot_be_seen_is_not_shown_again() -> None:
    (field,) = parsed(page(outcome="no address", text="a\x00\r\n@b")).findall(".//input")

    assert field.attrib["value"] == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", NOTICES)
def test_who_reads_a_notice_can_write_to_a_person(language: str, outcome: str) -> None:
    (link,) = parsed(page(language, outcome)).findall(".//main//a")

    assert (link.text, link.attrib["href"]) == (SUPPORT, f"mailto:{SUPPORT}")
    assert SUPPORT in said(language, outcome, SUPPORT)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("", "en-US,en;q=0.9,nl;q=0.8", "en"),
        ("", "de, en;q=0.5, nl;q=0.7", "nl"),
        ("", "nl;q=0, de", "en"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("", "*;q=0.1", "en"),
        ("", ";;q=,nl;q=x", "nl"),
        ("nl", "en", "nl"),
        ("en", "nl", "en"),
        ("../x", "nl", "nl"),
    ],
)
def test_the_language_is_the_chosen_one_or_that_of_the_browser(chosen: str, accepted: str, language: str) -> None:
    assert language_of(chosen, accepted) == language
