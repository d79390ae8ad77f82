"""What people typed or pasted, in plain letters, digits and hyphens: full-width and look-alike letters, escaped and
invisible signs. Each sign of the plain text knows its place in what was typed."""

import re
import unicodedata
from urllib.parse import unquote

from keypost.core.codes import is_unseen
from keypost.core.frozen import dataclass

_ROUNDS = 3  # an escape may have been escaped again: `%252D`, `&amp;ndash;`
_ESCAPED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|&#?[0-9A-Za-z]{1,20};|</?[A-Za-z][^<>\n]{0,80}>|\\u[0-9A-Fa-f]{4}|\\[nrt](?![a-z])|=\r?\n"
)
_MORE_DASHES = "\u2043\u02d7\u2212\u2796"  # signs that look like a dash, and are none to Unicode
_NOT_LATIN = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04ae\u051a\u051c"
    "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u04bb\u0501\u051b\u051d"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03b9\u03f9\u03f2"
)  # Cyrillic and Greek letters
_ALIKE = dict(zip(_NOT_LATIN, "ABESIJKMHOPCTYXYQWaesijopcyxhdqwABEZHIKMNOPTYXoiCc", strict=True))


@dataclass(frozen=True, slots=True)
class PlainText:
    text: str
    places: tuple[tuple[int, int], ...]  # of each sign: where it begins and ends in what was typed

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the plain text begins and ends in what was typed."""
        return self.places[start][0], self.places[end - 1][1]


def plain(typed: str) -> PlainText:
    signs = [(sign, (at, at + 1)) for at, sign in enumerate(typed)]
    for _ in range(_ROUNDS):
        signs = _unescaped(signs)
    simple = [(each, place) for sign, place in signs for each in _simple(sign)]
    return PlainText("".join(sign for sign, _ in simple), tuple(place for _, place in simple))


def _unescaped(signs: list[tuple[str, tuple[int, int]]]) -> list[tuple[str, tuple[int, int]]]:
    """The signs for which escapes stand, each at the place of its whole escape."""
    text, done, at = "".join(sign for sign, _ in signs), [], 0
    for found in _ESCAPED.finditer(text):
        place = signs[found.start()][1][0], signs[found.end() - 1][1][1]
        done += [*signs[at : found.start()], *((sign, place) for sign in _meant(found[0]))]
        at = found.end()
    return done + signs[at:]


def _meant(escape: str) -> str:
    match escape[0]:
        case "%":
            return unquote(escape, errors="replace")
        case "&":
            from html import unescape  # noqa: PLC0415 - it loads a table of two thousand names, and hardly any text has one

            return unescape(escape)
        case "<":
            return " "  # a tag of HTML
        case "\\":
            return chr(int(f"0x{escape[2:]}", 16)) if escape[1] == "u" else "\n"
    return ""  # a line that a mail program broke


def _simple(sign: str) -> str:
    if sign.isascii():
        return sign if sign.isprintable() or sign.isspace() else ""
    return "".join(map(_one, unicodedata.normalize("NFKD", sign)))


def _one(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Pd" or sign in _MORE_DASHES:
        return "-"
    if category in ("Mn", "Me") or is_unseen(sign):  # an accent, or nothing that anybody sees
        return ""
    return str(unicodedata.digit(sign)) if category == "Nd" else _ALIKE.get(sign, sign)
