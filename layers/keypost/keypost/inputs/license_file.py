"""Licenses that a system before Keypost sold, in a file: which orders they make, what is wrong with which line, and
what is only strange. Lines count from 1. The text of a fault never repeats what the line holds."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from keypost.core import codes
from keypost.core.codes import NewCode, as_written, key_of
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.imported import Sold, SoldGoods
from keypost.core.languages import language_of
from keypost.core.order import Customer
from keypost.core.periods import period_from
from keypost.core.product import Product
from keypost.core.references import meant
from keypost.core.said import Said, said
from keypost.inputs.addresses import email_address, likely_meant
from keypost.inputs.stock_file import Fault, ProductOf
from keypost.inputs.stock_layout import (
    NAMES,
    Layout,
    Names,
    cells_by_name,
    cells_of,
    is_total,
    layout_by,
    text_of,
)
from keypost.inputs.written_days import day_of, has_month_first, is_none

T = TypeVar("T")
COLUMNS = (
    *("order", "email", "name", "company", "language", "sku", "code", "first_day", "last_day", "quantity"),
    *("sold_on", "subscription"),
)
_WANTED = ("email", "sku", "code")
_NAMES: Names = {
    "code": NAMES["code"],
    "sku": NAMES["sku"],
    "order": (
        *("order", "orderid", "ordernumber", "ordernummer", "bestelnummer", "bestelling", "ordernr", "bestelnr"),
        *("bestellnummer", "bestellung", "auftragsnummer", "invoice", "invoicenumber", "factuur", "factuurnummer"),
        *("rechnungsnummer", "number", "nummer"),
    ),
    "email": (
        *("email", "emailaddress", "emailadres", "emailadresse", "mail", "mailadres", "customeremail", "klantemail"),
        *("billingemail", "factuuremail"),
    ),
    "name": (
        *("name", "naam", "customername", "klantnaam", "fullname", "contact", "contactpersoon", "customer", "klant"),
        *("kunde", "kundenname"),
    ),
    "company": (
        *("company", "companyname", "bedrijf", "bedrijfsnaam", "firma", "organisation", "organization"),
        *("organisatie", "unternehmen"),
    ),
    "language": ("language", "lang", "taal", "sprache", "locale"),
    "first_day": (
        *("firstday", "from", "validfrom", "start", "startdate", "startdatum", "begin", "begindatum", "ingangsdatum"),
        *("eerstedag", "geldigvan", "geldigvanaf", "periodstart", "periodfrom", "von", "gueltigab", "ab"),
    ),
    "last_day": (
        *("lastday", "until", "validuntil", "validto", "to", "end", "enddate", "einddatum", "laatstedag", "expires"),
        *("expirydate", "expirationdate", "expiry", "vervaldatum", "verloopdatum", "geldigtot", "geldigtotenmet"),
        *("geldigtm", "periodend", "periodto", "bis", "gueltigbis"),
    ),
    "quantity": ("quantity", "qty", "aantal", "anzahl", "licenses", "licences", "licenties", "count"),
    "sold_on": (
        *("soldon", "sold", "orderdate", "orderdatum", "besteldatum", "bestelldatum", "purchasedate", "aankoopdatum"),
        *("kaufdatum", "invoicedate", "factuurdatum", "date", "datum"),
    ),
    "subscription": (
        *("subscription", "subscriptionid", "abonnement", "autorenew", "autorenewal", "automaticrenewal", "abo"),
        *("automatischverlengen", "renewal", "verlenging"),
    ),
}  # fmt: skip
_DAYS = ("first_day", "last_day", "sold_on")
_LONG_AGO = timedelta(days=400)
_YEARS = range(1990, 2200)  # another one is a typing error, and some terms away from it the calendar ends
_ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SUBSCRIPTION = re.compile(r"(?=.*[0-9_])[A-Za-z0-9_-]{3,80}", re.ASCII)
_YES, _NO = {"yes", "ja", "y", "j", "true", "1", "x"}, {"no", "nee", "nein", "n", "false", "0"}
_LANGUAGES = {"dutch": "nl", "nederlands": "nl", "niederländisch": "nl", "english": "en", "engels": "en"}
_LANGUAGES |= {"englisch": "en", "german": "de", "duits": "de", "deutsch": "de"}
_BETWEEN = re.compile(r"[\s,;|]+")
_EMPTY = re.compile(r"[\s,;|]*")
_LONGEST_NAME = 100
_DAY_FAULTS = {"activate_before_ambiguous": "day_ambiguous", "activate_before_not_a_day": "not_a_day"}


@dataclass(frozen=True, slots=True)
class SoldAt:
    """An order, and the lines of the file that name it."""

    lines: tuple[int, ...]
    sold: Sold


@dataclass(frozen=True, slots=True)
class LicenseFile:
    found: list[SoldAt]
    faults: list[Fault]  # by line
    doubts: list[Fault]  # what is likely a mistake and may be right
    layout: Layout


@dataclass(frozen=True, slots=True)
class _Row:
    """One line, read."""

    line: int
    order_id: str
    customer: Customer
    goods: SoldGoods
    sold_on: date | None
    is_charged: bool
    subscription: str


class _CellUnfit(InvalidInput):
    """One cell of a line cannot be used; `meaning` says which."""

    def __init__(self, meaning: str, why: Said) -> None:
        super().__init__(why.code, **why.values)
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Reading:
    """What the file does not say itself."""

    product_of: ProductOf
    language: str  # of customers of whom no line says one
    languages: Sequence[str]  # that Keypost writes
    today: date


def read_license_file(file: bytes, how: Reading) -> LicenseFile:
    """The orders of a CSV file, its faults by line, and how it was understood. InvalidInput if it is no such file."""
    text, encoding = text_of(file)
    layout = layout_by(_NAMES, text, encoding, COLUMNS)
    if lacks := [each for each in _WANTED if each not in layout.columns]:
        raise InvalidInput("file_without_columns", columns=lacks)
    if not {"first_day", "last_day"} & layout.columns.keys():
        raise InvalidInput("file_without_columns", columns=["last_day"])
    behind = enumerate(layout.lines[layout.header_line :], start=layout.header_line + 1)
    lines = [(number, line) for number, line in behind if not _EMPTY.fullmatch(line)]
    cells = [cells_by_name(layout, line) for _, line in lines]
    month_first = has_month_first(row.get(day, "") for row in cells for day in _DAYS)
    faults = list[Fault]()
    rows = list(_rows(lines, layout, how, faults, month_first=month_first))
    rows = list(_without_twins(rows, faults))
    found = list(_orders(rows, faults))
    doubts = sorted((*_doubts(rows, how.today), *_overlaps(rows)), key=lambda fault: fault.line)
    named = [replace(fault, column=_name(layout, fault.column)) for fault in sorted(faults, key=lambda each: each.line)]
    return LicenseFile(found, named, [replace(each, column=_name(layout, each.column)) for each in doubts], layout)


def _name(layout: Layout, meaning: str) -> str:
    """What the file calls a column."""
    return layout.names[layout.columns[meaning]] if meaning in layout.columns else ""


def _rows(
    lines: Iterable[tuple[int, str]], layout: Layout, how: Reading, faults: list[Fault], *, month_first: bool
) -> Iterator[_Row]:
    for number, line in lines:
        try:
            yield _row(number, _cells(layout, line), how, month_first=month_first)
        except InvalidInput as error:
            faults.append(Fault(number, error.said, column=getattr(error, "meaning", "")))


def _cells(layout: Layout, line: str) -> Mapping[str, str]:
    if is_total(cells_of(line, layout.separator)):
        raise InvalidInput("line_is_a_total")
    return cells_by_name(layout, line, strict=True)


def _row(line: int, row: Mapping[str, str], how: Reading, *, month_first: bool) -> _Row:
    product = how.product_of(as_written(row.get("sku", "")))
    if product is None:
        raise _CellUnfit("sku", said("sku_not_in_catalog"))
    days = {name: _day(name, row.get(name, ""), month_first=month_first) for name in _DAYS}
    first_day, last_day = _period(days["first_day"], days["last_day"], product)
    found = _cell("code", _codes, row.get("code", ""), product)
    _cell("quantity", _check_quantity, row.get("quantity", ""), len(found))
    is_charged, subscription = _cell("subscription", _subscription, row.get("subscription", ""))
    return _Row(
        line,
        _cell("order", _order_id, row.get("order", ""), found[0]),
        Customer(
            email=_cell("email", _email, row.get("email", "")),
            name=_person(row.get("name", "")) or _person(row.get("company", "")),
            language=_cell("language", _language, row.get("language", ""), how),
        ),
        SoldGoods(product.sku, found, first_day, last_day),
        days["sold_on"],
        is_charged,
        subscription,
    )


def _cell(meaning: str, read: Callable[..., T], *given: Any) -> T:
    with _of_cell(meaning):
        return read(*given)


@contextmanager
def _of_cell(meaning: str) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise _CellUnfit(meaning, error.said) from None


def _day(meaning: str, text: str, *, month_first: bool) -> date | None:
    try:
        found = day_of(as_written(text), month_first=month_first)
    except InvalidInput as error:
        raise _CellUnfit(meaning, said(_DAY_FAULTS[error.said.code])) from None
    if found and found.year not in _YEARS:
        raise _CellUnfit(meaning, said("not_a_day"))
    return found


def _period(first_day: date | None, last_day: date | None, product: Product) -> tuple[date, date]:
    """One of the two days is enough: the other one follows from the product's term."""
    if first_day is None and last_day is None:
        raise _CellUnfit("last_day", said("period_missing"))
    term = timedelta(days=product.term_days - 1)
    first = first_day or (last_day or date.min) - term
    last = last_day or period_from(first, product.term_days)[1]
    if last < first:
        raise _CellUnfit("last_day", said("ends_before_it_begins"))
    return first, last


