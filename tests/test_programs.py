"""What `make test` does about programs that are not on the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.deploy import ROOT
from keypost.words import LANGUAGES
from tests.programs import PROGRAMS, Plan, fedora, packages, plan, told

MISSING = ("chromium", "hunspell-nl")
PACKAGES = ("chromium", "hunspell", "hunspell-nl")


@pytest.mark.parametrize(
    ("is_root", "has_apt", "may_ask", "expected"),
    [
        (True, True, False, Plan(install=PACKAGES)),
        (True, False, False, Plan(left_out=MISSING)),
        (False, True, False, Plan(left_out=MISSING)),  # sudo might want a password: nobody asked for that
        (False, False, False, Plan(left_out=MISSING)),
        (False, True, True, Plan(install=PACKAGES)),  # `make debian`
        (False, False, True, Plan(left_out=MISSING)),
    ],
)
def test_only_root_with_apt_get_or_who_asks_for_it_installs(
    is_root: bool, has_apt: bool, may_ask: bool, expected: Plan
) -> None:
    assert plan(MISSING, is_root=is_root, has_apt=has_apt, may_ask=may_ask) == expected


def test_where_nothing_is_missing_nothing_is_done_and_nothing_said() -> None:
    assert plan((), is_root=True, has_apt=True, may_ask=True) == Plan()
    assert told(()) == ""


def test_what_no_package_brings_is_left_out_even_by_root() -> None:
    assert plan(("/proc", "curl"), is_root=True, has_apt=True, may_ask=False) == Plan(("curl",), ("/proc",))


def test_a_package_that_two_programs_come_with_is_installed_once() -> None:
    assert packages(("hunspell-en", "hunspell-nl")) == ("hunspell", "hunspell-en-gb", "hunspell-nl")


def test_before_the_tests_stands_what_is_missing_what_is_left_out_and_how_to_install_it() -> None:
    said = told(MISSING)

    for name in MISSING:
        assert f"  {name} " in said
        assert PROGRAMS[name].asked_by in said
        assert f"  brew install {PROGRAMS[name].brew}\n" in said
    assert "  make debian\n" in said
    assert "  sudo dnf install chromium hunspell hunspell-nl\n" in said


def test_what_no_package_of_fedora_brings_is_not_asked_of_it() -> None:
    assert fedora(("/proc", "hunspell-en")) == ("hunspell", "hunspell-en-GB")
    assert "dnf" not in told(("/proc",))


def run(empty: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python where no program is found but Python itself."""
    here = {name: value for name, value in os.environ.items() if name != "KEYPOST_LEAVE_OUT"}
    environment = here | {"PATH": str(empty)} | environment
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


SPELLING = ("-m", "pytest", "-p", "no:xdist", "tests/keypost/emails/test_every_mail.py", "-k", "dictionary")


def test_a_machine_without_the_programs_is_told_so_and_passes_with_a_count(tmp_path: Path) -> None:
    before = run(tmp_path, "-m", "tests.programs")
    tests = run(tmp_path, *SPELLING)

    assert before.returncode == 0
    assert before.stdout == told(tuple(name for name in PROGRAMS if name != "/proc" or not Path(name).exists()))
    assert tests.returncode == 0, tests.stdout
    programs = ", ".join(f"hunspell-{language} (1)" for language in sorted(LANGUAGES))
    assert f"Left out: {len(LANGUAGES)} tests that ask for {programs}; see `make debian`" in tests.stdout


def test_a_build_server_leaves_nothing_out(tmp_path: Path) -> None:
    tests = run(tmp_path, *SPELLING, KEYPOST_LEAVE_OUT="nothing")

    assert tests.returncode == 1
    assert "not on this machine: hunspell-nl" in tests.stdout
    assert "Left out" not in tests.stdout
