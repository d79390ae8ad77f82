from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from email.message import EmailMessage

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.order import License, Order
from keypost.core.product import Kind, Line, Product
from keypost.emails import compose
from keypost.emails.ics import Event, calendar
from tests.builders import NOW, PRODUCT, SHOP, SKU, code, paid_order, product
from tests.keypost.emails.reading import message_of, part, seen, told

MAIL = Mail("renewal-1", Purpose.RENEWAL, MailState.SENDING, NOW, attempts=1)
OTHER = replace(product("OTHER"), name={"nl": "Ander <Pakket>", "en": "Other <Suite>"}, devices=1)
PRODUCTS = {SKU: PRODUCT, "OTHER": OTHER}
DAYS = {"nl": ("1 december 2026", "30 november 2027"), "en": ("1 December 2026", "30 November 2027")}


def renewed(*quantities: int, **about: str | None) -> Order:
    """An order that renews this many licenses of one product, and of another one."""
    lines = [Line(sku, quantity, Kind.RENEWAL) for sku, quantity in zip(PRODUCTS, quantities, strict=False)]
    order = paid_order("2026-001234", *lines)
    numbers = [number for number, line in enumerate(lines, start=1) for _ in range(line.quantity)]
    licenses = [
        License(f"LIC-{n}", number, lines[number - 1].sku, code(n), date(2026, 12, 1), date(2027, 11, 30))
        for n, number in enumerate(numbers)
    ]
    customer = replace(order.customer, **about)  # type: ignore[arg-type]
    return replace(order, licenses=tuple(licenses), customer=customer)


def sent(
    order: Order, products: Mapping[str, Product] = PRODUCTS, mail: Mail = MAIL, now: datetime = NOW
) -> EmailMessage:
    return message_of(compose(order, mail, products, SHOP, now))


def with_product(**changes: object) -> dict[str, Product]:
    return PRODUCTS | {SKU: replace(PRODUCT, **changes)}  # type: ignore[arg-type]


def attached(message: EmailMessage) -> bytes:
    (attachment,) = (a for a in message.iter_attachments() if a.get_content_type() == "text/calendar")
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def parsed(ics: bytes) -> list[tuple[str, str]]:
    """Every line of the calendar file, unfolded, as its name with parameters and its value."""
    assert ics.endswith(b"\r\n")
    whole = ics.replace(b"\r\n ", b"").decode()
    assert "\r" not in whole.replace("\r\n", "")
    assert "\n" not in whole.replace("\r\n", "")
    return [(name, value) for name, _, value in (line.partition(":") for line in whole.split("\r\n")[:-1])]


def values(ics: bytes, name: str) -> list[str]:
    return [value for key, value in parsed(ics) if key == name]


def plain(value: str) -> str:
    """The plain form of an escaped text in a calendar file."""
    signs = iter(value)
    return "".join({"n": "\n"}.get(after := next(signs), after) if sign == "\\" else sign for sign in signs)


ORDERS = [renewed(1), renewed(3), renewed(1, 2), renewed(1, name=None)]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("order", ORDERS)
def test_both_parts_hold_every_code_day_link_step_and_number(order: Order, language: str) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    facts = [order.id, SHOP.support_address, SHOP.details, *DAYS[language]]
    facts += [license_.code for license_ in order.licenses]
    for sku in order.skus:
        facts += [PRODUCTS[sku].name[language], PRODUCTS[sku].download_url, f"{PRODUCTS[sku].devices} "]
        facts += [step.text for step in PRODUCTS[sku].steps[Kind.RENEWAL][language]]
    for text in told(message):
        assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize(
    ("language", "holds", "quantity", "sentence"),
    [
        ("nl", True, 1, "U kunt de code nu al invoeren, op elk apparaat waarop u het programma gebruikt."),
        (
            "nl",
            True,
            2,
            "U kunt de codes nu al invoeren: voor elke licentie één code, op elk apparaat van die licentie.",
        ),
        ("nl", True, 1, "dan gaan de nieuwe 365 dagen pas in als die is afgelopen: u verliest geen dagen."),
        ("nl", False, 1, "Voer de code in op 1 december 2026, de eerste dag van uw nieuwe periode, of zo snel"),
        ("nl", False, 2, "zo snel mogelijk daarna: voor elke licentie één code."),
        ("nl", False, 1, "Voert u de code eerder in, dan vervallen de dagen die uw huidige licentie nog heeft."),
        ("en", True, 1, "You can enter the code now, on each device on which you use the program."),
        ("en", True, 2, "You can enter the codes now: one for each licence, on each device of that licence."),
        ("en", True, 1, "the new 365 days start when it ends: you do not lose any days."),
        ("en", False, 1, "Enter the code on 1 December 2026, the first day of your new period, or as soon as possible"),
        ("en", False, 2, "as soon as possible after that: one for each licence."),
        ("en", False, 1, "If you enter it sooner, you lose the days that are left on your current licence."),
    ],
)
def test_it_says_where_to_enter_the_code_and_whether_now_or_on_which_day(
    language: str, holds: bool, quantity: int, sentence: str
) -> None:
    kinds = {kind: with_product(holds_reserve_code=kind) for kind in (True, False)}
    order = renewed(quantity, language=language)

    for n in (0, 1):
        said = {kind: told(sent(order, kinds[kind]))[n] for kind in kinds}
        assert sentence in said[holds]
        assert sentence not in said[not holds]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("nl", "Opnieuw installeren is niet nodig"), ("en", "You do not need to install anything")],
)
def test_it_says_that_nothing_need_be_installed(language: str, sentence: str) -> None:
    message = sent(renewed(1, language=language))

    assert sentence in part(message, "plain")
    assert sentence in seen(part(message, "html"))


