"""Collects from the table what support wants to know about many orders. The cost depends on what waits and what is due
within the horizon, not on what is stored."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import chain

from keypost.core.daily_note import DailyNote, Section, entry
from keypost.core.forecast import HORIZON_DAYS, USE_DAYS, Forecast, Stock, forecast
from keypost.core.order import Order, Reason
from keypost.core.periods import local_day
from keypost.core.sharing import wanted
from keypost.core.upcoming import Outlook, outlook
from keypost.table import Store

_MOST_SHOWN = 30  # orders of one reason
_MOST_COUNTED = 10_000  # free codes of one product


def gather_note(store: Store, now: datetime, zone: tzinfo) -> DailyNote:
    today = local_day(now, zone)
    sections = (_section(store, reason) for reason in Reason)
    return DailyNote(today, tuple(section for section in sections if section.entries), forecasts(store, now, zone))


def forecasts(store: Store, now: datetime, zone: tzinfo) -> tuple[Forecast, ...]:
    """The forecast of each product's stock."""
    return tuple(forecast(each, local_day(now, zone)) for each in _stocks(store, now, zone))


def _section(store: Store, reason: Reason) -> Section:
    ids = [order_id for page in store.needing(reason) for order_id in page]
    if reason is Reason.BLOCK:  # these stay until a person notes that it is done, so the newest come first
        ids.reverse()
    shown = {order.id: order for order in store.load_all(ids[:_MOST_SHOWN])}
    entries = tuple(entry(shown[order_id], reason) for order_id in ids[:_MOST_SHOWN] if order_id in shown)
    return Section(reason, entries, max(0, len(ids) - _MOST_SHOWN))


def _stocks(store: Store, now: datetime, zone: tzinfo) -> Iterator[Stock]:
    today = local_day(now, zone)
    days = [today - timedelta(days=n) for n in range(1, USE_DAYS + 1)]
    lacking = wanted(_with_clock(store, now + timedelta(days=HORIZON_DAYS)), now, zone)
    for sku, product in store.catalog().items():
        free, used = store.count_free(sku, today, _MOST_COUNTED), store.used(sku, days)
        yield Stock(sku, free, lacking.now[sku], lacking.later[sku], used, product.name)


def _with_clock(store: Store, until: datetime) -> Iterator[Order]:
    for order_ids in store.due(until):
        yield from store.load_all(order_ids)


def due_within(store: Store, days: int, now: datetime, zone: tzinfo) -> list[Outlook]:
    """The mails that are due within this number of days and those that are kept back, sorted by day."""
    until = local_day(now, zone) + timedelta(days=days)
    pages = chain(store.due(now + timedelta(days=days + 1)), *(store.needing(reason) for reason in Reason))
    order_ids = sorted({order_id for page in pages for order_id in page})
    found = [row for order in store.load_all(order_ids) for row in outlook(order, until, zone)]
    return sorted(found, key=lambda row: (row.day or date.max, row.order_id, row.lines))
