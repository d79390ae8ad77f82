"""`.local` is its owner's alone, and each run has its part of it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local.directory import locked, own_part, private, written
from keypost.core.errors import KeypostError


@pytest.fixture(autouse=True)
def mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_it_is_its_owners_alone_also_when_it_was_there_with_wider_rights(tmp_path: Path) -> None:
    there = tmp_path / ".local"
    there.mkdir(mode=0o755)
    (there / "stack.json").write_text("{}")

    written(private(there) / "stack.json", '{"support_key": "kp_1"}')
    (there / "mail.html").write_text("the mail")

    assert rights(there) == "0o700"
    assert {path.name: rights(path) for path in there.iterdir()} == {"stack.json": "0o600", "mail.html": "0o600"}
    assert (there / "stack.json").read_text() == '{"support_key": "kp_1"}'


def test_one_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file")

    with pytest.raises(KeypostError) as error:
        private(tmp_path / ".local")

    assert error.value.said.code == "local_directory_unusable"


def test_two_runs_have_parts_of_their_own_that_end_with_them(tmp_path: Path) -> None:
    with own_part(tmp_path) as one:
        with own_part(tmp_path) as other:
            (one / "functions.zip").write_text("one")
            assert not (other / "functions.zip").exists()
        assert (one.exists(), other.exists()) == (True, False)

    assert list(tmp_path.iterdir()) == []


def test_what_a_failed_run_left_stays_until_the_next_one(tmp_path: Path) -> None:
    with pytest.raises(KeypostError):
        _run_that_fails(tmp_path)
    (log,) = tmp_path.glob("*/emulator.log")
    assert log.read_text() == "why"

    with own_part(tmp_path):
        assert not log.parent.exists()


def _run_that_fails(directory: Path) -> None:
    with own_part(directory) as part:
        (part / "emulator.log").write_text("why")
        raise KeypostError("local_stack_silent")


def test_one_holds_a_lock_and_the_other_one_hears_so(tmp_path: Path) -> None:
    with locked(tmp_path / "run.lock") as first, locked(tmp_path / "run.lock") as second:
        assert (first, second) == (True, False)

    with locked(tmp_path / "run.lock") as third:
        assert third
