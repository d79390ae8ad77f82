"""What others wait for, and what is planned, in nobody's cost: real use cases over the emulator in this process, each
with few orders and with many. Orders that wait or are planned are put into the table in their stored form: selling
100,000 of them would take an hour."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import boto3
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from keypost import telemetry
from keypost.clients.mailer import Mailer
from keypost.clients.queue import Queue
from keypost.core.order import Order, Reason, Renewal, waiting_for
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import said
from keypost.table import Store
from keypost.table.items import due_keys
from keypost.table.orders import order_item
from keypost.use_cases import serve_waiting
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.list_attention import worklist
from keypost.use_cases.look_ahead import due_page, forecasts, gather_note
from keypost.use_cases.poke_due import poke_due
from tests.bench.capacity import Call, indexes, made
from tests.bench.costs import Used, prices, total
from tests.bench.figures import Figure
from tests.bench.memory import gb_seconds
from tests.builders import NOW, PRODUCT, SHOP, SKU, ZONE, Clock, code, paid_order, product
from tests.simulator.aws_here import Answer, AwsCall, answer_here, ask_dynamodb

Say = Callable[[str], None]
Item = dict[str, Any]

_MANY, _PLANNED = 10_000, 100_000
_QUICK_MANY, _QUICK_PLANNED = 500, 2_000
_SAMPLE = 30  # orders of which a whole day is played
_ARRIVING = 150  # codes
_ROUNDS = 96  # of the schedules, a day
_OTHER = "OTHER"
_DAY = timedelta(days=1)
_LATER = NOW + timedelta(minutes=30)  # before customers are told that they wait
_SHOWN_DAYS, _FORECAST_DAYS = 14, 60
_WORKER_MEMORY = 512  # megabytes
_HERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Cost:
    calls: int
    reads: float  # units
    writes: float  # units, of the table and of its indexes
    queued: int  # requests to SQS
    written: int  # calls that write

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.reads:g} read units, {self.writes:g} write units"


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop on a table of its own, the calls that its programs make, and what they poke."""

    store: Store
    queue: Queue
    worker: Worker
    clock: Clock
    calls: list[Call]
    poked: list[str]

    def cost(self, act: Callable[[], object]) -> Cost:
        self.calls.clear()
        act()
        writes = sum(each.writes + sum(each.index_writes.values()) for each in self.calls)
        queued = sum(each.requests for each in self.calls)
        written = sum(each.writes > 0 for each in self.calls)
        return Cost(len(self.calls), sum(each.reads for each in self.calls), writes, queued, written)

    def look(self, order_id: str) -> Cost:
        return self.cost(lambda: self.worker.advance(order_id))


@contextmanager
def open_shop() -> Iterator[Shop]:
    template = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    described = template["Resources"]["Table"]["Properties"]
    of_table = indexes(described)
    calls: list[Call] = []
    poked: list[str] = []

    def answer(call: AwsCall) -> Answer:
        if call.service == "dynamodb":
            answered, cost = made(call, of_table)
            calls.append(cost)
            return answered
        calls.append(Call(call.service, call.operation, requests=int(call.service == "sqs")))
        entries = call.body.get("Entries", [])
        poked.extend(entry["MessageBody"] for entry in entries)
        taken = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in entries]
        return 200, {}, json.dumps({"MessageId": uuid4().hex, "Successful": taken})

    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    answer_here(session, answer)
    table, clock = f"waiting-{uuid4().hex}", Clock(_LATER)
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    ask_dynamodb("CreateTable", TableName=table, **{name: described[name] for name in wanted})
    store = Store(session.client("dynamodb", endpoint_url=_HERE), table, lambda _: None)
    queue = Queue(session.client("sqs", endpoint_url=_HERE), f"{_HERE}/queue")
    worker = Worker(store, queue, Mailer(session.client("sesv2", endpoint_url=_HERE), "test"), SHOP, clock)
    for each in (PRODUCT, product(_OTHER)):
        store.put_product(each)
    try:
        with redirect_stdout(io.StringIO()):  # metrics
            yield Shop(store, queue, worker, clock, calls, poked)
    finally:
        ask_dynamodb("DeleteTable", TableName=table)


def put(shop: Shop, items: Iterable[Item]) -> None:
    requests = ({"PutRequest": {"Item": item}} for item in items)
    while chunk := list(islice(requests, 25)):
        ask_dynamodb("BatchWriteItem", RequestItems={shop.store.table: chunk})


def stored(order: Order) -> Item:
    return order_item(replace(order, version=1))


