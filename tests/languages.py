"""Whether a text has words of another language than its own."""

import re
from pathlib import Path

_LISTS = Path(__file__).parent / "keypost" / "words"
# The commonest words of each language; those that it shares with another one stand in both lists.
COMMON = {path.stem: set(path.read_text("utf-8").split()) for path in _LISTS.glob("*.txt")}


def foreign(text: str, language: str) -> set[str]:
    """The words of other languages in a text, without what stands in backquotes: names of fields and commands."""
    plain = re.sub(r"`[^`]*`|\S+[/.]\S+|Content-Type|event destination|configuration set", " ", text)
    others = set[str]().union(*(words for name, words in COMMON.items() if name != language))
    return set(re.findall(r"[a-zß-ÿ]+(?:-[a-zß-ÿ]+)*", plain.lower())) & (others - COMMON[language])
