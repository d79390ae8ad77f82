"""Forgets customers by itself, so many years after their last license ended. It goes through all orders, the oldest
first, a few at a time, and begins anew at the end: a customer who still had something open is looked at again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from keypost import telemetry
from keypost.core.errors import KeypostError
from keypost.core.forgetting import may_be_forgotten, years_before
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.periods import local_day, midnight_of
from keypost.table import Store
from keypost.table.created import Place
from keypost.use_cases.help_customer import Desk

MOST_AT_ONCE = 100  # orders: some seconds
MOST_A_DAY = 5000
PAUSE = timedelta(seconds=10)  # between two parts of a day: customers go first
_WITH_ADDRESS = ("@",)  # in the text of the index: an erased order has none
_FIRST = Place("2020-01-01T00:00:00Z", "")  # before every order


def forget_some(
    desk: Desk, now: datetime, years: int, fiscal_years: int, most: int = MOST_AT_ONCE, a_day: int = MOST_A_DAY
) -> bool:
    """Look at so many orders, and erase the customers who may be forgotten. Returns whether more is to do today."""
    store, today = desk.store, local_day(now, desk.zone)
    begin, looked = store.forgetting(today)
    if looked >= a_day:
        return False
    until = midnight_of(years_before(today, years), desk.zone)
    places = list(islice(_places(store, begin or _FIRST, until), most))
    forgotten = sum(_forget(desk, order, now, years, fiscal_years) for order in _orders(store, places))
    is_end = len(places) < most
    store.put_forgetting(today, None if is_end else places[-1], a_day if is_end else looked + len(places))
    if forgotten:
        telemetry.outcome("CustomersForgotten", forgotten)
        store.count_forgotten(now, forgotten)
    return not is_end


def _places(store: Store, begin: Place, until: datetime) -> Iterator[Place]:
    return (place for part in store.created_from(begin, until, _WITH_ADDRESS) for place in part.found)


def _orders(store: Store, places: list[Place]) -> list[Order]:
    """One order of each customer."""
    loaded = store.read_all([place.order_id for place in places]).orders
    return list({order.customer.email.casefold(): order for order in loaded if order.customer.email}.values())


def _forget(desk: Desk, order: Order, now: datetime, years: int, fiscal_years: int) -> bool:
    email = order.customer.email or ""
    theirs = desk.all_of_customer(email)
    if theirs.left_out or not may_be_forgotten(theirs.orders, local_day(now, desk.zone), years, desk.zone):
        return False
    try:
        desk.erase(email, Asked(now.replace(microsecond=0), "keypost"), fiscal_years)
    except KeypostError as error:  # the next round tries again
        telemetry.failure(error, order_id=order.id)
        return False
    return True
