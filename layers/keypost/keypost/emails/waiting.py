"""The mail to a customer who has paid, and whose codes follow later."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import groups


def waiting(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = groups(order, mail, products, language)
    for group in found:
        line, term = order.line(group["line"]), order.term(group["line"])
        group |= {"quantity": line.quantity, "first_day": term.first_day if term else None}
        del group["licenses"]  # a large order may have some of its codes already
    return {"groups": found, "count": sum(group["quantity"] for group in found)}
