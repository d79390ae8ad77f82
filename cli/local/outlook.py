"""A mail as Outlook for Windows shows it, as far as that is known: with the engine of Word, which ignores most of CSS.
The table says what Microsoft's list of 2006 and the tests of caniemail.com say, and where they differ the stricter of
both. Nobody has compared the result with Outlook itself."""

import re
from html import escape
from html.parser import HTMLParser

_CELLS = frozenset({"td", "th"})
_TABLES = _CELLS | {"table", "tr"}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _TABLES | _HEADINGS | {"blockquote", "center", "dd", "div", "dl", "dt", "hr", "li", "ol", "p", "ul"}
_ANY = None  # every element
# The properties that Word knows, by their first word, and on which elements. It ignores all others.
_KNOWN = {
    "background": _ANY,
    "border": _TABLES | {"hr"},  # unreliable on paragraphs, and nothing on what stands in a line
    "color": _ANY,
    "direction": _ANY,
    "display": _ANY,  # only to hide something
    "font": _ANY,
    "height": _TABLES | {"hr"},
    "letter": _ANY,
    "line": _ANY,
    "list": frozenset({"li", "ol", "ul"}),
    "margin": _BLOCKS,
    "mso": _ANY,
    "padding": _CELLS,
    "text": _ANY,
    "vertical": _ANY,
    "white": _ANY,
    "width": _TABLES | {"hr"},
}
_UNKNOWN = frozenset({"background-image", "background-position", "background-repeat", "background-size"})
_PICTURE = re.compile(r"url\(|gradient\(")
_ROUND = re.compile(r"border-.*radius$|border-image")
_FOR_OTHERS = re.compile(r"<!--\[if !mso[^\]]*\]>\s*(?:<!)?-->.*?<!--\s*<!\[endif\]-->", re.DOTALL)
_FOR_WORD = re.compile(r"<!--\[if [^\]!]*mso[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)


def in_outlook(html: str) -> str:
    """The mail without what Word's engine ignores, for a browser to show. Without style sheets, and so without media
    queries and a dark scheme; with what stands in comments for Outlook only."""
    reader = _Reader()
    reader.feed(_FOR_WORD.sub(r"\1", _FOR_OTHERS.sub("", html)))
    reader.close()
    return "".join(reader.kept)


def style_in_outlook(element: str, style: str) -> str:
    """The declarations of a style attribute of which Word takes notice."""
    pairs = (each.partition(":") for each in style.split(";"))
    found = [(name.strip().lower(), value.strip()) for name, _, value in pairs if value.strip()]
    return ";".join(f"{name}:{value}" for name, value in map(_hidden, found) if _is_known(element, name, value))


def _hidden(declaration: tuple[str, str]) -> tuple[str, str]:
    """What hides an element in Word, as a browser knows it."""
    return ("display", "none") if declaration == ("mso-hide", "all") else declaration


def _is_known(element: str, name: str, value: str) -> bool:
    elements = _KNOWN.get(name.partition("-")[0], frozenset())
    if name in _UNKNOWN or _ROUND.match(name) or (elements is not None and element not in elements):
        return False
    if name.startswith("background"):
        return not _PICTURE.search(value)
    if name.startswith("margin"):
        return "auto" not in value and "-" not in value
    return name != "display" or (value.startswith("none") and element != "img")


class _Reader(HTMLParser):
    """Keeps the text of a page as it stands, and of its elements what Word knows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._in_sheet = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "style":
            self._in_sheet = True
            return
        known = ((name, style_in_outlook(tag, value or "") if name == "style" else value) for name, value in attrs)
        written = (name if value is None else f'{name}="{escape(value)}"' for name, value in known)
        self.kept.append(f"<{' '.join([tag, *written])}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._in_sheet = False
        else:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._in_sheet:
            self.kept.append(data)

    def handle_entityref(self, name: str) -> None:
        self.kept.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.kept.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.kept.append(f"<!{decl}>")
