"""What an order says twice is stored once, and comes back whole."""

from dataclasses import replace
from typing import Any

from keypost.core import licensing
from keypost.core.codes import StockCode
from keypost.core.mail import MailSent
from keypost.core.mailing import settle_mail
from keypost.core.order import Order, TimelineEntry
from keypost.table.items import from_wire
from keypost.table.orders import order_item, order_of
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order


def sold() -> Order:
    order = licensing.with_codes(paid_order(), [StockCode("0" * 64, code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    return settle_mail(order, "purchase-1", 1, MailSent("ses-1"), NOW)


def stored(order: Order) -> dict[str, Any]:
    item = from_wire(order_item(order))
    assert order_of(item) == order
    return item


def test_a_sale_names_its_payment_its_mail_and_its_product_once() -> None:
    item = stored(sold())

    assert [{"code", "at"} ^ entry.keys() for entry in item["timeline"]] == [{"#paid"}, {"values"}, {"#mail"}]
    assert ("id" in item, "sku" in item["licenses"][0], item["mails"][0]["sent_to"]) == (False, False, "")


def test_what_differs_from_the_rest_of_the_order_is_stored() -> None:
    order = sold()
    other_mail = replace(order.mails[0], sent_to="old@klant.example")
    other_license = replace(order.licenses[0], sku="OTHER")
    entries = (
        TimelineEntry(NOW, "payment_paid", {"provider": "stripe", "payment": "pi_9", "amount": "EUR 1.00"}),
        TimelineEntry(NOW, "mail_sent", {"mail": "purchase-1", "attempt": 2}),
        TimelineEntry(NOW, "payment_refunded", {**order.timeline[0].values, "amount": "EUR 9.00"}),
        TimelineEntry(NOW, "mail_failed", {**order.timeline[2].values, "why": "no"}),
    )

    item = stored(replace(order, mails=(other_mail,), licenses=(other_license,), timeline=entries))

    assert (item["mails"][0]["sent_to"], item["licenses"][0]["sku"]) == ("old@klant.example", "OTHER")
    assert [entry.get("values") for entry in item["timeline"]] == [
        {"provider": "stripe", "payment": "pi_9", "amount": "EUR 1.00"},
        {"mail": "purchase-1", "attempt": 2},
        {"amount": "EUR 9.00"},
        {"why": "no"},
    ]


def test_a_license_of_a_line_that_is_gone_keeps_its_product() -> None:
    assert stored(replace(sold(), lines=()))["licenses"][0]["sku"] == SKU


def test_an_address_that_was_corrected_does_not_change_where_a_mail_went() -> None:
    order = order_of(from_wire(order_item(sold())))
    was = order.customer.email

    changed = replace(order, customer=replace(order.customer, email="new@klant.example"))

    assert [order_of(stored(changed)).mails[0].sent_to, was] == [was, was]
