"""What becomes of what somebody asked for on the page for customers, where nobody can see how long it takes."""

from contextlib import suppress
from functools import partial

from keypost.clients.mailer import Mailer
from keypost.core import self_service
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.self_service import CONCERNS_PER_DAY, WISHES_PER_ASKER, WISHES_PER_DAY
from keypost.core.support import CUSTOMER
from keypost.core.wish import Ask, Wish
from keypost.table.addresses import Address
from keypost.use_cases.help_customer import Desk, why_suppressed


def grant(desk: Desk, wish: Wish, mailer: Mailer) -> list[str]:
    """Do what a customer asked for; returns the ids of the orders. Nothing is done for an address that nobody ordered
    with, and nobody is told."""
    theirs = desk.store.orders_of_wish(wish).orders
    asked = Asked(wish.asked_at, CUSTOMER, key=wish.id)
    return (
        _send_again(desk, wish, asked, theirs, mailer) if wish.ask is Ask.RESEND else _note(desk, wish, asked, theirs)
    )


def _send_again(desk: Desk, wish: Wish, asked: Asked, theirs: list[Order], mailer: Mailer) -> list[str]:
    """To the present address of each order. Orders that are refused are left out."""
    found = self_service.worth_sending_again(theirs, asked, desk.zone)
    address = found[0].customer.email if found else None
    told = desk.store.address(address) if address else Address({})
    if not address or self_service.is_stopped(theirs) or told.bad:
        return []
    if not _is_in_time(desk, wish, WISHES_PER_DAY, WISHES_PER_ASKER):
        return []
    # SES allows one such call a second, so it is asked once, and only if something will be sent.
    if why_suppressed(told, address, mailer):
        return []
    granted = []
    for order in found:
        with suppress(Refused):
            desk.owe_again(order, asked)
            granted.append(order.id)
    return granted


def _note(desk: Desk, wish: Wish, asked: Asked, theirs: list[Order]) -> list[str]:
    """Ask a person to see to it."""
    order = self_service.concerned(theirs, asked, desk.zone)
    if order is None or not _is_in_time(desk, wish, CONCERNS_PER_DAY, CONCERNS_PER_DAY):
        return []
    desk.change(order.id, partial(self_service.with_concern, code=wish.ask, now=wish.asked_at))
    return [order.id]


def _is_in_time(desk: Desk, wish: Wish, most: int, most_of_asker: int) -> bool:
    return desk.store.begin_round(wish, local_day(wish.asked_at, desk.zone), most, most_of_asker)
