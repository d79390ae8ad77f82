"""The inbox, as support reads it."""

from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.use_cases.list_inbox import MOST_DAYS, PLACE, InboxPage, inbox
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]


@router.get("/inbox", summary="What payment providers and shops reported that changed nothing, the newest first")
def read_inbox(
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days back")] = 7,
    next: Annotated[str | None, Query(pattern=f"^{PLACE}$", description="The `next` of the page before")] = None,  # noqa: A002 - its name in the query
) -> InboxPage:
    page = inbox(wiring.store(), days, datetime.now(UTC), next)
    return worded(page, reader_of(router.current_event.raw_event))