@pytest.mark.parametrize("number", [1, 2])
def test_it_is_about_the_lines_that_are_due_and_no_other(number: int) -> None:
    order = renewed(2, 3)
    message = sent(order, mail=replace(MAIL, lines=(number,)))

    sku = order.lines[number - 1].sku
    for text in told(message):
        assert {li.code for li in order.licenses if li.code in text} == {
            li.code for li in order.licenses if li.line == number
        }
        assert [name for name in PRODUCTS if PRODUCTS[name].name["nl"] in text] == [sku]
    assert values(attached(message), "SUMMARY") == [f"Nieuwe periode: {PRODUCTS[sku].name['nl']}"]
    assert message["Subject"] == f"Uw nieuwe codes voor {PRODUCTS[sku].name['nl']} (2026-001234)"


def test_lines_of_one_product_each_keep_their_own_days() -> None:
    order = renewed(1)
    later = replace(order.licenses[0], line=2, code=code(7), first_day=date(2026, 12, 3), last_day=date(2027, 12, 2))
    message = sent(replace(order, lines=order.lines * 2, licenses=(later, *order.licenses)))

    text = part(message, "plain")
    days = [
        "1 december 2026 tot en met 30 november 2027",
        code(0),
        "3 december 2026 tot en met 2 december 2027",
        code(7),
    ]
    assert sorted(days, key=text.index) == days
    assert values(attached(message), "DTSTART;VALUE=DATE") == ["20261201", "20261203"]
    assert len(set(values(attached(message), "UID"))) == 2


@pytest.mark.parametrize("order", ORDERS)
def test_a_code_stands_in_the_two_bodies_and_nowhere_else(order: Order) -> None:
    message = sent(order)

    html = part(message, "html")
    preheader = html[html.index("display:none") : html.index('role="article"')]
    headers = [f"{name}: {value}" for each in message.walk() for name, value in each.items()]
    unfolded = attached(message).decode().replace("\r\n ", "")
    assert order.id in unfolded
    for license_ in order.licenses:
        assert license_.code in html
        assert license_.code not in preheader
        assert license_.code not in unfolded
        assert not any(license_.code in header for header in headers)


@pytest.mark.parametrize(
    ("order", "language", "subject"),
    [
        (renewed(1), "nl", "Uw nieuwe code voor Kaspersky Standard (2026-001234)"),
        (renewed(1), "en", "Your new code for Kaspersky Standard (2026-001234)"),
        (renewed(2, 1), "nl", "Uw nieuwe codes voor Kaspersky Standard, Ander <Pakket>"),
        (renewed(2, 1), "en", "Your new codes for Kaspersky Standard, Other <Suite>"),
        (renewed(1), "xx", "Your new code for Kaspersky Standard (2026-001234)"),
    ],
)
def test_the_orders_language_decides_and_one_we_do_not_write_gets_english(
    order: Order, language: str, subject: str
) -> None:
    message = sent(replace(order, customer=replace(order.customer, language=language)))

    assert message["Subject"].strip() == subject  # it may be folded before its first word
    assert message["Content-Language"] == ("nl" if language == "nl" else "en")


