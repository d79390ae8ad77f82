"""The stock, how long it lasts, and new codes with a preview."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from cli.local.stack import LocalStack, sample_codes
from tests.keypost.support_page.conftest import PRODUCTS
from tests.test_journey import empty, free

SKU = "KASPERSKY-PLUS-3D-1Y"
PRODUCT = PRODUCTS[SKU]


@pytest.fixture
def stock(page: Page, local: LocalStack) -> Iterator[Page]:
    page.get_by_role("link", name="Stock").click()
    page.get_by_label("Product").select_option(SKU)
    yield page
    empty(local, SKU)


def row(page: Page) -> Locator:
    return page.get_by_role("region", name="In stock").get_by_role("row", name=SKU)


def check(page: Page, text: str) -> Locator:
    page.get_by_label("Or paste codes").fill(text)
    page.get_by_role("button", name="Check").click()
    return page.get_by_role("region", name="Import codes")


def test_the_stock_is_shown_as_numbers_and_as_a_line_that_says_the_same(stock: Page) -> None:
    expect(row(stock).get_by_role("cell")).to_have_count(6)
    chart = stock.get_by_role("img", name=f"Free codes of {SKU}, as expected")
    expect(chart).to_be_visible()
    expect(chart.locator("desc")).to_contain_text("codes are free today")
    assert len(str(chart.locator("polyline").get_attribute("points")).split()) == 61


def test_an_import_is_looked_at_before_anything_changes(stock: Page, local: LocalStack) -> None:
    codes = sample_codes(PRODUCT, 3)
    list(local.stack.store.add_codes(SKU, codes[:1], None, None))
    before = free(local, PRODUCT)

    shown = check(stock, "\n".join([*codes, "no code at all", codes[2]]))

    expect(shown.get_by_role("heading", name="2 codes can be imported")).to_be_focused()
    rows = shown.get_by_role("table").get_by_role("rowheader")
    assert rows.all_inner_texts() == ["1", "4", "5"]
    assert free(local, PRODUCT) == before


def test_what_was_looked_at_is_imported_when_a_person_says_so(stock: Page, local: LocalStack) -> None:
    before = free(local, PRODUCT)
    shown = check(stock, "\n".join(sample_codes(PRODUCT, 2)))

    shown.get_by_role("button", name="Import 2 codes").click()

    expect(shown.get_by_role("heading", name="2 codes imported")).to_be_visible()
    expect(stock.get_by_role("status").filter(has_text="2 codes imported")).to_be_visible()
    expect(row(stock).get_by_role("cell").first).to_have_text(str(before + 2))
    assert free(local, PRODUCT) == before + 2


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
    stock.get_by_label("Batch").fill("2026-11")
    stock.get_by_label("Last day to activate").fill("2030-12-31")

    shown = check(stock, f"\n {code} \n")
    shown.get_by_role("button", name="Import 1 code").click()

    expect(shown.get_by_role("heading", name="1 code imported")).to_be_visible()
    assert local.stack.store.batch_of(code) == "2026-11"


def test_a_batch_is_not_forgotten_for_a_file_that_has_its_own_columns(stock: Page) -> None:
    stock.get_by_label("Batch").fill("2026-11")

    shown = check(stock, "code,batch\nAAAAA-BBBBB-CCCCC-DDDDD,")

    expect(shown).to_contain_text("This file has columns of its own")


def test_a_large_import_goes_in_parts_and_counts_the_lines_of_the_file(stock: Page, local: LocalStack) -> None:
    codes = sample_codes(PRODUCT, 1010)
    codes[1005] = "wrong"
    parts: list[str] = []
    stock.on("request", lambda request: parts.append(request.method) if "/stock/" in request.url else None)
    shown = check(stock, "code\n" + "\n".join(codes))

    shown.get_by_role("button", name=re.compile("Import 1,009 codes")).click()

    expect(shown.get_by_role("heading", name="1,009 codes imported")).to_be_visible()
    assert shown.get_by_role("table").get_by_role("rowheader").all_inner_texts() == ["1,007"]
    assert parts == ["POST"] * 4  # two to look at it, two to import it
    assert free(local, PRODUCT) >= 1000


def test_an_import_that_breaks_off_says_how_far_it_came(stock: Page, local: LocalStack) -> None:
    shown = check(stock, "\n".join(sample_codes(PRODUCT, 2)))
    late = {"message": "Endpoint request timed out"}
    stock.route(f"**/stock/{SKU}*", lambda route: route.fulfill(status=504, json=late))

    shown.get_by_role("button", name="Import 2 codes").click()

    expect(shown).to_contain_text("0 codes were imported before that")
