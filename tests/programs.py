"""Programs of this machine that some tests ask. Run before the tests: it installs what is missing where that needs
nobody's password, and otherwise says what will be left out and how to install it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from keypost.words import LANGUAGES, TABLES

# The packages that the language alone does not name.
_DEBIAN = {"en": "hunspell-en-gb", "de": "hunspell-de-de"}
_FEDORA = {"en": "hunspell-en-GB"}
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@dataclass(frozen=True, slots=True)
class Program:
    is_here: Callable[[], bool]
    asked_by: str
    debian: tuple[str, ...]  # packages, also of Ubuntu
    fedora: tuple[str, ...]
    brew: str  # what follows `brew install`


def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def knows(dictionary: str) -> bool:
    """Whether hunspell is here with this dictionary."""
    if shutil.which("hunspell") is None:
        return False
    asked = ["hunspell", "-d", dictionary, "-l"]
    return subprocess.run(asked, input=b"", capture_output=True, check=False).returncode == 0


def misspelled(words: Iterable[str], language: str) -> list[str]:
    """Those of the words that hunspell does not know in a language."""
    asked = ["hunspell", "-d", dictionary_of(language), "-i", "utf-8", "-l"]
    told = subprocess.run(asked, input="\n".join(sorted(words)), capture_output=True, text=True, check=True)
    return told.stdout.split()


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def dictionary_of(language: str) -> str:
    return str(TABLES[language].LOCALE).replace("-", "_")


def _dictionary(language: str) -> Program:
    """hunspell with the dictionary of a language. A language that Debian does not have is not checked."""
    name = dictionary_of(language)
    return Program(
        lambda: knows(name),
        f"the spelling of what is in {TABLES[language].NAME}",
        ("hunspell", _DEBIAN.get(language, f"hunspell-{language}")),
        ("hunspell", _FEDORA.get(language, f"hunspell-{language}")),
        f"hunspell (and {name}.dic, {name}.aff in ~/Library/Spelling)",
    )


PROGRAMS = {
    "chromium": Program(
        lambda: browser() is not None,
        "the support page, and how wide mails are",
        ("chromium",),
        ("chromium",),
        "--cask chromium",
    ),
    "curl": Program(_program("curl"), "the examples for the shell", ("curl",), ("curl",), "curl"),
    **{f"hunspell-{language}": _dictionary(language) for language in LANGUAGES},
    "openssl": Program(_program("openssl"), "the examples for the shell", ("openssl",), ("openssl",), "openssl"),
    "/proc": Program(
        Path("/proc/self/cmdline").exists,
        "killed workers, and what is left running",
        (),
        (),
        "nothing: only Linux has it",
    ),
    "spamassassin": Program(
        _program("spamassassin"),
        "what a spam filter makes of the mails",
        ("spamassassin",),
        ("spamassassin",),
        "spamassassin",
    ),
    "valgrind": Program(
        _program("valgrind"),
        "instructions of `make bench`",
        ("valgrind",),
        ("valgrind",),
        "valgrind (not on Apple's chips)",
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about programs that are missing: install these packages, and say that these are left out."""

    install: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def missing(programs: Iterable[str] = PROGRAMS) -> tuple[str, ...]:
    return tuple(name for name in programs if not PROGRAMS[name].is_here())


def plan(names: Iterable[str], *, is_root: bool, has_apt: bool, may_ask: bool) -> Plan:
    """Root installs. Anybody else does so only after asking for it (`make debian`): then sudo may want a password."""
    wanted = tuple(names)
    if has_apt and (is_root or may_ask):
        return Plan(install=packages(wanted), left_out=tuple(name for name in wanted if not PROGRAMS[name].debian))
    return Plan(left_out=wanted)


def packages(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(package for name in names for package in PROGRAMS[name].debian))


def fedora(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(package for name in names for package in PROGRAMS[name].fedora))


def told(names: tuple[str, ...]) -> str:
    """What stands before the tests when some are left out; nothing when none are."""
    if not names:
        return ""
    rows = "".join(f"  {name:<14}{PROGRAMS[name].asked_by}\n" for name in names)
    on_fedora = f"On Fedora:\n  sudo dnf install {' '.join(fedora(names))}\n" if fedora(names) else ""
    brew = "".join(f"  brew install {way}\n" for way in dict.fromkeys(PROGRAMS[name].brew for name in names))
    return (
        f"Not on this machine, so the tests that ask for it are left out and counted at the end:\n{rows}"
        f"To run them too, install the programs. On Debian or Ubuntu (sudo may want your password):\n"
        f"  make debian\n{on_fedora}On a Mac:\n{brew}"
    )


def install(names: tuple[str, ...], *, is_root: bool) -> None:
    """All at once; where that fails one by one, so that one package that cannot be had keeps out no other."""
    sudo = [] if is_root else ["sudo"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print("Installing (once):", *names, flush=True)
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=False, env=environment)
    command = [*sudo, "apt-get", "install", "-qq", "--yes", "--no-install-recommends"]

    def is_installed(*some: str) -> bool:
        done = subprocess.run([*command, *some], check=False, env=environment, stdout=subprocess.DEVNULL)
        return done.returncode == 0

    if not is_installed(*names):
        for name in names:
            is_installed(name)


def main(*, may_ask: bool) -> None:
    is_root = os.geteuid() == 0
    has_apt, has_sudo = (shutil.which(name) is not None for name in ("apt-get", "sudo"))
    todo = plan(missing(), is_root=is_root, has_apt=has_apt, may_ask=may_ask and has_sudo)
    if todo.install:
        install(todo.install, is_root=is_root)
        todo = replace(todo, left_out=missing())
    print(told(todo.left_out), end="", flush=True)


if __name__ == "__main__":
    main(may_ask="--ask" in sys.argv)
