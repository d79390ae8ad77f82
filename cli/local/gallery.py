"""How a mail looks to the customers who get it: the line in their inbox, and the mail in each form in which a mail
program may show it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.message import EmailMessage
from html import unescape

from cli.local.outlook import in_outlook
from cli.local.samples import NAMES
from keypost.core.said import Said
from keypost.words import reader, sentence

LONGEST_SUBJECT = 60  # characters; a longer one is cut by many mail programs
SUBJECT_ON_A_PHONE = 40  # what a telephone shows of it
PREHEADER_ON_A_PHONE = 90
PHONE, DESKTOP = 375, 700  # the widths of the frames, in pixels
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_BOTH_SCHEMES = re.compile(r"(color-schemes?\"\s+content=\"|color-scheme\s*:\s*)(?:light dark|dark light)")
_SOURCE = re.compile(r"(<img\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)\s+src=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_PREHEADER = re.compile(
    r"<body\b[^>]*>\s*<(?P<tag>div|span)\b[^>]*display:\s*none[^>]*>(?P<text>.*?)</(?P=tag)>", re.DOTALL
)
_TAG = re.compile(r"<[^>]*>")
_FILLING = re.compile(r"[\s\u00ad\u034f\u200b-\u200d\u2007\u2060\ufeff]+")


@dataclass(frozen=True, slots=True)
class View:
    """A form in which a mail is shown, and the widths at which one should look at it."""

    name: str
    title: str
    widths: tuple[int, ...]
    made: Callable[[str], str]


def title(name: str, language: str) -> str:
    """What kind of mail a sample is, in words."""
    return sentence(Said("sample_" + name.replace("-", "_")), reader(language, UTC))


def titles(language: str) -> dict[str, str]:
    return {name: title(name, language) for name in NAMES}


def beside(name: str) -> tuple[str | None, str | None]:
    """The samples before and after this one, for turning over."""
    place = NAMES.index(name)
    return NAMES[place - 1] if place else None, NAMES[place + 1] if place + 1 < len(NAMES) else None


@dataclass(frozen=True, slots=True)
class InboxLine:
    """What the list of a mail program shows of a mail before anybody opens it."""

    sender: str
    subject: str
    preheader: str

    @property
    def subject_seen(self) -> str:
        return _cut(self.subject, SUBJECT_ON_A_PHONE)

    @property
    def preheader_seen(self) -> str:
        return _cut(self.preheader, PREHEADER_ON_A_PHONE)

    @property
    def is_too_long(self) -> bool:
        return len(self.subject) > LONGEST_SUBJECT


def inbox_line(message: EmailMessage, html: str) -> InboxLine:
    (sender,) = message["From"].addresses
    return InboxLine(sender.display_name or sender.addr_spec, str(message["Subject"]).strip(), preheader(html))


def preheader(html: str) -> str:
    """The text that a mail program shows beside the subject: what the mail hides at its top. Empty if it hides nothing
    there."""
    found = _PREHEADER.search(html)
    text = unescape(_TAG.sub("", found["text"])) if found else ""
    return _FILLING.sub(" ", text).strip()


def in_scheme(html: str, scheme: str) -> str:
    """The mail as a device with this color scheme, light or dark, shows it, whatever the scheme of this browser is."""
    always, never = "(min-width: 0)", "(max-width: 0)"
    html = _SCHEME.sub(lambda asked: always if asked[1] == scheme else never, html)
    return _BOTH_SCHEMES.sub(rf"\g<1>{scheme}", html)


def without_pictures(html: str) -> str:
    """The mail as it is shown until its reader allows pictures: with their texts in their place."""
    return in_scheme(_SOURCE.sub(r"\1", html), "light")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


VIEWS = {
    view.name: view
    for view in (
        View("light", "Light", (PHONE, DESKTOP), lambda html: in_scheme(html, "light")),
        View("dark", "Dark", (PHONE, DESKTOP), lambda html: in_scheme(html, "dark")),
        View("outlook", "As Outlook for Windows shows it", (DESKTOP,), in_outlook),
        View("no-pictures", "Without pictures", (PHONE, DESKTOP), without_pictures),
    )
}
