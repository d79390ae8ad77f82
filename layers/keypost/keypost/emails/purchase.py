"""The mail after a purchase: per product the download link, the codes and the steps."""

from collections.abc import Mapping
from typing import Any

from keypost.emails.groups import groups
from keypost.models import Mail, Order, Product


def purchase(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = groups(order, mail, products, language)
    return {"groups": found, "count": sum(group["quantity"] for group in found)}
