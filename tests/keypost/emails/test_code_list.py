import csv
import io
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from cli.local.samples import SAMPLES, sample_mail, sample_products
from keypost.emails import compose
from tests.builders import NOW, SHOP

PRODUCTS = {product.sku: product for product in sample_products()}


def rows(message: EmailMessage, separator: str) -> list[list[str]]:
    """The attached list, parsed from the bytes of the mail."""
    arrived = message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(arrived, EmailMessage)
    (attachment,) = arrived.iter_attachments()
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))


@pytest.mark.parametrize(
    ("language", "separator", "heads"),
    [
        ("nl", ";", ["Product", "Activatiecode", "Licentie", "Eerste dag", "Laatste dag"]),
        ("en", ",", ["Product", "Activation code", "Licence", "First day", "Last day"]),
    ],
)
def test_it_says_of_each_code_its_product_license_and_days(language: str, separator: str, heads: list[str]) -> None:
    head, *lines = rows(sample_mail("purchase-many", language), separator)

    assert head == heads
    assert lines == [
        ["Kaspersky Standard", license_.code, license_.id, "2026-11-23", "2027-11-22"]
        for license_ in SAMPLES["purchase-many"].order.licenses
    ]


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_nothing_in_it_is_a_formula(title: str) -> None:
    products = {sku: replace(each, name={"nl": title, "en": title}) for sku, each in PRODUCTS.items()}
    sample = SAMPLES["purchase-many"]

    _, *lines = rows(compose(sample.order, sample.mail, products, SHOP, NOW), ";")

    assert {line[0] for line in lines} == {f"'{title}"}
