"""What the stream of the table brings to the bus and to the queue for the shop's URL."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

import tell_events
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.errors import BusUnavailable, QueueUnavailable
from keypost.core.mail import Fate
from keypost.table.items import to_wire
from tests.builders import Context, licensed, paid_order, sent_order, with_fates
from tests.event_examples import record
from tests.faults import refuse

Told = Callable[[], list[dict[str, Any]]]
SALE = [
    record(paid_order()),
    record(licensed(paid_order()), paid_order()),
    record(sent_order(), licensed(paid_order())),
]


def received(local: LocalStack, url: str) -> list[dict[str, Any]]:
    sqs = local.session.client("sqs")
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


@pytest.fixture
def queued(wired: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Told:
    """What is in the queue for the shop's URL, which is set then."""
    url = local.session.client("sqs").create_queue(QueueName=f"{wired.store.table}-events")["QueueUrl"]
    monkeypatch.setenv("KEYPOST_EVENT_QUEUE_URL", url)
    wiring.forget()
    return lambda: received(local, url)


@pytest.fixture
def on_bus(wired: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Told:
    """What a rule for events of this source gets from the bus, which is set then."""
    name, sqs, events = wired.store.table, local.session.client("sqs"), local.session.client("events")
    url = sqs.create_queue(QueueName=f"{name}-rule")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name=name)
    events.put_rule(Name="all", EventBusName=name, EventPattern=json.dumps({"source": ["keypost"]}))
    events.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
    monkeypatch.setenv("KEYPOST_EVENT_BUS", name)
    wiring.forget()
    return lambda: received(local, url)


def tell(*records: dict[str, Any]) -> None:
    tell_events.handler({"Records": list(records)}, Context())


def test_an_event_is_on_the_bus_with_its_type_and_in_the_queue_as_it_is_there(on_bus: Told, queued: Told) -> None:
    tell(*SALE)

    (envelope,), (event,) = on_bus(), queued()
    assert (envelope["source"], envelope["detail-type"], envelope["detail"]) == ("keypost", "order.served", event)
    assert event["data"]["order_id"] == "2026-001234"
    assert event["stage"] == "test"


def test_only_what_was_asked_for_is_called(on_bus: Told) -> None:
    tell(*SALE)

    assert [each["detail-type"] for each in on_bus()] == ["order.served"]


def test_records_that_come_twice_bring_the_same_events_twice(queued: Told) -> None:
    tell(*SALE)
    tell(*SALE)

    first, second = queued()
    assert first == second


def test_events_of_one_order_leave_in_the_order_in_which_they_happened(queued: Told) -> None:
    sent = sent_order()
    tell(*SALE, record(with_fates(sent, Fate.DELIVERED), sent))

    assert sorted((each["sequence"], each["type"]) for each in queued()) == [
        (3, "order.served"),
        (4, "mail.delivered"),
    ]


def test_a_record_that_cannot_be_read_is_counted_and_keeps_nothing_back(queued: Told, logged: io.StringIO) -> None:
    odd = to_wire({"pk": "ORDER#odd", "timeline": [{"code": 7}]})
    tell({"dynamodb": {"Keys": {"pk": {"S": "ORDER#odd"}}, "NewImage": odd}}, *SALE)

    assert [each["type"] for each in queued()] == ["order.served"]
    assert '"EventUnreadable"' in logged.getvalue()
    assert "ORDER#odd" in logged.getvalue()


@pytest.mark.parametrize("fault", ["ThrottlingException", "InternalFailure"])
def test_records_are_delivered_again_if_the_bus_does_not_take_their_events(
    on_bus: Told, queued: Told, fault: str
) -> None:
    refuse(wiring.bus()._client, "PutEvents", fault)

    with pytest.raises(BusUnavailable):
        tell(*SALE)
    assert queued() == []

    tell(*SALE)
    assert len(on_bus()) == len(queued()) == 1


def test_records_are_delivered_again_if_the_queue_does_not_take_their_events(queued: Told) -> None:
    refuse(wiring.event_queue()._client, "SendMessageBatch", "ThrottlingException")

    with pytest.raises(QueueUnavailable):
        tell(*SALE)


def test_many_events_are_put_ten_at_a_time(on_bus: Told, queued: Told) -> None:
    sales = [record(sent_order(), licensed(paid_order())) for _ in range(23)]

    tell(*sales)

    assert len(on_bus()) == len(queued()) == 23
