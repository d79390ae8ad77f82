"""Dollars at the prices of prices.toml: what a use costs, the floor that the promises' own calls cost, and what
conventional designs cost."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.bench.memory import gb_seconds

PRICES = Path(__file__).with_name("prices.toml")
REGION = "eu-west-1"
REGIONS = (REGION, "eu-central-1")


@dataclass(frozen=True, slots=True)
class Used:
    """What one delivered licence uses, or one event."""

    rest_api: float = 0
    http_api: float = 0
    lambda_requests: float = 0
    gb_seconds: float = 0
    write_units: float = 0
    read_units: float = 0
    sqs_requests: float = 0
    log_bytes: float = 0
    traces: float = 0
    secret_calls: float = 0
    key_calls: float = 0

    def __add__(self, other: "Used") -> "Used":
        return Used(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Batches:
    """How many messages SQS delivers at once."""

    pokes: int
    events: int


QUIET = Batches(pokes=1, events=2)  # SES's two events of one mail come together: MailFeedback waits for the second
BUSY = Batches(pokes=3, events=10)  # as many as template.yaml allows
TRACED = 0.01  # of the calls of the API, by default


@dataclass(frozen=True, slots=True)
class Step:
    """What a promise cannot do without."""

    what: str
    promises: str
    used: Used


def floor(batches: Batches) -> list[Step]:
    """For an order of one code and up to a kilobyte: no item is written without need, no index entry but those that a
    promise needs comes or goes, nothing is logged or traced, and the functions run as fast as bare boto3 at 512 MB."""

    def running(calls: int, mails: int = 0) -> float:
        return gb_seconds(512, calls, mails, over_bare=1)

    return [
        Step("a provider's call reaches a function", "1, 8, 9", Used(rest_api=1, lambda_requests=1)),
        Step("the payment's name leads to the order, so that a refund finds it", "4, 12", Used(write_units=1)),
        Step("the order is stored, with a clock so that it is not forgotten", "1, 3", Used(write_units=2)),
        Step(
            "it is poked: sent, received, deleted",
            "1",
            Used(sqs_requests=1 + 2 / batches.pokes, lambda_requests=1 / batches.pokes, gb_seconds=running(3)),
        ),
        Step("the worker reads what was told until now", "4", Used(read_units=1)),
        Step("is the address known to be bad?", "6", Used(read_units=0.5)),
        Step("a free code is found and read", "1", Used(read_units=1.5)),
        Step("order, code and license are written in one transaction", "2", Used(write_units=6)),
        Step("the code leaves those that are free and stands among those of its batch", "2, 13", Used(write_units=2)),
        Step(
            "the mail is sent; that is stored and stops the clock", "6", Used(write_units=2, gb_seconds=running(6, 1))
        ),
        Step(
            "SES's two events are queued, received and deleted, and stored",
            "6",
            Used(
                sqs_requests=2 + 4 / batches.events,
                lambda_requests=2 / batches.events,
                read_units=1,
                write_units=1,
                gb_seconds=running(2),
            ),
        ),
    ]


# What others build for the same: facts of the same price list. Neither hears what became of a mail.
CONVENTIONAL = {
    "conventional": Used(
        http_api=1, lambda_requests=4, gb_seconds=0.233, write_units=21, read_units=1, sqs_requests=3, log_bytes=6000,
        traces=0.05,
    ),
    "naive": Used(
        rest_api=1, lambda_requests=4, gb_seconds=0.78, write_units=22, read_units=1, sqs_requests=3, log_bytes=20_000,
        traces=2, secret_calls=2, key_calls=2,
    ),
}  # fmt: skip


def prices(region: str = REGION) -> dict[str, float]:
    return dict(tomllib.loads(PRICES.read_text(encoding="utf-8"))[region])


def from_memory() -> list[str]:
    """The prices that were remembered and not read."""
    return list(tomllib.loads(PRICES.read_text(encoding="utf-8"))["from_memory"])


def dollars(used: Used, at: Mapping[str, float]) -> dict[str, float]:
    """For a million times that, by part."""
    return {
        "rest_api": used.rest_api * at["rest_api"],
        "http_api": used.http_api * at["http_api"],
        "lambda_requests": used.lambda_requests * at["lambda_requests"],
        "gb_seconds": used.gb_seconds * at["gb_second"] * 1e6,
        "write_units": used.write_units * at["write_unit"],
        "read_units": used.read_units * at["read_unit"],
        "sqs_requests": used.sqs_requests * at["sqs_requests"],
        "log_bytes": used.log_bytes * at["log_gb"] / 1e3,
        "traces": used.traces * at["traces"],
        "secret_calls": used.secret_calls * at["secret_calls"],
        "key_calls": used.key_calls * at["key_calls"],
    }


def total(used: Used, at: Mapping[str, float]) -> float:
    return sum(dollars(used, at).values())


def summed(parts: Sequence[Used]) -> Used:
    return sum(parts[1:], parts[0])
