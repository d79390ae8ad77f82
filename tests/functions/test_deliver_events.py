"""Events on their way to the shop's URL."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from standardwebhooks import Webhook

import deliver_events
from cli.local.event_taker import EventTaker, event_taker
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.table.events_url import EventsUrl
from keypost.use_cases.deliver_event import PAUSES
from tests.builders import WEBHOOK_SECRET, Context
from tests.event_examples import examples
from tests.faults import watch

SERVED = examples()["order.served"]
OTHER_SECRET = "whsec_" + "A" * 32


@dataclass
class Way:
    """The queue, and the program at the shop's URL."""

    stack: Stack
    local: LocalStack
    queue_url: str
    shop: EventTaker

    def deliver(self, attempt: int = 1) -> bool:
        """Deliver an event for this time, as Lambda does. Whether it was taken."""
        sqs = self.local.session.client("sqs")
        sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(SERVED))
        (got,) = sqs.receive_message(QueueUrl=self.queue_url)["Messages"]
        message = {
            "messageId": got["MessageId"],
            "receiptHandle": got["ReceiptHandle"],
            "body": got["Body"],
            "attributes": {"ApproximateReceiveCount": str(attempt)},
        }
        failed = deliver_events.handler({"Records": [message]}, Context())["batchItemFailures"]
        assert failed in ([], [{"itemIdentifier": got["MessageId"]}])
        return not failed


@pytest.fixture
def way(wired: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    url = local.session.client("sqs").create_queue(QueueName=f"{wired.store.table}-events")["QueueUrl"]
    wired.secrets.set("events_signing", WEBHOOK_SECRET)
    with event_taker() as shop:
        shop.secret = WEBHOOK_SECRET
        for name, value in {"EVENT_QUEUE_URL": url, "EVENTS_URL": shop.url, "STAGE": "local"}.items():
            monkeypatch.setenv(f"KEYPOST_{name}", value)
        wiring.forget()
        yield Way(wired, local, url, shop)


def test_the_shop_gets_an_event_signed_as_it_is(way: Way) -> None:
    assert way.deliver()

    ((headers, body),) = way.shop.calls
    assert json.loads(body) == SERVED
    assert headers["webhook-id"] == SERVED["id"]
    assert headers["Content-Type"] == "application/json"
    assert way.shop.events == {SERVED["id"]: SERVED}


def test_an_event_that_comes_twice_has_the_same_id(way: Way) -> None:
    assert way.deliver()
    assert way.deliver()

    first, second = way.shop.calls
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert len(way.shop.events) == 1


def test_during_a_rotation_both_secrets_sign(way: Way) -> None:
    way.stack.secrets.set("events_signing", f"{OTHER_SECRET} {WEBHOOK_SECRET}")

    assert way.deliver()

    ((headers, body),) = way.shop.calls
    assert Webhook(OTHER_SECRET).verify(body, headers) == SERVED


@pytest.mark.parametrize("answer", [200, 201, 204])
def test_an_answer_of_success_takes_the_event(way: Way, answer: int) -> None:
    way.shop.answer = answer

    assert way.deliver()


@pytest.mark.parametrize("answer", [301, 400, 401, 429, 500, 503])
def test_what_the_shop_does_not_take_is_tried_again(way: Way, answer: int, logged: io.StringIO) -> None:
    way.shop.answer = answer

    assert not way.deliver()
    assert '"EventNotDelivered"' in logged.getvalue()


def test_a_shop_that_is_not_there_is_tried_again(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPOST_EVENTS_URL", "http://127.0.0.1:1/events")
    wiring.forget()

    assert not way.deliver()


def test_each_attempt_waits_longer_and_all_of_them_reach_over_three_days(way: Way) -> None:
    way.shop.answer = 500
    put_off = watch(wiring.event_queue()._client, "ChangeMessageVisibility")

    for attempt in range(1, len(PAUSES) + 2):
        assert not way.deliver(attempt)

    pauses = [parameters["VisibilityTimeout"] for _, parameters in put_off]
    assert pauses == [60, 300, 1800, 7200, 18_000, 36_000, *6 * [43_200]]
    assert sum(pauses[:-1]) > 3 * 24 * 3600


def test_a_url_that_is_gone_is_not_called_any_more_until_somebody_says_so(way: Way, logged: io.StringIO) -> None:
    way.shop.answer = 410
    assert not way.deliver()
    way.shop.answer = 204

    assert not way.deliver()
    assert len(way.shop.calls) == 1
    assert logged.getvalue().count('"EventHeldBack"') == 2

    way.stack.store.part(EventsUrl).forget_gone()
    assert way.deliver()


def test_another_url_is_called_although_the_one_before_it_is_gone(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    way.shop.answer = 410
    assert not way.deliver()
    way.shop.answer = 204
    monkeypatch.setenv("KEYPOST_EVENTS_URL", f"{way.shop.url}/new")
    wiring.forget()

    assert way.deliver()


def test_nothing_leaves_unsigned(way: Way, logged: io.StringIO) -> None:
    way.stack.secrets.set("events_signing", "")

    assert not way.deliver()
    assert way.shop.calls == []
    assert "no_secret" in logged.getvalue()


@pytest.mark.parametrize("url", ["https://127.0.0.1/events", "https://169.254.169.254/latest/meta-data"])
def test_an_address_within_is_not_called(
    way: Way, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO, url: str
) -> None:
    monkeypatch.setenv("KEYPOST_EVENTS_URL", url)
    wiring.forget()

    assert not way.deliver()
    assert "not_public" in logged.getvalue()


def test_no_log_has_the_url_or_a_secret(way: Way, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_part = "token-of-the-url"
    monkeypatch.setenv("KEYPOST_EVENTS_URL", f"{way.shop.url}/{secret_part}")
    wiring.forget()

    for answer in (204, 500, 410):
        way.shop.answer = answer
        way.deliver()

    assert SERVED["id"] in logged.getvalue()
    for private in (secret_part, WEBHOOK_SECRET.removeprefix("whsec_")):
        assert private not in logged.getvalue()
