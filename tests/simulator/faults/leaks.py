"""Promise 7: a code appears in the mail to its customer and nowhere else; names and addresses there and in answers to
agents. All codes, names and addresses of a story are canaries, looked for wherever a line is written."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.simulator.faults.ses import CODE
from tests.simulator.faults.simulation import Simulation

Items = Sequence[Mapping[str, Any]]  # the whole table
_ADDRESS = re.compile(r"[a-z0-9-]+@klant\.example")
_NAMES = re.compile("Anna Jansen|Piet Bakker|Bea Eigenaar|Sjaak Vreemdeling")
_CANARIES = (CODE, _ADDRESS, _NAMES)
_CODES = (CODE,)
_URL = re.compile(r"https?://[^\s\"'<>]+")

# Where something is written, what may not stand there, and all texts of that kind.
CHANNELS: Mapping[str, tuple[tuple[re.Pattern[str], ...], Callable[[Simulation, Items], Iterable[str]]]] = {
    "a log line": (_CANARIES, lambda simulation, _: simulation.lines),
    "a metric": (_CANARIES, lambda simulation, _: simulation.counted),
    "an error": (_CANARIES, lambda simulation, _: (failure.text for failure in simulation.failures)),
    "a message of a queue": (_CANARIES, lambda simulation, _: simulation.sqs.bodies),
    "an answer to a callback or a page": (_CANARIES, lambda simulation, _: simulation.replies),
    "an answer to an agent": (_CODES, lambda simulation, _: map(_texts, (each.said for each in simulation.answers))),
    "what a command prints": (_CODES, lambda simulation, _: simulation.printed),
    "a URL": (_CANARIES, lambda simulation, _: _urls(simulation)),
    "a key of the table": (_CANARIES, lambda _, items: (item["pk"] for item in items)),
    "a tag of a mail": (_CANARIES, lambda simulation, _: (" ".join(sent.tags) for sent in simulation.ses.accepted)),
}


def leaks(simulation: Simulation, items: Items) -> Iterator[str]:
    """What is somewhere that it may not be, given the whole table."""
    for channel, (canaries, texts) in CHANNELS.items():
        found = {
            match[0] for text in texts(simulation, items) for canary in canaries for match in canary.finditer(text)
        }
        yield from (f"{channel} has {each}" for each in sorted(found))


def _urls(simulation: Simulation) -> Iterator[str]:
    """The links in mails; agents' wishes have theirs in bodies."""
    for sent in simulation.ses.accepted:
        yield from _URL.findall(sent.text)


def _texts(said: Any) -> str:
    return repr(said)
