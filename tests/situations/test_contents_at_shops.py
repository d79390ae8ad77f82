"""What was really sold (K-B, K-C): WooCommerce and Moneybird."""

from dataclasses import replace

import pytest

from cli.stacks import Stack
from keypost.core.payment import Charged
from keypost.core.product import Line
from keypost.providers import moneybird, woocommerce
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, SKU, a_call, event, of_moneybird, of_woocommerce, only_notice


def test_a_discount_line_that_names_the_product_is_no_second_license() -> None:
    """Tried: 2 licenses for 1 x 33.02 and an introductory discount of 3.31."""
    line = event("moneybird/sales_invoice_state_changed_to_paid.json")["entity"]["details"][0]
    discount = {"description": f"Kennismakingskorting op Kaspersky Standard [{SKU}]", "price": "-3.31"}
    body = of_moneybird(details=[line, line | discount | {"total_price_excl_tax_with_discount": "-3.31"}])

    found = only_notice(moneybird.read(a_call(body)))
    assert found.lines == (Line(SKU, 1),)
    assert [(charged.sku, charged.total) for charged in found.charged] == [(SKU, "33.02"), (SKU, "-3.31")]


def test_a_sku_in_lower_case_or_with_a_space_is_handed_to_the_catalog() -> None:
    """Tried: not ours, 200, invisible; beside a good line the other line was dropped."""
    lines = [{"sku": SKU.lower(), "quantity": 1, "name": "A"}, {"sku": f"{SKU} ", "quantity": 2, "name": "B"}]
    found = only_notice(woocommerce.read(a_call(of_woocommerce(line_items=lines))))

    assert found.charged == (Charged(SKU.lower(), 1, "A"), Charged(f"{SKU} ", 2, "B"))


def test_an_order_from_which_our_product_was_removed_still_says_what_it_holds() -> None:
    """woocommerce: an order that is edited fires order.updated, whatever it holds then."""
    shirt = {"sku": "T-SHIRT", "quantity": 1, "name": "T-shirt", "total": "19.00", "total_tax": "3.99"}
    found = only_notice(woocommerce.read(a_call(of_woocommerce(line_items=[shirt]))))

    assert found.charged == (Charged("T-SHIRT", 1, "T-shirt", "22.99"),)


def test_a_license_within_a_bundle_is_a_license_though_its_own_line_costs_nothing() -> None:
    """WooCommerce Product Bundles: the bundle has the price, its lines have `bundled_by` and a total of 0.00."""
    bundle = {"id": 20, "sku": "FAMILY-PACK", "quantity": 1, "name": "Pack", "total": "33.02", "total_tax": "6.93"}
    part = {"sku": SKU, "quantity": 1, "name": "Part", "subtotal": "0.00", "total": "0.00", "bundled_by": 20}
    found = only_notice(woocommerce.read(a_call(of_woocommerce(line_items=[bundle, part]))))

    assert found.charged == (Charged("FAMILY-PACK", 1, "Pack", "39.95"), Charged(SKU, 1, "Part"))


def test_the_shops_number_in_the_reference_of_an_invoice_is_handed_on() -> None:
    """Tried: WooCommerce and a bookkeeping plug-in that copies the order: two orders, two codes."""
    shop = only_notice(woocommerce.read(a_call(of_woocommerce(number="2026-0099"))))
    books = only_notice(moneybird.read(a_call(of_moneybird(reference="2026-0099"))))

    assert (shop.order_id, shop.refers_to, books.refers_to) == ("1237", "2026-0099", "2026-0099")


@pytest.mark.parametrize("written", ["1237", "#1237", "Bestelling 1237", "order nr. 1237,", "Order: 1237"])
@pytest.mark.parametrize("books_first", [False, True])
def test_a_reference_as_people_write_it_is_the_shops_number(wired: Stack, written: str, *, books_first: bool) -> None:
    """Tried: the invoice of a shop's order had `#1237` as its reference, and was an order of its own with a code."""
    shop = only_notice(woocommerce.read(a_call(of_woocommerce(number="1237"))))
    books = only_notice(moneybird.read(a_call(of_moneybird(reference=written))))

    told = [books, shop] if books_first else [shop, books]
    intake = replace(INTAKE, has_books=True)  # as soon as the books have told of anything
    assert len({record(wired.store, each, NOW, intake)[0] for each in told}) == 1
