"""Days as spreadsheets and people write them."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from keypost.core.codes import DASHES
from keypost.core.errors import InvalidInput

_TIME = r"(?:[T ]\s*\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[AP]\.?M\.?)?\s*(?:Z|[+-]\d\d:?\d\d)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.]?)(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\s?([-/.])\s?(\d{{1,2}})\s?\2\s?(\d{{4}}){_TIME}", re.ASCII | re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:[a-z]{{2,9}},?\s+)?(\d{{1,2}})[-\s.]+([a-zä]{{3,9}})\.?[-\s,]+(\d{{4}}|'?\d\d){_TIME}",
    re.ASCII | re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"([a-z]{{3,9}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){_TIME}", re.ASCII | re.IGNORECASE
)
_SERIAL = re.compile(r"([3-6]\d{4})(?:[.,]\d+)?", re.ASCII)  # days since 30 December 1899, as Excel counts them
_DASH = re.compile(f"[{DASHES}]")
_EXCEL = date(1899, 12, 30)
_NONE = {
    "",
    "-",
    "--",
    "\u2013",
    "\u2014",
    "nvt",
    "na",
    "geen",
    "none",
    "null",
    "onbeperkt",
    "unlimited",
    "nooit",
    "never",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_OTHERS = {"maa": 3, "mrt": 3, "mär": 3, "mei": 5, "mai": 5, "okt": 10, "dez": 12}  # of Dutch and German
_HALF_DAYS = re.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)  # who counts them writes the month first
_CENTURY = 2000


def has_month_first(texts: Iterable[str]) -> bool:
    """Whether one of these can only be a day whose month stands first, as Americans write it, or has a time as they
    write it."""
    parts = [(text, _DAY_FIRST.fullmatch(text.strip())) for text in texts]
    return any(
        found and (int(found[3]) > 12 >= int(found[1]) or _HALF_DAYS.search(text))  # noqa: PLR2004 - months of a year
        for text, found in parts
    )


def is_none(text: str) -> bool:
    """Whether a cell says that there is nothing to say."""
    return re.sub(r"[./\s]", "", text.strip().lower()) in _NONE


def day_of(text: str, *, month_first: bool = False) -> date | None:
    """The day that is written; None if it says that there is none. InvalidInput if it is no day, or if nobody can say
    which of its numbers is the month: `month_first` says that the same file has days whose month stands first."""
    text = _DASH.sub("-", " ".join(text.split()))
    if is_none(text):
        return None
    try:
        found = _day(text, month_first=month_first)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise InvalidInput("activate_before_not_a_day")
    return found


def _day(text: str, *, month_first: bool) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return date(int(found[1]), int(found[3]), int(found[4]))
    if found := _DAY_FIRST.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if not month_first:
            return date(year, second, first)
        if max(first, second) <= 12 and first != second:  # noqa: PLR2004 - months of a year
            raise InvalidInput("activate_before_ambiguous")
        return date(year, min(first, second), max(first, second))
    if found := _NAMED.fullmatch(text):
        return date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_FIRST.fullmatch(text):
        return date(int(found[3]), _month(found[1]), int(found[2]))
    if found := _SERIAL.fullmatch(text):
        return _EXCEL + timedelta(days=int(found[1]))
    return None


def _year(text: str) -> int:
    """Two digits are a year only beside the name of a month, where they can be nothing else."""
    year = int(text.removeprefix("'"))
    return year if year > 99 else _CENTURY + year  # noqa: PLR2004 - of a century


def _month(name: str) -> int:
    """ValueError if it is the name of none."""
    start = name.lower()[:3]
    return _OTHERS.get(start) or _MONTHS.index(start) + 1
