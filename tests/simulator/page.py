"""Writes docs/reliability.md by what a run of the simulated shops showed: `make prove SEEDS=1000 PAGE=--page`. What
does not come from a run is written anew by `python -m tests.simulator.page`."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cli.local.deploy import ROOT
from tests.figures import noted
from tests.simulator.faults.checks import CHECKS
from tests.simulator.faults.faults import KINDS
from tests.simulator.faults.flows import FLOWS
from tests.simulator.faults.play import Played
from tests.simulator.faults.seldom import SELDOM
from tests.simulator.mutants.table import MUTANTS

PAGE = ROOT / "docs" / "reliability.md"
PROMISES = {
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

# What each of KINDS is, and what stories have besides.
FAULTS: Mapping[str, str] = {
    "crash before": "a function dies before a call of AWS",
    "crash after": "a function dies after a call of AWS",
    "request lost": "a call never reaches AWS, and the function waits in vain for its answer",
    "answer lost": "a call is done, and the function waits in vain for its answer",
    "not reached": "no connection with AWS comes about",
    "slow": "a call takes up to 20 seconds longer",
    "throttled": "AWS takes no more calls for now",
    "conflict": "another transaction works on the same item",
    "stale index": "an index shows what was true before",
    "stale read": "a read shows what was true before",
    "unprocessed keys": "DynamoDB answers only for some of the items",
    "some refused": "SQS or EventBridge takes a call, and refuses the first of its messages or events",
    "too many mails": "SES takes no more mails for now",
    "account paused": "SES takes no mails of this account",
    "mail failed, not sent": "SES answers with an error and does not send the mail",
    "mail failed, but sent": "SES answers with an error and sends the mail all the same",
    "mail taken, not told": "SES sends the mail, and its answer never comes",
    "mail refused": "SES refuses a mail for good",
    "bounced": "a mail comes back",
    "event lost": "SES does not tell what became of a mail",
    "event late": "SES tells it late",
    "event twice": "SES tells it twice",
    "poke lost": "a message for the worker is never sent",
    "poke late": "a message comes late",
    "twin": "a message is delivered twice at one instant",
    "delivered again": "a message is delivered again after it was handled",
    "visible too soon": "a message is delivered again while it is being handled",
    "run skipped": "a schedule does not run",
    "run twice": "a schedule runs twice",
    "run late": "a schedule runs late",
    "skewed clock": "the clock of a function is up to 2 seconds fast or slow",
    "callback twice": "a provider tells something again later",
    "callback twin": "a provider tells something twice at one instant",
    "changes again": "the stream of changes delivers again what was handled",
    "shop does not answer": "the shop's program does not answer an event",
    "shop has trouble": "the shop's program answers an event with an error",
    "provider down": "a provider cannot be reached for up to two hours",
    "provider busy": "a provider answers a question with 429 or an error of its own",
    "provider slow": "a provider takes seconds to answer a question",
    "provider silent": "a provider never answers a question",
    "provider lags": "a provider answers a question with what was true before its own callback",
    "callback never sent": "a provider does not tell of a payment, a refund, a dispute or a cancellation",
    "callback late": "a provider tells of it up to six hours late",
    "time over before": "a call never reaches AWS, and the time of the function is over while it waits",
    "time over after": "a call is done, and the time of the function is over while it waits for the answer",
}
_BEGIN = """\
# Does Keypost keep its promises when things fail?

A run writes this page, nobody does by hand: `make prove SEEDS=1000 PAGE=--page`. [testing.md](testing.md) says what the
commands do.
"""
_ABOUT = """
A simulated shop has a few days of sales, renewals, refunds, agents, commands and imports. Most have one customer, one
of 25 has eight. The real functions run side by side in one process and in virtual time, on an emulated DynamoDB and on
models of SQS, SES, EventBridge and its Scheduler. In three of four shops one of {situations} situations happens that
are seldom otherwise, such as an address that is corrected twice. In a tenth nothing fails; in the others the faults of
the next table happen, often or seldom. At the end faults stop, codes arrive, and everything has to be finished. Each
shop follows from its number: `make prove SEED=17` plays number 17 again.

## Which faults happened?
"""
_CHECKED = """
## What was checked?

Each check is shown to find what it is for (`tests/simulator/faults/test_checks_can_fail.py`).
"""
_MUTANTS = """
## Does the simulator find faults in the code?

