"""How a file of codes is made: which characters, which separator, which line names the columns, and which column is
what. Distributors and spreadsheets have habits of their own."""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from keypost.core.codes import as_written
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass

COLUMNS = ("code", "sku", "batch", "activate_before")
Names = Mapping[str, Sequence[str]]
# What a column may be called, the likeliest first: of two that may be the code, the first of this list is.
NAMES: Names = {
    "code": (
        *("code", "activationcode", "activatiecode", "activeringscode", "licentiecode", "licensecode", "licencecode"),
        *("registratiecode", "registrationcode", "softwarekey", "keycode", "esdcode", "esdkey"),
        *(
            "activationkey",
            "activatiesleutel",
            "productkey",
            "productsleutel",
            "licensekey",
            "licencekey",
            "vouchercode",
        ),
        *(
            "licentiesleutel",
            "serialnumber",
            "serienummer",
            "voucher",
            "serial",
            "sleutel",
            "codes",
            "key",
            "pincode",
            "pin",
        ),
    ),
    "sku": (
        *("sku", "articlenumber", "artikelnummer", "artikelcode", "productnumber", "productnummer", "productcode"),
        *("itemnumber", "partnumber", "artikelnr", "mpn", "article", "artikel", "product", "item"),
    ),
    "batch": (
        *("batch", "batchname", "batchnaam", "batchnumber", "batchnummer", "lot", "lotnumber", "partij", "levering"),
        *("leveringsnummer", "delivery", "deliverynumber", "charge"),
    ),
    "activate_before": (
        *("activatebefore", "activateby", "activateuntil", "activerenvoor", "activeervoor", "activerentot"),
        *("vervaldatum", "verloopdatum", "expirydate", "expirationdate", "expiredate", "validuntil", "validto"),
        *(
            "geldigtot",
            "geldigtotenmet",
            "geldigtm",
            "houdbaartot",
            "expiry",
            "expires",
            "expiration",
            "vervalt",
            "verloopt",
        ),
        *("expireson", "validthru", "geldigtem", "activationdeadline", "activationdate", "uiterstedatum"),
        *("uiterstedag", "uiterstedagomteactiveren", "uiterstedagvanactivering"),
        *("uiterstedatumvanactivering", "uitersteactivatiedatum", "uitersteactiveringsdatum", "teactiverenvoor"),
        *("redeemby", "usebefore", "bestbefore", "einddatum", "enddate"),
    ),
}
_SEPARATORS = (",", ";", "\t", "|")
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")  # workbooks of Excel, new and old, and PDF
_MARKS = (  # at the beginning of a file, the longest first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXT = re.compile(r'="([^"]*)"')  # how a spreadsheet is kept from taking a text for a number
_TOTAL = re.compile(
    r"(?:(?:sub|eind|grand|gesamt)[ -]?)?(?:totaal|totals?|summe|som|sum|aantal|count|anzahl)[\s:=]*[\d.,]*\s*[a-z]*",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile(r"\r\n?|\n")  # a cell may hold other signs that end a line for Python
_FIRST_LINES = 20  # among which the one that names the columns is looked for


@dataclass(frozen=True, slots=True)
class Layout:
    encoding: str
    separator: str
    header_line: int  # from 1
    columns: Mapping[str, int]  # the place, from 0, of each column that is used, by what it is
    names: tuple[str, ...]  # of all columns, as the file has them
    lines: Sequence[str] = field(repr=False, default=())  # of the whole file

    @property
    def ignored(self) -> tuple[tuple[int, str], ...]:
        """The columns that are not used: their places, from 1, and their names."""
        used = set(self.columns.values())
        return tuple((place + 1, name) for place, name in enumerate(self.names) if place not in used)


def text_of(file: bytes) -> tuple[str, str]:
    """The text of a file that a person saved, and its encoding. InvalidInput if it is none, or if bytes were
    lost on the way."""
    if file.startswith(_NO_TEXT):
        raise InvalidInput("file_is_no_text")
    text, encoding = _decoded(file)
    if "\ufffd" in text:  # API Gateway puts this in place of bytes that are not UTF-8; so does a file that was cut off
        raise InvalidInput("file_not_utf8")
    return text, encoding


def _decoded(file: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if file.startswith(mark):
            return file.decode(encoding, "replace"), encoding.upper()
    if b"\0" in file[:200]:
        return file.decode("utf-16-le" if file[1:2] == b"\0" else "utf-16-be", "replace"), "UTF-16"
    try:
        return file.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return file.decode("cp1252", "replace"), "Windows-1252"


def layout_of(text: str, encoding: str, sku: str | None) -> Layout:
    """How the file is made. `sku` is the product of all lines, if somebody says it: then only a column that is called
    so says another. InvalidInput if no line names a column of codes."""
    names = NAMES if sku is None else {**NAMES, "sku": NAMES["sku"][:1]}
    found = layout_by(names, text, encoding)
    if "sku" not in found.columns and sku is None:
        raise InvalidInput("file_without_sku")
    return found


def layout_by(known: Names, text: str, encoding: str, wanted: Sequence[str] = COLUMNS) -> Layout:
    """How a file is made whose columns have these names. InvalidInput if no line names a column of codes."""
    lines = _LINE_ENDS.split(text.removeprefix("\ufeff").rstrip("\r\n")) if text else []
    said = re.fullmatch(r"\s*\"?sep=(.)\"?[\s,;]*", lines[0], re.IGNORECASE) if lines else None
    found = _headers(lines[:_FIRST_LINES], (said[1],) if said else _SEPARATORS, known)
    number, best = next(found, (0, None))
    if best and len(best.names) == 1:  # `Codes` may be a title, above the line that names the columns
        number, best = next(found, (number, best))
    if best:
        _check(best)
        return Layout(encoding, best.separator, number, best.columns, best.names, lines)
    if any('"code' in line.lower() for line in lines[:1]):
        raise InvalidInput("line_not_csv")
    raise InvalidInput("file_without_header", columns=wanted)


@dataclass(frozen=True, slots=True)
class _Header:
    separator: str
    columns: Mapping[str, int]
    names: tuple[str, ...]


def _headers(lines: Sequence[str], separators: Sequence[str], known: Names) -> Iterator[tuple[int, _Header]]:
    """The lines, by their numbers from 1, that may name the columns: they name that of the codes."""
    for number, line in enumerate(lines, start=1):
        found = [_header(line, each, known) for each in separators]
        best = max((each for each in found if "code" in each.columns), key=_fitness, default=None)
        if best:
            yield number, best


def _fitness(header: _Header) -> tuple[int, int]:
    return len(header.columns), len(header.names)


def _check(header: _Header) -> None:
    used = [_folded(header.names[place]) for place in header.columns.values()]
    if any([_folded(name) for name in header.names].count(name) > 1 for name in used):
        raise InvalidInput("column_twice")


def _header(line: str, separator: str, known: Names) -> _Header:
    try:
        names = tuple(cells_of(line.rstrip(f"{separator} "), separator, is_quoted_whole=True))
    except InvalidInput:
        return _Header(separator, {}, ())
    folded = [_meaning(name) for name in names]
    columns = {}
    for meaning, looked_for in known.items():
        places = [folded.index(name) for name in looked_for if name in folded]
        if places:
            columns[meaning] = places[0]
    return _Header(separator, columns, names)


def _meaning(name: str) -> str:
    """The name by which a column is known: `Activation codes (25 characters)` is `activationcode`."""
    folded = _folded(re.sub(r"\(.*?\)|\[.*?\]", "", name))
    return re.sub(r"(?<=code|.key)s$|(?<=sleutel)s$", "", folded)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", as_written(name).lower())


def is_total(cells: Sequence[str]) -> bool:
    """Whether a line sums up those above it. A code is none: the other cells hold numbers."""
    first, *others = list(filter(None, cells)) or [""]
    return _TOTAL.fullmatch(first) is not None and not any(re.search("[A-Za-z]", each) for each in others)


def cells_of(line: str, separator: str, *, is_quoted_whole: bool = False) -> list[str]:
    """The cells of a line. Each line is parsed alone, so that a stray quote spoils only its own line. InvalidInput if
    it is not CSV. `is_quoted_whole` says that one cell with separators in it is a line that was quoted as a whole, as
    happens where a file is saved as CSV twice."""
    try:
        parsed = next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True), [])
    except csv.Error:
        raise InvalidInput("line_not_csv") from None
    if is_quoted_whole and len(parsed) == 1 and separator in parsed[0]:
        return cells_of(parsed[0], separator)
    return [_TEXT.sub(r"\1", cell.strip()) if _TEXT.fullmatch(cell.strip()) else cell.strip() for cell in parsed]


def cells_by_name(layout: Layout, line: str, *, strict: bool = False) -> dict[str, str]:
    """The cells of a line that are used, by what they are. InvalidInput, when `strict`, if it is not CSV or has more
    cells than there are columns."""
    try:
        cells = cells_of(line, layout.separator, is_quoted_whole=len(layout.names) > 1)
    except InvalidInput:
        if strict:
            raise
        return {}
    if strict and any(cells[len(layout.names) :]):
        raise InvalidInput("too_many_cells")
    return {name: cells[place] if place < len(cells) else "" for name, place in layout.columns.items()}
