"""What the daily rule and a look at an order that waits cost, however many others are stored or wait."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

import boto3
import pytest

from keypost.clients.mailer import Mailer
from keypost.clients.queue import Queue
from keypost.core.aside_reasons import AsideReason
from keypost.core.order import Order, Reason, waiting_for
from keypost.core.payment import PaymentState
from keypost.core.plan import AssignCodes, plan
from keypost.core.product import Line
from keypost.core.said import said
from keypost.table import Store
from keypost.table.items import DUE_SHARDS
from keypost.table.orders import order_item
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.serve_waiting import free_codes, served_by
from keypost.use_cases.take_codes import CodePicker
from tests.builders import NOW, PRODUCT, SHOP, SKU, ZONE, Clock, code, paid_order, product
from tests.simulator.aws_here import answer_here

DUE = 1000


@pytest.fixture
def session() -> boto3.Session:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    answer_here(session)
    return session


@pytest.fixture
def client(session: boto3.Session, template: dict[str, Any]) -> Iterator[Any]:
    client = session.client("dynamodb", endpoint_url="http://127.0.0.1:9")
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    name = f"cost-{uuid4().hex}"
    client.create_table(TableName=name, **{key: described[key] for key in wanted})
    yield client, name
    client.delete_table(TableName=name)


def add(client: Any, table: str, count: int, name: str, **changes: Any) -> None:
    """So many orders in their stored form, all the same but for their ids."""
    put(client, table, (paid_order(f"{name}-{number}", **changes) for number in range(count)))


def put(client: Any, table: str, orders: Iterable[Order]) -> None:
    items = ({"PutRequest": {"Item": order_item(order)}} for order in orders)
    while chunk := list(islice(items, 25)):
        client.batch_write_item(RequestItems={table: chunk})


@pytest.mark.drill
def test_the_daily_rule_reads_what_is_due_however_many_orders_are_stored(client: tuple[Any, str]) -> None:
    dynamodb, table = client
    add(dynamodb, table, DUE, "due")
    add(dynamodb, table, 500, "next-week", at=NOW + timedelta(days=7))
    costs = []
    for stored in (1000, 9000):
        add(dynamodb, table, stored, f"of-{stored}", state=PaymentState.FAILED)  # nothing is left to do
        costs.append(cost_of_due(dynamodb, table))

    asked_first = len(AsideReason)  # which orders are set aside, for each reason: these have a clock of their own
    assert costs == [(DUE_SHARDS + asked_first, DUE, DUE)] * 2


def cost_of_due(dynamodb: Any, table: str) -> tuple[int, int, int]:
    """The requests of Store.due, the items that DynamoDB evaluated for them (it charges for these; the emulator's own
    figure of capacity does not depend on them), and the orders found."""
    answers: list[dict[str, Any]] = []

    def keep(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)

    dynamodb.meta.events.register("after-call.dynamodb.Query", keep)
    found = sum(len(ids) for ids in Store(dynamodb, table).due(NOW))
    dynamodb.meta.events.unregister("after-call.dynamodb.Query", keep)
    return len(answers), sum(answer["ScannedCount"] for answer in answers), found


@pytest.fixture
def worker(session: boto3.Session, client: tuple[Any, str]) -> Worker:
    dynamodb, table = client
    queue = Queue(session.client("sqs", endpoint_url="http://127.0.0.1:9"), "http://127.0.0.1:9/queue")
    mailer = Mailer(session.client("sesv2", endpoint_url="http://127.0.0.1:9"), "test")
    store = Store(dynamodb, table)
    store.put_product(PRODUCT)
    return Worker(store, queue, mailer, SHOP, Clock(NOW + timedelta(minutes=10)))


def put_waiting(worker: Worker, count: int, quantity: int) -> None:
    """So many orders that wait for codes, one paid each second."""
    orders = (paid_order(f"{n:03d}", Line(SKU, quantity), at=NOW + timedelta(seconds=n)) for n in range(count))
    why, until = said("too_few_codes", skus=[SKU]), timedelta(days=1)
    put(
        worker.store._client,
        worker.store.table,
        (replace(waiting_for(order, Reason.STOCK, why, NOW, until, lines=(1,)), version=1) for order in orders),
    )


def cost_of(client: Any, call: Callable[[], Any]) -> tuple[int, int]:
    """The requests of a call, and the items that they read."""
    costs: list[int] = []

    def keep(parsed: dict[str, Any], **_: Any) -> None:
        loaded = sum(len(items) for items in parsed.get("Responses", {}).values())
        costs.append(parsed.get("ScannedCount", 0) + loaded + ("Item" in parsed))

    client.meta.events.register("after-call.dynamodb", keep)
    call()
    client.meta.events.unregister("after-call.dynamodb", keep)
    return len(costs), sum(costs)


@pytest.mark.parametrize("free", [0, 1])
def test_a_look_at_an_order_that_waits_costs_the_same_however_many_wait(worker: Worker, free: int) -> None:
    list(worker.store.add_codes(SKU, [code(n) for n in range(free)], None, None))
    costs = []
    for count in (10, 300):
        put_waiting(worker, count, quantity=2)
        costs.append(cost_of(worker.store._client, lambda: worker.advance(f"{count - 1:03d}")))  # noqa: B023 - at once

    assert costs[0] == costs[1]
    assert costs[0][1] < 10  # the order, its product, a code at most


def test_a_look_at_an_order_for_which_there_is_a_code_that_others_need_sooner_reads_no_more_of_these_than_a_page(
    worker: Worker,
) -> None:
    list(worker.store.add_codes(SKU, [code(1)], None, None))
    put_waiting(worker, 300, quantity=1)

    assert cost_of(worker.store._client, lambda: worker.advance("299"))[1] <= 100 + 25 + 10


def test_codes_that_came_cost_as_much_as_they_are_and_not_as_many_as_wait(worker: Worker) -> None:
    list(worker.store.add_codes(SKU, [code(n) for n in range(5)], None, None))
    costs, served = [], []
    for count in (30, 300):
        put_waiting(worker, count, quantity=1)
        free = free_codes(worker.store, NOW.date())
        costs.append(cost_of(worker.store._client, lambda: served.append(served_by(worker.store, [SKU], free))))  # noqa: B023 - at once

    assert served == [[f"{n:03d}" for n in range(5)]] * 2
    assert costs[1][0] == costs[0][0]
    assert costs[1][1] <= 5 + 100 + 25  # codes counted, a page of the line, the orders that are loaded at once


def test_a_sale_while_orders_wait_for_another_product_costs_the_same_as_one_while_none_waits(worker: Worker) -> None:
    worker.store.put_product(product("OTHER"))
    list(worker.store.add_codes("OTHER", [code(n) for n in range(9)], None, None))
    costs = []
    for count in (0, 300):
        put_waiting(worker, count, quantity=1)
        order = paid_order(f"sale-{count}", Line("OTHER", 1), at=NOW + timedelta(minutes=9))
        put(worker.store._client, worker.store.table, [replace(order, version=1)])
        step = plan(order, {"OTHER"}, worker.clock())
        assert isinstance(step, AssignCodes)
        picker = CodePicker(worker.store, ZONE)
        pick = partial(picker.pick, order, step, {"OTHER": PRODUCT}, (), worker.clock())
        costs.append(cost_of(worker.store._client, pick))

    assert costs[0] == costs[1]
