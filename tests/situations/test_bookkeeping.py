"""A month for the bookkeeper."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.bookkeeping import What, happened, month_of
from keypost.core.contents import with_payment
from keypost.core.mail import Asked
from keypost.core.order import Beside
from keypost.core.payment import FailedRefund, PaymentState, Refunded
from keypost.table import Store
from keypost.use_cases.export_month import MonthPage, page_of_month, pages_of_month
from keypost.use_cases.take_fact import record
from keypost.words import reader
from tests.builders import INTAKE, NOW, ZONE, notice, of_customer, paid_order, sent_order
from tests.functions.support_calls import call

NL, EN = reader("nl", ZONE), reader("en", ZONE)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


def rows(pages: Iterable[MonthPage], delimiter: str = ";") -> list[dict[str, str]]:
    text = "".join(page.csv for page in pages)
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def month(store: Store, name: str = "2026-11") -> list[dict[str, str]]:
    return rows(pages_of_month(store, name, ZONE, NL))


def told(store: Store, at: datetime, **changes: Any) -> None:
    record(store, notice(at=at, **changes), at, INTAKE)


def brief(row: dict[str, str]) -> tuple[str, str, str]:
    return row["Datum"], row["Wat er gebeurde"], row["Bedrag (decimale komma)"]


def test_a_month_has_a_row_for_each_thing_that_happened(store: Store) -> None:
    """C 10: orders, licenses and refunds of a month could be had of one customer only."""
    store.save(replace(sent_order(), version=0))

    assert month(store) == [
        {
            "Datum": "2026-11-23",
            "Tijd": "13:00",
            "Bestelling": "2026-001234",
            "Wat er gebeurde": "betaald",
            "Bedrag (decimale komma)": "39,95",
            "Valuta": "EUR",
            "Betaaldienst": "stripe",
            "Betaling": "cs_2026-001234",
            "Producten": "1 x KASPERSKY-STANDARD-3D-1Y",
            "Licentie": "",
            "Code (laatste vijf)": "",
            "Eerste dag": "",
            "Laatste dag": "",
            "Klant": "Anna Jansen",
            "E-mailadres": "facturen@klant.example",
        },
        {
            "Datum": "2026-11-23",
            "Tijd": "13:00",
            "Bestelling": "2026-001234",
            "Wat er gebeurde": "licentie verstuurd",
            "Bedrag (decimale komma)": "",
            "Valuta": "",
            "Betaaldienst": "",
            "Betaling": "",
            "Producten": "KASPERSKY-STANDARD-3D-1Y",
            "Licentie": sent_order().licenses[0].id,
            "Code (laatste vijf)": "…00000",
            "Eerste dag": "2026-11-23",
            "Laatste dag": "2027-11-22",
            "Klant": "Anna Jansen",
            "E-mailadres": "facturen@klant.example",
        },
    ]


def test_money_that_went_back_stands_in_the_month_in_which_it_did(store: Store) -> None:
    told(store, NOW)
    told(store, NOW + timedelta(days=5), refunded=Refunded(NOW, "5.00", by="stripe"))
    told(store, NOW + timedelta(days=20), refunded=Refunded(NOW + timedelta(days=20), "39.95", by="stripe"))

    assert [brief(row) for row in month(store)] == [
        ("2026-11-23", "betaald", "39,95"),
        ("2026-11-28", "terugbetaald", "-5,00"),
    ]
    assert [brief(row) for row in month(store, "2026-12")] == [("2026-12-13", "terugbetaald", "-34,95")]


def test_a_payment_that_came_in_a_later_month_than_the_order_stands_in_that_month(store: Store) -> None:
    told(store, NOW, state=PaymentState.OPEN)
    told(store, NOW + timedelta(days=10))

    assert month(store) == []
    assert [brief(row) for row in month(store, "2026-12")] == [("2026-12-03", "betaald", "39,95")]


def test_a_payment_that_was_heard_of_late_stands_on_its_own_day(store: Store) -> None:
    record(store, notice(at=NOW - timedelta(days=30)), NOW, INTAKE)

    assert [brief(row)[0] for row in month(store, "2026-10")] == ["2026-10-24"]
    assert month(store) == []


@pytest.mark.parametrize("minutes", [-90, -59, -1, 0, 1, 59, 90])
def test_nothing_is_lost_or_doubled_around_the_midnight_of_the_shops_zone(store: Store, minutes: int) -> None:
    """The order is made 20 minutes before the month ends in Amsterdam, which is an hour before it ends in UTC."""
    made = datetime(2026, 11, 30, 22, 40, tzinfo=UTC)
    told(store, made, state=PaymentState.OPEN)
    told(store, made + timedelta(minutes=minutes))

    found = [len(month(store, name)) for name in ("2026-11", "2026-12")]
    assert found == ([1, 0] if minutes < 20 else [0, 1])


def test_a_refund_that_failed_is_money_that_came_again() -> None:
    order = paid_order()
    back = notice(refunded=Refunded(NOW, "39.95", by="stripe"))
    failed = notice(failed_refunds=(FailedRefund("re_1", "39.95", NOW),))
    order = with_payment(order, back, NOW + timedelta(days=1), "EUR")
    order = with_payment(order, failed, NOW + timedelta(days=2), "EUR")

    assert [(each.what, each.amount) for each in happened(order, Beside())] == [
        (What.PAID, Decimal("39.95")),
        (What.RETURNED, Decimal("-39.95")),
        (What.RETURNED, Decimal("39.95")),
    ]


def test_money_back_of_which_the_timeline_knows_nothing_is_there_all_the_same() -> None:
    order = paid_order()
    payment = replace(order.payments[0], refunded=(Refunded(NOW + timedelta(days=3), "5.00", by="mollie"),))

    (_, back) = happened(replace(order, payments=(payment,), timeline=()), Beside())
    assert (back.what, back.amount, back.at) == (What.RETURNED, Decimal("-5.00"), NOW + timedelta(days=3))


def test_the_rows_add_up_to_what_was_kept_of_each_payment(store: Store) -> None:
    for day, amount in ((1, "5.00"), (9, "12.50"), (40, "20.00")):
        told(store, NOW + timedelta(days=day), refunded=Refunded(NOW + timedelta(days=day), amount, by="stripe"))

    amounts = [
        row["Bedrag (decimale komma)"] for name in ("2026-11", "2026-12", "2027-01") for row in month(store, name)
    ]
    assert sum(Decimal(amount.replace(",", ".")) for amount in amounts) == Decimal("39.95") - Decimal("20.00")


ATTACKS = [
    "=1+1",
    "+31612345678",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("http://x.example";"a")',
    "\uff1d1+1",
]


@pytest.mark.parametrize("name", ATTACKS)
def test_a_name_that_a_spreadsheet_would_run_is_text(store: Store, name: str) -> None:
    store.save(of_customer(paid_order(), name=name))

    (row,) = month(store)
    assert row["Klant"].startswith("'") or row["Klant"][0] == " "
    assert "\n" not in row["Klant"]
    assert row["Bedrag (decimale komma)"] == "39,95"


def test_a_name_with_every_sign_of_csv_stays_one_field(store: Store) -> None:
    store.save(of_customer(paid_order(), name='Jansen; "de" Vries, BV\nrekening'))

    assert [row["Klant"] for row in month(store)] == ['Jansen; "de" Vries, BV rekening']


def test_an_english_reader_gets_points_and_commas(store: Store) -> None:
    store.save(paid_order())

    (row,) = rows(pages_of_month(store, "2026-11", ZONE, EN), ",")
    assert (row["What happened"], row["Amount (decimal point)"]) == ("paid", "39.95")


def test_pages_of_a_month_have_each_row_once_and_one_header(store: Store) -> None:
    """A month of 50,000 orders is 50 pages of 1,000; here pages of three."""
    for number in range(11):
        at = NOW + timedelta(days=number // 5)
        store.save(replace(paid_order(f"R-{number:02d}", at=at), created_at=at))
    pages, page = list[MonthPage](), None
    while True:
        made = page_of_month(store, "2026-11", ZONE, NL, page, most=3)
        pages.append(made)
        if (page := made.next) is None:
            break

    assert [row["Bestelling"] for row in rows(pages)] == [f"R-{number:02d}" for number in range(11)]
    assert all(each.orders <= 3 for each in pages)
    assert len(pages) >= 4


def test_an_erased_customer_is_not_in_the_file_but_the_money_is(wired: Stack) -> None:
    wired.store.save(replace(paid_order(), created_at=NOW))
    wired.desk.erase("facturen@klant.example", Asked(NOW, "anna"), 7)

    (row,) = month(wired.store)
    assert (row["Klant"], row["E-mailadres"], row["Bedrag (decimale komma)"]) == ("", "", "39,95")


def test_an_order_that_cannot_be_read_is_named_and_holds_up_nobody(wired: Stack) -> None:
    wired.store.save(paid_order("good"))
    wired.store.save(paid_order("bad"))
    wired.store._client.update_item(
        TableName=wired.store.table,
        Key={"pk": {"S": "ORDER#bad"}},
        UpdateExpression="SET #lines = :nothing",
        ExpressionAttributeNames={"#lines": "lines"},
        ExpressionAttributeValues={":nothing": {"S": "x"}},
    )
    kept: list[Any] = []

    status, text = call("GET", "/export/orders?month=2026-11", headers={"Accept-Language": "nl"}, kept=kept)

    assert (status, "good" in text, "bad" in text) == (200, True, False)
    assert kept[0]["multiValueHeaders"]["Keypost-Unreadable"] == ["bad"]


def test_the_file_of_a_month_comes_as_csv_with_its_mark_and_a_way_to_the_next_page(wired: Stack) -> None:
    wired.store.save(paid_order())
    kept: list[Any] = []

    status, text = call("GET", "/export/orders?month=2026-11", headers={"Accept-Language": "nl"}, kept=kept)
    assert (status, text[0]) == (200, "\ufeff")
    headers = kept[0]["multiValueHeaders"]
    assert headers["Content-Type"] == ["text/csv; charset=utf-8"]
    assert headers["Content-Disposition"] == ['attachment; filename="orders-2026-11.csv"']
    assert "Link" not in headers


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("month=2026-13", 422, "not_as_agreed"),
        ("month=november", 422, "not_as_agreed"),
        ("", 422, "not_as_agreed"),
        ("month=2026-11&page=x", 400, "no_such_page"),
        ("month=2026-11&page=2026-12-01_", 400, "no_such_page"),
        ("month=2026-11&page=2026-11-31_", 400, "no_such_page"),
    ],
)
def test_what_is_no_month_or_no_page_is_refused(wired: Stack, query: str, status: int, code: str) -> None:
    answered, said = call("GET", f"/export/orders?{query}")

    assert (answered, said["code"]) == (status, code)


def test_a_month_ends_where_the_next_one_begins() -> None:
    assert [each.isoformat() for each in month_of("2026-12")] == ["2026-12-01", "2027-01-01"]
