"""A month as CSV for the bookkeeper: one row per payment, per return of money and per license that was sent, by the day
on which it happened. A page is what one call of the API can make in its time; a command makes the whole file."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta, tzinfo
from decimal import Decimal

from keypost.core.bookkeeping import Happened, What, happened, month_of
from keypost.core.codes import masked
from keypost.core.errors import InvalidInput, SetAside
from keypost.core.frozen import dataclass
from keypost.core.order import Beside, Order
from keypost.core.payment import Payment
from keypost.core.periods import local_day, midnight_of
from keypost.core.said import said
from keypost.core.telling import IMPORT
from keypost.core.told import line_text
from keypost.table import Store
from keypost.table.days import SOON
from keypost.words import TABLES, Reader, sentence

MOST_ORDERS = 1000  # that one page reads: some 2 seconds
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_PAGE = re.compile(r"(?P<day>20\d\d-\d\d-\d\d)_(?P<order_id>[A-Za-z0-9._-]{0,80})", re.ASCII)
_RUNS = re.compile(r"^(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")  # what a spreadsheet would take for a formula
_BREAKS = re.compile(r"[\r\n\t]+")
_COLUMNS = (
    "csv_day", "csv_time", "csv_order", "csv_what", "csv_amount", "csv_currency", "csv_provider", "csv_payment",
    "csv_product", "csv_license", "csv_code", "csv_first_day", "csv_last_day", "csv_customer", "csv_email",
)  # fmt: skip
_WHAT = {What.PAID: "csv_paid", What.RETURNED: "csv_returned", What.SENT: "csv_sent"}


@dataclass(frozen=True, slots=True)
class MonthPage:
    csv: str
    next: str | None  # for the page behind this one
    orders: int  # that this page read
    unreadable: tuple[str, ...]  # the numbers of orders that cannot be read now


def page_of_month(
    store: Store, month: str, zone: tzinfo, to: Reader, page: str | None = None, most: int = MOST_ORDERS
) -> MonthPage:
    """One page, the first with the names of the columns. InvalidInput if it is no month, or if `page` is not the `next`
    of a page of this month."""
    day, behind = _begin(month, page)
    _, end = month_of(month)
    rows, read, unreadable = [] if page else [_header(to)], 0, list[str]()
    while day < end:
        ids = [order_id for order_id in _orders_of(store, day, zone) if order_id > behind]
        of_day = ids[: most - read]
        found, left_out = _happened_on(store, of_day, day, zone)
        rows += [_row(order, each, zone, to) for order, each in found]
        unreadable += left_out
        read += len(of_day)
        if len(of_day) < len(ids):
            return MonthPage(_written(rows, to), f"{day}_{of_day[-1] if of_day else behind}", read, tuple(unreadable))
        day, behind = day + timedelta(days=1), ""
        if read >= most and day < end:
            return MonthPage(_written(rows, to), f"{day}_", read, tuple(unreadable))
    return MonthPage(_written(rows, to), None, read, tuple(unreadable))


def pages_of_month(store: Store, month: str, zone: tzinfo, to: Reader) -> Iterator[MonthPage]:
    """All pages of a month. They are read as they are asked for."""
    page: str | None = None
    while True:
        made = page_of_month(store, month, zone, to, page)
        yield made
        if (page := made.next) is None:
            return


def _begin(month: str, page: str | None) -> tuple[date, str]:
    """The day with which a page begins, and the order behind which it does."""
    if not _MONTH.fullmatch(month):
        raise InvalidInput("no_such_month")
    first, end = month_of(month)
    if page is None:
        return first, ""
    found = _PAGE.fullmatch(page)
    try:
        day = date.fromisoformat(found["day"] if found else "")
    except ValueError:
        raise InvalidInput("no_such_page") from None
    if not found or not first <= day < end:
        raise InvalidInput("no_such_page")
    return day, found["order_id"]


def _orders_of(store: Store, day: date, zone: tzinfo) -> list[str]:
    """The ids of the orders to which something may have happened on a day, sorted."""
    since, until = midnight_of(day, zone), midnight_of(day + timedelta(days=1), zone)
    made = [place for part in store.created(since - SOON, until + SOON) for place in part.found]
    marked = [*store.with_mail_on(day), *store.with_money_between(since, until)]
    return sorted({place.order_id for place in (*made, *marked)})


def _happened_on(
    store: Store, order_ids: Sequence[str], day: date, zone: tzinfo
) -> tuple[list[tuple[Order, Happened]], list[str]]:
    loaded = store.read_all(order_ids)
    found, left_out = list[tuple[Order, Happened]](), [*loaded.names_left_out]
    for order in sorted(loaded.orders, key=lambda each: each.id):
        try:
            all_of_it = happened(order, store.beside(order) if order.moved else Beside())
        except SetAside:
            left_out.append(order.id)
            continue
        found += [(order, each) for each in all_of_it if local_day(each.at, zone) == day]
    return found, left_out


def _header(to: Reader) -> list[str]:
    return [sentence(said(name), to) for name in _COLUMNS]


def _name_of(payment: Payment) -> str:
    """The name that a provider or a shop knows it by, if one does."""
    return next((name for name in payment.names if not name.startswith(f"{IMPORT}:")), payment.names[0])


def _row(order: Order, each: Happened, zone: tzinfo, to: Reader) -> list[str]:
    at, license_, payment = each.at.astimezone(zone), each.license, each.payment
    provider, _, name = (_name_of(payment) if payment else "").partition(":")
    goods = [license_.sku] if license_ else [line_text(line) for line in order.lines]
    texts = [
        provider,
        name,
        "; ".join(goods),
        license_.id if license_ else "",
        masked(license_.code) if license_ else "",
    ]
    days = [license_.first_day.isoformat(), license_.last_day.isoformat()] if license_ else ["", ""]
    return [
        at.date().isoformat(),
        f"{at:%H:%M}",
        _safe(order.id),
        sentence(said(_WHAT[each.what]), to),
        _number(each.amount, to),
        (payment.currency or "") if payment else "",
        *map(_safe, texts),
        *days,
        _safe(order.customer.name or ""),
        _safe(order.customer.email or ""),
    ]


def _number(amount: Decimal | None, to: Reader) -> str:
    """A number with the decimal sign that the name of its column states, and no other sign."""
    return "" if amount is None else f"{amount:.2f}".replace(".", TABLES[to.language].DECIMAL)


def _safe(text: str) -> str:
    """Text that no spreadsheet runs, on one line."""
    return _RUNS.sub("'", _BREAKS.sub(" ", text))


def _written(rows: Iterable[list[str]], to: Reader) -> str:
    """CSV as the spreadsheets of a language read it: where the decimal sign is a comma, fields end with semicolons."""
    text = io.StringIO()
    csv.writer(text, delimiter=";" if TABLES[to.language].DECIMAL == "," else ",").writerows(rows)
    return text.getvalue()
