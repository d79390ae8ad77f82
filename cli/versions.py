"""Whether this command line may write to a stack: an older one does not know all that a newer stack stores."""

import re
from importlib import metadata

from keypost.core.errors import KeypostError

OWN = metadata.version("keypost")  # as pyproject.toml states it

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:[-.]?(dev|a|alpha|b|beta|rc)[-.]?(\d*))?(?:\+.*)?", re.IGNORECASE)
_STEPS = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3}
_RELEASED = 4


def refuse_if_older(stack_version: str | None, own: str = OWN) -> None:
    """KeypostError when the stack runs a newer version. A stack that states no version is older than this check."""
    if stack_version is None:
        return
    if ranked(own) < ranked(stack_version):
        raise KeypostError("stack_is_newer", own=own, stack=stack_version)


def ranked(version: str) -> tuple[tuple[int, ...], int, int]:
    """A version as a value that sorts: 1.2 is 1.2.0, and 1.2.0rc1 comes before 1.2.0. KeypostError for anything that is
    no version."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        raise KeypostError("no_version", version=version)
    numbers, step, count = found.groups()
    parts = [int(number) for number in numbers.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts), _STEPS[step.lower()] if step else _RELEASED, int(count or 0)
