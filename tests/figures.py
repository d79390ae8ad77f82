"""Figures of runs that take long, for docs/reliability.md: tests/simulator/page.py reads them. A run writes them if
KEYPOST_FIGURES is set."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")
ARE_WRITTEN = "KEYPOST_FIGURES" in os.environ  # looked up here, as a test may have an environment of its own


def note(run: str, part: str, figures: Mapping[str, Any]) -> None:
    """What a part of a run showed, in place of what an earlier run said of it. Several processes may note at once."""
    if not ARE_WRITTEN:
        return
    with FIGURES.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        noted = json.load(file)
        noted.setdefault(run, {})[part] = figures
        file.seek(0)
        file.truncate()
        file.write(json.dumps(noted, indent=1, sort_keys=True) + "\n")


def noted(run: str) -> Mapping[str, Mapping[str, Any]]:
    """What the parts of the last run showed."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(FIGURES.read_text("utf-8"))[run]
    return found
