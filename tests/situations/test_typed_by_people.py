"""What people type and paste at the doors: a sign too many at its end, a name around an address, a date in Dutch. One
bad field never takes the good ones with it."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from keypost.core import contents, support
from keypost.core.errors import InvalidInput
from keypost.core.mail import Asked
from keypost.core.obstacles import action, obstacles
from keypost.core.order import Reason
from keypost.core.payment import PaymentNotice
from keypost.core.plan import attention
from keypost.core.product import Kind, Line, Step
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.inputs.catalog_file import read_product
from keypost.providers import webhook
from keypost.providers.order_card import read_metadata
from tests.builders import NOW, SKU, ZONE, a_call, notice

PASTED = ["{}\u00a0", "\u200b{}", "{}\t", " {}\r\n", "\ufeff{}\u2060"]
GOOD = "info@klant.example"


def paid(**changes: Any) -> PaymentNotice:
    """What a signed callback of the shop says."""
    lines = [{"sku": SKU, "quantity": 1}]
    data = {"order_id": "A-1", "test": True, "currency": "EUR", "amount": "39.95", "email": GOOD, "lines": lines}
    body = {"type": "order.paid", "timestamp": NOW.isoformat(), "data": data | changes}
    (fact,) = webhook.read(a_call(json.dumps(body).encode(), {}))
    assert isinstance(fact, PaymentNotice)
    return fact


# egulias/EmailValidator #358, Attendize #654, Umbraco.Commerce #528, cerb #1349: people paste.
@pytest.mark.parametrize("sign", PASTED)
def test_signs_around_what_was_pasted_are_dropped_at_every_door(sign: str) -> None:
    assert usable_address(sign.format(GOOD)) == GOOD
    told = paid(email=sign.format(GOOD), order_id=sign.format("A-1"), currency=sign.format("EUR"))
    assert (told.email, told.order_id, told.currency) == (GOOD, "A-1", "EUR")
    card = read_metadata({"v": sign.format("1"), "email": sign.format(GOOD), "line_1": sign.format(f"{SKU} | 1 | New")})
    assert (card.email, card.lines, card.problem) == (GOOD, (Line(SKU, 1),), said_if_no_number())


def said_if_no_number() -> Said:
    """A card without the number of its order is not right; its lines are kept."""
    return said("card_does_not_fit", why=said("field_missing", field="order_id"))


@pytest.mark.parametrize(
    "typed",
    ["Jan <info@klant.example>", "<info@klant.example>", '"Jan" <info@klant.example> ', "mailto:info@klant.example"],
)
def test_an_address_with_its_name_is_understood(typed: str) -> None:
    assert usable_address(typed) == GOOD


UNUSABLE = ["a@x.example, b@x.example", "info@klant.example.", "info@", "a@b.example\r\nBcc: c@d.example"]


@pytest.mark.parametrize("typed", UNUSABLE)
def test_an_order_whose_address_nobody_can_write_to_waits_for_the_address_and_for_nothing_else(typed: str) -> None:
    order = contents.with_payment(None, paid(email=typed), NOW, "EUR")

    assert order.lines == (Line(SKU, 1),)
    assert obstacles(order) == (said("problem", why=said("no_address")),)
    assert (attention(order), action(order, Reason.HOLD)) == ((Reason.HOLD, NOW), Said("correct_address"))
    mended = support.correct_address(order, GOOD, Asked(NOW, "anna"), ZONE)
    assert (obstacles(mended), attention(mended)) == ((), None)


def test_an_order_card_in_a_callback_with_a_bad_address_keeps_its_lines() -> None:
    body = {"order_id": "A-1", "test": True, "currency": "EUR", "amount": "79.90", "v": "1", "line_1": f"{SKU}|2|new"}
    callback = {"type": "order.paid", "data": body | {"email": "a@x.example; b@x.example"}}
    (told,) = webhook.read(a_call(json.dumps(callback).encode(), {}))

    assert isinstance(told, PaymentNotice)
    assert (told.lines, told.email) == ((Line(SKU, 2),), None)


def test_a_callback_without_any_address_is_refused_with_the_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        paid(email=None)

    assert refused.value.said == said("callback_does_not_fit", why=said("field_not_text", field="email"))


@pytest.mark.parametrize(
    "typed", ["01-12-2026", "1-12-2026", "01/12/2026", "1.12.2026", "2026-12-01", " 01-12-2026\u00a0"]
)
def test_a_date_as_the_dutch_write_it_is_read(typed: str) -> None:
    card = read_metadata({"v": "1", "order_id": "A-1", "line_1": f"{SKU} | 1,0 | Renewal | LIC-ABCDEFGH23 | {typed}"})

    line = Line(SKU, 1, Kind.RENEWAL, "LIC-ABCDEFGH23", date(2026, 12, 1))
    assert (card.lines, card.problem) == ((line,), None)


@pytest.mark.parametrize("typed", ["32-12-2026", "1-13-2026", "1-12/2026", "1,5"])
def test_what_is_no_date_and_no_number_takes_no_other_line_with_it(typed: str) -> None:
    bad = f"{SKU}|{typed}" if "," in typed else f"{SKU}|1|renewal|A-0|{typed}"
    card = read_metadata({"v": "1", "order_id": "A-1", "line_1": bad, "line_2": f"{SKU}|1"})

    assert card.lines == (Line(SKU, 1),)
    assert card.problem is not None


def test_a_corrected_callback_of_the_same_number_is_not_paid_twice() -> None:
    first = contents.with_payment(None, paid(email="info@", payment_id="tr-1"), NOW, "EUR")
    again = contents.with_payment(first, replace(paid(payment_id="tr-1"), said=None), NOW, "EUR")
    card = contents.with_payment(None, notice("A-1", email=None), NOW, "EUR")
    corrected = contents.with_payment(card, paid(), NOW, "EUR")

    assert [(order.is_paid_twice, attention(order)) for order in (again, corrected)] == [(False, None)] * 2


def test_a_product_whose_name_was_pasted_with_a_sign_too_many_is_read_without_it() -> None:
    steps = {kind: {"nl": ["Open het.\u200b"], "en": ["Open it."]} for kind in ("new", "renewal")}
    entry = {
        "sku": " KS-1Y\u00a0",
        "vendor": "Kaspersky\u200b",
        "name": {"nl": " Standard ", "en": "Standard"},
        "term_days": 365,
        "devices": 1,
        "code_pattern": "[A-Z0-9]{5}",
        "code_example": "ABCDE",
        "download_url": "https://downloads.example/x ",
        "steps": steps,
    }

    product = read_product(entry)

    assert (product.sku, product.vendor, product.name["nl"]) == ("KS-1Y", "Kaspersky", "Standard")
    assert product.steps[Kind.NEW]["nl"] == (Step("Open het."),)
