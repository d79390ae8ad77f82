"""What customers ask for on their page. Anybody can type any address there: so each thing that is asked for has limits
by day, and none of them can take away what the customer has paid for."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, tzinfo

from keypost.core import owed, support
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.obstacles import is_servable
from keypost.core.order import MAIL_REPORTED, Concern, Order, Reason, noted, without_waits
from keypost.core.periods import local_day

WISHES_PER_DAY = 6  # for one address, whoever asks
WISHES_PER_ASKER = 3  # of these, from one network
CONCERNS_PER_DAY = 1  # of one kind, for one address
ORDERS_PER_WISH = 5


def worth_sending_again(found: Iterable[Order], asked: Asked, zone: tzinfo) -> list[Order]:
    """Of a customer's orders, those with a license that was sent and has not ended, at most ORDERS_PER_WISH. First come
    those that this request has added already, so that a repeated message adds no others; then those that were never
    sent again, the newest first; then those that were sent again longest ago."""
    running = [order for order in found if _is_running(order, asked, zone) and _may_be_sent(order, asked, zone)]
    newest_first = sorted(running, key=lambda order: (order.created_at, order.id), reverse=True)
    return sorted(newest_first, key=lambda order: _turn(order, asked))[:ORDERS_PER_WISH]


def _turn(order: Order, asked: Asked) -> tuple[bool, float]:
    again = [mail.asked.at for mail in order.mails if support.is_resend(mail) and mail.asked]
    return support.granted(order, asked) is None, max(again).timestamp() if again else 0


def _is_running(order: Order, asked: Asked, zone: tzinfo) -> bool:
    today = local_day(asked.at, zone)
    return is_servable(order) and any(
        each.last_day >= today and each.line in order.sent_lines for each in order.licenses
    )


def _may_be_sent(order: Order, asked: Asked, zone: tzinfo) -> bool:
    """False for an order that had its share of today: it must not take the place of another one."""
    try:
        support.resend(without_waits(order, Reason.ADDRESS), asked, zone)
    except Refused:
        return False
    return True


def is_stopped(found: Iterable[Order]) -> bool:
    """Whether the page sends nothing to this customer: a mail that somebody asked for there was reported as spam, and
    no person has seen to that. What the customer pays for is sent all the same."""
    return any(each.code == MAIL_REPORTED for order in found for each in order.concerns)


def concerned(found: Iterable[Order], asked: Asked, zone: tzinfo) -> Order | None:
    """The order in which a customer's concern is noted: the newest one of which something was sent, else the newest one
    of which something will be; None if the customer has neither."""
    found = [order for order in found if is_servable(order)]
    sent = [order for order in found if _is_running(order, asked, zone)]
    theirs = sent or [order for order in found if owed.deliveries(order)]
    return max(theirs, key=lambda order: (order.created_at, order.id), default=None)


def with_concern(order: Order, code: str, now: datetime, who: str = support.CUSTOMER) -> Order:
    """Ask a person to see to it, once until that is done."""
    if order.is_erased or any(each.code == code for each in order.concerns):
        return order
    return noted(replace(order, concerns=(*order.concerns, Concern(code, now))), now, code, who=who)


def is_asked_on_page(order: Order, mail_id: str) -> bool:
    return any(mail.id == mail_id and mail.asked and mail.asked.who == support.CUSTOMER for mail in order.mails)
