"""Kind: the page for customers, where anybody can type any address."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

import mail_feedback
import self_service
import send_again
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import Asked, Fate, MailState
from keypost.core.order import Reason
from keypost.resend_page import WORDS
from keypost.use_cases.list_attention import worklist
from tests.builders import Context, code, event, leaked, loaded, log, paid_order, pokes, ses_event

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ADDRESS, STRANGER = "facturen@klant.example", "203.0.113.99"
OWNER = "198.51.100.7"
Clock = time_machine.Traveller
Sell = Callable[..., None]


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sell(clock: Clock, wired: Stack, stocked: Any) -> Sell:
    """Orders whose mails were sent."""
    numbers = count()

    def sold(*order_ids: str) -> None:
        for number, order_id in enumerate(order_ids):
            stocked([code(next(numbers))])
            at = datetime.now(UTC) + timedelta(seconds=number)
            wired.store.save(replace(paid_order(order_id, at=datetime.now(UTC)), created_at=at))
            wiring.try_order(order_id, 1)

    return sold


def ask(stack: Stack, local: LocalStack, what: str = "", source: str = OWNER, email: str = ADDRESS) -> Any:
    """Press a button of the page, and let everything happen that follows."""
    request = event("resend/post.json")
    request["requestContext"]["identity"]["sourceIp"] = source
    request["body"] = urlencode({"email": email} | ({"ask": what} if what else {}))
    answer = self_service.handler(request, Context())
    sqs, url = local.session.client("sqs"), wiring.wishes().url
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        (record,) = event("queue/poke.json")["Records"]
        records = {"Records": [record | {"body": message["Body"]}]}
        assert send_again.handler(records, Context()) == {"batchItemFailures": []}
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    for order_id in dict.fromkeys(pokes(stack, local)):
        wiring.try_order(order_id, 1)
    return answer


def resent(stack: Stack, *order_ids: str) -> dict[str, int]:
    """How often each order was sent again."""
    orders = [loaded(stack.store, order_id) for order_id in order_ids]
    return {
        order.id: sum(mail.id.startswith("resend") and mail.state is MailState.SENT for mail in order.mails)
        for order in orders
    }


EIGHT = [f"eight-{number}" for number in range(8)]


def test_of_a_firm_with_eight_orders_all_arrive_within_three_days_of_one_request_each(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    """pages.md C1 and issue H: the five newest were sent each time, and the other three never."""
    sell(*EIGHT)

    clock.shift(timedelta(hours=1))
    ask(wired, local)
    assert resent(wired, *EIGHT) == {order_id: int(order_id >= "eight-3") for order_id in EIGHT}
    clock.shift(timedelta(days=1))
    ask(wired, local)
    assert min(resent(wired, *EIGHT).values()) == 1
    clock.shift(timedelta(days=1))
    ask(wired, local)

    assert list(resent(wired, *EIGHT).values()) == [1, 1, 1, 2, 2, 2, 3, 3]


def test_of_a_firm_with_eight_orders_all_arrive_on_the_day_when_it_asks_twice(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    sell(*EIGHT)

    for _ in range(2):
        clock.shift(timedelta(minutes=6))
        ask(wired, local)

    assert min(resent(wired, *EIGHT).values()) == 1


def test_a_stranger_who_asks_day_after_day_uses_up_nothing_of_the_owners(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    """Issue H: after thirty mails of the page an order was never sent again from it, whoever asked."""
    sell("daily-1")

    for day in range(1, 12):
        for minutes in (0, 6, 12):
            clock.move_to(START + timedelta(days=day, minutes=minutes))
            ask(wired, local, source=STRANGER)
    clock.shift(timedelta(days=1))
    before = loaded(wired.store, "daily-1").mails
    ask(wired, local)

    after = loaded(wired.store, "daily-1").mails
    assert (len(before), len(after)) == (31, 31)
    assert before[-1] != after[-1]
    assert (after[-1].id, after[-1].asked and after[-1].asked.at) == ("resend-34", datetime.now(UTC))
    assert wiring.desk().resend("daily-1", Asked(datetime.now(UTC), "sanne", key="k"), wiring.mailer())


def test_a_stranger_uses_up_three_of_an_addresses_six_requests_of_a_day(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    sell(*EIGHT)

    for _ in range(5):
        clock.shift(timedelta(minutes=6))
        ask(wired, local, source=STRANGER)
    assert sum(resent(wired, *EIGHT).values()) == 15
    clock.shift(timedelta(minutes=6))
    ask(wired, local)

    assert sum(resent(wired, *EIGHT).values()) == 20


def reported(order_id: str, mail_id: str) -> None:
    """The customer reports a mail as spam."""
    mail_feedback.handler(_queued(ses_event("complaint", order_id, mail_id)), Context())


def _queued(told: Any) -> Any:
    (record,) = event("queue/poke.json")["Records"]
    return {"Records": [record | {"body": json.dumps(told)}]}


def test_a_spam_report_of_a_mail_that_a_stranger_asked_for_stops_the_page_and_nothing_that_is_paid_for(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    """Issue H: one click on spam, on a mail that nobody of the firm had asked for, kept back every later license."""
    sell("spam-1")
    clock.shift(timedelta(hours=1))
    ask(wired, local, source=STRANGER)

    reported("spam-1", "resend-1")
    assert wired.store.bad_address(ADDRESS) is None
    clock.shift(timedelta(days=1))
    ask(wired, local)
    sell("spam-2")

    assert resent(wired, "spam-1", "spam-2") == {"spam-1": 1, "spam-2": 0}
    assert [mail.state for mail in loaded(wired.store, "spam-2").mails] == [MailState.SENT]
    assert [(item.order_id, item.reason.code) for item in worklist(wired.store).items] == [("spam-1", "mail_reported")]
    fate = loaded(wired.store, "spam-1").mails[1].outcome
    assert fate
    assert fate.fate is Fate.COMPLAINED


def test_a_spam_report_of_the_mail_that_was_bought_blocks_the_address_as_before(
    wired: Stack, local: LocalStack, sell: Sell
) -> None:
    sell("spam-bought")
    ask(wired, local)

    reported("spam-bought", "purchase-1")

    assert [(item.order_id, item.needs) for item in worklist(wired.store).items] == [("spam-bought", Reason.ADDRESS)]


def test_a_person_who_closes_the_report_opens_the_page_for_that_customer_again(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    """Issue H: a decision of a person is no dead end."""
    sell("opened-1")
    ask(wired, local, source=STRANGER)
    reported("opened-1", "resend-1")

    wiring.desk().close("opened-1", Asked(datetime.now(UTC), "sanne", "it was not her who asked"))
    assert worklist(wired.store).items == ()
    clock.shift(timedelta(days=1))
    ask(wired, local)

    assert resent(wired, "opened-1") == {"opened-1": 2}


BUTTONS = pytest.mark.parametrize("what", ["nothing_came", "not_my_address"])


@BUTTONS
def test_a_customer_who_gets_nothing_or_has_left_an_address_stands_in_the_worklist_once(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock, what: str
) -> None:
    """Issue H: the page had no way to say so."""
    sell("told-old", "told-new")

    for _ in range(3):
        clock.shift(timedelta(minutes=6))
        answer = ask(wired, local, what)
        assert answer["statusCode"] == 202

    items = worklist(wired.store).items
    assert [(item.order_id, item.needs, item.reason.code) for item in items] == [("told-new", Reason.CONCERN, what)]
    assert [each.code for each in items[0].actions] == ["answer_customer"]
    entries = [(each.code, each.who) for each in loaded(wired.store, "told-new").timeline]
    assert entries.count((what, "customer")) == 1
    assert resent(wired, "told-old", "told-new") == {"told-old": 0, "told-new": 0}


@BUTTONS
def test_the_answer_is_the_same_whether_or_not_we_know_the_address_and_the_log_names_nobody(
    wired: Stack, local: LocalStack, sell: Sell, logged: Any, clock: Clock, what: str
) -> None:
    sell("neutral-1")
    unknown = "iemand@elders.example"

    answers = [ask(wired, local, what, email=email) for email in (ADDRESS, unknown)]

    bodies = [answer["body"].replace(email, "") for answer, email in zip(answers, (ADDRESS, unknown), strict=True)]
    assert bodies[0] == bodies[1]
    assert WORDS["nl"]["notices"]["told"]["title"] in bodies[0]
    assert [item.order_id for item in worklist(wired.store).items] == ["neutral-1"]
    assert leaked(["klant.example", "elders.example", OWNER], logged.getvalue, log) == []


def test_an_agent_who_changes_the_address_has_seen_to_it_and_a_stranger_can_ask_again_the_next_day_only(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    sell("seen-1")
    ask(wired, local, "nothing_came", source=STRANGER)
    assert len(worklist(wired.store).items) == 1

    wiring.desk().resend("seen-1", Asked(datetime.now(UTC), "sanne", key="k"), wiring.mailer())
    assert worklist(wired.store).items == ()
    clock.shift(timedelta(hours=1))
    ask(wired, local, "nothing_came", source=STRANGER)
    assert worklist(wired.store).items == ()
    clock.shift(timedelta(days=1))
    ask(wired, local, "nothing_came", source=STRANGER)

    assert len(worklist(wired.store).items) == 1


def test_the_page_asks_for_the_address_of_the_invoice_and_repeats_what_was_typed(
    wired: Stack, local: LocalStack, clock: Clock
) -> None:
    """pages.md C1 and C2: it asked for the address "waarmee u hebt besteld", and its answer hid a typing error."""
    form = self_service.handler(event("resend/post.json") | {"httpMethod": "GET"}, Context())

    assert "waarop u onze factuur" in form["body"]
    assert "administratie" in form["body"]
    assert "Opnieuw versturen" in form["body"]
    assert "waarmee u hebt besteld" not in form["body"]
    answer = ask(wired, local, email="anna@klnat.example")
    assert "anna@klnat.example" in answer["body"]
    assert WORDS["nl"]["back"] in answer["body"]


def test_spaces_and_signs_that_nobody_sees_around_the_address_are_nothing(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    sell("typed-1")

    ask(wired, local, email="\u200b \u00a0facturen@klant.example \u2060\n")

    assert resent(wired, "typed-1") == {"typed-1": 1}
