"""What a person says of an order."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime

from cli.stacks import Stack
from keypost.errors import KeypostError
from keypost.models import Order


def change_by_person(stack: Stack, order_id: str, change: Callable[[Order, str, datetime], Order]) -> None:
    """KeypostError when there is no such order, or when it cannot be so."""
    now = datetime.now(UTC).replace(microsecond=0)

    def changed(order: Order | None) -> Order:
        if order is None:
            raise KeypostError(f"there is no order {order_id}")
        return change(order, getpass.getuser(), now)

    stack.store.change(order_id, changed)
    stack.queue.poke(order_id)
