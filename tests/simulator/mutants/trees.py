"""A tree of the sources with one fault in it, and what the simulator says of it."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.local.deploy import ROOT
from tests.simulator.faults.play import Played, Script, play
from tests.simulator.faults.simulation import forget_version
from tests.simulator.mutants.table import Mutant

_UNIT = ("core", "use_cases", "table")  # of tests/keypost: the tests of the protocol that take seconds
_FOR_TESTS = ("tests", "events", "template.yaml", "pyproject.toml")


class NotThere(AssertionError):
    """The text that a mutant changes stands in its file no more, or more than once."""


@contextmanager
def mutated(mutant: Mutant) -> Iterator[Path]:
    """A copy of all that runs with the mutant in it, as long as it is needed. NotThere if it cannot be made."""
    text = changed(mutant)
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("functions", "layers/keypost", "cli"):
            shutil.copytree(ROOT / name, tree / name)  # with what is compiled, which only one file has anew
        (tree / mutant.path).write_text(text, "utf-8")
        yield tree
        forget_version(tree)


def changed(mutant: Mutant) -> str:
    """The file with the mutant in it."""
    text = (ROOT / mutant.path).read_text("utf-8")
    if text.count(mutant.old) != 1:
        raise NotThere(
            f"{mutant.path} has {text.count(mutant.old)} times, not once, what this mutant changes: "
            f"{mutant.old!r}. Write the row of the table anew, and find its seed with "
            "`python -m tests.simulator.mutants`."
        )
    return text.replace(mutant.old, mutant.new)


def found_by(tree: Path, seeds: Iterable[int]) -> tuple[Played, set[str]] | None:
    """The first of these seeds in which a promise is broken, and which ones."""
    for seed in seeds:
        played = play(Script(seed, roots=(tree,)))
        if played.violations:
            return played, {violation.check for violation in played.violations}
    return None


def caught_by_unit_tests(tree: Path) -> bool:
    """Whether a unit test of the protocol fails over this tree."""
    for name in _FOR_TESTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)
    folders = [f"tests/keypost/{name}" for name in _UNIT]
    tests = [sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "-p", "no:cacheprovider", *folders]
    ended = subprocess.run(tests, cwd=tree, env={}, check=False, capture_output=True)
    if ended.returncode > 1:
        raise AssertionError(ended.stdout.decode())  # they could not run
    return ended.returncode == 1
