"""The mail after a purchase: per product the download link, the codes and the steps; and what is still to come."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Kind, Product
from keypost.emails.groups import with_codes
from keypost.words import in_language


def purchase(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    return with_codes(order, mail, products, language) | {"to_come": _to_come(order, mail, products, language)}


def _to_come(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> list[dict[str, Any]]:
    """What was bought with it and has no mail yet. A product that is not in the catalog has no name."""
    told = order.owed_lines | order.lines_of([mail])
    lines = [order.line(number) for number in order.numbers(Kind.NEW) if number not in told]
    names = {sku: in_language(product.name, language) for sku, product in products.items()}
    return [{"quantity": line.quantity, "name": names.get(line.sku, line.sku)} for line in lines]
