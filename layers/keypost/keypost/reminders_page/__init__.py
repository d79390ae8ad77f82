"""The page on which customers stop their reminders: one button, no script, nothing loaded from elsewhere. Programs that
look at the links of a mail open it, so that opening it changes nothing."""

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from keypost.resend_page import page
from keypost.words import LANGUAGES, page_words

WORDS = {language: page_words(language, "reminders_page.toml") for language in LANGUAGES}
BUTTONS = {"ask": "stop", "stopped": "again", "again": "stop"}  # what can be done then, by what was done
_TEXTS = Template((Path(__file__).parent / "texts.html").read_text("utf-8"))
_BUTTONS = {name: Template((Path(__file__).parent / f"{name}.html").read_text("utf-8")) for name in {*BUTTONS.values()}}


def render(language: str, outcome: str, shop: str, support: str) -> str:
    """The page that says what was done, or asks whether reminders are to be stopped."""
    told = WORDS[language]["told"][outcome]
    link = f'<a href="mailto:{escape(quote(support, safe="@"))}">{escape(support)}</a>'
    paragraphs = (f"<p>{escape(text).replace('{support}', link)}</p>" for text in told["texts"])
    content = _TEXTS.substitute(
        title=escape(told["title"]), texts="\n".join(paragraphs), button=_button(language, BUTTONS.get(outcome))
    )
    return page(language, told["title"], content, shop)


def _button(language: str, name: str | None) -> str:
    if name is None:
        return ""
    return _BUTTONS[name].substitute(language=language, label=escape(WORDS[language]["buttons"][name]))
