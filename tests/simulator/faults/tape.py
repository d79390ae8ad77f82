"""The decisions of a run: what somebody does, what goes wrong, and at which calls others come between. All of them
follow from the seed. A tape says which of them are kept, each by a mark that is the same whichever others are left
out."""

from dataclasses import dataclass
from hashlib import blake2b

ACTS, FAULTS, WAITS = "acts", "faults", "waits"
EVERYTHING = frozenset({ACTS, FAULTS, WAITS})
_MARK = 4  # bytes


@dataclass(frozen=True, slots=True)
class Tape:
    """The marks of what is kept; the name of a kind keeps all decisions of it."""

    kept: frozenset[str] = EVERYTHING

    def keeps(self, kind: str, text: str) -> bool:
        return kind in self.kept or mark(kind, text) in self.kept

    def __str__(self) -> str:
        return ",".join(sorted(self.kept))


WHOLE = Tape()


def mark(kind: str, text: str) -> str:
    return blake2b(f"{kind} {text}".encode(), digest_size=_MARK).hexdigest()
