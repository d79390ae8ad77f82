"""The mail to a customer whose money was returned in full. It names no product, because the catalog may not know what
was never served."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Kind, Product


def refunded(order: Order, _mail: Mail, _products: Mapping[str, Product], _language: str) -> dict[str, Any]:
    return {
        "sent": sum(license_.line in order.sent_lines for license_ in order.licenses),
        "is_sent_whole": order.sent_lines >= set(order.numbered),
        "renews": any(line.kind is Kind.RENEWAL for line in order.lines),
    }
