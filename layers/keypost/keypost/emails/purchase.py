"""The mail after a purchase: per product the download link, the codes and the steps."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import with_codes


def purchase(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    return with_codes(order, mail, products, language)
