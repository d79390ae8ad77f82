import io
import json
from dataclasses import replace
from typing import Any

import mail_feedback
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import Fate
from tests.builders import Context, event, leaked, loaded, log, sent_order, ses_event
from tests.faults import Parameters, on_call, watch


def records(*bodies: Any) -> dict[str, Any]:
    (record,) = event("queue/poke.json")["Records"]
    texts = (body if isinstance(body, str) else json.dumps(body) for body in bodies)
    return {"Records": [record | {"messageId": f"m-{n}", "body": text} for n, text in enumerate(texts)]}


def test_what_became_of_a_mail_is_written_into_its_order(wired: Stack) -> None:
    wired.store.save(sent_order())

    answer = mail_feedback.handler(records(event("ses/delivery.json"), event("ses/send.json")), Context())

    assert answer == {"batchItemFailures": []}
    outcome = loaded(wired.store, "2026-001234").mail("purchase-1").outcome
    assert outcome is not None
    assert outcome.fate is Fate.DELIVERED


def test_events_that_come_together_read_each_order_once(wired: Stack) -> None:
    for name in ("first", "second"):
        wired.store.save(replace(sent_order(), id=name))
    calls = watch(wiring.store()._client)

    told = (ses_event(kind, name) for name in ("first", "second") for kind in ("delivery", "send", "complaint"))
    answer = mail_feedback.handler(records(*told), Context())

    assert answer == {"batchItemFailures": []}
    assert [name for name, about in calls if "ORDER#" in str(about)] == ["GetItem", "PutItem", "PutItem"] * 2
    for name in ("first", "second"):
        outcome = loaded(wired.store, name).mail("purchase-1").outcome
        assert outcome is not None
        assert outcome.fate is Fate.COMPLAINED


def test_what_cannot_be_read_does_not_come_back(wired: Stack, logged: io.StringIO) -> None:
    answer = mail_feedback.handler(records("no json", "[1]", "{}", "[" * 100_000), Context())

    assert answer == {"batchItemFailures": []}
    assert logged.getvalue().count('"message":"FeedbackIgnored"') == 4


def test_one_event_that_fails_comes_back_alone_and_its_text_is_not_logged(wired: Stack, logged: io.StringIO) -> None:
    names = ("first", "bad", "last")
    for name in names:
        wired.store.save(replace(sent_order(), id=name))

    def fail(get: Parameters) -> None:
        if get["Key"]["pk"]["S"] == "ORDER#bad":
            raise ValueError("jan@klant.example")

    on_call(wiring.store()._client, "GetItem", fail)

    answer = mail_feedback.handler(records(*(ses_event("delivery", name) for name in names)), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    told = [loaded(wired.store, name).mail("purchase-1").told for name in names]
    assert [[each.fate for each in one] for one in told] == [[Fate.DELIVERED], [], [Fate.DELIVERED]]
    assert "FeedbackFailed" in logged.getvalue()
    assert leaked(["klant.example"], logged.getvalue, log) == []
