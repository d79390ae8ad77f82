"""An order that cannot be written now, or whose step fails again and again, over the emulator's DynamoDB, SQS and
SES."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core import support
from keypost.core.aside import Aside
from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import NewerVersion, Unreadable
from keypost.core.mail import Asked, Fate, MailState
from keypost.core.order import Order, Reason
from keypost.core.payment import OrderCanceled, PaymentState, Refunded, Standing
from keypost.core.product import Kind, Line
from keypost.table import Store
from keypost.table.items import due_keys, from_wire
from keypost.use_cases import serve_waiting, take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.list_attention import worklist
from keypost.use_cases.look_ahead import due_within, forecasts, gather_note
from keypost.use_cases.take_fact import record
from keypost.use_cases.try_order import try_order
from tests.builders import (
    INTAKE,
    NOW,
    SKU,
    ZONE,
    Clock,
    code,
    loaded,
    lost_fields,
    notice,
    paid_order,
    put_item,
    ses_event,
    stored_item,
    with_future_fields,
)

Stocked = Callable[[list[str]], None]
Sent = Callable[[str], list[str]]
ADDRESS = "facturen@klant.example"
Damage = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack.store, stack.queue, ZONE)


@pytest.fixture
def attempt(worker: Worker, desk: Desk) -> Callable[..., None]:
    """One try of an order, as the queue's function makes it."""
    return lambda order_id, receives=1: try_order(worker, desk, lambda _: INTAKE, order_id, receives)


def unreadable(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"created_at": "once"}


def newer(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"payments": [payment | {"state": "parked"} for payment in item["payments"]]}


def change_item(store: Store, order_id: str, change: Damage) -> dict[str, Any]:
    """Store the item as it is after a change that no code made; gives the item as it was."""
    item = stored_item(store, order_id)
    put_item(store, change(item))
    return item


def aside_of(store: Store, order_id: str) -> Aside | None:
    return next(iter(store.asides([order_id])), None)


def due(store: Store, clock: Clock) -> set[str]:
    return {order_id for page in store.due(clock.now) for order_id in page}


@pytest.mark.parametrize(("damage", "reason"), [(unreadable, "unreadable"), (newer, "newer_version")])
def test_what_is_told_of_an_order_that_cannot_be_read_is_there_once_it_can_be(
    attempt: Callable[..., None], store: Store, stocked: Stocked, sent: Sent, clock: Clock, damage: Damage, reason: str
) -> None:
    order_id = f"told-{reason}"
    stocked([code(1)])
    record(store, notice(order_id, state=PaymentState.OPEN), NOW, INTAKE)
    sound = change_item(store, order_id, damage)
    damaged = stored_item(store, order_id)

    assert record(store, notice(order_id), NOW, INTAKE) == (order_id, True)
    assert record(store, notice(order_id), NOW, INTAKE) == (order_id, True)
    attempt(order_id)

    assert stored_item(store, order_id) == damaged
    assert sent(order_id) == []
    kept = aside_of(store, order_id)
    assert kept is not None
    assert (kept.reason, kept.told) == (AsideReason(reason), (notice(order_id),))

    put_item(store, sound)
    attempt(order_id)

    assert code(1) in sent(order_id)[0]
    assert loaded(store, order_id).standing is Standing.PAID
    assert aside_of(store, order_id) is None
    assert order_id not in due(store, clock)


def test_a_fact_with_a_field_of_the_future_is_left_to_a_version_that_knows_it(
    attempt: Callable[..., None], store: Store
) -> None:
    record(store, notice("tipped", state=PaymentState.OPEN), NOW, INTAKE)
    sound = change_item(store, "tipped", unreadable)
    record(store, notice("tipped"), NOW, INTAKE)
    key = {"pk": {"S": "ASIDE#tipped"}}
    item = from_wire(store._client.get_item(TableName=store.table, Key=key)["Item"])
    told = {name: json.dumps(json.loads(text) | {"tip": "3.00"}) for name, text in item.items() if name[:5] == "told_"}
    put_item(store, item | told)
    put_item(store, sound)

    attempt("tipped")

    kept = from_wire(store._client.get_item(TableName=store.table, Key=key)["Item"])
    assert {name: kept[name] for name in told} == told
    assert loaded(store, "tipped").standing is Standing.OPEN


def test_a_parked_fact_that_only_a_newer_version_reads_stops_no_callback(store: Store) -> None:
    bare = notice("", payment_id="cs_parked", lines=(), state=None)
    assert record(store, bare, NOW, INTAKE) == (None, False)
    key = {"pk": {"S": "PAYMENT#stripe:cs_parked"}}
    item = from_wire(store._client.get_item(TableName=store.table, Key=key)["Item"])
    (name,) = [name for name in item if name.startswith("told_")]
    parked = json.dumps(json.loads(item[name]) | {"state": "parked"})
    put_item(store, item | {name: parked})

    assert record(store, notice("found", payment_id="cs_parked"), NOW, INTAKE) == ("found", True)

    assert from_wire(store._client.get_item(TableName=store.table, Key=key)["Item"])[name] == parked
    assert loaded(store, "found").standing is Standing.PAID


