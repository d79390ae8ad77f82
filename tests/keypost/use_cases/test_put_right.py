"""What agents put right, on the emulator's DynamoDB, SQS and SES: customers, orders by hand, licenses that move,
complaints."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core import by_hand, noting, support
from keypost.core.by_hand import Sale
from keypost.core.correcting import Right
from keypost.core.errors import NotFound, Refused
from keypost.core.mail import Asked, Fate, MailState, Purpose
from keypost.core.order import Customer, Order, Reason, Unreminded
from keypost.core.product import Kind, Line
from keypost.core.renewals import reminder_of
from keypost.core.said import said
from keypost.table import Store
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.lift_complaint import lift_complaint
from keypost.use_cases.sell_by_hand import move_license, sell_by_hand
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, PRODUCT, SKU, ZONE, Clock, code, loaded, notice, paid_order, ses_event
from tests.faults import on_call

Stocked = Callable[[list[str]], None]
Sent = Callable[[str], list[str]]
ADDRESS = "facturen@klant.example"
NEW = "anna@klant.example"
OTHER = "piet@anders.example"
YEARS = 7


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack.store, stack.queue, ZONE)


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


def asked(minutes: float = 0, key: str = "", why: str = "") -> Asked:
    return Asked(NOW + timedelta(minutes=minutes), "sanne", why, key)


@pytest.fixture
def sold(worker: Worker, store: Store, stocked: Stocked) -> Callable[..., Order]:
    """An order whose mail was sent."""

    def sell(order_id: str, *numbers: int, **changes: Any) -> Order:
        stocked([code(number) for number in numbers])
        store.save(paid_order(order_id, Line(SKU, len(numbers)), **changes))
        worker.advance(order_id)
        return loaded(store, order_id)

    return sell


Sold = Callable[..., Order]


def notices(order: Order) -> list[Purpose]:
    return [mail.purpose for mail in order.mails if mail.purpose.is_notice]


# --- customers


def test_all_orders_of_a_customer_get_the_address_with_one_notice(desk: Desk, sold: Sold) -> None:
    """A12b, C 6: four orders, four calls, four notices to the old address."""
    for number in range(4):
        sold(f"all-{number}", number)
    sold("all-other", 9, email=OTHER)

    found = desk.correct_customer("all-2", Right(email=NEW, name="Anna de Boer"), asked(), all_orders=True)

    assert [order.id for order in found] == ["all-2", "all-0", "all-1", "all-3"]
    stored = [loaded(desk.store, f"all-{number}") for number in range(4)]
    assert {(order.customer.email, order.customer.name) for order in stored} == {(NEW, "Anna de Boer")}
    assert [notices(order) for order in stored] == [[], [], [Purpose.ADDRESS_CHANGED], []]
    assert loaded(desk.store, "all-other").customer.email == OTHER


def test_one_order_alone_leaves_the_others_as_they_are(desk: Desk, sold: Sold) -> None:
    for number in range(2):
        sold(f"one-{number}", number)

    desk.correct_customer("one-0", Right(email=NEW), asked())

    assert loaded(desk.store, "one-1").customer.email == ADDRESS


def test_a_call_for_all_orders_that_broke_off_does_the_rest_when_it_is_repeated(desk: Desk, sold: Sold) -> None:
    for number in range(3):
        sold(f"half-{number}", number)
    others = Desk(desk.store, desk.queue, ZONE)
    others.change("half-1", lambda order: support.with_address(order, NEW, asked(), ZONE))  # as far as it came

    desk.correct_customer("half-2", Right(email=NEW), asked(), all_orders=True)

    stored = [loaded(desk.store, f"half-{number}") for number in range(3)]
    assert {order.customer.email for order in stored} == {NEW}
    assert [notices(order) for order in stored] == [[], [], [Purpose.ADDRESS_CHANGED]]


def test_a_renewal_that_is_corrected_with_all_orders_tells_the_old_address_itself(
    desk: Desk, store: Store, worker: Worker, sold: Sold
) -> None:
    base = sold("follow-0", 1)
    renewal = Line(SKU, 1, Kind.RENEWAL, "follow-0")
    store.save(paid_order("follow-1", renewal))
    worker.advance("follow-1")

    desk.correct_customer("follow-1", Right(email=NEW), asked(), all_orders=True)

    assert base.customer.email == ADDRESS
    assert loaded(store, "follow-0").customer.email == NEW
    assert notices(loaded(store, "follow-0")) == []
    assert notices(loaded(store, "follow-1")) == [Purpose.ADDRESS_CHANGED]


def test_an_address_that_was_wrong_before_can_be_the_right_one_again(desk: Desk, store: Store, sold: Sold) -> None:
    """A12c: corrected, then corrected back."""
    sold("back-1", 1)
    desk.correct_customer("back-1", Right(email=NEW), asked())
    desk.correct_customer("back-1", Right(email=ADDRESS.upper()), asked(5))

    record(store, notice("back-1", amount="40.00"), NOW + timedelta(hours=1), INTAKE)

    assert (loaded(store, "back-1").customer.email or "").casefold() == ADDRESS
    assert loaded(store, "back-1").customer.corrected == {NEW: ADDRESS.upper(), ADDRESS: ADDRESS.upper()}


def test_a_customer_who_wants_no_reminders_gets_none_at_the_new_address(desk: Desk, store: Store, sold: Sold) -> None:
    sold("quiet-1", 1)
    store.stop_reminders(ADDRESS, NOW, "customer")

    desk.correct_customer("quiet-1", Right(email=NEW), asked())

    assert store.unreminded(NEW) == Unreminded(NOW, "customer")


# --- by hand


def sale(*lines: Line, email: str = OTHER, because: str = "goodwill") -> Sale:
    return Sale(Customer(email=email, name="Piet"), lines or (Line(SKU, 1),), because)


def test_an_order_by_hand_is_served_by_the_worker_once(
    desk: Desk, worker: Worker, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1), code(2)])

    ids = {sell_by_hand(desk, sale(), asked(0, "ticket-1"), "EUR") for _ in range(2)}
    (order_id,) = ids
    for _ in range(2):
        worker.advance(order_id)

    (mail,) = sent(order_id)
    assert [number for number in (1, 2) if code(number) in mail] != [1, 2]
    assert loaded(desk.store, order_id).mails[0].state is MailState.SENT


def test_without_a_key_the_same_within_a_minute_is_one_order(desk: Desk) -> None:
    first, again = (sell_by_hand(desk, sale(), asked(minutes), "EUR") for minutes in (0, 0.9))
    later, other = sell_by_hand(desk, sale(), asked(5), "EUR"), sell_by_hand(desk, sale(email=NEW), asked(), "EUR")

    assert first == again
    assert len({first, later, other}) == 3


def test_a_key_makes_no_second_order_of_other_contents(desk: Desk) -> None:
    made = sell_by_hand(desk, sale(), asked(0, "ticket-1"), "EUR")

    with pytest.raises(Refused) as refused:
        sell_by_hand(desk, sale(Line(SKU, 2)), asked(1, "ticket-1"), "EUR")
    assert refused.value.said == said("key_of_other_order", order=made)


def test_a_product_that_is_not_in_the_catalog_makes_no_order(desk: Desk, store: Store) -> None:
    with pytest.raises(NotFound) as refused:
        sell_by_hand(desk, sale(Line(SKU, 1), Line("NO-SUCH", 1)), asked(), "EUR")

    assert refused.value.said == said("no_such_product", sku="NO-SUCH")
    assert store.orders_of(OTHER).orders == []


def test_a_product_that_is_not_sold_any_more_is_not_given_but_still_renewed_and_served(
    desk: Desk, worker: Worker, store: Store, sold: Sold, stocked: Stocked, sent: Sent
) -> None:
    before = sell_by_hand(desk, sale(), asked(0, "ticket-1"), "EUR")
    store.put_product(replace(PRODUCT, retired_on=NOW.date()))

    with pytest.raises(Refused) as refused:
        sell_by_hand(desk, sale(), asked(5), "EUR")
    assert refused.value.said == said("product_retired", sku=SKU, retired_on=NOW.date())
    assert len(store.orders_of(OTHER).orders) == 1
    assert sell_by_hand(desk, sale(), asked(6, "ticket-1"), "EUR") == before
    renewal = Line(SKU, 1, Kind.RENEWAL, "elsewhere", period_start=NOW.date())
    order_id = sell_by_hand(desk, sale(renewal), asked(0, "ticket-2"), "EUR")
    stocked([code(7)])
    worker.advance(order_id)
    assert code(7) in sent(order_id)[0]
    assert code(8) in sent(sold("2026-8", 8).id)[0]


def test_more_codes_than_an_order_may_have_make_none(desk: Desk, store: Store) -> None:
    with pytest.raises(Refused) as refused:
        sell_by_hand(desk, sale(Line(SKU, 1001)), asked(), "EUR")

    assert refused.value.said == said("not_made", why=said("too_many_codes", most=1000))
    assert store.orders_of(OTHER).orders == []


def test_codes_of_a_withdrawn_order_go_back_to_stock(
    desk: Desk, worker: Worker, store: Store, stocked: Stocked
) -> None:
    renewal = Line(SKU, 1, Kind.RENEWAL, "elsewhere", period_start=(NOW + timedelta(days=20)).date())
    stocked([code(1)])
    order_id = sell_by_hand(desk, sale(renewal), asked(), "EUR")
    worker.advance(order_id)
    assert len(loaded(store, order_id).licenses) == 1

    desk.change(order_id, lambda order: by_hand.withdrawn(order, asked(1), "EUR"))
    worker.advance(order_id)

    assert loaded(store, order_id).licenses == ()
    assert [each.code for each in store.pick(SKU, 5, NOW.date())] == [code(1)]


# --- a license that moves


def test_a_moved_license_is_of_its_new_owner_wherever_it_is_looked_for(
    desk: Desk, worker: Worker, store: Store, sold: Sold, sent: Sent
) -> None:
    old = sold("move-1", 1, 2)
    first = old.licenses[0]

    new_id = move_license(desk, "move-1", first.id, Customer(email=OTHER, name="Piet"), asked(), "EUR")
    worker.advance(new_id)
    worker.advance("move-1")

    new, old = loaded(store, new_id), loaded(store, "move-1")
    assert [license_.code for license_ in new.licenses] == [first.code]
    assert first not in old.current
    assert (store.order_of_license(first.id), store.order_of_code(first.code)) == (new_id, new_id)
    (mail,) = sent(new_id)
    assert first.code in mail
    assert [first.code in text for text in sent("move-1")] == [True, False]  # the purchase, and the notice
    assert notices(old) == [Purpose.LICENSE_MOVED]


def test_moving_it_again_to_the_same_customer_changes_nothing_and_to_another_is_refused(
    desk: Desk, store: Store, sold: Sold
) -> None:
    license_ = sold("move-2", 1).licenses[0]
    to = Customer(email=OTHER)
    new_id = move_license(desk, "move-2", license_.id, to, asked(), "EUR")
    before = loaded(store, "move-2")

    assert move_license(desk, "move-2", license_.id, to, asked(9), "EUR") == new_id
    assert loaded(store, "move-2") == before
    with pytest.raises(Refused) as refused:
        move_license(desk, "move-2", license_.id, Customer(email=NEW), asked(), "EUR")
    assert refused.value.said == said("license_moved_already", license=license_.id, order=new_id)


def test_a_license_moves_on_and_back(desk: Desk, worker: Worker, store: Store, sold: Sold) -> None:
    license_ = sold("move-3", 1).licenses[0]
    second = move_license(desk, "move-3", license_.id, Customer(email=OTHER), asked(), "EUR")
    worker.advance(second)

    third = move_license(desk, second, license_.id, Customer(email=ADDRESS), asked(9), "EUR")

    assert store.order_of_license(license_.id) == third
    assert [loaded(store, name).current for name in ("move-3", second)] == [(), ()]
    assert loaded(store, third).current == (license_,)


def test_erasing_the_old_owner_leaves_the_new_one_whole(desk: Desk, worker: Worker, store: Store, sold: Sold) -> None:
    license_ = sold("move-4", 1).licenses[0]
    new_id = move_license(desk, "move-4", license_.id, Customer(email=OTHER, name="Piet"), asked(), "EUR")
    worker.advance(new_id)
    before = loaded(store, new_id)

    desk.erase(ADDRESS, asked(9), YEARS)
    worker.advance("move-4")

    assert loaded(store, "move-4").is_erased
    assert loaded(store, new_id) == before
    assert store.order_of_code(license_.code) == new_id


def test_somebody_who_changes_the_order_meanwhile_loses_nothing(desk: Desk, store: Store, sold: Sold) -> None:
    license_ = sold("move-5", 1).licenses[0]

    noted: list[Order] = []

    def meanwhile(_: object) -> None:
        if not noted:
            noted.append(store.change_existing("move-5", lambda order: noting.note(order, asked(1, why="hello"))))

    on_call(store._client, "TransactWriteItems", meanwhile)
    new_id = move_license(desk, "move-5", license_.id, Customer(email=OTHER), asked(), "EUR")

    old = loaded(store, "move-5")
    assert [entry.code for entry in old.timeline if entry.who == "sanne"] == ["note", "license_moved"]
    assert loaded(store, new_id).current == (license_,)


def test_a_renewal_that_names_a_moved_license_is_of_its_new_owner(
    desk: Desk, worker: Worker, store: Store, sold: Sold
) -> None:
    license_ = sold("move-6", 1).licenses[0]
    new_id = move_license(desk, "move-6", license_.id, Customer(email=OTHER), asked(), "EUR")
    worker.advance(new_id)
    store.save(paid_order("renews-6", Line(SKU, 1, Kind.RENEWAL, license_.id), email=OTHER))

    worker.advance("renews-6")

    (term,) = loaded(store, "renews-6").terms
    assert (term.renews, term.first_day) == (new_id, license_.last_day + timedelta(days=1))


# --- complaints


@pytest.fixture
def complained(desk: Desk, store: Store, sold: Sold, suppressed: dict[str, str]) -> Order:
    sold("spam-1", 1)
    take_mail_event.take(store, ses_event("complaint", "spam-1"), NOW, ZONE)
    suppressed[ADDRESS] = "COMPLAINT"
    order = loaded(store, "spam-1")
    assert order.waits_for(Reason.ADDRESS)
    return order


def lift(desk: Desk, worker: Worker, minutes: float = 5) -> Order:
    return lift_complaint(desk, "spam-1", asked(minutes, why="pressed it by mistake"), worker.mailer)


def test_a_complaint_that_was_lifted_lets_go_on_what_was_paid_for(
    desk: Desk, worker: Worker, store: Store, complained: Order, suppressed: dict[str, str]
) -> None:
    """A13: a paid order of a customer with one address waited for ever."""
    store.save(paid_order("spam-2"))
    store.add_codes(SKU, [code(2)], "b", None)
    with pytest.raises(Refused):
        desk.resend("spam-1", asked(1), worker.mailer, lift=True)

    order = lift(desk, worker)

    assert not suppressed
    assert not order.waits_for(Reason.ADDRESS)
    assert (order.timeline[-1].code, order.timeline[-1].words) == ("complaint_lifted", "pressed it by mistake")
    assert desk.resend("spam-1", asked(9), worker.mailer)
    assert store.bad_address(ADDRESS) is None
    lift(desk, worker, 9)
    assert [entry.code for entry in loaded(store, "spam-1").timeline].count("complaint_lifted") == 1


@pytest.mark.parametrize("is_heard_of", [True, False])
def test_a_lifting_that_was_cut_off_when_ses_had_forgotten_is_completed_by_the_next_call(
    desk: Desk, worker: Worker, store: Store, sold: Sold, suppressed: dict[str, str], is_heard_of: bool
) -> None:
    """Keypost has heard of the complaint, or only of a mail that the list of SES dropped, which looks like a bounce."""
    sold("spam-1", 1)
    for event in ("complaint", "bounce_suppressed") if is_heard_of else ("bounce_suppressed",):
        take_mail_event.take(store, ses_event(event, "spam-1"), NOW, ZONE)
    suppressed[ADDRESS] = "COMPLAINT"
    failures = [ConnectionError()]

    def fail_behind_ses(_: object) -> None:
        if failures and not suppressed:
            raise failures.pop()

    on_call(store._client, "UpdateItem", fail_behind_ses)
    with pytest.raises(ConnectionError):
        lift(desk, worker)
    assert store.bad_address(ADDRESS) is not None

    order = lift(desk, worker, 9)

    assert store.bad_address(ADDRESS) is None
    assert not order.waits_for(Reason.ADDRESS)


def test_after_a_second_complaint_it_is_blocked_again(
    desk: Desk, worker: Worker, store: Store, complained: Order
) -> None:
    lift(desk, worker)  # whose clock is behind that of SES
    assert store.bad_address(ADDRESS) is None

    store.put_bad_address(ADDRESS, Fate.COMPLAINED, NOW + timedelta(days=3660))

    assert store.bad_address(ADDRESS) == (Fate.COMPLAINED, NOW + timedelta(days=3660))


def test_who_complained_gets_no_reminder_although_it_was_lifted(
    desk: Desk, worker: Worker, store: Store, clock: Clock, complained: Order
) -> None:
    store.put_product(replace(PRODUCT, reminder_days=(7,)))
    lift(desk, worker)
    due = support_reminded(store, "spam-1", clock)

    worker.advance("spam-1")

    assert due.reminders
    assert loaded(store, "spam-1").timeline[-1].values == {"why": said("address_complained")}


def support_reminded(store: Store, order_id: str, clock: Clock) -> Order:
    """The order on the day of its only reminder."""
    order = loaded(store, order_id)
    reminder = reminder_of(1, 7, order.licenses[0].last_day, ZONE)
    clock.now = reminder.at
    return store.save(replace(order, reminders=(reminder,)))


@pytest.mark.parametrize("whose", ["nobody", "order", "customer"])
def test_reminders_are_not_sent_to_who_wants_none(
    worker: Worker, store: Store, clock: Clock, sold: Sold, whose: str
) -> None:
    sold("quiet-2", 1)
    if whose == "order":
        store.change_existing("quiet-2", lambda order: noting.without_reminders(order, asked()))
    if whose == "customer":
        store.stop_reminders(ADDRESS, NOW, "anna")
    support_reminded(store, "quiet-2", clock)

    worker.advance("quiet-2")

    order = loaded(store, "quiet-2")
    assert order.reminders == ()
    assert [mail.purpose for mail in order.mails].count(Purpose.REMINDER) == (whose == "nobody")


def test_there_is_nothing_to_lift_where_nobody_complained(desk: Desk, worker: Worker, sold: Sold) -> None:
    sold("spam-1", 1)

    with pytest.raises(Refused) as refused:
        lift(desk, worker)
    assert refused.value.said == said("no_complaint", order="spam-1")


# --- one mail elsewhere


def test_a_mail_elsewhere_goes_there_and_is_forgotten_with_the_customer(
    desk: Desk, worker: Worker, store: Store, local: LocalStack, sold: Sold
) -> None:
    sold("once-1", 1)

    mail = desk.resend_only("once-1", support.Only(to=OTHER), asked(), worker.mailer)
    worker.advance("once-1")

    to = [each.to for each in local.mailbox.mails if each.tags.get("order") == "once-1"]
    assert to == [(ADDRESS,), (ADDRESS,), (OTHER,)]  # the purchase, the notice, and the mail
    store.put_bad_address(OTHER, Fate.BOUNCED, NOW)
    assert loaded(store, "once-1").mail(mail.id).sent_to == OTHER
    desk.erase(ADDRESS, asked(9), YEARS)
    assert store.bad_address(OTHER) is None
    assert OTHER not in repr(loaded(store, "once-1"))


def test_a_block_of_another_customers_address_is_not_forgotten_with_this_one(
    desk: Desk, worker: Worker, store: Store, sold: Sold
) -> None:
    sold("once-2", 1)
    sold("once-3", 2, email=OTHER)
    desk.resend_only("once-2", support.Only(to=OTHER), asked(), worker.mailer)
    store.put_bad_address(OTHER, Fate.COMPLAINED, NOW)

    desk.erase(ADDRESS, asked(9), YEARS)

    assert store.bad_address(OTHER)


def test_nothing_goes_once_to_an_address_that_takes_no_mail(
    desk: Desk, worker: Worker, store: Store, sold: Sold, suppressed: dict[str, str]
) -> None:
    before = sold("once-4", 1)
    suppressed[OTHER] = "BOUNCE"

    with pytest.raises(Refused) as refused:
        desk.resend_only("once-4", support.Only(to=OTHER), asked(), worker.mailer)
    assert refused.value.said == said("not_sent_again", order="once-4", why=said("address_bounced"))
    assert loaded(store, "once-4") == before
