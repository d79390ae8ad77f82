"""The catalog."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import cattrs

from keypost import telemetry
from keypost.core.product import Kind, Product
from keypost.table.items import Table, converter, place_of, to_wire

_CATALOG = {"pk": {"S": "CATALOG"}}


class Products(Table):
    def put_product(self, product: Product) -> None:
        item = {"pk": f"PRODUCT#{product.sku}", **converter.unstructure(product)}
        self._write("put_item", Item=to_wire(item))
        self._write(
            "update_item",
            Key=_CATALOG,
            UpdateExpression="ADD skus :sku",
            ExpressionAttributeValues={":sku": {"SS": [product.sku]}},
        )

    def skus(self) -> list[str]:
        """Those of all products."""
        item = self._client.get_item(TableName=self.table, Key=_CATALOG).get("Item", {})
        return sorted(item.get("skus", {"SS": []})["SS"])

    def catalog(self) -> dict[str, Product]:
        """All products, by SKU."""
        return dict(sorted(self.products(self.skus()).items()))

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Those of these SKUs that the catalog knows, as products by SKU."""
        items = self._batch_get([f"PRODUCT#{sku}" for sku in skus])
        found = (_product(item) for item in items)
        return {product.sku: product for product in found if product}


def _product(item: Mapping[str, Any]) -> Product | None:
    """None when this version cannot read it, or when it lacks what every mail needs: an order for it waits, as if the
    catalog did not know the product."""
    product = None
    try:
        product = converter.structure(item, Product)
        place = _unfit(product)
    except cattrs.BaseValidationError as error:
        place = place_of(error)
    if place is None:
        return product
    telemetry.outcome("ProductUnreadable", sku=str(item["pk"]).removeprefix("PRODUCT#"), place=place)
    return None


def _unfit(product: Product) -> str | None:
    """The field with which no mail can be written."""
    try:
        re.compile(product.code_pattern)
    except (re.error, OverflowError):
        return "code_pattern"
    if not product.name:
        return "name"
    return None if all(product.steps.get(kind) for kind in Kind) else "steps"
