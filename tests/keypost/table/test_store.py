from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keypost.core import contents, licensing, support
from keypost.core.codes import NewCode, StockCode, digest
from keypost.core.doors import Door, Gap
from keypost.core.errors import CannotBeStored, Conflict, Unmet
from keypost.core.keys import SCOPES, new_key
from keypost.core.mail import Asked, Fate, Mail, MailSent, MailState, Purpose, Told
from keypost.core.mailing import MAIL_LEASE, settle_mail
from keypost.core.order import (
    BadCode,
    Customer,
    Hold,
    License,
    Order,
    Reason,
    Subscription,
    TimelineEntry,
    Waiting,
    waiting_for,
)
from keypost.core.payment import Payment, PaymentNotice, PaymentState, Refunded, Remark, Standing
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.wish import Wish
from keypost.table import Store
from keypost.table.clocks import clock_of
from keypost.table.converting import converter
from keypost.table.items import DUE_SHARDS, customer_digest, from_wire, moment_text
from keypost.table.orders import order_item
from keypost.words import LANGUAGES, names_of
from tests.builders import NOW, PRODUCT, SKU, ZONE, added_up, code, licensed, notice, paid_order, product, put_item
from tests.faults import Parameters, on_call, overtake, refuse, watch

TODAY = date(2026, 11, 23)
Stocked = Callable[[list[str]], None]
# Moto copies the whole table in each transaction, so with hundreds of codes it takes seconds.
moto_as_a_drill = pytest.mark.parametrize(
    "store", ["ministack", pytest.param("moto", marks=pytest.mark.drill)], indirect=True
)

moments = st.datetimes(min_value=NOW.replace(tzinfo=None)).map(lambda m: m.replace(microsecond=0, tzinfo=NOW.tzinfo))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
days = st.dates()
stored_values = st.recursive(
    st.dictionaries(texts, texts | st.integers(-(10**9), 10**9) | st.lists(texts, max_size=2).map(tuple), max_size=2),
    lambda values: st.dictionaries(texts, st.builds(Said, texts, values), max_size=2),
    max_leaves=3,
)
stored_said = st.builds(Said, texts, stored_values)
stored_orders = st.builds(
    Order,
    id=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    created_at=moments,
    customer=st.builds(Customer, st.none() | texts, st.none() | texts, st.sampled_from(["nl", "en"])),
    lines=st.lists(
        st.builds(Line, texts, st.integers(1, 9999), st.sampled_from(Kind), st.none() | texts, st.none() | days),
        max_size=3,
    ).map(tuple),
    payments=st.lists(st.builds(Payment, st.tuples(texts), st.sampled_from(PaymentState), moments), max_size=2).map(
        tuple
    ),
    licenses=st.lists(st.builds(License, texts, st.integers(1, 20), texts, texts, days, days), max_size=3).map(tuple),
    mails=st.lists(
        st.builds(
            Mail,
            texts,
            st.sampled_from(Purpose),
            st.sampled_from(MailState),
            st.none() | moments,
            told=st.lists(st.builds(Told, st.integers(1, 9), st.sampled_from(Fate), moments, texts), max_size=2).map(
                tuple
            ),
        ),
        max_size=2,
    ).map(tuple),
    timeline=st.lists(st.builds(TimelineEntry, moments, texts, stored_values), max_size=3).map(tuple),
    hold=st.builds(Hold, st.none() | stored_said, st.booleans(), st.booleans()),
    subscription=st.builds(Subscription, st.booleans(), st.booleans()),
    waits=st.lists(st.builds(Waiting, st.sampled_from(Reason), stored_said, moments, moments), max_size=2).map(tuple),
    version=st.just(0),
)


@given(stored_orders)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_order_comes_back_as_it_was_stored(store: Store, order: Order) -> None:
    current = store.load(order.id)
    order = replace(order, version=current.version if current else 0)

    saved = store.save(order)

    assert saved == replace(order, version=order.version + 1)
    assert store.load(order.id) == saved


def test_two_who_change_one_order_cannot_both_save(store: Store) -> None:
    order = store.save(paid_order())
    store.save(waiting_for(order, Reason.STOCK, Said("first"), NOW))

    with pytest.raises(Conflict):
        store.save(waiting_for(order, Reason.STOCK, Said("second"), NOW))
    with pytest.raises(Conflict):
        store.save(paid_order())  # as a new one


def test_changes_of_one_order_at_once_are_all_kept(store: Store) -> None:
    def pay(number: int) -> None:
        store.change(
            "1", lambda order: contents.with_payment(order, notice("1", payment_id=f"cs_{number}"), NOW, "EUR")
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pay, range(12)))

    order = store.load("1")
    assert order is not None
    assert {payment.names for payment in order.payments} == {(f"stripe:cs_{number}",) for number in range(12)}


def test_a_change_that_changes_nothing_writes_nothing(store: Store) -> None:
    order = store.save(paid_order())

    assert store.change(order.id, lambda same: same or order).version == order.version


