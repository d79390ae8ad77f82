"""What a payment was for: what its card says beside what was charged, as far as the catalog knows it."""

from dataclasses import replace

import pytest

from keypost.core.charged import named, understood
from keypost.core.payment import Charged
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from tests.builders import SKU, notice

PLUS, OFFICE = "KASPERSKY-PLUS-3D-1Y", "KASPERSKY-SMALL-OFFICE-5D-1Y"
CATALOG = [SKU, PLUS, OFFICE]
RENEWAL = Line(SKU, 1, Kind.RENEWAL, "2025-000001")
SHIRT = Charged("TSHIRT-L", 1, "T-shirt", "19.95")


def one(sku: str, quantity: int = 1, total: str | None = "39.95") -> Charged:
    return Charged(sku, quantity, "Kaspersky", total)


def lines_of(card: tuple[Line, ...], *charged: Charged) -> tuple[tuple[Line, ...], Said | None, bool]:
    found = understood(replace(notice(), lines=card, charged=charged), CATALOG)
    return found.lines, found.problem, found.foreign


@pytest.mark.parametrize(
    ("card", "charged", "lines"),
    [
        ((Line(SKU, 1),), [], (Line(SKU, 1),)),
        ((), [one(SKU, 2)], (Line(SKU, 2),)),
        # the buyer chose another quantity, another product, one more, one fewer
        ((Line(SKU, 1),), [one(SKU, 3)], (Line(SKU, 3),)),
        ((RENEWAL,), [one(SKU, 3)], (replace(RENEWAL, quantity=3),)),
        ((RENEWAL,), [one(PLUS)], (replace(RENEWAL, sku=PLUS),)),
        ((Line(SKU, 1),), [one(SKU), one(PLUS)], (Line(SKU, 1), Line(PLUS, 1))),
        ((Line(SKU, 1), Line(PLUS, 1)), [one(PLUS)], (Line(PLUS, 1),)),
        ((Line(SKU, 1), RENEWAL), [one(SKU, 2)], (Line(SKU, 1), RENEWAL)),
        ((Line(SKU, 2), RENEWAL), [one(SKU, 2)], (Line(SKU, 2),)),
        # other goods of the shop, and names that may mean a line of the card
        ((), [one(SKU), SHIRT], (Line(SKU, 1),)),
        ((Line(SKU, 1),), [one(SKU), SHIRT], (Line(SKU, 1),)),
        ((Line(SKU, 1),), [one("")], (Line(SKU, 1),)),
        ((Line(SKU, 3),), [one("")], (Line(SKU, 3),)),
        ((Line(SKU, 1),), [one("", 3)], (Line(SKU, 3),)),
        ((Line(SKU, 1), Line(PLUS, 1)), [one(""), one(PLUS, 2)], (Line(PLUS, 2), Line(SKU, 1))),
        # discounts
        ((), [one(SKU), one(SKU, 1, "-3.31")], (Line(SKU, 1),)),
        ((), [one(SKU), one(SKU, 1, "0.00")], (Line(SKU, 1),)),
        # spellings
        ((), [one(f" {SKU.lower()} ")], (Line(SKU, 1),)),
        ((Line(SKU.lower(), 1),), [], (Line(SKU, 1),)),
        ((), [one(SKU), one(f"{SKU}\u200b")], (Line(SKU, 2),)),
        # what the catalog does not know yet waits for it
        ((Line("NEW-1Y", 1),), [], (Line("NEW-1Y", 1),)),
    ],
)  # fmt: skip
def test_what_was_charged_counts_and_its_kind_is_the_cards(
    card: tuple[Line, ...], charged: list[Charged], lines: tuple[Line, ...]
) -> None:
    assert lines_of(card, *charged) == (lines, None, False)


def test_a_list_without_anything_of_ours_is_foreign() -> None:
    assert lines_of((), SHIRT) == ((), None, True)


def test_another_quantity_of_a_bundle_is_for_a_person() -> None:
    assert lines_of((Line(SKU, 2),), one("", 3)) == (
        (Line(SKU, 2),),
        said("charged_other_quantity", charged=3, card=2),
        False,
    )


@pytest.mark.parametrize("quantity", [0, -1, 10_000])
def test_an_odd_quantity_is_for_a_person(quantity: int) -> None:
    assert lines_of((), one(SKU, quantity))[1] == said("odd_quantity")


def test_all_skus_that_a_notice_names_are_looked_up() -> None:
    told = replace(notice(), lines=(Line(PLUS, 1),), charged=(one(SKU), one(""), one(PLUS)))

    assert named(told) == [PLUS, SKU]


@pytest.mark.parametrize(
    ("card", "charged", "lines"),
    [
        ((RENEWAL, Line("TSHIRT-L", 1)), [one(SKU), SHIRT], (RENEWAL,)),
        ((RENEWAL, Line(SKU, 1)), [one(SKU), one(SKU)], (RENEWAL, Line(SKU, 1))),
        ((Line("TSHIRT-L", 1, Kind.RENEWAL, "1201"),), [SHIRT], ()),
        ((Line(SKU, 1),), [one(SKU), one(f" {PLUS.lower()}")], (Line(SKU, 1), Line(PLUS, 1))),
        ((Line(SKU, 1), Line(PLUS, 1)), [one(SKU), one(PLUS, total="-5.00")], (Line(SKU, 1),)),
        ((), [], ()),
    ],
    ids=["beside a shirt", "two of one", "a shirt alone", "another spelling", "a discount", "nothing"],
)
def test_a_shops_own_list_says_what_its_lines_renew_and_other_goods_in_it_are_none_of_ours(
    card: tuple[Line, ...], charged: list[Charged], lines: tuple[Line, ...]
) -> None:
    found = understood(replace(notice(), lines=card, charged=tuple(charged), itemized=True), CATALOG)

    assert (found.lines, found.problem, found.foreign) == (lines, None, not lines)
