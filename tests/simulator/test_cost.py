"""What the daily rule costs: it reads the orders that are due, however many others are stored."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import boto3
import pytest

from keypost.core.payment import PaymentState
from keypost.table import Store
from keypost.table.orders import DUE_SHARDS, _order_item
from tests.builders import NOW, paid_order
from tests.simulator.aws_here import answer_here

DUE = 1000


@pytest.fixture
def client(template: dict[str, Any]) -> Iterator[Any]:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    answer_here(session)
    client = session.client("dynamodb", endpoint_url="http://127.0.0.1:9")
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    name = f"cost-{uuid4().hex}"
    client.create_table(TableName=name, **{key: described[key] for key in wanted})
    yield client, name
    client.delete_table(TableName=name)


def add(client: Any, table: str, count: int, name: str, **changes: Any) -> None:
    """So many orders in their stored form, all the same but for their ids."""
    orders = (paid_order(f"{name}-{number}", **changes) for number in range(count))
    items = ({"PutRequest": {"Item": _order_item(order)}} for order in orders)
    while chunk := list(islice(items, 25)):
        client.batch_write_item(RequestItems={table: chunk})


def test_the_daily_rule_reads_what_is_due_however_many_orders_are_stored(client: tuple[Any, str]) -> None:
    dynamodb, table = client
    add(dynamodb, table, DUE, "due")
    add(dynamodb, table, 500, "next-week", at=NOW + timedelta(days=7))
    costs = []
    for stored in (1000, 9000):
        add(dynamodb, table, stored, f"of-{stored}", state=PaymentState.FAILED)  # nothing is left to do
        costs.append(cost_of_due(dynamodb, table))

    assert costs == [(DUE_SHARDS, DUE, DUE)] * 2


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
