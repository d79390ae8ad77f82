"""What a delivered licence uses, counted, and what a stack costs that sells nothing. costs.py has prices and floor."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from tests.bench.costs import BUSY, QUIET, TRACED, Batches, Used, floor, prices, summed, total
from tests.bench.events import a_sale, both_events, callbacks, schedules
from tests.bench.figures import Figure
from tests.bench.memory import gb_seconds
from tests.bench.shop import Event, shops
from tests.translated import metrics_of

_HOURS = 730  # of a month
# How often a schedule of template.yaml runs in a month. The daily rules run three times a day.
_RUNS = {
    "find_due_orders, nothing due": 4 * _HOURS + 90,
    "reconcile_payments, nothing new": _HOURS,
    "write_daily_note, nothing to say": 90,
}
_HOURLY_METRICS = 4  # that the safety net counts even where there is nothing: OrdersDue, OrdersOverdue and two others
_IDLE_POLLS = 5 * 3 * 60 * _HOURS  # of a queue: Lambda holds five requests of 20 seconds open


def used_by(events: Mapping[str, Event], batches: Batches) -> Used:
    """A licence from callback to delivered mail."""
    callback, poke = events["callback, webhook"], events["poke of a paid order, one licence"]
    told = events["feedback, send and delivery together"]
    return summed(
        [
            Used(rest_api=1, lambda_requests=1, traces=TRACED),
            Used(sqs_requests=2 / batches.pokes, lambda_requests=1 / batches.pokes),
            Used(sqs_requests=2 + 4 / batches.events, lambda_requests=2 / batches.events),
            *(_counted(event) for event in (callback, poke, told)),
        ]
    )


def _counted(event: Event) -> Used:
    calls = event.calls
    mails = sum(call.operation == "SendEmail" for call in calls)
    return Used(
        gb_seconds=gb_seconds(512, len(calls), mails),
        write_units=sum(call.writes + sum(call.index_writes.values()) for call in calls),
        read_units=sum(call.reads for call in calls),
        sqs_requests=sum(call.requests for call in calls),
        log_bytes=event.log_bytes,
    )


def measure(say: Callable[[str], None]) -> list[Figure]:
    say("counts what a delivered licence uses")
    with shops() as opened:
        events = {event.name: event for play in (callbacks, a_sale, both_events, schedules) for event in play(opened)}
    quiet, busy, at = used_by(events, QUIET), used_by(events, BUSY), prices()
    return [
        Figure("dollars/over_floor", _over_floor(quiet, QUIET), "ratio"),
        Figure("dollars/over_floor_busy", _over_floor(busy, BUSY), "ratio"),
        Figure("dollars/a_million", total(quiet, at), "$"),
        Figure("dollars/a_million_busy", total(busy, at), "$"),
        *(
            Figure(f"dollars/{part.name}", each, "count")
            for part in fields(Used)
            if (each := getattr(quiet, part.name))
        ),
        *(Figure(f"dollars/idle_{name}", each, "$") for name, each in idle(events, at).items()),
    ]


def _over_floor(used: Used, batches: Batches) -> float:
    at = prices()
    return total(used, at) / total(summed([step.used for step in floor(batches)]), at)


def idle(events: Mapping[str, Event], at: Mapping[str, float]) -> dict[str, float]:
    """Dollars a month of a stack that sells nothing, without events out."""
    parsed: Any = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    # Events out are asked for, and are listed in docs/events.md.
    resources = [one for one in parsed["Resources"].values() if "HasEvents" not in str(one.get("Condition"))]
    sources = [each for one in resources for each in one.get("Properties", {}).get("Events", {}).values()]
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    read = sum(len(metrics_of(alarm)) for alarm in alarms)  # an alarm that computes is paid by what it reads
    queues = sum(each["Type"] == "SQS" for each in sources)
    runs = [runs * total(_counted(events[name]) + Used(lambda_requests=1), at) / 1e6 for name, runs in _RUNS.items()]
    return {
        "alarms": read * at["alarm_month"],
        "metrics": _HOURLY_METRICS * at["metric_month"],
        "queues": queues * _IDLE_POLLS * at["sqs_requests"] / 1e6,
        "schedules": sum(runs),
        "secret": at["secret_month"],
    }
