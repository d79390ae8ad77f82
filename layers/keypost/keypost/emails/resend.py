"""The mail that repeats codes, for a customer who did not get them or lost them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keypost.core.mail import Mail, MailState
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import with_codes
from keypost.emails.notices import nameless


def resend(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    """The mail, with the moment of the newest earlier mail that had the very same content."""
    if mail.to:  # its reader is another one
        return with_codes(order, mail, products, language) | {"earlier": None, "order": nameless(order)}
    swaps = [bad.asked.at for bad in order.bad_codes]
    same = [sent_at for sent_at in _sent_before(order, mail) if all(sent_at > swapped_at for swapped_at in swaps)]
    return with_codes(order, mail, products, language) | {"earlier": max(same, default=None)}


def _sent_before(order: Order, mail: Mail) -> list[datetime]:
    """The moments of the mails that brought all codes that these lines had then."""
    lines = order.lines_of([mail])
    whole = (each for each in filter(_brought_codes, order.mails) if not each.licenses)
    return [each.sent_at for each in whole if each.sent_at and order.lines_of([each]) >= lines]


def _brought_codes(mail: Mail) -> bool:
    return mail.holds_codes and mail.state is MailState.SENT and not mail.came_back
