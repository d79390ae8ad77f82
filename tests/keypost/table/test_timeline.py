"""The order's item and what is kept beside it: older entries of its timeline, and the words of who swapped a code."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.stacks import Stack
from keypost.core import licensing, mailing
from keypost.core.codes import StockCode
from keypost.core.errors import Conflict, Unreadable
from keypost.core.mail import Asked, Fate, MailReport, MailSent
from keypost.core.order import Beside, Order, TimelineEntry, noted
from keypost.table import Store
from keypost.table.orders import TIMELINE_IN_ORDER, TIMELINE_PAGE, order_item
from keypost.use_cases.help_customer import Desk
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, loaded, paid_order, put_item

ALL = TIMELINE_IN_ORDER + TIMELINE_PAGE
WRITE_UNIT = 1_024  # bytes
MARK = 18  # bytes, of who wrote an item


@pytest.fixture
def desk(store: Store, stack: Stack) -> Desk:
    return Desk(store, stack.queue, ZONE)


def with_entries(order: Order, count: int) -> Order:
    """With so many entries in its timeline, all told."""
    for number in range(len(order.timeline) + order.moved, count):
        order = noted(order, NOW + timedelta(seconds=number), "held", who="anna", words=f"word {number}")
    return order


def whole(store: Store, order_id: str) -> tuple[TimelineEntry, ...]:
    order = loaded(store, order_id)
    return (*store.beside(order).timeline, *order.timeline)


@pytest.mark.parametrize(("count", "moved"), [(ALL - 1, 0), (ALL, 50), (ALL + 49, 50), (ALL + 50, 100), (3 * ALL, 150)])
def test_entries_move_out_of_the_order_fifty_at_a_time_and_none_is_lost(store: Store, count: int, moved: int) -> None:
    order = with_entries(paid_order(), count)

    saved = store.save(order)

    assert saved == replace(order, version=1, timeline=order.timeline[moved:], moved=moved)
    assert loaded(store, order.id) == saved
    assert whole(store, order.id) == order.timeline


def test_a_part_of_the_timeline_that_has_expired_is_missing_and_nothing_else(store: Store) -> None:
    order = with_entries(paid_order(), 3 * ALL)
    store.save(order)
    store._client.delete_item(TableName=store.table, Key={"pk": {"S": f"ORDER#{order.id}/TIMELINE#1"}})

    store.forget_words(loaded(store, order.id), NOW.date())

    assert [entry.at for entry in whole(store, order.id)] == [
        entry.at for entry in (*order.timeline[:50], *order.timeline[100:])
    ]


def test_an_order_that_is_changed_again_and_again_keeps_its_whole_timeline(store: Store) -> None:
    order = store.save(paid_order())
    for count in range(10, 200, 7):
        order = store.change_existing(order.id, lambda latest: with_entries(latest, count))  # noqa: B023 - at once
        assert len(order.timeline) < ALL

    assert whole(store, order.id) == with_entries(paid_order(), count).timeline


def test_of_two_who_move_entries_at_once_one_is_refused_and_nothing_of_its_own_is_kept(store: Store) -> None:
    order = store.save(with_entries(paid_order(), ALL - 1))
    first = noted(order, NOW, "released", who="piet")
    store.save(first)

    with pytest.raises(Conflict):
        store.save(replace(noted(order, NOW, "held", who="eva"), timeline=order.timeline * 2))

    assert whole(store, order.id) == first.timeline


def test_codes_and_a_part_of_the_timeline_move_in_one_transaction(store: Store, stocked: Any) -> None:
    stocked([code(n) for n in range(49)])
    order = store.save(with_entries(paid_order("2026-001234", replace(paid_order().lines[0], quantity=49)), ALL - 1))
    taken = store.pick(SKU, 49, NOW.date())

    saved = store.assign(licensing.with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE), taken, NOW.date())

    assert (len(saved.licenses), saved.moved) == (49, TIMELINE_PAGE)
    assert len(whole(store, order.id)) == ALL


def test_an_erasure_removes_words_from_all_that_is_kept_beside_the_order_too(desk: Desk, stocked: Any) -> None:
    store = desk.store
    order = sold_and_swapped(desk, stocked)
    store.change_existing(order.id, lambda latest: with_entries(latest, 2 * ALL))
    assert "word 9" in {entry.words for entry in store.beside(loaded(store, order.id)).timeline}
    assert [claim.note for claim in store.claims("test")] == ["Anna says so"]

    desk.erase("facturen@klant.example", Asked(NOW, "anna"), 7)

    erased = loaded(store, order.id)
    assert erased.is_erased
    assert len(whole(store, order.id)) > 2 * ALL
    assert {entry.words for entry in whole(store, order.id)} == {""}
    assert store.beside(erased).notes == {}
    assert [(claim.code, claim.note) for claim in store.claims("test")] == [(code(1), "")]
    items = store._client.scan(TableName=store.table)["Items"]
    assert [item["pk"]["S"] for item in items if b"word" in repr(item).encode() or "Anna says" in repr(item)] == []
    assert all("expires" in item for item in items if item["pk"]["S"].startswith("ORDER#"))


@pytest.mark.parametrize("damage", [{"entries": [{"at": "never"}]}, {"entries": 7}, {}], ids=str)
def test_a_damaged_part_of_a_timeline_keeps_the_customer_in_that_order_only(desk: Desk, damage: dict[str, Any]) -> None:
    store = desk.store
    for order_id in ("damaged", "sound"):
        store.save(with_entries(paid_order(order_id), ALL))
    put_item(store, {"pk": "ORDER#damaged/TIMELINE#0", **damage})

    found, left_out = store.beside_each(store.orders_of("facturen@klant.example").orders)
    assert [(order.id, len(beside.timeline)) for order, beside in found] == [("sound", TIMELINE_PAGE)]
    assert [(type(error), error.order_id) for error in left_out] == [(Unreadable, "damaged")]

    erased = desk.erase("facturen@klant.example", Asked(NOW, "anna"), 7)

    assert ([order.id for order in erased.orders], erased.later) == (["sound"], ["damaged"])
    (kept,) = store.asides(["damaged"])
    assert kept.erasure


def sold_and_swapped(desk: Desk, stocked: Any) -> Order:
    """An order whose code was swapped, as the customer said that it did not work."""
    stocked([code(1)])
    order = desk.store.save(paid_order())
    taken = desk.store.pick(SKU, 1, NOW.date())
    order = desk.store.assign(
        licensing.with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE, may_mail=False), taken, NOW.date()
    )
    list(desk.store.add_codes(SKU, [code(2)], "other", None))
    return desk.swap_code(order.id, order.licenses[0].id, "invalid", Asked(NOW, "anna", "Anna says so"))


def test_what_an_agent_wrote_of_a_bad_code_is_kept_with_the_code(desk: Desk, stocked: Any) -> None:
    order = sold_and_swapped(desk, stocked)

    assert [bad.asked for bad in order.bad_codes] == [Asked(NOW, "anna")]
    assert desk.store.beside(order) == Beside(notes={code(1): "Anna says so"})
    assert [(claim.code, claim.note) for claim in desk.store.claims("test")] == [(code(1), "Anna says so")]


def test_a_claim_is_told_without_the_order_that_had_the_code(desk: Desk, stocked: Any) -> None:
    order = sold_and_swapped(desk, stocked)
    desk.store._client.delete_item(TableName=desk.store.table, Key={"pk": {"S": f"ORDER#{order.id}"}})

    assert [claim.note for claim in desk.store.claims("test")] == ["Anna says so"]


def test_a_delivered_sale_of_one_code_fits_into_one_write_unit() -> None:
    assert size(order_item(delivered())) + MARK <= WRITE_UNIT


def delivered() -> Order:
    order = licensing.with_codes(paid_order(), [StockCode("0" * 64, code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    (mail,) = order.mails
    order = mailing.settle_mail(order, mail.id, 1, MailSent("0" * 60), NOW)
    for fate in (Fate.SENT, Fate.DELIVERED):
        at = NOW + timedelta(seconds=2)
        report = MailReport(order.id, mail.id, 1, fate, at, "", order.customer.email or "", "0" * 60, NOW)
        order = mailing.with_report(order, report, at)
    return replace(order, version=5)


def size(value: Any) -> int:
    """The bytes of an item, or of a part of one, as DynamoDB counts them."""
    if "pk" in value:
        return sum(len(name.encode()) + size(part) for name, part in value.items())
    ((kind, part),) = value.items()
    match kind:
        case "S":
            return len(part.encode())
        case "N":
            return len(part) // 2 + 1
        case "L":
            return 3 + sum(1 + size(each) for each in part)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size(each) for name, each in part.items())
    return 1
