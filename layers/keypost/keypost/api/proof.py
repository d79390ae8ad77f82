"""The proof of delivery of an order."""

from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from keypost import proof_page, wiring
from keypost.api.asking import reader_of
from keypost.api.orders import OrderId
from keypost.core.story import skus_told

router = Router()  # type: ignore[no-untyped-call]

_PAGE = {"description": "A page to print", "content": {"text/html": {"schema": {"type": "string"}}}}


@router.get(
    "/orders/<order_id>/proof",
    summary="Proof of delivery, to print: what was sold, paid and sent, and which mail servers accepted it",
    responses={200: _PAGE},  # type: ignore[dict-item]
)
def proof(order_id: OrderId) -> Response[str]:
    order, settings = wiring.store().existing(order_id), wiring.config()
    products = wiring.store().products(skus_told(order)).values()
    to = reader_of(router.current_event.raw_event, products)
    seller = proof_page.Seller(settings.shop_name, settings.shop_address, settings.shop_kvk)
    page = proof_page.render(order, seller, to, datetime.now(UTC).replace(microsecond=0))
    return Response(200, "text/html; charset=utf-8", page, headers=proof_page.HEADERS)
