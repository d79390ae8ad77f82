"""Events of the deployed system: from a sale to the bus and to the program of the shop."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack, sample_codes
from tests.builders import event
from tests.deployed import ESET, PRODUCTS, is_mailed, mails_to

pytestmark = pytest.mark.journey
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/events.schema.json").read_text("utf-8")))


@pytest.fixture
def on_bus(local: LocalStack) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What a rule on the stack's bus gets from now on."""
    sqs, events, bus = local.session.client("sqs"), local.session.client("events"), local.outputs["EventBusName"]
    url = sqs.create_queue(QueueName="events-out")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="events-out", EventBusName=bus, EventPattern=json.dumps({"source": ["keypost"]}))
    events.put_targets(Rule="events-out", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def received() -> list[dict[str, Any]]:
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"])["detail"] for message in messages]
        return found

    yield received
    events.remove_targets(Rule="events-out", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name="events-out", EventBusName=bus)


def sell(local: LocalStack, order_id: str, email: str) -> list[str]:
    codes = sample_codes(PRODUCTS[ESET], 2)
    list(local.stack.store.add_codes(ESET, codes, None, None))
    body = event("webhook/order.paid.json")
    body["data"] |= {"order_id": order_id, "email": email}
    assert local.shop_calls(json.dumps(body).encode(), f"msg_{order_id}") == (204, "")
    return [one.code for one in local.order_when(order_id, is_mailed).licenses]


def test_a_sale_is_told_to_the_program_of_the_shop_and_on_the_bus_without_anything_personal(
    local: LocalStack, on_bus: Callable[[], list[dict[str, Any]]]
) -> None:
    codes = sell(local, "events-out", "canary@klant.example")
    local.mailbox.tell_fate(mails_to(local, "events-out")[0], "delivered")

    told = local.events_when("events-out", lambda found: "mail.delivered" in [each["type"] for each in found])

    assert [each["type"] for each in told] == ["order.served", "mail.delivered"]
    assert {each["stage"] for each in told} == {"local"}
    for each in told:
        SCHEMA.validate(each)
    of_order = {each["id"]: each for each in on_bus() if each["data"].get("order_id") == "events-out"}
    assert of_order == {each["id"]: each for each in told}
    calls = [(headers, body) for headers, body in local.events.calls if b"events-out" in body]
    assert calls
    for private in (*codes, "canary"):
        assert private not in repr(calls) + repr(of_order)


def test_a_program_that_is_broken_keeps_no_mail_back(local: LocalStack) -> None:
    local.events.answer = 500
    try:
        sell(local, "events-broken", "broken@klant.example")
        before = local.events.told_of("events-broken")
    finally:
        local.events.answer = 204

    assert before == []
