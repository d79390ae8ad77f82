"""Two busy days in virtual time: a flash sale, and a morning with 100,000 renewals.

What decides is the product's own: `poke_due` and `Queue` decide what is let out and when, `is_stale` which poke gives
way, `Pace` when a worker sends, template.yaml how many callbacks may come. A thousand orders of the sale are served by
the real worker (`crowd`). Modelled, and assumed, is what AWS does:

- SQS delivers in the order of arrival, within half a second; Lambda asks again after 10 to 50 ms.
- A call of AWS takes 4 to 12 ms, one of SES 50 to 250 ms; how many there are is read from calls.golden.
- API Gateway refuses what is above rate and burst of template.yaml. Lambda starts at most 1,000 environments in ten
  seconds and 1,000 in all, each in 0.8 to 1.6 s; a call that finds none is refused and told again after 5 s, a minute,
  ten minutes.
- DynamoDB takes 1,000 write units in a second for each key and each partition. A new table on demand, and each of its
  indexes, has four partitions. A full partition of an index refuses the write of its item; what was left unused before
  is not lent, which is stricter than AWS. A refused write is tried again after up to half a second.
- The schedules start within a minute of their time.
"""

import heapq
import random
import re
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import time_machine
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from keypost import telemetry
from keypost.clients.mailer import Pace
from keypost.clients.queue import Queue, is_stale
from keypost.core.periods import morning_of
from keypost.table.schedule import Due
from keypost.use_cases.poke_due import poke_due
from tests.bench.contention import crowd
from tests.bench.figures import Figure
from tests.builders import ZONE

Say = Callable[[str], None]
_GOLDEN = Path(__file__).with_name("calls.golden")
_CALL, _SES = (0.004, 0.012), (0.05, 0.25)  # seconds
_ASKS, _ARRIVES, _LATE = (0.01, 0.05), 0.5, 60.0
_COLD, _ENVIRONMENTS = (0.8, 1.6), 1000
_PARTITIONS, _UNITS = 4, 1000
_TOLD_AGAIN = (5.0, 60.0, 600.0, 3600.0)
_BATCH, _WORKERS = 3, 5
_NET = 900.0
MAILS_PER_SECOND = 14.0
MORNING = morning_of(datetime(2026, 12, 1, tzinfo=UTC).date(), ZONE)


def calls_of(event: str) -> int:
    """How many calls of AWS an event makes, as calls.golden has it."""
    told = _GOLDEN.read_text("utf-8").split("\n\n")
    (whole,) = (part for part in told if part.partition("\n")[0] == event)
    found = re.search(r"(\d+) calls[:,] ", whole)
    assert found
    return int(found[1])


