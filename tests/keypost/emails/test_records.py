"""The box for the administration."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.local.samples import SAMPLES, sample_products
from keypost.core.mail import Asked, Mail, MailState, Purpose
from keypost.core.order import Decision, Order
from keypost.core.payment import Payment, PaymentState, Refunded
from keypost.core.telling import PERSON, Sum
from keypost.emails import compose
from tests.builders import NOW, SHOP, TWO_PRODUCTS, bought
from tests.keypost.emails.reading import document, message_of, part

PRODUCTS = TWO_PRODUCTS | {product.sku: product for product in sample_products()}
PURCHASE = Mail("purchase-1", Purpose.PURCHASE, MailState.SENDING, NOW, attempts=1)
ORDER, GOODS = ("Bestelling", "2026-001234"), ("Product", "1 \N{MULTIPLICATION SIGN} Kaspersky Standard")


def paid(amount: str | None = "39.95", currency: str | None = "EUR", days: int = 0, **changes: Any) -> Payment:
    told = (Sum(by="stripe", amount=amount, currency=currency, is_paid=True),)
    return replace(Payment((f"stripe:cs_{days}",), PaymentState.PAID, NOW + timedelta(days=days), sums=told), **changes)


def box(order: Order, mail: Mail = PURCHASE) -> list[tuple[str, str]]:
    """Its rows, which both parts have alike."""
    message = message_of(compose(order, mail, PRODUCTS, SHOP, NOW))
    found = [(row[0].text, row[1].text) for row in document(part(message, "html")).iter("tr") if row[0].tag == "th"]
    assert [f"{name}: {value}" in part(message, "plain") for name, value in found] == [True] * len(found)
    return found


ON_DAY = "€\N{NO-BREAK SPACE}39,95 op 23 november 2026"


@pytest.mark.parametrize(
    ("payments", "rows"),
    [
        ([paid()], [ON_DAY]),
        ([paid("39.9")], ["€\N{NO-BREAK SPACE}39,90 op 23 november 2026"]),
        ([paid("1200", "JPY")], ["JPY\N{NO-BREAK SPACE}1.200 op 23 november 2026"]),
        ([paid(None, None)], ["23 november 2026"]),
        ([paid(), paid("10.00", days=1)], [ON_DAY, "€\N{NO-BREAK SPACE}10,00 op 24 november 2026"]),
        ([paid(refunded=(Refunded(NOW, "5.00", by="stripe"),))], [ON_DAY, "€\N{NO-BREAK SPACE}5,00"]),
        ([paid(names=(f"{PERSON}:1",), sums=())], []),
        ([paid(state=PaymentState.OPEN)], []),
    ],
    ids=["one", "one decimal", "no decimals", "amount unknown", "two", "part refunded", "by hand", "open"],
)
def test_it_says_what_was_paid_as_it_was_paid_and_nothing_that_is_not_known(
    payments: list[Payment], rows: list[str]
) -> None:
    found = box(replace(bought(1), payments=tuple(payments)))

    assert found[:2] == [ORDER, GOODS]
    assert [value for _, value in found[2:]] == rows
    assert {name for name, _ in found[2:]} <= {"Betaald voor de bestelling", "Daarvan terugbetaald"}


def test_of_what_a_customer_got_for_nothing_it_says_so_and_a_payment_by_bank_has_no_known_day() -> None:
    by_hand = {why: (Decision("by_hand", Asked(NOW, "anna"), because=why),) for why in ("goodwill", "paid_by_bank")}

    given, by_bank = (
        box(replace(bought(1), decisions=made, payments=(paid(names=(f"{PERSON}:1",), sums=()),)))
        for made in by_hand.values()
    )

    assert given == [ORDER, GOODS, ("Betaald voor de bestelling", "niets")]
    assert by_bank == [ORDER, GOODS]


def test_it_has_a_period_only_where_our_records_have_one() -> None:
    renewal, moved = SAMPLES["renewal"], SAMPLES["purchase-moved"]

    assert box(renewal.order, renewal.mail)[2] == (
        "Periode volgens onze gegevens",
        "30 november 2026 tot en met 29 november 2027",
    )
    assert box(moved.order, moved.mail)[2][0] == "Periode volgens onze gegevens"
    assert [name for name, _ in box(bought(1))] == ["Bestelling", "Product"] + ["Betaald voor de bestelling"] * len(
        bought(1).standing_payments
    )


def test_another_reader_than_the_customer_does_not_see_what_was_paid() -> None:
    order = replace(bought(1), payments=(paid(),))
    elsewhere = replace(PURCHASE, purpose=Purpose.RESEND, to="ander@klant.example")

    assert len(box(order)) == 3
    assert box(order, elsewhere) == [ORDER, GOODS]


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.mail.holds_codes])
def test_it_stands_in_every_mail_with_codes_and_has_none(name: str) -> None:
    found = box(SAMPLES[name].order, SAMPLES[name].mail)

    assert found[0] == ORDER
    assert not any(each.code in value for each in SAMPLES[name].order.licenses for _, value in found)
