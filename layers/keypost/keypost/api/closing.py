"""Ending what an order asks a person for."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from keypost.api.actions import Changed, plain
from keypost.api.asking import asked_in, desk_of
from keypost.api.orders import OrderId
from keypost.inputs.strict import SEEN

router = Router()  # type: ignore[no-untyped-call]


Why = Annotated[str, BeforeValidator(plain), StringConstraints(min_length=1, max_length=200), SEEN]


class Closing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Why = Field(description="What was done, or why the order is not ours, for the timeline")


@router.post(
    "/orders/<order_id>/close",
    summary="Mark an order as done: what a person had to do has been done; if something new becomes known, it returns",
)
def close(order_id: OrderId, wish: Annotated[Closing, Body()]) -> Changed:
    event = router.current_event.raw_event
    desk_of(event).close(order_id, asked_in(event, wish.reason))
    return Changed(order_id)
