"""What support should know today: what waits for a person, and how long the stock lasts."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from keypost.core import codes, owed
from keypost.core.forecast import Forecast
from keypost.core.mail import MailState
from keypost.core.order import HELD, Order, Reason
from keypost.core.payment import Standing
from keypost.core.periods import local_day


@dataclass(frozen=True, slots=True)
class Entry:
    order_id: str
    detail: str  # no address and no code


@dataclass(frozen=True, slots=True)
class Section:
    reason: Reason
    entries: tuple[Entry, ...]
    others: int  # that are not shown

    @property
    def total(self) -> int:
        return len(self.entries) + self.others


@dataclass(frozen=True, slots=True)
class DailyNote:
    day: date
    sections: tuple[Section, ...]
    stock: tuple[Forecast, ...]  # of all products

    @property
    def short(self) -> tuple[Forecast, ...]:
        return tuple(each for each in self.stock if each.to_order)

    @property
    def says_something(self) -> bool:
        return bool(self.sections or self.short)


def entry(order: Order, reason: Reason) -> Entry:
    return Entry(order.id, _detail(order, reason))


def _detail(order: Order, reason: Reason) -> str:
    match reason:
        case Reason.BLOCK:
            found = owed.to_block(order)[:10]
            return ", ".join(f"{license_.id} ({codes.masked(license_.code)})" for license_ in found)
        case Reason.SUBSCRIPTION:
            return "its customer was erased, and its provider charges them again"
        case Reason.PAID_TWICE:
            return ", ".join(name for payment in order.payments for name in payment.names)
        case Reason.MAIL:
            stuck = (f"{mail.id} {owed.trouble(mail)}" for mail in owed.stuck_mails(order))
            return "; ".join(stuck) + _needed_by(order)
        case Reason.ADDRESS:
            return (order.waiting.detail if order.waiting else "") + _needed_by(order)
        case Reason.HOLD:
            disputed = order.standing is Standing.DISPUTED
            why = "its payment is disputed" if disputed else "a part was refunded"
            why = "it was canceled after it was paid" if order.canceled else why
            why = "its customer was erased after it was paid: refund what was not sent" if order.is_erased else why
            return order.problem or (HELD if order.held else why)
        case _:
            return order.waiting.detail if order.waiting else ""


def _needed_by(order: Order) -> str:
    """For a renewal whose mail did not arrive: how long there is to mend that."""
    left = [mail for mail in order.mails if mail.holds_codes and mail.state is MailState.SENT]
    arrived = order.lines_of(mail for mail in left if not mail.came_back)
    days = [term.first_day for term in order.terms if term.line not in arrived]
    return f"; its new period starts on {min(days)}, when the old license has ended" if days else ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Codes that orders lack, by product: those they wait for now, and those that paid renewals get on a later day."""

    now: Counter[str] = field(default_factory=Counter)
    later: defaultdict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))


def wanted(found: Iterable[Order], now: datetime, zone: tzinfo) -> Wanted:
    total = Wanted()
    for order in found:
        for delivery in owed.deliveries(order) if order.is_servable else ():
            for _, line, count in owed.missing(order, delivery.lines):
                if min(delivery.reserve_at, delivery.mail_at) <= now:
                    total.now[line.sku] += count
                else:
                    total.later[line.sku][local_day(delivery.reserve_at, zone)] += count
    return total
