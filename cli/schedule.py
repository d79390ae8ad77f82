"""What is to come: looked at, held and let go by a person."""

import getpass
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from cli.stacks import Stack
from keypost.errors import KeypostError
from keypost.models import Order, Reason
from keypost.outlook import Outlook, outlook
from keypost.periods import local_day


def due_within(stack: Stack, days: int) -> list[Outlook]:
    """By day, what is due and what is kept back."""
    until = local_day(datetime.now(UTC), stack.zone) + timedelta(days=days)
    pages = chain(
        stack.store.due(datetime.now(UTC) + timedelta(days=days + 1)),
        *(stack.store.needing(reason) for reason in Reason),
    )
    order_ids = sorted({order_id for page in pages for order_id in page})
    found = [row for order in stack.store.load_all(order_ids) for row in outlook(order, until, stack.zone)]
    return sorted(found, key=lambda row: (row.day or date.max, row.order_id, row.lines))


def change_by_person(stack: Stack, order_id: str, change: Callable[[Order, str, datetime], Order]) -> None:
    """KeypostError when there is no such order, or when it cannot be so."""
    now = datetime.now(UTC).replace(microsecond=0)

    def changed(order: Order | None) -> Order:
        if order is None:
            raise KeypostError(f"there is no order {order_id}")
        return change(order, getpass.getuser(), now)

    stack.store.change(order_id, changed)
    stack.queue.poke(order_id)