`make mutants` puts {count} faults into the code, one at a time, and plays a shop with each. It fails unless a promise
is broken there. The last column has the number of the shop.
"""
_CRASHES = """
## What if a function dies at the worst moment?

{stories} small stories of one customer have one fault at each of their {calls} calls of AWS (`make drills` plays fewer
kinds of them, `make prove-pairs PAGE=--page` all): the function dies before the call or after it, or its time is over
while it waits for the answer; the answer is lost; another transaction is at work; AWS takes no more calls. These were
{faults} plays, in which each function and each provider takes part, and each call of the support API that writes.

`make prove-pairs` plays stories with two crashes at any two calls, also at those that are made only because of the
first crash, in {minutes} minutes of processor time. Of crashes of a function between which nothing but time passes, one
stands for all.
"""
_HOSTILE = """
## What comes of hostile input?

`make hostile` sends made-up callbacks to the door of every payment provider, on a stack for tests and on a live one:
recorded ones with odd values, of other orders, payments, modes, amounts and currencies; signatures that are forged,
old, doubled, cut off, or of another body; bodies that are cut off, packed, deep, large, or no JSON; and answers of the
provider's API that are no better. A run fails at any error of Keypost's own, at anything that is written without a
right signature or is paid without a payment, and at a name, an address, a code or a secret in a log, an answer, a
message or a key. A provider is asked to call again (503) only because its own API is at fault. WooCommerce and Mollie
get a 200 for what is malformed, so that they go on calling.
"""
_FUZZED = """
`make fuzz` sends random requests to each of the {routes} routes of the API, with a key to those of the support API:
{requests} requests, of which {accepted} were accepted, {refused} were refused and none failed. With `PAGE=--page` both
commands write their figures here.
"""
_OPEN = """
## What does this page not show?

- Nothing here ran on AWS. DynamoDB was emulated; SQS, SES, EventBridge and its Scheduler are models, made from what AWS
  says about them.
- Functions come between each other only at calls of AWS, not between two lines of Python.
- Mollie, Stripe, WooCommerce and Moneybird are models, made from what they say about their APIs. Purchases, refunds,
  disputes and cancellations happen there; subscriptions, payment links and other kinds of objects have tests of their
  own.
- Two versions work together in one of eight shops, and in 30 others that `make drills` plays.
- A fault in the code that shows only in a situation which no shop has is not found. Engineers who knew the product
  and not the simulator thought up 88, plain ones and subtle ones: 15 of them showed in the shops as they were, 52 more
  when the situations that they need had been added. The others are left to other tests.
