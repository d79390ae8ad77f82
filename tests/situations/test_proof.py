"""Proof of delivery: one page per order, for a shop whose customer disputes a payment."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core import support
from keypost.core.mail import Asked, Fate, MailSent, MailState
from keypost.core.mailing import claim_mail, settle_mail, with_report
from keypost.core.order import Order
from keypost.core.payment import Refunded
from keypost.proof_page import Seller, render
from keypost.use_cases import take_mail_event
from keypost.words import names_of, reader
from tests.builders import NOW, PRODUCT, ZONE, mail_report, of_customer, sent_order, ses_event
from tests.functions.support_calls import call

SHOP = Seller("Voorbeeld Software", "Voorbeeldstraat 1", "12345678")
ASKED = Asked(NOW + timedelta(days=2), support.CUSTOMER)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def text(order: Order, language: str = "nl") -> str:
    page = render(order, SHOP, reader(language, ZONE, names_of([PRODUCT], language)), NOW + timedelta(days=30))
    parser = _Text()
    parser.feed(page.partition("<main>")[2])
    return re.sub(r"\s+", " ", " ".join(parser.found))


def delivered() -> Order:
    """Sent, taken by a server, and sent again."""
    event = ses_event("delivery")
    event["detail"]["delivery"] |= {"remoteMtaIp": "192.0.2.25"}
    report = take_mail_event.read(event)
    assert report
    order, again = support.resend(with_report(sent_order(), report, NOW), ASKED, ZONE)
    return settle_mail(claim_mail(order, again.id, ASKED.at), again.id, 1, MailSent("m-2"), ASKED.at)


def test_the_page_says_what_was_sold_paid_sent_and_taken_by_which_server() -> None:
    told = text(delivered())

    for part in (
        "Bewijs van levering van bestelling 2026-001234",
        "Voorbeeld Software, Voorbeeldstraat 1",
        "KvK-nummer 12345678",
        "Anna Jansen facturen@klant.example",
        "Kaspersky Standard 1 aankoop",
        "23 november 2026 om 13:00 € 39,95 Stripe cs_2026-001234",
        f"{sent_order().licenses[0].id} Kaspersky Standard …00000 23 november 2026 22 november 2027",
        "door Amazon SES aangenomen voor verzending op 23 november 2026 om 13:00",
        "aangenomen door de mailserver van de ontvanger 192.0.2.25 op 23 november 2026 om 13:00, met als antwoord: 250",
        ": 250 2.0.0 OK 1795435202 ffacd0b85a97d-queued",
        "door de klant aangevraagd op 25 november 2026 om 13:00",
        "Het is niet bekend of de ontvanger de e-mail heeft geopend",
    ):
        assert part in told, part


def test_the_page_is_english_for_an_english_reader() -> None:
    told = text(delivered(), "en")

    assert "Proof of delivery of order 2026-001234" in told
    assert (
        "accepted by the recipient's mail server 192.0.2.25 on 23 November 2026 at 13:00, which answered: 250" in told
    )


def test_no_code_stands_on_the_page() -> None:
    order = delivered()
    secret = order.licenses[0].code

    page = render(order, SHOP, reader("nl", ZONE), NOW)
    assert secret[-5:] in page
    assert secret not in page
    assert secret[:-6] not in page


def test_nothing_is_said_that_is_not_known() -> None:
    """SES may report nothing, and the answer of SES may be lost."""
    told = text(sent_order())
    assert "aangenomen voor verzending" in told
    assert "mailserver van de ontvanger op" not in told

    unknown = replace(sent_order().mails[0], state=MailState.UNKNOWN, sent_at=None, message_id=None)
    told = text(replace(sent_order(), mails=(unknown,)))
    assert "het is niet bekend of deze is verstuurd" in told
    assert "aangenomen" not in told.replace("die een e-mail aanneemt", "")


def test_a_mail_that_came_back_is_not_made_better() -> None:
    told = text(with_report(sent_order(), mail_report(Fate.BOUNCED), NOW))

    assert "teruggestuurd door de mailserver van de ontvanger" in told
    assert "aangenomen door de mailserver" not in told


def test_money_that_went_back_stands_beside_the_payment() -> None:
    order = sent_order()
    payment = replace(order.payments[0], refunded=(Refunded(NOW, "5.00", by="stripe"),))

    assert "cs_2026-001234 € 5,00" in text(replace(order, payments=(payment,)))


def test_an_erased_customer_has_no_name_on_it() -> None:
    erased = support.erase(delivered(), Asked(NOW, "anna"), NOW.date())

    told = text(erased)
    assert "klant.example" not in told
    assert "Anna" not in told
    assert "Kaspersky Standard" in told


def test_names_that_are_markup_are_text() -> None:
    page = render(of_customer(sent_order(), name="<script>alert(1)</script>"), SHOP, reader("nl", ZONE), NOW)

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("250 2.1.5 <Anna@klant.example> Recipient OK", "250 2.1.5 <…> Recipient OK"),
        ("250 ok anna+x@klant.example queued", "250 ok … queued"),
        ("250 " + "x" * 300, "250 " + "x" * 116),
        (None, ""),
        (["250"], ""),
        ("250 \x00", ""),
    ],
)
def test_of_what_a_server_answers_no_address_is_kept(said: Any, kept: str) -> None:
    event = ses_event("delivery")
    event["detail"]["delivery"]["smtpResponse"] = said
    report = take_mail_event.read(event)

    assert report
    assert report.answer == kept


def test_an_agent_gets_the_page(wired: Stack) -> None:
    wired.store.save(replace(delivered(), version=0))
    kept: list[Any] = []

    status, page = call("GET", "/orders/{order_id}/proof", kept=kept, order_id="2026-001234")

    headers = kept[0]["multiValueHeaders"]
    assert (status, page.startswith("<!doctype html>")) == (200, True)
    assert headers["Content-Type"] == ["text/html; charset=utf-8"]
    assert headers["Content-Security-Policy"][0].startswith("default-src 'none'")
    assert call("GET", "/orders/{order_id}/proof", order_id="none")[0] == 404
