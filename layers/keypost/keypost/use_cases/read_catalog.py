"""Reads the products for the guide."""

from collections.abc import Callable, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.core.product import Product


def read_catalog(read: Callable[[], Mapping[str, Product]]) -> Mapping[str, Product] | None:
    """All products by SKU; None when they cannot be read now."""
    try:
        return read()
    except (ClientError, BotoCoreError) as error:
        telemetry.failure(error)
        telemetry.outcome("GuideNotRead")
        return None
