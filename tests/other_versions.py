"""Another version of Keypost: a copy of the code under another path, in which a test changes something."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.local.deploy import ROOT

ORDERS = "layers/keypost/keypost/table/orders.py"
_CANNOT_READ = """\
    if form == FORM and item.get("future") != "kept":
        raise Unreadable(order_id, "future")
"""


def copied(to: Path, *files: str) -> Path:
    """The functions, the package and the command line, and these files of the repository."""
    for folder in ("functions", "layers/keypost", "cli"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in files:
        shutil.copy2(ROOT / file, to / file)
    return to


def make_newer(tree: Path) -> None:
    """It adds a field to each order, and cannot read an order that has lost it again."""
    change(
        tree / ORDERS,
        ("FORM = 1 ", "FORM = 2 "),
        ("    return nothing | to_wire(", '    return {"future": {"S": "kept"}} | nothing | to_wire('),
        ("    left_out = ", f"{_CANNOT_READ}    left_out = "),
    )


@cache
def newer_version() -> Path:
    """The tree of a newer version, made once in a process."""
    folder = TemporaryDirectory(prefix="keypost-newer-")
    atexit.register(folder.cleanup)
    tree = copied(Path(folder.name) / "newer")
    make_newer(tree)
    return tree


def change(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
