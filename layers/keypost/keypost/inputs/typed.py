"""Text as people type and copy it."""

import unicodedata
from typing import Any

# Invisible characters, as patterns name them: the most frequent ones, without the spaces.
UNSEEN = r"\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}  # categories of Unicode


def trimmed(given: Any) -> Any:
    """Text without the spaces, line breaks and invisible characters at its ends, which come along when somebody copies
    it. What is no text stays as it is."""
    if not isinstance(given, str):
        return given
    seen = [place for place, character in enumerate(given) if unicodedata.category(character) not in _UNSEEN]
    return given[seen[0] : seen[-1] + 1] if seen else ""