- Ten years of renewals are played apart (`make simulate`).
- The thirteenth promise, that nothing is a dead end, has tests of its own.
- That no promise was broken in these shops does not prove that none can be.
"""
_MINUTE = 60  # seconds
_BY_A_RUN = _CHECKED.strip().partition("\n")[0]  # the heading behind what only a run can tell

README = ROOT / "README.md"
_IN_README = (
    "In {shops} simulated shops, {faults} faults of AWS and of other services broke no promise. "
    "How well that is checked: {mutants} faults"
)


def write(played: Sequence[Played], cpu_seconds: float) -> None:
    """The page, and its figures in the README."""
    PAGE.write_text(text(played, cpu_seconds), "utf-8")
    faults = sum(len(each.faults) for each in played)
    figures = _IN_README.format(shops=f"{len(played):,}", faults=f"{faults:,}", mutants=len(MUTANTS))
    said = re.escape(_IN_README).replace(r"\{shops\}", "[0-9,]+").replace(r"\{faults\}", "[0-9,]+")
    README.write_text(re.sub(said.replace(r"\{mutants\}", "[0-9]+"), figures, README.read_text("utf-8")), "utf-8")


def text(played: Sequence[Played], cpu_seconds: float) -> str:
    return "\n".join([*_of_a_run(played, cpu_seconds), *_of_the_source()]) + "\n"


def renewed(page: str) -> str:
    """With what a run told, and what the source says now."""
    told = page.partition(_BY_A_RUN)[0].rstrip("\n")
    return "\n".join([told, *_of_the_source()]) + "\n"


def _of_a_run(played: Sequence[Played], cpu_seconds: float) -> Iterator[str]:
    kinds = Counter(fault.kind for each in played for fault in each.faults)
    yield _BEGIN
    yield from _table(("question", "answer"), _figures(played, kinds.total(), cpu_seconds))
    yield _ABOUT.format(situations=len(SELDOM))
    yield from _table(("fault", "what happens", "times"), ((kind, FAULTS[kind], f"{kinds[kind]:,}") for kind in KINDS))


def _of_the_source() -> Iterator[str]:
    yield _CHECKED
    yield from _table(("promise", "checks"), _checks())
    yield _MUTANTS.format(count=len(MUTANTS))
    yield from _table(("fault", "file", "check that finds it", "shop"), _mutants())
    minutes = sum(each["seconds"] for each in noted("pairs").values()) / _MINUTE
    yield _CRASHES.format(minutes=round(minutes), **_single(noted("single")))
    yield from _table(("story", "pairs of crashes", "in which a promise was broken"), _pairs(noted("pairs")))
    yield _HOSTILE
    yield from _table(("door", "callbacks", "200 or 204", "refused (4xx)", "503"), _hostile(noted("hostile")))
    yield _FUZZED.format(**_fuzzed(noted("fuzz"))).rstrip("\n")
    yield _OPEN.rstrip("\n")


def _figures(played: Sequence[Played], faults: int, cpu_seconds: float) -> Iterator[tuple[str, str]]:
    calls, mails = sum(each.calls for each in played), sum(each.mails for each in played)
    broken = sum(bool(each.violations) for each in played)
    first, last = min(each.seed for each in played), max(each.seed for each in played)
    yield "Which shops were played?", f"{len(played):,}: numbers {first:,} to {last:,}"
    yield "In how many of them was a promise broken?", f"{broken:,}"
    yield "How many faults happened?", f"{faults:,}, at {calls:,} calls of AWS"
    yield "How many mails were sent?", f"{mails:,}"
    yield "How much processor time did a shop take?", f"{cpu_seconds / len(played):.2f} seconds"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _checks() -> Iterator[tuple[str, str]]:
    for number, promise in PROMISES.items():
        found = [name.partition(" ")[2] for name in CHECKS if name.partition(" ")[0] == number]
        yield f"{number}. {promise}", "; ".join(found)
    yield "Besides", "; ".join(name for name in CHECKS if not name[0].isdigit())


def _mutants() -> Iterator[tuple[str, str, str, str]]:
    return ((name, f"`{mutant.file}`", mutant.promise, str(mutant.seed)) for name, mutant in MUTANTS.items())


Noted = Mapping[str, Mapping[str, Mapping[str, int]]]  # answers by status, by part of a run
Counts = Mapping[str, Mapping[str, int]]  # by part of a run


def _single(parts: Counts) -> dict[str, str]:
    sums = {name: sum(each[name] for each in parts.values()) for name in ("calls", "faults")}
    return {name: f"{number:,}" for name, number in ({"stories": len(parts)} | sums).items()}


def _pairs(parts: Counts) -> Iterator[tuple[str, ...]]:
    """A line per story, and their sums."""
    told = [(flow, parts[flow]["pairs"], parts[flow]["broken"]) for flow in FLOWS]
    sums = ("all", sum(pairs for _, pairs, _ in told), sum(broken for *_, broken in told))
    yield from ((flow, f"{pairs:,}", f"{broken:,}") for flow, pairs, broken in (*told, sums))


def _hostile(parts: Noted) -> Iterator[tuple[str, ...]]:
    """A line per door, and their sums."""
    counts = {door: _by_kind(each["answers"]) for door, each in parts.items()}
    counts["all"] = sum(counts.values(), Counter())
    for door, kinds in counts.items():
        yield door, *(f"{number:,}" for number in (kinds.total(), kinds["2"] + kinds["3"], kinds["4"], kinds["5"]))


def _fuzzed(parts: Noted) -> dict[str, str]:
    kinds = sum((_by_kind(each["answers"]) for each in parts.values()), Counter[str]())
    figures = {"routes": len(parts), "requests": kinds.total(), "accepted": kinds["2"] + kinds["3"]}
    return {name: f"{number:,}" for name, number in (figures | {"refused": kinds["4"]}).items()}


def _by_kind(answers: Mapping[str, int]) -> Counter[str]:
    """How many answers of each kind, by the first digit of their status."""
    kinds: Counter[str] = Counter()
    for status, count in answers.items():
        kinds[status[0]] += count
    return kinds


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