def test_codes_and_order_change_together_or_not_at_all(store: Store, stocked: Stocked) -> None:
    stocked([code(1), code(2)])
    first, second = store.pick(SKU, 2, TODAY)
    one, two = store.save(paid_order("1")), store.save(paid_order("2", Line(SKU, 2)))
    store.assign(licensing.with_codes(one, [first], {SKU: PRODUCT}, NOW, ZONE), [first], TODAY)

    with pytest.raises(Conflict):
        store.assign(licensing.with_codes(two, [first, second], {SKU: PRODUCT}, NOW, ZONE), [first, second], TODAY)

    assert store.load("2") == two
    assert [free.code for free in store.pick(SKU, 9, TODAY)] == [second.code]


def test_a_code_that_is_taken_moves_from_the_free_ones_of_the_index_to_those_given_of_its_batch(
    store: Store, stocked: Stocked
) -> None:
    stocked([code(1), code(2)])
    taken = store.pick(SKU, 1, TODAY)

    store.assign(licensing.with_codes(store.save(paid_order()), taken, {SKU: PRODUCT}, NOW, ZONE), taken, TODAY)

    index = store._client.scan(TableName=store.table, IndexName="stock")
    assert {item["stock"]["S"] for item in index["Items"] if taken[0].digest in item["pk"]["S"]} == {"given test"}
    assert (store.count_free(SKU, TODAY, 9), store.count_given("test"), store.used(SKU, [TODAY])) == (1, 1, 1)
    assert index["Count"] == 3


def test_a_moved_order_takes_no_code(store: Store, stocked: Stocked) -> None:
    stocked([code(1)])
    order = store.save(paid_order())
    store.save(waiting_for(order, Reason.STOCK, Said("moved"), NOW))
    (free,) = store.pick(SKU, 1, TODAY)

    with pytest.raises(Conflict):
        store.assign(licensing.with_codes(order, [free], {SKU: PRODUCT}, NOW, ZONE), [free], TODAY)

    assert store.pick(SKU, 1, TODAY) == [free]


def test_a_code_that_runs_out_first_is_offered_first_and_one_that_ran_out_never(store: Store) -> None:
    for number, last_day in enumerate([None, date(2027, 6, 1), date(2026, 12, 1), date(2026, 11, 22)]):
        list(store.add_codes(SKU, [code(number)], None, last_day))

    assert [free.code for free in store.pick(SKU, 9, TODAY)] == [code(2), code(1), code(0)]


@moto_as_a_drill
def test_a_code_enters_once_whatever_its_product_and_however_often_it_is_imported(store: Store) -> None:
    assert list(store.add_codes(SKU, [code(n) for n in range(150)], None, None)) == [(150, set())]

    again = list(store.add_codes("OTHER", [code(n) for n in range(140, 260)], None, None))

    assert again == [(120, {code(n) for n in range(140, 150)})]
    assert len(store.pick(SKU, 999, TODAY)) == 150
    assert len(store.pick("OTHER", 999, TODAY)) == 110


@moto_as_a_drill
def test_a_large_import_can_be_stopped_between_two_parts(store: Store) -> None:
    many = [code(n) for n in range(1_000)]

    first, known = next(iter(store.add([NewCode(SKU, each, None, None) for each in many])))

    assert (len(first), known) == (800, set())
    assert len(store.pick(SKU, 2_000, TODAY)) == 800
    assert list(store.add_codes(SKU, many, None, None)) == [(800, set(many[:800])), (200, set())]


@moto_as_a_drill
@pytest.mark.parametrize(("most", "counted"), [(0, 0), (1, 1), (100, 100), (10_000, 250)])
def test_free_codes_are_counted_no_further_than_asked(store: Store, most: int, counted: int) -> None:
    list(store.add_codes(SKU, [code(n) for n in range(250)], None, None))

    assert store.count_free(SKU, TODAY, most) == counted


def test_a_truth_comes_back_as_a_truth(store: Store) -> None:
    store.put_product(replace(PRODUCT, sku="NO-RESERVE", holds_reserve_code=False))

    assert store.catalog()["NO-RESERVE"].holds_reserve_code is False


def test_a_purchase_keeps_its_entry_of_what_is_due_until_its_mail_was_sent_unless_that_is_sent_much_later() -> None:
    def rings(order: Order) -> str | None:
        clock = order_item(order).get("due_at")
        return clock_of(clock["S"]) if clock else None

    paid = paid_order()
    sent = settle_mail(licensed(paid), "purchase-1", 1, MailSent("ses-1"), NOW)
    late = NOW + timedelta(minutes=30)

    assert [rings(order) for order in (paid, licensed(paid), sent)] == [moment_text(NOW), moment_text(NOW), None]
    assert rings(licensed(paid, late)) == moment_text(late + MAIL_LEASE)


