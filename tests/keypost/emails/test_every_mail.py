"""Rules for every kind of mail in every language, tested on the samples of `keypost mail preview`."""

import os
import re
import subprocess
from dataclasses import replace
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import default
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from cli.local.samples import NAMES, SAMPLES, SHOP, sample_mail, sample_products
from keypost.core.colors import contrast
from keypost.core.errors import InvalidInput
from keypost.core.order import Order
from keypost.core.product import Kind, Step
from keypost.emails import WRITERS, Shop, compose
from keypost.inputs.addresses import email_address
from keypost.providers.order_card import clean_name
from keypost.words import LANGUAGES, in_language
from tests.builders import NOW
from tests.keypost.emails.reading import DARK, LIGHT, document, links, painted, part, seen, styles, told
from tests.programs import misspelled

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parents[3] / "layers/keypost/keypost/emails/templates"
PRODUCTS = {product.sku: product for product in sample_products()}
CATALOG = PRODUCTS.items()
WITH_CODES = [name for name, sample in SAMPLES.items() if sample.mail.holds_codes]
LETTERS = [name for name in SAMPLES if name not in ("address_changed", "sent_elsewhere", "license_moved")]
SHOPS = [replace(SHOP, color=color) for color in ("#ffffff", "#000000", "#ffd400", "#7f7f7f", "#0b6e5b")]
every_mail = pytest.mark.parametrize(("name", "language"), [(n, lang) for n in NAMES for lang in LANGUAGES])


