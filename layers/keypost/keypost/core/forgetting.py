"""When a customer may be forgotten by itself: so many years after their last license ended, and nothing is open."""

from collections.abc import Iterable
from datetime import date, tzinfo

from keypost.core import plan
from keypost.core.order import Order
from keypost.core.payment import Standing
from keypost.core.periods import local_day

_UNSETTLED = (Standing.OPEN, Standing.DISPUTED)


def may_be_forgotten(orders: Iterable[Order], today: date, years: int, zone: tzinfo) -> bool:
    """True for all orders of one customer if the last license ended before this day so many years ago (without any:
    if the last order was made before it), and nobody waits for anything."""
    theirs = list(orders)
    days = [local_day(order.created_at, zone) for order in theirs]
    days += [license_.last_day for order in theirs for license_ in order.licenses]
    return max(days, default=today) < years_before(today, years) and not any(map(_is_open, theirs))


def _is_open(order: Order) -> bool:
    is_unsettled = any(payment.standing in _UNSETTLED for payment in order.payments)
    is_waiting = bool(order.waits or order.hold.by_person or plan.attention(order) or plan.next_due(order))
    return is_unsettled or is_waiting or order.is_charged_again


def years_before(day: date, years: int) -> date:
    """The same day so many years ago; for 29 February the last of that month."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