def test_a_cancellation_and_a_word_of_ses_are_kept_too(
    attempt: Callable[..., None], store: Store, stocked: Stocked
) -> None:
    stocked([code(1)])
    store.save(paid_order("kept"))
    attempt("kept")
    sound = change_item(store, "kept", unreadable)
    (mail,) = sound["mails"]

    record(store, OrderCanceled("kept"), NOW, INTAKE)
    take_mail_event.take(store, ses_event("bounce_permanent", "kept", mail["id"]), NOW, ZONE)
    put_item(store, sound)
    attempt("kept")

    order = loaded(store, "kept")
    assert order.canceled
    assert order.mail(mail["id"]).came_back
    assert store.bad_address(ADDRESS) == (Fate.BOUNCED, order.mail(mail["id"]).told[0].at)


def test_an_order_that_cannot_be_read_is_tried_hourly_and_then_daily_and_its_own_clock_does_not_count(
    attempt: Callable[..., None], store: Store, clock: Clock
) -> None:
    store.save(paid_order("clock"))
    assert "clock" in due(store, clock)
    change_item(store, "clock", unreadable)

    attempt("clock")
    tried = []
    for _ in range(24 * 4):
        clock.now += timedelta(hours=1)
        if "clock" in due(store, clock):
            tried.append((clock.now - NOW) // timedelta(hours=1))
            attempt("clock")

    assert tried == [*range(1, 25), 48, 72, 96]


def test_an_order_whose_step_fails_five_times_in_a_row_is_set_aside(
    attempt: Callable[..., None], store: Store, stocked: Stocked, clock: Clock
) -> None:
    stocked([code(1)])
    store.save(paid_order("failing"))
    sound = store.products([SKU])[SKU]
    store.put_product(replace(sound, term_days=10**7))  # its licenses would end after the year 9999

    for receives in range(1, 5):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever that step raises
            attempt("failing", receives)
        assert list(store.needing(AsideReason.FAILING)) == []
    attempt("failing", 5)

    assert list(store.needing(AsideReason.FAILING)) == [["failing"]]
    assert "failing" not in due(store, clock)
    kept = aside_of(store, "failing")
    assert kept is not None
    assert (kept.starts, kept.since) == (5, NOW)
    assert " in " in kept.why

    store.put_product(sound)
    clock.now += timedelta(hours=1)
    assert "failing" in due(store, clock)
    attempt("failing")

    assert aside_of(store, "failing") is None
    assert loaded(store, "failing").mail("purchase-1").state is MailState.SENT


def test_a_step_that_never_ends_is_set_aside_after_five_starts(
    attempt: Callable[..., None], store: Store, stocked: Stocked, local: LocalStack, clock: Clock
) -> None:
    """Its process is killed: nothing of it runs after the time-out."""

    def killed() -> None:
        raise SystemExit

    stocked([code(1)])
    store.save(paid_order("endless", email="jan@klant.example"))
    store._client.meta.events.register("before-call.dynamodb.Query", lambda **_: killed())

    for receives in range(1, 6):
        with pytest.raises(SystemExit):
            attempt("endless", receives)
    attempt("endless", 5)  # the queue delivers it again: it has its own clock now

    store._client.meta.events.unregister("before-call.dynamodb.Query")
    kept = aside_of(store, "endless")
    assert kept is not None
    assert (kept.starts, kept.reason) == (5, AsideReason.FAILING)


def test_starts_that_ended_do_not_add_up(
    attempt: Callable[..., None], store: Store, stocked: Stocked, local: LocalStack
) -> None:
    stocked([code(1)])
    store.save(paid_order("recovers"))

    for _ in range(3):
        attempt("recovers", 4)

    assert aside_of(store, "recovers") is None


def test_a_healthy_order_costs_one_read_and_no_write_more(
    attempt: Callable[..., None], store: Store, worker: Worker
) -> None:
    calls: list[str] = []
    store.save(paid_order("healthy"))
    attempt("healthy")
    store._client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

    attempt("healthy")

    assert calls.count("BatchGetItem") + calls.count("GetItem") >= 1
    assert calls.count("UpdateItem") == calls.count("DeleteItem") == 0


@pytest.mark.parametrize("damage", [unreadable, newer])
def test_what_is_told_of_a_payment_whose_own_order_cannot_be_read_is_kept_beside_that(
    attempt: Callable[..., None], desk: Desk, store: Store, damage: Damage
) -> None:
    """Else a callback would be a 503 for ever, and the hourly run would end at it."""
    store.save(paid_order("split"))
    second = notice("split", Line("OTHER", 1), payment_id="cs_2", amount="49.95")
    record(store, second, NOW, INTAKE)
    assert desk.make_own_order("split", "stripe:cs_2", Asked(NOW, "anna", "another buyer"), INTAKE) == "split-2"
    sound = change_item(store, "split-2", damage)
    back = replace(second, state=None, lines=(), refunded=Refunded(NOW, full=True))

    assert record(store, back, NOW, INTAKE) == ("split-2", True)

    assert loaded(store, "split").standing is Standing.PAID
    put_item(store, sound)
    attempt("split-2")
    assert loaded(store, "split-2").standing is Standing.REFUNDED


def test_an_order_that_is_too_large_is_set_aside_and_what_was_told_is_kept(
    attempt: Callable[..., None], store: Store
) -> None:
    store.save(paid_order("large", state=PaymentState.OPEN))
    sound = change_item(store, "large", lambda item: item | {"ballast": "x" * (399 * 1024)})

    assert record(store, notice("large", name="y" * 2000), NOW, INTAKE) == ("large", True)

    assert list(store.needing(AsideReason.FAILING)) == [["large"]]
    put_item(store, sound)
    attempt("large")
    assert loaded(store, "large").standing is Standing.PAID
    assert list(store.needing(AsideReason.FAILING)) == []


@pytest.mark.parametrize(("damage", "error"), [(unreadable, Unreadable), (newer, NewerVersion)])
def test_what_a_person_asks_for_is_refused_with_the_reason(
    desk: Desk, store: Store, damage: Damage, error: type[Exception]
) -> None:
    store.save(paid_order("asked"))
    change_item(store, "asked", damage)
    before = stored_item(store, "asked")

    with pytest.raises(error, match="refused_"):
        desk.change("asked", lambda order: support.hold(order, "anna", NOW))

    assert stored_item(store, "asked") == before


def test_an_erasure_says_what_it_could_not_erase_yet_and_that_is_erased_as_soon_as_it_can_be(
    attempt: Callable[..., None], desk: Desk, store: Store
) -> None:
    for order_id in ("erase-1", "erase-2"):
        store.save(paid_order(order_id, email="wis@klant.example"))
    sound = change_item(store, "erase-1", unreadable)

    found = desk.erase("wis@klant.example", Asked(NOW, "anna"), 7)

    assert ([order.id for order in found.orders], found.later) == (["erase-2"], ["erase-1"])
    put_item(store, sound)
    attempt("erase-1")
    order = loaded(store, "erase-1")
    assert (order.is_erased, order.customer.email, order.customer.name) == (True, None, None)
    assert aside_of(store, "erase-1") is None


def test_a_renewal_that_turns_out_to_be_of_another_customer_is_not_erased(
    attempt: Callable[..., None], desk: Desk, store: Store, worker: Worker, stocked: Stocked
) -> None:
    stocked([code(1)])
    store.save(paid_order("line-0", email="wis@klant.example"))
    attempt("line-0")
    store.save(paid_order("line-1", Line(SKU, 1, Kind.RENEWAL, renews="line-0"), email="ander@klant.example"))
    attempt("line-1")
    desk.change("line-1", lambda order: support.release(order, "anna", NOW))  # they pay for the other one
    attempt("line-1")
    sound = change_item(store, "line-1", unreadable)

    found = desk.erase("wis@klant.example", Asked(NOW, "anna"), 7)
    assert found.later == ["line-1"]
    put_item(store, sound)
    attempt("line-1")

    assert loaded(store, "line-1").customer.email == "ander@klant.example"
    assert aside_of(store, "line-1") is None


def test_orders_behind_one_that_cannot_be_read_get_their_codes(
    attempt: Callable[..., None], store: Store, stocked: Stocked, sent: Sent
) -> None:
    store.save(paid_order("first", Line(SKU, 5)))
    attempt("first")
    assert list(store.needing(Reason.STOCK)) == [["first"]]
    change_item(store, "first", unreadable)
    stocked([code(1)])

    store.save(paid_order("second"))
    attempt("second")

    assert code(1) in sent("second")[0]


def test_an_order_that_fails_again_and_again_keeps_no_codes_from_those_behind_it(
    attempt: Callable[..., None], store: Store, stocked: Stocked, sent: Sent
) -> None:
    store.save(paid_order("failing", at=NOW - timedelta(minutes=1)))
    attempt("failing")
    stocked([code(1)])
    store.save(paid_order("behind"))
    attempt("behind")
    assert sent("behind") == []  # it leaves the code to the order before it

    store.save_aside(Aside("failing", reason=AsideReason.FAILING, since=NOW, starts=5), NOW)
    assert serve_waiting.served_by(store, [SKU], lambda _: 1) == ["behind"]
    attempt("behind")

    assert code(1) in sent("behind")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"attention": "parked"},  # as a newer version may
        {"told_1": "{"},
        {"told_1": "[]"},
        {"erasure": "{}"},
        {"starts": "many"},
        {"attention_since": "long ago"},
    ],
    ids=str,
)
def test_what_is_kept_beside_an_order_and_cannot_be_read_stays_and_takes_the_worklist_from_nobody(
    attempt: Callable[..., None], store: Store, change: dict[str, Any]
) -> None:
    store.save(paid_order("waits"))
    attempt("waits")
    store.save(paid_order("odd"))
    before = stored_item(store, "odd")
    kept = {"pk": "ASIDE#odd", "version": 1, "attention": "failing", "attention_since": "2026-11-01T00:00:00Z"}
    put_item(store, kept | due_keys("odd", NOW) | change)

    def seen() -> dict[str, str]:
        return {item.order_id: item.needs for item in worklist(store).items}

    assert seen()["waits"] == "stock"
    assert {each.stock.sku for each in forecasts(store, NOW, ZONE)[0]} == {SKU}
    attempt("odd")

    assert seen() == {"odd": "newer_version", "waits": "stock"}
    assert stored_item(store, "odd") == before
    (item,) = store._batch_get(["ASIDE#odd"])
    stays = {name: value for name, value in change.items() if name in ("told_1", "erasure")}
    assert stays.items() <= item.items()


