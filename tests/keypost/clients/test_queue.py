from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from keypost.clients.queue import Queue
from keypost.core.errors import QueueUnavailable

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/keypost"


@pytest.fixture
def client() -> Any:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    return session.client("sqs")


def batch(ids: list[str]) -> dict[str, Any]:
    return {
        "QueueUrl": URL,
        "Entries": [{"Id": str(n), "MessageBody": i, "DelaySeconds": 3} for n, i in enumerate(ids)],
    }


def test_a_poke_holds_the_order_id_and_nothing_else(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("send_message", {}, {"QueueUrl": URL, "MessageBody": "2026-1", "DelaySeconds": 90})

        Queue(client, URL).poke("2026-1", timedelta(seconds=90))

        stub.assert_no_pending_responses()


def test_many_are_poked_ten_a_request(client: Any) -> None:
    ids = [f"order-{n}" for n in range(23)]
    with Stubber(client) as stub:
        for ten in (ids[:10], ids[10:20], ids[20:]):
            stub.add_response("send_message_batch", {"Successful": [], "Failed": []}, batch(ten))

        Queue(client, URL).poke_all(ids, timedelta(seconds=3))

        stub.assert_no_pending_responses()


def test_what_sqs_did_not_take_is_told_after_all_others_were_tried(client: Any) -> None:
    ids = [f"order-{n}" for n in range(30)]
    failed = [{"Id": "3", "SenderFault": False, "Code": "InternalError"}]
    with Stubber(client) as stub:
        stub.add_response("send_message_batch", {"Successful": [], "Failed": failed})
        stub.add_client_error("send_message_batch", "ServiceUnavailable", http_status_code=503)
        stub.add_response("send_message_batch", {"Successful": [], "Failed": []})

        with pytest.raises(QueueUnavailable, match="refused=11, count=30"):
            Queue(client, URL).poke_all(ids, timedelta(seconds=3))

        stub.assert_no_pending_responses()


def test_a_poke_that_sqs_does_not_take_is_told(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("send_message", "ServiceUnavailable", http_status_code=503)

        with pytest.raises(QueueUnavailable):
            Queue(client, URL).poke("2026-1")


@mock_aws
def test_a_queue_that_is_there_takes_each_poke_and_one_that_was_deleted_takes_none(client: Any) -> None:
    url = client.create_queue(QueueName="keypost")["QueueUrl"]
    queue = Queue(client, url)

    queue.poke_all([f"order-{n}" for n in range(12)])
    count = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    client.delete_queue(QueueUrl=url)

    assert count["ApproximateNumberOfMessages"] == "12"
    with pytest.raises(QueueUnavailable, match="queue_refused"):
        queue.poke("2026-1")
    with pytest.raises(QueueUnavailable, match="queue_refused_some"):
        queue.poke_all([f"order-{n}" for n in range(12)])


def test_pokes_in_turn_arrive_one_after_another_and_say_how_long_they_are_fresh(client: Any) -> None:
    """The sixth second begins when the third ten are sent, as the requests themselves take their time."""
    ids = [f"order-{n}" for n in range(25)]
    clock = iter([1000.0, 1000.0, 1003.0, 1006.0])
    sent: list[list[tuple[str, int, str]]] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        entries = params["Entries"]
        sent.append(
            [(e["MessageBody"], e["DelaySeconds"], e["MessageAttributes"]["until"]["StringValue"]) for e in entries]
        )

    client.meta.events.register("provide-client-params.sqs.SendMessageBatch", keep)
    with Stubber(client) as stub:
        for _ in range(3):
            stub.add_response("send_message_batch", {"Successful": [], "Failed": []})
        Queue(client, URL).poke_in_turn(ids, per_second=2, clock=lambda: next(clock))

    assert sent == [
        [(each, 0, "1020") for each in ids[:10]],
        [(each, 2, "1025") for each in ids[10:20]],
        [(each, 4, "1030") for each in ids[20:]],
    ]
