"""Kind: reminders are offers. A way out stands in each and stops reminders of that customer and nothing else; a spam
report on one stops reminders, and asks a person before it stops a code that was paid for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from botocore.config import Config

import reminders_page
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import Mailer
from keypost.core import support
from keypost.core.correcting import Right
from keypost.core.errors import Refused
from keypost.core.mail import Asked, MailState
from keypost.core.mails_of_day import mails_of
from keypost.core.order import Order, Reason, Reminder
from keypost.core.payment import Refunded, Remark
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.story import story
from keypost.table import Store
from keypost.table.items import customer_digest
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.lift_complaint import lift_complaint
from keypost.use_cases.list_attention import worklist
from keypost.use_cases.stop_reminders import resume_reminders, stop_reminders
from keypost.use_cases.take_fact import record
from tests.builders import (
    INTAKE,
    NOW,
    SHOP,
    SKU,
    ZONE,
    Clock,
    Context,
    code,
    event,
    loaded,
    notice,
    paid_order,
    ses_event,
)
from tests.faults import refuse
from tests.functions.support_calls import call

ADDRESS, NEW, OTHER = "facturen@klant.example", "anna@klant.example", "piet@anders.example"
LATER = NOW + timedelta(hours=1)
AT = datetime.fromisoformat(event("ses/complaint.json")["detail"]["complaint"]["timestamp"]).replace(microsecond=0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(wired: Stack, local: LocalStack, clock: Clock) -> Worker:
    client = local.session.session.client(
        "sesv2", endpoint_url=local.mailbox.url, config=Config(retries={"total_max_attempts": 1}, read_timeout=5)
    )
    return Worker(wired.store, wired.queue, Mailer(client, "test"), SHOP, clock)


@pytest.fixture
def desk(wired: Stack) -> Desk:
    return Desk(wired.store, wired.queue, ZONE)


@pytest.fixture(autouse=True)
def empty_mailbox(local: LocalStack) -> None:
    local.mailbox.mails.clear()


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


Sold = Callable[..., Order]


@pytest.fixture
def sold(worker: Worker, store: Store, stocked: Callable[[list[str]], None]) -> Sold:
    """An order whose codes were sent, with a reminder that is due now."""

    def sell(order_id: str, number: int, **changes: Any) -> Order:
        stocked([code(number)])
        store.save(paid_order(order_id, **changes))
        worker.advance(order_id)
        return with_reminder(store, order_id)

    return sell


def with_reminder(store: Store, order_id: str, at: datetime = NOW) -> Order:
    return store.save(replace(loaded(store, order_id), reminders=(Reminder(at, 1, 7),)))


def asked(minutes: float = 5, why: str = "she said so") -> Asked:
    return Asked(NOW + timedelta(minutes=minutes), "sanne", why)


def reminders(local: LocalStack, order_id: str) -> list[EmailMessage]:
    """Those of an order that reached SES."""
    mails = [mail for mail in local.mailbox.mails if mail.tags.get("order") == order_id]
    return [mail.message for mail in mails if mail.tags["mail"].startswith("reminder")]


def left(local: LocalStack, order_id: str) -> list[str]:
    return [mail.tags["mail"] for mail in local.mailbox.mails if mail.tags.get("order") == order_id]


def link_in(message: EmailMessage) -> str:
    return str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]


def press(link: str, body: str = "List-Unsubscribe=One-Click") -> int:
    """What a mail program posts for its reader."""
    request = event("reminders/post.json") | {"pathParameters": {"link": link}, "body": body}
    answer = reminders_page.handler(request, Context())
    return int(answer["statusCode"])


def complain(store: Store, order_id: str, mail: str = "reminder-1", address: str = ADDRESS) -> None:
    told = ses_event("complaint", order_id, mail)
    told["detail"]["mail"]["destination"] = [address]
    take_mail_event.take(store, told, LATER, ZONE)


def told(store: Store, order_id: str) -> Said | None:
    order = loaded(store, order_id)
    return story(order, NOW, ZONE, store.beside(order)).no_reminders


def _inbox(store: Store) -> list[Remark]:
    places = store.inbox(NOW - timedelta(days=9), NOW + timedelta(days=9))
    return store.remarks([key for _, key in places])


# --- the way out


@pytest.mark.parametrize("language", ["nl", "en"])
def test_each_reminder_has_a_way_out_in_its_headers_and_in_both_parts_and_no_other_mail_has(
    worker: Worker, local: LocalStack, sold: Sold, language: str
) -> None:
    sold(f"way-{language}", 1, language=language)
    worker.advance(f"way-{language}")

    (message,) = reminders(local, f"way-{language}")
    address = str(message["List-Unsubscribe"]).strip("<>")
    assert address.startswith("https://keypost.example/v1/reminders/")
    assert str(message["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
    raw = [mail.raw for mail in local.mailbox.mails if mail.tags["order"] == f"way-{language}"][-1]
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in raw  # in one line, which some programs need
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert address in body.get_content()
    others = [m.message for m in local.mailbox.mails if m.tags["mail"] == "purchase-1"]
    assert [each["List-Unsubscribe"] for each in others] == [None] * len(others) != []


def test_a_link_names_nobody_and_is_the_same_for_all_orders_of_a_customer(
    worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    for number, email in enumerate((ADDRESS, ADDRESS.upper(), OTHER)):
        sold(f"one-{number}", number, email=email)
        worker.advance(f"one-{number}")

    links = [link_in(reminders(local, f"one-{number}")[0]) for number in range(3)]
    assert links[0] == links[1] != links[2]
    assert all(len(link) == 22 for link in links)  # 128 bits of chance
    assert customer_digest(ADDRESS)[:8] not in links[0]


def test_after_the_way_out_no_order_of_that_customer_sends_a_reminder_and_all_else_is_sent(
    worker: Worker, store: Store, local: LocalStack, sold: Sold, stocked: Any, clock: Clock
) -> None:
    sold("out-1", 1)
    worker.advance("out-1")
    sold("out-2", 2)
    sold("out-3", 3, email=OTHER)

    assert press(link_in(reminders(local, "out-1")[0])) == 200
    with_reminder(store, "out-1")
    stocked([code(4)])
    renewal = Line(SKU, 1, Kind.RENEWAL, period_start=NOW.date() + timedelta(days=3))
    store.save(paid_order("out-4", renewal))
    for number in range(1, 5):
        worker.advance(f"out-{number}")

    assert [left(local, f"out-{number}") for number in range(1, 5)] == [
        ["purchase-1", "reminder-1"],
        ["purchase-1"],
        ["purchase-1", "reminder-1"],
        ["renewal-1"],
    ]
    assert loaded(store, "out-2").timeline[-1].values == {"why": said("reminders_stopped")}
    assert worklist(store).items == ()


def test_a_reminder_that_ses_refused_for_now_is_not_sent_after_the_way_out(
    worker: Worker, store: Store, local: LocalStack, sold: Sold, clock: Clock
) -> None:
    sold("late-1", 1)
    refuse(worker.mailer._client, "SendEmail", "TooManyRequestsException")
    worker.advance("late-1")
    assert loaded(store, "late-1").mail("reminder-1").state is MailState.PENDING

    assert press(store.way_out(ADDRESS)) == 200
    clock.now += timedelta(hours=1)
    worker.advance("late-1")

    order = loaded(store, "late-1")
    assert order.mail("reminder-1").state is MailState.DROPPED
    assert order.timeline[-1].values == {"why": said("reminders_stopped")}
    assert reminders(local, "late-1") == []
    assert worklist(store).items == ()


def test_the_way_out_works_for_years_and_until_the_customer_is_erased(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("erase-1", 1)
    worker.advance("erase-1")
    link = link_in(reminders(local, "erase-1")[0])
    assert press(link) == 200
    items = local.session.client("dynamodb").scan(TableName=store.table)["Items"]
    assert [item for item in items if "expires" in item and item["pk"]["S"].startswith(("WAYOUT", "REMINDERS"))] == []

    desk.erase(ADDRESS, asked(), 7)

    assert press(link) == press(link, "reminders=again") == 404
    items = local.session.client("dynamodb").scan(TableName=store.table)["Items"]
    kept = [item for item in items if item["pk"]["S"].startswith(("WAYOUT", "REMINDERS"))]
    assert [sorted(item.keys()) for item in kept] == [["expires", "pk"]] * 2


@pytest.mark.parametrize("all_orders", [False, True])
def test_a_corrected_address_gets_no_reminders_either_and_has_a_link_of_its_own(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold, all_orders: bool
) -> None:
    sold("move-1", 1)
    worker.advance("move-1")
    link = link_in(reminders(local, "move-1")[0])
    press(link)
    stopped = store.unreminded(ADDRESS)

    desk.correct_customer("move-1", Right(email=NEW), asked(), all_orders=all_orders)
    with_reminder(store, "move-1")
    worker.advance("move-1")

    assert store.unreminded(NEW) == stopped is not None
    assert len(reminders(local, "move-1")) == 1
    assert store.way_out(NEW) != link


def test_where_keypost_does_not_know_its_own_pages_no_reminder_is_sent_and_the_order_says_why(
    worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("nowhere-1", 1)
    replace(worker, shop=replace(SHOP, public_url="")).advance("nowhere-1")

    assert reminders(local, "nowhere-1") == []
    assert loaded(store, "nowhere-1").timeline[-1].values == {"why": said("no_way_out")}


def test_two_workers_make_one_link(store: Store, stack: Stack) -> None:
    def first() -> None:
        first_link.append(store.way_out(ADDRESS))

    first_link: list[str] = []
    other = Store(store._client, store.table)
    found, once = other._reminders_of, [first]

    def overtaken(whose: str) -> dict[str, Any]:
        item = found(whose)
        if once:
            once.pop()()
        return item

    other._reminders_of = overtaken  # type: ignore[method-assign]
    link = other.way_out(ADDRESS)

    assert [link] == first_link
    assert store.whose_link(link)


# --- a spam report on a reminder


def test_it_stops_reminders_and_nothing_else_and_is_told_once_without_asking_anybody(
    worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("spam-1", 1)
    worker.advance("spam-1")
    sold("spam-2", 2)
    for _ in range(2):  # SES tells some events twice
        complain(store, "spam-1")

    with_reminder(store, "spam-1")
    for number in (1, 2):
        worker.advance(f"spam-{number}")

    assert store.bad_address(ADDRESS) is None
    assert [len(reminders(local, f"spam-{number}")) for number in (1, 2)] == [1, 0]
    assert worklist(store).items == ()
    assert [remark.why for remark in _inbox(store)] == [said("reminder_reported")]
    assert told(store, "spam-1") == told(store, "spam-2") == said("no_reminders_spam", at=AT, who="keypost")
    assert [entry.code for entry in loaded(store, "spam-1").timeline].count("mail_complained") == 1
    (listed,) = [each for each in mails_of(loaded(store, "spam-1"), NOW.date(), ZONE) if each.why]
    assert listed.why == said("mail_complained", mail="reminder-1")


def test_a_notice_that_holds_no_code_is_still_sent(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("notice-1", 1)
    worker.advance("notice-1")
    complain(store, "notice-1")

    record(store, notice("notice-1", state=None, refunded=Refunded(NOW, full=True)), LATER, INTAKE)
    worker.advance("notice-1")

    assert left(local, "notice-1") == ["purchase-1", "reminder-1", "refunded-1"]


@pytest.fixture
def owed(worker: Worker, store: Store, sold: Sold, stocked: Any) -> Order:
    """A paid renewal of a customer who reported a reminder as spam."""
    sold("spam-1", 1)
    worker.advance("spam-1")
    complain(store, "spam-1")
    stocked([code(2)])
    store.save(paid_order("owed-1", Line(SKU, 1, Kind.RENEWAL, period_start=NOW.date() + timedelta(days=3))))
    worker.advance("owed-1")
    return loaded(store, "owed-1")


def test_a_code_that_was_paid_for_waits_until_a_person_has_asked(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, owed: Order, clock: Clock
) -> None:
    (item,) = worklist(store).items
    assert (item.order_id, item.needs, item.reason.code) == ("owed-1", Reason.ADDRESS, "needed_by")
    assert left(local, "owed-1") == []
    clock.now += timedelta(hours=13)  # it looks again, and goes on waiting
    worker.advance("owed-1")
    assert left(local, "owed-1") == []

    lift_complaint(desk, "owed-1", asked(why="send it all the same"), worker.mailer)
    worker.advance("owed-1")

    assert left(local, "owed-1") == ["renewal-1"]
    assert worklist(store).items == ()
    with_reminder(store, "spam-1")
    worker.advance("spam-1")
    assert len(reminders(local, "spam-1")) == 1
    lift_complaint(desk, "owed-1", asked(9), worker.mailer)  # a repeated call changes nothing


def test_or_goes_to_another_address(desk: Desk, worker: Worker, store: Store, local: LocalStack, owed: Order) -> None:
    desk.correct_address("owed-1", NEW, asked())
    worker.advance("owed-1")

    to = [(mail.tags["mail"], mail.to) for mail in local.mailbox.mails if mail.tags.get("order") == "owed-1"]
    assert ("renewal-1", (NEW,)) in to
    assert store.unreminded(NEW)


def test_what_the_list_of_the_account_dropped_meanwhile_is_lifted_in_the_same_step(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, owed: Order, suppressed: dict[str, str]
) -> None:
    """SES keeps a list for the whole account, which other senders may have put the address on."""
    suppressed[ADDRESS] = "COMPLAINT"
    bounced = ses_event("bounce_permanent", "spam-1", "purchase-1")
    take_mail_event.take(store, bounced, LATER, ZONE)

    lift_complaint(desk, "owed-1", asked(120), worker.mailer)
    worker.advance("owed-1")

    assert not suppressed
    assert left(local, "owed-1") == ["renewal-1"]


def test_an_agent_who_sends_again_is_told_to_ask_first(desk: Desk, worker: Worker, store: Store, owed: Order) -> None:
    only = support.Only(license=loaded(store, "spam-1").licenses[0].id)
    sending: list[Callable[[], object]] = [
        lambda: desk.resend("spam-1", asked(), worker.mailer),
        lambda: desk.resend("spam-1", asked(), worker.mailer, lift=True),
        lambda: desk.resend_only("spam-1", only, asked(), worker.mailer),
    ]
    for send in sending:
        with pytest.raises(Refused) as refused:
            send()
        assert refused.value.said.values["why"] == said("reminder_complained")

    lift_complaint(desk, "spam-1", asked(), worker.mailer)
    assert desk.resend("spam-1", asked(9), worker.mailer)


def test_a_report_on_a_mail_with_codes_blocks_the_address_as_before(worker: Worker, store: Store, sold: Sold) -> None:
    sold("codes-1", 1)
    worker.advance("codes-1")

    complain(store, "codes-1", "purchase-1")

    assert store.bad_address(ADDRESS)
    assert loaded(store, "codes-1").waits_for(Reason.ADDRESS)


def test_a_report_that_arrives_late_does_not_undo_what_the_customer_asked_for_since(
    worker: Worker, store: Store, sold: Sold
) -> None:
    sold("again-1", 1)
    worker.advance("again-1")
    complain(store, "again-1")
    store.resume_reminders(ADDRESS, AT + timedelta(days=1))

    complain(store, "again-1")

    assert store.unreminded(ADDRESS) is None


# --- what agents see and do


def test_an_order_says_who_stopped_reminders_and_since_when(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("seen-1", 1)
    assert told(store, "seen-1") is None
    stop_reminders(desk, "seen-1", asked())
    assert told(store, "seen-1") == said("no_reminders_order", who="sanne", at=asked().at)
    stop_reminders(desk, "seen-1", asked(7), all_orders=True)
    assert told(store, "seen-1") == said("no_reminders_agent", who="sanne", at=asked(7).at)
    resume_reminders(desk, "seen-1", asked(8), all_orders=True)
    assert told(store, "seen-1") is None
    store.stop_reminders(ADDRESS, asked(9).at, support.CUSTOMER)
    assert told(store, "seen-1") == said("no_reminders_link", who="customer", at=asked(9).at)


def test_an_agent_starts_them_again_with_what_the_customer_said(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("undo-1", 1)
    store.stop_reminders(ADDRESS, NOW, support.CUSTOMER)
    with pytest.raises(Refused) as refused_:
        resume_reminders(desk, "undo-1", asked())
    assert refused_.value.said == said("reminders_stopped_of_customer", order="undo-1")

    resume_reminders(desk, "undo-1", asked(why="pressed it by mistake"), all_orders=True)
    worker.advance("undo-1")

    assert store.unreminded(ADDRESS) is None
    entry = next(each for each in loaded(store, "undo-1").timeline if each.code == "reminders_resumed")
    assert (entry.who, entry.words) == ("sanne", "pressed it by mistake")
    assert len(reminders(local, "undo-1")) == 1
    resume_reminders(desk, "undo-1", asked(9), all_orders=True)
    assert [each.code for each in loaded(store, "undo-1").timeline].count("reminders_resumed") == 1


def test_the_api_says_it_in_the_language_of_the_agent(wired: Stack, sold: Sold) -> None:
    sold("api-1", 1)
    wired.store.stop_reminders(ADDRESS, NOW, support.CUSTOMER)

    status, shown = call("GET", "/orders/{order_id}", order_id="api-1")

    assert (status, shown["reminders_stopped"], shown["no_reminders"]["code"]) == (200, True, "no_reminders_link")
    assert "customer stopped all reminders on 23 November 2026" in shown["no_reminders"]["text"]
    stop = ("POST", "/orders/{order_id}/reminders/stop")
    status, refusal = call(*stop, {"undo": True}, order_id="api-1")
    assert (status, refusal["code"]) == (409, "reminders_stopped_of_customer")
    assert call(*stop, {"undo": True, "all_orders": True}, order_id="api-1")[0] == 200
    assert call("GET", "/orders/{order_id}", order_id="api-1")[1]["no_reminders"] is None
