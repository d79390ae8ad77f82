"""Measures what Keypost costs, compares it with goals.toml and with measured.json, and writes measured.json and
docs/performance.md (`make bench`).

A new area is a module with `measure(say) -> list[Figure]` and one line of AREAS, such as
`Area("size", size.measure, quick=size.measure)`. The exit code is 1 when a figure misses its goal or is worse than the
committed one; of a quick run only in the second case, which is what a change has done. A run with a worse figure writes
nothing, unless it is told to accept that.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import busy_days, calls, cold, contention, dollars, growth, size, waiting, warm
from tests.bench.figures import (
    GOALS,
    MEASURED,
    Figure,
    area_of,
    left_out,
    missed,
    read_goals,
    read_measured,
    worse,
    write_measured,
)
from tests.bench.page import PAGE, page, table

Say = Callable[[str], None]
Measure = Callable[[Say], list[Figure]]


@dataclass(frozen=True, slots=True)
class Area:
    name: str  # its figures are called name/...
    measure: Measure
    quick: Measure | None = None  # as much of it as CI has time for: three minutes for all areas


AREAS: tuple[Area, ...] = (
    Area("calls", calls.measure, quick=calls.measure),
    Area("dollars", dollars.measure, quick=dollars.measure),
    Area("cold", cold.measure, quick=cold.measure_some),
    Area("size", size.measure),
    Area("waiting", waiting.measure, quick=waiting.measure_quick),
    Area("growth", growth.measure, quick=growth.measure_quick),
    Area("contention", contention.measure),
    Area("busy_days", busy_days.measure),
    Area("warm", warm.measure),
)


@dataclass(frozen=True, slots=True)
class Files:
    goals: Path = GOALS
    measured: Path = MEASURED
    page: Path = PAGE


def main(words: Sequence[str] | None = None, areas: Sequence[Area] = AREAS, files: Files | None = None) -> int:
    asked, files = _asked(words), files or Files()
    if asked.page:
        _write_page(files)
        return 0
    chosen = [area for area in areas if not asked.areas or area.name in asked.areas]
    figures = [figure for area in chosen for figure in _measured(area, quick=asked.quick)]
    goals, committed = read_goals(files.goals), read_measured(files.measured)
    print(_columns(table(goals, {figure.name: figure for figure in figures})))
    # A part of an area counts less than the whole, but its ratios are the same. Counts of calls stand in calls.golden.
    worsened = worse([figure for figure in figures if figure.unit == "ratio" or not asked.quick], committed)
    missing = [*missed(figures, goals), *([] if asked.quick else left_out(figures, goals))]
    print(*missing, *worsened, sep="\n", file=sys.stderr)
    if worsened and not asked.accept:
        print("Nothing was written; `make bench ACCEPT=--accept` writes it nevertheless.", file=sys.stderr)
    elif not asked.quick:
        measured = {area.name for area in chosen}
        kept = [figure for figure in committed.values() if area_of(figure.name) not in measured]
        write_measured([*kept, *figures], files.measured)
        _write_page(files)
    return bool(worsened or (missing and not asked.quick))


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--areas", type=_areas, default=[], help=f"only these of {', '.join(_names())}: a,b")
    parser.add_argument("--quick", action="store_true", help="the part for CI; it writes nothing")
    parser.add_argument("--page", action="store_true", help="only write the page again, after a goal has changed")
    parser.add_argument("--accept", action="store_true", help="write figures that are worse than the committed ones")
    return parser.parse_args(words)


def _areas(words: str) -> list[str]:
    names = words.split(",")
    if unknown := set(names) - set(_names()):
        raise argparse.ArgumentTypeError(f"there is no area {', '.join(sorted(unknown))}")
    return names


def _names() -> list[str]:
    return [area.name for area in AREAS]


def _measured(area: Area, *, quick: bool) -> list[Figure]:
    """Says what it does and since how many seconds, since some areas take minutes."""
    measure, began = area.quick if quick else area.measure, time.monotonic()

    def say(what: str) -> None:
        print(f"{area.name:<12}{time.monotonic() - began:>6.0f} s  {what}", file=sys.stderr, flush=True)

    if measure is None:
        return []
    say("begins")
    figures = measure(say)
    say("is measured")
    return figures


def _columns(markdown: str) -> str:
    """The table as a terminal shows it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_padded(row, widths) for row in rows if not row[0].startswith("---"))


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )


def _write_page(files: Files) -> None:
    files.page.write_text(page(read_goals(files.goals), read_measured(files.measured)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
