"""The page for customers, as a customer sees it."""

import base64
import hashlib
import re
from typing import Any

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route

from keypost.resend_page import HEADERS, WORDS, language_of, render, said
from keypost.words import FALLBACK, LANGUAGES, TABLES

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
    assert [names(words) for words in WORDS.values()] == [names(WORDS[FALLBACK])] * len(WORDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_page_is_whole_and_leads_to_the_other_languages(language: str, outcome: str) -> None:
    document = parsed(page(language, outcome))

    links = document.findall(".//header/nav/a")
    assert document.attrib["lang"] == language
    assert [link.attrib["href"] for link in links] == [f"?lang={other}" for other in LANGUAGES if other != language]
    assert [(link.attrib["lang"], link.text) for link in links] == [
        (other, TABLES[other].NAME) for other in LANGUAGES if other != language
    ]
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


def test_the_answer_repeats_what_was_typed_and_can_be_told_that_nothing_comes_of_it() -> None:
    document = parsed(page(outcome="asked", text="anna@klnat.example"))

    assert document.findtext(".//main/p/strong") == "anna@klnat.example"
    assert document.findtext(".//main/p") == WORDS["nl"]["typed"] + " "
    (hidden,) = document.findall(".//form/input")
    assert (hidden.attrib["type"], hidden.attrib["name"], hidden.attrib["value"]) == (
        "hidden",
        "email",
        "anna@klnat.example",
    )
    assert buttons(document) == [("ask", "nothing_came"), ("ask", "not_my_address")]


def buttons(document: Any) -> list[tuple[str | None, str | None]]:
    return [(each.attrib.get("name"), each.attrib.get("value")) for each in document.findall(".//button")]


def test_the_first_button_of_the_form_sends_again_and_the_others_let_us_know() -> None:
    assert buttons(parsed(page())) == [(None, None), ("ask", "nothing_came"), ("ask", "not_my_address")]
    assert parsed(page()).findtext(".//button") == "Opnieuw versturen"


def test_the_answer_to_a_message_asks_for_nothing_more() -> None:
    document = parsed(page(outcome="told", text="anna@klant.example"))

    assert document.findall(".//form") == []
    assert document.findtext(".//main/p/strong") == "anna@klant.example"


def test_nothing_is_repeated_where_nothing_was_typed() -> None:
    assert parsed(page(outcome="not now")).findall(".//strong") == []


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
def test_the_reader_of_a_notice_can_write_to_a_person_and_go_back_to_the_form(language: str, outcome: str) -> None:
    link, *back = parsed(page(language, outcome)).findall(".//main//a")

    assert [(each.text, each.attrib["href"]) for each in back] == (
        [] if outcome == "off" else [(WORDS[language]["back"], f"?lang={language}")]
    )

    assert (link.text, link.attrib["href"]) == (SUPPORT, f"mailto:{SUPPORT}")
    assert SUPPORT in said(language, outcome, SUPPORT)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("", "en-US,en;q=0.9,nl;q=0.8", "en"),
        ("", "xx, en;q=0.5, nl;q=0.7", "nl"),
        ("", "nl;q=0, xx", "en"),
        ("", "yy", "en"),
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


@pytest.mark.drill
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(browser: Browser, language: str, scheme: Any) -> None:
    visited = browser.new_page(color_scheme=scheme, viewport={"width": 320, "height": 640})
    for outcome in OUTCOMES:
        visited.set_content(page(language, outcome, f"{'anna' * 12}@{'administratie' * 3}.example"))
        visited.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")

        found = Axe().run(visited, options={"resultTypes": ["violations"]}).response["violations"]
        assert [fault["id"] for fault in found] == [], outcome
        assert visited.evaluate("document.documentElement.scrollWidth") == 320, outcome
    visited.close()


@pytest.mark.drill
def test_without_javascript_the_enter_key_sends_again_and_the_buttons_let_us_know(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    sent: list[str | None] = []

    def answer(route: Route) -> None:
        data = route.request.post_data
        sent.extend([data] if data else [])
        route.fulfill(body=page(outcome="asked" if data else "form", text="a@b.nl"), content_type="text/html")

    context.route("**/*", answer)
    visited = context.new_page()
    visited.goto("https://keypost.example/v1/resend")
    visited.get_by_label(WORDS["nl"]["label"]).fill("a@b.nl")
    visited.keyboard.press("Enter")
    visited.get_by_role("button", name=WORDS["nl"]["nothing_came"]).click()
    visited.get_by_role("link", name=WORDS["nl"]["back"]).click()
    visited.get_by_label(WORDS["nl"]["label"]).fill("a@b.nl")
    visited.get_by_text(WORDS["nl"]["trouble"]).click()
    visited.get_by_role("button", name=WORDS["nl"]["not_my_address"]).click()
    visited.get_by_role("heading", name=WORDS["nl"]["notices"]["asked"]["title"]).wait_for()
    context.close()

    assert sent == ["email=a%40b.nl", "email=a%40b.nl&ask=nothing_came", "email=a%40b.nl&ask=not_my_address"]
