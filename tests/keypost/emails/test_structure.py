"""How mails are built, so that every mail program shows them whole: Outlook for Windows lays them out as Word does."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cli.local.samples import DAILY_NOTE, NAMES, SAMPLES, SHOP, sample_mail, sample_products
from keypost.core.mail import Purpose
from keypost.emails import compose
from keypost.words import LANGUAGES
from tests.builders import NOW
from tests.keypost.emails.reading import document, part

PRODUCTS = {product.sku: product for product in sample_products()}
CELLS = {"td", "th"}
INLINE = {"a", "b", "code", "em", "i", "small", "span", "strong"}
LOST_INLINE = ("padding", "margin", "display", "text-align", "border", "background", "width", "height", "float")
LOST_IN_TEXT = ("padding", "border", "background")  # also of a paragraph and a heading
every_mail = pytest.mark.parametrize(("name", "language"), [(n, lang) for n in NAMES for lang in LANGUAGES])


def lost(html: str) -> Iterator[tuple[str, str]]:
    """The styles that Word does not show, each with its element."""
    for element in document(html).iter():
        names = [each.partition(":")[0].strip() for each in element.get("style", "").split(";") if each.strip()]
        gone = LOST_INLINE if element.tag in INLINE else LOST_IN_TEXT if element.tag in {"p", "h1", "h2", "h3"} else ()
        yield from ((element.tag, name) for name in names if name.startswith(gone or ("\0",)))


@every_mail
def test_what_shows_a_button_or_a_box_stands_on_cells_of_tables(name: str, language: str) -> None:
    assert list(lost(part(sample_mail(name, language), "html"))) == []


def test_a_style_that_outlook_loses_is_found() -> None:
    page = '<!doctype html><title>x</title><p style="border:0"><a style="color:#000;padding:2px">x</a></p>'

    assert list(lost(page)) == [("p", "border"), ("a", "padding")]


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.mail.holds_codes])
def test_each_code_and_each_button_has_a_cell_with_its_background_and_alignment(name: str) -> None:
    root = document(part(sample_mail(name, "nl"), "html"))
    around = {child: parent for parent in root.iter() for child in parent}
    boxed = [*root.iter("code"), *(link for link in root.iter("a") if "font-weight:bold" in link.get("style", ""))]

    assert boxed or "many" in name
    for element in boxed:
        cell = around[element]
        assert cell.tag == "td"
        assert (cell.get("align"), bool(cell.get("bgcolor"))) == ("center", True)
        assert "padding:" in cell.get("style")


@every_mail
def test_a_screen_reader_finds_its_name_its_language_and_its_headings_in_order(name: str, language: str) -> None:
    message = sample_mail(name, language)
    root = document(part(message, "html"))
    article = root.find("body/div[@role='article']")
    levels = [int(element.tag[1]) for element in article.iter() if element.tag in ("h1", "h2", "h3")]

    assert (article.get("aria-label"), article.get("lang")) == (message["Subject"], language)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@every_mail
def test_e_mail_and_addresses_do_not_break_at_a_hyphen(name: str, language: str) -> None:
    root = document(part(sample_mail(name, language), "html"))
    kept = {id(each) for each in root.iter("span") if "white-space:nowrap" in each.get("style", "")}

    def breaking(element: Any) -> Iterator[str]:
        texts = [] if id(element) in kept else [element.text]
        for text in filter(None, [*texts, *(child.tail for child in element)]):
            yield from re.findall(r"\b[Ee]-mail\w*|\S+@\S+", text)
        for child in element:
            yield from breaking(child)

    assert list(breaking(root.find("body/div[@role='article']"))) == []


HARD_NAMES = [
    "Kaspersky Small Office Security voor vijf computers en vijf telefoons",
    "é" * 300,
    "Zeer lange " * 27,
    "x",
]


def with_names(sample_name: str, language: str, title: str) -> Any:
    sample = SAMPLES[sample_name]
    products = {sku: replace(each, name=dict.fromkeys(each.name, title)) for sku, each in PRODUCTS.items()}
    order = replace(sample.order, customer=replace(sample.order.customer, language=language))
    return compose(order, sample.mail, products, SHOP, NOW)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_subject_says_what_it_is_about_where_a_telephone_shows_it(name: str, language: str) -> None:
    names_product = SAMPLES[name].mail.purpose not in (
        Purpose.REFUNDED,  # whose product the catalog may not know
        Purpose.ADDRESS_CHANGED,
        Purpose.SENT_ELSEWHERE,
        Purpose.LICENSE_MOVED,
    )
    first = PRODUCTS[SAMPLES[name].order.lines[0].sku].name[language]

    subjects = [str(sample_mail(name, language)["Subject"])]
    assert not names_product or first[:15] in subjects[0][:40]
    for title in HARD_NAMES:
        subject = str(with_names(name, language, title)["Subject"])
        assert not names_product or title[:12].strip() in subject[:40]
        subjects.append(subject)
    assert [each for each in subjects if len(each) > 60 or each != " ".join(each.split())] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_no_header_begins_with_an_empty_line(name: str, language: str) -> None:
    """Several mail programs show a blank in its place."""
    raw = [sample_mail(name, language).as_bytes()]
    if name != DAILY_NOTE:
        raw += [with_names(name, language, title).as_bytes() for title in HARD_NAMES]

    for message in raw:
        head = message.partition(b"\r\n\r\n")[0]
        assert b"\r\nSubject: " in head
        assert re.findall(rb"^[\w-]+:[ \t]*\r\n", head, re.MULTILINE) == []
