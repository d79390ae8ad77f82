"""A customer who pays for a renewal long before its mail leaves is told once when that is."""

from datetime import datetime, timedelta

from keypost.core.mail import Purpose
from keypost.core.mailing import owe_mail
from keypost.core.obstacles import is_servable
from keypost.core.order import Order
from keypost.core.owed import is_told, to_come

SOON = timedelta(days=3)  # a mail that leaves by then needs no announcement


def told_ahead(order: Order, now: datetime) -> Order:
    """The order, whose renewals have just got their terms, with the mail that says when their codes come."""
    later = {term.line for term in order.terms if term.mail_at > now + SOON}
    lines = tuple(sorted(to_come(order) & later))
    is_known = bool(order.customer.email) and not order.is_given  # nobody paid for what was given
    if not lines or not is_known or not is_servable(order) or is_told(order, Purpose.PAID_AHEAD):
        return order
    return owe_mail(order, Purpose.PAID_AHEAD, now, lines)
