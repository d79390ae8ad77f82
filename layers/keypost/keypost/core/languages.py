"""Languages, as shops, customers and programs name them. Which of them Keypost writes stands in `keypost.words`."""

import re

DEFAULT = "nl"  # of a customer of whom nobody says it, where the shop's settings name no other one
_TAG = re.compile(r"([a-z]{2})(?:[-_.@]|$)")


def language_of(tag: object) -> str | None:
    """The language of de, DE, de-AT, de_AT and de_AT.UTF-8, which is `de`. None for what names none, such as `auto`."""
    found = _TAG.match(str(tag or "").strip().lower())
    return found[1] if found else None