def test_the_due_index_holds_what_is_due_and_nothing_else(store: Store) -> None:
    for number in range(3 * DUE_SHARDS):
        store.save(paid_order(f"paid-{number}"))
        store.save(paid_order(f"open-{number}", state=PaymentState.OPEN))
        store.save(paid_order(f"held-{number}", currency="USD"))
    later = store.save(waiting_for(paid_order("later"), Reason.STOCK, Said("x"), NOW))

    assert _all(store.due(NOW)) == {f"paid-{number}" for number in range(3 * DUE_SHARDS)}
    assert "later" in _all(store.due(NOW + timedelta(minutes=15)))
    assert store._client.scan(TableName=store.table, IndexName="due")["Count"] == 3 * DUE_SHARDS + 1
    assert later.waiting is not None


def test_what_needs_a_person_or_stock_is_found_by_its_reason(store: Store) -> None:
    store.save(paid_order("held", currency="USD"))
    store.save(waiting_for(paid_order("short"), Reason.STOCK, Said("x"), NOW))
    store.save(paid_order("fine"))

    assert _all(store.needing(Reason.HOLD)) == {"held"}
    assert _all(store.needing(Reason.STOCK)) == {"short"}
    assert _all(store.needing(Reason.MAIL)) == set()


def test_an_unknown_order_and_an_unknown_product_are_none(store: Store) -> None:
    assert store.load("nobody") is None
    assert store.products(["NOTHING", SKU]) == {SKU: PRODUCT}
    assert store.products([]) == {}


def _all(pages: Iterator[list[str]]) -> set[str]:
    found = [order_id for page in pages for order_id in page]
    assert len(found) == len(set(found))
    return set(found)


@moto_as_a_drill
def test_free_codes_are_found_behind_any_number_of_hints_that_are_taken_already(store: Store, stocked: Stocked) -> None:
    """On AWS the index lags behind the table, so a code that it offers may be assigned already."""
    stocked([code(n) for n in range(130)])
    stale = store.pick(SKU, 130, TODAY)
    for number, taken in enumerate((stale[:45], stale[45:90])):
        order = store.save(paid_order(str(number), Line(SKU, 45)))
        store.assign(licensing.with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE), taken, TODAY)
    hints = [{"pk": {"S": f"CODE#{free.digest}"}, "stock_order": {"S": f"{n:04d}#"}} for n, free in enumerate(stale)]

    def lag(parsed: dict[str, Any], **_: object) -> None:
        parsed["Items"] = hints

    store._client.meta.events.register("after-call.dynamodb.Query", lag)

    assert len(store.pick(SKU, 1, TODAY)) == 1
    assert {free.code for free in store.pick(SKU, 999, TODAY)} == {free.code for free in stale[90:]}


def test_a_put_that_the_sdk_sent_twice_is_no_conflict_with_itself(store: Store) -> None:
    sent: list[object] = []

    def first(put: Parameters) -> None:
        if not sent:
            sent.append(put)
            store._client.put_item(**put)  # it took effect, and its answer was lost

    on_call(store._client, "PutItem", first)

    assert store.load("2026-001234") is None
    assert store.save(paid_order()).version == 1


def test_an_order_that_another_worker_stored_with_the_same_content_is_a_conflict(store: Store) -> None:
    order = store.save(paid_order())
    same = contents.canceled(order, NOW)
    store.save(same)

    with pytest.raises(Conflict):
        store.save(same)


WRITES: dict[str, tuple[str, Callable[[Store], object]]] = {
    "an order": ("PutItem", lambda store: store.save(paid_order())),
    "a wish": ("PutItem", lambda store: store.put_wish("anna@klant.example", NOW)),
    "a count": ("UpdateItem", lambda store: store.count_used(SKU, TODAY, 1)),
    "a pause": ("UpdateItem", lambda store: store.pause_mail(NOW)),
    "a note": ("UpdateItem", lambda store: store.begin_note(TODAY, NOW)),
    "a payment": ("UpdateItem", lambda store: store.facts_of(notice())),
    "an address": ("UpdateItem", lambda store: store.put_bad_address("anna@klant.example", Fate.BOUNCED, NOW)),
    "a product": ("UpdateItem", lambda store: store.put_product(PRODUCT)),
    "a remark": ("PutItem", lambda store: store.put_remark(Remark("webhook", NOW, Said("nothing_bought")))),
}


@pytest.mark.parametrize("refusal", ["TransactionConflictException", "ThrottlingException"])
@pytest.mark.parametrize("what", WRITES)
def test_a_write_that_meets_a_transaction_or_a_throttle_is_made_a_moment_later(
    store: Store, what: str, refusal: str
) -> None:
    operation, write = WRITES[what]
    asked = refuse(store._client, operation, refusal)

    write(store)

    assert len(asked) > 1  # it was refused once, and made again


def test_a_write_that_meets_others_without_end_is_a_conflict(store: Store) -> None:
    refuse(store._client, "PutItem", "TransactionConflictException", times=99)
    store._pause = lambda _seconds: None

    with pytest.raises(Conflict):
        store.save(paid_order())


def test_an_order_that_the_table_refuses_for_its_content_cannot_be_stored(store: Store) -> None:
    refuse(store._client, "PutItem", "ValidationException")

    with pytest.raises(CannotBeStored):
        store.save(paid_order())


