"""What a payment at Mollie was really for: the card, the lines, and what was captured."""

from typing import Any

import pytest

from keypost.core.payment import Charged, PaymentNotice, PaymentState
from keypost.core.product import Kind, Line
from keypost.core.said import said
from keypost.providers import mollie
from tests.builders import SKU, a_call, event

ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"
CARD = (Line(SKU, 1),)


def eur(value: str) -> dict[str, str]:
    return {"currency": "EUR", "value": value}


def item(sku: Any = SKU, quantity: Any = 1, total: str | None = None, **more: Any) -> dict[str, Any]:
    plain = {"type": "digital", "sku": sku, "quantity": quantity} | more
    return plain | ({"totalAmount": eur(total)} if total else {})


def read(**changes: Any) -> PaymentNotice:
    found = event("mollie/payment.json") | changes
    (notice,) = mollie.read_classic(a_call(f"id={ID}".encode(), get=lambda _path, _query: found))
    assert isinstance(notice, PaymentNotice)
    return notice


def test_another_quantity_and_another_product_than_the_cards_are_told_beside_the_card() -> None:
    """findings/payments.md 5 and K-C: only the card was read, so what was added at checkout was never given."""
    notice = read(lines=[item(quantity=3, total="119.85"), item("ESET-HOME-SECURITY-1D-1Y", total="29.95")])

    assert (notice.lines, notice.problem) == (CARD, None)
    assert notice.charged == (Charged(SKU, 3, "", "119.85"), Charged("ESET-HOME-SECURITY-1D-1Y", 1, "", "29.95"))


@pytest.mark.parametrize("quantity", ["2", 2.0, "2.0", " 2 "], ids=repr)
def test_a_quantity_in_text_is_understood(quantity: Any) -> None:
    """findings/payments.md 32: such a line was dropped silently, and the one beside it was served."""
    notice = read(metadata={"order_id": "7"}, lines=[item(quantity=quantity), item("OTHER")])

    assert (notice.lines, notice.problem) == ((Line(SKU, 2), Line("OTHER", 1)), None)
    assert [each.quantity for each in notice.charged] == [2, 1]


@pytest.mark.parametrize("quantity", [1.5, "x", "1,5", 0, -1, True, None, [], "1.000"], ids=repr)
@pytest.mark.parametrize("metadata", [{"order_id": "7"}, {"v": "1", "order_id": "7", "sku": SKU}], ids=["none", "card"])
def test_an_odd_quantity_is_for_a_person_and_never_drops_its_line(metadata: Any, quantity: Any) -> None:
    """findings/payments.md 32, the other half."""
    notice = read(metadata=metadata, lines=[item(quantity=quantity), item("OTHER")])

    assert notice.problem == said("odd_quantity")
    assert [(each.sku, each.quantity) for each in notice.charged] == [(SKU, 0), ("OTHER", 1)]


def test_a_sku_in_another_spelling_is_told_as_it_stands() -> None:
    """findings/payments.md 34: it was not ours, and invisible."""
    notice = read(metadata={"order_id": "7"}, lines=[item(f" {SKU.lower()} "), item("Kaspersky Standard"), item(1234)])

    assert [each.sku for each in notice.charged] == [SKU.lower(), "Kaspersky Standard", "1234"]


def test_a_line_of_zero_or_less_with_a_sku_is_a_discount_and_no_license() -> None:
    """findings/payments.md 15, for Mollie; settled.md 7."""
    notice = read(metadata={"order_id": "7"}, lines=[item(total="39.95"), item(total="-3.31"), item(total="0.00")])

    assert notice.lines == CARD
    assert [each.total for each in notice.charged] == ["39.95", "-3.31", "0.00"]


