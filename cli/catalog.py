"""Files of products: read, and put into the catalog."""

import re
import tomllib
from pathlib import Path

from cli.speech import say
from cli.stacks import Stack
from keypost.core.errors import InvalidInput
from keypost.core.order import Reason
from keypost.core.product import Product
from keypost.inputs.catalog_file import read_product
from keypost.use_cases.import_stock import poke_waiting


def read_products(file: Path) -> list[Product]:
    """The products of a file (TOML). InvalidInput if it has none, or one that is not described as it should be."""
    try:
        entries = tomllib.loads(file.read_text("utf-8")).get("product")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise InvalidInput("file_not_toml", file=file, line=line and line[1]) from None
    if not entries or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInput("file_without_product", file=file, table="[[product]]")
    return [read_product(entry) for entry in entries]


def apply(to: Stack, products: list[Product]) -> None:
    """Add products to the catalog or replace them, and let the orders go on that waited for one of them."""
    for product in products:
        to.store.put_product(product)
        say("product_applied", sku=product.sku)
    poked = poke_waiting(to.store, to.queue, Reason.PRODUCT)
    if poked:
        say("orders_looked_at", count=poked)
