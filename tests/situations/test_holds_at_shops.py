"""One bad field keeps the good ones (K-H): WooCommerce and Moneybird."""

import pytest

from keypost.core.product import Line
from keypost.providers import moneybird, woocommerce
from tests.builders import SKU, a_call, event, of_moneybird, of_woocommerce, only_notice


@pytest.mark.parametrize(
    "typed",
    [
        "jan@klant.example;boekhouding@klant.example",
        "jan@klant.example ; boekhouding@klant.example",
        "jan@klant.example boekhouding@klant.example",
        '"Jan Jansen" <jan@klant.example>; boekhouding@klant.example',
        '"Jansen, Jan" <jan@klant.example>, boekhouding@klant.example',
        "geen adres; jan@klant.example",
    ],
)
def test_addresses_as_people_type_them_into_moneybird_are_read(typed: str) -> None:
    """Tried: with a semicolon the order was held."""
    contact = event("moneybird/sales_invoice_state_changed_to_paid.json")["entity"]["contact"]
    body = of_moneybird(contact=contact | {"send_invoices_to_email": typed})

    assert only_notice(moneybird.read(a_call(body))).email == "jan@klant.example"


def test_one_bad_line_of_an_invoice_keeps_the_good_one() -> None:
    details = [{"description": f"[{SKU}]", "amount": "1"}, {"description": "[OTHER]", "amount": "anderhalf"}]
    found = only_notice(moneybird.read(a_call(of_moneybird(details=details))))

    assert found.lines == (Line(SKU, 1),)
    assert found.problem is not None


def test_a_bad_address_on_the_order_gives_way_to_that_of_the_invoice() -> None:
    noted = [{"key": "keypost_email", "value": "it@klant,example"}]

    assert only_notice(woocommerce.read(a_call(of_woocommerce(meta_data=noted)))).email == "facturen@klant.example"
