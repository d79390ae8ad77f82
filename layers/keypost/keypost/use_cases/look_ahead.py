"""Collects from the table what support wants to know about many orders. The cost depends on what waits and what is due
within the horizon, not on what is stored. An order that cannot be read is named, and holds up nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from itertools import chain

from keypost.core.aside import reason_of, said_of
from keypost.core.aside_reasons import AsideReason
from keypost.core.daily_note import DailyNote, Section, aside_entry, entry
from keypost.core.forecast import HORIZON_DAYS, USE_DAYS, Forecast, Stock, forecast
from keypost.core.order import Order, Reason
from keypost.core.periods import local_day
from keypost.core.sharing import Lacking, lacking, wanted
from keypost.core.upcoming import Outlook, outlook
from keypost.table import Store
from keypost.use_cases.watch_doors import silent_doors

_MOST_SHOWN = 30  # orders of one reason
_MOST_REMARKS = 1000  # that are counted
_MOST_COUNTED = 10_000  # free codes of one product
_DUE_PAGE = 1000  # orders that are loaded at once
DUE_PLACE = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z~[^~]+"  # of a page, as a pattern


@dataclass(slots=True)
class Reader:
    """Reads orders, and remembers which of them are set aside or cannot be read, and why."""

    store: Store
    left_out: dict[str, AsideReason] = field(default_factory=dict)

    @classmethod
    def over(cls, store: Store) -> "Reader":
        aside = ((reason, id_) for reason in AsideReason for page in store.needing(reason) for id_ in page)
        return cls(store, {order_id: reason for reason, order_id in aside})

    def read(self, order_ids: Sequence[str]) -> list[Order]:
        found = self.store.read_all(order_ids)
        for error in found.left_out:
            self.left_out.setdefault(error.order_id, reason_of(error))
        return found.orders

    def not_aside(self, pages: Iterator[list[str]]) -> list[str]:
        return [order_id for page in pages for order_id in page if order_id not in self.left_out]


def gather_note(store: Store, now: datetime, zone: tzinfo, quiet: Mapping[str, timedelta]) -> DailyNote:
    reader = Reader.over(store)
    sections = [_section(reader, reason) for reason in Reason]
    stock = _forecasts(reader, now, zone)
    sections = [*(_aside_section(reader, reason) for reason in AsideReason), *sections]
    found = tuple(each for each in sections if each.entries)
    silent, since = silent_doors(store, now, quiet), store.noted_until(now)
    remarks, forgotten = store.count_remarks(since, now, _MOST_REMARKS), store.forgotten(since, now)
    return DailyNote(local_day(now, zone), found, stock, silent, remarks, forgotten)


def forecasts(store: Store, now: datetime, zone: tzinfo) -> tuple[tuple[Forecast, ...], tuple[str, ...]]:
    """How long the stock of each product lasts, and the ids of the orders that cannot be read, whose codes are not
    counted."""
    reader = Reader(store)
    return _forecasts(reader, now, zone), tuple(sorted(reader.left_out))


def _forecasts(reader: Reader, now: datetime, zone: tzinfo) -> tuple[Forecast, ...]:
    return tuple(forecast(each, local_day(now, zone)) for each in _stocks(reader, now, zone))


def stocks(store: Store, now: datetime, zone: tzinfo, days: int) -> tuple[tuple[Stock, ...], tuple[str, ...]]:
    """The stock of each product with what is needed within so many days, and the ids of the orders that cannot be
    read."""
    reader = Reader(store)
    return tuple(_stocks(reader, now, zone, days)), tuple(sorted(reader.left_out))


def _section(reader: Reader, reason: Reason) -> Section:
    found = [(since, id_) for since, id_ in reader.store.needing_since(reason) if id_ not in reader.left_out]
    ids = [order_id for _, order_id in found]
    since = datetime.fromisoformat(found[0][0]) if found else None
    if reason is Reason.BLOCK:  # these stay until a person notes that it is done, so the newest come first
        ids.reverse()
    shown = {order.id: order for order in reader.read(ids[:_MOST_SHOWN])}
    entries = tuple(entry(shown[order_id], reason) for order_id in ids[:_MOST_SHOWN] if order_id in shown)
    return Section(reason, entries, max(0, len(ids) - _MOST_SHOWN), since)


def _aside_section(reader: Reader, reason: AsideReason) -> Section:
    ids = [order_id for order_id, why in reader.left_out.items() if why is reason]
    entries = tuple(aside_entry(order_id, reason) for order_id in ids[:_MOST_SHOWN])
    return Section(reason, entries, max(0, len(ids) - _MOST_SHOWN))


def _stocks(reader: Reader, now: datetime, zone: tzinfo, horizon: int = HORIZON_DAYS) -> Iterator[Stock]:
    store, today = reader.store, local_day(now, zone)
    days = [today - timedelta(days=n) for n in range(1, USE_DAYS + 1)]
    lacks = wanted(_lacking(reader, now + timedelta(days=horizon)), now, zone)
    for sku, product in store.catalog().items():
        free, used = store.count_free(sku, today, _MOST_COUNTED), store.used(sku, days)
        today_used = store.used(sku, [today])
        yield Stock(
            sku, free, lacks.now[sku], lacks.later[sku], used, product.name, today_used, product.is_retired(today)
        )


def _lacking(reader: Reader, until: datetime) -> Iterator[Lacking]:
    """What all orders lack whose clock rings by then. Only those are loaded of which the index does not say it."""
    unsaid = []
    for each in reader.store.coming(until):
        if each.lacking is None:
            unsaid.append(each.order_id)
        else:
            yield from each.lacking
    yield from chain.from_iterable(lacking(order) for order in reader.read(unsaid))


@dataclass(frozen=True, slots=True)
class DuePage:
    rows: tuple[Outlook, ...]  # by day; last those of an unknown day, and the orders that are set aside
    next: str | None  # for the page behind this one


def due_within(store: Store, days: int, now: datetime, zone: tzinfo) -> list[Outlook]:
    """By day, the mails that are due and those that are kept back; last the orders that are set aside, of which nobody
    can say what is due."""
    pages = [due_page(store, days, now, zone)]
    while after := pages[-1].next:
        pages.append(due_page(store, days, now, zone, after))
    return _sorted(row for page in pages for row in page.rows)


def due_page(
    store: Store, days: int, now: datetime, zone: tzinfo, after: str | None = None, size: int = _DUE_PAGE
) -> DuePage:
    """The same of so many orders: first those that have waited longest, or that have something due soonest. Only these
    are loaded."""
    until, reader = local_day(now, zone) + timedelta(days=days), Reader.over(store)
    found = [] if after else _set_aside(reader)
    rest = sorted(place for place in _places(reader, now + timedelta(days=days + 1)) if place > (after or ""))
    page = rest[:size]
    known = set(reader.left_out)
    orders = reader.read([place.partition("~")[2] for place in page])
    rows = [_of(order, row) for order in orders for row in outlook(order, until, zone)]
    left_out = [_row_of(order_id, why) for order_id, why in reader.left_out.items() if order_id not in known]
    return DuePage(tuple(_sorted([*found, *rows, *left_out])), page[-1] if len(rest) > size else None)


def _places(reader: Reader, until: datetime) -> Iterable[str]:
    """Where each order stands that is due by then or needs somebody: the moment of that, as text that sorts, and its
    id."""
    soonest: dict[str, str] = {}
    due = ((each.at, each.order_id) for each in reader.store.coming(until))
    needing = (reader.store.needing_since(reason) for reason in Reason)
    for at, order_id in chain(due, *needing):
        if order_id not in reader.left_out:
            soonest[order_id] = min(at, soonest.get(order_id, at))
    return (f"{at}~{order_id}" for order_id, at in soonest.items())


def _set_aside(reader: Reader) -> list[Outlook]:
    return [_row_of(order_id, why) for order_id, why in reader.left_out.items()]


def _row_of(order_id: str, why: AsideReason) -> Outlook:
    return Outlook(order_id, None, (), None, said_of(why))


def _sorted(rows: Iterable[Outlook]) -> list[Outlook]:
    return sorted(rows, key=lambda row: (row.day or date.max, row.order_id, row.lines))


def _of(order: Order, row: Outlook) -> Outlook:
    """With whom and what it is about."""
    skus = [line.sku for number, line in order.numbered.items() if not row.lines or number in row.lines]
    return replace(row, customer=order.customer.name, products={sku: sku for sku in skus})
