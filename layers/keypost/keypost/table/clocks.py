"""The clock of an order in the index of what is due. Behind the moment stands what the order lacks, so that a forecast
counts the codes of planned renewals without loading them: `2027-03-01T06:00:00Z#SKU=1` lacks one code at that moment,
and `2027-03-01T06:00:00Z#` none."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from keypost.table.items import moment_text

if TYPE_CHECKING:
    from keypost.core.sharing import Lacking

_MOMENT = len("2027-03-01T06:00:00Z")
_MOST = 900  # bytes; a key of an index has at most 1,024
_LAST = "~"  # sorts behind all that may follow a moment
_LACKING = re.compile(r"(?P<sku>[A-Za-z0-9._-]+)=(?P<count>[0-9]+)(@(?P<at>[0-9TZ:-]+))?")


def with_lacking(due_at: str, lacking: Iterable["Lacking"]) -> str:
    """The text of a clock with what the order lacks; without it where that is too long for a key, or names what cannot
    be a product."""
    parts = [_text(each, due_at) for each in lacking]
    whole = f"{due_at}#{' '.join(parts)}"
    return whole if len(whole) <= _MOST and all(map(_LACKING.fullmatch, parts)) else due_at


def _text(each: "Lacking", due_at: str) -> str:
    at = moment_text(each.at)
    return f"{each.sku}={each.count}" if at == due_at else f"{each.sku}={each.count}@{at}"


def clock_of(due_at: str) -> str:
    return due_at[:_MOMENT]


def is_at_once(due_at: str) -> bool:
    """Whether an order with this clock was paid shortly before. What it lacks changes within seconds, so that its clock
    does not say it; all others do, but those for which a key is too short, and the marks."""
    return due_at == clock_of(due_at)


def lacking_of(due_at: str) -> "tuple[Lacking, ...] | None":
    """None where the clock does not say what the order lacks, as an earlier version stored it."""
    clock, is_told, text = due_at[:_MOMENT], due_at[_MOMENT : _MOMENT + 1], due_at[_MOMENT + 1 :]
    found = [_LACKING.fullmatch(part) for part in text.split()]
    if not is_told or not all(found):
        return None
    return tuple(_lacking(each, clock) for each in found if each)


def _lacking(found: re.Match[str], clock: str) -> "Lacking":
    from keypost.core.sharing import Lacking  # noqa: PLC0415 - the schedules have no use for the core of orders

    return Lacking(found["sku"], int(found["count"]), datetime.fromisoformat(found["at"] or clock))


def last_clock(until: datetime) -> str:
    """The last text of a clock that rings up to a moment."""
    return moment_text(until) + _LAST
