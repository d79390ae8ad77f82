"""Whether a text has words of another language than its own."""

import re
from pathlib import Path

_LISTS = Path(__file__).parent / "keypost" / "words"
# For each language the commonest words of the other one, without those that both have.
_FOREIGN = {
    "nl": set((_LISTS / "english.txt").read_text("utf-8").split()),
    "en": set((_LISTS / "dutch.txt").read_text("utf-8").split()),
}


def foreign(text: str, language: str) -> set[str]:
    """The words of the other language in a text, without what stands in backquotes: names of fields and commands."""
    plain = re.sub(r"`[^`]*`|\S+[/.]\S+|Content-Type|event destination|configuration set", " ", text)
    return set(re.findall(r"[a-zà-ÿ]+(?:-[a-z]+)*", plain.lower())) & _FOREIGN[language]
