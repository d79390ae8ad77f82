"""A mail as its reader sees it: its parts, and of its HTML each text with its color and the color behind it, in both
color schemes."""

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from typing import Any

import html5lib

LIGHT, DARK = "light", "dark"
_ON_WHITE = {"color": "#000000", "background-color": "#ffffff"}


@cache
def document(html: str) -> Any:
    """The parsed page; callers must not change it. AssertionError with the faults if the HTML is not valid."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(html)
    assert parser.errors == []
    return root


def styles(html: str) -> Iterator[tuple[str, str]]:
    """Each property with its value, of the elements and of the style sheet."""
    sheets = re.findall(r"\{([^{}]*)\}", " ".join(document(html).findtext("head/style").split()))
    for text in [*sheets, *(element.get("style", "") for element in document(html).iter())]:
        yield from _properties(text).items()


def painted(html: str, scheme: str) -> Iterator[tuple[str, str, str]]:
    """Each piece of text that is shown, its color and the color behind it."""
    root = document(html)
    sheet = root.findtext("head/style")
    dark = re.search(r"prefers-color-scheme: dark\) \{(.*?)\n\}", sheet, re.DOTALL)
    assert dark
    rules = {name: _properties(text) for name, text in re.findall(r"\.(\w+) \{([^}]*)\}", dark[1])}
    yield from _painted(root.find("body"), _ON_WHITE, rules if scheme == DARK else {})


def _painted(
    element: Any, around: Mapping[str, str], rules: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, str]]:
    own = _properties(element.get("style", ""))
    if own.get("display") == "none":
        return
    for name in element.get("class", "").split():
        own |= rules.get(name, {})
    now = {name: own.get(name, inherited) for name, inherited in around.items()}
    pieces = [element.text, element.get("alt"), *(child.tail for child in element)]
    for piece in pieces:
        if piece and piece.strip():
            yield piece.strip(), now["color"], now["background-color"]
    for child in element:
        yield from _painted(child, now, rules)


def _properties(text: str) -> dict[str, str]:
    pairs = (each.split(":", 1) for each in text.split(";") if each.strip())
    return {name.strip(): value.replace("!important", "").strip() for name, value in pairs}


def message_of(composed: EmailMessage) -> EmailMessage:
    """The mail as it arrives: through the bytes on the wire."""
    message = message_from_bytes(composed.as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content())


_BLOCKS = {"br", "div", "h1", "h2", "h3", "hr", "li", "ol", "p", "table", "td", "th", "tr", "ul"}


def seen(html: str) -> str:
    """The text that a reader of the HTML sees, white space folded."""
    article = document(html).find("body/div[@role='article']")
    return " ".join("".join(_pieces(article)).split())


def _pieces(element: Any) -> Iterator[str]:
    apart = " " if element.tag in _BLOCKS else ""
    yield apart + (element.text or "")
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""
    yield apart


def links(html: str) -> list[str]:
    """The pages to which it leads."""
    found = (element.get("href") for element in document(html).iter("a"))
    return [address for address in found if address.startswith("https:")]


def told(message: EmailMessage) -> tuple[str, str]:
    """What each part tells its reader, white space folded, with the pages to which it leads."""
    html = part(message, "html")
    return " ".join(part(message, "plain").split()), " ".join([seen(html), *links(html)])


def preheader(html: str) -> str:
    """What a list of mails shows beside the subject."""
    hidden = document(html).find("body/div")
    assert "display:none" in hidden.get("style")
    return str(hidden.text)
