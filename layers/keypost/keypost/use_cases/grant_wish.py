"""What becomes of what somebody asked for on the page for customers, where nobody can see how long it takes."""

from contextlib import suppress
from functools import partial

from keypost.core import self_service
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.self_service import CONCERNS_PER_DAY, WISHES_PER_ASKER, WISHES_PER_DAY
from keypost.core.support import CUSTOMER
from keypost.core.wish import Ask, Wish
from keypost.table.addresses import Address
from keypost.use_cases.help_customer import Desk


def grant(desk: Desk, wish: Wish) -> list[str]:
    """Do what a customer asked for; returns the ids of the orders. Nothing is done for an address that nobody ordered
    with, and nobody is told."""
    loaded, told = desk.store.customer_of_wish(wish)
    asked = Asked(wish.asked_at, CUSTOMER, key=wish.id)
    if wish.ask is Ask.RESEND:
        return _send_again(desk, wish, asked, loaded.orders, told)
    return _note(desk, wish, asked, loaded.orders)


def _send_again(desk: Desk, wish: Wish, asked: Asked, theirs: list[Order], told: Address) -> list[str]:
    """To the present address of each order, unless it is known to be blocked: that SES alone blocks it is told by the
    event of the mail, and the order then waits for a person. Orders that are refused are left out."""
    found = self_service.worth_sending_again(theirs, asked, desk.zone)
    if not found or self_service.is_stopped(theirs) or told.bad:
        return []
    if not _is_in_time(desk, wish, WISHES_PER_DAY, WISHES_PER_ASKER):
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
