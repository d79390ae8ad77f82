from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keypost.core.errors import InvalidInput
from keypost.core.order import Reason
from keypost.core.payment import Remark
from keypost.core.said import Said, said
from keypost.table import Store
from keypost.use_cases.list_attention import worklist
from keypost.use_cases.list_inbox import InboxItem, all_of_inbox, inbox
from tests.builders import NOW

REMARK = Remark(
    "webhook", NOW, said("card_does_not_fit", why=said("field_missing", field="sku")), "2026-1", "webhook:p"
)


def orders(store: Store, days: int = 400, now: datetime = NOW) -> list[str | None]:
    return [item.order_id for item in all_of_inbox(store, days, now)]


def test_a_remark_is_read_as_it_was_told_with_the_payment_among_its_values(store: Store) -> None:
    store.put_remark(REMARK)
    store.put_remark(Remark("moneybird", NOW - timedelta(hours=1), Said("credit_note")))

    assert list(all_of_inbox(store, 7, NOW)) == [
        InboxItem(
            NOW,
            "webhook",
            "2026-1",
            said("card_does_not_fit", payment="webhook:p", why=said("field_missing", field="sku")),
        ),
        InboxItem(NOW - timedelta(hours=1), "moneybird", None, Said("credit_note")),
    ]


def test_the_same_on_the_same_day_is_one_and_whatever_differs_is_another(store: Store) -> None:
    for hours in (0, 1, 2):
        store.put_remark(replace(REMARK, at=NOW + timedelta(hours=hours)))
    assert [item.at for item in all_of_inbox(store, 1, NOW + timedelta(hours=3))] == [NOW]

    for other in (
        replace(REMARK, provider="stripe"),
        replace(REMARK, order_id="2026-2"),
        replace(REMARK, payment="webhook:q"),
        replace(REMARK, why=said("card_does_not_fit", why=said("field_missing", field="quantity"))),
        replace(REMARK, at=NOW + timedelta(days=1)),
    ):
        store.put_remark(other)
    assert len(orders(store, now=NOW + timedelta(days=1))) == 6


def test_it_is_read_newest_first_page_by_page_over_months_and_years_and_also_within_one_second(store: Store) -> None:
    moments = [NOW - timedelta(days=n * 9) for n in range(40)]
    told = [replace(REMARK, at=at, order_id=f"{n}-{twin}") for n, at in enumerate(moments) for twin in range(2)]
    for remark in told:
        store.put_remark(remark)

    pages: list[list[str]] = []
    after = None
    while not pages or after:
        page = inbox(store, 400, NOW, after, size=7)
        pages.append([item.order_id or "" for item in page.items])
        after = page.next

    assert [len(page) for page in pages] == [7] * 11 + [3]
    read = [order_id for page in pages for order_id in page]
    assert [order_id.partition("-")[0] for order_id in read] == [str(n) for n in range(40) for _ in range(2)]
    assert sorted(read) == sorted(remark.order_id for remark in told)


def test_what_is_older_than_was_asked_for_is_left_out_and_so_is_what_is_newer_than_now(store: Store) -> None:
    for days in (-1, 0, 6, 8):
        store.put_remark(replace(REMARK, at=NOW - timedelta(days=days), order_id=f"{days} days"))

    assert orders(store, days=7) == ["0 days", "6 days"]
    assert store.count_remarks(NOW - timedelta(days=7), NOW, 100) == 2
    assert store.count_remarks(NOW - timedelta(days=7), NOW, 1) == 1


@pytest.mark.parametrize(
    "after", ["x", "~", "2026-11-23T12:00:00Z", f"9999-99-23T12:00:00Z~{'0' * 32}", f"2026-13-30T12:00:00Z~{'0' * 32}"]
)
def test_a_place_that_is_none_is_refused(store: Store, after: str) -> None:
    with pytest.raises(InvalidInput, match="no_such_page"):
        inbox(store, 7, NOW, after)


@pytest.mark.parametrize("year", ["0001", "2025", "9999"])
def test_a_place_outside_of_what_was_asked_for_is_read_in_the_same_time(store: Store, year: str) -> None:
    store.put_remark(REMARK)
    queries: list[object] = []
    store._client.meta.events.register("provide-client-params.dynamodb.Query", lambda **_: queries.append(1))

    page = inbox(store, 7, NOW, f"{year}-11-23T12:00:00Z~{'0' * 32}")

    assert (len(page.items), page.next) == (1 if year == "9999" else 0, None)
    assert len(queries) <= 4


def test_it_is_kept_for_400_days_and_in_no_list_of_orders(store: Store) -> None:
    store.put_remark(REMARK)

    (item,) = (
        item
        for item in store._client.scan(TableName=store.table)["Items"]
        if item["pk"]["S"].startswith("INBOX#2026-11-23#")
    )
    assert datetime.fromtimestamp(int(item["expires"]["N"]), UTC) == NOW + timedelta(days=400)
    assert worklist(store).counts == {}
    assert [page for reason in Reason for page in store.needing(reason)] == []
    assert list(store.due(NOW + timedelta(days=1000))) == []


def test_a_rush_of_remarks_is_spread_over_several_places_of_the_index(store: Store) -> None:
    for n in range(40):
        store.put_remark(replace(REMARK, order_id=str(n)))

    found = store._client.scan(TableName=store.table)["Items"]
    places = {item["attention"]["S"] for item in found if item["pk"]["S"].startswith("INBOX#")}
    assert places == {f"inbox 2026-11 {n}" for n in range(4)}
