"""The catalog."""

from collections.abc import Iterable

from keypost.core.product import Product
from keypost.table.items import Table, converter, to_wire

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
        return {item["sku"]: converter.structure(item, Product) for item in items}
