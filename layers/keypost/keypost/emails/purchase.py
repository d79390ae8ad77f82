"""The mail after a purchase: per product the download link, the codes and the steps."""

from collections.abc import Mapping
from typing import Any

from keypost.emails.languages import in_language
from keypost.models import Order, Product


def purchase(order: Order, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    groups = []
    for number, line in enumerate(order.lines, start=1):
        product = products[line.sku]
        groups.append(
            {
                "name": in_language(product.name, language),
                "vendor": product.vendor,
                "devices": product.devices,
                "term_days": product.term_days,
                "codes": [license_.code for license_ in order.licenses if license_.line == number],
                "download_url": product.download_url,
                "steps": in_language(product.steps[line.kind], language),
                "note": in_language(product.notes, language) if product.notes else "",
            }
        )
    return {"groups": groups, "count": len(order.licenses)}