@dataclass(slots=True)
class Day:
    """Virtual time, and the queue of pokes with its workers."""

    seed: int
    start: float
    overtaking: bool = True  # a poke that waited gives way
    now: float = 0
    chance: random.Random = field(init=False)
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=count)
    queue: deque[dict[str, Any]] = field(default_factory=deque)
    running: int = 0
    paces: list[Pace] = field(default_factory=list)
    due: dict[str, float] = field(default_factory=dict)  # orders that are not done, and since when they are due
    sent: dict[str, float] = field(default_factory=dict)
    planned_sent: int = 0
    mails: Counter[str] = field(default_factory=Counter)
    gave_way: int = 0

    def __post_init__(self) -> None:
        self.now, self.chance = self.start, random.Random(self.seed)  # noqa: S311 - chance that can be played again
        gap = _WORKERS / MAILS_PER_SECOND
        self.paces = [Pace(gap, lambda: self.now, lambda _: None) for _ in range(_WORKERS)]

    def at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (max(when, self.now), next(self.number), do))

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        while self.events and not until():
            self.now, _, do = heapq.heappop(self.events)
            do()

    def takes(self, calls: int) -> float:
        return sum(self.chance.uniform(*_CALL) for _ in range(calls))

    # --- the queue, as its client sees it

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's names
        for entry in Entries:
            self.poke(entry["MessageBody"], entry["DelaySeconds"], entry.get("MessageAttributes", {}))
        return {}

    def poke(self, order: str, delay: float = 0, attributes: dict[str, Any] | None = None) -> None:
        own = {name: {"stringValue": each["StringValue"]} for name, each in (attributes or {}).items()}
        message = {"body": order, "messageAttributes": own}
        self.at(self.now + delay + self.chance.uniform(0, _ARRIVES), lambda: self._arrive(message))

    def _arrive(self, message: dict[str, Any]) -> None:
        self.queue.append(message)
        if self.running < _WORKERS:
            self.running += 1
            pace = self.paces.pop()
            self.at(self.now + self.chance.uniform(*_ASKS), lambda: self._work(pace))

    # --- the worker

    def _work(self, pace: Pace) -> None:
        """One invocation with what is there, and the next one after it."""
        batch = [self.queue.popleft() for _ in range(min(_BATCH, len(self.queue)))]
        if not batch:
            self.running -= 1
            self.paces.append(pace)
            return
        moment = datetime.fromtimestamp(self.now, UTC)
        fresh = [each for each in batch if not (self.overtaking and is_stale(each, moment))]
        self.gave_way += len(batch) - len(fresh)
        self._next(pace, [each["body"] for each in fresh])

    def _next(self, pace: Pace, orders: list[str]) -> None:
        if not orders:
            self.at(self.now + self.chance.uniform(*_ASKS), lambda: self._work(pace))
            return
        order, *others = orders
        if order not in self.due:
            self.at(self.now + self.takes(_NOTHING), lambda: self._next(pace, others))
            return
        calls = _PURCHASE if order.startswith("purchase") else _RENEWAL
        self.at(self.now + self.takes(calls // 2), lambda: self._mail(pace, order, others, calls))

    def _mail(self, pace: Pace, order: str, others: list[str], calls: int) -> None:
        if order not in self.due:  # a twin was first
            self._next(pace, others)
            return
        early = pace._free_at - self.now
        if early > 0:
            self.at(self.now + early, lambda: self._mail(pace, order, others, calls))
            return
        pace.wait()
        del self.due[order]  # claimed: nobody else sends it
        self.mails[order] += 1
        self.at(
            self.now + self.chance.uniform(*_SES) + self.takes(calls - calls // 2),
            lambda: self._end(pace, order, others),
        )

    def _end(self, pace: Pace, order: str, others: list[str]) -> None:
        self.sent[order] = self.now
        self.planned_sent += order.startswith("renewal")
        self._next(pace, others)


_PURCHASE, _RENEWAL, _NOTHING = (
    calls_of(event)
    for event in ("poke of a paid order, one licence", "renewal, poke: mail", "poke of an order with nothing to do")
)


@dataclass(frozen=True, slots=True)
class _Index:
    """The index of what is due, as `poke_due` asks the store for it."""

    day: Day

    def due_since(self, now: datetime) -> Iterator[list[Due]]:
        found = [(at, name) for name, at in self.day.due.items() if at <= now.timestamp()]
        self.day.chance.shuffle(found)
        yield [Due(datetime.fromtimestamp(at, UTC), name, is_at_once=False) for at, name in found]

    def due(self, now: datetime) -> Iterator[list[str]]:
        yield [name for name, at in self.day.due.items() if at <= now.timestamp()]

    def needing(self, _reason: object) -> list[list[str]]:
        return []


@dataclass(frozen=True, slots=True)
class Morning:
    to_limit: float  # the time until all renewals were mailed, to that which SES needs
    waits: tuple[float, ...]  # seconds from payment to mail, of those who bought meanwhile
    twice: int
    gave_way: int


def renewal_day(
    renewals: int, per_second: float = 0.4, seed: int = 1, *, pace: bool = True, overtaking: bool = True
) -> Morning:
    """So many renewals are due at seven, and so many customers buy in a second until the last of them has left; half an
    hour later thirty times as many do for five minutes."""
    day = Day(seed, MORNING.timestamp(), overtaking)
    day.due = {f"renewal-{number}": MORNING.timestamp() for number in range(renewals)}
    rate = MAILS_PER_SECOND if pace else 1e9
    client: Any = day  # has the one method of it that is called
    index: Any = _Index(day)
    queue = Queue(client, "queue")

    def run() -> None:
        with time_machine.travel(day.now, tick=False), _unlogged():
            moment = datetime.fromtimestamp(day.now, UTC)
            poke_due(index, queue, moment, ZONE, lambda: rate, lambda: True)

    day.at(day.start + day.chance.uniform(0, _LATE), run)
    for quarter in range(200):
        day.at(day.start + 180 + quarter * _NET + day.chance.uniform(0, _LATE), run)
    bought: dict[str, float] = {}

    def buy(number: int) -> None:
        name = f"purchase-{number}"
        bought[name] = day.due[name] = day.now
        day.poke(name)
        is_crowd = 1800 <= day.now - day.start < 2100
        day.at(day.now + day.chance.expovariate(per_second * (30 if is_crowd else 1)), lambda: buy(number + 1))

    day.at(day.start, lambda: buy(0))
    day.run(until=lambda: day.planned_sent >= renewals)
    last = day.now
    waits = tuple(day.sent[name] - at for name, at in bought.items() if name in day.sent)
    twice = sum(each > 1 for each in day.mails.values())
    return Morning((last - day.start) / (renewals / MAILS_PER_SECOND), waits, twice, day.gave_way)


@contextmanager
def _unlogged() -> Iterator[None]:
    """What the product counts and logs is of no use here."""
    level = telemetry.logger.log_level
    telemetry.logger.setLevel("ERROR")
    try:
        yield
    finally:
        telemetry.logger.setLevel(level)
        telemetry.metrics.clear_metrics()


@dataclass(slots=True)
class Bucket:
    """So many in a second, and no more of them at once than `most`."""

    per_second: float
    most: float
    left: float = field(init=False)
    since: float = 0

    def __post_init__(self) -> None:
        self.left = self.most

    def take(self, now: float, units: float = 1) -> bool:
        self.left = min(self.most, self.left + (now - self.since) * self.per_second)
        self.since = now
        if self.left < units:
            return False
        self.left -= units
        return True


@dataclass(frozen=True, slots=True)
class Sale:
    lost: int
    refused_by_rate: int
    refused_by_lambda: int
    throttled: int  # writes that a partition refused
    environments: int
    stored_after: float  # seconds until the last payment was stored


@dataclass(slots=True)
class _Doors:
    """API Gateway, Lambda and DynamoDB on the way of a callback."""

    day: Day
    rate: Bucket
    buckets: dict[str, Bucket] = field(default_factory=dict)
    free: list[float] = field(default_factory=list)  # since when each environment that is not at work has been free
    started: deque[float] = field(default_factory=deque)
    environments: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    stored: dict[str, float] = field(default_factory=dict)

    def call(self, order: str, tries: int = 0) -> None:
        now = self.day.now
        if not self.rate.take(now):
            self._again("rate", order, tries)
            return
        cold = 0.0
        if self.free:
            self.free.pop()
        else:
            while self.started and self.started[0] <= now - 10:
                self.started.popleft()
            if len(self.started) >= _ENVIRONMENTS or self.environments >= _ENVIRONMENTS:
                self._again("lambda", order, tries)
                return
            self.started.append(now)
            self.environments += 1
            cold = self.day.chance.uniform(*_COLD)
        self.day.at(now + cold + self.day.takes(_CALLBACK - 2), lambda: self._write(order, 2, tries))

    def _again(self, why: str, order: str, tries: int) -> None:
        self.counts[why] += 1
        if tries < len(_TOLD_AGAIN):
            self.day.at(self.day.now + _TOLD_AGAIN[tries], lambda: self.call(order, tries + 1))

    def _write(self, order: str, writes: int, tries: int) -> None:
        """The payment and the order, each with what its indexes get; then it is done."""
        now = self.day.now
        if not writes:
            self.stored[order] = now
            self.free.append(now)
            return
        if self._is_taken(self._keys(order, writes)):
            self.day.at(now + self.day.takes(1), lambda: self._write(order, writes - 1, tries))
        else:
            self.counts["throttled"] += 1
            self.day.at(now + self.day.chance.uniform(0, 0.5), lambda: self._write(order, writes, tries))

    def _keys(self, order: str, writes: int) -> list[str]:
        table = f"table {_place(order, _PARTITIONS)}"
        if writes == 2:  # the payment
            return [table]
        shard = _place(order, 16)
        return [
            table,
            f"created {_place('2026-12', _PARTITIONS)}",  # all orders of a month have one key
            f"due {_place(str(shard), _PARTITIONS)}",
            f"customer {_place(f'customer of {order}', _PARTITIONS)}",
        ]

    def _is_taken(self, keys: list[str]) -> bool:
        buckets = [self.buckets.setdefault(key, Bucket(_UNITS, _UNITS)) for key in keys]
        for bucket in buckets:
            bucket.take(self.day.now, 0)
        if any(bucket.left < 1 for bucket in buckets):
            return False
        return all(bucket.take(self.day.now) for bucket in buckets)


def _place(key: str, places: int) -> int:
    return zlib.crc32(key.encode()) % places


_CALLBACK = calls_of("callback, webhook")


def flash_sale(callbacks: int, seconds: float, rate: Bucket, seed: int = 1) -> Sale:
    """So many callbacks within so many seconds, at a stack that was just deployed and on which nothing ran before."""
    day = Day(seed, 0)
    doors = _Doors(day, rate)
    orders = [f"order-{number}" for number in range(callbacks)]
    for order in orders:
        day.at(day.chance.uniform(0, seconds), lambda order=order: doors.call(order))  # type: ignore[misc]
    day.run()
    return Sale(
        len(set(orders) - doors.stored.keys()),
        doors.counts["rate"],
        doors.counts["lambda"],
        doors.counts["throttled"],
        doors.environments,
        max(doors.stored.values(), default=0),
    )


def rate_of_callbacks() -> Bucket:
    """As template.yaml has it."""
    template: Any = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    settings = template["Resources"]["Api"]["Properties"]["MethodSettings"]
    (own,) = (each for each in settings if each["ResourcePath"] == "/~1callbacks~1{provider}")
    return Bucket(own["ThrottlingRateLimit"], own["ThrottlingBurstLimit"])


def measure(say: Say) -> list[Figure]:
    say("10,000 callbacks in ten seconds")
    sale = flash_sale(10_000, 10, rate_of_callbacks())
    say(str(sale))
    say("1,000 orders on one product with 2,000 codes, by the real handlers")
    real = crowd(_WORKERS, 1000, 2000, seed=1)
    say("100,000 renewals")
    morning = renewal_day(100_000)
    say(f"{morning.gave_way} gave way, the longest wait of {len(morning.waits)} purchases {max(morning.waits):.0f} s")
    return [
        Figure("busy_days/sale_lost", sale.lost + 1000 - real.licenses, "count"),
        Figure("busy_days/sale_codes_given_twice", real.given_twice, "count"),
        Figure("busy_days/sale_conflicts", real.refused_per_license, "ratio"),
        Figure("busy_days/renewals_drain", morning.to_limit, "ratio"),
        Figure("busy_days/purchase_waits", max(morning.waits), "s of virtual time"),
    ]
