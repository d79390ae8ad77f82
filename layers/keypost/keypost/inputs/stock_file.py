"""Codes as a distributor sends them, in a file or a list: which of them can enter the stock, and what is wrong with the
others, by line (from 1)."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from keypost.core import codes
from keypost.core.codes import NewCode
from keypost.core.errors import InvalidInput
from keypost.core.product import Product
from keypost.core.said import Said, said

COLUMNS = ("code", "sku", "batch", "activate_before")
_BATCH = re.compile(r"[^\W_][\w .,:;/()#&+-]{0,63}")  # batch names stand in files that people open in spreadsheets
_FORMULA = re.compile(r"[=+@-]")

ProductOf = Callable[[str], Product | None]


@dataclass(frozen=True, slots=True)
class FileCode:
    line: int  # from 1, which is the header of a file
    new: NewCode


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    reason: Said
    is_duplicate: bool = False


def text_of(file: bytes) -> str:
    """The text of a file that a person saved. InvalidInput if it is not UTF-8."""
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\ufffd"
    if "\ufffd" in text:  # API Gateway puts this in place of bytes that are not UTF-8
        raise InvalidInput("file_not_utf8")
    return text


def read_stock_file(
    text: str, product_of: ProductOf, sku: str | None, batch: str | None, today: date
) -> tuple[list[FileCode], list[Fault]]:
    """The codes of a CSV file, and its faults by line; the header is line 1. The file has commas or semicolons, and a
    column `code`; it has a column `sku` unless `sku` is given for all lines. `batch` is for lines that name none.
    InvalidInput if it is not such a file."""
    header, *lines = text.removeprefix("\ufeff").splitlines() or [""]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    names = _names(header, delimiter, sku)

    def read(line: str) -> NewCode:
        row = _cells(names, line, delimiter)
        return _read_row(row | {"batch": row.get("batch") or batch or ""}, product_of, sku, today)

    numbered = enumerate(lines, start=2)
    return _each_once(((number, line) for number, line in numbered if line.strip(" \t,;")), read)


def read_stock_list(
    given: Sequence[str], product: Product, batch: str | None, activate_before: date | None, today: date
) -> tuple[list[FileCode], list[Fault]]:
    """The codes of a list, and its faults by place (from 1). InvalidInput if no code of it can be used."""
    row = {"batch": batch or "", "activate_before": activate_before.isoformat() if activate_before else ""}
    _read_row({**row, "code": product.code_example}, lambda _: product, product.sku, today)

    def read(code: str) -> NewCode:
        return _read_row({**row, "code": code}, lambda _: product, product.sku, today)

    return _each_once(enumerate(given, start=1), read)


def _each_once(lines: Iterable[tuple[int, str]], read: Callable[[str], NewCode]) -> tuple[list[FileCode], list[Fault]]:
    found: list[FileCode] = []
    faults: list[Fault] = []
    first_line: dict[str, int] = {}  # by the key of the code
    for number, line in lines:
        try:
            new = read(line)
        except InvalidInput as error:
            faults.append(Fault(number, error.said))
            continue
        key = codes.key_of(new)
        if key in first_line:
            reason = said("same_code_as_on_line", line=first_line[key])
            faults.append(Fault(number, reason, is_duplicate=True))
            continue
        first_line[key] = number
        found.append(FileCode(number, new))
    return found, faults


def _names(header: str, delimiter: str, sku: str | None) -> list[str]:
    names = [name.lower() for name in _split(header.rstrip(f"{delimiter} "), delimiter)]
    if "code" not in names:
        raise InvalidInput("file_without_header", columns=COLUMNS)
    if "sku" not in names and sku is None:
        raise InvalidInput("file_without_sku")
    if unknown := set(names) - set(COLUMNS):
        raise InvalidInput("column_unknown", columns=sorted(unknown))
    if len(set(names)) < len(names):
        raise InvalidInput("column_twice")
    return names


def _cells(names: list[str], line: str, delimiter: str) -> dict[str, str]:
    cells = _split(line, delimiter)
    if any(cells[len(names) :]):
        raise InvalidInput("too_many_cells")
    return dict(zip(names, cells, strict=False))


def _split(line: str, delimiter: str) -> list[str]:
    """The lines of the file. Each line is parsed alone, so that a stray quote spoils only its own line."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        raise InvalidInput("line_not_csv") from None


def _read_row(row: dict[str, str], product_of: ProductOf, sku: str | None, today: date) -> NewCode:
    """Read one line. The text of a fault never repeats what the line holds: in a file with exchanged columns that is a
    code."""
    named = row.get("sku") or sku or ""
    product = product_of(named)
    if product is None:
        raise InvalidInput("sku_not_in_catalog")
    last_day = _last_day(row.get("activate_before", ""), today)
    code = row.get("code", "")
    if _FORMULA.match(code):
        raise InvalidInput("code_is_a_formula")
    batch = _batch(row.get("batch", ""))
    return NewCode(named, codes.checked(code, product), batch, last_day, product.case_counts)


def _last_day(text: str, today: date) -> date | None:
    """The last day on which a code can be activated; None if the distributor names none."""
    try:
        last_day = date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("activate_before_not_a_day") from None
    if last_day and last_day < today:
        raise InvalidInput("code_ran_out")
    return last_day


def _batch(name: str) -> str | None:
    if name and not _BATCH.fullmatch(name):
        raise InvalidInput("batch_name_unfit")
    return name or None
