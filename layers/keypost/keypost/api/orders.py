"""Orders, as support looks for them and at them."""

from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from keypost import wiring
from keypost.gather import due_within
from keypost.outlook import Outlook

router = Router()  # type: ignore[no-untyped-call]


@router.get("/due")
def due(days: Annotated[int, Query(ge=0, le=366)] = 14) -> list[Outlook]:
    """What will go out on which day, and what will not and why."""
    return due_within(wiring.store(), days, datetime.now(UTC), wiring.config().zone)
