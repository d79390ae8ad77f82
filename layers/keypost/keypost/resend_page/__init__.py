"""The page on which customers ask for their licenses again, and let us know that nothing arrives: one field, no script,
nothing loaded from elsewhere. It does not use the mails' template engine: a first visitor would wait until that is
loaded."""

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from keypost.words import LANGUAGES, TABLES, accepted, page_words

_LONGEST_SHOWN = 254


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


WORDS = {language: page_words(language, "resend_page.toml") for language in LANGUAGES}
_CSS, _PAGE = _file("page.css"), Template(_file("page.html"))
_FORM, _NOTICE, _TROUBLE = (Template(_file(f"{name}.html")) for name in ("form", "notice", "trouble"))
_CSS_DIGEST = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_DIGEST}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def language_of(chosen: str, header: str) -> str:
    """The language that the visitor chose on the page, or else the language that the browser prefers among ours."""
    return chosen if chosen in WORDS else accepted(header)


def said(language: str, outcome: str, support: str) -> str:
    """The result of a request, in plain text."""
    words = WORDS[language]
    text: str = words["faults"].get(outcome) or words["notices"][outcome]["text"]
    return text.replace("{support}", support)


def render(language: str, outcome: str, text: str, shop: str, support: str) -> str:
    """The page with the form, and with what is wrong with the text that was typed; or with a notice."""
    words = WORDS[language]
    if notice := words["notices"].get(outcome):
        title = notice["title"]
        content = _notice(language, outcome, text, support)
    else:
        fault = words["faults"].get(outcome)
        title = f"{words['wrong']}: {words['title']}" if fault else words["title"]
        content = _form(language, fault, text)
    return page(language, title, content, shop)


def page(language: str, title: str, content: str, shop: str) -> str:
    """A page for customers in this language, with these contents in HTML, and links to it in the others."""
    return _PAGE.substitute(
        language=language,
        title=escape(f"{title} - {shop}"),
        shop=escape(shop),
        css=_CSS,
        others=" ".join(_link(name) for name in WORDS if name != language),
        content=content,
    )


def _link(language: str) -> str:
    return f'<a href="?lang={language}" lang="{language}" hreflang="{language}">{escape(TABLES[language].NAME)}</a>'


def _notice(language: str, outcome: str, text: str, support: str) -> str:
    """What was typed stands on it, since a typing error is seen nowhere else, and a way back."""
    words, notice = WORDS[language], WORDS[language]["notices"][outcome]
    link = f'<a href="mailto:{escape(quote(support, safe="@"))}">{escape(support)}</a>'
    shown = _shown(text)
    back = f'<p class="back"><a href="?lang={language}">{escape(words["back"])}</a></p>'
    return _NOTICE.substitute(
        title=escape(notice["title"]),
        typed=f"<p>{escape(words['typed'])} <strong>{shown}</strong></p>" if shown else "",
        text=escape(notice["text"]).replace("{support}", link),
        after="" if outcome == "off" else (_trouble(language, shown) if outcome == "asked" else "") + back,
    )


def _trouble(language: str, shown: str) -> str:
    return _TROUBLE.substitute(_words(language), language=language, text=shown)


def _form(language: str, fault: str | None, text: str) -> str:
    return _FORM.substitute(
        _words(language),
        language=language,
        fault=f'<p class="fault" id="fault">{escape(fault)}</p>' if fault else "",
        state=' aria-invalid="true" aria-describedby="fault" autofocus' if fault else "",
        text=_shown(text),
    )


def _words(language: str) -> dict[str, str]:
    return {name: escape(word) for name, word in WORDS[language].items() if isinstance(word, str)}


def _shown(text: str) -> str:
    return escape(text[:_LONGEST_SHOWN]) if text.isprintable() else ""
