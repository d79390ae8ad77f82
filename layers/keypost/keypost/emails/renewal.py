"""The mail at a renewal: the new period, its codes, and when to enter them."""

from collections.abc import Mapping
from typing import Any

from keypost.emails.groups import with_codes
from keypost.models import Mail, Order, Product


def renewal(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = with_codes(order, mail, products, language)
    return found | {"first_day": min(group["first_day"] for group in found["groups"])}
