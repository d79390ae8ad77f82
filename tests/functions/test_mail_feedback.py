import io
import json
from typing import Any

import pytest

import mail_feedback
from cli.stacks import Stack
from keypost.core.mail import Fate
from keypost.use_cases import take_mail_event
from tests.builders import event, loaded
from tests.functions.test_payment_callback import Context
from tests.keypost.core.test_mailing import sent


def records(*bodies: Any) -> dict[str, Any]:
    (record,) = event("queue/poke.json")["Records"]
    texts = (body if isinstance(body, str) else json.dumps(body) for body in bodies)
    return {"Records": [record | {"messageId": f"m-{n}", "body": text} for n, text in enumerate(texts)]}


def test_what_became_of_a_mail_is_written_into_its_order(wired: Stack) -> None:
    wired.store.save(sent())

    answer = mail_feedback.handler(records(event("ses/delivery.json"), event("ses/send.json")), Context())

    assert answer == {"batchItemFailures": []}
    outcome = loaded(wired.store, "2026-001234").mail("purchase-1").outcome
    assert outcome is not None
    assert outcome.fate is Fate.DELIVERED


def test_what_cannot_be_read_does_not_come_back(wired: Stack, logged: io.StringIO) -> None:
    answer = mail_feedback.handler(records("no json", "[1]", "{}", "[" * 100_000), Context())

    assert answer == {"batchItemFailures": []}
    assert logged.getvalue().count('"message":"FeedbackIgnored"') == 4


def test_one_event_that_fails_comes_back_alone_and_its_text_is_not_logged(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    taken: list[str] = []

    def take(_store: Any, envelope: Any, _now: Any) -> None:
        if envelope == "bad":
            raise ValueError("jan@klant.example")
        taken.append(envelope)

    monkeypatch.setattr(take_mail_event, "take", take)

    answer = mail_feedback.handler(records('"first"', '"bad"', '"last"'), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert taken == ["first", "last"]
    assert "FeedbackFailed" in logged.getvalue()
    assert "klant.example" not in logged.getvalue()
