"""Programs of Debian that some tests ask; `make test` installs them where it can."""

import shutil

import pytest


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here; `make debian` installs it")
    return found
