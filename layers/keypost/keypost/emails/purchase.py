"""The mail after a purchase: per product the download link, the codes and the steps."""

from collections.abc import Mapping
from typing import Any

from keypost.emails.groups import with_codes
from keypost.models import Mail, Order, Product


def purchase(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    return with_codes(order, mail, products, language)
