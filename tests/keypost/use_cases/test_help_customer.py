"""The actions of support, on the emulator's DynamoDB, SQS and SES."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core import contents, mailing, plan, support
from keypost.core.codes import BadStockCode
from keypost.core.errors import NotFound, Refused, TooMany
from keypost.core.mail import Asked, Fate, Mail, MailReport, MailState, Purpose
from keypost.core.mailing import with_good_address, with_report
from keypost.core.order import Order, Reason, Renewal
from keypost.core.payment import PaymentState
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.table import Store
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.take_fact import record
from tests.builders import (
    INTAKE,
    NOW,
    SKU,
    ZONE,
    Clock,
    code,
    loaded,
    notice,
    paid_order,
    put_item,
    ses_event,
    stored_item,
)
from tests.faults import on_call, overtake, refuse

Stocked = Callable[[list[str]], None]
Sent = Callable[[str], list[str]]
ADDRESS = "facturen@klant.example"
NEW = "anna@klant.example"
YEARS = 7


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack.store, stack.queue, ZONE)


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


def asked(minutes: float = 0, key: str = "") -> Asked:
    return Asked(NOW + timedelta(minutes=minutes), "sanne", key=key)


@pytest.fixture
def sold(worker: Worker, store: Store, stocked: Stocked) -> Callable[..., Order]:
    """An order whose mail was sent."""

    def sell(order_id: str, number: int, *lines: Line, **changes: Any) -> Order:
        stocked([code(number)])
        store.save(paid_order(order_id, *lines, **changes))
        worker.advance(order_id)
        return loaded(store, order_id)

    return sell


Sold = Callable[..., Order]


def owed(mail: Mail | None) -> Mail:
    assert mail
    return mail


def test_what_is_sent_again_is_the_same_code_and_says_that_it_was_asked_for(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent
) -> None:
    sold("desk-again", 1)

    mail = owed(desk.resend("desk-again", asked(), worker.mailer))
    worker.advance("desk-again")

    first, second = sent("desk-again")
    assert code(1) in first
    assert code(1) in second
    assert "Op verzoek sturen wij u" in second
    assert loaded(desk.store, "desk-again").mail(mail.id).state is MailState.SENT


def test_two_agents_who_press_at_once_send_one_mail(desk: Desk, worker: Worker, sold: Sold, sent: Sent) -> None:
    sold("desk-twice", 1)

    first = owed(desk.resend("desk-twice", asked(), worker.mailer))
    worker.advance("desk-twice")
    second = owed(desk.resend("desk-twice", asked(0.5), worker.mailer))
    worker.advance("desk-twice")

    assert first.id == second.id
    assert len(sent("desk-twice")) == 2


@pytest.mark.parametrize(("reason", "why"), [("BOUNCE", "address_bounced"), ("COMPLAINT", "address_complained")])
def test_nothing_is_owed_to_a_suppressed_address(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str], reason: str, why: str
) -> None:
    before = sold(f"suppressed-{reason}", 1)
    suppressed[ADDRESS] = reason

    with pytest.raises(Refused, match=why):
        desk.resend(before.id, asked(), worker.mailer)

    assert loaded(desk.store, before.id) == before


def test_a_suppression_after_a_bounce_can_be_lifted(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("lifted", 1)
    suppressed[ADDRESS] = "BOUNCE"

    desk.resend("lifted", asked(), worker.mailer, lift=True)

    assert suppressed == {}


def test_a_suppression_after_a_complaint_is_never_lifted(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("complained", 1)
    suppressed[ADDRESS] = "COMPLAINT"

    with pytest.raises(Refused):
        desk.resend("complained", asked(), worker.mailer, lift=True)

    assert suppressed == {ADDRESS: "COMPLAINT"}


def test_an_order_that_is_refused_anyway_lifts_nothing(desk: Desk, worker: Worker, suppressed: dict[str, str]) -> None:
    desk.store.save(paid_order("unpaid", state=PaymentState.OPEN))
    suppressed[ADDRESS] = "BOUNCE"

    with pytest.raises(Refused, match="unpaid"):
        desk.resend("unpaid", asked(), worker.mailer, lift=True)

    assert suppressed == {ADDRESS: "BOUNCE"}


def test_an_order_that_does_not_exist_is_not_found(desk: Desk, worker: Worker) -> None:
    with pytest.raises(NotFound, match="no_such_order"):
        desk.resend("nowhere", asked(), worker.mailer)


def test_a_wish_is_kept_when_the_queue_is_down(desk: Desk, worker: Worker, sold: Sold, sent: Sent) -> None:
    sold("desk-queue-down", 1)
    refuse(desk.queue._client, "SendMessage", "ServiceUnavailable")

    desk.resend("desk-queue-down", asked(), worker.mailer)

    (due,) = [ids for ids in desk.store.due(NOW) if "desk-queue-down" in ids]
    worker.advance("desk-queue-down")
    assert due
    assert len(sent("desk-queue-down")) == 2


@pytest.fixture
def chain(sold: Sold, store: Store, worker: Worker, clock: Clock) -> list[str]:
    """A license and two renewals that were not sent yet, one of them to another address."""
    sold("chain-0", 1)
    for n, email in enumerate([ADDRESS, ADDRESS, "boekhouding@klant.example"], start=1):
        line = Line(SKU, 1, Kind.RENEWAL, renews="chain-0")
        store.save(paid_order(f"chain-{n}", line, at=NOW + timedelta(minutes=n), email=email))
        worker.advance(f"chain-{n}")
    return [f"chain-{n}" for n in range(4)]


def test_a_correction_reaches_the_renewals_that_follow_and_the_old_address_is_told_once(
    desk: Desk, worker: Worker, chain: list[str], local: LocalStack
) -> None:
    before = len(local.mailbox.mails)

    assert desk.correct_address("chain-0", NEW, asked()) == ["chain-0", "chain-1", "chain-2"]
    for order_id in chain:
        worker.advance(order_id)

    found = [loaded(desk.store, order_id).customer.email for order_id in chain]
    assert found == [NEW, NEW, NEW, "boekhouding@klant.example"]
    (told,) = local.mailbox.mails[before:]
    assert told.to == (ADDRESS,)
    assert "chain-0" in told.subject
    for absent in (NEW, "Anna", code(1)):
        assert absent not in told.text + told.html


def test_a_correction_of_a_renewal_leaves_what_was_before_it_and_reaches_what_comes_after(
    desk: Desk, chain: list[str], worker: Worker
) -> None:
    assert desk.correct_address("chain-1", NEW, asked()) == ["chain-1", "chain-2"]

    assert loaded(desk.store, "chain-0").customer.email == ADDRESS
    line = Line(SKU, 1, Kind.RENEWAL, renews="chain-0")
    desk.store.save(paid_order("chain-9", line, email=ADDRESS))
    worker.advance("chain-9")
    assert loaded(desk.store, "chain-9").customer.email == NEW


@pytest.mark.parametrize("damaged", ["chain-0", "chain-2"])
def test_an_order_of_the_same_license_that_cannot_be_written_is_named_and_the_others_are_corrected(
    desk: Desk, chain: list[str], damaged: str
) -> None:
    sound = stored_item(desk.store, damaged)
    put_item(desk.store, sound | {"created_at": "once"})
    corrected = "chain-1" if damaged == "chain-0" else "chain-0"

    with pytest.raises(Refused) as refused:
        desk.correct_address(corrected, NEW, asked())

    assert refused.value.said == said("others_not_corrected", order=corrected, others=[damaged])
    assert {each for each in chain if each != damaged and loaded(desk.store, each).customer.email == NEW} == (
        {"chain-1"} if damaged == "chain-0" else {"chain-0", "chain-1"}
    )

    put_item(desk.store, sound)
    assert desk.correct_address(corrected, NEW, asked())[-1] == "chain-2"
    assert loaded(desk.store, "chain-2").customer.email == NEW


def test_a_swapped_code_is_of_another_batch_where_there_is_one_and_the_bad_one_is_claimed(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent
) -> None:
    order = sold("swap-1", 1)
    for batch, numbers in (("test", range(10, 40)), ("other", [50])):
        list(desk.store.add_codes(SKU, [code(n) for n in numbers], batch, None))

    why = replace(asked(), why="as on the screenshot")
    after = desk.swap_code("swap-1", order.licenses[0].id, "already used", why)
    worker.advance("swap-1")

    assert after.licenses[0].code == code(50)
    first, text = sent("swap-1")
    assert code(1) in first
    assert code(50) in text
    assert code(1) not in text
    (claim,) = desk.store.claims("test")
    assert claim == BadStockCode(code(1), SKU, "already used", "as on the screenshot", date(2026, 11, 23))
    assert desk.store.order_of_code(code(1)) == "swap-1"
    assert desk.store.order_of_code(code(50)) == "swap-1"


def test_a_bad_code_is_never_given_out_again(desk: Desk, worker: Worker, sold: Sold, stocked: Stocked) -> None:
    order = sold("swap-2", 1)
    stocked([code(2)])

    desk.swap_code("swap-2", order.licenses[0].id, "invalid", asked())
    refunded = contents.with_payment(loaded(desk.store, "swap-2"), notice("swap-2"), NOW, "EUR")
    assert refunded.licenses[0].code == code(2)

    assert desk.store.pick(SKU, 9, NOW.date()) == []
    (added,) = desk.store.add_codes(SKU, [code(1)], None, None)
    assert added == (1, {code(1)})  # known


def test_the_same_swap_twice_takes_one_code(desk: Desk, sold: Sold, stocked: Stocked) -> None:
    order = sold("swap-3", 1)
    stocked([code(2), code(3)])

    for _ in range(3):
        desk.swap_code("swap-3", order.licenses[0].id, "invalid", asked(key="click"))

    assert len(desk.store.pick(SKU, 9, NOW.date())) == 1


def test_a_license_that_ended_and_a_code_that_is_not_in_the_stock_are_not_swapped(
    desk: Desk, sold: Sold, stocked: Stocked
) -> None:
    order = sold("swap-6", 1)
    stocked([code(2)])

    with pytest.raises(Refused, match="license_ended"):
        desk.swap_code("swap-6", order.licenses[0].id, "invalid", asked(minutes=365 * 24 * 60))
    (license_,) = order.licenses
    desk.store.save(replace(order, licenses=(replace(license_, code=code(3)),)))
    with pytest.raises(Refused, match="code_not_in_stock"):
        desk.swap_code("swap-6", license_.id, "invalid", asked())


def test_without_a_free_code_nothing_is_swapped_and_it_says_what_to_do(desk: Desk, sold: Sold) -> None:
    order = sold("swap-4", 1)

    with pytest.raises(Refused, match="no_code_free"):
        desk.swap_code("swap-4", order.licenses[0].id, "invalid", asked())

    assert loaded(desk.store, "swap-4") == order


def test_a_code_that_somebody_takes_first_is_left_and_another_one_tried(
    desk: Desk, sold: Sold, stocked: Stocked
) -> None:
    order = sold("swap-5", 1)
    stocked([code(2)])
    overtake(desk.store._client)

    assert desk.swap_code("swap-5", order.licenses[0].id, "invalid", asked()).licenses[0].code == code(2)


PRIVATE = ["klant.example", "Jansen"]


def stored(desk: Desk, key: str) -> str:
    """All that the table holds under a key."""
    return repr(desk.store._client.get_item(TableName=desk.store.table, Key={"pk": {"S": key}})["Item"])


def test_every_order_of_a_customer_is_erased_and_what_was_to_come_stops(
    desk: Desk, worker: Worker, chain: list[str], sent: Sent
) -> None:
    desk.correct_address("chain-3", ADDRESS, asked())
    for order_id in chain:
        assert [text for text in PRIVATE if text in stored(desk, f"ORDER#{order_id}")] == PRIVATE
    erased = desk.erase(ADDRESS, asked(), YEARS).orders

    assert sorted(order.id for order in erased) == chain
    for order_id in chain:
        worker.advance(order_id)
        assert [text for text in PRIVATE if text in stored(desk, f"ORDER#{order_id}")] == []
    assert loaded(desk.store, "chain-0").renewals == ()
    assert [sent(order_id) for order_id in chain[1:]] == [[], [], sent("chain-3")]
    assert desk.erase(ADDRESS, asked(9), YEARS).orders == []


def test_what_callbacks_said_before_the_order_was_known_is_erased_too(desk: Desk, sold: Sold) -> None:
    orphan = notice("", payment_id="cs_told-1")
    assert desk.store.facts_of(orphan).facts == []
    sold("told-1", 1)
    assert "klant.example" in stored(desk, "PAYMENT#stripe:cs_told-1")

    desk.erase(ADDRESS, asked(), YEARS)

    assert "klant.example" not in stored(desk, "PAYMENT#stripe:cs_told-1")
    assert "'expires'" in stored(desk, "PAYMENT#stripe:cs_told-1")


def test_an_erased_order_is_forgotten_after_the_legal_term(desk: Desk, sold: Sold) -> None:
    sold("forgotten", 1)

    desk.erase(ADDRESS, asked(), YEARS)

    item = desk.store._client.get_item(TableName=desk.store.table, Key={"pk": {"S": "ORDER#forgotten"}})["Item"]
    assert datetime.fromtimestamp(int(item["expires"]["N"]), UTC).date() == date(2033, 12, 31)


def test_others_keep_their_data_when_one_is_erased(desk: Desk, sold: Sold) -> None:
    mine, theirs = sold("desk-mine", 1), sold("desk-theirs", 2, email="piet@elders.example")

    desk.erase(ADDRESS, asked(), YEARS)

    assert loaded(desk.store, mine.id).customer.email is None
    assert loaded(desk.store, theirs.id) == theirs


def test_a_renewal_whose_base_cannot_be_read_is_erased_and_the_base_later(desk: Desk, chain: list[str]) -> None:
    desk.correct_address("chain-1", NEW, asked())
    sound = stored_item(desk.store, "chain-0")
    put_item(desk.store, sound | {"created_at": "once"})

    erased = desk.erase(NEW, asked(), YEARS)

    assert [order.id for order in erased.orders] == ["chain-1", "chain-2"]
    (beside,) = desk.store.asides(["chain-0"])
    assert beside.erasure is not None
    assert NEW not in repr(beside)
    put_item(desk.store, sound)
    assert loaded(desk.store, "chain-0").customer.corrected == {ADDRESS: NEW}
    desk.erase_at_last("chain-0", beside.erasure)
    assert (loaded(desk.store, "chain-0").customer.corrected, loaded(desk.store, "chain-0").is_erased) == ({}, False)


def test_a_renewal_that_is_erased_leaves_no_address_in_what_it_renews(desk: Desk, chain: list[str]) -> None:
    desk.correct_address("chain-1", NEW, asked())
    assert loaded(desk.store, "chain-0").customer.corrected == {ADDRESS: NEW}

    desk.erase(NEW, asked(), YEARS)

    assert loaded(desk.store, "chain-0").customer.corrected == {}


def test_a_renewal_that_was_refunded_leaves_no_address_either_when_it_is_erased(
    desk: Desk, chain: list[str], worker: Worker
) -> None:
    desk.correct_address("chain-1", NEW, asked())
    desk.change("chain-1", lambda order: contents.canceled(order, NOW))
    worker.advance("chain-1")
    assert loaded(desk.store, "chain-1").registered == ()

    desk.erase(NEW, asked(), YEARS)

    assert loaded(desk.store, "chain-0").customer.corrected == {}


def test_what_a_callback_tells_after_the_customer_was_erased_is_not_kept(desk: Desk, sold: Sold) -> None:
    sold("told-2", 1)
    known = replace(notice("told-2"), payment_id="cs_told-2")
    record(desk.store, known, NOW, INTAKE)
    record(desk.store, replace(known, order_id=""), NOW, INTAKE)
    kept = ("PAYMENT#stripe:cs_told-2", "ORDER#told-2")
    assert ["klant.example" in stored(desk, key) for key in kept] == [True, True]
    desk.erase(ADDRESS, asked(), YEARS)

    record(desk.store, replace(known, order_id=""), NOW, INTAKE)

    assert ["klant.example" in stored(desk, key) for key in kept] == [False, False]


def test_the_mailer_knows_an_address_that_is_not_suppressed(worker: Worker, suppressed: dict[str, str]) -> None:
    assert worker.mailer.why_suppressed("frei+plus@elders.example") is None
    worker.mailer.lift_suppression("frei+plus@elders.example")
    suppressed["frei+plus@elders.example"] = "BOUNCE"
    assert worker.mailer.why_suppressed("frei+plus@elders.example") == "BOUNCE"


def bounce(desk: Desk, order_id: str, why: Fate = Fate.BOUNCED) -> None:
    name = {Fate.BOUNCED: "bounce_permanent", Fate.COMPLAINED: "complaint"}[why]
    take_mail_event.take(desk.store, ses_event(name, order_id), NOW, ZONE)


@pytest.mark.parametrize(("why", "said"), [(Fate.BOUNCED, "address_bounced"), (Fate.COMPLAINED, "address_complained")])
def test_what_the_events_of_ses_told_of_an_address_counts_as_its_own_list_does(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str], why: Fate, said: str
) -> None:
    sold("told-bad", 1)
    bounce(desk, "told-bad", why)

    with pytest.raises(Refused, match=said):
        desk.resend("told-bad", asked(600), worker.mailer)
    if why is Fate.COMPLAINED:
        with pytest.raises(Refused, match=said):
            desk.resend("told-bad", asked(600), worker.mailer, lift=True)


def test_a_lift_lets_all_orders_of_the_address_go_on(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str], sent: Sent, clock: Clock
) -> None:
    sold("lift-1", 1)
    sold("lift-2", 2)
    bounce(desk, "lift-1")
    bounce(desk, "lift-2")
    suppressed[ADDRESS] = "BOUNCE"
    sold("lift-3", 3)
    assert sent("lift-3") == []

    clock.now += timedelta(hours=10)
    desk.resend("lift-1", asked(600), worker.mailer, lift=True)
    for order_id in ("lift-1", "lift-2", "lift-3"):
        worker.advance(order_id)

    assert suppressed == {}
    assert [mail.purpose for mail in loaded(desk.store, "lift-1").mails] == ["purchase", "resend"]
    lifted = next(entry for entry in loaded(desk.store, "lift-1").timeline if entry.code == "suppression_lifted")
    assert lifted.who == "sanne"
    assert [mail.purpose for mail in loaded(desk.store, "lift-2").mails] == ["purchase", "purchase"]
    assert [len(sent(order_id)) for order_id in ("lift-1", "lift-2", "lift-3")] == [2, 2, 1]
    assert list(desk.store.needing(Reason.ADDRESS)) == []


def test_a_wish_that_was_granted_lifts_nothing_when_it_is_asked_again(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("lift-4", 1)
    first = owed(desk.resend("lift-4", asked(10, "ticket"), worker.mailer))
    suppressed[ADDRESS] = "BOUNCE"

    assert owed(desk.resend("lift-4", asked(20, "ticket"), worker.mailer, lift=True)).id == first.id
    assert suppressed == {ADDRESS: "BOUNCE"}


def test_a_mail_that_bounced_goes_to_the_corrected_address_by_itself(
    desk: Desk, worker: Worker, sold: Sold, local: LocalStack
) -> None:
    sold("bounced-away", 1)
    bounce(desk, "bounced-away")
    before = len(local.mailbox.mails)

    desk.correct_address("bounced-away", NEW, asked())
    worker.advance("bounced-away")

    (mail,) = local.mailbox.mails[before:]
    assert (mail.to, mail.tags["mail"]) == ((NEW,), "purchase-2")
    assert code(1) in mail.text


def test_nothing_is_known_of_the_address_of_an_erased_customer(desk: Desk, sold: Sold) -> None:
    sold("erased-bad", 1)
    bounce(desk, "erased-bad")
    desk.correct_address("erased-bad", NEW, asked())

    desk.erase(NEW, asked(), YEARS)

    assert desk.store.bad_address(ADDRESS) is None


def test_an_order_that_the_index_still_lists_under_an_old_address_is_not_erased(desk: Desk, sold: Sold) -> None:
    sold("desk-lag", 1)
    desk.correct_address("desk-lag", NEW, asked())
    key, name = {"pk": {"S": "ORDER#desk-lag"}}, {":old": {"S": hashlib.sha256(ADDRESS.encode()).hexdigest()}}
    desk.store._client.update_item(
        TableName=desk.store.table,
        Key=key,
        UpdateExpression="SET customer_digest = :old",
        ExpressionAttributeValues=name,
    )

    assert desk.erase(ADDRESS, asked(), YEARS).orders == []
    assert loaded(desk.store, "desk-lag").customer.email == NEW


def bounced_while(name: str, desk: Desk, worker: Worker, order_id: str) -> None:
    """An order whose mail came back, and which has another mail that waits for the address."""
    if name == "a resend was owed":
        desk.resend(order_id, asked(5), worker.mailer)
    bounce(desk, order_id)
    if name == "a code was swapped":
        desk.swap_code(order_id, loaded(desk.store, order_id).licenses[0].id, "invalid", asked(5))
    worker.advance(order_id)


@pytest.mark.parametrize(("order_id", "name"), [("lift-5", "a resend was owed"), ("lift-50", "a code was swapped")])
def test_a_lift_lets_a_mail_go_that_waits_for_the_address(
    desk: Desk, worker: Worker, sold: Sold, stocked: Stocked, sent: Sent, clock: Clock, order_id: str, name: str
) -> None:
    sold(order_id, 1)
    stocked([code(2)])
    bounced_while(name, desk, worker, order_id)
    assert len(sent(order_id)) == 1
    assert support.why_no_resend(loaded(desk.store, order_id), ZONE) is None

    clock.now += timedelta(hours=1)
    waiting = owed(desk.resend(order_id, asked(60), worker.mailer, lift=True))
    worker.advance(order_id)

    assert len(sent(order_id)) == 2
    assert loaded(desk.store, order_id).mail(waiting.id).state is MailState.SENT


def test_a_lift_lets_an_order_go_that_has_sent_nothing_yet(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent, clock: Clock
) -> None:
    sold("lift-6", 1)
    bounce(desk, "lift-6")
    desk.change("lift-6", lambda order: contents.canceled(order, NOW))
    sold("lift-7", 2)
    assert sent("lift-7") == []
    with pytest.raises(Refused, match="canceled"):
        desk.resend("lift-6", asked(5), worker.mailer, lift=True)

    clock.now += timedelta(hours=1)
    assert desk.resend("lift-7", asked(60), worker.mailer, lift=True) is None
    worker.advance("lift-7")

    assert len(sent("lift-7")) == 1


def test_a_lift_that_broke_off_is_finished_when_it_is_asked_again(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, order_id in enumerate(["lift-8", "lift-9"], start=1):
        sold(order_id, n)
    for order_id in ("lift-8", "lift-9"):
        bounce(desk, order_id)

    for number, minutes in ((0, 5), (1, 6)):  # the other order is not written, then the order itself
        refuse(desk.store._client, "PutItem", "InternalServerError", after=number)
        with pytest.raises(ClientError):
            desk.resend("lift-8", asked(minutes, "ticket"), worker.mailer, lift=True)
    desk.resend("lift-8", asked(7, "ticket"), worker.mailer, lift=True)
    clock.now += timedelta(hours=1)
    for order_id in ("lift-8", "lift-9"):
        worker.advance(order_id)
        assert len(sent(order_id)) == 2
    assert "suppression_lifted" in [entry.code for entry in loaded(desk.store, "lift-8").timeline]


def test_what_came_back_leaves_when_the_address_turns_out_to_be_good(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent, clock: Clock
) -> None:
    sold("lift-10", 1)
    bounce(desk, "lift-10")
    desk.store.lift_bad_address(ADDRESS, NOW + timedelta(minutes=5))
    desk.change("lift-10", lambda order: mailing.owe_mail(order, Purpose.REMINDER, NOW, (1,)))

    clock.now += timedelta(hours=13)
    worker.advance("lift-10")

    assert [mail.id for mail in loaded(desk.store, "lift-10").mails if mail.state is MailState.SENT] == [
        "purchase-1",
        "reminder-1",
        "purchase-2",
    ]


def test_bad_codes_of_one_order_are_swapped_one_after_the_other_and_told_in_one_mail(
    desk: Desk, worker: Worker, sold: Sold, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(n) for n in range(2, 7)])
    order = sold("swap-7", 1, Line(SKU, 2), Line(SKU, 1))

    for license_ in order.licenses:
        desk.swap_code("swap-7", license_.id, "invalid", asked())
    worker.advance("swap-7")

    _, told = sent("swap-7")
    codes = [license_.code for license_ in loaded(desk.store, "swap-7").licenses]
    assert all(new in told for new in codes)
    assert not {license_.code for license_ in order.licenses} & set(codes)


def test_a_renewal_that_is_entered_during_a_correction_gets_the_right_address(
    desk: Desk, worker: Worker, chain: list[str], local: LocalStack
) -> None:
    """It is entered when the renewals are looked up: the order itself has its new address by then."""
    line = Line(SKU, 1, Kind.RENEWAL, renews="chain-0")
    corrections = Desk(Store(local.session.client("dynamodb"), desk.store.table), desk.queue, desk.zone)

    def enter(_: object) -> None:
        if desk.store.load("chain-8") is None:
            desk.store.save(paid_order("chain-8", line, email=ADDRESS))
            worker.advance("chain-8")

    on_call(corrections.store._client, "BatchGetItem", enter)
    corrections.correct_address("chain-0", NEW, asked())

    assert [loaded(desk.store, order_id).customer.email for order_id in ("chain-0", "chain-1", "chain-8")] == [NEW] * 3


def test_a_correction_that_broke_off_is_finished_and_told_whole_when_it_is_asked_again(
    desk: Desk, chain: list[str]
) -> None:
    refuse(desk.store._client, "PutItem", "InternalServerError", after=2)
    with pytest.raises(ClientError):
        desk.correct_address("chain-0", NEW, asked())
    assert [loaded(desk.store, order_id).customer.email for order_id in chain[:3]] == [NEW, NEW, ADDRESS]

    assert desk.correct_address("chain-0", NEW, asked(5)) == ["chain-0", "chain-1", "chain-2"]
    assert [loaded(desk.store, order_id).customer.email for order_id in chain[:3]] == [NEW] * 3


def test_a_renewal_that_names_no_address_is_erased_with_what_it_renews(desk: Desk, worker: Worker, sold: Sold) -> None:
    sold("unnamed-0", 1)
    line = Line(SKU, 1, Kind.RENEWAL, renews="unnamed-0")
    worker.store.save(paid_order("unnamed-1", line, email=None, problem=Said("card_does_not_fit")))
    desk.change("unnamed-0", lambda base: replace(base, renewals=(Renewal("unnamed-1", 1, 1, None, 365),)))

    assert [order.id for order in desk.erase(ADDRESS, asked(), YEARS).orders] == ["unnamed-0", "unnamed-1"]
    assert loaded(desk.store, "unnamed-1").customer.name is None


def test_an_erased_order_takes_no_address_from_what_renews_it(desk: Desk, chain: list[str]) -> None:
    desk.change("chain-0", lambda order: support.erase(order, asked(), date(2033, 12, 31)))

    desk.correct_address("chain-1", NEW, asked())

    assert loaded(desk.store, "chain-0").customer.corrected == {}


def with_two_codes(store: Store, worker: Worker, stocked: Stocked, order_id: str) -> Order:
    """An order of one line whose mail was sent, and free codes for a swap."""
    stocked([code(n) for n in range(1, 6)])
    store.save(paid_order(order_id, Line(SKU, 2)))
    worker.advance(order_id)
    return loaded(store, order_id)


@pytest.mark.parametrize(("order_id", "how"), [("half-1", "corrected"), ("half-2", "lifted")])
def test_all_codes_of_a_mail_that_came_back_arrive_though_one_of_them_was_swapped_meanwhile(
    desk: Desk, worker: Worker, stocked: Stocked, clock: Clock, local: LocalStack, order_id: str, how: str
) -> None:
    order = with_two_codes(desk.store, worker, stocked, order_id)
    bounce(desk, order_id)
    desk.swap_code(order_id, order.licenses[0].id, "invalid", asked(5))
    before = len(local.mailbox.mails)

    if how == "corrected":
        desk.correct_address(order_id, NEW, asked(10))
    else:
        desk.resend(order_id, asked(10), worker.mailer, lift=True)
    clock.now += timedelta(hours=1)
    worker.advance(order_id)

    arrived = "".join(mail.text for mail in local.mailbox.mails[before:])
    after = loaded(desk.store, order_id)
    assert all(license_.code in arrived for license_ in after.licenses)
    assert plan.attention(after) is None


def test_of_two_replacements_of_one_line_that_came_back_both_are_sent_again(
    desk: Desk, worker: Worker, stocked: Stocked, clock: Clock, local: LocalStack
) -> None:
    order = with_two_codes(desk.store, worker, stocked, "half-3")
    clock.now += timedelta(minutes=30)
    for n, license_ in enumerate(order.licenses, start=1):
        desk.swap_code("half-3", license_.id, "invalid", asked(5))
        worker.advance("half-3")
        report = MailReport("half-3", f"replacement-{n}", 1, Fate.BOUNCED, NOW, "Permanent", "x@y.example", "m", NOW)
        desk.change("half-3", partial(with_report, report=report, now=NOW))
    before = len(local.mailbox.mails)

    desk.correct_address("half-3", NEW, asked(10))
    worker.advance("half-3")

    arrived = "".join(mail.text for mail in local.mailbox.mails[before:] if mail.to == (NEW,))
    assert all(license_.code in arrived for license_ in loaded(desk.store, "half-3").licenses)


def test_a_mail_that_came_back_after_the_correction_is_shown_whatever_notice_left_since(
    desk: Desk, worker: Worker, sold: Sold
) -> None:
    sold("late-bounce", 1)
    desk.correct_address("late-bounce", NEW, asked())
    worker.advance("late-bounce")

    bounce(desk, "late-bounce")

    needs = plan.attention(loaded(desk.store, "late-bounce"))
    assert needs
    assert needs[0] is Reason.MAIL


def test_a_bounce_that_is_told_after_the_lift_keeps_nothing_back(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("late-told", 1)
    suppressed[ADDRESS] = "BOUNCE"
    desk.resend("late-told", asked(60), worker.mailer, lift=True)

    bounce(desk, "late-told")

    assert loaded(desk.store, "late-told").waits == ()


def test_a_wish_whose_mail_came_back_is_not_granted_yet(
    desk: Desk, worker: Worker, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("back-again", 1)
    desk.resend("back-again", asked(), worker.mailer)
    worker.advance("back-again")
    report = MailReport("back-again", "resend-1", 1, Fate.BOUNCED, NOW, "Permanent", ADDRESS, "m", NOW)
    desk.change("back-again", partial(with_report, report=report, now=NOW))
    suppressed[ADDRESS] = "BOUNCE"

    assert owed(desk.resend("back-again", asked(0.8), worker.mailer, lift=True)).id == "resend-2"
    assert suppressed == {}


def test_a_lift_of_what_is_not_suppressed_is_an_ordinary_wish(desk: Desk, worker: Worker, sold: Sold) -> None:
    sold("lift-none", 1)

    for hour in (1, 2, 3):
        desk.resend("lift-none", asked(60 * hour), worker.mailer, lift=True)
        worker.clock.now = asked(60 * hour).at  # type: ignore[attr-defined]
        worker.advance("lift-none")
    with pytest.raises(TooMany):
        desk.resend("lift-none", asked(60 * 4), worker.mailer, lift=True)

    assert "suppression_lifted" not in [entry.code for entry in loaded(desk.store, "lift-none").timeline]


def test_what_came_back_years_ago_is_not_sent_when_the_address_is_good_again(
    desk: Desk, worker: Worker, sold: Sold, sent: Sent, clock: Clock
) -> None:
    sold("years-ago", 1)
    bounce(desk, "years-ago")
    later = Asked(NOW + timedelta(days=400), "sanne")
    clock.now = later.at

    desk.change("years-ago", partial(with_good_address, now=later.at, zone=ZONE, asked=later))
    worker.advance("years-ago")

    assert len(sent("years-ago")) == 1


def test_a_renewal_without_an_address_goes_to_the_corrected_one(desk: Desk, worker: Worker, chain: list[str]) -> None:
    desk.correct_address("chain-1", NEW, asked())
    desk.store.save(paid_order("chain-7", Line(SKU, 1, Kind.RENEWAL, renews="chain-0"), email=None))

    worker.advance("chain-7")

    assert loaded(desk.store, "chain-7").customer.email == NEW


def test_the_subscription_of_an_erased_customer_is_asked_for_once(desk: Desk, worker: Worker, sold: Sold) -> None:
    sold("yearly-0", 1, is_subscription=True)
    desk.store.save(paid_order("yearly-1", Line(SKU, 1, Kind.RENEWAL, renews="yearly-0"), is_subscription=True))
    worker.advance("yearly-1")

    desk.erase(ADDRESS, asked(), YEARS)

    assert list(desk.store.needing(Reason.SUBSCRIPTION)) == [["yearly-0"]]


def test_a_payment_does_not_become_an_order_that_the_shop_has_already(desk: Desk) -> None:
    store = desk.store
    for order_id in ("taken", "taken-2"):
        store.save(paid_order(order_id, email=f"{order_id}@klant.example"))
    second = notice("taken", payment_id="cs_other", email="ben@klant.example")
    store.change("taken", lambda order: contents.with_payment(order, second, NOW, "EUR"))

    for _ in range(2):  # a repeated call gives the same answer
        assert desk.make_own_order("taken", "stripe:cs_other", asked(), INTAKE) == "taken-3"

    assert [loaded(store, each).customer.email for each in ("taken", "taken-2", "taken-3")] == [
        "taken@klant.example",
        "taken-2@klant.example",
        "ben@klant.example",
    ]
