"""How long the stock of a product lasts, and how many codes to order before which day."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date, timedelta
from math import ceil, floor

from keypost.core.frozen import dataclass

USE_DAYS = 30  # days over which the use is counted
HORIZON_DAYS = 60  # days that an order of codes lasts
LEAD_DAYS = 7  # days from an order at the vendor until the codes arrive


@dataclass(frozen=True, slots=True)
class Stock:
    sku: str
    free: int
    waiting: int  # codes that orders wait for now
    promised: Mapping[date, int]  # codes for paid renewals, by the day on which they are reserved
    used: int  # in the last 30 days, today not included
    name: Mapping[str, str] = field(default_factory=dict)  # of the product, per language
    used_today: int = 0
    is_retired: bool = False  # nobody buys it any more; orders that have it are still served, and renewed


@dataclass(frozen=True, slots=True)
class Forecast:
    stock: Stock
    runs_out: date | None  # within the horizon
    to_order: int
    order_before: date | None

    @property
    def promised(self) -> int:
        return sum(self.stock.promised.values())


@dataclass(frozen=True, slots=True)
class Expected:
    day: date
    free: int  # below zero: missing


def course(stock: Stock, today: date) -> tuple[Expected, ...]:
    """How many codes will be free on each day within the horizon; below zero, how many will be missing."""
    days = range(HORIZON_DAYS + 1)
    return tuple(Expected(today + timedelta(days=n), floor(stock.free - _need(stock, today, n))) for n in days)


def forecast(stock: Stock, today: date) -> Forecast:
    """Compute how long the stock lasts. The need up to a day is what orders wait for now, plus the larger of the
    reserved codes and the usual use: paid renewals are a part of the usual use."""
    short = (today + timedelta(days=n) for n in range(HORIZON_DAYS + 1) if _need(stock, today, n) > stock.free)
    runs_out = next(short, None)
    if runs_out is None:
        return Forecast(stock, None, 0, None)
    to_order = ceil(_need(stock, today, HORIZON_DAYS)) - stock.free
    return Forecast(stock, runs_out, to_order, max(today, runs_out - timedelta(days=LEAD_DAYS)))


def _need(stock: Stock, today: date, days: int) -> float:
    until = today + timedelta(days=days)
    promised = sum(count for day, count in stock.promised.items() if day <= until)
    return stock.waiting + max(promised, per_day(stock) * days)


def per_day(stock: Stock) -> float:
    """The usual use of a day: that of the last 30 days, or more when today has seen a run on the product already, which
    may go on for some days. What is not sold any more has none."""
    if stock.is_retired:
        return 0
    return max(stock.used / USE_DAYS, (stock.used + stock.used_today) / (USE_DAYS + 1))


@dataclass(frozen=True, slots=True)
class Draft:
    """What to order of a product at its distributor."""

    sku: str
    name: Mapping[str, str]
    count: int
    order_before: date
    runs_out: date
    free: int
    waiting: int
    promised: int  # for paid renewals within the horizon
    per_day: float


def drafts(stocks: Iterable[Stock], today: date, days: int) -> tuple[Draft, ...]:
    """What to order so that the stock lasts so many days, the most urgent first; nothing of what lasts anyway."""
    found = filter(None, (_draft(stock, today, days) for stock in stocks))
    return tuple(sorted(found, key=lambda draft: (draft.order_before, draft.sku)))


def _draft(stock: Stock, today: date, days: int) -> Draft | None:
    short = (today + timedelta(days=n) for n in range(days + 1) if _need(stock, today, n) > stock.free)
    runs_out = next(short, None)
    if runs_out is None:
        return None
    count = ceil(_need(stock, today, days)) - stock.free
    before = max(today, runs_out - timedelta(days=LEAD_DAYS))
    promised = sum(number for day, number in stock.promised.items() if day <= today + timedelta(days=days))
    use = per_day(stock)
    return Draft(stock.sku, stock.name, count, before, runs_out, stock.free, stock.waiting, promised, use)
