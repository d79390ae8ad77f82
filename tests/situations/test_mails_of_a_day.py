"""What was sent, failed and came back on a day, and all of it again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from botocore.config import Config

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import Mailer
from keypost.core.errors import InvalidInput
from keypost.core.mail import Asked, Fate, Purpose
from keypost.core.mailing import fail_mail
from keypost.core.mails_of_day import Became, mails_of
from keypost.core.order import Order
from keypost.core.periods import midnight_of
from keypost.core.said import said
from keypost.table import Store
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.list_mails import check_day, mails_of_day, send_day_again
from tests.builders import NOW, SHOP, ZONE, Clock, code, loaded, paid_order, sent_order, ses_event, with_fates
from tests.functions.support_calls import call

DAY = NOW.date()
ASKED = Asked(NOW + timedelta(hours=20), "anna", "the mail server of the customer was down")
Sell = Callable[..., Order]


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(stack: Stack, local: LocalStack, clock: Clock) -> Worker:
    client = local.session.session.client(
        "sesv2", endpoint_url=local.mailbox.url, config=Config(retries={"total_max_attempts": 1}, read_timeout=5)
    )
    return Worker(stack.store, stack.queue, Mailer(client, "test"), SHOP, clock)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return stack.desk


@pytest.fixture
def sell(worker: Worker, store: Store, stocked: Callable[[list[str]], None]) -> Sell:
    """An order of a customer of its own whose mail SES accepted."""
    numbers = count(1)

    def sold(order_id: str, name: str | None = None, *, email: str | None = None) -> Order:
        stocked([code(next(numbers))])
        store.save(paid_order(order_id, email=email or f"{order_id}@klant.example"))
        worker.advance(order_id)
        if name:
            take_mail_event.take(store, event(name, order_id), NOW, ZONE)
        return loaded(store, order_id)

    return sold


def event(name: str, order_id: str) -> Any:
    told = ses_event(name, order_id)
    told["detail"]["mail"]["destination"] = [f"{order_id}@klant.example"]
    return told


def states(desk: Desk, day: date, state: Became | None = None) -> set[tuple[str, str, str]]:
    return {(mail.order_id, mail.mail, mail.state.value) for mail in mails_of_day(desk, day, state).mails}


def accepted(store: Store, order_id: str) -> int:
    """How many mails of an order SES accepted."""
    return sum(mail.message_id is not None for mail in loaded(store, order_id).mails)


def test_the_mails_of_a_day_are_listed_with_what_became_of_them(desk: Desk, sell: Sell, store: Store) -> None:
    """C 11: what was sent, failed and bounced yesterday could be seen order by order only."""
    sell("fine", "delivery")
    sell("full", "bounce_transient")
    sell("gone", "bounce_permanent")
    sell("spam", "complaint")
    sell("virus", "reject")
    sell("only-sent")
    store.save(paid_order("nothing-left"))

    assert states(desk, DAY) == {
        ("fine", "purchase-1", "sent"),
        ("full", "purchase-1", "came_back"),
        ("gone", "purchase-1", "came_back"),
        ("spam", "purchase-1", "came_back"),
        ("virus", "purchase-1", "failed"),
        ("only-sent", "purchase-1", "sent"),
    }
    assert states(desk, DAY, Became.FAILED) == {("virus", "purchase-1", "failed")}
    assert states(desk, DAY - timedelta(days=1)) == states(desk, DAY + timedelta(days=1)) == set()


def test_a_mail_just_after_midnight_is_on_the_list_of_its_own_day(
    worker: Worker, store: Store, desk: Desk, clock: Clock, stocked: Callable[[list[str]], None]
) -> None:
    midnight = midnight_of(DAY, ZONE)
    stocked([code(1), code(2)])
    for order_id, before, after in (("soon", 10, 10), ("late", 40, 40)):  # minutes; creation leads to the first only
        created = midnight - timedelta(minutes=before)
        store.save(replace(paid_order(order_id, at=created), created_at=created))
        clock.now = midnight + timedelta(minutes=after)
        worker.advance(order_id)

    assert states(desk, DAY) == {("soon", "purchase-1", "sent"), ("late", "purchase-1", "sent")}
    assert states(desk, DAY - timedelta(days=1)) == set()
    assert [place.order_id for place in store.with_mail_on(DAY)] == ["late"]


def test_what_comes_back_later_is_on_the_list_of_that_day_too(
    desk: Desk, sell: Sell, store: Store, clock: Clock
) -> None:
    sell("late")
    late = event("bounce_transient", "late")
    late["detail"]["bounce"]["timestamp"] = "2026-11-25T23:30:00Z"  # the 26th in Amsterdam

    take_mail_event.take(store, late, clock.now, ZONE)

    assert states(desk, date(2026, 11, 26)) == {("late", "purchase-1", "came_back")}
    assert states(desk, date(2026, 11, 25)) == set()
    assert states(desk, DAY) == {("late", "purchase-1", "sent")}


def test_a_mail_that_ses_refuses_for_ever_stands_as_failed_on_the_day_of_its_refusal() -> None:
    order = fail_mail(sent_order(), "purchase-1", said("content_rejected"), NOW + timedelta(days=1))

    (failed,) = mails_of(order, DAY + timedelta(days=1), ZONE)
    assert (failed.state, failed.why and failed.why.code) == (Became.FAILED, "mail_failed")


def test_all_that_was_lost_for_reasons_that_pass_is_sent_again_and_nothing_else(
    desk: Desk, sell: Sell, worker: Worker, clock: Clock, store: Store
) -> None:
    for order_id, name in {
        "fine": "delivery",
        "full": "bounce_transient",
        "gone": "bounce_permanent",
        "spam": "complaint",
        "virus": "reject",
    }.items():
        sell(order_id, name)

    clock.now = ASKED.at
    done = send_day_again(desk, DAY, ASKED)
    for again in done.sent:
        worker.advance(again.order_id)

    assert {again.order_id for again in done.sent} == {"full", "virus"}
    assert {(each.order_id, each.why.code) for each in done.left_out} == {
        ("gone", "address_bounced"),
        ("spam", "address_complained"),
    }
    assert (done.next, done.done, done.orders) == (None, 5, 5)
    assert [accepted(store, order_id) for order_id in ("fine", "full", "gone", "spam", "virus")] == [1, 2, 1, 1, 2]
    entry = next(each for each in loaded(store, "full").timeline if each.code == "resend_asked")
    assert (entry.who, entry.words) == ("anna", ASKED.why)


def test_no_order_gets_two_mails_however_often_all_are_sent_again(
    desk: Desk, sell: Sell, worker: Worker, clock: Clock, store: Store
) -> None:
    sell("full", "bounce_transient")
    clock.now = ASKED.at
    send_day_again(desk, DAY, ASKED)
    worker.advance("full")
    back = event("bounce_transient", "full")
    back["detail"]["mail"]["tags"]["mail"] = ["resend_2d1"]
    take_mail_event.take(store, back, NOW, ZONE)
    assert loaded(store, "full").mail("resend-1").came_back

    for who in ("anna", "piet"):
        done = send_day_again(desk, DAY, replace(ASKED, at=ASKED.at + timedelta(days=2), who=who))
        assert (done.sent, [each.why.code for each in done.left_out]) == ((), ["sent_with_all"])
    worker.advance("full")
    assert accepted(store, "full") == 2


def test_what_an_agent_has_sent_again_meanwhile_is_left_alone(desk: Desk, sell: Sell, worker: Worker) -> None:
    sell("full", "bounce_transient")
    desk.resend("full", replace(ASKED, key="own"), worker.mailer)

    done = send_day_again(desk, DAY, ASKED)

    assert (done.sent, [each.why.code for each in done.left_out]) == ((), ["sent_since"])


def test_a_block_that_was_lifted_keeps_nothing_back(desk: Desk, sell: Sell, worker: Worker) -> None:
    sell("gone", "bounce_permanent")
    desk.change("gone", lambda order: replace(order, waits=()))
    desk.store.lift_bad_address("gone@klant.example", ASKED.at)

    assert [again.order_id for again in send_day_again(desk, DAY, ASKED).sent] == ["gone"]


def test_a_notice_that_was_lost_is_named_and_not_repeated() -> None:
    order = with_fates(sent_order(), Fate.RETURNED)
    notice = replace(order, mails=(replace(order.mails[0], purpose=Purpose.ADDRESS_CHANGED),))

    (lost,) = mails_of(notice, order.mails[0].told[0].at.date(), ZONE)
    assert lost.not_again == said("mail_without_code")


def test_a_call_adds_so_many_mails_and_the_next_one_goes_on_where_it_stopped(desk: Desk, sell: Sell) -> None:
    for number in range(7):
        sell(f"full-{number}", "bounce_transient")
    sent, progress, page = list[str](), list[int](), None
    while True:
        done = send_day_again(desk, DAY, ASKED, page, most=3)
        sent += [again.order_id for again in done.sent]
        progress.append(done.done)
        if (page := done.next) is None:
            break

    assert sorted(sent) == [f"full-{number}" for number in range(7)]
    assert (progress, done.orders) == ([3, 6, 7], 7)


def test_a_function_that_dies_halfway_is_made_up_for_by_the_same_call(desk: Desk, sell: Sell) -> None:
    for number in range(3):
        sell(f"full-{number}", "bounce_transient")
    send_day_again(desk, DAY, ASKED, most=2)  # its answer was lost

    done = send_day_again(desk, DAY, ASKED)

    assert len(done.sent) == 1
    assert [each.why.code for each in done.left_out] == ["sent_with_all"] * 2


def test_pages_of_a_day_have_each_order_once_though_more_happens_to_it(desk: Desk, sell: Sell, store: Store) -> None:
    for number in range(5):
        sell(f"day-{number}")
    first = mails_of_day(desk, DAY, size=3)
    store.mark_mail(first.mails[0].order_id, DAY, NOW + timedelta(hours=1))
    store.mark_mail("day-0", DAY, NOW + timedelta(hours=1))
    second = mails_of_day(desk, DAY, page=first.next, size=3)

    assert sorted(mail.order_id for mail in (*first.mails, *second.mails)) == [f"day-{n}" for n in range(5)]
    assert (second.next, second.orders) == (None, 5)


@pytest.mark.parametrize(("days", "is_kept"), [(-1, False), (0, True), (799, True), (800, False)])
def test_a_day_that_is_not_kept_is_refused_in_words(days: int, *, is_kept: bool) -> None:
    if is_kept:
        check_day(DAY - timedelta(days=days), DAY)
        return
    with pytest.raises(InvalidInput, match="day_not_kept"):
        check_day(DAY - timedelta(days=days), DAY)


def test_an_agent_sees_a_day_and_sends_it_again(wired: Stack) -> None:
    assert call("GET", "/mails")[1]["mails"] == []
    assert call("GET", "/mails?state=lost")[0] == 422
    assert call("GET", "/mails?day=2020-01-01")[1]["code"] == "day_not_kept"
    today = call("GET", "/mails")[1]["day"]

    status, done = call("POST", "/mails/resend", {"day": today, "reason": "a typing error"})
    assert (status, done) == (202, {"day": today, "sent": [], "left_out": [], "next": None, "done": 0, "orders": 0})
    assert call("POST", "/mails/resend", {})[1]["errors"][0]["pointer"] == "#/day"
