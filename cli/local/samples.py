"""A sample mail of each kind, made from data that never changes. `keypost mail preview`, the gallery on the mailbox
page and the tests of the mails use these samples."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from keypost.core.daily_note import DailyNote, Entry, Section
from keypost.core.doors import Door
from keypost.core.forecast import Stock, forecast
from keypost.core.mail import Asked, Fate, Mail, MailState, Purpose
from keypost.core.mailing import BAD_ADDRESS
from keypost.core.order import Customer, Decision, License, Order, Reason, Term
from keypost.core.payment import Payment, PaymentState
from keypost.core.product import Kind, Line, Product
from keypost.core.said import said
from keypost.core.telling import Sum
from keypost.emails import Shop, compose
from keypost.emails.daily_note import compose_daily_note
from keypost.inputs.catalog_file import read_product

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHOP = Shop(
    name="Voorbeeld Software",
    address="Voorbeeldstraat 1, 1234 AB Voorbeeldstad",
    sender_address="licenties@mail.voorbeeld.example",
    support_address="hulp@voorbeeld.example",
    zone=ZoneInfo("Europe/Amsterdam"),
    kvk_number="12345678",
    phone="020 123 45 67",
    public_url="https://keypost.example/v1",
)
DAILY_NOTE = "daily_note"
_STANDARD, _PLUS, _ESET = "KASPERSKY-STANDARD-3D-1Y", "KASPERSKY-PLUS-3D-1Y", "ESET-HOME-SECURITY-1D-1Y"
_BOUGHT = (date(2026, 11, 23), date(2027, 11, 22))
_RENEWED = (date(2026, 11, 30), date(2027, 11, 29))


def sample_products() -> list[Product]:
    entries = tomllib.loads((Path(__file__).parent / "products.toml").read_text("utf-8"))["product"]
    return [read_product(entry) for entry in entries]


@dataclass(frozen=True, slots=True)
class Sample:
    order: Order
    mail: Mail


def _sample(purpose: Purpose, *lines: Line, **of_mail: object) -> Sample:
    """An order with all its codes, and the mail about it."""
    mail = Mail(f"{purpose}-1", purpose, MailState.SENDING, NOW, attempts=1)
    licenses: list[License] = []
    for number, line in enumerate(lines, start=1):
        days = _RENEWED if line.kind is Kind.RENEWAL else _BOUGHT
        for _ in range(line.quantity):
            count = len(licenses) + 1
            license_id = f"LIC-SAMPLE{count:04d}".replace("0", "A").replace("1", "B")
            licenses.append(License(license_id, number, line.sku, _code(line.sku, count), *days))
    order = Order(
        id="2026-001234",
        created_at=NOW,
        customer=Customer("facturen@klant.example", "Anna Jansen"),
        lines=lines,
        payments=(_payment(lines),),
        licenses=tuple(licenses),
        terms=tuple(_term(number) for number, line in enumerate(lines, start=1) if line.kind is Kind.RENEWAL),
    )
    return Sample(order, replace(mail, **of_mail))  # type: ignore[arg-type]


def _payment(lines: Sequence[Line]) -> Payment:
    amount = f"{Decimal('39.95') * sum(line.quantity for line in lines)}"
    paid = Sum(by="stripe", amount=amount, currency="EUR", is_paid=True)
    return Payment(names=("stripe:cs_sample",), state=PaymentState.PAID, at=NOW, sums=(paid,))


def _code(sku: str, count: int) -> str:
    """A made-up code in the form of the product's example; each `count` gives another one."""
    example = _PRODUCTS[sku].code_example
    return re.sub(r"\w+$", lambda last: f"{count:0{len(last[0])}d}", example)


def _term(line: int) -> Term:
    return Term(line, *_RENEWED, reserve_at=NOW, mail_at=NOW, mail_from=NOW)


def _without_codes(sample: Sample) -> Sample:
    return replace(sample, order=replace(sample.order, licenses=()))


def _of_first_line(sample: Sample) -> Sample:
    """A sample of which the other products are short."""
    licenses = tuple(license_ for license_ in sample.order.licenses if license_.line == 1)
    return replace(sample, order=replace(sample.order, licenses=licenses))


def _with_other_product(sample: Sample) -> Sample:
    """A renewal of the license of another program."""
    terms = tuple(replace(term, is_other_product=True) for term in sample.order.terms)
    return replace(sample, order=replace(sample.order, terms=terms))


def _after_its_mail(sample: Sample) -> Sample:
    """A sample in which an earlier mail has already sent the codes."""
    sent = Mail("purchase-1", Purpose.PURCHASE, MailState.SENT, None, attempts=1, sent_at=NOW, may_have_left=True)
    return replace(sample, order=replace(sample.order, mails=(sent,)))


def _by_hand(sample: Sample, moved_from: str = "") -> Sample:
    made = Decision("by_hand", Asked(NOW, "anna"), because="moved" if moved_from else "goodwill")
    return replace(sample, order=replace(sample.order, decisions=(made,), moved_from=moved_from))


