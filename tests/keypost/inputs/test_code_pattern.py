"""What may describe a code is a small part of regular expressions, of which none takes long."""

import re
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.inputs import code_pattern

ALLOWED = [
    "[A-Z0-9]{5}(-[A-Z0-9]{5}){3}",
    "(?:[A-Z0-9]{4}-){3}[A-Z0-9]{4}",
    "[A-Z0-9]{5}(-?[A-Z0-9]{5}){4}",
    "[A-Z0-9]{20,25}",
    "[A-Z0-9]{5}(-[A-Z0-9]{5}){3}|[A-Z0-9]{20}|[0-9]{16}",
    r"\d{4}-\d{4}",
    "^KAV-[A-Z]{2}[0-9]{8}$",
    "(?i)https://redeem\\.example/[a-z0-9]{8}",
    "[^ ]{5,60}",
    r"[\]A-Z\-]{4}",
    "[0-9]{1,3}([.][0-9]{1,3}){3}",
]
REFUSED = {
    "(A?){26}A{26}": "pattern_in_too_many_ways",
    "([A-Z]|[A-Z0-9]){32}": "pattern_in_too_many_ways",
    "[A-Z]{1,40}[A-Z]{1,40}[A-Z]{1,40}": "pattern_in_too_many_ways",
    "(([A-Z]{1,9}){1,9}){1,9}": "pattern_in_too_many_ways",
    "((((A|A){9}){9}){9}){9}": "pattern_in_too_many_ways",
    "[A-Z]+": "pattern_without_bound",
    "[A-Z]{5}(-[A-Z]{5})*": "pattern_without_bound",
    "[A-Z]{5,}": "pattern_without_bound",
    "[A-Z]{,5}": "pattern_not_allowed",
    "[A-Z]{500}": "pattern_not_allowed",
    "(?=[A-Z]{5})[A-Z]{5}": "pattern_not_allowed",
    "(?P<a>[A-Z])(?P=a)": "pattern_not_allowed",
    r"([A-Z])\1": "pattern_not_allowed",
    "[A-Z]{2,5}?": "pattern_not_allowed",
    "(?>[A-Z]{5})": "pattern_not_allowed",
    ".{5}": "pattern_not_allowed",
    r"\bA{5}": "pattern_not_allowed",
    "A$B": "pattern_not_allowed",
    "[A-Z": "pattern_unreadable",
    "A{9999999999}": "pattern_unreadable",
    "(": "pattern_unreadable",
    "[[A-Z]]": "pattern_unreadable",  # a later Python may read a class within a class
    "[A-Z--B]": "pattern_unreadable",  # and a difference of two
}


@pytest.mark.parametrize("pattern", ALLOWED)
def test_patterns_as_vendors_need_them_are_allowed(pattern: str) -> None:
    code_pattern.check(pattern)


@pytest.mark.parametrize("pattern", REFUSED)
def test_all_else_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match=f"^{REFUSED[pattern]}$"):
        code_pattern.check(pattern)


PARTS = ["A", "B?", "[AB]", "[AB]{0,2}", "(A|B)", "(A?B?){2}", "(A|AB){3}", "A{1,4}", "|", "(", ")", "{3}", "?", "-"]


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
def test_an_allowed_pattern_is_decided_in_as_many_steps_as_were_counted(pattern: str) -> None:
    """Python's own parser is the oracle of what a pattern is; a slow one would not return."""
    with suppress(ValueError):
        code_pattern.check(pattern)
        assert re.fullmatch(pattern, "A" * 63 + "!") is None


@given(st.text(string.printable, max_size=12))
def test_any_text_is_allowed_or_refused(pattern: str) -> None:
    with suppress(ValueError):
        code_pattern.check(pattern)
        re.compile(pattern)
