"""Looks at the other orders of a customer before an order of a shop's program is stored."""

import re
from dataclasses import replace
from datetime import datetime

from keypost.core.errors import SetAside
from keypost.core.order import Order
from keypost.core.payment import PaymentNotice, PaymentState
from keypost.core.periods import local_day
from keypost.core.repeats import Repeat, as_repeat, same_purchase
from keypost.core.shop import Intake
from keypost.table import Store

ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROGRAMS = ("woocommerce", "moneybird")  # one shop may use both, of which one copies the orders of the other


def of_one_order(store: Store, notice: PaymentNotice) -> PaymentNotice:
    """The notice under the number of the order that it is of: the bookkeeper's program has the shop's number as its
    reference, and either may tell first."""
    if notice.provider not in _PROGRAMS or not notice.order_id:
        return notice
    if notice.provider == "moneybird" and ORDER_ID.fullmatch(notice.refers_to) and store.exists(notice.refers_to):
        return replace(notice, order_id=notice.refers_to)
    own = notice.order_id if notice.provider == "woocommerce" else ""
    for number in filter(None, (own, notice.refers_to)):
        order_id = store.order_of_reference(number, notice.provider, notice.order_id)
        if order_id != notice.order_id:
            return replace(notice, order_id=order_id)
    return notice


def recognized(store: Store, notice: PaymentNotice, now: datetime, intake: Intake) -> PaymentNotice:
    """The notice with what the customer's other orders say of it. Whoever tells of an order that is paid already is
    not looked at again."""
    repeat = intake.repeats.get(notice.provider, Repeat.NEW)
    is_asked = notice.state is PaymentState.PAID and notice.email and notice.lines and notice.order_id
    if not is_asked or (notice.provider not in _PROGRAMS and repeat is Repeat.NEW):
        return notice
    known = _known(store, notice.order_id)
    others = [] if known and known.paid_at else store.orders_of(notice.email or "").orders
    notice = as_repeat(notice, known, others, repeat, local_day(now, intake.zone))
    return replace(notice, same_as=same_purchase(notice, others) if notice.provider in _PROGRAMS else "")


def _known(store: Store, order_id: str) -> Order | None:
    try:
        return store.load(order_id)
    except SetAside:  # what is told of it is kept beside it
        return None