def test_an_import_that_meets_another_transaction_loses_no_code(store: Store) -> None:
    busy = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    refuse(store._client, "TransactWriteItems", "TransactionCanceledException", CancellationReasons=busy)

    assert list(store.add_codes(SKU, [code(1), code(2)], None, None)) == [(2, set())]
    assert len(store.pick(SKU, 9, TODAY)) == 2


def test_a_change_that_was_overtaken_begins_from_what_is_stored(store: Store) -> None:
    stale = store.save(paid_order("1"))
    store.save(waiting_for(stale, Reason.STOCK, Said("x"), NOW))

    order = store.change("1", lambda o: contents.canceled(o or stale, NOW), loaded=stale)

    assert order.canceled
    assert order.waiting is not None


def test_more_products_than_one_request_holds_are_all_found(store: Store) -> None:
    skus = [f"SKU-{n}" for n in range(120)]
    for sku in skus:
        store.put_product(product(sku))

    assert set(store.products(skus)) == set(skus)


@pytest.mark.parametrize(
    "change",
    [
        {"name": {}},
        {"name": "Pakket"},
        {"steps": {}},
        {"steps": {"new": {"nl": ["Open de app."]}}},
        {"code_pattern": "("},
    ],
    ids=str,
)
def test_a_product_with_which_no_mail_can_be_written_is_none_and_the_others_are_there(
    store: Store, change: dict[str, Any]
) -> None:
    store.put_product(product("OTHER"))
    put_item(store, {"pk": f"PRODUCT#{SKU}", **converter.unstructure(PRODUCT), **change})

    assert list(store.catalog()) == ["OTHER"]


def test_a_product_that_lacks_a_language_is_sold_in_the_one_that_it_has(store: Store) -> None:
    put_item(store, {"pk": f"PRODUCT#{SKU}", **converter.unstructure(PRODUCT), "name": {"nl": "Pakket"}})

    assert [names_of(store.catalog().values(), language) for language in LANGUAGES] == [{SKU: "Pakket"}] * len(
        LANGUAGES
    )


@pytest.mark.parametrize("lost", ["code", "state"])
def test_a_code_whose_item_is_damaged_keeps_no_other_one_back(store: Store, stocked: Stocked, lost: str) -> None:
    stocked([code(1), code(2)])
    item = store._client.get_item(TableName=store.table, Key={"pk": {"S": f"CODE#{digest(code(1))}"}})["Item"]
    put_item(store, {name: value for name, value in from_wire(item).items() if name != lost})

    assert [free.code for free in store.pick(SKU, 2, TODAY)] == [code(2)]
    other = store.pick_of_other_batch(SKU, TODAY, "B-1")
    assert (other and other.code) == code(2)


def test_an_order_that_an_index_names_twice_is_read_once(store: Store) -> None:
    store.save(paid_order("1"))

    assert [order.id for order in store.load_all(["1", "1"])] == ["1"]


INVOICE = notice("2026-9", payment_id="in_1")
JOIN = PaymentNotice("stripe", "in_1", None, NOW, "", also=("stripe:pi_1",))
REFUND = PaymentNotice("stripe", "pi_1", None, NOW, "", refunded=Refunded(NOW, "39.95"))


@pytest.mark.parametrize("story", list(permutations([INVOICE, JOIN, REFUND])), ids=range(6))
def test_what_is_said_under_any_name_of_a_payment_comes_together_whichever_comes_first(
    store: Store, story: tuple[PaymentNotice, ...]
) -> None:
    heard: list[PaymentNotice] = []
    for each in story:
        heard += store.facts_of(each).facts

    assert {fact.order_id for fact in heard} == {"2026-9"}
    payment = added_up(heard)
    assert payment.names == ("stripe:in_1", "stripe:pi_1")
    assert payment.standing is Standing.REFUNDED


SESSION = notice("2026-9", payment_id="cs_1", also=("stripe:pi_1",))


def test_the_names_of_a_new_payment_are_written_at_once_and_once(store: Store) -> None:
    calls = watch(store._client)

    first, again = store.facts_of(SESSION), store.facts_of(SESSION)

    assert [name for name, _ in calls] == ["TransactWriteItems"] * 2
    assert (first.facts, first.is_first) == ([SESSION], True)
    assert (again.facts, again.is_first) == ([SESSION], False)
    assert store.orders_of_payment(["stripe:cs_1", "stripe:pi_1"]) == ["2026-9"]


@pytest.mark.parametrize("name", ["cs_1", "pi_1"])
def test_what_was_told_under_one_name_is_not_lost_where_all_names_are_written_at_once(store: Store, name: str) -> None:
    refund = replace(REFUND, payment_id=name)
    assert store.facts_of(refund).facts == []

    heard = store.facts_of(SESSION)

    assert sorted(heard.facts, key=repr) == sorted([SESSION, replace(refund, order_id="2026-9")], key=repr)
    assert store.facts_of(SESSION).facts == heard.facts
    assert store.orders_of_payment(["stripe:cs_1", "stripe:pi_1"]) == ["2026-9"]


