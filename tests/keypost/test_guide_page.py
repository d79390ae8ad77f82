"""The guide, as a customer sees it."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from string import Formatter
from typing import Any

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from cli.local.samples import sample_products
from keypost.core.product import Kind, Part, Platform, Product, Step
from keypost.guide_page import Links, Site, headers, notice_page, overview_page, product_page
from keypost.guide_page.writing import WORDS
from keypost.words import LANGUAGES
from tests.builders import PRODUCT

SITE = Site(
    "Voorbeeld & Zoon", "Voorbeeldstraat 1", "12345678", "hulp@voorbeeld.example", "020 123 45 67", "", "#0b6e5b"
)
LINKS = Links(
    "../activate?lang={language}", "../activate/{sku}?lang={language}", "?lang={language}", "../resend?lang={language}"
)
MARKUP = 'Klik op <b>OK</b> & "klaar" {0} {name} $style'
FIRST = (
    Step("Download en installeer het.", Part.INSTALL),
    Step("Dubbelklik op het pictogram.", Part.OPEN, "https://pictures.example/open.png", "Het pictogram"),
    Step("Klik op Licentie.", Part.ACTIVATE),
    Step("Voer de code in.", Part.ACTIVATE, "https://pictures.example/code.png", "Het venster voor de code"),
    Step("Er staat nog 365 dagen.", Part.CHECK),
)
RICH = replace(
    PRODUCT,
    steps={Kind.NEW: {"nl": FIRST, "en": FIRST}, Kind.RENEWAL: {"nl": FIRST[1:], "en": FIRST[1:]}},
    notes={"nl": "Ziet het er anders uit? Bel ons.", "en": "Does it look different? Call us."},
    open_on={"nl": "Open deze uitleg op uw computer.", "en": "Open this on your computer."},
    elsewhere={"nl": "Op een Mac gaat het net zo.", "en": "On a Mac it is the same."},
    downloads={Platform.WINDOWS: "https://downloads.example/w", Platform.MACOS: "https://downloads.example/m"},
)
STEPS_OF_EACH = {
    kind: {language: (Step(words),) for language in LANGUAGES}
    for kind, words in ((Kind.NEW, "Voer de code in."), (Kind.RENEWAL, "Voer de nieuwe code hier in."))
}
MARKED = replace(
    RICH,
    vendor="A & <i>B</i>",
    name={"nl": "<u>Pakket</u>"},
    steps={kind: {"nl": (Step(MARKUP, Part.ACTIVATE, "https://p.example/?a=1&b=2", '"><b>'),)} for kind in Kind},
    notes={"nl": MARKUP},
    open_on={"nl": MARKUP},
    elsewhere={"nl": MARKUP},
)
LONG = ("Klik op de knop en wacht tot het klaar is. " * 15)[:600]
MANY = replace(
    RICH,
    name={"nl": "Beveiligingsprogrammapakket " * 7},
    steps={
        kind: {"nl": (*(Step(LONG, part) for part in Part for _ in range(3)), Step("W" * 600, Part.CHECK))}
        for kind in Kind
    },
    notes={"nl": "https://" + "lang" * 148},
    download_url="https://downloads.example/" + "a" * 450,
)
HARD = {
    "rich": RICH,
    "plain": PRODUCT,
    "one platform": replace(RICH, downloads={Platform.ANDROID: "https://downloads.example/a"}),
    "every platform": replace(RICH, downloads={each: f"https://downloads.example/{each}" for each in Platform}),
    "twelve long steps": MANY,
    "markup": MARKED,
}


def page(product: Product = RICH, language: str = "nl", links: Links = LINKS, site: Site = SITE) -> str:
    return product_page(product, language, site, links)


def parsed(html: str) -> Any:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(html)
    assert parser.errors == []
    return document


def text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def headings(document: Any) -> list[str]:
    return [text(each) for each in document.iter() if each.tag in ("h1", "h2", "h3")]


def test_every_language_says_everything_with_the_same_values() -> None:
    def values(words: dict[str, str]) -> dict[str, set[str | None]]:
        return {name: {field for _, field, _, _ in Formatter().parse(said)} - {None} for name, said in words.items()}

    assert set(WORDS) == set(LANGUAGES)
    assert [values(WORDS[language]) for language in LANGUAGES] == [values(WORDS["en"])] * len(LANGUAGES)


def test_the_page_leads_from_the_mail_over_numbered_blocks_to_the_end() -> None:
    assert headings(parsed(page())) == [
        "Kaspersky Standard installeren en activeren",
        "De e-mail met uw activatiecode",
        "Geen e-mail ontvangen?",
        "Installeren en activeren",
        "1. Downloaden en installeren",
        "2. Programma openen",
        "3. Activeren met uw code",
        "4. Gelukt?",
        "Hoelang uw licentie geldt",
        "Als u uw licentie verlengt",
        "Hulp nodig?",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HARD)
def test_the_levels_of_headings_have_no_gap_and_there_is_one_of_the_first(name: str, language: str) -> None:
    document = parsed(page(HARD[name], language))
    levels = [int(each.tag[1]) for each in document.iter() if re.fullmatch("h[1-6]", str(each.tag))]

    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    ids = [each.attrib["id"] for each in document.iter() if "id" in each.attrib]
    assert len(ids) == len(set(ids))
    for link in document.findall(".//a"):
        if (target := link.attrib["href"]).startswith("#"):
            assert target.removeprefix("#") in ids


def test_each_platform_has_its_button_and_the_link_of_the_mail_stands_beside_them() -> None:
    document = parsed(page())

    buttons = [(text(each), each.attrib["href"]) for each in document.findall(".//a[@class='button']")]
    assert buttons == [
        ("Downloaden voor Windows", "https://downloads.example/w"),
        ("Downloaden voor Mac", "https://downloads.example/m"),
    ]
    links = [each.attrib["href"] for each in document.findall(".//a")]
    assert "https://downloads.example/standard" in links


def test_a_product_without_platforms_has_one_button() -> None:
    (button,) = parsed(page(PRODUCT)).findall(".//a[@class='button']")

    assert (text(button), button.attrib["href"]) == ("Kaspersky Standard downloaden", PRODUCT.download_url)


def test_each_picture_stands_with_its_step_and_says_what_it_shows() -> None:
    steps = [each for each in parsed(page()).iter() if each.findall("img")]

    found = [(text(step), step.find("img").attrib) for step in steps]
    assert found == [
        ("Dubbelklik op het pictogram.", {"src": "https://pictures.example/open.png", "alt": "Het pictogram"}),
        ("Voer de code in.", {"src": "https://pictures.example/code.png", "alt": "Het venster voor de code"}),
    ]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (7, "ontvangt u de e-mail 7 dagen voordat"),
        (1, "ontvangt u de e-mail één dag voordat"),
        (0, "ontvangt u de e-mail op de dag waarop"),
    ],
)
def test_the_day_of_a_renewals_mail_is_that_of_the_product(days: int, told: str) -> None:
    assert told in text(parsed(page(replace(PRODUCT, mail_days_before=days))))


def test_what_becomes_of_a_running_license_is_as_the_product_says() -> None:
    kept, lost = (
        text(parsed(page(replace(PRODUCT, holds_reserve_code=holds, term_days=730)))) for holds in (True, False)
    )

    assert "Dan gaan de nieuwe 730 dagen pas in als die is verlopen" in kept
    assert "U mag de nieuwe code meteen invoeren" in kept
    assert "Voer de nieuwe code dan pas in als die is verlopen" in lost
    assert "Voer de nieuwe code in op de eerste dag van uw nieuwe periode" in lost
    assert "vervallen" not in kept
    assert "geen dag verloren" not in lost


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_who_reads_from_above_enters_a_code_before_knowing_what_becomes_of_the_old_license(
    language: str,
) -> None:
    lost = text(parsed(page(replace(RICH, holds_reserve_code=False, steps=STEPS_OF_EACH), language)))
    words = WORDS[language]

    places = [lost.index(part) for part in (words["running_lost"].partition("? ")[2], "Voer de code in.")]
    assert places == sorted(places)
    again = lost[lost.index(words["renewal_lost"]) :]
    assert "Voer de nieuwe code hier in." in again


def renewal_of(product: Product) -> Any:
    (found,) = (each for each in parsed(page(product)).iter("section") if each.attrib["id"] == "renewal")
    return found


def test_a_renewal_skips_the_installing_and_repeats_no_steps() -> None:
    assert "Stap 1 (downloaden en installeren) kunt u overslaan" in text(renewal_of(RICH))
    assert renewal_of(RICH).findall(".//ol") == []
    assert "Stap 1 (downloaden en installeren) kunt u overslaan" in text(renewal_of(PRODUCT))
    assert WORDS["nl"]["made_check"] in text(parsed(page(PRODUCT)))
    assert WORDS["nl"]["made_check"] not in text(parsed(page(RICH)))


def test_a_renewal_with_steps_of_its_own_has_them() -> None:
    own = replace(RICH, steps={**RICH.steps, Kind.RENEWAL: {"nl": FIRST[2:4]}})

    assert headings(renewal_of(own)) == [
        "Als u uw licentie verlengt",
        "1. Activeren met uw code",
        "2. Gelukt?",
    ]
    assert [text(each) for each in renewal_of(own).iter("li")] == [step.text for step in FIRST[2:4]]
    assert WORDS["nl"]["made_check"] in text(renewal_of(own))
    assert "Installeren kunt u overslaan" in text(renewal_of(own))


def test_a_renewal_that_installs_is_not_told_to_skip_it() -> None:
    same = replace(RICH, steps={kind: {"nl": FIRST} for kind in Kind})
    other = replace(RICH, steps={**RICH.steps, Kind.RENEWAL: {"nl": (FIRST[0], FIRST[3])}})

    assert "dezelfde als hierboven" in text(renewal_of(same))
    for product in (same, other):
        assert "overslaan" not in text(renewal_of(product)).replace("Dan kunt u deze stap overslaan", "")


def test_the_code_is_shown_by_its_shape_and_no_example_can_be_typed_by_mistake() -> None:
    assert "XXXXX-XXXXX-XXXXX-XXXXX" in page()
    assert PRODUCT.code_example not in page()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_product_of_another_language_keeps_its_own_and_says_which(language: str) -> None:
    foreign = replace(
        RICH, name={"xx": "Programma"}, steps={kind: {"xx": FIRST} for kind in Kind}, notes={"xx": "Nota"}
    )
    foreign = replace(foreign, open_on={"xx": "Aan"}, elsewhere={"xx": "Elders"})
    document = parsed(page(foreign, language))

    assert document.attrib["lang"] == language
    marked = [text(each) for each in document.iter() if each.attrib.get("lang") == "xx"]
    assert {"Programma", "Nota", "Aan", "Elders"} <= set(marked)
    assert {text(each) for each in document.iter("ol")} <= set(marked)
    assert {FIRST[0].text, FIRST[1].text, FIRST[4].text} <= set(marked)
    assert not [
        each
        for each in parsed(page(RICH, next(iter(RICH.name)))).iter("main")
        for each in each.iter()
        if "lang" in each.attrib
    ]
    assert document.findtext("head/title") == WORDS[language]["title"].format(name="Programma") + f" - {SITE.name}"


def test_texts_of_a_product_are_text_and_nothing_else() -> None:
    document = parsed(page(MARKED))

    assert document.findall(".//b") == document.findall(".//i") == document.findall(".//u") == []
    assert text(document).count(" ".join(MARKUP.split())) == 4
    (picture,) = document.findall(".//img")
    assert picture.attrib == {"src": "https://p.example/?a=1&b=2", "alt": '"><b>'}
    assert "A & <i>B</i>" in text(parsed(overview_page([MARKED], "nl", SITE, LINKS)))


def test_all_products_stand_under_their_vendors() -> None:
    products = [replace(RICH, sku="B", vendor="Zeta", name={"nl": "Zet"}), replace(RICH, sku="A"), *sample_products()]
    document = parsed(overview_page(products, "nl", SITE, LINKS))

    assert headings(document)[:4] == [WORDS["nl"]["overview_title"], "ESET", "Kaspersky", "Zeta"]
    links = [each.attrib["href"] for each in document.findall(".//ul[@class='products']/li/a")]
    assert sorted(links) == sorted(f"../activate/{product.sku}?lang=nl" for product in products)


@pytest.mark.parametrize(
    ("days", "told"), [((7, 7), "7 dagen voordat"), ((7, 3), "enkele dagen voordat"), ((), "enkele dagen voordat")]
)
def test_for_all_products_the_day_of_a_renewals_mail_is_named_where_it_is_the_same(
    days: tuple[int, ...], told: str
) -> None:
    products = [replace(PRODUCT, mail_days_before=each) for each in days]

    assert f"ontvangt u de e-mail {told}" in text(parsed(overview_page(products, "nl", SITE, LINKS)))


def every_page(language: str, site: Site = SITE) -> dict[str, str]:
    return {
        **{name: page(product, language, site=site) for name, product in HARD.items()},
        **{product.sku: page(product, language, site=site) for product in sample_products()},
        "all": overview_page([*sample_products(), MARKED], language, site, LINKS),
        "none": overview_page([], language, site, LINKS),
        **{
            notice: notice_page(notice, language, site, LINKS, product)
            for notice, product in (("unknown", None), ("retired", MANY), ("failed", None))
        },
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("logo", ["", "https://pictures.example/logo.png"])
def test_the_policy_allows_what_every_page_needs_and_no_more(language: str, logo: str) -> None:
    site = replace(SITE, logo_url=logo)
    policy = headers(site)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name, html in every_page(language, site).items():
        document = parsed(html)
        (style,) = document.findall(".//style")
        digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy, name
        assert "url(" not in style.text
        for element in document.iter():
            assert element.tag not in {"script", "iframe", "form", "object"}
            assert not {each for each in element.attrib if each == "style" or each.startswith("on")}
        assert all(each.attrib["src"].startswith("https://") for each in document.findall(".//img"))
        assert all(each.attrib["rel"] == "alternate" for each in document.findall(".//link"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_leads_to_the_other_languages_and_to_the_shop(language: str) -> None:
    for name, html in every_page(language).items():
        document = parsed(html)
        switches = [each.attrib for each in document.findall(".//header/nav/a")]
        assert [each["lang"] for each in switches] == [each for each in LANGUAGES if each != language], name
        assert all(each["href"] == f"?lang={each['lang']}" == f"?lang={each['hreflang']}" for each in switches)
        assert [each.attrib["hreflang"] for each in document.findall(".//link")] == list(LANGUAGES)
        assert f'href="mailto:{SITE.support_address}"' in html
        assert 'href="tel:0201234567"' in html
        assert document.attrib["lang"] == language
        assert document.findtext("head/title").endswith(f" - {SITE.name}")
        assert name == "markup" or "<" not in document.findtext("head/title")


def test_the_page_on_which_licenses_come_again_is_called_there_as_it_calls_itself() -> None:
    (link,) = parsed(page()).findall(".//a[@class='resend']")

    assert (text(link), link.attrib["href"]) == ("Licentie opnieuw ontvangen", "../resend?lang=nl")


def fulfil(route: Route) -> None:
    route.fulfill(
        body=b"<svg xmlns='http://www.w3.org/2000/svg' width='900' height='500'/>", content_type="image/svg+xml"
    )


def faults(visited: Page) -> list[str]:
    return [each["id"] for each in Axe().run(visited, options={"resultTypes": ["violations"]}).response["violations"]]


@pytest.mark.drill
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(browser: Browser, language: str, scheme: Any) -> None:
    visited = browser.new_page(color_scheme=scheme, viewport={"width": 320, "height": 640})
    visited.route("**/*", fulfil)
    for name, html in every_page(language, replace(SITE, color="#ffd400")).items():
        visited.set_content(html)

        assert faults(visited) == [], name
        assert visited.evaluate("document.documentElement.scrollWidth") == 320, name
    visited.close()


@pytest.mark.drill
def test_on_paper_buttons_are_links_with_their_addresses(browser: Browser) -> None:
    visited = browser.new_page(color_scheme="dark")
    visited.route("**/*", fulfil)
    visited.set_content(page())
    visited.emulate_media(media="print")

    content = "getComputedStyle(document.querySelector('.button'), '::after').content"
    assert visited.evaluate(content) == '" (https://downloads.example/w)"'
    assert visited.evaluate("getComputedStyle(document.querySelector('.button')).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert visited.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == "rgb(255, 255, 255)"
    content = content.replace(".button", ".resend")
    assert visited.evaluate(content) == "none"  # an address without its host is of no use on paper
    visited.set_content(page(links=replace(LINKS, resend="https://shop.example/resend?lang={language}")))
    assert visited.evaluate(content) == '" (https://shop.example/resend?lang=nl)"'
    assert not visited.locator("header nav").is_visible()
    assert visited.locator("header .shop").is_visible()
    visited.close()
