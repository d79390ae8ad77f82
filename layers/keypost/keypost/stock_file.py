"""A file of codes as a distributor sends it: which codes can enter the stock, and what is wrong with the others,
line by line."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from keypost import codes
from keypost.errors import InvalidInput
from keypost.models import Product

COLUMNS = ("code", "sku", "batch", "activate_before")


@dataclass(frozen=True, slots=True)
class FileCode:
    line: int  # of the file, the header being line 1
    sku: str
    code: str  # in its one spelling
    batch: str | None
    activate_before: date | None


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    reason: str


def read_stock_file(
    text: str, product_of: Callable[[str], Product | None], sku: str | None, today: date
) -> tuple[list[FileCode], list[Fault]]:
    """The codes of a CSV file (separated by commas or semicolons, a header with `code`, and `sku` unless one is
    given for all), and its faults. InvalidInput when it is no such file."""
    lines = text.removeprefix("\ufeff").splitlines() or [""]
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    names = _names(lines[0], delimiter, sku)
    found: list[FileCode] = []
    faults: list[Fault] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip(" \t,;"):
            continue
        try:
            entry = _read_row(number, _cells(names, line, delimiter), product_of, sku, today)
        except InvalidInput as error:
            faults.append(Fault(number, str(error)))
            continue
        if entry.code in first_line:
            faults.append(Fault(number, f"the same code as on line {first_line[entry.code]}; imported once"))
            continue
        first_line[entry.code] = number
        found.append(entry)
    return found, faults


def _names(header: str, delimiter: str, sku: str | None) -> list[str]:
    names = [name.lower() for name in _split(header, delimiter)]
    if "code" not in names:
        raise InvalidInput(f"the first line must name the columns: {','.join(COLUMNS)} (code and sku are needed)")
    if "sku" not in names and sku is None:
        raise InvalidInput("the file has no column sku: name the product with --sku")
    if unknown := set(names) - set(COLUMNS):
        raise InvalidInput(f"the file has a column that is not known: {', '.join(sorted(unknown))}")
    if len(set(names)) < len(names):
        raise InvalidInput("the file has a column twice")
    return names


def _cells(names: list[str], line: str, delimiter: str) -> dict[str, str]:
    cells = _split(line, delimiter)
    if any(cells[len(names) :]):
        raise InvalidInput("the line has more cells than there are columns")
    return dict(zip(names, cells, strict=False))


def _split(line: str, delimiter: str) -> list[str]:
    """One line is one code, so that a stray quote spoils no line but its own."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
    except csv.Error as error:
        raise InvalidInput(f"the line is not CSV: {error}") from None


def _read_row(
    line: int, row: dict[str, str], product_of: Callable[[str], Product | None], sku: str | None, today: date
) -> FileCode:
    """Faults do not repeat what they found: in a file with its columns exchanged that is a code."""
    named = row.get("sku") or sku or ""
    product = product_of(named)
    if product is None:
        raise InvalidInput("its sku is not in the catalog: add the product with `keypost products apply`")
    last_day = _day(row.get("activate_before", ""))
    if last_day and last_day < today:
        raise InvalidInput("activate_before has passed: nobody can use this code")
    return FileCode(line, named, codes.checked(row.get("code", ""), product), row.get("batch") or None, last_day)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("activate_before is not a date like 2027-12-31") from None