def test_names_that_others_write_at_the_same_moment_are_written_one_by_one(store: Store) -> None:
    overtake(store._client)

    assert store.facts_of(SESSION).facts == [SESSION]
    assert store.orders_of_payment(["stripe:cs_1", "stripe:pi_1"]) == ["2026-9"]


def test_an_order_that_is_taken_to_be_new_and_is_there_keeps_all_that_it_has(store: Store) -> None:
    store.save(paid_order("2026-9"))
    other = notice("2026-9", payment_id="cs_2")

    changed = store.change("2026-9", lambda order: contents.with_payment(order, other, NOW, "EUR"), is_new=True)

    assert [payment.names for payment in changed.payments] == [("stripe:cs_2026-9",), ("stripe:cs_2",)]
    assert store.load("2026-9") == changed


def test_a_product_that_was_not_there_is_looked_for_again_and_one_that_was_is_not(store: Store) -> None:
    assert store.known_skus([SKU, "LATER"]) == {SKU}
    store.put_product(product("LATER"))
    calls = watch(store._client)

    for _ in range(3):
        assert store.known_skus([SKU, "LATER"]) == {SKU, "LATER"}

    assert len(calls) == 1


def test_a_code_of_the_page_at_random_is_picked_once(store: Store, stocked: Stocked) -> None:
    stocked([code(number) for number in range(250)])

    for _ in range(8):  # whether there is such a page depends on where it begins
        store.keep_hints(SKU, TODAY, store.hints(SKU, TODAY, 1))
        picked = [each.digest for each in store.pick(SKU, 1000, TODAY)]
        assert (len(picked), len(set(picked))) == (250, 250)


def test_hints_serve_several_sales_for_a_minute_and_none_near_the_end_of_the_stock(
    store: Store, stocked: Stocked
) -> None:
    clock = [0.0]
    worker = Store(store._client, store.table, seconds=lambda: clock[0])
    asked = watch(store._client, "Query")

    def sale() -> list[str]:
        hints = worker.hints(SKU, TODAY, 1)
        if not hints.is_kept:
            worker.keep_hints(SKU, TODAY, hints)
        return [*hints.keys[:8]]

    stocked([code(n) for n in range(99)])
    assert [len(sale()) for _ in range(2)] == [8, 8]
    assert len(asked) == 2

    stocked([code(99)])
    found = [key for _ in range(12) for key in sale()]
    assert (len(asked), len(set(found))) == (3, 96)
    sale()
    assert len(asked) == 5  # at a random place there were too few
    clock[0] = 59.0
    sale()
    assert len(asked) == 5
    clock[0] = 60.0
    sale()
    assert len(asked) == 6


def test_a_code_that_was_moved_to_another_product_meanwhile_is_not_given_for_the_former_one(
    store: Store, stocked: Stocked
) -> None:
    stocked([code(n) for n in range(3)])
    worker = Store(store._client, store.table)
    hints = worker.hints(SKU, TODAY, 3)
    order, picked = store.save(paid_order()), worker.pick(SKU, 1, TODAY, hints.keys)
    moved = [item for n in range(3) if (item := store.code_item(code(n)))]
    assert store.move(moved, "OTHER") == 3

    assert worker.pick(SKU, 1, TODAY, hints.keys) == []
    with pytest.raises(Conflict):
        worker.assign(licensing.with_codes(order, picked, {SKU: PRODUCT}, NOW, ZONE), picked, TODAY)
    assert [each.sku for each in worker.pick("OTHER", 3, TODAY)] == ["OTHER"] * 3


def test_an_address_that_is_corrected_once_more_after_it_was_forgotten_is_kept(store: Store) -> None:
    address = "anna@klant.example"
    key = {"pk": {"S": f"FORMER#{customer_digest(address)}"}}
    store.put_former(address, "o1")
    store.forget_former(address, "o1")
    assert "expires" in store._client.get_item(TableName=store.table, Key=key)["Item"]

    store.put_former(address, "o2")

    assert store.former(address) == ["o2"]
    assert "expires" not in store._client.get_item(TableName=store.table, Key=key)["Item"]


def test_of_many_codes_with_one_last_day_each_page_is_another_one_and_an_earlier_day_goes_first(
    store: Store, stocked: Stocked
) -> None:
    clock = [0.0]
    worker = Store(store._client, store.table, seconds=lambda: clock[0])
    stocked([code(n) for n in range(300)])

    def page() -> list[str]:
        hints = worker.hints(SKU, TODAY, 13)  # more than an earlier page has left
        worker.keep_hints(SKU, TODAY, hints)
        return [*hints.keys]

    pages = [page() for _ in range(20)]
    assert {len(each) for each in pages} == {100}
    assert len({key for each in pages for key in each}) > 150

    list(store.add_codes(SKU, [code(300)], None, date(2026, 12, 31)))
    worker.drop_hints(SKU)  # codes came
    assert page()[0] == page()[0] == f"CODE#{digest(code(300))}"
    list(store.add_codes(SKU, [code(301)], None, date(2026, 12, 30)))  # as an index tells that lags
    clock[0] = 60.0
    assert page()[0] == f"CODE#{digest(code(301))}"


