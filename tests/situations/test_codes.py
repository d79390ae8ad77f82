"""Kind: codes that are kept in another spelling than the vendor's, or found in one spelling only."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.product import Product
from keypost.inputs.catalog_file import read_product
from keypost.inputs.stock_file import read_stock_list
from keypost.table.converting import converter
from tests.builders import NOW, PRODUCT, SKU, code, paid_order
from tests.functions.support_calls import call

# Licence Protector, "Format of a Key" (helpserver.biz): keys such as dO8uc-G1iC9, in which case counts.
MIXED = {"code_pattern": "[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}", "code_example": "aB3d-E5gH-7jKl-mN0p"}
ONE, OTHER = "qW3e-R5tY-7uIo-pA0s", "Qw3E-r5Ty-7UiO-Pa0S"
TODAY = NOW.date()


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def desk(wired: Stack) -> Stack:
    return wired


def entry(**changes: Any) -> dict[str, Any]:
    """A product as an operator writes it, who says nothing of case."""
    left_out = ("case_counts", "notes", "renewal_url")
    given = converter.unstructure(PRODUCT)
    return {name: value for name, value in given.items() if name not in left_out} | changes


def a_product(**changes: Any) -> Product:
    return read_product(entry(**changes))


def refused(**changes: Any) -> str:
    with pytest.raises(InvalidInput) as refusal:
        a_product(**changes)
    why: str = refusal.value.said.values["why"].code
    return why


@pytest.mark.parametrize(
    ("pattern", "example", "counts"),
    [
        ("[A-Z0-9]{5}(-[A-Z0-9]{5}){3}", "ABCDE-12345-FGHIJ-67890", False),
        ("[0-9]{16}", "0123456789012345", False),
        ("[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}", "AB3D-E5GH-7JKL-MN0P", True),
        ("(?i)https://redeem\\.example/[a-z0-9]{8}", "https://redeem.example/a1b2c3d4", True),
        ("[^ ]{5,60}", "gebruiker:Wachtw00rd-x", True),
    ],
)
def test_the_pattern_tells_whether_case_counts(pattern: str, example: str, *, counts: bool) -> None:
    assert a_product(code_pattern=pattern, code_example=example).case_counts is counts


def test_the_operator_may_say_that_case_counts_or_does_not() -> None:
    assert a_product(code_pattern="[a-z]{5}", code_example="abcde", case_counts=True).case_counts
    assert not a_product(**MIXED, case_counts=False).case_counts


@pytest.mark.parametrize(
    ("pattern", "example", "why"),
    [
        ("[A-Z]{5} [A-Z]{5}", "AAAAA BBBBB", "pattern_of_spaces_or_dashes"),
        ("[A-Z]{5}--[A-Z]{5}", "AAAAA--BBBBB", "pattern_of_spaces_or_dashes"),
        ("[A-Za-z]{5}\u2013[A-Z]{5}", "AAAAA\u2013BBBBB", "pattern_of_spaces_or_dashes"),
        ("[^ ]{5,60}", "gebruiker:Wachtw00rd--x", "pattern_of_spaces_or_dashes"),
        ("[a-z0-9]{10}", "abcde01234", "pattern_needs_case"),
        ("[A-Z][a-z]{4}", "Abcde", "pattern_needs_case"),
        ("[A-Z]{5}", "abcde", "example_does_not_match"),
    ],
)
def test_a_pattern_that_the_normal_form_would_change_is_refused(pattern: str, example: str, why: str) -> None:
    assert refused(code_pattern=pattern, code_example=example) == why


@pytest.mark.parametrize(
    "written",
    [ONE, f" {ONE}\t", f"\u00a0{ONE}\u200b", f"{ONE[:6]}\u00ad{ONE[6:]}", f"\u200e{ONE}\u2060", f"\ufeff{ONE}"],
)
def test_a_code_is_kept_as_its_vendor_wrote_it(written: str) -> None:
    assert codes.checked(written, a_product(**MIXED)) == ONE


def test_a_code_without_its_dashes_is_understood_where_the_example_has_groups() -> None:
    assert codes.checked(ONE.replace("-", ""), a_product(**MIXED)) == ONE
    assert codes.checked("abcde12345fghij67890", PRODUCT) == "ABCDE-12345-FGHIJ-67890"
    with pytest.raises(InvalidInput, match="not_a_code_of"):
        codes.checked("ABCDE12345FGHIJ6789", PRODUCT)  # one too few


def test_two_codes_that_differ_in_case_are_two_where_case_counts() -> None:
    found, faults = read_stock_list([ONE, OTHER], a_product(**MIXED), None, None, TODAY)
    assert ([each.new.code for each in found], faults) == ([ONE, OTHER], [])

    found, faults = read_stock_list([ONE, OTHER], a_product(**MIXED, case_counts=False), None, None, TODAY)
    assert ([each.new.code for each in found], [each.line for each in faults]) == ([ONE], [2])


def test_a_case_sensitive_code_is_imported_sold_and_found_in_the_spelling_of_its_vendor(desk: Stack) -> None:
    assert call("PUT", "/products/{sku}", _json(entry(**MIXED)), sku=SKU)[0] == 200
    _, said = call("POST", "/stock/{sku}", {"codes": [ONE, OTHER, ONE]}, sku=SKU)
    assert (said["added"], said["duplicate_count"]) == (2, 1)
    _, again = call("POST", "/stock/{sku}", {"codes": [OTHER]}, sku=SKU)
    assert (again["added"], again["duplicate_count"]) == (0, 1)

    desk.store.save(paid_order("A-1"))
    wiring.try_order("A-1", 1)
    order = desk.store.load("A-1")
    assert order is not None

    assert order.licenses[0].code in (ONE, OTHER)
    for spelling in _spellings(order.licenses[0].code):
        assert desk.store.order_of_code(spelling) == "A-1"
        assert desk.store.license_of_code(spelling) == order.licenses[0].id
    left = OTHER if order.licenses[0].code == ONE else ONE
    assert desk.store.order_of_code(left) is None


def test_codes_without_case_keep_the_digest_that_they_have(desk: Stack, stocked: Any) -> None:
    known = "0d23136ea89276b9cf8124c404a5f2f06069ed152181b74090d3e3849348f197"
    assert codes.digest("abcde 12345-fghij-67890") == codes.digest("ABCDE-12345-FGHIJ-67890") == known
    stocked([code(1)])
    desk.store.save(paid_order("A-1"))
    wiring.try_order("A-1", 1)

    for spelling in (*_spellings(code(1)), code(1).lower(), code(1).replace("-", "").lower()):
        assert desk.store.order_of_code(spelling) == "A-1"


def test_a_product_whose_case_comes_to_count_takes_no_code_twice(desk: Stack) -> None:
    call("PUT", "/products/{sku}", _json(entry(**MIXED, case_counts=False)), sku=SKU)
    call("POST", "/stock/{sku}", {"codes": [ONE]}, sku=SKU)
    call("PUT", "/products/{sku}", _json(entry(**MIXED, case_counts=True)), sku=SKU)

    _, said = call("POST", "/stock/{sku}", {"codes": [ONE, ONE.upper(), "aaaa-bbbb-cccc-dddd"]}, sku=SKU)

    assert (said["added"], said["duplicate_count"]) == (1, 2)
    assert {each.code for each in desk.store.pick(SKU, 9, datetime.now(UTC).date())} == {ONE, "aaaa-bbbb-cccc-dddd"}


def test_a_code_that_was_swapped_still_names_its_license(desk: Stack) -> None:
    desk.store.put_product(replace(PRODUCT, case_counts=True))
    list(desk.store.add_codes(SKU, [code(1)], "B-1", None))
    desk.store.save(paid_order("A-1"))
    wiring.try_order("A-1", 1)
    license_id = desk.store.license_of_code(code(1))
    list(desk.store.add_codes(SKU, [code(2)], "B-2", None))

    call("POST", "/orders/{order_id}/licenses/{license_id}/replace", {"reason": "invalid"}, order_id="A-1",
         license_id=license_id)  # fmt: skip

    assert license_id
    assert desk.store.license_of_code(code(1)) == desk.store.license_of_code(code(2)) == license_id
    assert desk.store.license_of_code(code(3)) is None


def _spellings(kept: str) -> list[str]:
    return [kept, f" {kept} ", kept.replace("-", " "), kept.replace("-", "\u2013"), kept.replace("-", "")]


def _json(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