@pytest.mark.parametrize("kind", ["shipping_fee", "discount", "gift_card", "store_credit", "surcharge", "tip"])
def test_a_fee_or_a_discount_is_no_item_even_with_the_sku_of_a_product(kind: str) -> None:
    """The list tells fees from goods by their type; the core could not, and would take them for unknown goods."""
    notice = read(metadata={"order_id": "7"}, lines=[item(), item(type=kind, quantity="x"), item(type="new-in-2027")])

    assert (notice.charged, notice.problem) == ((Charged(SKU, 1), Charged(SKU, 1)), None)


def test_a_part_that_was_captured_is_what_was_paid_and_a_person_looks() -> None:
    """findings/payments.md 26: 2 codes for a capture of 39.95 of 79.90 (mollie/Shopware6#815)."""
    notice = read(amount=eur("79.90"), amountCaptured=eur("39.95"))

    assert (notice.state, notice.amount, notice.currency) == (PaymentState.PAID, "39.95", "EUR")
    assert notice.problem == said("captured_in_part", amount="EUR 39.95", whole="EUR 79.90")


@pytest.mark.parametrize("captured", [None, "79.90", "0.00"])
def test_a_payment_that_was_captured_whole_is_an_ordinary_one(captured: str | None) -> None:
    notice = read(amount=eur("79.90"), amountCaptured=eur(captured) if captured else None)

    assert (notice.amount, notice.problem) == ("79.90", None)


def test_a_payment_that_is_only_authorized_is_open() -> None:
    """K-E: it was ignored, also when the shop captured it months later without a call."""
    notice = read(status="authorized", amountCaptured=eur("0.00"))

    assert (notice.state, notice.amount) == (PaymentState.OPEN, "39.95")


def test_what_a_subscription_charges_is_told_beside_what_its_card_renews() -> None:
    card = {"v": "1", "order_id": "2025-000042", "sku": SKU, "email": "a@klant.example"}
    ids = {"customerId": "cst_8wmqcHMN4U", "subscriptionId": "sub_rVKGtNd6s3", "sequenceType": "recurring"}

    notice = read(metadata=card, lines=[item(quantity=3, total="119.85")], **ids)

    assert notice.lines == (Line(SKU, 1, Kind.RENEWAL, "2025-000042/1"),)
    assert notice.charged == (Charged(SKU, 3, "", "119.85"),)


def by_link(link: dict[str, Any], lines: Any) -> PaymentNotice:
    paid = event("mollie/payment.json") | {"metadata": None, "lines": lines}
    things = {
        "/v2/payment-links/pl_4Y0eZitmBnQ6IDo": {"id": "pl_4Y0eZitmBnQ6IDo", "mode": "test", "amount": eur("79.90")}
        | link,
        "/v2/payment-links/pl_4Y0eZitmBnQ6IDo/payments": {
            "_embedded": {"payments": [paid]},
            "_links": {"next": None},
        },
        f"/v2/payments/{ID}": paid,
    }
    body = b'{"resource": "payment-link", "id": "pl_4Y0eZitmBnQ6IDo"}'
    (notice,) = mollie.read_event(a_call(body, get=lambda path, _query: things.get(path)))
    assert isinstance(notice, PaymentNotice)
    return notice


def test_a_payment_link_tells_what_was_charged_through_it() -> None:
    notice = by_link({"lines": [item(quantity="2")]}, None)

    assert (notice.lines, notice.charged, notice.itemized) == ((Line(SKU, 2),), (Charged(SKU, 2),), True)


def test_the_sku_in_the_description_of_a_link_counts_where_its_lines_name_none() -> None:
    unnamed = [item(None, description="Kaspersky")]

    notice = by_link({"description": f"Kaspersky [ {SKU} ]", "lines": unnamed}, unnamed)

    assert (notice.lines, notice.charged) == ((Line(SKU, 1),), (Charged(SKU, 1),))


def test_what_the_payment_of_a_link_says_itself_counts_before_the_link() -> None:
    notice = by_link({"lines": [item(quantity=1)]}, [item(quantity=2)])

    assert (notice.lines, notice.charged) == ((Line(SKU, 2),), (Charged(SKU, 2),))