def _codes(text: str, product: Product) -> tuple[NewCode, ...]:
    """All codes of a cell: one, or several with a space, comma or semicolon between them."""
    found = _codes_in([text], product) or _codes_in(filter(None, _BETWEEN.split(text.strip())), product)
    if not found:
        codes.checked(text, product)
    if len({key_of(each) for each in found}) < len(found):
        raise InvalidInput("code_twice_in_cell")
    return found


def _codes_in(texts: Iterable[str], product: Product) -> tuple[NewCode, ...]:
    """Empty if one of these is no code of the product."""
    try:
        kept = [codes.checked(text, product) for text in texts]
    except InvalidInput:
        return ()
    return tuple(NewCode(product.sku, each, None, None, product.case_counts) for each in kept)


def _check_quantity(text: str, count: int) -> None:
    if is_none(text):
        return
    if not re.fullmatch(r"[0-9]{1,4}(?:[.,]0+)?", text) or int(re.split("[.,]", text)[0]) != count:
        raise InvalidInput("quantity_not_of_codes", codes=count)


def _order_id(text: str, first: NewCode) -> str:
    """The number of the order. Where the file names none, it follows from the code, so that it is always the same."""
    number = "" if is_none(text) else meant(text)
    if not number:
        return "BEFORE-" + base64.b32encode(hashlib.sha256(key_of(first).encode()).digest())[:10].decode()
    if not _ORDER_ID.fullmatch(number):
        raise InvalidInput("order_number_unfit")
    return number


