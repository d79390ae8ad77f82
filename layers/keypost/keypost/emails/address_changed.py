"""The notice to an address that is not written to any more: no code, no name, and not which address is the new one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product


def address_changed(order: Order, _mail: Mail, _products: Mapping[str, Product], _language: str) -> dict[str, Any]:
    return {"order": replace(order, customer=replace(order.customer, name=None))}  # who reads there may be a stranger
