"""Which regular expressions may describe a code: signs, classes, groups, alternatives and bounded repeats, all else is
refused. How often it can be read in another way is counted, as that is what a search may try before it gives up: two
repeats that compete for the same signs would take longer than anybody waits."""

import re
import warnings

_MOST_WAYS = 200
_LONGEST = 64  # signs of a code
_CLASS = re.compile(r"\[\^?\]?(?:\\[\W\ddwD]|[^\]\\[])*\]")  # no class within another one
_SIGN = re.compile(r"\\[^A-Za-z0-9\s]|\\[dw]|[^\\\[\](){}|?*+^$.]")
_REPEAT = re.compile(r"\{([0-9]{1,2})(?:,([0-9]{1,2}))?\}")
_UNBOUNDED = re.compile(r"[*+]|\{[0-9]*,\}")


class _Unfit(ValueError):
    """Its text is the code of the sentence that says why."""


def check(pattern: str) -> None:
    """ValueError, with the code of a sentence, if it is none of these."""
    try:
        with warnings.catch_warnings(action="error"):  # of what a later Python will read in another way
            re.compile(pattern)
    except (re.error, FutureWarning, OverflowError, RecursionError):
        raise _Unfit("pattern_unreadable") from None
    body = pattern.removeprefix("(?i)").removeprefix("^")
    ways, at = _alternatives(body, 0)
    if body[at:] not in ("", "$"):
        raise _Unfit("pattern_not_allowed")
    _check_ways(ways)


def _check_ways(ways: int) -> None:
    if ways > _MOST_WAYS:
        raise _Unfit("pattern_in_too_many_ways")


def _alternatives(text: str, at: int) -> tuple[int, int]:
    """In how many ways these can be read, and where they end."""
    ways, at = _sequence(text, at)
    while text.startswith("|", at):
        more, at = _sequence(text, at + 1)
        ways += more
    return ways, at


def _sequence(text: str, at: int) -> tuple[int, int]:
    ways = 1
    while at < len(text) and text[at] not in "|)" and text[at:] != "$":
        one, at = _part(text, at)
        each, at = _repeated(one, text, at)
        ways *= each
        _check_ways(ways)
    return ways, at


def _part(text: str, at: int) -> tuple[int, int]:
    """A sign, a class or a group."""
    if text.startswith("(", at):
        start = at + 3 if text.startswith("(?:", at) else at + 1
        if text.startswith("?", start):
            raise _Unfit("pattern_not_allowed")
        ways, end = _alternatives(text, start)
        return ways, end + 1  # it compiles, so that the group ends
    found = _CLASS.match(text, at) or _SIGN.match(text, at)
    if found is None:
        raise _Unfit("pattern_without_bound" if _UNBOUNDED.match(text, at) else "pattern_not_allowed")
    return 1, found.end()


def _repeated(ways: int, text: str, at: int) -> tuple[int, int]:
    """In how many ways a part can be read with the repeat that stands behind it."""
    if _UNBOUNDED.match(text, at):
        raise _Unfit("pattern_without_bound")
    found = _REPEAT.match(text, at)
    if found:
        least, most = int(found[1]), int(found[2] or found[1])
        at = found.end()
    elif text.startswith("?", at):
        least, most, at = 0, 1, at + 1
    else:
        return ways, at
    if most > _LONGEST or _REPEAT.match(text, at) or text.startswith(("?", "+"), at):
        raise _Unfit("pattern_not_allowed")
    _check_ways(ways**most)
    return sum(ways**count for count in range(least, most + 1)), at