def _email(text: str) -> str:
    if is_none(text):
        raise InvalidInput("address_missing")
    try:
        return email_address(text)
    except ValueError:
        raise InvalidInput("not_an_address") from None


def _person(text: str) -> str | None:
    return None if is_none(text) else " ".join(as_written(text).split())[:_LONGEST_NAME] or None


def _language(text: str, how: Reading) -> str:
    if is_none(text):
        return how.language
    found = _LANGUAGES.get(text.strip().lower()) or language_of(text)
    if found not in how.languages:
        raise InvalidInput("language_not_written", languages=list(how.languages))
    return str(found)


def _subscription(text: str) -> tuple[bool, str]:
    """Whether a provider charges the next period by itself, and the id of that at the provider, if it is named."""
    word = as_written(text)
    if is_none(word) or word.lower() in _NO:
        return False, ""
    if word.lower() in _YES:
        return True, ""
    if not _SUBSCRIPTION.fullmatch(word):
        raise InvalidInput("subscription_unfit")
    return True, word


def _without_twins(rows: Iterable[_Row], faults: list[Fault]) -> Iterator[_Row]:
    """The rows whose codes stand on no line before them."""
    first_line: dict[str, int] = {}
    for row in rows:
        lines = [first_line[key] for key in map(key_of, row.goods.codes) if key in first_line]
        if lines:
            faults.append(Fault(row.line, said("code_of_line", line=lines[0]), is_duplicate=True, column="code"))
            continue
        first_line |= dict.fromkeys(map(key_of, row.goods.codes), row.line)
        yield row