@pytest.mark.parametrize("receives", [1, 2])
def test_the_poke_of_a_product_that_got_codes_reaches_those_who_wait_for_them(
    attempt: Callable[..., None], worker: Worker, store: Store, stocked: Stocked, receives: int
) -> None:
    store.save(paid_order("waits"))
    attempt("waits")
    stocked([code(1)])
    pokes: list[str] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        pokes.extend(entry["MessageBody"] for entry in params["Entries"])

    worker.queue._client.meta.events.register("provide-client-params.sqs.SendMessageBatch", keep)
    attempt(f"CODES#{SKU}", receives)

    assert pokes == ["waits"]
    assert store.asides([f"CODES#{SKU}"]) == []  # it is no order that a start could be counted for


def test_the_reports_go_on_and_name_it(attempt: Callable[..., None], store: Store) -> None:
    for order_id in ("waits-1", "waits-2"):
        store.save(paid_order(order_id))
        attempt(order_id)
    change_item(store, "waits-1", unreadable)
    attempt("waits-1")
    change_item(store, "waits-2", newer)  # which nobody has tried yet

    note = gather_note(store, NOW, ZONE, {})
    rows = due_within(store, 14, NOW, ZONE)
    found, left_out = forecasts(store, NOW, ZONE)

    named = {section.reason: [entry.order_id for entry in section.entries] for section in note.sections}
    assert named == {AsideReason.UNREADABLE: ["waits-1"], AsideReason.NEWER_VERSION: ["waits-2"]}
    assert {row.order_id: row.why_not is not None for row in rows} == {"waits-1": True, "waits-2": True}
    assert [each.stock.sku for each in found] == [SKU]
    assert set(left_out) <= {"waits-1", "waits-2"}