@cache
def mail(name: str, language: str, shop: Shop = SHOP) -> EmailMessage:
    """The mail as it arrives, parsed from its bytes."""
    message = message_from_bytes(sample_mail(name, language, shop).as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def parts(name: str, language: str) -> tuple[str, str]:
    """What the text part tells its reader, and what the HTML part does."""
    return told(mail(name, language))


def codes(name: str) -> list[str]:
    sample = SAMPLES[name]
    ids = sample.mail.licenses
    return [each.code for each in sample.order.licenses if not ids or each.id in ids]


@every_mail
def test_it_is_word_for_word_as_in_its_golden_files(name: str, language: str, request: pytest.FixtureRequest) -> None:
    message = mail(name, language)
    found = {
        "txt": f"Subject: {message['Subject'].strip()}\n\n{part(message, 'plain')}",
        "html": part(message, "html"),
    }
    for ending, on_the_wire in found.items():
        content = on_the_wire.replace("\r\n", "\n")
        golden = GOLDEN / f"{name}-{language}.{ending}"
        if request.config.getoption("--update-golden"):
            golden.write_text(content, "utf-8")
        assert content == golden.read_text("utf-8")


def test_there_is_no_golden_file_of_what_is_not_sent_any_more() -> None:
    wanted = {f"{name}-{language}.{ending}" for name in NAMES for language in LANGUAGES for ending in ("txt", "html")}

    assert {path.name for path in GOLDEN.iterdir()} == wanted


def test_there_is_a_sample_of_every_kind() -> None:
    assert {sample.mail.purpose for sample in SAMPLES.values()} == set(WRITERS)


def test_the_templates_have_no_word_of_any_language() -> None:
    sources = [path.read_text("utf-8") for path in TEMPLATES.iterdir()]

    assert len(sources) == 2
    for source in sources:
        bare = re.sub(r"<style>.*?</style>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]+>|&\w+;", "", source, flags=re.DOTALL)
        assert not re.search(r"\w", bare)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", WITH_CODES)
def test_both_parts_hold_all_that_the_customer_needs(name: str, language: str) -> None:
    order, facts = SAMPLES[name].order, [SAMPLES[name].order.id, SHOP.details, *codes(name), "365"]
    for number in order.lines_of([SAMPLES[name].mail]):
        line, term = order.line(number), order.term(number)
        product, kind = PRODUCTS[line.sku], Kind.NEW if term and term.is_other_product else line.kind
        facts += [
            in_language(product.name, language),
            product.download_url,
            *(step.text for step in in_language(product.steps[kind], language)),
        ]
        facts += [in_language(product.notes, language)] if product.notes else []
    for text in parts(name, language):
        assert [fact for fact in facts if fact not in text] == []


# What the shop's page about licenses by e-mail promises; each mail with codes must say it, in other words.
SAID = {
    "nl": {
        "new": ["365 dagen pas in als die is afgelopen", "u verliest geen dagen"],
        "renewal": [
            "Opnieuw installeren is niet nodig",
            "haalt het programma die zelf op",
            "365 dagen pas in als die is afgelopen",
            "Periode volgens onze gegevens: 30 november 2026",
        ],
        "all": ["Bewaar deze e-mail", "Beantwoord deze e-mail", "ongewenste e-mail", "spam", "opnieuw"],
    },
    "en": {
        "new": ["365 days start when it ends", "you do not lose any days"],
        "renewal": [
            "You do not need to install anything",
            "the program downloads it automatically",
            "365 days start when it ends",
            "Period according to our records: 30 November 2026",
        ],
        "all": ["Keep this e-mail", "reply to this e-mail", "spam folder", "send it again"],
    },
    "de": {
        "new": ["beginnt die neue Laufzeit (365 Tage), wenn diese endet", "Es geht kein Tag verloren"],
        "renewal": [
            "Sie brauchen nichts zu installieren",
            "holt das Programm sie von selbst",
            "beginnt die neue Laufzeit (365 Tage), wenn diese endet",
            "Zeitraum nach unseren Unterlagen: 30. November 2026",
        ],
        "all": ["Bewahren Sie diese E-Mail auf", "Antworten Sie", "Spam-Ordner", "noch einmal"],
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "kind"), [("purchase", "new"), ("purchase-several", "new"), ("renewal", "renewal"), ("resend", "new")]
)
def test_both_parts_say_what_the_seller_promises(name: str, kind: str, language: str) -> None:
    for text in parts(name, language):
        said = [*SAID[language][kind], *SAID[language]["all"]]
        assert [words for words in said if words not in text] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "pas in als die is afgelopen: anders"),
        ("en", "only when it has ended: otherwise"),
        ("de", "erst ein, wenn diese abgelaufen ist: Sonst"),
    ],
)
def test_where_a_code_must_wait_for_the_old_license_to_end_a_purchase_says_so(language: str, words: str) -> None:
    assert all(words in text for text in parts("purchase-several", language))
    assert not any(words in text for text in parts("purchase", language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_both_parts_say_how_to_reach_the_shop_and_where_a_missing_mail_may_be(name: str, language: str) -> None:
    is_offer = SAMPLES[name].mail.purpose.is_offer  # nobody waits for one
    for text in parts(name, language):
        assert all(said in text.lower() for said in (SHOP.support_address, SHOP.phone))
        assert ("spam" in text.lower()) is not is_offer


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shop_without_a_phone_or_a_number_has_no_gap_in_its_place(language: str) -> None:
    message = mail("purchase", language, replace(SHOP, phone="", kvk_number=""))

    for text in (part(message, "plain"), seen(part(message, "html"))):
        assert not re.search(r"KvK|None|\b(bel|call)\b| of ;| or ;|·\s*$", text, re.MULTILINE)


@every_mail
def test_both_parts_name_the_same_links_numbers_and_days(name: str, language: str) -> None:
    html = part(mail(name, language), "html")
    text = re.sub(r"^ *\d+\. ", "", part(mail(name, language), "plain"), flags=re.MULTILINE)
    unnumbered = re.sub(r'<td [^>]*width="(28|34)".*?</td>', "", html)

    facts = re.compile(r"https://\S+|\d[\d-]*(?: \w+ 20\d\d)?")
    assert set(facts.findall(text)) == {*facts.findall(seen(unnumbered)), *links(html)}
    assert html.count('width="34"') == len(re.findall(r"^\d+\. ", part(mail(name, language), "plain"), re.MULTILINE))


@every_mail
def test_a_code_stands_in_the_bodies_and_the_list_of_many_and_nowhere_else(name: str, language: str) -> None:
    message = mail(name, language)
    html = part(message, "html")
    preheader = html[html.index("display:none") : html.index('role="article"')]
    headers = " ".join(f"{key}: {value}" for each in message.walk() for key, value in each.items())

    assert document(html).findtext("head/title") == message["Subject"].strip()
    for code in codes(name) if name in SAMPLES else []:
        assert code not in preheader
        assert code not in headers
        assert all((code in text) == (name in WITH_CODES) for text in parts(name, language))
        for each in message.iter_attachments():
            assert (code in str(each.get_content())) == (each.get_content_type() == "text/csv")


@every_mail
@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_all_words_can_be_read_in_both_schemes_whatever_color_the_shop_has(
    name: str, language: str, scheme: str
) -> None:
    for shop in (
        SHOPS if name in ("purchase", "reminder") else [SHOP, replace(SHOP, logo_url="https://s.example/l.png")]
    ):
        found = list(painted(part(mail(name, language, shop), "html"), scheme))

        assert len(found) > 5
        assert [piece for piece, color, ground in found if contrast(color, ground) < 4.5] == []


# CSS that the large mail programs all support (caniemail.com). A mail must stay readable without any other CSS.
CSS = {
    *("background-color", "border", "border-color", "border-radius", "border-top", "color", "display", "font-family"),
    *("font-size", "font-weight", "height", "line-height", "margin", "max-height", "max-width", "mso-hide", "overflow"),
    *("overflow-wrap", "padding", "padding-left", "padding-right", "text-align", "text-decoration", "white-space"),
    *("width", "word-break"),
}


@every_mail
def test_it_uses_only_styles_that_mail_programs_know_and_nothing_from_elsewhere(name: str, language: str) -> None:
    html = part(mail(name, language), "html")

    assert {name for name, _ in styles(html)} <= CSS
    assert not any("url(" in value for _, value in styles(html))
    assert {element.tag for element in document(html).iter()}.isdisjoint({"img", "link", "script", "form", "iframe"})
    laid_out = [table for table in document(html).iter("table") if table.find(".//th") is None]
    assert {table.get("role") for table in laid_out} == {"presentation"}


@every_mail
def test_no_words_are_too_small_to_read_on_a_phone(name: str, language: str) -> None:
    html = part(mail(name, language), "html")

    sizes = [int(value.removesuffix("px")) for key, value in styles(html) if key == "font-size"]
    assert sizes.count(13) == 1  # the foot
    assert sorted(sizes)[1] >= 16


@every_mail
def test_what_stands_beside_the_subject_in_a_list_of_mails_fits_there(name: str, language: str) -> None:
    preheader = document(part(mail(name, language), "html")).find("body/div")

    assert "display:none" in preheader.get("style")
    assert 40 <= len(preheader.text) <= 90


def test_a_logo_has_the_shops_name_for_who_sees_no_pictures() -> None:
    html = part(mail("purchase", "nl", replace(SHOP, logo_url="https://shop.example/logo.png?a=1&b=2")), "html")

    (logo,) = document(html).iter("img")
    assert (logo.get("src"), logo.get("alt")) == ("https://shop.example/logo.png?a=1&b=2", SHOP.name)


@every_mail
def test_on_the_wire_it_is_ascii_in_lines_that_every_server_takes_and_small(name: str, language: str) -> None:
    raw = sample_mail(name, language).as_bytes()

    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert len(raw) < 45_000


@every_mail
def test_its_bytes_are_those_that_the_library_writes(name: str, language: str) -> None:
    message, written = sample_mail(name, language), BytesIO()

    BytesGenerator(written, policy=message.policy).flatten(message)

    assert message.as_bytes() == written.getvalue()


HOSTILE = [
    "\x00\x1b[31m\r\nBcc: x@y.example\r\n\r\nBody",
    "\"'><script>alert(1)</script>&amp;{{ 7*7 }}{% raw %}",
    "x" * 1000,
    "\u202eevil\u202c \u200f\u05d0\u05d1\u05d2",
    "\ud800 unpaired",
    "=cmd|' /C calc'!A0",
    "😀👩\u200d👩\u200d👧",
]


@pytest.mark.parametrize("purpose", list(WRITERS))
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_a_provider_passed_on_is_text_and_nothing_else(purpose: str, name: str) -> None:
    sample = next(each for each in SAMPLES.values() if each.mail.purpose == purpose)
    plain, hostile = (
        compose(
            replace(sample.order, customer=replace(sample.order.customer, name=each)), sample.mail, PRODUCTS, SHOP, NOW
        )
        for each in ("Anna", clean_name(name))
    )

    html = part(hostile, "html")
    tags = [element.tag for element in document(part(plain, "html")).iter()]
    assert [element.tag for element in document(html).iter()] == tags
    assert hostile.keys() == plain.keys()
    unseen = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]")
    assert not unseen.search(html + part(hostile, "plain"))
    hostile.as_bytes().decode("ascii")


MARKUP = "R&D <b>\"'x'</b> {{ 7*7 }} {% raw %} &amp;"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(SAMPLES))
def test_markup_in_what_an_operator_writes_of_a_product_or_the_shop_is_text(name: str, language: str) -> None:
    sample, both = SAMPLES[name], {"nl": MARKUP, "en": MARKUP}
    shop = replace(SHOP, name=MARKUP, address=MARKUP, phone=MARKUP)
    marked, plain = (
        compose(
            replace(sample.order, customer=replace(sample.order.customer, language=language)),
            sample.mail,
            products,
            whose,
            NOW,
        )
        for whose, products in (
            (
                shop,
                {sku: replace(each, vendor=MARKUP, name=both, notes=both, steps=_all(both)) for sku, each in CATALOG},
            ),
            (
                SHOP,
                {
                    sku: replace(each, notes={"nl": "x", "en": "x"}, steps=_all({"nl": "x", "en": "x"}))
                    for sku, each in CATALOG
                },
            ),
        )
    )

    html = part(marked, "html")
    tags = [element.tag for element in document(part(plain, "html")).iter() if element.tag != "span"]
    assert [element.tag for element in document(html).iter() if element.tag != "span"] == tags  # of a short telephone
    assert html.count("R&amp;D") == html.count("R&") > 0
    text = " ".join(part(marked, "plain").split())
    assert MARKUP in text
    assert "&lt;" not in text


