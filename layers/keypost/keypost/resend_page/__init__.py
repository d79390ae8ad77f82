"""The page on which customers ask for their licenses again: one field, no script, nothing loaded from elsewhere. It
does not use the mails' template engine, whose loading a first visitor would wait for."""

import base64
import hashlib
import tomllib
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from keypost.words import accepted

_LONGEST_SHOWN = 254


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


WORDS = tomllib.loads(_file("words.toml"))  # per language
_CSS, _PAGE, _FORM = _file("page.css"), Template(_file("page.html")), Template(_file("form.html"))
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
        link = f'<a href="mailto:{escape(quote(support, safe="@"))}">{escape(support)}</a>'
        content = f"<h1>{escape(title)}</h1>\n<p>{escape(notice['text']).replace('{support}', link)}</p>"
    else:
        fault = words["faults"].get(outcome)
        title = f"{words['wrong']}: {words['title']}" if fault else words["title"]
        content = _form(language, fault, text)
    other = next(name for name in WORDS if name != language)
    return _PAGE.substitute(
        language=language,
        title=escape(f"{title} - {shop}"),
        shop=escape(shop),
        css=_CSS,
        other=other,
        other_name=WORDS[other]["name"],
        content=content,
    )


def _form(language: str, fault: str | None, text: str) -> str:
    words = WORDS[language]
    return _FORM.substitute(
        {name: escape(words[name]) for name in ("title", "intro", "label", "button")},
        language=language,
        fault=f'<p class="fault" id="fault">{escape(fault)}</p>' if fault else "",
        state=' aria-invalid="true" aria-describedby="fault" autofocus' if fault else "",
        text=escape(text[:_LONGEST_SHOWN]) if text.isprintable() else "",
    )
