"""The catalog."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from keypost import wiring
from keypost.api.stock import Sku
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.order import Reason
from keypost.core.product import Product
from keypost.inputs.catalog_file import ProductEntry
from keypost.use_cases.import_stock import poke_waiting

router = Router()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Catalog:
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class ProductPut:
    sku: str
    looked_at: int  # orders that waited for a product and are tried again


@router.get("/products", summary="The catalogue")
def all_products() -> Catalog:
    return Catalog(tuple(wiring.store().catalog().values()))


@router.put("/products/<sku>", summary="Put a product into the catalogue, or change it")
def put_product(sku: Sku, entry: Annotated[ProductEntry, Body()]) -> ProductPut:
    if entry.sku != sku:
        raise InvalidInput("other_sku_in_path")
    wiring.store().put_product(entry.as_product())
    wiring.forget_signs()
    return ProductPut(sku, poke_waiting(wiring.store(), wiring.queue(), Reason.PRODUCT))
