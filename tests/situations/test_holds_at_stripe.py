"""One bad field keeps the good ones."""

from typing import Any

import pytest

from keypost.core.payment import PaymentNotice, PaymentState
from keypost.providers import stripe
from tests.builders import SKU, a_call, stripe_event

CARD = {"v": "1", "order_id": "7", "line_1": f"{SKU}|1"}


def heard(**session: Any) -> PaymentNotice:
    (found,) = stripe.read(a_call(stripe_event({"metadata": CARD} | session), get=None))
    assert isinstance(found, PaymentNotice)
    return found


@pytest.mark.parametrize("details", [None, {}, {"email": None}, {"email": "jan@voorbeeld,nl"}])
def test_the_address_that_the_shop_gave_to_stripe_does_where_the_buyer_left_none(details: Any) -> None:
    """Own trial: `customer_details.email` null with `customer_email` set was held."""
    found = heard(customer_details=details, customer_email="anna@klant.example")

    assert (found.email, found.problem) == ("anna@klant.example", None)
    assert heard(customer_details={"email": "b@klant.example"}, customer_email="a@klant.example").email == (
        "b@klant.example"
    )


def test_a_typing_error_in_the_address_of_a_card_leaves_stripes_good_one() -> None:
    """Own trial: `jan@voorbeeld,nl` on the card, and the buyer's own address at Stripe stood unused beside it."""
    assert heard(metadata=CARD | {"email": "jan@voorbeeld,nl"}).email == "anna@klant.example"
    assert heard(metadata=CARD | {"email": "jan@voorbeeld.example"}).email == "jan@voorbeeld.example"


@pytest.mark.parametrize("field", ["individual_name", "business_name"])
def test_a_customer_without_a_name_is_called_by_that_of_the_person_or_the_company(field: str) -> None:
    found = heard(customer_details={"name": None, field: "Klant B.V.", "email": "anna@klant.example"})

    assert found.name == "Klant B.V."


@pytest.mark.parametrize("metadata", [CARD | {"line_1": "A|0"}, {"v": "2", "order_id": "7"}])
def test_an_invoice_written_by_hand_with_a_bad_card_is_held_and_not_ignored(metadata: dict[str, str]) -> None:
    alone = {"parent": None, "billing_reason": "manual", "metadata": metadata}

    (found,) = stripe.read(a_call(stripe_event(alone, "invoice.paid"), get=None))

    assert isinstance(found, PaymentNotice)
    assert (found.order_id, found.state, found.problem is not None) == ("7", PaymentState.PAID, True)