def test_fields_of_the_future_survive_every_use_case(
    attempt: Callable[..., None], desk: Desk, store: Store, stocked: Stocked, worker: Worker, clock: Clock
) -> None:
    """A field on each part, then a payment, a hold and its release, a mail event, a resend, a swapped code, another
    address: each part has its field afterwards."""
    stocked([code(1), code(2)])
    store.save(paid_order("future"))
    attempt("future")
    item = change_item(store, "future", with_future_fields)
    license_id, bad_code = item["licenses"][0]["id"], item["licenses"][0]["code"]

    record(store, notice("future", also=("stripe:pi_1",)), NOW, INTAKE)
    for change in (support.hold, support.release):
        desk.change("future", partial(_by_anna, change))
    take_mail_event.take(store, ses_event("delivery", "future"), NOW, ZONE)
    clock.now += timedelta(hours=1)
    desk.resend("future", Asked(clock.now, "anna"), worker.mailer)
    attempt("future")
    desk.swap_code("future", license_id, "invalid", Asked(clock.now, "anna"))
    desk.correct_address("future", "nieuw@klant.example", Asked(clock.now, "anna"))
    attempt("future")
    record(store, notice("future", refunded=None, state=PaymentState.PAID, payment_id="other"), NOW, INTAKE)

    after = stored_item(store, "future")
    lost = list(lost_fields(with_future_fields(item), after))
    assert lost == []
    assert {bad_code, loaded(store, "future").licenses[0].code} == {code(1), code(2)}


def _by_anna(change: Callable[[Order, str, datetime], Order], order: Order) -> Order:
    return change(order, "anna", NOW)
