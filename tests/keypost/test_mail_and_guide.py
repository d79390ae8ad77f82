"""Product data, mails and guide cannot contradict each other: each step, picture and link of one is in the others."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import html5lib
import pytest

from cli.local.samples import sample_products
from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.order import License
from keypost.core.product import Kind, Line, Part, Platform, Product, Step
from keypost.emails import compose
from keypost.guide_page import Links, Site, product_page
from keypost.words import LANGUAGES, in_language
from tests.builders import NOW, PRODUCT, SHOP, of_customer, paid_order
from tests.keypost.emails.reading import message_of, part

OWN = "https://keypost.example/v1"  # the addresses of Keypost's own pages
PURPOSES = {Kind.NEW: Purpose.PURCHASE, Kind.RENEWAL: Purpose.RENEWAL}
STEPS = (
    Step("Download it and install it.", Part.INSTALL, "https://pictures.example/setup.png", "The setup"),
    Step("Double-click the icon & wait.", Part.OPEN, "https://pictures.example/icon.png", "The icon"),
    Step("Click <License>.", Part.ACTIVATE),
    Step("Enter the code from the e-mail.", Part.ACTIVATE, "https://pictures.example/code.png?a=1&b=2", "The field"),
    Step("It says 365 days.", Part.CHECK),
)
RICH = replace(
    PRODUCT,
    name={"en": "Kaspersky Standard"},
    steps={Kind.NEW: {"en": STEPS}, Kind.RENEWAL: {"en": (*STEPS[1:4], Step("It says reserve.", Part.CHECK))}},
    notes={"en": "Does it look different? Use the account."},
    open_on={"en": "Open this on the computer."},
    elsewhere={"en": "On a telephone, use the shop of apps."},
    downloads={Platform.WINDOWS: "https://downloads.example/w", Platform.IOS: "https://downloads.example/i"},
)
ONE_PLATFORM = replace(RICH, downloads={Platform.ANDROID: "https://downloads.example/a"})
PRODUCTS = {each.sku: each for each in sample_products()} | {
    "rich": RICH,
    "plain": PRODUCT,
    "one platform": ONE_PLATFORM,
}


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    pictures: frozenset[tuple[str, str]]  # with what they show
    links: frozenset[str]


def shown(element: Any) -> Shown:
    links = (each.get("href") for each in element.iter("a"))
    return Shown(
        _plain("".join(element.itertext())),
        frozenset((each.get("src"), each.get("alt")) for each in element.iter("img")),
        frozenset(link for link in links if link.startswith("https:") and not link.startswith(OWN)),
    )


def _plain(text: str) -> str:
    """Without what only keeps words together."""
    for sign, plain in {"\N{WORD JOINER}": "", "\N{NON-BREAKING HYPHEN}": "-", "\N{NO-BREAK SPACE}": " "}.items():
        text = text.replace(sign, plain)
    return " ".join(text.split())


def parsed(html: str) -> Any:
    return html5lib.parse(html, namespaceHTMLElements=False).find("body")


def mail(product: Product, kind: Kind, language: str) -> Shown:
    order = of_customer(paid_order("2026-1", Line(product.sku, 1, kind)), language=language)
    license_ = License("LIC-1", 1, product.sku, product.code_example, date(2026, 12, 1), date(2027, 11, 30))
    sent = Mail(f"{PURPOSES[kind]}-1", PURPOSES[kind], MailState.SENDING, NOW, attempts=1)
    message = compose(
        replace(order, licenses=(license_,)), sent, {product.sku: product}, replace(SHOP, public_url=OWN), NOW
    )
    return shown(parsed(part(message_of(message), "html")))


def guide(product: Product, language: str) -> Shown:
    site = Site(SHOP.name, SHOP.address, SHOP.kvk_number, SHOP.support_address, SHOP.phone, "", SHOP.color)
    links = Links(f"{OWN}/activate", f"{OWN}/activate/{{sku}}", "?lang={language}", f"{OWN}/resend")
    return shown(parsed(product_page(product, language, site, links)))


def data(product: Product, language: str, *kinds: Kind) -> tuple[list[str], set[tuple[str, str]], set[str]]:
    """The texts of a product for these kinds, its pictures with what they show, and its links. The program of a
    customer who renews is there, in which case one link is enough."""
    steps = [step for kind in kinds for step in in_language(product.steps[kind], language)]
    besides = [in_language(each, language) for each in (product.notes, product.open_on, product.elsewhere) if each]
    pictures = {(step.picture, step.alt) for step in steps if step.picture}
    is_there = kinds == (Kind.RENEWAL,) and not any(step.part is Part.INSTALL for step in steps)
    links = {product.download_url, *(() if is_there else product.downloads.values())}
    return [*(step.text for step in steps), *besides], pictures, links


def differences(product: Product, shows: Shown, language: str, *kinds: Kind) -> set[str]:
    """What only one of the two has: the product, or what shows it."""
    texts, pictures, links = data(product, language, *kinds)
    return {
        *(text for text in texts if _plain(text) not in shows.text),
        *(f"{src} {alt}" for src, alt in pictures ^ shows.pictures),
        *(links ^ shows.links),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PRODUCTS)
def test_the_guide_has_all_that_the_product_says_of_both_kinds_and_nothing_else(name: str, language: str) -> None:
    product = PRODUCTS[name]

    assert differences(product, guide(product, language), language, *Kind) == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", PRODUCTS)
def test_each_mail_has_all_that_the_product_says_of_its_kind_and_nothing_else(
    name: str, kind: Kind, language: str
) -> None:
    product = PRODUCTS[name]

    assert differences(product, mail(product, kind, language), language, kind) == set()


ALIKE = {kind: {"en": STEPS} for kind in Kind}
CONTROLS = {
    "a step": (replace(RICH, steps={kind: {"en": (*STEPS, Step("Only here."))} for kind in Kind}), {"Only here."}),
    "a picture": (
        replace(
            RICH,
            steps={
                kind: {"en": (*STEPS[:4], replace(STEPS[4], picture="https://p.example", alt="P"))} for kind in Kind
            },
        ),
        {"https://p.example P"},
    ),
    "a link": (
        replace(RICH, steps=ALIKE, downloads={**RICH.downloads, Platform.LINUX: "https://d.example/l"}),
        {"https://d.example/l"},
    ),
    "a note": (replace(RICH, steps=ALIKE, notes={"en": "Another note."}), {"Another note."}),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_what_only_the_product_has_is_found(name: str) -> None:
    more, found = CONTROLS[name]

    same = replace(RICH, steps=ALIKE)
    assert differences(more, guide(same, "en"), "en", *Kind) == found
    assert differences(more, mail(same, Kind.NEW, "en"), "en", Kind.NEW) == found


@pytest.mark.parametrize("name", ["a picture", "a link"])
def test_what_only_the_guide_or_a_mail_has_is_found(name: str) -> None:
    more, found = CONTROLS[name]

    same = replace(RICH, steps=ALIKE)
    assert differences(same, guide(more, "en"), "en", *Kind) == found
    assert differences(same, mail(more, Kind.NEW, "en"), "en", Kind.NEW) == found
