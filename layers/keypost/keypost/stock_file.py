"""A file of codes as a distributor sends it: which codes can enter the stock, and what is wrong with the others,
line by line."""

import csv
from collections.abc import Callable, Iterable
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
    text: str, product_of: Callable[[str], Product | None], sku: str | None = None
) -> tuple[list[FileCode], list[Fault]]:
    """The codes of a CSV file (separated by commas or semicolons, a header with `code`, and `sku` unless one is
    given for all), and its faults. InvalidInput when it is no such file."""
    header, rows = _rows(text, sku)
    found: list[FileCode] = []
    faults: list[Fault] = []
    first_line: dict[str, int] = {}
    for line, row in rows:
        try:
            entry = _read_row(line, dict(zip(header, row, strict=False)), product_of, sku)
        except InvalidInput as error:
            faults.append(Fault(line, str(error)))
            continue
        if entry.code in first_line:
            faults.append(Fault(line, f"the same code as on line {first_line[entry.code]}; imported once"))
            continue
        first_line[entry.code] = line
        found.append(entry)
    return found, faults


def _rows(text: str, sku: str | None) -> tuple[list[str], Iterable[tuple[int, list[str]]]]:
    lines = text.removeprefix("\ufeff").splitlines()
    first = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=";" if first.count(";") > first.count(",") else ",")
    header = [name.strip().lower() for name in next(reader, [])]
    if "code" not in header:
        raise InvalidInput(f"the first line must name the columns: {','.join(COLUMNS)} (code and sku are needed)")
    if "sku" not in header and sku is None:
        raise InvalidInput("the file has no column sku: name the product with --sku")
    if unknown := set(header) - set(COLUMNS):
        raise InvalidInput(f"the file has a column that is not known: {', '.join(sorted(unknown))}")
    return header, ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))


def _read_row(line: int, row: dict[str, str], product_of: Callable[[str], Product | None], sku: str | None) -> FileCode:
    named = row.get("sku", "").strip() or sku or ""
    product = product_of(named)
    if product is None:
        raise InvalidInput(f"no product {named!r} in the catalog: add it with `keypost products apply`")
    return FileCode(
        line,
        named,
        codes.checked(row.get("code", ""), product),
        row.get("batch", "").strip() or None,
        _day(row.get("activate_before", "").strip()),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("activate_before is not a date like 2027-12-31") from None