_PRODUCTS = {product.sku: product for product in sample_products()}
_WAY_OUT = "https://keypost.example/v1/reminders/voorbeeld-van-een-link"
_ONE, _TWO, _ONE_PLUS = Line(_STANDARD, 1), Line(_STANDARD, 2), Line(_PLUS, 1)
_ONE_AGAIN = Line(_STANDARD, 1, Kind.RENEWAL, "2025-004321")
SAMPLES = {
    "purchase": _sample(Purpose.PURCHASE, _ONE),
    "purchase-several": _sample(Purpose.PURCHASE, _TWO, _ONE_PLUS, Line(_ESET, 1)),
    "purchase-part": _of_first_line(_sample(Purpose.PURCHASE, _ONE, _ONE_PLUS, lines=(1,))),
    "purchase-many": _sample(Purpose.PURCHASE, Line(_STANDARD, 30)),
    "renewal": _sample(Purpose.RENEWAL, _ONE_AGAIN),
    "renewal-several": _sample(
        Purpose.RENEWAL, replace(_ONE_AGAIN, quantity=2), Line(_ESET, 1, Kind.RENEWAL, "2025-004321")
    ),
    "renewal-on-its-day": _sample(Purpose.RENEWAL, replace(_ONE_AGAIN, sku=_ESET)),
    "reminder": _sample(Purpose.REMINDER, _ONE),
    "resend": _after_its_mail(_sample(Purpose.RESEND, _ONE)),
    "replacement": _sample(Purpose.REPLACEMENT, _TWO, licenses=("LIC-SAMPLEAAAB",)),
    "replacement-several": _sample(Purpose.REPLACEMENT, _TWO),
    "renewal-other-product": _with_other_product(_sample(Purpose.RENEWAL, replace(_ONE_AGAIN, sku=_ESET))),
    "paid_ahead": _without_codes(
        _sample(Purpose.PAID_AHEAD, replace(_ONE_AGAIN, quantity=2), replace(_ONE_AGAIN, sku=_PLUS))
    ),
    "waiting": _without_codes(_sample(Purpose.WAITING, _TWO, _ONE_PLUS)),
    "waiting-renewal": _without_codes(_sample(Purpose.WAITING, _ONE_AGAIN)),
    "refunded": _after_its_mail(_sample(Purpose.REFUNDED, _ONE)),
    "refunded-before-it-left": _without_codes(_sample(Purpose.REFUNDED, _ONE_AGAIN)),
    "address_changed": _sample(Purpose.ADDRESS_CHANGED, _ONE, to="oud@klant.example"),
    "purchase-by-hand": _by_hand(_sample(Purpose.PURCHASE, _ONE)),
    "purchase-moved": _by_hand(_sample(Purpose.PURCHASE, _ONE), moved_from="2025-004321"),
    "waiting-by-hand": _by_hand(_without_codes(_sample(Purpose.WAITING, _ONE))),
    "sent_elsewhere": _sample(Purpose.SENT_ELSEWHERE, _ONE, to="facturen@klant.example"),
    "license_moved": _sample(Purpose.LICENSE_MOVED, _ONE, to="facturen@klant.example", licenses=("LIC-SAMPLEAAAB",)),
}
NAMES = (*SAMPLES, DAILY_NOTE)


def sample_mail(name: str, language: str, shop: Shop = SHOP) -> EmailMessage:
    """The mail of one of NAMES."""
    if name == DAILY_NOTE:
        return compose_daily_note(_daily_note(), shop, language, NOW, "https://keypost.example/v1/support")
    sample = SAMPLES[name]
    return compose(
        replace(sample.order, customer=replace(sample.order.customer, language=language)),
        sample.mail,
        _PRODUCTS,
        shop,
        NOW,
        _WAY_OUT,
    )


def _daily_note() -> DailyNote:
    entries = {
        Reason.HOLD: said("problem", why=said("other_currency", paid="USD", sold="EUR")),
        Reason.STOCK: said("too_few_codes", skus=[_PLUS]),
        Reason.ADDRESS: said("needed_by", why=said(BAD_ADDRESS[Fate.BOUNCED]), first_day=_RENEWED[0]),
        Reason.BLOCK: said("codes_to_block", licenses=["LIC-SAMPLEAAAB (…00001)"]),
    }
    sections = (
        Section(reason, (Entry(f"2026-00{1200 + number}", why, (_STANDARD,)),), others=number)
        for number, (reason, why) in enumerate(entries.items())
    )
    stock = (
        Stock(_STANDARD, 120, 0, {}, 34, _PRODUCTS[_STANDARD].name),
        Stock(_PLUS, 3, 2, {date(2026, 12, 1): 9}, 21, _PRODUCTS[_PLUS].name),
    )
    silent = Door("woocommerce", first=NOW - timedelta(days=90), last=NOW - timedelta(days=4))
    forecasts = tuple(forecast(each, NOW.date()) for each in stock)
    return DailyNote(NOW.date(), tuple(sections), forecasts, silent=(silent,), remarks=2)
