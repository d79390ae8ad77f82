"""Many workers at one stock: the real handler over the emulator in this process, in virtual time, each call between
those of the others. DynamoDB's transactions take their time here, as on AWS: a write of an item that another one
holds is refused, which the emulator never does by itself."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import boto3

from keypost.table import Store
from keypost.table.orders import order_item
from tests.bench.figures import Figure
from tests.builders import NOW, PRODUCT, SKU, code, paid_order
from tests.simulator.aws_here import Answer, AwsCall, answer_here, ask_dynamodb
from tests.simulator.faults.cloud import Cloud, touched, written
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Invocation
from tests.simulator.faults.simulation import Simulation
from tests.simulator.faults.sqs import SOURCES

_HELD = 0.005  # seconds for which a transaction holds its items before it takes effect
_COLD = (0.5, 1.5)  # seconds until a new execution environment works
_CONFLICT = "com.amazonaws.dynamodb.v20120810#"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of so many workers at one stock."""

    licenses: int
    given_twice: int
    transactions: int
    refused: int
    calls: int

    @property
    def refused_per_license(self) -> float:
        return self.refused / self.licenses


@dataclass(slots=True)
class ContendedCloud(Cloud):
    """DynamoDB as it is when many write at once."""

    held: set[str] = field(default_factory=set)  # keys of items that a transaction holds
    transactions: Counter[str] = field(default_factory=Counter)

    def _of_dynamodb(self, call: AwsCall, invocation: Invocation | None, kind: str | None) -> Answer:
        keys = [item["pk"]["S"] for item in written(call)] + touched(call)
        if call.operation not in ("PutItem", "UpdateItem", "TransactWriteItems"):
            return super(ContendedCloud, self)._of_dynamodb(call, invocation, kind)
        is_transaction = call.operation == "TransactWriteItems"
        if self.held & set(keys):
            self.transactions["refused"] += is_transaction
            return _refused(call, self.held)
        if not is_transaction:
            return super(ContendedCloud, self)._of_dynamodb(call, invocation, kind)
        self.held |= set(keys)
        self.machine.pause(_HELD)
        self.held -= set(keys)
        answer = super(ContendedCloud, self)._of_dynamodb(call, invocation, kind)
        self.transactions["refused" if answer[0] == 400 else "accepted"] += 1
        return answer


def _refused(call: AwsCall, held: set[str]) -> Answer:
    if call.operation != "TransactWriteItems":
        return 400, {}, json.dumps({"__type": f"{_CONFLICT}TransactionConflictException"})
    keys = [_key_of(write) for write in call.body["TransactItems"]]
    reasons = [{"Code": "TransactionConflict" if key in held else "None"} for key in keys]
    error = {"__type": f"{_CONFLICT}TransactionCanceledException", "CancellationReasons": reasons}
    return 400, {}, json.dumps(error)


def _key_of(write: Mapping[str, Any]) -> str:
    (what,) = write.values()
    key: str = what.get("Item", what.get("Key"))["pk"]["S"]
    return key


class _Crowded(Simulation):
    """Each invocation is in one of so many execution environments, which start cold, as Lambda starts them when the
    queue fills; each keeps for itself what it has read of the stock."""

    def __init__(self, environments: int, seed: int) -> None:
        super().__init__(seed, Faults(seed), start=NOW)
        self._cold = environments
        self._kept: list[Any] = []  # what the environments keep that are not at work
        self._at_work: dict[str, Any] = {}  # what the others do, by their invocation

    def _handler(self, started: Invocation) -> Callable[[dict[str, Any], Any], Any]:
        handler = super()._handler(started)

        def run(event: dict[str, Any], context: Any) -> Any:
            if self._cold > 0:
                self._cold -= 1
                self.machine.pause(started.chance.uniform(*_COLD))
            return handler(event, context)

        return run

    def _enter(self, invocation: Invocation) -> None:
        super()._enter(invocation)
        if invocation.name not in self._at_work:
            self._at_work[invocation.name] = self._kept.pop() if self._kept else {}
        self._store._kept_hints = self._at_work[invocation.name]

    def _leave(self, invocation: Invocation) -> None:
        self._at_work[invocation.name] = self._store._kept_hints
        if invocation.is_over:
            self._kept.append(self._at_work.pop(invocation.name))
        super()._leave(invocation)

    @property
    def _store(self) -> Any:
        return self.versions[0].modules["keypost.wiring"].store()


def crowd(workers: int, orders: int, codes: int, seed: int) -> Crowd:
    """So many workers, orders of one license each, and free codes of their product."""
    simulation = _Crowded(workers, seed)
    simulation.sqs.sources = {**SOURCES, "work": replace(SOURCES["work"], at_once=workers)}
    simulation.cloud = cloud = ContendedCloud(**_parts(simulation.cloud))
    with simulation.playing():
        _fill(orders, codes)
        for number in range(orders):
            simulation.sqs.put("work", f"o{number}", 0)
        simulation.run(600)
        return _counted(simulation, cloud)


def _parts(cloud: Cloud) -> dict[str, Any]:
    return {each.name: getattr(cloud, each.name) for each in fields(Cloud)}


def _fill(orders: int, codes: int) -> None:
    with outside() as store:
        store.put_product(PRODUCT)
        list(store.add_codes(SKU, [code(number) for number in range(codes)], None, None))
    for number in range(orders):
        order = replace(paid_order(f"o{number}", at=NOW - timedelta(minutes=1)), version=1)
        ask_dynamodb("PutItem", TableName=TABLE, Item=order_item(order))


@contextmanager
def outside() -> Iterator[Store]:
    """The table of the simulation for somebody who is no part of it."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    answer_here(session)
    yield Store(session.client("dynamodb", endpoint_url="http://127.0.0.1:9"), TABLE)


def _counted(simulation: Simulation, cloud: ContendedCloud) -> Crowd:
    items = simulation.items()
    given = Counter(one["code"] for one in licenses(items))
    return Crowd(
        licenses=given.total(),
        given_twice=sum(count > 1 for count in given.values()),
        transactions=cloud.transactions.total(),
        refused=cloud.transactions["refused"],
        calls=simulation.cloud.calls,
    )


def licenses(items: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for item in items:
        if item["pk"].startswith("ORDER#"):
            yield from item.get("licenses", ())


def measure(say: Say) -> list[Figure]:
    """Each crowd several times, as chance decides who meets whom."""
    say("64 workers at 450 codes")
    many = [crowd(64, 500, 450, seed) for seed in (1, 2)]
    say(f"{many}; 5 workers at 190 codes")
    few = [crowd(5, 200, 190, seed) for seed in (1, 2, 3)]
    say(f"{few}")
    return [
        Figure("contention/licenses", min(each.licenses for each in many), "count"),
        Figure("contention/codes_given_twice", sum(each.given_twice for each in many + few), "count"),
        Figure("contention/refused", _refused_per_license(many), "ratio"),
        Figure("contention/refused_five_workers", _refused_per_license(few), "ratio"),
    ]


def _refused_per_license(crowds: list[Crowd]) -> float:
    return sum(each.refused for each in crowds) / sum(each.licenses for each in crowds)