def renamed(item: Item, order_id: str) -> Item:
    """The item of an order that is the same but for its number."""
    shard = due_keys(order_id, NOW)["due_shard"]
    return {**item, "pk": {"S": f"ORDER#{order_id}"}, "id": {"S": order_id}, "due_shard": {"S": shard}}


def put_waiting(shop: Shop, count: int) -> None:
    """So many orders that the worker found too few codes for, w00000 being the first in line."""
    why = said("too_few_codes", skus=[SKU])
    for begin in range(0, count, 100):  # a hundred were paid in one second
        paid = paid_order("w", Line(SKU, 1), at=NOW - timedelta(seconds=(count - begin) // 100))
        item = stored(waiting_for(paid, Reason.STOCK, why, NOW, _DAY, lines=(1,)))
        put(shop, (renamed(item, f"w{n:05d}") for n in range(begin, min(begin + 100, count))))


def put_planned(shop: Shop, count: int, first: date, days: int) -> None:
    """So many renewals that are paid, of which codes are reserved on so many days from one on."""
    paid = paid_order("r", Line(SKU, 1, Kind.RENEWAL, "base"), at=NOW)
    items = []
    for n in range(days):
        start = first + timedelta(days=n + PRODUCT.reserve_days_before)
        renewal = Renewal("r", 1, 1, None, 365, NOW.date())
        term = term_of(renewal, (start, start + timedelta(days=364)), PRODUCT, "base", ZONE)
        items.append(stored(replace(paid, terms=(term,))))
    put(shop, (renamed(items[n % days], f"r{n:06d}") for n in range(count)))


def beside_waiting(waiting: int) -> dict[str, Cost]:
    """A look at the last one in line, a sale of another product, and a run of the schedules, while nothing arrives."""
    with open_shop() as shop:
        list(shop.store.add_codes(_OTHER, [code(n) for n in range(3000)], None, None))
        put_waiting(shop, waiting)
        put(shop, [stored(paid_order("sale", Line(_OTHER, 1), at=_LATER))])
        return {
            "look": shop.look(f"w{waiting - 1:05d}") if waiting else shop.look("nobody"),
            "sale": shop.look("sale"),
            "run": shop.cost(lambda: poke_due(shop.store, shop.queue, _LATER, ZONE, lambda: 14, lambda: True)),
        }


def arriving(waiting: int) -> Cost:
    """The poke of a product that got codes, and the looks at all orders that it pokes: those first in line, each of
    which is served."""
    with open_shop() as shop:
        put_waiting(shop, waiting)
        list(shop.store.add_codes(SKU, [code(n) for n in range(_ARRIVING)], None, None))
        serve_waiting.mark(shop.store, [SKU], _LATER)
        cost = shop.cost(lambda: _serve(shop))
        first = [f"w{n:05d}" for n in range(min(waiting, _ARRIVING))]
        if sorted(shop.poked) != first or not all(order.licenses for order in shop.store.load_all(first)):
            raise AssertionError("others were poked or served than those who are first in line")
        return cost


def _serve(shop: Shop) -> None:
    shop.worker.advance(f"CODES#{SKU}")
    for name in list(shop.poked):
        shop.worker.advance(name)


def whole_day(waiting: int) -> Cost:
    """All runs of the schedules of a day, with the looks that they ask for. Before it customers were told that they
    wait, and each order was looked at once by its clock."""
    with open_shop() as shop:
        put_waiting(shop, waiting)
        names = [f"w{n:05d}" for n in range(waiting)]
        shop.clock.now = NOW + timedelta(hours=3)
        for name in [*names, *names]:
            shop.worker.advance(name)
        for order in list(shop.store.load_all(names)):
            shop.clock.now = order.waits[0].retry_at
            shop.worker.advance(order.id)
        shop.clock.now = NOW + 1.5 * _DAY
        return shop.cost(lambda: _play(shop))


def _play(shop: Shop) -> None:
    for _ in range(_ROUNDS):
        _run(shop)


def _run(shop: Shop) -> None:
    shop.clock.now += timedelta(minutes=15)
    shop.poked.clear()
    poke_due(shop.store, shop.queue, shop.clock.now, ZONE, lambda: 14, lambda: True)
    for name in list(shop.poked):
        shop.worker.advance(name)


_READERS: Mapping[str, Callable[[Store], object]] = {
    "stock": lambda store: forecasts(store, _LATER, ZONE),
    "attention": worklist,
    "due": lambda store: due_page(store, _SHOWN_DAYS, _LATER, ZONE),
    "note": lambda store: gather_note(store, _LATER, ZONE, {}),
}


def readers(planned: int) -> dict[str, Cost]:
    """What reads many orders, while so many renewals are planned behind the days that `GET /due` shows."""
    with open_shop() as shop:
        first = _LATER.date() + timedelta(days=_SHOWN_DAYS + 2)
        put_planned(shop, planned, first, _FORECAST_DAYS - _SHOWN_DAYS - 2)
        return {name: shop.cost(lambda: read(shop.store)) for name, read in _READERS.items()}  # noqa: B023 - at once


def dollars_a_day(one_day: Cost, no_order: Cost, waiting: int) -> float:
    """Of so many orders that wait, from a day of the sample. Each look is an invocation of its own, and a message that
    is received and deleted."""

    def grown(of: Callable[[Cost], float]) -> float:
        return of(no_order) + (of(one_day) - of(no_order)) / _SAMPLE * waiting

    calls = grown(lambda cost: cost.calls)
    used = Used(
        lambda_requests=waiting + _ROUNDS,
        gb_seconds=gb_seconds(_WORKER_MEMORY, calls),
        write_units=grown(lambda cost: cost.writes),
        read_units=grown(lambda cost: cost.reads),
        sqs_requests=grown(lambda cost: cost.queued) + 2 * waiting,
    )
    return total(used, prices()) / 1e6


def measure(say: Say) -> list[Figure]:
    with _without_log():
        return [*_of_waiting(say, _MANY), *_of_a_day(say), *_of_arriving(say, _MANY), *_of_planned(say, _PLANNED)]


def measure_quick(say: Say) -> list[Figure]:
    """A part of it, with fewer orders: a cost that grows with them is seen with these too."""
    with _without_log():
        return [*_of_waiting(say, _QUICK_MANY), *_of_planned(say, _QUICK_PLANNED)]


@contextmanager
def _without_log() -> Iterator[None]:
    level = telemetry.logger.log_level
    telemetry.logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        telemetry.logger.setLevel(level)
        telemetry.metrics.clear_metrics()


def _of_waiting(say: Say, many: int) -> list[Figure]:
    none, one, all_ = (beside_waiting(count) for count in (0, 1, many))
    for count, costs in ((0, none), (1, one), (many, all_)):
        say(f"{count} wait: " + "; ".join(f"a {name}: {cost}" for name, cost in costs.items()))
    return [
        Figure("waiting/look", _ratio(all_["look"], one["look"]), "ratio"),
        Figure("waiting/sale_beside", _ratio(all_["sale"], none["sale"]), "ratio"),
        Figure("waiting/run", _ratio(all_["run"], none["run"]), "ratio"),
        Figure("waiting/unchanged_writes", all_["look"].written, "count"),
    ]


def _of_a_day(say: Say) -> list[Figure]:
    no_order, one_day = whole_day(0), whole_day(_SAMPLE)
    say(f"a day: {no_order} while nobody waits, {one_day} while {_SAMPLE} do")
    return [
        Figure("waiting/day_writes", (one_day.written - no_order.written) / _SAMPLE, "count"),
        Figure("waiting/dollars_a_day", dollars_a_day(one_day, no_order, _MANY), "$"),
    ]


def _of_arriving(say: Say, many: int) -> list[Figure]:
    few, all_ = arriving(_ARRIVING), arriving(many)
    say(f"{_ARRIVING} codes arrive: {few} while as many orders wait; {all_} while {many} do")
    return [Figure("waiting/arriving", _ratio(all_, few), "ratio")]


def _of_planned(say: Say, planned: int) -> list[Figure]:
    one, all_ = readers(1), readers(planned)
    for count, costs in ((1, one), (planned, all_)):
        say(f"{count} renewals are planned: " + "; ".join(f"{name}: {cost}" for name, cost in costs.items()))
    beyond = {name: all_[name].reads - one[name].reads for name in _READERS}
    return [
        *(Figure(f"waiting/{name}_planned", _ratio(all_[name], one[name]), "ratio") for name in ("attention", "due")),
        *(Figure(f"waiting/{name}_planned", beyond[name] / planned * 1000, "count") for name in ("stock", "note")),
        *(Figure(f"waiting/{name}_calls", all_[name].calls / one[name].calls, "ratio") for name in ("stock", "note")),
    ]


def _ratio(many: Cost, few: Cost) -> float:
    return many.reads / few.reads


if __name__ == "__main__":
    for figure in measure(lambda text: print(text, flush=True)):
        print(figure)
