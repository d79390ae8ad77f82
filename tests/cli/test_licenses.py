"""`keypost import licenses`: what an older system sold works from the first day, and what is wrong is named first."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.inputs.license_file import COLUMNS
from keypost.words import day
from tests.builders import SKU, ZONE, code, loaded, paid_order, product

Run = Callable[..., tuple[int, str, str]]
HEADER = "order,email,name,sku,code,first_day,last_day"
TODAY = datetime.now(ZONE).date()
BEGAN, ENDS = TODAY - timedelta(days=165), TODAY + timedelta(days=199)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def sold(here: Stack) -> Stack:
    here.store.put_product(replace(product(SKU), reminder_days=(30, 7)))
    return here


def row(order: str = "2025-0041", n: int = 1, **cells: Any) -> str:
    of: dict[str, Any] = {
        "order": order,
        "email": "jan@klant.example",
        "name": "Jan Jansen",
        "sku": SKU,
        "code": code(n),
    }
    of |= {"first_day": BEGAN, "last_day": ENDS} | cells
    return ",".join(str(of[name]) for name in HEADER.split(","))


def file_of(*rows: str, header: str = HEADER) -> str:
    Path("old.csv").write_text("\n".join((header, *rows)) + "\n")
    return "old.csv"


def test_a_file_is_imported_once_and_a_corrected_one_corrects_it(run: Run, sold: Stack) -> None:
    other = row("2025-0042", 2, email="p@klant.example")

    assert run("import", "licenses", file_of(row(), other))[1].splitlines()[0] == (
        "orders to import: 2, with 2 licences; corrected: 0, imported before: 0"
    )
    order = loaded(sold.store, "2025-0041")
    assert [(one.code, one.first_day, one.last_day) for one in order.licenses] == [(code(1), BEGAN, ENDS)]

    assert run("import", "licenses", "old.csv")[:2] == (
        0,
        "orders to import: 0, with 0 licences; corrected: 0, imported before: 2\norders imported: 0\n",
    )
    assert loaded(sold.store, "2025-0041") == order

    run("import", "licenses", file_of(row(n=3), other))
    corrected = loaded(sold.store, "2025-0041")
    assert [one.code for one in corrected.licenses] == [code(3)]
    assert [entry.code for entry in corrected.timeline] == ["imported", "imported_anew"]
    assert sold.store.code_item(code(1)) is None
    assert sold.store.order_of_license(order.licenses[0].id) is None
    assert sold.store.order_of_license(corrected.licenses[0].id) == "2025-0041"


def test_a_dry_run_shows_what_would_be_done_and_changes_nothing(run: Run, sold: Stack) -> None:
    reminded = [ENDS - timedelta(days=30), ENDS - timedelta(days=7)]

    status, out, err = run("import", "licenses", "--dry-run", "--language", "en", file_of(row()))

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "UTF-8, separated by commas; line 1 names the columns",
        *(f"column {place} `{name}`: {name}" for place, name in enumerate(HEADER.split(","), start=1)),
        f"line 2: order 2025-0041: …00001, {SKU}, {day(BEGAN, 'en')} to {day(ENDS, 'en')}",
        "orders to import: 1, with 1 licences; corrected: 0, imported before: 0",
        *(f"reminders on {day(each, 'en')}: 1" for each in reminded),
    ]
    assert sold.store.load("2025-0041") is None
    assert sold.store.code_item(code(1)) is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a product that nobody knows": ({"sku": "NOPE"}, "sku: the SKU is not in the catalogue: add the product first"),
    "no address": (
        {"email": ""},
        "email: there is no e-mail address, and without",
    ),
    "a word for an address": ({"email": "jan"}, "email: is not a usable e-mail address"),
    "no period": ({"first_day": "", "last_day": "-"}, "last_day: neither the first nor the last day of the licence"),
    "a period backwards": ({"first_day": ENDS, "last_day": BEGAN}, "last_day: the last day is before the first"),
    "a day with two digits of a year": ({"last_day": "1-2-27"}, "last_day: this is not a date: write it like"),
    "a last day at the start of the calendar": (
        {"first_day": "", "last_day": "0001-01-05"},
        "last_day: this is not a date: write it like",
    ),
    "a first day at its end": ({"first_day": "9999-12-30", "last_day": ""}, "first_day: this is not a date: write it"),
    "something else for a code": ({"code": "12345"}, "code: this is not a code of"),
    "an order number with a blank": ({"order": "one two"}, "order: an order number has letters, digits"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_by_line_and_nothing_is_imported(run: Run, sold: Stack, case: str) -> None:
    cells, why = WRONG[case]

    status, out, err = run("import", "licenses", file_of(row("2025-0040", 9), row(**cells)))

    assert status == 1
    assert err.startswith(f"old.csv:3: {why}"), err
    assert "nothing was imported; wrong: 1" in err
    assert "orders imported" not in out
    assert sold.store.load("2025-0040") is None


def test_what_two_lines_contradict_is_named(run: Run, sold: Stack) -> None:
    rows = [row(), row("2025-0042"), row(n=3, email="piet@klant.example")]

    _, _, err = run("import", "licenses", file_of(*rows))

    assert err.splitlines()[0] == (
        "old.csv:3: code: the same code as on line 2, and a code is sold once: correct one of the two lines"
    )
    assert err.splitlines()[1].startswith("old.csv:4: email: line 2 has the same order number and another e-mail")


def test_a_day_that_can_be_read_in_two_ways_is_named(run: Run, sold: Stack) -> None:
    rows = [row(last_day="12/31/2026"), row("2025-0042", 2, last_day="03/04/2027")]

    _, _, err = run("import", "licenses", file_of(*rows))

    assert err.splitlines()[0].startswith("old.csv:3: last_day: the day cannot be told from the month")


STRANGE: dict[str, tuple[dict[str, Any], str]] = {
    "it ended long ago": (
        {"first_day": "2019-01-01", "last_day": "2019-12-31"},
        "last_day: the licence ended long ago",
    ),
    "it begins long after": (
        {"first_day": TODAY + timedelta(days=500), "last_day": ""},
        "first_day: the licence begins",
    ),
    "a typing error": ({"email": "jan@gmial.com"}, "email: the address looks like a typing error"),
    "a period that overlaps": ({"order": "B", "n": 5}, "first_day: the period overlaps with that of line 2"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_is_strange_waits_until_somebody_confirms_it(run: Run, sold: Stack, case: str) -> None:
    cells, why = STRANGE[case]
    order, n = str(cells.get("order", "A")), int(str(cells.get("n", 4)))
    others = {name: value for name, value in cells.items() if name not in ("order", "n")}
    file = file_of(row("B-0", 9), row(order, n, **others))

    status, _, err = run("import", "licenses", file)

    assert (status, sold.store.load(order)) == (1, None)
    assert err.splitlines()[0].startswith(f"old.csv:3: {why}"), err
    assert "strange: 1" in err
    assert run("import", "licenses", file, "--confirmed")[0] == 0
    assert loaded(sold.store, order).licenses[0].code == code(n)


def test_the_lines_that_are_right_are_imported_if_the_others_are_to_be_left_out(run: Run, sold: Stack) -> None:
    assert run("import", "licenses", file_of(row(), row("B", 2, sku="NOPE")), "--leave-out")[0] == 0
    assert (loaded(sold.store, "2025-0041").id, sold.store.load("B")) == ("2025-0041", None)


def test_a_code_of_the_stock_is_named_and_can_be_withdrawn_from_it_first(run: Run, sold: Stack) -> None:
    list(sold.store.add_codes(SKU, [code(1)], "B", None))
    file = file_of(row())

    assert run("import", "licenses", file)[2].splitlines()[0] == (
        "old.csv:2: code: this code is in stock, to be sold: if a customer has it, withdraw it first"
        f" (`keypost stock withdraw {SKU}`)"
    )
    assert sold.store.load("2025-0041") is None

    Path("codes.txt").write_text(code(1) + "\n")
    assert run("stock", "withdraw", SKU, "--codes", "codes.txt")[0] == 0
    assert run("import", "licenses", file)[0] == 0
    item = sold.store.code_item(code(1))
    assert item is not None
    assert (item["state"], item["order_id"]) == ("assigned", "2025-0041")
    assert run("stock", "withdraw", SKU, "--codes", "codes.txt", "--undo")[0] == 1
    assert sold.store.pick(SKU, 9, TODAY) == []


def test_an_imported_code_is_never_taken_into_the_stock(run: Run, sold: Stack) -> None:
    run("import", "licenses", file_of(row()))
    Path("codes.csv").write_text(f"code\n{code(1)}\n")

    status, _, err = run("stock", "import", "codes.csv", "--sku", SKU)

    assert status == 1
    assert "already imported" in err
    assert sold.store.pick(SKU, 9, TODAY) == []


def test_an_order_and_a_code_that_keypost_has_sold_are_named(run: Run, sold: Stack) -> None:
    sold.store.save(paid_order("2025-0041"))
    run("import", "licenses", file_of(row("A", 2)))

    _, _, err = run("import", "licenses", file_of(row(), row("B", 2)))

    assert err.splitlines()[0].startswith("old.csv:2: order: Keypost knows an order with this number, which was not")
    assert err.splitlines()[1] == (
        "old.csv:3: code: order A has this code already: leave the line out, or correct the code"
    )


def test_a_file_of_excel_in_dutch_is_understood(run: Run, sold: Stack) -> None:
    Path("oud.csv").write_bytes(
        "Bestelnummer;Klantnaam;E-mailadres;Taal;Artikelnummer;Licentiecode;Ingangsdatum;Vervaldatum;Aantal;Abonnement\r\n"
        f'"#2025-0041";Zoë Müller;Zoë <zoe@klant.example>;Engels;{SKU};="{code(1)}";1-3-2026;28-2-2027;1;nee\r\n'
        f"2025-0042;;piet@klant.example;;{SKU};{code(2)}, {code(3)};1 mrt 2026;;2,0;sub_1AbC\r\n".encode("cp1252")
    )

    status, _, err = run("import", "licenses", "oud.csv")

    assert (status, err.replace("Importing", "").strip()) == (0, "")
    first, second = (loaded(sold.store, each) for each in ("2025-0041", "2025-0042"))
    assert (first.customer.name, first.customer.email, first.customer.language) == (
        "Zoë Müller",
        "zoe@klant.example",
        "en",
    )
    assert [(one.code, one.first_day, one.last_day) for one in second.licenses] == [
        (code(n), date(2026, 3, 1), date(2027, 2, 28)) for n in (2, 3)
    ]
    assert (first.is_charged_again, second.is_charged_again) == (False, True)
    assert sold.store.order_referring_to("sub_1AbC", "import") == "2025-0042"


def test_rows_without_a_number_have_one_that_follows_from_their_code(run: Run, sold: Stack) -> None:
    header = HEADER.removeprefix("order,")
    file = file_of(row().partition(",")[2], row(n=2, email="b@klant.example").partition(",")[2], header=header)

    assert run("import", "licenses", file)[0] == 0
    assert "imported before: 2" in run("import", "licenses", file)[1]


def test_a_file_without_the_columns_that_are_needed_is_refused(run: Run, sold: Stack) -> None:
    assert (
        run("import", "licenses", file_of(code(1), header="code"))[2]
        .splitlines()[-1]
        .startswith("keypost: The file lacks columns that are needed: email, sku.")
    )


def test_a_long_file_goes_in_transactions_of_a_hundred(run: Run, sold: Stack) -> None:
    """One order has more codes than fit into one."""
    many = [row("MANY", 1000 + n) for n in range(120)]
    file = file_of(*(row(f"A-{n}", n, email=f"k{n}@klant.example") for n in range(300)), *many)

    assert run("import", "licenses", file)[1].endswith("orders imported: 301\n")

    assert len(loaded(sold.store, "MANY").licenses) == 120
    assert loaded(sold.store, "A-299").licenses[0].code == code(299)


def test_the_page_lists_every_column_and_its_example_is_imported(run: Run, sold: Stack) -> None:
    page = (ROOT / "docs/importing.md").read_text("utf-8")
    table = page.partition("| column |")[2].partition("```csv")[0]
    Path("sold.csv").write_text(page.partition("```csv\n")[2].partition("```")[0])
    sold.store.put_product(product("KASPERSKY-PLUS-3D-1Y"))

    names = [
        name for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    ]
    assert sorted(names) == sorted(COLUMNS)
    assert run("import", "licenses", "sold.csv", "--dry-run")[0] == 0
    assert run("import", "licenses", "sold.csv")[0] == 0
    assert loaded(sold.store, "2025-0042").licenses[0].last_day == date(2027, 6, 14)
