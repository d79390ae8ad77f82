from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from email.message import EmailMessage

import html5lib
import pytest

from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails import compose
from tests.builders import NOW, OTHER, PRODUCT, SHOP, SKU, bought
from tests.keypost.emails.reading import message_of, part, preheader, seen, told

MAIL = Mail("reminder-1", Purpose.REMINDER, MailState.SENDING, NOW, attempts=1)
RENEW = "https://www.voorbeeld.example/verlengen?a=1&b=2"
PRODUCTS = {SKU: replace(PRODUCT, renewal_url=RENEW), "OTHER": OTHER}
LAST = {"nl": "22 november 2027", "en": "22 November 2027"}
ORDERS = [bought(1), bought(3), bought(1, 2), bought(1, name=None)]


def sent(order: Order, products: Mapping[str, Product] = PRODUCTS, mail: Mail = MAIL) -> EmailMessage:
    return message_of(compose(order, mail, products, SHOP, NOW))


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("order", ORDERS)
def test_both_parts_say_what_ends_when_and_where_to_renew(order: Order, language: str) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    facts = [order.id, LAST[language], RENEW, SHOP.support_address, SHOP.details]
    facts += [PRODUCTS[sku].name[language] for sku in order.skus]
    for text in told(message):
        assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize("language", ["nl", "en", "de"])
def test_the_page_that_stops_reminders_is_in_the_language_of_the_mail(language: str) -> None:
    way_out = "https://keypost.example/v1/reminders/x"

    message = message_of(compose(bought(1, language=language), MAIL, PRODUCTS, SHOP, NOW, way_out))

    assert message["List-Unsubscribe"] == f"<{way_out}>"  # programs call it, and read no page
    for body in (part(message, "plain"), part(message, "html")):
        assert f"{way_out}?lang={language}" in body


@pytest.mark.parametrize("order", ORDERS)
def test_it_holds_no_code_anywhere(order: Order) -> None:
    message = sent(order)

    whole = [str(message.items()), part(message, "plain"), part(message, "html")]
    assert [order.id in text for text in whole] == [True, True, True]
    assert not any(license_.code in text for license_ in order.licenses for text in whole)
    assert message.get_content_type() == "multipart/alternative"
    assert list(message.iter_attachments()) == []


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        ("nl", "Wilt u verlengen? Beantwoord dan deze e-mail."),
        ("en", "If you would like to renew, reply to this e-mail."),
    ],
)
def test_where_the_product_has_no_link_the_customer_renews_by_an_answer(language: str, reply: str) -> None:
    with_link, without = (sent(bought(1, language=language), {SKU: p}) for p in (PRODUCTS[SKU], PRODUCT))

    assert [reply in text for text in (*told(without), *told(with_link))] == [True, True, False, False]
    assert ["https:" in text for text in (*told(without), *told(with_link))] == [False, False, True, True]


@pytest.mark.parametrize(
    ("order", "language", "sentence"),
    [
        (
            bought(1),
            "nl",
            "Volgens onze gegevens loopt uw licentie voor Kaspersky Standard tot en met 22 november 2027.",
        ),
        (
            bought(3),
            "nl",
            "Volgens onze gegevens lopen uw 3 licenties voor Kaspersky Standard tot en met 22 november 2027.",
        ),
        (bought(1), "en", "According to our records, your licence for Kaspersky Standard runs until 22 November 2027."),
        (
            bought(3),
            "en",
            "According to our records, your 3 licences for Kaspersky Standard run until 22 November 2027.",
        ),
    ],
)
def test_it_counts_the_licenses(order: Order, language: str, sentence: str) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    assert sentence in part(message, "plain")
    assert sentence in seen(part(message, "html"))


def test_it_is_about_the_lines_that_are_due_and_no_other() -> None:
    message = sent(bought(2, 1), mail=replace(MAIL, lines=(2,)))

    for text in (message["Subject"], part(message, "plain"), seen(part(message, "html"))):
        assert "Ander <Pakket>" in text
        assert "Kaspersky" not in text


@pytest.mark.parametrize(
    ("order", "language", "subject"),
    [
        (
            bought(1),
            "nl",
            "Wilt u Kaspersky Standard verlengen? (2026-001234)",
        ),
        (bought(1), "en", "Time to renew Kaspersky Standard? (2026-001234)"),
        (bought(2), "nl", "Wilt u Kaspersky Standard verlengen? (2026-001234)"),
        (bought(1, 2), "en", "Time to renew Kaspersky Standard, Other <Suite>?"),
        (bought(1), "xx", "Time to renew Kaspersky Standard? (2026-001234)"),
    ],
)
def test_the_orders_language_decides_and_one_we_do_not_write_gets_english(
    order: Order, language: str, subject: str
) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    assert message["Subject"] == subject
    assert message["Content-Language"] == ("nl" if language == "nl" else "en")


def test_of_licenses_that_end_on_several_days_the_line_beside_the_subject_names_the_first() -> None:
    order = bought(1, 1)
    sooner = replace(order.licenses[1], last_day=date(2027, 11, 1))

    message = sent(replace(order, licenses=(order.licenses[0], sooner)))

    assert "eerste licentie tot en met 1 november 2027" in preheader(part(message, "html"))
    text = part(message, "plain")
    days = ["Kaspersky Standard", "22 november 2027", "Ander <Pakket>", "1 november 2027"]
    assert sorted(days, key=text.index) == days


LONG = {SKU: replace(PRODUCTS[SKU], name={"nl": "é" * 300, "en": "x" * 300}), "OTHER": OTHER}


@pytest.mark.parametrize("products", [PRODUCTS, LONG])
@pytest.mark.parametrize("order", [*ORDERS, bought(1, name="é" * 300, language="en")])
def test_on_the_wire_it_is_ascii_in_lines_that_every_server_takes(order: Order, products: dict[str, Product]) -> None:
    raw = compose(order, MAIL, products, SHOP, NOW).as_bytes()

    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("order", [*ORDERS, bought(1, name='<b>"Anna"</b>\r\nX: y')])
def test_the_html_has_no_fault_and_a_name_is_text(order: Order) -> None:
    message = sent(order)
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(part(message, "html"))

    assert parser.errors == []
    assert document.find(".//b") is None
    assert document.findtext("head/title") == message["Subject"].strip()
    assert message["X"] is None


@pytest.mark.parametrize(
    ("order", "named"),
    [(bought(1), lambda order: order.licenses[0].id), (bought(3), lambda order: f"{order.id}%2F1")],
    ids=["one license", "several"],
)
def test_the_link_says_which_license_is_renewed(order: Order, named: Callable[[Order], str]) -> None:
    url = "https://shop.example/?add-to-cart=87&keypost_renews={license}&of={order}"
    message = sent(order, {SKU: replace(PRODUCT, renewal_url=url)})

    expected = f"https://shop.example/?add-to-cart=87&keypost_renews={named(order)}&of={order.id}"
    for text in told(message):
        assert expected in text
        assert "{license}" not in text
