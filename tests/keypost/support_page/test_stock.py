"""The stock, how long it lasts, and new codes with a preview."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from cli.local.stack import LocalStack, sample_codes
from keypost.core.codes import normalize
from keypost.core.order import Reason
from tests.deployed import PRODUCTS, empty, free_codes, paid_session

SKU = "KASPERSKY-PLUS-3D-1Y"
NAME = PRODUCTS[SKU].name["en"]
PRODUCT = PRODUCTS[SKU]


@pytest.fixture
def stock(page: Page, local: LocalStack) -> Iterator[Page]:
    page.get_by_role("link", name="Stock").click()
    page.get_by_role("region", name="Import codes").get_by_label("Product").select_option(SKU)
    yield page
    empty(local, SKU)


def row(page: Page) -> Locator:
    return page.get_by_role("region", name="In stock").get_by_role("row", name=SKU)


def check(page: Page, text: str) -> Locator:
    page.get_by_label("Or paste codes").fill(text)
    page.get_by_role("button", name="Check").click()
    return page.get_by_role("region", name="Import codes")


def check_file(page: Page, text: str) -> Locator:
    page.get_by_label("File").set_input_files({"name": "codes.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Check").click()
    return page.get_by_role("region", name="Import codes")


def test_the_stock_is_shown_as_numbers_and_as_a_line_that_says_the_same(stock: Page) -> None:
    expect(row(stock).get_by_role("cell")).to_have_count(7)
    chart = stock.get_by_role("img", name=f"Free codes of {NAME}, as expected")
    expect(chart).to_be_visible()
    expect(chart.locator("desc")).to_contain_text("codes are free today")
    assert len(str(chart.locator("polyline").get_attribute("points")).split()) == 61


@pytest.mark.parametrize("width", [375, 1280])
def test_no_word_or_number_of_a_chart_is_cut_off(page: Page, width: int) -> None:
    days = [datetime(2026, 11, 24, tzinfo=UTC).date() + timedelta(days=n) for n in range(61)]
    numbers = {"free": 10_000, "promised": 0, "waiting": 0, "used": 0, "to_order": 0, "order_before": None}
    course = [{"day": str(day), "free": max(0, 10_000 - 180 * n)} for n, day in enumerate(days)]
    ends = [
        {"sku": f"ends-{n}", "course": course, "runs_out": str(days[n]), **numbers} for n in (0, 17, 19, 41, 43, 60)
    ]
    page.set_viewport_size({"width": width, "height": 900})
    page.route("**/stock", partial(Route.fulfill, json={"stock": ends}))

    page.get_by_role("link", name="Stock").click()
    page.locator("svg.chart").last.wait_for()

    boxes = "all => all.map(text => [text.textContent, text.getBBox().x, text.getBBox().x + text.getBBox().width])"
    shown = page.locator("svg.chart text").evaluate_all(boxes)
    assert [text for text, start, end in shown if start < 0 or end > 360] == []
    assert "10,000" in [text for text, _, _ in shown]


def test_an_import_is_looked_at_before_anything_changes(stock: Page, local: LocalStack) -> None:
    codes = sample_codes(PRODUCT, 3)
    list(local.stack.store.add_codes(SKU, codes[:1], None, None))
    before = free_codes(local, PRODUCT)

    shown = check(stock, "\n".join([*codes, "no code at all", codes[2]]))

    expect(shown.get_by_role("heading", name="2 codes can be imported")).to_be_focused()
    rows = shown.get_by_role("table").get_by_role("rowheader")
    assert rows.all_inner_texts() == ["1", "4", "5"]
    assert free_codes(local, PRODUCT) == before


def test_what_was_looked_at_is_imported_when_a_person_says_so(stock: Page, local: LocalStack) -> None:
    before = free_codes(local, PRODUCT)
    shown = check(stock, "\n".join(sample_codes(PRODUCT, 2)))

    shown.get_by_role("button", name="Import 2 codes").click()

    expect(shown.get_by_role("heading", name="2 codes imported")).to_be_visible()
    expect(stock.get_by_role("status").filter(has_text="2 codes imported")).to_be_visible()
    expect(row(stock).get_by_role("cell").first).to_have_text(str(len(before) + 2))
    assert len(free_codes(local, PRODUCT) - before) == 2


def test_a_file_of_a_distributor_is_taken_as_it_comes(stock: Page, local: LocalStack, tmp_path: Path) -> None:
    (code,) = sample_codes(PRODUCT, 1)
    file = tmp_path / "codes.csv"
    file.write_bytes(f'"Code";"Batch";"activate_before"\r\n"{code}";"März";"2030-12-31"\r\n\r\n'.encode("cp1252"))

    stock.get_by_label("File").set_input_files(file)
    stock.get_by_role("button", name="Check").click()
    stock.get_by_role("button", name="Import 1 code").click()

    expect(stock.get_by_role("heading", name="1 code imported")).to_be_visible()
    assert local.stack.store.batch_of(code) == "März"


def test_a_list_gets_a_batch_and_a_last_day(stock: Page, local: LocalStack) -> None:
    (code,) = sample_codes(PRODUCT, 1)
    stock.get_by_role("region", name="Import codes").get_by_label("Batch").fill("2026-11")
    stock.get_by_label("Last day to activate").fill("2030-12-31")

    shown = check(stock, f"\n {code} \n")
    shown.get_by_role("button", name="Import 1 code").click()

    expect(shown.get_by_role("heading", name="1 code imported")).to_be_visible()
    assert local.stack.store.batch_of(code) == "2026-11"


def test_a_batch_is_not_forgotten_for_a_file_that_has_its_own_columns(stock: Page) -> None:
    stock.get_by_role("region", name="Import codes").get_by_label("Batch").fill("2026-11")

    shown = check(stock, "code,batch\nAAAAA-BBBBB-CCCCC-DDDDD,")

    expect(shown).to_contain_text("This file has its own columns")


def test_a_large_list_goes_in_parts_and_counts_its_lines(stock: Page) -> None:
    parts: list[str] = []

    def answer(route: Route) -> None:
        parts.append(route.request.url.rpartition("/")[2])
        lines = json.loads(route.request.post_data or "{}")["codes"]
        reason = {"code": "line_not_csv", "values": {}, "text": "it is wrong"}
        wrong = [{"line": n, "reason": reason} for n, line in enumerate(lines, start=1) if line == "wrong"]
        added = len(lines) - len(wrong)
        route.fulfill(json={"added": added, "duplicates": [], "invalid": wrong, "serves": 0, "not_reached": 0})

    stock.route(f"**/stock/{SKU}*", answer)
    codes = [f"AAAAA-BBBBB-CCCCC-{n:05}" for n in range(1010)]
    codes[1005] = "wrong"
    shown = check(stock, "\n" + "\n".join(codes))

    shown.get_by_role("button", name=re.compile("Import 1,009 codes")).click()

    expect(shown.get_by_role("heading", name="1,009 codes imported")).to_be_visible()
    assert shown.get_by_role("table").get_by_role("rowheader").all_inner_texts() == ["1,007"]
    assert parts == [f"{SKU}?dry_run=true"] * 2 + [SKU] * 2


def test_a_file_with_dutch_columns_is_shown_as_it_was_read_before_anything_changes(
    stock: Page, local: LocalStack
) -> None:
    (code,) = sample_codes(PRODUCT, 1)
    before = free_codes(local, PRODUCT)

    shown = check_file(stock, f"Levering november;;\nActivatiecode;Orderregel;Partij\n{code};7;nov-26\n")

    expect(shown.get_by_role("heading", name="1 code can be imported")).to_be_visible()
    expect(shown).to_contain_text("Line 2 names the columns (UTF-8)")
    assert shown.locator(".notice > ul").first.get_by_role("listitem").all_inner_texts() == [
        "Activatiecode: code",
        "Orderregel: not used",
        "Partij: batch",
    ]
    assert free_codes(local, PRODUCT) == before
    shown.get_by_role("button", name="Import 1 code").click()
    expect(shown.get_by_role("heading", name="1 code imported")).to_be_visible()
    assert local.stack.store.batch_of(code) == "nov-26"


def test_a_code_that_stands_in_a_file_twice_counts_once_however_far_apart(stock: Page, local: LocalStack) -> None:
    local.stripe_calls(paid_session("page-twins", f"{SKU}|1"))
    local.order_when("page-twins", lambda order: order.waits_for(Reason.STOCK) is not None)
    one, other = sample_codes(PRODUCT, 2)
    first = [f'"A, B",{one},', f"A,{other},yesterday"]
    last = [f'A,"{one.lower().replace("-", " ")}",', f"A,{other},"]

    shown = check_file(stock, "\n".join(["batch,code,activate_before", *first, *["A,wrong,"] * 1000, *last]))

    expect(shown.get_by_role("heading", name="2 codes can be imported")).to_be_visible()
    expect(shown).to_contain_text("1 is already known and is left out")
    expect(shown).to_contain_text("1,001 lines are wrong and are left out")
    expect(shown).to_contain_text("1 waiting order can continue")


def test_the_page_spells_codes_as_the_stock_does(stock: Page) -> None:
    written = [" abcde-12345 ", "ABCDE \u2013 12345", "abcde\t12345", "ABCDE\uff0d12345\u2212--X"]
    read = "text => import('./support/codes.js').then(({ read }) => read(text).map(({ code }) => code))"

    assert stock.evaluate(read, "\n".join(written)) == [normalize(code) for code in written]


def test_an_import_that_breaks_off_says_how_far_it_came(stock: Page, local: LocalStack) -> None:
    shown = check(stock, "\n".join(sample_codes(PRODUCT, 2)))
    late = {"message": "Endpoint request timed out"}
    stock.route(f"**/stock/{SKU}*", lambda route: route.fulfill(status=504, json=late))

    shown.get_by_role("button", name="Import 2 codes").click()

    expect(shown).to_contain_text("0 codes had been imported by then")
