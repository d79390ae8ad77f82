"""The worklist, as support reads it."""

from dataclasses import replace
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.use_cases.list_attention import PLACE, REASONS, Worklist, worklist
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]

_Code = Literal[REASONS]  # type: ignore[valid-type] # a literal of the table's own codes
_Next = Query(pattern=f"^{PLACE}$", max_length=200, description="The `next` of the page before")


@router.get("/attention", summary="The orders that need a person or stock, the most urgent first")
def attention(
    reason: Annotated[_Code | None, Query(description="Only those with this reason")] = None,
    next: Annotated[str | None, _Next] = None,  # noqa: A002 - its name in the query
) -> Worklist:
    listed = worklist(wiring.store(), reason, next)
    products = wiring.store().products({sku for item in listed.items for sku in item.products}).values()
    to = reader_of(router.current_event.raw_event, products)
    return worded(replace(listed, names=to.names, zone=str(wiring.config().zone)), to)
