"""`keypost logs`, `dead-letters` and `alarms` on the deployed local stack."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.alarms import Alarm, alarm_of
from cli.dead_letters import KEPT, Queues, meaning
from cli.local.deploy import ROOT
from cli.local.stack import LocalStack, describe
from cli.logs import TROUBLE, LogLine
from cli.stacks import Found, found
from keypost.core.errors import KeypostError
from keypost.words import LANGUAGES
from tests.builders import NOW
from tests.counted import counted_by_the_code
from tests.deployed import KASPERSKY, empty, is_mailed, logged_until, paid_session

Run = Callable[..., tuple[int, str, str]]
ORDERS, MAIL_EVENTS, RUNS = KEPT[:3]
WISH = "0123456789abcdef" * 2
FAILED_RUN = {
    "requestContext": {"functionArn": "arn:aws:lambda:eu-west-1:1:function:keypost-FindDueOrders-1A2B:$LATEST"},
    "responsePayload": {"errorType": "Sandbox.Timedout", "errorMessage": "anna@klant.example"},
}


@pytest.fixture
def here(run: Run, local: LocalStack) -> Run:
    Path(".local").mkdir()
    Path(".local/stack.json").write_text(describe(local))
    return run


@pytest.fixture
def at(here: Run) -> Found:
    return found(None)


@pytest.fixture
def queues(at: Found) -> Iterator[Queues]:
    """The queues of the stack, empty before and after."""
    found = Queues.of(at)

    for kept in KEPT:
        found.sqs.purge_queue(QueueUrl=found.urls[kept.resource])
    yield found
    for kept in KEPT:
        found.sqs.purge_queue(QueueUrl=found.urls[kept.resource])


def put(queues: Queues, resource: str, *bodies: str) -> None:
    for body in bodies:
        queues.sqs.send_message(QueueUrl=queues.urls[resource], MessageBody=body)


def test_what_failed_is_listed_by_what_it_means_and_stays_where_it_is(here: Run, queues: Queues) -> None:
    put(queues, "DeadLetters", "2026-001234", WISH, f"CODES#{KASPERSKY}", "BATCH#ab", "FORGET#")
    put(queues, "FeedbackDeadLetters", (ROOT / "events/ses/bounce_permanent.json").read_text("utf-8"), "no event")
    put(queues, "FailedRuns", json.dumps(FAILED_RUN))
    put(queues, "EventDeadLetters", json.dumps({"type": "order.served", "data": {"order_id": "2026-001234"}}))
    put(queues, "LostEvents", json.dumps({"DDBStreamBatchInfo": {"batchSize": 3}}), "{}")

    first, second = here("dead-letters", "list", "--json"), here("dead-letters", "list", "--json")

    told = [json.loads(line) for line in first[1].splitlines()]
    assert sorted((each["queue"], each["what"]["text"]) for each in told) == [
        ("events", "the event order.served of order 2026-001234"),
        ("mail-events", "SES reported `?`"),
        ("mail-events", "SES reported `Email Bounced` for order 2026-001234"),
        ("orders", "a customer's request from the page `/resend`"),
        ("orders", f"codes of {KASPERSKY} arrived, for orders that wait"),
        ("orders", "erasing customers after their years"),
        ("orders", "order 2026-001234: its step failed five times"),
        ("orders", "replacing the codes of a batch"),
        ("runs", "a run of FindDueOrders failed (`Sandbox.Timedout`)"),
        ("untold-changes", "changes of orders"),
        ("untold-changes", "changes of orders: 3"),
    ]
    assert sorted(first[1].splitlines()) == sorted(second[1].splitlines())
    assert "klant.example" not in first[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_is_for_people_of_every_language(here: Run, queues: Queues, language: str) -> None:
    put(queues, "DeadLetters", "2026-001234")

    status, out, errors = here("dead-letters", "list", "orders", "--lang", language)

    assert (status, errors) == (0, "")
    assert re.search(r"^orders: 1 ", out, re.MULTILINE)
    assert "2026-001234" in out
    assert " min" in out.casefold()


def test_what_is_handed_back_twice_is_done_once(here: Run, queues: Queues, local: LocalStack) -> None:
    list(local.stack.store.add_codes(KASPERSKY, ["ABCDE-FGHJK-LMNPQ-RSTUV"], None, None))
    assert local.stripe_calls(paid_session("handed-back")) == (200, "")
    local.order_when("handed-back", is_mailed)
    before = len(local.stack.store.existing("handed-back").mails)
    put(queues, "DeadLetters", *["handed-back"] * 12)

    status, out, errors = here("dead-letters", "redrive", "orders")

    assert (status, out) == (0, "Handed back: 12. What fails again is back here in about half an hour.\n")
    assert "handed back: 12 of 12" in errors
    assert here("dead-letters", "redrive", "orders")[1].startswith("Handed back: 0.")
    order = local.stack.store.existing("handed-back")
    assert (len(order.mails), len(order.licenses)) == (before, 1)
    empty(local, KASPERSKY)


def test_what_another_run_has_received_just_now_is_named(here: Run, queues: Queues) -> None:
    put(queues, "DeadLetters", "2026-001234")
    queues.sqs.receive_message(QueueUrl=queues.urls["DeadLetters"], VisibilityTimeout=60)

    assert here("dead-letters", "redrive", "orders")[1].splitlines() == [
        "Handed back: 0. What fails again is back here in about half an hour.",
        "Still there: 1. If a run before this one was stopped, run it again in a minute.",
    ]


def test_a_message_goes_back_to_the_queue_in_which_it_failed(in_process: LocalStack) -> None:
    sqs = in_process.session.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})}
    urls = {name: sqs.create_queue(QueueName=name, Attributes=policy)["QueueUrl"] for name in ("Queue", "Wishes")}
    queues = Queues(sqs, urls | {"DeadLetters": dead})
    put(queues, "Wishes", WISH)
    for _ in range(2):  # the second time it counts as failed
        sqs.receive_message(QueueUrl=urls["Wishes"], VisibilityTimeout=0)

    for part in queues.received(ORDERS):
        queues.hand_back(ORDERS, part)

    assert [message["Body"] for message in sqs.receive_message(QueueUrl=urls["Wishes"])["Messages"]] == [WISH]
    assert "Messages" not in sqs.receive_message(QueueUrl=urls["Queue"])
    assert queues.count(ORDERS) == 0


def test_runs_are_not_handed_back_since_the_next_one_makes_up_for_them(here: Run, queues: Queues) -> None:
    put(queues, "FailedRuns", json.dumps(FAILED_RUN))

    status, out, _ = here("dead-letters", "redrive", "runs")

    assert status == 0
    assert "the next run makes up for a failed one" in out
    assert queues.count(RUNS) == 1


def test_a_queue_that_this_stack_lacks_is_said_with_those_that_it_has(in_process: LocalStack) -> None:
    queues = Queues(in_process.session.client("sqs"), {"DeadLetters": "", "FailedRuns": ""})

    assert [each.name for each in queues.kept()] == ["orders", "runs"]
    with pytest.raises(KeypostError, match=r"no_such_queue \(name=events, names=\('orders', 'runs'\)\)"):
        queues.kept("events")


def test_purging_says_what_is_lost_asks_and_removes_what_was_seen(
    here: Run, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(queues, "FeedbackDeadLetters", "{}", "[]")
    asked: list[str] = []

    def refuse(question: str, **_: Any) -> None:
        asked.append(question)
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", refuse)
    status, out, _ = here("dead-letters", "purge", "mail-events")
    assert status == 130
    assert "What became of these e-mails is lost with it" in out
    assert queues.count(MAIL_EVENTS) == 2
    assert ["Remove these 2?" in question for question in asked] == [True]

    status, out, _ = here("dead-letters", "purge", "mail-events", "--yes")
    assert (status, out.splitlines()[-1]) == (0, "Removed: 2.")
    assert queues.count(MAIL_EVENTS) == 0
    assert here("dead-letters", "purge", "mail-events", "--yes")[1].count("\n") == 1


def test_no_message_says_what_a_customer_wrote() -> None:
    said = [meaning(kept, json.dumps({"detail": {"mail": {"destination": ["anna@klant.example"]}}}), "keypost")
            for kept in (MAIL_EVENTS, RUNS)]  # fmt: skip

    assert [each.values for each in said] == [{"kind": "?"}, {"function": "?"}]


@pytest.mark.parametrize("page", ["docs/runbook/overdue.md", "https://wiki.shop.example/keypost/overdue.md", ""])
def test_the_page_of_an_alarm_is_the_file_or_the_address_at_the_end_of_its_description(page: str) -> None:
    told = {"AlarmDescription": f"An order is late. {page}".strip(), "StateValue": "OK", "StateUpdatedTimestamp": NOW}

    assert alarm_of("OverdueAlarm", told) == Alarm("OverdueAlarm", "OK", NOW, "An order is late.", page)


@pytest.fixture
def ringing(local: LocalStack, at: Found) -> Iterator[str]:
    """The alarm for orders that are late rings."""
    cloudwatch, name = local.session.client("cloudwatch"), at.resources("AWS::CloudWatch::Alarm")["OverdueAlarm"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    yield name
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alarm_that_rings_says_what_to_do_and_names_its_page(here: Run, ringing: str, language: str) -> None:
    status, out, errors = here("alarms", "--lang", language)

    assert (status, errors) == (1, "")
    assert "OverdueAlarm" in out.splitlines()[0]
    assert out.splitlines()[-2].strip() == "docs/runbook/overdue.md"
    assert len(out.splitlines()) == 4
    assert ("was twee uur geleden aan de beurt" in out) is (language == "nl")


def test_programs_get_every_alarm_and_people_all_of_them_on_demand(
    here: Run, ringing: str, template: dict[str, Any]
) -> None:
    told = [json.loads(line) for line in here("alarms", "--json")[1].splitlines()]
    shown = here("alarms", "--all")[1]

    names = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    computed = {name for name in names if "Metrics" in template["Resources"][name]["Properties"]}
    assert {each["alarm"] for each in told} == names - computed  # the emulator has none that compute
    assert [each["alarm"] for each in told if each["state"] == "ALARM"] == ["OverdueAlarm"]
    assert [each for each in told if not each["page"].endswith(".md") or not each["to_do"]] == []
    assert all(each["alarm"] in shown for each in told)


def test_the_exit_status_is_0_when_nothing_rings(here: Run) -> None:
    status, out, _ = here("alarms")

    assert status == 0
    assert out.startswith("rings: 0, quiet: ")


def test_logs_are_lines_that_a_person_can_read(here: Run, local: LocalStack) -> None:
    logged_until(
        local,
        lambda: local.call("/callbacks/nobody", b"{}", {}),
        lambda text: '"message":"CallbackRefused"' in text,
        "PaymentCallback",
    )

    status, out, _ = here("logs", "paymentcallback", "--errors", "--since", "2h")

    assert status == 0
    line = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  PaymentCallback  CallbackRefused provider=unknown status=404 reason=\S+"
    assert re.search(line, out, re.MULTILINE)
    assert "_aws" not in out


def test_logs_of_one_order_are_of_that_one_alone(here: Run, local: LocalStack) -> None:
    def pay() -> None:
        assert local.stripe_calls(paid_session("logged-2")) == (200, "")
        assert local.stripe_calls(paid_session("logged-21")) == (200, "")
        local.call("/callbacks/nobody", b"{}", {})

    logged_until(local, pay, lambda text: '"order_id":"logged-21"' in text, "PaymentCallback")

    lines = [json.loads(line) for line in here("logs", "--order", "logged-2", "--json")[1].splitlines()]
    assert lines
    assert {each["line"]["order_id"] for each in lines} == {"logged-2"}
    assert "OrderPaid" in {each["line"]["message"] for each in lines}


def test_a_function_or_a_time_that_there_is_not_is_named(here: Run) -> None:
    status, _, errors = here("logs", "Nobody")
    assert status == 1
    assert "choose one of AdvanceOrders, " in errors
    status, _, errors = here("logs", "--since", "yesterday")
    assert status == 2
    assert "`yesterday` is no time to look back over, such as 30m, 12h or 7d" in errors


@pytest.mark.parametrize(
    ("text", "is_trouble", "words"),
    [
        ('{"level":"INFO","message":"MailSent","count":1,"order_id":"A"}', False, "MailSent order_id=A"),
        ('{"level":"INFO","message":"OrdersDue","count":3}', False, "OrdersDue count=3"),
        ('{"level":"INFO","message":"MailPaused","reason":"AccountPaused"}', True, "MailPaused reason=AccountPaused"),
        ('{"level":"ERROR","message":"failure","error":"KeyError","place":"a.py:3"}', True,
         "failure error=KeyError place=a.py:3"),
        ('{"errorType":"KeyError","errorMessage":"anna@klant.example","stackTrace":["File \\"/x/a.py\\", line 7"]}',
         True, "crash error=KeyError place=a.py:7"),
        ('{"time":"x","type":"platform.report","record":{"status":"timeout"}}', True, "platform.report status=timeout"),
        ("Traceback (most recent call last):", True, "Traceback (most recent call last):"),
        ('{"level":"INFO","message":"OrderUnreadable","count":2,"order_ids":["A","B"]}', False,
         "OrderUnreadable count=2 order_ids=A,B"),
    ],
)  # fmt: skip
def test_a_line_is_told_in_words_and_trouble_is_told_apart(text: str, is_trouble: bool, words: str) -> None:
    line = LogLine("F", NOW, text)

    assert (line.is_trouble, line.words) == (is_trouble, words)


def test_what_tells_of_trouble_is_counted_somewhere() -> None:
    assert TROUBLE - counted_by_the_code() == set()