def _all(texts: dict[str, str]) -> dict[Kind, dict[str, tuple[Step, ...]]]:
    return {kind: {language: (Step(text),) for language, text in texts.items()} for kind in Kind}


@pytest.mark.parametrize("name", WITH_CODES)
def test_a_mail_without_a_code_that_it_is_about_is_not_written(name: str) -> None:
    sample = SAMPLES[name]

    for licenses in ((), [each for each in sample.order.licenses if each.line != 1]):
        with pytest.raises(InvalidInput):
            compose(replace(sample.order, licenses=tuple(licenses)), sample.mail, PRODUCTS, SHOP, NOW)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("anna+kaspersky@klant.example", "anna+kaspersky@klant.example"),
        ("Anna@BÜCHER.example", "Anna@xn--bcher-kva.example"),
        ("a@" + ".".join(["x" * 60] * 3) + ".example", "a@" + ".".join(["x" * 60] * 3) + ".example"),
    ],
)
def test_an_address_is_written_as_ses_takes_it(typed: str, written: str) -> None:
    order = replace(
        SAMPLES["purchase"].order, customer=replace(SAMPLES["purchase"].order.customer, email=email_address(typed))
    )

    raw = compose(order, SAMPLES["purchase"].mail, PRODUCTS, SHOP, NOW).as_bytes()

    message = message_from_bytes(raw, policy=default)
    assert [address.addr_spec for address in message["To"].addresses] == [written]
    raw.decode("ascii")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("title", ["é" * 300, "=HYPERLINK(1)" + "x" * 287, "Lang " * 60, "<b>&amp;</b>" * 25])
