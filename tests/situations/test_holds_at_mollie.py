"""No hold without a way on: one bad field of a card keeps the good ones, and Mollie's own address does."""

from typing import Any

import pytest

from keypost.core.payment import PaymentNotice
from keypost.core.product import Line
from keypost.providers import mollie
from tests.builders import SKU, a_call, english, event

CARD = {"v": "1", "order_id": "2026-001236", "sku": SKU}


def read(**changes: Any) -> PaymentNotice:
    found = event("mollie/payment.json") | changes
    body = b"id=tr_5B8cwPMGnU6qLbRvo7qEZo"
    (notice,) = mollie.read_classic(a_call(body, get=lambda _path, _query: found))
    assert isinstance(notice, PaymentNotice)
    return notice


def test_a_typing_error_in_the_address_of_a_card_leaves_mollies_good_one() -> None:
    """findings/payments.md 19: the card was refused whole, its goods were lost, and release was a 409 for ever."""
    notice = read(metadata=CARD | {"email": "jan@voorbeeld,nl"})

    assert (notice.email, notice.lines, notice.problem) == ("anna@klant.example", (Line(SKU, 1),), None)


def test_a_card_without_any_good_address_keeps_its_goods_so_that_an_address_is_all_that_is_missing() -> None:
    notice = read(metadata=CARD | {"email": "jan@voorbeeld,nl"}, billingAddress={"email": "jan@"})

    assert (notice.email, notice.lines, notice.order_id) == (None, (Line(SKU, 1),), "2026-001236")
    assert notice.problem is None, "the order itself says that it has no address"


def test_a_bad_line_keeps_the_good_ones_and_a_person_looks() -> None:
    notice = read(metadata={"v": "1", "order_id": "7", "line_1": f"{SKU}|2", "line_2": f"{SKU}|two"})

    assert (notice.order_id, notice.lines, notice.email) == ("7", (Line(SKU, 2),), "anna@klant.example")
    assert notice.problem
    assert "whole number" in english(notice.problem)


@pytest.mark.parametrize(
    "email", [" anna@klant.example ", "\ufeffanna@klant.example\u200b", "anna@klant.example\r\n"], ids=ascii
)
def test_an_address_that_was_copied_with_spaces_and_invisible_characters_is_used(email: str) -> None:
    assert read(metadata=CARD | {"email": email}, billingAddress=None).email == "anna@klant.example"
    assert read(metadata=CARD, billingAddress={"email": email}).email == "anna@klant.example"


@pytest.mark.parametrize("address", [None, [], "text", 7])
def test_an_address_that_is_none_does_not_keep_the_payment_from_being_read(address: Any) -> None:
    """PHP makes a list of an empty object."""
    notice = read(metadata=CARD, billingAddress=address)

    assert (notice.email, notice.name, notice.lines) == (None, None, (Line(SKU, 1),))
