"""Days of a renewal that surprise: a person looks at them once, before anything is sent."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo

from keypost.core.order import Order, Reason, Renewal, Term, waiting_for
from keypost.core.periods import local_day
from keypost.core.places import Place
from keypost.core.renewal_choice import is_agreed_start
from keypost.core.renewals import before, listed, period_of
from keypost.core.said import Said, said

FAR_AHEAD = timedelta(days=400)  # from today to the first day
BEHIND_ANOTHER = timedelta(days=60)  # from the payment to the first day, behind a renewal that was paid as well
MOST_LONGER = timedelta(days=31)  # than the term of the product
_UNTIL_DECIDED = timedelta(days=365)


def surprise(order: Order, term: Term, renewal: Renewal, base: Order | None, today: date) -> Said | None:
    """What is unusual about the days of a paid renewal, unless a person agreed to them; None if nothing is."""
    if not term.is_paid or term.line in order.sent_lines or is_agreed_start(order, term.line, term.first_day):
        return None
    days = {"first_day": term.first_day, "last_day": term.last_day}
    if term.last_day < today:
        return said("period_is_over", **days)
    if term.first_day > today + FAR_AHEAD:
        return said("period_far_ahead", **days)
    if (term.last_day - term.first_day).days + 1 > renewal.term_days + MOST_LONGER.days:
        return said("period_outlasts_term", **days, term=renewal.term_days)
    other = _behind(base, renewal, term.first_day, today) if base else None
    return said("period_behind_another", **days, order=other) if other else None


def _behind(base: Order, renewal: Renewal, first_day: date, today: date) -> str | None:
    """The renewal of the same licenses that was paid already, and behind which this one starts long after its own
    payment. One whose period had begun long before this payment surprises nobody: the customer renews it."""
    entry = listed(base, renewal.order_id, renewal.line)
    if entry is None or entry.paid_on is None or first_day <= entry.paid_on + BEHIND_ANOTHER:
        return None
    for earlier in reversed(before(base, renewal.order_id, renewal.line)):
        period = period_of(base, earlier, today)
        if period and entry.paid_on - BEHIND_ANOTHER < period[0] < first_day - BEHIND_ANOTHER:
            return earlier.order_id
    return None


def with_surprises(
    order: Order, places: Iterable[Place], bases: Mapping[str, Order], now: datetime, zone: tzinfo
) -> Order:
    """The order, whose lines have just got their terms, with a wait for each of them that surprises."""
    for place in places:
        term = order.term(place.renewal.line)
        why = term and surprise(order, term, place.renewal, bases.get(place.base_id or ""), local_day(now, zone))
        if why:
            lines = (place.renewal.line,)
            unusual = said("unusual_start", line=place.renewal.line, why=why)
            order = waiting_for(order, Reason.UNUSUAL_START, unusual, now, _UNTIL_DECIDED, lines)
    return order