def test_a_title_of_300_letters_leaves_the_mail_whole(title: str, language: str) -> None:
    products = {sku: replace(each, name={"nl": title, "en": title}) for sku, each in PRODUCTS.items()}
    for sample in SAMPLES.values():
        composed = compose(
            replace(sample.order, customer=replace(sample.order.customer, language=language)),
            sample.mail,
            products,
            SHOP,
            NOW,
        )
        message = message_from_bytes(composed.as_bytes(), policy=default)
        assert isinstance(message, EmailMessage)

        assert max(map(len, composed.as_bytes().split(b"\r\n"))) <= 998
        assert len(message["Subject"]) <= 60
        assert document(part(message, "html")).findtext("head/title").split() == message["Subject"].split()


def with_many(count: int) -> Order:
    order = SAMPLES["purchase"].order
    licenses = [replace(order.licenses[0], id=f"LIC-{n:010d}", code=f"ABCDE-12345-FGHIJ-{n:05d}") for n in range(count)]
    return replace(order, lines=(replace(order.lines[0], quantity=count),), licenses=tuple(licenses))


@pytest.mark.parametrize(("count", "has_list"), [(10, False), (25, False), (26, True), (500, True), (1000, True)])
@pytest.mark.parametrize("kind", list(Kind))
def test_more_than_25_codes_come_as_a_file_too_and_all_stand_in_both_parts(
    count: int, has_list: bool, kind: Kind
) -> None:
    order = with_many(count)
    order = replace(order, lines=(replace(order.lines[0], kind=kind),))
    purpose = SAMPLES["purchase"].mail if kind is Kind.NEW else SAMPLES["renewal"].mail
    message = compose(order, purpose, PRODUCTS, SHOP, NOW)

    bodies = [part(message, subtype) for subtype in ("plain", "html")]
    files = [each for each in message.iter_attachments() if each.get_content_type() == "text/csv"]
    assert all(license_.code in body for body in bodies for license_ in order.licenses)
    assert all(len(body.encode()) < 100_000 for body in bodies)  # Gmail shows no more than 102 kB of a mail
    assert [each.get_filename() for each in files] == (["activatiecodes-2026-001234.csv"] if has_list else [])
    assert count > 500 or len(message.as_bytes()) < 110_000
    assert ("spreadsheetprogramma" in bodies[0]) == ("spreadsheetprogramma" in bodies[1]) == has_list


