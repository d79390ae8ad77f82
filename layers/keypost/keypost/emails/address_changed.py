"""The notice to an address that Keypost no longer uses for this customer. It has no code, no name and not the new
address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product


def address_changed(order: Order, _mail: Mail, _products: Mapping[str, Product], _language: str) -> dict[str, Any]:
    return {"order": replace(order, customer=replace(order.customer, name=None))}  # its reader may be a stranger
