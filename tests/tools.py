"""The programs that some tests run. A skipped check checks nothing, so these tests fail if a program is missing."""

import shutil

import pytest


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed here: `make debian` installs it")
    return found
