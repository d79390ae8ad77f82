"""The mail before a license ends that nobody has renewed."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import groups


def reminder(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = groups(order, mail, products, language)
    for group in found:
        del group["licenses"]  # so that no template can show a code by mistake
    return {
        "groups": found,
        "count": sum(group["quantity"] for group in found),
        "last_day": min(group["last_day"] for group in found),
    }
