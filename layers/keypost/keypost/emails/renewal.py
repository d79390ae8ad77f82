"""The mail at a renewal: the new period, its codes, and when to enter them."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import with_codes


def renewal(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = with_codes(order, mail, products, language)
    are_installed = all(group["is_installed"] for group in found["groups"])
    return found | {
        "first_day": min(group["first_day"] for group in found["groups"]),
        "are_installed": are_installed,
    }
