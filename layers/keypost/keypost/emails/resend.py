"""The mail that repeats codes, for a customer who did not get them or lost them."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail, MailState
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import with_codes


def resend(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    """The mail, with the moment of the newest earlier mail that had the very same content."""
    swaps = [bad.asked.at for bad in order.bad_codes]
    same = [
        each.sent_at
        for each in order.mails
        if each.holds_codes and each.state is MailState.SENT and not each.came_back and each.sent_at
        if not each.licenses and order.lines_of([each]) >= order.lines_of([mail])
        if all(each.sent_at > swapped_at for swapped_at in swaps)
    ]
    return with_codes(order, mail, products, language) | {"earlier": max(same, default=None)}
