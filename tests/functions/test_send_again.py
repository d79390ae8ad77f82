"""What customers asked for on the page, from the wish to the mail."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

import advance_orders
import mail_feedback
import send_again
from cli.local.mailbox import SentMail
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.contents import with_payment
from keypost.core.errors import BatchFailed
from keypost.core.mail import Asked
from keypost.core.order import Order, Reason
from keypost.core.payment import Refunded
from keypost.table.items import customer_digest
from tests.builders import Context, code, event, leaked, loaded, log, notice, paid_order, pokes, ses_event
from tests.faults import Parameters, on_call, refuse

ADDRESS = "facturen@klant.example"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
Mails = Callable[[], list[SentMail]]
Sell = Callable[..., Order]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


Clock = time_machine.Traveller


@pytest.fixture
def mails(local: LocalStack) -> Mails:
    """The mails of this test."""
    before = len(local.mailbox.mails)
    return lambda: local.mailbox.mails[before:]


@pytest.fixture
def sell(wired: Stack, stocked: Any) -> Sell:
    """An order whose mail was sent."""

    def sold(order_id: str, number: int, **changes: Any) -> Order:
        stocked([code(number)])
        bought = paid_order(order_id, at=datetime.now(UTC), **changes)
        wired.store.save(replace(bought, created_at=datetime.now(UTC)))
        run(advance_orders, order_id)
        return loaded(wired.store, order_id)

    return sold


def run(function: Any, *bodies: str) -> Any:
    (record,) = event("queue/poke.json")["Records"]
    return function.handler({"Records": [record | {"body": b, "messageId": b} for b in bodies]}, Context())


def ask(stack: Stack, email: str = ADDRESS) -> str:
    return stack.store.put_wish(email, datetime.now(UTC))


def grant(stack: Stack, local: LocalStack, *wishes: str) -> None:
    """Handle these wishes, and then all pokes that follow from them."""
    assert run(send_again, *wishes) == {"batchItemFailures": []}
    for order_id in dict.fromkeys(pokes(stack, local)):
        run(advance_orders, order_id)


def test_a_customer_gets_each_running_license_again_at_the_address_of_the_order(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails
) -> None:
    sell("page-sent-1", 1)
    sell("page-sent-2", 2, email="Facturen@klant.example")
    sell("page-sent-other", 3, email="piet@elders.example")

    grant(wired, local, ask(wired, "FACTUREN@klant.example"))

    sent = mails()[3:]
    assert sorted((mail.to[0], mail.tags["order"]) for mail in sent) == [
        ("Facturen@klant.example", "page-sent-2"),
        (ADDRESS, "page-sent-1"),
    ]
    for mail in sent:
        assert "Op verzoek sturen wij u" in mail.text
    assert code(1) in next(mail.text for mail in sent if mail.tags["order"] == "page-sent-1")
    entry = next(each for each in loaded(wired.store, "page-sent-1").timeline if each.code == "resend_asked")
    assert (entry.who, entry.words) == ("customer", "")


def test_nothing_is_sent_to_an_address_that_nobody_ordered_with(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, logged: io.StringIO
) -> None:
    sell("page-unknown-1", 1)

    grant(wired, local, ask(wired, "iemand@elders.example"), "no such wish")

    assert len(mails()) == 1
    assert logged.getvalue().count('"WishNotGranted"') == 2


def test_a_message_that_comes_again_sends_nothing_again(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    sell("page-redelivered", 1)
    wish = ask(wired)

    for minutes in (0, 1, 30):
        clock.move_to(START + timedelta(minutes=minutes))
        grant(wired, local, wish, wish)

    assert len(mails()) == 2


def test_two_clicks_are_one_wish(wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock) -> None:
    sell("page-clicks", 1)
    first = ask(wired)
    clock.shift(timedelta(seconds=20))
    second = ask(wired)

    grant(wired, local, first)
    grant(wired, local, second)

    assert len(mails()) == 2


def test_three_times_a_day_is_the_most_and_the_next_day_is_another(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    sell("page-thrice", 1)

    for hour in range(1, 7):
        clock.move_to(START + timedelta(hours=hour))
        grant(wired, local, ask(wired))
    assert len(mails()) == 4
    clock.move_to(START + timedelta(days=1))
    grant(wired, local, ask(wired))

    assert len(mails()) == 5


def test_support_can_still_send_again_what_a_customer_asked_for_three_times(
    wired: Stack, local: LocalStack, sell: Sell, clock: Clock
) -> None:
    sell("page-support-too", 1)
    for hour in range(1, 4):
        clock.move_to(START + timedelta(hours=hour))
        grant(wired, local, ask(wired))

    mail = wiring.desk().resend("page-support-too", Asked(datetime.now(UTC), "sanne", key="k"), wiring.mailer())

    assert mail
    assert mail.id == "resend-4"


def test_the_five_newest_orders_are_sent_also_when_the_message_comes_again(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    for number in range(7):
        clock.move_to(START + timedelta(minutes=number))
        sell(f"page-newest-{number}", number)
    wish = ask(wired)

    grant(wired, local, wish)
    grant(wired, local, wish)

    assert sorted(mail.tags["order"] for mail in mails()[7:]) == [f"page-newest-{n}" for n in range(2, 7)]


def test_what_has_ended_or_was_refunded_is_not_sent(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    sell("page-ended", 1)
    clock.move_to(START + timedelta(days=366))
    sell("page-running", 2)
    sell("page-refunded", 3)
    back = notice("page-refunded", state=None, refunded=Refunded(datetime.now(UTC), full=True))
    wiring.desk().change("page-refunded", lambda order: with_payment(order, back, datetime.now(UTC), "EUR"))

    grant(wired, local, ask(wired))

    again = [mail.tags["order"] for mail in mails()[3:] if mail.tags["mail"].startswith("resend")]
    assert again == ["page-running"]


def test_what_ses_drops_waits_for_a_person_and_is_not_tried_again(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    sell("page-dropped", 1)
    grant(wired, local, ask(wired))
    (_, again) = mails()
    run(mail_feedback, json.dumps(ses_event("bounce_suppressed", "page-dropped", again.tags["mail"])))

    clock.shift(timedelta(days=1))
    grant(wired, local, ask(wired))

    assert len(mails()) == 2
    assert loaded(wired.store, "page-dropped").waits_for(Reason.ADDRESS)


def test_a_wish_that_fails_comes_back_alone_and_tells_nobody_who_asked(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, logged: io.StringIO
) -> None:
    sell("page-fails", 1)
    sell("page-fails-not", 2, email="piet@elders.example")
    bad, good = ask(wired), ask(wired, "piet@elders.example")

    def fail(asked: Parameters) -> None:
        if customer_digest(ADDRESS) in asked["Key"]["pk"]["S"]:
            raise ValueError(f"{ADDRESS} is throttled")

    on_call(wiring.store()._client, "UpdateItem", fail)
    assert run(send_again, bad, good) == {"batchItemFailures": [{"itemIdentifier": bad}]}
    assert '"WishFailed"' in logged.getvalue()
    assert leaked(["klant.example"], logged.getvalue, log) == []


def test_a_wish_that_failed_half_way_is_finished_when_it_comes_again(
    wired: Stack, local: LocalStack, sell: Sell, mails: Mails, clock: Clock
) -> None:
    for number in range(3):
        sell(f"page-half-{number}", number)
    wish = ask(wired)

    refuse(wiring.store()._client, "PutItem", "InternalServerError", after=1)
    with pytest.raises(BatchFailed):
        run(send_again, wish)
    clock.shift(timedelta(minutes=6))
    grant(wired, local, wish)

    assert sorted(mail.tags["order"] for mail in mails()[3:]) == ["page-half-0", "page-half-1", "page-half-2"]


def test_nothing_of_strangers_is_counted(wired: Stack, local: LocalStack) -> None:
    grant(wired, local, ask(wired, "iemand@elders.example"))

    items = local.session.client("dynamodb").scan(TableName=wired.store.table)["Items"]
    assert [item["pk"]["S"] for item in items if item["pk"]["S"].startswith("ROUNDS#")] == []
