"""The directory `.local`: its owner's alone, with a part of its own for each run, so that two of them in one clone do
not hurt each other."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keypost.core.errors import KeypostError

_LOCK, _PART = "lock", "run-"


def private(directory: Path) -> Path:
    """The directory, made if need be, which nobody but its owner can open from now on; nor what this process writes
    into it. KeypostError if it cannot be used."""
    os.umask(0o077)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise KeypostError("local_directory_unusable", path=directory, error=str(error.strerror)) from None
    return directory


@contextmanager
def own_part(directory: Path) -> Iterator[Path]:
    """A part of the directory for one run. It is removed at the end; after a failure it stays, with its logs, until
    the next run begins."""
    _remove_left(directory)
    try:
        part = Path(tempfile.mkdtemp(prefix=_PART, dir=directory))
    except OSError as error:
        raise KeypostError("local_directory_unusable", path=directory, error=str(error.strerror)) from None
    with locked(part / _LOCK):
        yield part
        shutil.rmtree(part, ignore_errors=True)


def _remove_left(directory: Path) -> None:
    """The parts of runs that have ended. One that has no lock yet is just being made."""
    for part in directory.glob(f"{_PART}*"):
        if (part / _LOCK).exists():
            with locked(part / _LOCK) as is_ours:
                if is_ours:
                    shutil.rmtree(part, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Whether this process has the lock now, which ends with the process at the latest."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def written(path: Path, text: str) -> None:
    """Put a file in place as a whole, readable by its owner alone, whatever stood there."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, "utf-8")
    unfinished.chmod(0o600)
    unfinished.replace(path)
