"""An agent stops the reminders of an order, or of its customer, and starts them again when the customer asks for it."""

from functools import partial

from keypost.core import noting
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.use_cases.help_customer import Desk


def stop_reminders(desk: Desk, order_id: str, asked: Asked, *, all_orders: bool = False) -> None:
    """Refused if it is to be for all orders of a customer whose address is not known."""
    if all_orders:
        desk.store.stop_reminders(_address(desk, order_id), asked.at, asked.who)
    desk.change(order_id, partial(noting.without_reminders, asked=asked, of_customer=all_orders))


def resume_reminders(desk: Desk, order_id: str, asked: Asked, *, all_orders: bool = False) -> None:
    """Refused if the reminders of all orders of its customer are stopped, and only this one was asked for."""
    email = _address(desk, order_id) if all_orders else desk.existing(order_id).customer.email
    are_stopped = bool(email and desk.store.unreminded(email))
    if are_stopped and not all_orders:
        raise Refused("reminders_stopped_of_customer", order=order_id)
    if email and are_stopped:
        desk.store.resume_reminders(email, asked.at)
    desk.change(order_id, partial(noting.with_reminders, asked=asked, of_customer=are_stopped))


def _address(desk: Desk, order_id: str) -> str:
    email = desk.existing(order_id).customer.email
    if not email:
        raise Refused("no_address_to_stop", order=order_id)
    return email
