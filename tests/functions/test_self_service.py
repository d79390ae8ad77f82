"""The page on which customers ask for their licenses again, called as API Gateway calls it."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

import self_service
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.resend_page import WORDS
from tests.builders import Context, count, event, leaked, log, paid_order, printed
from tests.faults import refuse, watch

KNOWN, UNKNOWN = "facturen@klant.example", "iemand@elders.example"
NOON = datetime(2026, 11, 24, 11, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def call(body: str | bytes | None, content_type: str = "application/x-www-form-urlencoded", **changes: Any) -> Any:
    request = event("resend/post.json") | {"body": body, "multiValueHeaders": {}}
    request["headers"] = {"Content-Type": content_type, "Accept-Language": "nl"} | changes.pop("headers", {})
    if source := changes.pop("source", None):
        request["requestContext"]["identity"]["sourceIp"] = source
    return self_service.handler(request | changes, Context())


def ask(email: str, **changes: Any) -> Any:
    return call(urlencode({"email": email}), **changes)


def told(local: LocalStack) -> list[str]:
    """The messages in the queue of wishes."""
    sqs = local.session.client("sqs")
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=wiring.wishes().url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def kept(stack: Stack, local: LocalStack) -> str:
    """All items of the table except the order."""
    items = local.session.client("dynamodb").scan(TableName=stack.store.table)["Items"]
    return repr([item for item in items if not item["pk"]["S"].startswith("ORDER#")])


def test_the_page_opens_in_the_language_of_the_browser_under_a_strict_policy(wired: Stack) -> None:
    answer = call(None, httpMethod="GET", queryStringParameters=None)

    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Content-Language"] == "nl"
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    assert "Voorbeeld Software" in answer["body"]
    english = call(None, httpMethod="GET", queryStringParameters={"lang": "en"})
    assert WORDS["en"]["title"] in english["body"]


def test_the_form_as_a_browser_sends_it_leaves_a_wish_and_a_message_that_tells_nobody_anything(
    wired: Stack, local: LocalStack
) -> None:
    answer = self_service.handler(event("resend/post.json"), Context())

    assert answer["statusCode"] == 202
    assert "Als wij dit adres kennen" in answer["body"]
    assert "ongewenste e-mail" in answer["body"]
    (wish_id,) = told(local)
    wish = wired.store.wish(wish_id)
    assert wish is not None
    assert (wish.id, wish.asked_at) == (wish_id, NOON)
    assert re.fullmatch("[0-9a-f]{32}", wish_id)
    assert wish.whose not in wish_id

    def keep(canary: str) -> None:
        item = {"pk": {"S": f"CANARY#{canary}"}}
        local.session.client("dynamodb").put_item(TableName=wired.store.table, Item=item)

    assert leaked(["klant.example", "203.0.113.7"], partial(kept, wired, local), keep) == []


def test_a_wish_and_a_count_are_forgotten_after_a_day(wired: Stack, local: LocalStack) -> None:
    ask(KNOWN)

    items = local.session.client("dynamodb").scan(TableName=wired.store.table)["Items"]
    expiries = [int(item["expires"]["N"]) for item in items if item["pk"]["S"].startswith(("WISH#", "TRIES#"))]
    assert expiries == [int((NOON + timedelta(days=1)).timestamp())] * 2


def test_known_and_unknown_addresses_get_the_same_bytes_for_the_same_work(
    wired: Stack,
) -> None:
    wired.store.save(paid_order("2026-001234"))
    tables, wishes = watch(wiring.store()._client), watch(wiring.wishes()._client)
    answers, work = [], []
    for email in (KNOWN, UNKNOWN, KNOWN, KNOWN, KNOWN):
        tables.clear()
        wishes.clear()
        answers.append(ask(email))
        answers[-1]["body"] = answers[-1]["body"].replace(email, "what was typed")
        work.append([name for name, _ in (*tables, *wishes)])

    assert "what was typed" in answers[0]["body"]
    assert answers == answers[:1] * 5
    assert work == [["UpdateItem", "PutItem", "SendMessage"]] * 5


def test_after_ten_tries_an_hour_that_network_waits_and_others_do_not(
    wired: Stack, local: LocalStack, at_noon: time_machine.Traveller
) -> None:
    assert [ask(f"klant-{n}@elders.example")["statusCode"] for n in range(11)] == [202] * 10 + [429]

    for email in (KNOWN, UNKNOWN):
        answer = ask(email)
        assert answer["statusCode"] == 429
        assert answer["headers"]["Retry-After"] == "2400"
        assert WORDS["nl"]["notices"]["too often"]["title"] in answer["body"]
    assert ask(KNOWN, source="203.0.113.8")["statusCode"] == 202
    assert len(told(local)) == 11
    at_noon.shift(timedelta(minutes=40))
    assert ask(KNOWN)["statusCode"] == 202


def test_a_network_cannot_hide_behind_a_header_or_many_addresses_of_its_own(wired: Stack) -> None:
    claimed = [ask(KNOWN, headers={"X-Forwarded-For": f"192.0.2.{n}"})["statusCode"] for n in range(11)]
    of_its_own = [ask(KNOWN, source=f"2001:db8:1:2::{n}")["statusCode"] for n in range(1, 12)]

    assert claimed == of_its_own == [202] * 10 + [429]
    assert ask(KNOWN, source="2001:db8:1:3::1")["statusCode"] == 202


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a" * 250 + "@b.nl", "too long"),
        ("facturen", "no address"),
        ("a@b", "no address"),
        ("a@b.nl, c@d.nl", "no address"),
        ("jan@klant.example\r\nBcc: piet@klant.example", "no address"),
        ("<script>@klant.example", "no address"),
    ],
)
def test_plainly_wrong_text_is_told_so_and_is_no_try(wired: Stack, local: LocalStack, text: str, fault: str) -> None:
    answer = ask(text)

    assert answer["statusCode"] == 400
    assert WORDS["nl"]["faults"][fault] in answer["body"]
    assert "<script>" not in answer["body"]
    assert told(local) == []
    assert "TRIES#" not in kept(wired, local)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "says"),
    [
        ("email=a%40b.nl", "text/plain", 415, "application/x-www-form-urlencoded"),
        ("email=a%40b.nl", "", 415, "Content-Type"),
        (
            "email=a%40b.nl&email=c%40d.nl",
            "application/x-www-form-urlencoded",
            400,
            "het veld `email` met tekst bevatten",
        ),
        ("email=a%40b.nl&name=Anna", "application/x-www-form-urlencoded", 400, "het veld `email` met tekst bevatten"),
        ("email=%ff", "application/x-www-form-urlencoded", 400, "UTF-8"),
        ("&".join("a=b" for _ in range(50)), "application/x-www-form-urlencoded", 400, "formulier"),
        (None, "application/x-www-form-urlencoded", 400, "het veld `email` met tekst bevatten"),
        ("email=" + "a" * 5000, "application/x-www-form-urlencoded", 413, "4096"),
        ("{", "application/json", 400, "geen JSON"),
        ('{"email": "a@b.nl", "x": 1}', "application/json", 400, "het veld `email` met tekst bevatten"),
        ('{"email": ["a@b.nl"]}', "application/json", 400, "het veld `email` met tekst bevatten"),
        ("[]", "application/json", 400, "object"),
        ('{"email": "a@b.nl", "email": "c@d.nl"}', "application/json", 400, "dubbel"),
    ],
)
def test_what_no_page_sends_is_refused_with_the_reason(
    wired: Stack, local: LocalStack, body: str | None, content_type: str, status: int, says: str
) -> None:
    answer = call(body, content_type)

    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert says in json.loads(answer["body"])["detail"]
    assert told(local) == []


def test_a_program_gets_the_same_sentence_as_json(wired: Stack) -> None:
    asked = [call(json.dumps({"email": email}), "application/json; charset=utf-8") for email in (KNOWN, UNKNOWN)]
    faulty = call('{"email": "facturen"}', "application/json")

    assert asked[0] == asked[1]
    assert asked[0]["statusCode"] == 202
    assert "hulp@voorbeeld.example" in json.loads(asked[0]["body"])["detail"]
    assert faulty["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(faulty["body"])["detail"] == WORDS["nl"]["faults"]["no address"]


def test_where_it_is_switched_off_nothing_is_taken_and_the_page_says_whom_to_ask(
    wired: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPOST_SELF_SERVICE", "off")
    wiring.config.cache_clear()

    for answer in (ask(KNOWN), call(None, httpMethod="GET")):
        assert answer["statusCode"] == 404
        assert "hulp@voorbeeld.example" in answer["body"]
        assert "<form" not in answer["body"]
    assert told(local) == []


def test_a_wish_that_nobody_can_be_told_of_is_asked_for_again(wired: Stack, logged: io.StringIO) -> None:
    refuse(wiring.wishes()._client, "SendMessage", "ServiceUnavailable")

    assert ask(KNOWN)["statusCode"] == 503
    assert "WishNotTaken" in logged.getvalue()
    assert leaked(["klant.example"], logged.getvalue, log) == []


def test_no_log_and_no_metric_holds_who_asked(
    wired: Stack, logged: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    for _ in range(11):
        ask(KNOWN)
    ask("fac turen@klant.example")

    metrics = printed(capsys)
    assert logged.getvalue().count('"WishTaken"') == 10
    assert '"WishTooOften"' in logged.getvalue()
    assert metrics().count('"Name":"WishTaken"') == 10
    private = ["klant.example", "203.0.113"]
    assert leaked(private, logged.getvalue, log) == []
    assert leaked(private, metrics, count) == []
