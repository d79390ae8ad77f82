"""Finds orders by day and by what somebody on the telephone knows of them, the newest first. What one call looks at is
bounded, however many orders a month has: the answer says how far it looked, and the next call goes on there."""

import base64
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from keypost.core.codes import tail
from keypost.core.errors import InvalidInput
from keypost.core.finding import is_found, words_of
from keypost.core.order import Order
from keypost.core.periods import day_after, midnight_of
from keypost.core.references import meant, numbers, spelled
from keypost.core.renewals import LICENSE_ID
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.table import Store
from keypost.table.created import Part, Place
from keypost.table.orders import Loaded
from keypost.use_cases.hide_codes import order_of_code

PAGE = 50
DAYS = 60  # that are looked back unless a call says otherwise
MOST_DAYS = 366
MOST_LOOKED_AT = 50_000  # orders in one call: some 12 MB of the index, which DynamoDB reads in about a second
_PROVIDERS = ("stripe", "mollie", "woocommerce", "moneybird", "webhook")
_FEWEST_SIGNS = 2
_PLACE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)~(?P<order_id>[A-Za-z0-9._-]{1,80})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    first: date
    last: date  # included
    zone: tzinfo

    @property
    def since(self) -> datetime:
        return midnight_of(self.first, self.zone)

    @property
    def until(self) -> datetime:
        return midnight_of(day_after(self.last), self.zone)


@dataclass(frozen=True, slots=True)
class Page:
    orders: tuple[Order, ...]  # the newest first
    next: str | None  # for the page behind this one
    looked: Said  # how far
    unreadable: tuple[str, ...] = ()  # the numbers of orders that were found and cannot be read now


def period(first: date | None, last: date | None, today: date, zone: tzinfo) -> Period:
    """The days to look at. InvalidInput if they are none, or more than a year."""
    last = last or today
    first = first or last - timedelta(days=DAYS)
    if first > last:
        raise InvalidInput("period_backwards", first=first, last=last)
    if last - first > timedelta(days=MOST_DAYS):
        raise InvalidInput("period_too_long", days=MOST_DAYS)
    return Period(first, last, zone)


def orders_of_days(store: Store, days: Period, page: str | None = None, size: int = PAGE) -> Page:
    """One page of the orders of some days. InvalidInput if `page` is not the `next` of a page."""
    parts = store.created(days.since, days.until, (), place_of(page), size + 1)
    return _read(store, days, _found(parts, size, MOST_LOOKED_AT), size, ())


def orders_with(
    store: Store, text: str, days: Period, page: str | None = None, size: int = PAGE, most: int = MOST_LOOKED_AT
) -> Page:
    """One page of the orders of some days that have each word of a text in their number, or in a name or an address
    that they have or had. What is known in full, and the end of a code, is found whenever it was ordered: that stands
    on the first page. InvalidInput if `page` is not the `next` of a page, or if the text is too short."""
    words = words_of(text)
    if len("".join(words)) < _FEWEST_SIGNS:
        raise InvalidInput("search_too_short", count=_FEWEST_SIGNS)
    behind = place_of(page)
    known = _newest(known_in_full(store, text))[:size]
    ids = {order.id for order in known}
    parts = store.created(days.since, days.until, words, behind)
    found = _found(parts, size, most, ids)
    listed = _read(store, days, found, size, words)
    return listed if behind else Page((*known, *listed.orders), listed.next, listed.looked, listed.unreadable)


def known_in_full(store: Store, text: str) -> list[Order]:
    """The orders that a text names in full, as far as they can be read: by their number, a license, a payment, a code
    or the end of one, an address that they have or had."""
    typed = text.strip()
    ids = set(filter(None, [store.first_of(numbers(typed))]))
    ids.update(store.orders_of_payment(payment_names(typed)))
    ids.update(filter(None, [order_of_code(store, typed)]))
    if LICENSE_ID.fullmatch(license_id := meant(typed)):
        ids.update(filter(None, [store.order_of_license(license_id)]))
    if len(end := tail(typed)) == len("".join(words_of(typed))):
        ids.update(store.orders_of_tail(end) if end else ())
    found = {order.id: order for order in store.read_all(sorted(ids)).orders}
    if email := usable_address(typed):
        found |= {order.id: order for order in orders_of_address(store, email).orders}
    return list(found.values())


def orders_of_address(store: Store, email: str) -> Loaded:
    """The orders that have this address, and those that had it before it was corrected, each once."""
    now, before = store.orders_of(email), store.orders_of_former(email)
    orders = {order.id: order for order in (*now.orders, *before.orders)}
    left_out = {error.order_id: error for error in (*now.left_out, *before.left_out)}
    return Loaded(list(orders.values()), list(left_out.values()))


def payment_names(payment: str) -> list[str]:
    """By what a payment may be stored of which a person has the id, with or without its provider, or the address of its
    page at the provider."""
    payment = spelled(payment).rstrip("/").rpartition("/")[2]
    known = payment.partition(":")[0] in _PROVIDERS
    return [payment] if known else [f"{provider}:{payment}" for provider in _PROVIDERS]


@dataclass(slots=True)
class _Found:
    places: list[Place]
    looked_at: int = 0
    end: Place | None = None  # where a look ended that did not come to the end of its period


def _found(parts: Iterator[Part], size: int, most: int, but: Collection[str] = frozenset()) -> _Found:
    """The first places, one more than a page has if there are so many."""
    found = _Found([])
    for part in parts:
        found.places += [place for place in part.found if place.order_id not in but]
        found.looked_at += part.looked_at
        if len(found.places) > size:
            break
        if found.looked_at >= most and part.end:
            found.end = part.end
            break
    return found


def _read(store: Store, days: Period, found: _Found, size: int, words: tuple[str, ...]) -> Page:
    places = found.places[:size]
    end = places[-1] if len(found.places) > size else found.end
    loaded = store.read_all([place.order_id for place in places])
    orders = [order for order in loaded.orders if is_found(order, words)]  # the index lags
    unreadable = tuple(sorted({error.order_id for error in loaded.left_out}))
    return Page(tuple(_newest(orders)), written(end) if end else None, _looked(days, end, found.looked_at), unreadable)


def _looked(days: Period, end: Place | None, count: int) -> Said:
    if end is None:
        return said("looked_at_period", first=days.first, last=days.last)
    return said("looked_back_to", at=datetime.fromisoformat(end.at), count=count)


def _newest(orders: Sequence[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: (order.created_at, order.id), reverse=True)


def written(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place.at}~{place.order_id}".encode()).decode().rstrip("=")


def place_of(page: str | None) -> Place | None:
    """The place behind which a page begins. InvalidInput if it is not the `next` of a page."""
    if page is None:
        return None
    try:
        text = base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)).decode("ascii")
        found = _PLACE.fullmatch(text)
        datetime.fromisoformat(found["at"] if found else "")
    except ValueError:
        raise InvalidInput("no_such_page") from None
    return Place(found["at"], found["order_id"]) if found else None


def all_of_days(store: Store, days: Period) -> Iterator[Order]:
    """All pages of some days. They are read as they are asked for."""
    page = None
    while True:
        listed = orders_of_days(store, days, page)
        yield from listed.orders
        if (page := listed.next) is None:
            return
