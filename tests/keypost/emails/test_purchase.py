import re
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import InvalidInput
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails import compose
from tests.builders import (
    NOW,
    PURCHASE_MAIL,
    SHOP,
    TWO_PRODUCTS,
    bought,
)
from tests.keypost.emails.reading import message_of, part, told


def sent(order: Order, products: Mapping[str, Product] = TWO_PRODUCTS) -> EmailMessage:
    return message_of(compose(order, PURCHASE_MAIL, products, SHOP, NOW))


ORDERS = [bought(1), bought(3), bought(1, 2), bought(1, name=None)]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("order", ORDERS)
def test_both_parts_hold_every_code_link_step_and_number(order: Order, language: str) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    facts = [order.id, SHOP.support_address, SHOP.details, *(license_.code for license_ in order.licenses)]
    for sku in order.skus:
        facts += [TWO_PRODUCTS[sku].name[language], TWO_PRODUCTS[sku].download_url, "365"]
        facts += [step.text for step in TWO_PRODUCTS[sku].steps[order.lines[0].kind][language]]
    for text in told(message):
        assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize("order", ORDERS)
def test_no_code_stands_in_a_header_or_in_the_line_that_a_locked_phone_shows(order: Order) -> None:
    message = sent(order)

    html = part(message, "html")
    preheader = html[html.index("display:none") : html.index('role="article"')]
    for license_ in order.licenses:
        assert license_.code in html
        assert license_.code not in preheader
        assert all(license_.code not in f"{name}: {value}" for name, value in message.items())


@pytest.mark.parametrize(
    ("order", "language", "subject"),
    [
        (bought(1), "nl", "Uw activatiecode voor Kaspersky Standard (2026-001234)"),
        (bought(1), "en", "Activation code for Kaspersky Standard (2026-001234)"),
        (bought(2, 1), "nl", "Uw activatiecodes voor Kaspersky Standard, Ander <Pakket>"),
        (bought(2, 1), "en", "Activation codes for Kaspersky Standard, Other <Suite>"),
        (bought(1), "xx", "Activation code for Kaspersky Standard (2026-001234)"),
    ],
)
def test_the_orders_language_decides_and_one_we_do_not_write_gets_english(
    order: Order, language: str, subject: str
) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    assert message["Subject"] == subject
    assert message["Content-Language"] == ("nl" if language == "nl" else "en")


def test_the_headers_say_who_writes_to_whom_and_that_no_person_need_answer() -> None:
    message = sent(bought(1))

    assert message["From"] == "Voorbeeld Software <licenties@mail.voorbeeld.example>"
    assert message["To"] == "facturen@klant.example"
    assert message["Reply-To"] == "hulp@voorbeeld.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["X-Entity-Ref-ID"] == "2026-001234/purchase-1"
    assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize("order", ORDERS)
def test_the_html_has_no_fault(order: Order) -> None:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(part(sent(order), "html"))

    assert parser.errors == []
    assert document.attrib["lang"] == "nl"
    assert document.findtext("head/title") == sent(order)["Subject"]


TAGS = re.findall(r"<[^>]*>", part(sent(bought(1)), "html"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300))
def test_a_name_is_text_and_nothing_else_in_both_parts(name: str) -> None:
    hostile = sent(bought(1, name=name))

    assert re.findall(r"<[^>]*>", part(hostile, "html")) == TAGS
    assert name.strip() in part(hostile, "plain") or "\n" in name or not name.isprintable()


@pytest.mark.parametrize("order", [*ORDERS, bought(500, 500), bought(1, name="é" * 100)])
def test_on_the_wire_it_is_ascii_in_lines_that_every_server_takes(order: Order) -> None:
    raw = compose(order, PURCHASE_MAIL, TWO_PRODUCTS, SHOP, NOW).as_bytes()

    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("order", ORDERS)
def test_a_usual_mail_is_short_enough_for_gmail_to_show_whole(order: Order) -> None:
    assert len(compose(order, PURCHASE_MAIL, TWO_PRODUCTS, SHOP, NOW).as_bytes()) < 20_000


def test_a_code_that_is_none_of_its_product_is_not_written() -> None:
    order = bought(1)
    wrong = replace(order, licenses=(replace(order.licenses[0], code="1234"),))

    with pytest.raises(InvalidInput):
        compose(wrong, PURCHASE_MAIL, TWO_PRODUCTS, SHOP, NOW)


def test_what_was_exchanged_stands_in_no_mail_of_what_was_paid_instead() -> None:
    """Its product may be in no catalog any more; the mail of the exchange failed for that."""
    both = bought(1, 2)
    first, second = both.lines
    exchanged = replace(both, lines=(replace(second, id=2),), last_line=2)
    catalog = {second.sku: TWO_PRODUCTS[second.sku]}
    given = {number: [each.code for each in both.licenses if each.line == number] for number in (1, 2)}

    text = part(message_of(compose(exchanged, replace(PURCHASE_MAIL, lines=(2,)), catalog, SHOP, NOW)), "plain")

    assert first.sku not in catalog
    assert [code in text for code in given[2]] == [True, True]
    assert [code in text for code in given[1]] == [False]


def test_a_shop_whose_name_has_signs_that_mail_programs_distrust_is_written_without_them() -> None:
    shop = replace(SHOP, name='De "Winkel", b.v.: <x@y>' + "x" * 100)

    message = compose(bought(1), PURCHASE_MAIL, TWO_PRODUCTS, shop, NOW)

    (sender,) = message["From"].addresses
    assert not set('@:,"<>') & set(sender.display_name)
    assert len(sender.display_name) <= 75