@pytest.mark.needs("spamassassin")
def test_spamassassin_finds_nothing_against_any_mail(tmp_path: Path) -> None:
    preferences = tmp_path / "preferences"
    preferences.write_text("use_bayes 0\n")
    names = {f"{name}-{language}": sample_mail(name, language) for name in NAMES for language in LANGUAGES}
    spam = sample_mail("purchase", "en")
    spam.replace_header("Subject", "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
    for name, message in (names | {"spam": spam}).items():
        (tmp_path / f"{name}.eml").write_bytes(message.as_bytes().replace(b"\r\n", b"\n"))

    spamassassin = ["spamassassin", "--local", "--prefspath", str(preferences)]
    judged = subprocess.run(
        [*spamassassin, *(tmp_path / f"{name}.eml" for name in (*names, "spam"))],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    ).stdout.decode("utf-8", "replace")

    *scores, of_spam = [float(score) for score in re.findall(r"^X-Spam-Status: \w+, score=(\S+)", judged, re.MULTILINE)]
    assert of_spam > 500
    assert len(scores) == len(names)
    assert {name: score for name, score in zip(names, scores, strict=True) if score >= 0.5} == {}


@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=pytest.mark.needs(f"hunspell-{each}")) for each in LANGUAGES]
)
def test_every_word_is_spelled_as_in_the_dictionary_or_in_our_list(language: str) -> None:
    known = set((Path(__file__).parent / "words.txt").read_text("utf-8").split())
    words = set()
    for name in NAMES:
        message = mail(name, language)
        text = f"{message['Subject']}\n{part(message, 'plain')}"
        text = re.sub(r"\S+(?:://|@)\S+|[\w-]*\d[\w-]*|\w+\.\w[\w.]+", " ", text)
        words |= set(re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text))

    assert misspelled(words - known | {"fuotje"}, language) == ["fuotje"]
