"""Tables for a person at a terminal: columns that line up, and text that goes on in the next line where there is no
room for it. Nothing is cut. Without a terminal each row is one line, for `grep` and for files."""

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence

import click

_GAP = "  "
_NARROWEST = 12  # characters of a column that is wrapped
_ENDLESS = 1_000_000


def show(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; nothing at all without rows."""
    for line in lines(titles, rows, terminal_width()) if rows else ():
        click.echo(line)


def terminal_width() -> int:
    """Characters in a line of the terminal; without one, more than any text has."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS


def lines(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    cells = [tuple(titles), *(tuple(map(_plain, row)) for row in rows)]
    widths = _fitted([max(map(_columns, column)) for column in zip(*cells, strict=True)], width)
    return [line for row in cells for line in _row(row, widths)]


def paragraph(text: str, indent: str = "") -> str:
    """A text over as many lines as it needs, those after the first further in."""
    return textwrap.fill(text, terminal_width(), initial_indent=indent, subsequent_indent=indent + _GAP)


def _fitted(widths: list[int], width: int) -> list[int]:
    """The widths, with the widest columns made narrower until the row fits, as far as they can."""
    room, fitted = width - len(_GAP) * (len(widths) - 1), list(widths)
    while sum(fitted) > room and max(fitted) > _NARROWEST:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    filled = [column + [""] * (height - len(column)) for column in wrapped]
    return [_GAP.join(map(_padded, parts, widths)).rstrip() for parts in zip(*filled, strict=True)]


def _wrapped(cell: str, width: int) -> list[str]:
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""] if _columns(cell) > width else [cell]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))


def _plain(text: str) -> str:
    """Without line breaks and control characters, which would break the table or steer the terminal."""
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") else sign for sign in text)


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: an East Asian character takes two, a combining one none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