def test_who_finds_that_others_take_the_same_codes_reads_anew_after_a_moment_by_chance(
    store: Store, stocked: Stocked
) -> None:
    waited: list[float] = []
    worker = Store(store._client, store.table, pause=waited.append)
    stocked([code(n) for n in range(20)])

    free = worker.pick(SKU, 1, TODAY, ["CODE#taken"])
    assert len(free) == 1
    assert waited == [pytest.approx(0.5, abs=0.5)]
    assert len(worker.pick(SKU, 1, TODAY, worker.hints(SKU, TODAY, 1).keys)) == 1
    assert len(waited) == 1


def test_a_code_that_others_took_since_it_was_read_is_passed_over(store: Store, stocked: Stocked) -> None:
    stocked([code(n) for n in range(100)])
    hints = store.hints(SKU, TODAY, 2).keys
    (first,) = store.pick(SKU, 1, TODAY, hints)
    order = store.save(paid_order())
    store.assign(licensing.with_codes(order, [first], {SKU: PRODUCT}, NOW, ZONE), [first], TODAY)

    (second,) = store.pick(SKU, 1, TODAY, hints)

    assert f"CODE#{first.digest}" == hints[0]
    assert second.digest != first.digest


def test_what_is_said_at_once_comes_together_too(store: Store) -> None:
    for number in range(10):
        story = [
            replace(INVOICE, order_id=f"at-once-{number}", payment_id=f"in_{number}"),
            replace(JOIN, payment_id=f"in_{number}", also=(f"stripe:pi_{number}",)),
            replace(REFUND, payment_id=f"pi_{number}"),
        ]
        with ThreadPoolExecutor(3) as pool:
            heard = [fact for found in pool.map(store.facts_of, story) for fact in found.facts]

        assert added_up(heard).standing is Standing.REFUNDED


def test_news_of_a_payment_that_nobody_knows_is_of_no_order(store: Store) -> None:
    assert store.facts_of(REFUND).facts == []
    assert store.facts_of(JOIN).facts == []


def test_whose_a_payment_is_stays_known_whatever_is_told_of_it_without_saying_so(store: Store) -> None:
    known, orphan = notice("owned", payment_id="cs_owned"), notice("", payment_id="cs_owned")
    for each in (known, orphan):
        store.facts_of(each)

    item = store._client.get_item(TableName=store.table, Key={"pk": {"S": "PAYMENT#stripe:cs_owned"}})["Item"]

    assert item["order_id"] == {"S": "owned"}
    assert "expires" not in item


def test_a_payment_of_a_provider_pays_for_one_order_whatever_a_shop_says(store: Store) -> None:
    store.facts_of(notice("1", provider="mollie", payment_id="tr_123456"))
    by_shop = notice("1", provider="webhook", payment_id="tr_123456", also=("mollie:tr_123456",))

    (again,) = store.facts_of(by_shop).facts
    (other,) = store.facts_of(replace(by_shop, order_id="2")).facts

    assert again.problem is None
    assert (other.order_id, other.problem) == (
        "2",
        said("payment_of_other_order", payment="mollie:tr_123456", order="1"),
    )


def test_until_when_a_provider_was_asked_is_the_first_time_and_then_the_last_that_went_well(store: Store) -> None:
    assert store.reconciled("mollie", NOW) == NOW
    assert store.reconciled("mollie", NOW + timedelta(hours=1)) == NOW

    later = NOW + timedelta(hours=2)
    store.put_reconciled("mollie", later - timedelta(hours=1))

    assert store.reconciled("mollie", later) == later - timedelta(hours=1)
    assert store.reconciled("stripe", later) == later


def test_the_moment_from_which_keypost_serves_is_stored_once_and_a_person_may_change_it(store: Store) -> None:
    assert store.start() is None

    assert store.start_or(NOW) == NOW
    assert store.start_or(NOW + timedelta(days=1)) == NOW

    store.put_start(NOW - timedelta(days=30))
    assert store.start() == store.start_or(NOW) == NOW - timedelta(days=30)


def test_the_catalog_lists_each_product_once(store: Store) -> None:
    for sku in ("B-1", "A-1", "B-1"):
        store.put_product(product(sku))

    assert list(store.catalog()) == ["A-1", "B-1", SKU]


def test_what_was_used_is_counted_by_day_over_the_end_of_a_month(store: Store) -> None:
    for day, count in ((date(2026, 10, 31), 2), (date(2026, 11, 1), 3), (date(2026, 11, 1), 4), (date(2026, 11, 9), 8)):
        store.count_used(SKU, day, count)
    store.count_used("OTHER", date(2026, 11, 1), 16)

    order = store.save(paid_order())
    list(store.add_codes(SKU, [code(1)], None, None))
    taken = store.pick(SKU, 1, TODAY)
    store.assign(licensing.with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE), taken, date(2026, 11, 1))

    assert store.used(SKU, [date(2026, 10, 31), date(2026, 11, 1)]) == 10
    assert store.used(SKU, [date(2026, 11, 1)]) == 8
    assert store.used(SKU, [date(2026, 10, 31)]) == 2
    assert store.used(SKU, [date(2026, 12, 1)]) == 0