def _orders(rows: Iterable[_Row], faults: list[Fault]) -> Iterator[SoldAt]:
    """The rows of one number are one order of one customer."""
    by_number: dict[str, list[_Row]] = {}
    for row in rows:
        by_number.setdefault(row.order_id, []).append(row)
    for order_id, own in by_number.items():
        first = own[0]
        others = [row for row in own if row.customer.email != first.customer.email]
        faults += (Fault(row.line, said("order_of_other_customer", line=first.line), column="email") for row in others)
        if not others:
            yield SoldAt(tuple(row.line for row in own), _sold(order_id, own))


def _sold(order_id: str, rows: Sequence[_Row]) -> Sold:
    goods: dict[tuple[str, date, date], SoldGoods] = {}
    for row in rows:
        key = (row.goods.sku, row.goods.first_day, row.goods.last_day)
        there = goods.get(key)
        goods[key] = replace(there, codes=(*there.codes, *row.goods.codes)) if there else row.goods
    days = [row.sold_on for row in rows if row.sold_on]
    subscription = next((row.subscription for row in rows if row.subscription), "")
    return Sold(
        order_id,
        rows[0].customer,
        tuple(goods.values()),
        min(days, default=min(each.first_day for each in goods.values())),
        any(row.is_charged for row in rows),
        subscription,
    )


def _doubts(rows: Iterable[_Row], today: date) -> Iterator[Fault]:
    for row in rows:
        if row.goods.last_day < today - _LONG_AGO:
            yield Fault(row.line, said("ended_long_ago", day=row.goods.last_day), column="last_day")
        if row.goods.first_day > today + _LONG_AGO:
            yield Fault(row.line, said("begins_long_after", day=row.goods.first_day), column="first_day")
        if row.sold_on and row.sold_on > today:
            yield Fault(row.line, said("sold_in_future", day=row.sold_on), column="sold_on")
        if likely_meant(row.customer.email or ""):
            yield Fault(row.line, said("address_looks_mistyped"), column="email")


def _overlaps(rows: Iterable[_Row]) -> Iterator[Fault]:
    """Two periods of one customer and product that have a day in common, but for those of one order that are the
    same."""
    theirs: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        theirs.setdefault(((row.customer.email or "").casefold(), row.goods.sku), []).append(row)
    for own in theirs.values():
        own.sort(key=lambda row: (row.goods.first_day, row.line))
        for place, later in enumerate(own[1:], start=1):
            longest = max(own[:place], key=lambda row: row.goods.last_day)
            is_same = (longest.order_id, *_days(longest)) == (later.order_id, *_days(later))
            if longest.goods.last_day >= later.goods.first_day and not is_same:
                yield Fault(later.line, said("overlaps_with_line", line=longest.line), column="first_day")


def _days(row: _Row) -> tuple[date, date]:
    return row.goods.first_day, row.goods.last_day