def test_text_and_html_are_alternatives_and_the_calendar_is_attached_to_both() -> None:
    message = sent(renewed(1))

    assert message.get_content_type() == "multipart/mixed"
    body, ics = message.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in body.iter_parts()] == ["text/plain", "text/html"]
    assert ics["Content-Type"] == 'text/calendar; method="PUBLISH"; charset="utf-8"'
    assert ics.get_content_disposition() == "attachment"
    assert ics.get_filename() == "nieuwe-periode.ics"
    assert attached(sent(renewed(1, language="en"))) != attached(message)


def test_the_calendar_has_the_first_day_of_the_period() -> None:
    assert parsed(attached(sent(renewed(1)))) == [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//Keypost//Keypost//EN"),
        ("METHOD", "PUBLISH"),
        ("BEGIN", "VEVENT"),
        ("UID", "2026-001234-1@mail.voorbeeld.example"),
        ("DTSTAMP", "20261123T120000Z"),
        ("DTSTART;VALUE=DATE", "20261201"),
        ("DTEND;VALUE=DATE", "20261202"),
        ("SUMMARY", "Nieuwe periode: Kaspersky Standard"),
        ("ORGANIZER", "mailto:hulp@voorbeeld.example"),
        ("TRANSP", "TRANSPARENT"),
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]


@pytest.mark.parametrize(("language", "title"), [("nl", "Nieuwe code invoeren"), ("en", "Enter the new code")])
def test_where_the_code_must_wait_the_calendar_says_to_enter_it(language: str, title: str) -> None:
    message = sent(renewed(1, language=language), with_product(holds_reserve_code=False))

    assert values(attached(message), "SUMMARY") == [f"{title}: Kaspersky Standard"]


def test_a_mail_that_is_sent_again_is_the_same_event_written_later() -> None:
    zone = timezone(timedelta(hours=1))
    first, again = (attached(sent(renewed(1), now=now)) for now in (NOW, (NOW + timedelta(hours=2)).astimezone(zone)))

    assert values(first, "UID") == values(again, "UID")
    assert values(again, "DTSTAMP") == ["20261123T140000Z"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_a_calendar_holds_any_title_in_lines_of_75_octets(title: str) -> None:
    ics = calendar([Event("1@x", date(2026, 12, 1), title)], "a@b.example", NOW).encode()

    assert max(map(len, ics.split(b"\r\n"))) <= 75
    assert plain(values(ics, "SUMMARY")[0]) == "\n".join(title.splitlines())


def test_signs_that_mean_something_in_a_calendar_are_escaped_and_no_line_can_be_slipped_in() -> None:
    title = "a,b;c\\n\r\nATTENDEE:mailto:x@y.example\rd\x00e"

    ics = calendar([Event("1@x", date(2026, 12, 1), title)], "a@b.example", NOW).encode()

    assert values(ics, "SUMMARY") == [r"a\,b\;c\\n\nATTENDEE:mailto:x@y.example\nd e"]
    assert values(ics, "ATTENDEE") == []


LONG = with_product(name={"nl": "Zeer ,lange; \\naam é" * 15, "en": "x" * 300})


@pytest.mark.parametrize("products", [PRODUCTS, LONG])
@pytest.mark.parametrize("order", [*ORDERS, renewed(500, 500), renewed(1, name="é" * 300, language="en")])
def test_on_the_wire_it_is_ascii_in_lines_that_every_server_takes(order: Order, products: dict[str, Product]) -> None:
    raw = compose(order, MAIL, products, SHOP, NOW).as_bytes()

    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert max(map(len, attached(sent(order, products)).split(b"\r\n"))) <= 75


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("holds", [True, False])
def test_the_html_has_no_fault(order: Order, holds: bool) -> None:
    message = sent(order, with_product(holds_reserve_code=holds))
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(part(message, "html"))

    assert parser.errors == []
    assert document.attrib["lang"] == "nl"
    assert document.findtext("head/title") == message["Subject"].strip()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"'><b>", "Bcc: x@y.example\r\nX: y", "😀" * 75])
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    named = sent(renewed(1, name=name), with_product(name={"nl": name, "en": name}))

    html = part(named, "html")
    assert len(html5lib.parse(html, namespaceHTMLElements=False).findall(".//*")) == len(
        html5lib.parse(part(sent(renewed(1)), "html"), namespaceHTMLElements=False).findall(".//*")
    )
    assert named.keys() == sent(renewed(1)).keys()
    assert "\n" not in named["Subject"]
