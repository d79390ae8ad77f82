"""What support should know today: what waits for a person, and how long the stock lasts."""

from datetime import date, datetime

from keypost.core.aside import said_of
from keypost.core.aside_reasons import AsideReason
from keypost.core.codes import masked
from keypost.core.doors import Door
from keypost.core.forecast import HORIZON_DAYS, Forecast
from keypost.core.frozen import dataclass
from keypost.core.mail import MailState
from keypost.core.obstacles import obstacle
from keypost.core.order import OF_A_DELIVERY, Order, Reason
from keypost.core.owed import stuck_mails, to_block, trouble
from keypost.core.renewal_choice import stopped
from keypost.core.said import Said, said

UNDELIVERED = (*OF_A_DELIVERY, Reason.HOLD, Reason.ADDRESS, Reason.MAIL)  # its customer waits for something


@dataclass(frozen=True, slots=True)
class Entry:
    order_id: str
    why: Said  # no address, and of a code no more than its end
    skus: tuple[str, ...] = ()  # what was bought; the note is a mail, and names no customer


@dataclass(frozen=True, slots=True)
class Section:
    reason: Reason | AsideReason
    entries: tuple[Entry, ...]
    others: int  # that are not shown
    since: datetime | None = None  # of the order that has waited longest

    @property
    def total(self) -> int:
        return len(self.entries) + self.others


@dataclass(frozen=True, slots=True)
class DailyNote:
    day: date
    sections: tuple[Section, ...]
    stock: tuple[Forecast, ...]  # of all products
    silent: tuple[Door, ...] = ()
    remarks: int = 0  # that came into the inbox since the note before
    forgotten: int = 0  # customers who were erased by themselves since then

    @property
    def short(self) -> tuple[Forecast, ...]:
        return tuple(each for each in self.stock if each.to_order)

    @property
    def waiting(self) -> int:
        """Orders that wait for a person or for codes; one that waits for several things counts for each."""
        return sum(section.total for section in self.sections)

    @property
    def undelivered_since(self) -> datetime | None:
        """Since when the oldest order waits that is paid and not delivered."""
        return min((each.since for each in self.sections if each.since and each.reason in UNDELIVERED), default=None)

    @property
    def stock_days(self) -> int | None:
        """How many days the codes last of the product that is short first; None if nothing is sold."""
        return min((_lasts(each, self.day) for each in self.stock if not each.stock.is_retired), default=None)

    @property
    def says_something(self) -> bool:
        return bool(self.sections or self.short or self.silent or self.remarks or self.forgotten)


def _lasts(forecast: Forecast, today: date) -> int:
    return (forecast.runs_out - today).days if forecast.runs_out else HORIZON_DAYS


def entry(order: Order, reason: Reason) -> Entry:
    return Entry(order.id, why(order, reason), order.skus)


def aside_entry(order_id: str, reason: AsideReason) -> Entry:
    return Entry(order_id, said_of(reason))


def why(order: Order, reason: Reason) -> Said:
    """What exactly the order needs, of that for which it needs a person or stock."""
    match reason:
        case Reason.BLOCK:
            return _to_block(order)
        case Reason.SUBSCRIPTION:
            return said("erased_and_charged")
        case Reason.PAID_TWICE:
            return said("paid_twice", payments=[name for payment in order.payments for name in payment.names])
        case Reason.PART_REFUNDED:
            return said("part_refunded")
        case Reason.STOPPED:
            return said("renewal_stopped", lines=sorted(stopped(order)))
        case Reason.MAIL:
            return _with_need(order, trouble(stuck_mails(order)[0]))
        case Reason.CONCERN:
            return said(order.concerns[0].code)
        case Reason.HOLD:
            return obstacle(order) or said("nothing")
        case Reason.ADDRESS:
            return _with_need(order, _waits(order, reason))
    return _waits(order, reason)


def _waits(order: Order, reason: Reason) -> Said:
    return next((each.why for each in order.waits if each.reason is reason), said("nothing"))


def _to_block(order: Order) -> Said:
    code = "withdrawn_to_block" if order.is_withdrawn else "codes_to_block"
    return said(code, licenses=[f"{one.id} ({masked(one.code)})" for one in to_block(order)[:10]])


def _with_need(order: Order, why: Said) -> Said:
    """For a renewal whose mail did not arrive: how long there is to mend that."""
    left = [mail for mail in order.mails if mail.holds_codes and mail.state is MailState.SENT]
    arrived = order.lines_of(mail for mail in left if not mail.came_back)
    days = [term.first_day for term in order.terms if term.line not in arrived]
    return said("needed_by", why=why, first_day=min(days)) if days else why
