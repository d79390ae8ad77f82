"""A customer who buys again what runs already, and one purchase that two programs of a shop tell of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keypost.core import support
from keypost.core.obstacles import is_servable, obstacle
from keypost.core.order import Order
from keypost.core.payment import OrderCanceled, PaymentNotice
from keypost.core.product import Kind, Line
from keypost.core.repeat import Repeat
from keypost.table import Store
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, code, loaded, notice

WOO, MONEYBIRD = "woocommerce", "moneybird"


@pytest.fixture
def running(worker: Worker, store: Store, stocked: Callable[[list[str]], None]) -> str:
    """The license that a customer has."""
    stocked([code(1)])
    record(store, told(WOO, "2025", at=NOW - timedelta(days=300)), NOW, INTAKE)
    worker.advance("2025")
    return loaded(store, "2025").licenses[0].id


def told(provider: str, order_id: str, **changes: object) -> PaymentNotice:
    plain = notice(order_id, provider=provider, payment_id=f"{provider}-{order_id}")
    return replace(plain, **changes)  # type: ignore[arg-type]


def release(store: Store, order_id: str) -> None:
    def released(order: Order) -> Order:
        return support.release(order, "anna", NOW)

    store.change_existing(order_id, released)


def test_without_a_setting_a_second_license_is_a_second_license(running: str, store: Store) -> None:
    record(store, told(WOO, "2026"), NOW, INTAKE)

    assert loaded(store, "2026").lines == (Line(SKU, 1),)


def test_a_shop_that_knows_no_renewals_can_have_them_recognized(running: str, store: Store) -> None:
    intake = replace(INTAKE, repeats={WOO: Repeat.RENEWAL})

    for _ in range(2):  # told again, it stays what it was taken for
        record(store, told(WOO, "2026", said=NOW), NOW, intake)

    assert loaded(store, "2026").lines == (Line(SKU, 1, Kind.RENEWAL, running),)


def test_or_can_have_a_person_asked(running: str, store: Store) -> None:
    intake = replace(INTAKE, repeats={WOO: Repeat.ASK})

    for minutes in range(2):
        record(store, told(WOO, "2026", said=NOW + timedelta(minutes=minutes)), NOW, intake)

    order = loaded(store, "2026")
    assert order.hold.problem is not None
    assert (order.hold.problem.code, order.hold.problem.values) == ("may_renew", {"licenses": (running,)})
    release(store, "2026")
    record(store, told(WOO, "2026", said=NOW + timedelta(hours=1)), NOW, intake)
    assert is_servable(loaded(store, "2026"))


def test_several_licenses_at_once_are_never_guessed_to_be_renewals(running: str, store: Store) -> None:
    intake = replace(INTAKE, repeats={WOO: Repeat.RENEWAL})

    record(store, told(WOO, "2026", lines=(Line(SKU, 3),)), NOW, intake)

    assert loaded(store, "2026").lines == (Line(SKU, 3),)


@pytest.mark.parametrize("programs", [(WOO, MONEYBIRD), (MONEYBIRD, WOO)])
def test_an_invoice_that_refers_to_the_shops_order_is_that_order(store: Store, programs: tuple[str, str]) -> None:
    tellings = {WOO: told(WOO, "1234"), MONEYBIRD: told(MONEYBIRD, "F-1", refers_to="1234")}

    found = [record(store, tellings[program], NOW, replace(INTAKE, has_books=True))[0] for program in programs]

    first = tellings[programs[0]].order_id
    assert found == [first, first]
    order = loaded(store, first)
    assert ([line.quantity for line in order.lines], order.is_paid_twice, is_servable(order)) == ([1], False, True)


def test_two_invoices_with_the_number_of_a_customer_are_two_orders(store: Store) -> None:
    later = {"at": NOW + timedelta(days=40), "refers_to": "PO-77"}

    for order_id, changes in (("F-1", {"refers_to": "PO-77"}), ("F-2", later)):
        assert record(store, told(MONEYBIRD, order_id, **changes), NOW, INTAKE) == (order_id, True)

    assert [obstacle(loaded(store, order_id)) for order_id in ("F-1", "F-2")] == [None, None]


def test_the_same_purchase_without_a_reference_waits_for_a_person(store: Store) -> None:
    record(store, told(WOO, "1234"), NOW, INTAKE)
    record(store, told(MONEYBIRD, "F-1"), NOW, INTAKE)
    record(store, told(MONEYBIRD, "F-2", amount="12.00"), NOW, INTAKE)

    found = [obstacle(loaded(store, order_id)) for order_id in ("1234", "F-1", "F-2")]
    assert [each and each.code for each in found] == [None, "same_order", None]
    assert found[1] is not None
    assert found[1].values == {"order": "1234"}
    release(store, "F-1")
    record(store, told(MONEYBIRD, "F-1"), NOW, INTAKE)
    assert is_servable(loaded(store, "F-1"))


BESIDE_BOOKS = replace(INTAKE, has_books=True)


@pytest.mark.parametrize("provider", ["mollie", "stripe", "webhook", WOO])
@pytest.mark.parametrize("turn", [1, -1])
def test_an_invoice_and_the_payment_of_the_order_to_which_it_refers_are_one_order_whoever_tells_first(
    store: Store, provider: str, turn: int
) -> None:
    tellings = [told(provider, "1234"), told(MONEYBIRD, "F-1", refers_to="1234")][::turn]

    found = {record(store, each, NOW, BESIDE_BOOKS)[0] for each in (*tellings, *tellings)}

    assert found == {tellings[0].order_id}
    order = loaded(store, tellings[0].order_id)
    assert ([line.quantity for line in order.lines], order.is_paid_twice, is_servable(order)) == ([1], False, True)
    record(store, OrderCanceled("1234"), NOW, BESIDE_BOOKS)
    assert loaded(store, tellings[0].order_id).canceled


@pytest.mark.parametrize("provider", ["mollie", "stripe", "webhook", WOO])
@pytest.mark.parametrize("turn", [1, -1])
def test_one_purchase_without_a_reference_waits_whoever_tells_first(store: Store, provider: str, turn: int) -> None:
    first, second = [told(provider, "1234"), told(MONEYBIRD, "F-1")][::turn]
    bare = replace(second, lines=())  # what it is for is told later

    for each in (first, bare, second):
        record(store, each, NOW, BESIDE_BOOKS)

    found = obstacle(loaded(store, second.order_id))
    assert is_servable(loaded(store, first.order_id))
    assert found is not None
    assert (found.code, found.values) == ("same_order", {"order": first.order_id})


def test_two_purchases_of_which_no_bookkeeper_tells_are_two_orders(store: Store) -> None:
    for provider, order_id in (("mollie", "1234"), ("stripe", "1235"), ("webhook", "1236")):
        record(store, told(provider, order_id), NOW, BESIDE_BOOKS)
        assert is_servable(loaded(store, order_id))


def test_a_shop_may_say_in_which_language_it_writes_to_those_who_named_none(store: Store) -> None:
    record(store, told(WOO, "1234", language=None), NOW, replace(INTAKE, language="en"))

    assert loaded(store, "1234").customer.language == "en"


def keys(store: Store) -> str:
    return repr([item["pk"] for item in store._client.scan(TableName=store.table)["Items"]])


@pytest.mark.parametrize("typed", ["anna@klant.example", code(1), "t.a.v. Anna Jansen"])
def test_no_key_shows_what_a_bookkeeper_typed_as_the_reference_of_an_invoice(typed: str, store: Store) -> None:
    record(store, told(MONEYBIRD, "F-88", refers_to=typed), NOW, INTAKE)

    assert "REFERENCE#" in keys(store)
    assert typed not in keys(store)
