"""Writes docs/reliability.md by what a run of the simulated shops showed: `make prove SEEDS=1000 PAGE=--page`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cli.local.deploy import ROOT
from tests.simulator.faults.checks import CHECKS
from tests.simulator.faults.play import Played
from tests.simulator.mutants.table import MUTANTS

PAGE = ROOT / "docs" / "reliability.md"
_PROMISES = {
    "1": "Every paid order ends with exactly the codes it paid for, or waits visibly for stock",
    "2": "No code is given to two orders; duplicates, retries and crashes change nothing",
    "3": "No paid order is forgotten",
    "4": "No code is sent for an order that is not paid, or whose money went back before",
    "5": "A renewal is mailed on its day, once, and never before it is paid",
    "6": "A mail is never lost, and sent twice only when nobody could know that it was sent",
    "7": "Codes, names and addresses stand nowhere but where they belong",
    "8": "Nobody without a credential changes anything",
    "9": "Bad input gets a clear error and changes nothing",
    "10": "No order can hold up another",
    "11": "Two neighbouring versions can work on one table",
    "12": "Nothing that reached Keypost vanishes",
}


def write(played: Sequence[Played], cpu_seconds: float) -> None:
    PAGE.write_text("\n".join(_lines(played, cpu_seconds)) + "\n", "utf-8")


_BEGIN = """\
# Does Keypost keep its promises when things fail?

A run writes this page, nobody does by hand: `make prove SEEDS=1000 PAGE=--page`. What the commands do is told in
[testing.md](testing.md).
"""
_ABOUT = """
A simulated shop is a few days of sales, renewals, refunds, agents and imports. The real functions run side by side in
one process and in virtual time, on the emulated DynamoDB and on models of SQS, SES and EventBridge Scheduler. Each call
of AWS may fail in the ways that the next table counts. Then nothing fails any more, and all must come to its end.
A shop follows from its number, so one that fails can be played again.

## Which faults happened?
"""
_CHECKED = """
## What was checked?

Each check is shown to find what it is for (`tests/simulator/faults/test_checks_can_fail.py`). The thirteenth promise,
that nothing is a dead end, has tests of its own.
"""
_MUTANTS = """
## Which faults in the protocol does the simulator find?

Each is one small change of the source. A drill plays the shop with this number and that change, and a promise must be
broken.
"""


def _lines(played: Sequence[Played], cpu_seconds: float) -> Iterator[str]:
    kinds = Counter(fault.kind for each in played for fault in each.faults)
    yield _BEGIN
    yield from _table(("question", "figure", "command that shows it"), _figures(played, kinds.total(), cpu_seconds))
    yield _ABOUT
    yield from _table(("fault", "times"), ((kind, f"{count:,}") for kind, count in sorted(kinds.items())))
    yield _CHECKED
    yield from _table(("promise", "checks"), _checks())
    yield _MUTANTS
    yield from _table(("fault", "file", "what breaks", "seed"), _mutants())


def _figures(played: Sequence[Played], faults: int, cpu_seconds: float) -> Iterator[tuple[str, str, str]]:
    calls, mails = sum(each.calls for each in played), sum(each.mails for each in played)
    broken = sum(bool(each.violations) for each in played)
    prove = f"`make prove SEEDS={len(played)}`"
    yield "In how many simulated shops under faults was a promise broken?", f"{broken} of {len(played):,}", prove
    yield "How many faults were there?", f"{faults:,}, at {calls:,} calls of AWS; {mails:,} mails were sent", prove
    yield (
        "How many faults in the protocol does the simulator find?",
        f"{len(MUTANTS)} of {len(MUTANTS)}",
        "`make mutants`",
    )
    yield "How much processor time does a shop take?", f"{cpu_seconds / max(len(played), 1):.2f} seconds", prove


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _checks() -> Iterator[tuple[str, str]]:
    for number, promise in _PROMISES.items():
        found = [name.partition(" ")[2] for name in CHECKS if name.partition(" ")[0] == number]
        yield f"{number}. {promise}", "; ".join(found)
    yield "Besides", "; ".join(name for name in CHECKS if not name[0].isdigit())


def _mutants() -> Iterator[tuple[str, str, str, str]]:
    return ((name, f"`{mutant.file}`", mutant.promise, str(mutant.seed)) for name, mutant in MUTANTS.items())
