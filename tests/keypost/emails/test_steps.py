"""A product in a mail: numbered steps that carry the download and the code, on which device to read it, pictures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cli.local.samples import SAMPLES
from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.order import Order
from keypost.core.product import Kind, Part, Platform, Product, Step
from keypost.emails import compose
from tests.builders import NOW, OTHER, PRODUCT, SHOP, SKU, bought, code
from tests.keypost.emails.reading import document, links, message_of, part, preheader, told

PURCHASE = Mail("purchase-1", Purpose.PURCHASE, MailState.SENDING, NOW, attempts=1)
OWN = "https://keypost.example/v1"
PUBLIC, PRIVATE = (replace(SHOP, public_url=url) for url in (OWN, ""))
PICTURE = Step("Klik op Licentie.", Part.ACTIVATE, "https://shop.example/licentie.png", "Venster met de knop Licentie")


def with_steps(*steps: Step, **changes: Any) -> Product:
    both = {kind: {"nl": steps, "en": steps} for kind in Kind}
    return replace(PRODUCT, steps=both, **changes)


def sent(order: Order, *products: Product, mail: Mail = PURCHASE, shop: Any = SHOP) -> Any:
    return message_of(compose(order, mail, {each.sku: each for each in products}, shop, NOW))


def outline(message: Any) -> list[str]:
    """The numbered steps, headings, code and button of a mail, in order, as a reader of the HTML meets them."""
    found = []
    for element in document(part(message, "html")).find("body/div[@role='article']").iter():
        if element.tag in ("h2", "h3", "code"):
            found.append(element.text)
        elif element.tag == "td" and element.get("height") == "34":
            found.append(f"{element.text}.")
        elif element.tag == "a" and "bold" in element.get("style", ""):
            found.append(f"[{element.text}]")
    return found


S = Step
DOWNLOAD, OPEN, CODE, CHECK = "Downloaden en installeren", "Programma openen", "Activeren met uw code", "Gelukt?"
BUTTON, BOX = "[Kaspersky Standard downloaden]", code(0)
WHOLE = ["1.", DOWNLOAD, BUTTON, "2.", OPEN, "3.", CODE, BOX, "4.", CHECK]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([S("i", Part.INSTALL), S("o", Part.OPEN), S("a"), S("b"), S("c", Part.CHECK)], WHOLE),
        ([S("o", Part.OPEN), S("a"), S("c", Part.CHECK)], WHOLE),
        ([S("i", Part.INSTALL), S("c", Part.CHECK), S("o", Part.OPEN), S("a")], WHOLE),
        ([S("a"), S("i", Part.INSTALL), S("b")], ["1.", CODE, BOX, "2.", DOWNLOAD, BUTTON, "3.", CODE]),
        ([S("i", Part.INSTALL)], ["1.", DOWNLOAD, BUTTON, "2.", CODE, BOX]),
        ([S(f"stap {n}") for n in range(12)], ["1.", DOWNLOAD, BUTTON, "2.", CODE, BOX]),
    ],
    ids=[
        "whole",
        "no install step",
        "check in between",
        "code before download",
        "no step with the code",
        "twelve steps",
    ],
)
def test_each_step_has_what_it_needs_in_it_and_what_one_sees_at_the_end_comes_last(
    steps: Sequence[Step], found: list[str]
) -> None:
    message = sent(bought(1), with_steps(*steps))

    (first, *rest) = outline(message)
    assert first == "Kaspersky Standard"
    assert rest[: len(found)] == found
    made = ["Gelukt?"] if "Gelukt?" not in found else []  # in every mail the customer is told how to see that it worked
    assert [each for each in rest[len(found) :] if not each.endswith(".")] == [
        *made,
        "Goed om te weten",
        "Voor uw administratie",
    ]
    for text in told(message):
        assert [step.text for step in steps if step.text not in text] == []


def test_steps_within_a_numbered_one_have_letters_in_both_parts() -> None:
    message = sent(bought(1), with_steps(*(S(f"stap {n}") for n in range(12))))

    (letters,) = [each for each in document(part(message, "html")).iter("ol") if each.get("type") == "a"]
    assert [item.text for item in letters] == [f"stap {n}" for n in range(12)]
    assert "   a. stap 0\r\n" in part(message, "plain").replace("\n", "\r\n").replace("\r\r", "\r")
    assert "   l. stap 11" in part(message, "plain")


def test_each_product_has_its_own_numbered_steps() -> None:
    found = outline(sent(bought(1, 2), with_steps(S("a")), replace(OTHER, name={"nl": "Ander", "en": "Other"})))

    assert [each for each in found if each.endswith(".")] == ["1.", "2.", "3."] * 2
    assert found.index("Kaspersky Standard") < found.index(code(0)) < found.index("Ander") < found.index(code(1))
    assert "Activeren met uw codes" in found


def test_a_renewal_begins_with_the_program_that_is_there_and_says_how_to_see_that_it_worked() -> None:
    sample = SAMPLES["renewal"]
    product = replace(with_steps(S("o", Part.OPEN), S("a")), sku=sample.order.lines[0].sku)

    message = sent(sample.order, product, mail=sample.mail)

    assert outline(message)[:8] == [
        "Kaspersky Standard",
        "1.",
        OPEN,
        "2.",
        CODE,
        "ABCDE-12345-FGHIJ-00001",
        "3.",
        CHECK,
    ]
    for text in told(message):
        assert "hoeveel dagen uw licentie nog heeft" in text
        assert "Gebruikt u inmiddels een ander apparaat?" in text
        assert product.download_url in text


ON, ELSE = (
    {"nl": "Lees dit op uw computer.", "en": "Read it there."},
    {"nl": "Op een telefoon: bel ons.", "en": "Call."},
)


@pytest.mark.parametrize(
    ("on", "other", "first"),
    [
        (ON, ELSE, "Lees dit op uw computer. Op een telefoon: bel ons."),
        (ON, {}, "Lees dit op uw computer."),
        ({}, ELSE, "Op een telefoon: bel ons."),
        ({}, {}, "Hartelijk dank voor uw betaling van bestelling 2026-001234."),
    ],
)
def test_the_first_line_says_on_which_device_to_read_it_if_the_product_says_so(on: Any, other: Any, first: str) -> None:
    message = sent(bought(1), with_steps(S("a"), open_on=on, elsewhere=other))

    for text in told(message):
        assert f"Beste Anna Jansen, {first}" in text


def test_products_for_different_devices_each_say_which() -> None:
    other = replace(OTHER, open_on={"nl": "Lees dit op uw Mac.", "en": "On your Mac."}, name={"nl": "Ander", "en": "O"})

    for text in told(sent(bought(1, 1), with_steps(S("a"), open_on=ON), other)):
        assert text.count("Lees dit op") == 2
        assert text.index("Kaspersky Standard") < text.index(ON["nl"]) < text.index("Lees dit op uw Mac.")


def test_of_several_platforms_each_has_its_link_besides_the_button() -> None:
    downloads = {Platform.WINDOWS: "https://d.example/w", Platform.IOS: "https://d.example/i"}

    for text in told(sent(bought(1), with_steps(S("a"), downloads=downloads))):
        assert all(said in text for said in ("Windows", "iPhone en iPad", *downloads.values(), PRODUCT.download_url))


def test_a_picture_has_its_words_and_a_width_and_the_mail_says_the_same_without_it() -> None:
    message, plain = (sent(bought(1), with_steps(step, S("b"))) for step in (PICTURE, replace(PICTURE, picture=None)))

    (picture,) = document(part(message, "html")).iter("img")
    assert (picture.get("src"), picture.get("alt"), picture.get("width")) == (PICTURE.picture, PICTURE.alt, "440")
    assert "max-width:100%" in picture.get("style")
    assert part(message, "plain") == part(plain, "plain")
    assert told(message)[1] == told(plain)[1]
    (alone,) = document(part(sent(bought(1), with_steps(PICTURE)), "html")).iter("img")
    assert alone.get("alt") == PICTURE.alt


def test_texts_of_600_letters_stand_whole_in_both_parts() -> None:
    long = "Zeer lang. " * 54
    product = with_steps(S(long, Part.INSTALL), S(long), notes=dict.fromkeys(("nl", "en"), long), open_on=ON)

    for text in told(sent(bought(1), product)):
        assert text.count(long.strip()) == 3


@pytest.mark.parametrize(
    ("public", "links_of"), [(PUBLIC, [f"{OWN}/activate/{SKU}?lang=nl", f"{OWN}/resend?lang=nl"]), (PRIVATE, [])]
)
def test_a_mail_with_codes_leads_to_the_guide_and_to_the_page_for_a_lost_mail_if_it_is_known_where_they_are(
    public: Any, links_of: list[str]
) -> None:
    message = sent(bought(1), PRODUCT, shop=public)

    own = [link for link in links(part(message, "html")) if "keypost.example" in link]
    assert own == links_of
    assert all(link in part(message, "plain") for link in own)
    assert "keypost.example" in " ".join(told(message)) or not links_of


@pytest.mark.parametrize(("customer", "names", "read"), [("de", ("nl", "de"), "de"), ("de", ("nl",), "nl")])
def test_the_pages_are_in_the_language_of_the_mail_whatever_the_browser_prefers(
    customer: str, names: tuple[str, ...], read: str
) -> None:
    steps = {kind: {name: (S("x"),) for name in names} for kind in Kind}
    product = replace(PRODUCT, name=dict.fromkeys(names, "Pakket"), steps=steps)

    message = sent(bought(1, language=customer), product, shop=PUBLIC)

    own = [link for link in links(part(message, "html")) if link.startswith(OWN)]
    assert [link.partition("?")[2] for link in own] == [f"lang={read}"] * 2
    assert message["Content-Language"] == read


def test_no_link_leads_to_a_page_that_is_not_there() -> None:
    off = replace(PUBLIC, has_self_service=False)
    retired = replace(PRODUCT, retired_on=date(2026, 11, 23))
    elsewhere = replace(PURCHASE, purpose=Purpose.RESEND, to="ander@klant.example")

    assert "/resend" not in " ".join(told(sent(bought(1), PRODUCT, shop=off)))
    assert "/activate/" not in " ".join(told(sent(bought(1), retired, shop=PUBLIC)))
    assert "/resend" not in " ".join(told(sent(bought(1), PRODUCT, shop=PUBLIC, mail=elsewhere)))


@pytest.mark.parametrize(
    ("names", "customer", "written"),
    [
        (("nl",), "en", "nl"),
        (("en",), "nl", "en"),
        (("nl", "en"), "xx", "en"),
        (("nl",), "xx", "nl"),
        (("xx",), "nl", "nl"),
    ],
)
def test_a_mail_with_steps_is_in_one_language_which_its_product_has(
    names: tuple[str, ...], customer: str, written: str
) -> None:
    texts = dict.fromkeys(names, "Pakket")
    steps = {kind: {name: (S("x"),) for name in names} for kind in Kind}
    product = replace(PRODUCT, name=texts, steps=steps)

    message = sent(bought(1, language=customer), product)

    assert message["Content-Language"] == written
    assert preheader(part(message, "html")).startswith({"nl": "In deze", "en": "In this"}[written])


@pytest.mark.parametrize(
    "name", ["Anna *Jansen*", "Anna\nGeef uw code door aan 0900-1234", "<b>Anna</b> [x] {order}", "*"]
)
def test_a_name_is_words_whatever_stands_in_it(name: str) -> None:
    message = sent(bought(1, name=name), PRODUCT)

    written = " ".join(name.split())
    assert part(message, "plain").startswith(f"Beste {written},")
    assert f"Beste {written}, " in told(message)[1]
    assert document(part(message, "html")).find(".//b") is None
    assert "Anna" not in [element.text for element in document(part(message, "html")).iter("strong")]


def test_what_an_operator_writes_of_a_product_is_words_too() -> None:
    steps = (S("Klik op *Licentie* of {order} [alt]"), S("<b>vet</b>", Part.CHECK))
    message = sent(bought(1), with_steps(*steps, open_on={"nl": "*Hier* {x}", "en": "x"}))

    for text in told(message):
        assert all(each in text for each in (*(step.text for step in steps), "*Hier* {x}"))