def test_a_support_key_comes_back_as_it_was_and_all_are_listed(store: Store) -> None:
    keys = [new_key(f"agent {n}", SCOPES[:n], 30, NOW + timedelta(hours=n))[1] for n in (2, 1)]
    for key in keys:
        store.put_support_key(key)

    assert [store.support_key(key.id) for key in keys] == keys
    assert store.support_keys() == [keys[1], keys[0]]
    assert store.support_key("0123456789") is None


def test_a_support_key_never_takes_the_place_of_another(store: Store) -> None:
    key = new_key("anna", SCOPES, 30, NOW)[1]
    store.put_support_key(key)

    with pytest.raises(Unmet):
        store.put_support_key(replace(key, agent="eve"))
    assert store.support_keys() == [key]


def test_a_support_key_is_revoked_once_and_for_ever(store: Store) -> None:
    key = new_key("anna", SCOPES, 30, NOW)[1]
    store.put_support_key(key)

    assert store.revoke_support_key(key.id, NOW)
    assert store.revoke_support_key(key.id, NOW + timedelta(days=1))
    assert store.support_key(key.id) == replace(key, revoked_at=NOW)


def test_a_key_that_does_not_exist_is_not_made_by_revoking_or_using_it(store: Store) -> None:
    store.note_support_key_used("0123456789", TODAY)

    assert not store.revoke_support_key("0123456789", NOW)
    assert store.support_key("0123456789") is None


def test_the_last_day_on_which_a_key_was_used_never_goes_back(store: Store) -> None:
    key = new_key("anna", SCOPES, 30, NOW)[1]
    store.put_support_key(key)

    for day in (TODAY, TODAY - timedelta(days=1)):
        store.note_support_key_used(key.id, day)

    assert store.support_key(key.id) == replace(key, last_used=TODAY)


def test_a_customers_wishes_of_a_day_are_counted_each_once(store: Store) -> None:
    def wish(minutes: int, name: str, whose: str = "anna") -> bool:
        wish = Wish(name, whose, NOW + timedelta(minutes=minutes))
        return store.begin_round(wish, NOW.date(), most=2, most_of_asker=2)

    assert wish(0, "first")
    assert not wish(4, "a click too many")
    assert wish(6, "second")
    assert not wish(60, "third")
    assert wish(60, "first")
    assert wish(60, "another customer's", "piet")
    tomorrow = Wish("third", "anna", NOW + timedelta(days=1))
    assert store.begin_round(tomorrow, NOW.date() + timedelta(days=1), most=2, most_of_asker=2)


MOMENTS = [NOW + timedelta(minutes=n) for n in range(3)]


@pytest.mark.parametrize("order_of_arrival", list(permutations(range(3))))
def test_what_is_known_of_an_address_does_not_depend_on_what_came_first(
    store: Store, order_of_arrival: tuple[int, ...]
) -> None:
    bounced, lifted, again = MOMENTS
    calls: list[Callable[[], object]] = [
        lambda: store.put_bad_address("a@klant.example", Fate.BOUNCED, bounced),
        lambda: store.lift_bad_address("a@klant.example", lifted),
        lambda: store.put_bad_address("A@Klant.example", Fate.BOUNCED, again),
    ]
    for place in (*order_of_arrival, 0):
        calls[place]()

    assert store.bad_address("a@klant.example") == (Fate.BOUNCED, again)


def test_an_address_that_was_lifted_is_good_though_its_bounce_is_told_again(store: Store) -> None:
    assert store.bad_address("b@klant.example") is None
    store.put_bad_address("b@klant.example", Fate.BOUNCED, MOMENTS[0])
    store.lift_bad_address("b@klant.example", MOMENTS[1])
    store.put_bad_address("b@klant.example", Fate.BOUNCED, MOMENTS[0])

    assert store.bad_address("b@klant.example") is None


def test_a_complaint_says_more_of_an_address_than_a_bounce(store: Store) -> None:
    store.put_bad_address("c@klant.example", Fate.COMPLAINED, MOMENTS[0])
    store.put_bad_address("c@klant.example", Fate.BOUNCED, MOMENTS[1])

    assert store.bad_address("c@klant.example") == (Fate.COMPLAINED, MOMENTS[0])


def test_a_complaint_is_not_lifted_whenever_it_is_told(store: Store) -> None:
    store.lift_bad_address("e@klant.example", MOMENTS[1])
    store.put_bad_address("e@klant.example", Fate.COMPLAINED, MOMENTS[0])

    assert store.bad_address("e@klant.example") == (Fate.COMPLAINED, MOMENTS[0])


def test_nothing_is_known_of_an_address_that_was_forgotten(store: Store) -> None:
    store.put_bad_address("d@klant.example", Fate.BOUNCED, NOW)

    store.forget_address("d@klant.example")
    store.forget_address("nobody@klant.example")

    assert store.bad_address("d@klant.example") is None
    stored = [item for item in store._client.scan(TableName=store.table)["Items"] if "BOUNCED" in item["pk"]["S"]]
    assert [set(item) for item in stored] == [{"pk", "expires"}]


