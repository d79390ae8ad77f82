"""What docs/performance.md says of dollars, from the figures that were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from tests.bench.costs import (
    BUSY,
    CONVENTIONAL,
    QUIET,
    REGION,
    REGIONS,
    Used,
    dollars,
    floor,
    from_memory,
    prices,
    summed,
    total,
)
from tests.bench.figures import Figure
from tests.bench.memory import SES_WAITS

_PARTS = {
    "rest_api": "calls of the API",
    "lambda_requests": "invocations",
    "gb_seconds": "GB-seconds, estimated",
    "write_units": "write units, of the table and its indexes",
    "read_units": "read units",
    "sqs_requests": "requests of SQS",
    "log_bytes": "bytes of log",
    "traces": "traces",
}
_IDLE = {
    "alarms": "alarms",
    "metrics": "metrics that the schedules count every hour",
    "queues": "Lambda asking empty queues",
    "schedules": "runs of the schedules with nothing to do",
    "secret": "the secret",
}
_HOURS = 730  # of a month
_SALE_METRICS = 4  # that a licence counts: paid, issued, sent, delivered
_KEPT = 12 * 5e-6  # GB of table and indexes that a licence a month is after a year
_MONTHS = (100, 1_000, 10_000)


def bill(measured: Mapping[str, Figure]) -> str:
    """Markdown; empty when the dollars were not measured."""
    if "dollars/a_million" not in measured:
        return ""
    used = Used(**{part.name: _value(measured, part.name) for part in fields(Used)})
    return "\n".join([_by_part(used), _compared(measured), _floor(), _months(used, measured), _method()])


def _value(measured: Mapping[str, Figure], name: str) -> float:
    figure = measured.get(f"dollars/{name}")
    return figure.value if figure else 0


def _by_part(used: Used) -> str:
    """A million licences in a shop that sells less than one every few seconds: nearly no batch is full."""
    least = summed([step.used for step in floor(QUIET)])

    def cells(name: str) -> list[str]:
        sums = [dollars(used, prices(region))[name] for region in REGIONS] + [dollars(least, prices())[name]]
        return [f"{getattr(used, name):,.4g}", f"{getattr(least, name):,.4g}", *(f"{each:.2f}" for each in sums)]

    sums = [*(total(used, prices(region)) for region in REGIONS), total(least, prices())]
    return "\n".join(
        [
            "### What does a million delivered licences cost, beside the mails?\n",
            f"In dollars, without the {prices()['mail']:.0f} that SES takes for the mails themselves.\n",
            _row("part", ["a licence", "at least", *REGIONS, "at least"]),
            _row("---", ["---:"] * 5),
            *(_row(words, cells(name)) for name, words in _PARTS.items()),
            _row("**sum**", ["", "", *(f"{each:.2f}" for each in sums)]),
            "",
        ]
    )


_BESIDE = """\
The conventional designs do not hear what became of a mail. The start of a function adds to each of them: in a shop that
sells once an hour, each sale begins with cold functions.
"""


def _compared(measured: Mapping[str, Figure]) -> str:
    at = prices()
    floors = [total(summed([step.used for step in floor(batches)]), at) for batches in (QUIET, BUSY)]
    designs = [total(CONVENTIONAL[name], at) for name in ("conventional", "naive")]
    rows = [
        ("Keypost with warm functions, one sale at a time", _value(measured, "a_million")),
        ("the floor there", floors[0]),
        ("Keypost while batches are full", _value(measured, "a_million_busy")),
        ("the floor there", floors[1]),
        ("conventional: a table for idempotency, four items a transaction, two indexes, 1 GB, 6 kB of log", designs[0]),
        ("naive: also 20 kB of log, every call traced, secret and key read each time", designs[1]),
    ]
    return "\n".join(
        [
            _row("a million licences", ["dollars"]),
            _row("---", ["---:"]),
            *(_row(words, [f"{each:.2f}"]) for words, each in rows),
            "",
            _BESIDE,
        ]
    )


def _floor() -> str:
    at = prices()
    return "\n".join(
        [
            "### Which calls do the promises need?\n",
            "| step | promise | dollars a million |",
            "| --- | --- | ---: |",
            *(f"| {step.what} | {step.promises} | {total(step.used, at):.2f} |" for step in floor(QUIET)),
            "",
        ]
    )


def _months(used: Used, measured: Mapping[str, Figure]) -> str:
    at = prices()
    metrics = [_SALE_METRICS * at["metric_month"] * min(licenses, _HOURS) / _HOURS for licenses in _MONTHS]
    rows = {
        "the mails (SES)": [licenses * at["mail"] / 1e6 for licenses in _MONTHS],
        "the licences": [licenses * total(used, at) / 1e6 for licenses in _MONTHS],
        "metrics of sales": metrics,
        "backup of the table, after a year": [licenses * _KEPT * at["backup_gb_month"] for licenses in _MONTHS],
        **{words: [_value(measured, f"idle_{name}")] * len(_MONTHS) for name, words in _IDLE.items()},
    }
    rows["**sum**"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    rows["more with `Tracing=all`"] = [licenses * total(Used(traces=4), at) / 1e6 for licenses in _MONTHS]
    rows["more with a firewall"] = [at["firewall_month"]] * len(_MONTHS)
    return "\n".join(
        [
            "### What does a month cost?\n",
            f"In dollars, in {REGION}, without the free tiers of AWS.\n",
            _row("licences in a month", [f"{licenses:,}" for licenses in _MONTHS]),
            _row("---", ["---:"] * len(_MONTHS)),
            *(_row(words, [f"{each:.2f}" for each in row]) for words, row in rows.items()),
            "",
        ]
    )


def _row(words: str, cells: Sequence[str]) -> str:
    return f"| {words} | {' | '.join(cells)} |"


def _method() -> str:
    return f"""\
Calls, capacity, requests of SQS and bytes of log are counted: `tests/bench/calls.golden` lists them. GB-seconds are
estimated: a call of AWS takes as long as in a public measurement on AWS, times what our own code adds to it, and a
mail {SES_WAITS * 1000:.0f} ms more. Prices stand in `tests/bench/prices.toml`. From memory, and not read again, are
{", ".join(from_memory())}.
"""
