"""Looks at the other orders of a customer before an order of a shop's program is stored."""

import re
from dataclasses import replace
from datetime import datetime

from keypost.core.errors import SetAside
from keypost.core.order import Order
from keypost.core.payment import PaymentNotice, PaymentState
from keypost.core.periods import local_day
from keypost.core.product import Line, renewing
from keypost.core.references import meant
from keypost.core.repeat import BOOKS, Repeat
from keypost.core.repeats import as_repeat, same_purchase
from keypost.core.shop import Intake
from keypost.core.telling import IMPORT
from keypost.table import Store

ORDER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROGRAMS = ("woocommerce", "moneybird")  # one shop may use both, of which one copies the orders of the other


def of_one_order(store: Store, notice: PaymentNotice, intake: Intake) -> PaymentNotice:
    """The notice under the number of the order that it is of: the bookkeeper's program has the shop's number as its
    reference, and either may tell first."""
    if not notice.order_id:
        return notice
    if notice.provider not in _PROGRAMS:
        return replace(notice, order_id=order_in_books(store, notice.order_id, intake))
    if order_id := _order_referred_to(store, notice):
        return replace(notice, order_id=order_id)
    for number in _numbers(notice, intake):
        order_id = store.order_of_reference(number, notice.provider, notice.order_id)
        if order_id != notice.order_id:
            return replace(notice, order_id=order_id)
    return notice


def of_subscription(store: Store, notice: PaymentNotice) -> PaymentNotice:
    """The notice of a charge that does not say of what: if an import named its subscription, it renews what was sold
    with that."""
    if not notice.subscription or notice.lines or any(each.sku for each in notice.charged):
        return notice
    sold = _known(store, order_sold_with(store, notice.subscription))
    lines = [Line(line.sku, line.quantity) for line in sold.lines] if sold else []
    return replace(notice, lines=renewing(sold.id, lines)) if sold else notice


def order_sold_with(store: Store, subscription: str) -> str:
    """The order that was imported as that of a subscription; empty if none was."""
    return store.order_referring_to(subscription, IMPORT)


def order_in_books(store: Store, order_id: str, intake: Intake) -> str:
    """The order with this number of the shop: the bookkeeper's program may have told of it first, under its own."""
    copied = store.order_referring_to(meant(order_id), BOOKS) if intake.has_books else ""
    return copied or order_id


def _order_referred_to(store: Store, notice: PaymentNotice) -> str | None:
    """The order whose number is the reference of an invoice, perhaps with `#` or `Bestelling` before it."""
    if notice.provider != "moneybird":
        return None
    named = dict.fromkeys((notice.refers_to, meant(notice.refers_to)))
    return store.first_of([each for each in named if ORDER_ID.fullmatch(each)])


def _numbers(notice: PaymentNotice, intake: Intake) -> list[str]:
    """The numbers of an order that the other program may have as its reference. An order of the shop is found by its
    own number anyway, so that this one matters only once there are books, which may have told of it before."""
    named = [meant(notice.refers_to)]
    if notice.provider == "woocommerce":
        named = [notice.order_id, *named] if intake.has_books else [each for each in named if each != notice.order_id]
    return [*dict.fromkeys(filter(None, named))]


def recognized(
    store: Store, notice: PaymentNotice, now: datetime, intake: Intake
) -> tuple[PaymentNotice, Order | None]:
    """The notice with what the customer's other orders say of it, and its own order, if that was looked at and is
    there. Whoever tells of an order that is paid already is not looked at again."""
    repeat = intake.repeats.get(notice.provider, Repeat.NEW)
    may_be_copied = notice.provider == BOOKS or intake.has_books
    if not _says_all(notice) or (not may_be_copied and repeat is Repeat.NEW):
        return notice, None
    known = _known(store, notice.order_id)
    others = _others(store, notice, known)
    notice = as_repeat(notice, known, others, repeat, local_day(now, intake.zone))
    return replace(notice, same_as=same_purchase(notice, others) if may_be_copied else ""), known


def _says_all(notice: PaymentNotice) -> bool:
    """True for a paid order that says whose it is, and what was bought."""
    return bool(notice.state is PaymentState.PAID and notice.email and notice.lines and notice.order_id)


def _others(store: Store, notice: PaymentNotice, known: Order | None) -> list[Order]:
    """The orders of the customer; none for an order that is paid already, and of which it is known what it is for."""
    return [] if known and known.paid_at and known.lines else store.orders_of(notice.email or "").orders


def _known(store: Store, order_id: str) -> Order | None:
    try:
        return store.load(order_id)
    except SetAside:  # what is told of it is kept beside it
        return None
