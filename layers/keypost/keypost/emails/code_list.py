"""The codes of a mail as a table for a spreadsheet (CSV), for a customer who has many to hand out."""

import io
from collections.abc import Iterable

from keypost.emails.items import Item

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8


def code_list(items: Iterable[Item], columns: Iterable[str], separator: str) -> bytes:
    """One line per code, with columns for product, code, license, first and last day."""
    import csv  # noqa: PLC0415 - few mails have so many codes

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(columns)
    for item in items:
        for license_ in item.licenses:
            days = (license_.first_day.isoformat(), license_.last_day.isoformat())
            writer.writerow(_cell(value) for value in (item.name, license_.code, license_.id, *days))
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()


def _cell(value: str) -> str:
    """The cell as text that no spreadsheet runs as a formula."""
    return f"'{value}" if value.startswith(_BEGINS_A_FORMULA) else value
