"""Lists of orders by day."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from keypost import wiring
from keypost.api.orders import Found, found_told, reader_of_found
from keypost.core.frozen import dataclass
from keypost.core.periods import local_day
from keypost.core.said import Said
from keypost.inputs.strict import Day
from keypost.use_cases.find_orders import orders_of_days, period
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]

_From = Query(alias="from", description="The first day, in the shop's zone; 60 days back by default")
_Until = Query(description="The last day, included; today by default")
PAGE = Query(pattern="^[A-Za-z0-9_-]{1,200}$", description="The `next` of the page before")


@dataclass(frozen=True, slots=True)
class ListedOrders:
    orders: tuple[Found, ...]  # the newest first
    next: str | None  # the `page` of the next call
    looked: Said  # how far this page looked
    zone: str  # the shop's, in which days are counted and texts give moments
    unreadable: tuple[str, ...] = ()  # the numbers of orders that cannot be read now
    names: Mapping[str, str] = field(default_factory=dict)  # what the products are called, by SKU


@router.get("/orders", summary="The orders of some days, the newest first")
def list_orders(
    first: Annotated[Day | None, _From] = None,
    until: Annotated[Day | None, _Until] = None,
    page: Annotated[str | None, PAGE] = None,
) -> ListedOrders:
    zone = wiring.config().zone
    days = period(first, until, local_day(datetime.now(UTC), zone), zone)
    found = orders_of_days(wiring.store(), days, page)
    orders = tuple(map(found_told, found.orders))
    to = reader_of_found(orders)
    return worded(ListedOrders(orders, found.next, found.looked, str(zone), found.unreadable, to.names), to)
