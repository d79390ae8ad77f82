"""Codes as a distributor sends them, in a file or a list: which of them can enter the stock, and what is wrong with the
others, by line (from 1) and column."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from keypost.core import codes
from keypost.core.codes import NewCode
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.inputs.stock_layout import Layout, cells_by_name, cells_of, is_total, layout_of, text_of
from keypost.inputs.written_days import day_of, has_month_first, is_none

_LONGEST_BATCH = 64
_FORMULA = re.compile(r"[=+@-]")  # batch names and codes stand in files that people open in spreadsheets
_EMPTY = re.compile(r"[\s,;|]*")

_BESIDE = re.compile(r"[\s,;|/]+")  # what stands between a code and something else in one cell
_PIECES = 20  # of a cell that are looked at

ProductOf = Callable[[str], Product | None]


@dataclass(frozen=True, slots=True)
class FileCode:
    line: int  # from 1; the header of a file is a line too
    new: NewCode


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    reason: Said
    is_duplicate: bool = False
    column: str = ""  # as the file calls it; empty for the whole line


@dataclass(frozen=True, slots=True)
class Change:
    """What was read otherwise than it stands there, and is taken all the same."""

    line: int
    column: str
    what: Said


@dataclass(frozen=True, slots=True)
class StockFile:
    found: list[FileCode]
    faults: list[Fault]
    changes: list[Change]
    layout: Layout


class _CellUnfit(InvalidInput):
    """One cell of a line cannot be used; `meaning` says which."""

    def __init__(self, meaning: str, why: Said) -> None:
        super().__init__(why.code, **why.values)
        self.meaning = meaning


def read_stock_file(
    file: bytes, product_of: ProductOf, sku: str | None, batch: str | None, today: date, most: int | None = None
) -> StockFile:
    """The codes of a CSV file, its faults by line, and how it was understood. The file has a column of codes, and one
    of SKUs unless `sku` is given for all lines. `batch` is for lines that name none. InvalidInput if it is no such
    file, or one of more than `most` codes."""
    text, encoding = text_of(file)
    layout = layout_of(text, encoding, sku)
    behind = enumerate(layout.lines[layout.header_line :], start=layout.header_line + 1)
    lines = [(number, line) for number, line in behind if not _EMPTY.fullmatch(line)]
    if most is not None and len(lines) > most:
        raise InvalidInput("file_too_long", most=most)
    month_first = has_month_first(cells_by_name(layout, line).get("activate_before", "") for _, line in lines)
    changes: list[Change] = []

    def read(number: int, line: str) -> NewCode:
        if is_total(cells_of(line, layout.separator)):
            raise InvalidInput("line_is_a_total")
        row = cells_by_name(layout, line, strict=True)
        row |= {"batch": "" if is_none(row.get("batch", "")) else row["batch"]}
        new = _read_row(row | {"batch": row["batch"] or batch or ""}, product_of, sku, today, month_first=month_first)
        changes.extend(Change(number, _name(layout, "code"), what) for what in _changed(row["code"], new.code))
        return new

    found, faults = _each_once(lines, read)
    named = [replace(fault, column=_name(layout, fault.column)) for fault in faults]
    taken = {each.line for each in found}
    return StockFile(found, named, [change for change in changes if change.line in taken], layout)


def read_stock_list(
    given: Sequence[str], product: Product, batch: str | None, activate_before: date | None, today: date
) -> tuple[list[FileCode], list[Fault]]:
    """The codes of a list, and its faults by place (from 1). InvalidInput if no code of it can be used."""
    row = {"batch": batch or "", "activate_before": activate_before.isoformat() if activate_before else ""}
    _read_row({**row, "code": product.code_example}, lambda _: product, product.sku, today)

    def read(_number: int, code: str) -> NewCode:
        return _read_row({**row, "code": code}, lambda _: product, product.sku, today)

    found, faults = _each_once(enumerate(given, start=1), read)
    return found, [replace(fault, column="") for fault in faults]


def _each_once(
    lines: Iterable[tuple[int, str]], read: Callable[[int, str], NewCode]
) -> tuple[list[FileCode], list[Fault]]:
    found: list[FileCode] = []
    faults: list[Fault] = []
    first_line: dict[str, int] = {}  # by the key of the code
    for number, line in lines:
        try:
            new = read(number, line)
        except InvalidInput as error:
            faults.append(Fault(number, error.said, column=getattr(error, "meaning", "")))
            continue
        key = codes.key_of(new)
        if key in first_line:
            reason = said("same_code_as_on_line", line=first_line[key])
            faults.append(Fault(number, reason, is_duplicate=True, column="code"))
            continue
        first_line[key] = number
        found.append(FileCode(number, new))
    return found, faults


def _name(layout: Layout, meaning: str) -> str:
    """What the file calls a column."""
    return layout.names[layout.columns[meaning]] if meaning in layout.columns else ""


def _read_row(
    row: dict[str, str], product_of: ProductOf, sku: str | None, today: date, *, month_first: bool = False
) -> NewCode:
    """Read one line. The text of a fault never repeats what the line holds: in a file with exchanged columns that is a
    code. _CellUnfit says which cell is at fault."""
    product = product_of(codes.as_written(row.get("sku") or sku or ""))
    if product is None:
        raise _CellUnfit("sku", said("sku_not_in_catalog"))
    with _of_cell("activate_before"):
        last_day = _last_day(row.get("activate_before", ""), today, month_first=month_first)
    with _of_cell("code"):
        code = _code(row.get("code", ""), product)
    with _of_cell("batch"):
        batch = _batch(row.get("batch", ""))
    return NewCode(product.sku, code, batch, last_day, product.case_counts)


@contextmanager
def _of_cell(meaning: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise _CellUnfit(meaning, error.said) from None


def _code(text: str, product: Product) -> str:
    if _FORMULA.match(text):
        raise InvalidInput("code_is_a_formula")
    try:
        return codes.checked(text, product)
    except InvalidInput:
        if any(_is_code(piece, product) for piece in _BESIDE.split(text)[:_PIECES]):
            raise InvalidInput("code_with_more") from None
        raise


def _is_code(text: str, product: Product) -> bool:
    return any(re.fullmatch(product.code_pattern, each) for each in codes.spellings(text, product))


def _changed(text: str, code: str) -> list[Said]:
    """What was read otherwise than it stands in the file: invisible characters are named, as nobody sees them."""
    unseen = sorted({f"U+{ord(sign):04X}" for sign in text if codes.is_unseen(sign)})
    dropped = [said("unseen_dropped", signs=unseen)] if unseen else []
    return [*dropped, said("spelled_like_example")] if codes.as_written(text) != code else dropped


def _last_day(text: str, today: date, *, month_first: bool) -> date | None:
    """The last day on which a code can be activated; None if the distributor names none."""
    last_day = day_of(codes.as_written(text), month_first=month_first)
    if last_day and last_day < today:
        raise InvalidInput("code_ran_out")
    return last_day


def _batch(name: str) -> str | None:
    """The name as people see it. InvalidInput for one that a spreadsheet would run as a formula."""
    seen = unicodedata.normalize("NFC", codes.as_written(name))
    if len(seen) > _LONGEST_BATCH or _FORMULA.match(seen) or not all(map(_is_of_name, seen)):
        raise InvalidInput("batch_name_unfit")
    return seen or None


def _is_of_name(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMNPSZ" and sign not in "\u2028\u2029<>\\"
