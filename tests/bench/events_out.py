"""What events out cost besides, which the other figures leave out: nobody has them who did not ask."""

from collections.abc import Mapping

from tests.bench.costs import Used, total
from tests.bench.memory import gb_seconds

EVENTS = 2  # of an order that is served and delivered
RUNS = 2  # of TellEvents: for what the sale changes within ten seconds, and for what SES tells of its mail
ON_BUS = 1.00  # dollars for a million events, in every region; remembered, not read in the price list
ANSWERS_IN = 0.2  # seconds, of the shop's program
_MEMORY = 512
_LOG = 250  # bytes of a line


def of_bus(at: Mapping[str, float]) -> float:
    """Dollars for a million orders."""
    reads = Used(lambda_requests=RUNS, gb_seconds=RUNS * gb_seconds(_MEMORY, 1), log_bytes=EVENTS * _LOG)
    return total(reads, at) + EVENTS * ON_BUS


def of_url(at: Mapping[str, float]) -> float:
    """Dollars for a million orders. SQS is asked to take, to give and to delete each event."""
    reads = Used(lambda_requests=RUNS, gb_seconds=RUNS * gb_seconds(_MEMORY, 1), log_bytes=EVENTS * _LOG)
    calls = Used(
        lambda_requests=EVENTS,
        gb_seconds=EVENTS * (gb_seconds(_MEMORY, 1) + ANSWERS_IN * _MEMORY / 1024),
        read_units=EVENTS,
        sqs_requests=3 * EVENTS,
        log_bytes=EVENTS * _LOG,
    )
    return total(reads, at) + total(calls, at)