def test_mail_is_paused_until_the_latest_moment_that_somebody_said(store: Store) -> None:
    assert not store.at_hand(paid_order()).is_mail_paused(NOW)
    store.pause_mail(MOMENTS[2])
    store.pause_mail(MOMENTS[1])

    assert store.at_hand(paid_order()).is_mail_paused(MOMENTS[1])
    assert not store.at_hand(paid_order()).is_mail_paused(MOMENTS[2])
    store._client.delete_item(TableName=store.table, Key={"pk": {"S": "PAUSE"}})  # other tests mail at the same time


def test_what_keeps_an_order_back_is_read_as_it_is_now_and_all_else_may_lag(store: Store) -> None:
    reads = watch(store._client, "BatchGetItem")

    def is_exact() -> list[bool]:
        found = [about["RequestItems"][store.table]["ConsistentRead"] for _, about in reads]
        reads.clear()
        return found

    assert list(store.at_hand(paid_order()).products) == [SKU]
    assert is_exact() == [False]
    store.at_hand(paid_order("2", Line("LATER", 1)))
    assert is_exact() == [False, True]
    store.put_bad_address("facturen@klant.example", Fate.BOUNCED, NOW)
    assert store.at_hand(paid_order()).address.bad == (Fate.BOUNCED, NOW)
    assert is_exact() == [False, True]


@moto_as_a_drill
def test_the_largest_order_that_people_can_make_of_it_fits_into_one_item(store: Store) -> None:
    words, asked = "\U0001f600" * 100, Asked(NOW, "agent-" + "a" * 58, "", "k" * 100)
    order = licensing.with_codes(
        paid_order("x" * 80, Line(SKU, 1000), email="a" * 240 + "@b.example"),
        [StockCode(str(n), code(n), SKU) for n in range(1000)],
        {SKU: PRODUCT},
        NOW,
        ZONE,
    )
    told = (Told(1, Fate.BOUNCED, NOW, "Permanent General smtp; 550 5.1.1 no such user"),)
    (mail,) = (replace(mail, told=told, asked=asked, message_id="0" * 60) for mail in order.mails)
    order = replace(
        order,
        mails=(mail,) * support.MOST_MAILS,
        bad_codes=(BadCode("LIC-ABCDEFGHIJ", code(1), SKU, "wrong region", replace(asked, why=words)),)
        * support.MOST_SWAPS,
        timeline=(TimelineEntry(NOW, "suppression_lifted", who=asked.who, words=words),) * 200,
        customer=replace(
            order.customer,
            corrected={
                "a" * 240 + f"{n}@b.example": order.customer.email or "" for n in range(support.MOST_CORRECTIONS)
            },
        ),
    )

    assert store.save(order).version == 1  # the emulator counts bytes as DynamoDB does


def test_a_call_at_a_door_is_written_down_once_an_hour(store: Store) -> None:
    for minutes in (0, 20, 59, 60, 119, 300):
        store.hear("stripe", NOW + timedelta(minutes=minutes))

    first, hour, gap = NOW, timedelta(hours=1), timedelta(hours=4)
    gaps = (Gap(NOW + timedelta(minutes=300), gap),)
    assert list(store.doors(["stripe", "mollie"])) == [Door("stripe", first, NOW + hour + gap, gaps)]


def test_a_call_at_a_door_costs_a_read_and_a_write_an_hour_and_only_a_read_in_a_further_environment(
    store: Store,
) -> None:
    calls = watch(store._client)
    for minutes in range(60):
        store.hear("stripe", NOW + timedelta(minutes=minutes))
    other = Store(store._client, store.table)
    for minutes in range(60):
        other.hear("stripe", NOW + timedelta(minutes=minutes))

    assert [name for name, _ in calls] == ["BatchGetItem", "UpdateItem", "BatchGetItem"]


def test_of_two_first_calls_at_a_door_in_one_moment_one_is_written_down(store: Store) -> None:
    other = Store(store._client, store.table)
    raced: list[str] = []

    def race(_: Parameters) -> None:
        if not raced:
            raced.append("once")
            other.hear("stripe", NOW)

    on_call(store._client, "UpdateItem", race)
    store.hear("stripe", NOW + timedelta(seconds=1))

    assert list(store.doors(["stripe"])) == [Door("stripe", NOW, NOW)]


def test_the_moment_of_a_teller_is_stored_as_precise_as_it_is_and_ours_as_before(store: Store) -> None:
    exact = NOW + timedelta(microseconds=100_001)
    payment = Payment(("webhook:1",), PaymentState.PAID, NOW, refunded=(Refunded(exact, "10.00", by="webhook"),))
    store.save(Order(id="exact", created_at=NOW, payments=(payment,)))

    order = store.load("exact")
    assert order is not None
    assert order.payments == (payment,)
    stored = store._client.get_item(TableName=store.table, Key={"pk": {"S": "ORDER#exact"}})["Item"]
    assert stored["created_at"]["S"] == "2026-11-23T12:00:00Z"
