"""The catalog."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import cattrs

from keypost import telemetry
from keypost.core.product import Kind, Product
from keypost.table.converting import converter, place_of
from keypost.table.items import Table, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CATALOG = {"pk": {"S": "CATALOG"}}


class Products(Table):
    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(client, table, pause)
        self._known_skus: frozenset[str] = frozenset()

    def put_product(self, product: Product) -> None:
        item = {"pk": f"PRODUCT#{product.sku}", **converter.unstructure(product)}
        self._write("put_item", Item=to_wire(item))
        self._write(
            "update_item",
            Key=_CATALOG,
            UpdateExpression="ADD skus :sku",
            ExpressionAttributeValues={":sku": {"SS": [product.sku]}},
        )

    def known_skus(self, skus: Iterable[str]) -> frozenset[str]:
        """Those of these SKUs that the catalog has. No product is ever removed, so each is looked for until it is
        there, and not again."""
        wanted = frozenset(skus)
        if missing := wanted - self._known_skus:
            self._known_skus |= self.products(sorted(missing)).keys()
        return wanted & self._known_skus

    def skus(self) -> list[str]:
        """Those of all products."""
        item = self._client.get_item(TableName=self.table, Key=_CATALOG).get("Item", {})
        return sorted(item.get("skus", {"SS": []})["SS"])

    def catalog(self) -> dict[str, Product]:
        """All products, by SKU."""
        return dict(sorted(self.products(self.skus()).items()))

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Those of these SKUs that the catalog knows, as products by SKU."""
        found = map(product_of, self._batch_get([*map(product_key, skus)]))
        return {product.sku: product for product in found if product}


def product_key(sku: str) -> str:
    return f"PRODUCT#{sku}"


def product_of(item: Mapping[str, Any]) -> Product | None:
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
