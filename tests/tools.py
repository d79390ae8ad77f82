"""Programs of Debian that some tests ask: a check that is skipped is none, so they fail without."""

import shutil

import pytest


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed here: `make debian` installs it")
    return found
