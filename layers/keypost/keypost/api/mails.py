"""The mails of a day, and all those again that were lost."""

from datetime import UTC, date, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from keypost import wiring
from keypost.api.actions import Wish
from keypost.api.asking import asked_in, reader_of
from keypost.api.lists import PAGE
from keypost.api.orders import PageToken
from keypost.core.mails_of_day import Became
from keypost.core.periods import local_day
from keypost.inputs.strict import Day, Omissible
from keypost.use_cases.list_mails import MailsOfDay, SentAgain, check_day, mails_of_day, send_day_again
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]


class DayAgain(Wish):
    day: Day = Field(description="Of the mails that were lost, in the shop's zone")
    page: Omissible[PageToken] = Field(default=None, description="The `next` of the call before")


@router.get("/mails", summary="What was sent, failed and came back on a day")
def list_mails(
    day: Annotated[Day | None, Query(description="In the shop's zone; today by default")] = None,
    state: Annotated[Became | None, Query(description="Only those with this state")] = None,
    page: Annotated[str | None, PAGE] = None,
) -> MailsOfDay:
    day = _kept(day)
    found = mails_of_day(wiring.desk(), day, state, page)
    products = wiring.store().products({sku for mail in found.mails for sku in mail.products}).values()
    return worded(found, reader_of(router.current_event.raw_event, products))


@router.post(
    "/mails/resend", summary="Send again all that failed or came back on a day, one mail per order", status_code=202
)
def send_again(again: Annotated[DayAgain, Body()]) -> SentAgain:
    event = router.current_event.raw_event
    found = send_day_again(wiring.desk(), _kept(again.day), asked_in(event, again.reason), again.page)
    return worded(found, reader_of(event))


def _kept(day: date | None) -> date:
    today = local_day(datetime.now(UTC), wiring.config().zone)
    check_day(day or today, today)
    return day or today
