"""The notices to a customer of what was done with their codes on request. They have no code and no name: their reader
may be a stranger, and another address or customer stands in none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product


def nameless(order: Order) -> Order:
    return replace(order, customer=replace(order.customer, name=None))


def sent_elsewhere(order: Order, _mail: Mail, _products: Mapping[str, Product], _language: str) -> dict[str, Any]:
    return {"order": nameless(order)}


def license_moved(order: Order, mail: Mail, _products: Mapping[str, Product], _language: str) -> dict[str, Any]:
    return {"order": nameless(order), "license": mail.licenses[0]}
