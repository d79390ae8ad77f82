"""Finding and reading orders."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.core.frozen import dataclass
from keypost.core.order import Beside, Order
from keypost.core.payment import Standing
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.core.references import meant, numbers, spelled
from keypost.core.said import Said
from keypost.core.story import EntryTold, Story, entry_told, skus_told, story
from keypost.core.upcoming import Outlook
from keypost.inputs.addresses import email_address
from keypost.inputs.strict import SEEN, Day, Omissible
from keypost.inputs.typed import trimmed
from keypost.table import Store
from keypost.table.orders import Loaded
from keypost.use_cases.find_orders import orders_of_address, orders_with, payment_names, period
from keypost.use_cases.hide_codes import order_of_code
from keypost.use_cases.look_ahead import due_within
from keypost.words import Reader, worded

router = Router()  # type: ignore[no-untyped-call]

OrderId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,80}$", description="The order's number at the shop")]
Words = Annotated[str, BeforeValidator(trimmed), StringConstraints(min_length=1, max_length=200), SEEN]
Email = Annotated[
    str, AfterValidator(email_address), WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})
]
_MOST_FOUND = 50
PageToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]


_BESIDE_TEXT = {"first", "until", "page"}


class Search(BaseModel):
    """What to look for, one of these; for a text, also in which days."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "maxProperties": 4})

    order: Omissible[Words] = Field(default=None, description="What may be an order's number")
    email: Omissible[Email] = Field(default=None, description="An address that the customer has or had")
    code: Omissible[Words] = Field(default=None, description="An activation code, in any spelling")
    license: Omissible[Words] = Field(default=None, description="The id of a licence")
    payment: Omissible[Words] = Field(default=None, description="A payment's id at its provider")
    text: Omissible[Words] = Field(
        default=None,
        description="Parts of a name, an address, a domain or a number, with spaces between; or a code's last five",
    )
    first: Omissible[Day] = Field(
        default=None, alias="from", description="With `text`: ordered on this day or later; 60 days back by default"
    )
    until: Omissible[Day] = Field(
        default=None, description="With `text`: ordered on this day or before; today by default"
    )
    page: Omissible[PageToken] = Field(default=None, description="With `text`: the `next` of the page before")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        keys = self.model_fields_set - _BESIDE_TEXT
        if len(keys) != 1 or getattr(self, min(keys)) is None:
            raise ValueError("search_for_one_thing")
        if self.text is None and self.model_fields_set & _BESIDE_TEXT:
            raise ValueError("period_without_text")
        return self


@dataclass(frozen=True, slots=True)
class Found:
    order_id: str
    created_at: datetime
    standing: Standing
    name: str | None
    products: tuple[str, ...]
    last_event: EntryTold | None


@dataclass(frozen=True, slots=True)
class FoundOrders:
    orders: tuple[Found, ...]  # the newest 50
    total: int  # for a text: how many this page has
    zone: str  # the shop's, in which texts give moments
    unreadable: tuple[str, ...] = ()  # the numbers of orders that were found and cannot be read now
    names: Mapping[str, str] = field(default_factory=dict)  # what the products are called, by SKU
    next: str | None = None  # of a search by text that did not come to the end of its days: the `page` of the next call
    looked: Said | None = None  # how far a search by text looked


@router.post("/orders/search", summary="Find orders by what is known about them, in part or in full")
def search(wanted: Annotated[Search, Body()]) -> FoundOrders:
    if wanted.text is not None:
        return _by_text(wanted.text, wanted)
    loaded = _wanted(wanted)
    found = sorted(loaded.orders, key=lambda order: (order.created_at, order.id), reverse=True)
    newest = tuple(found_told(order) for order in found[:_MOST_FOUND])
    to = reader_of_found(newest)
    told = FoundOrders(newest, len(found), str(wiring.config().zone), loaded.names_left_out, to.names)
    return worded(told, to)


def reader_of_found(found: Iterable[Found]) -> Reader:
    """Who asks, with the names of these orders' products."""
    products = wiring.store().products({sku for each in found for sku in each.products}).values()
    return reader_of(router.current_event.raw_event, products)


def _by_text(text: str, wanted: Search) -> FoundOrders:
    zone = wiring.config().zone
    days = period(wanted.first, wanted.until, local_day(datetime.now(UTC), zone), zone)
    page = orders_with(wiring.store(), text, days, wanted.page)
    orders = tuple(map(found_told, page.orders))
    to = reader_of_found(orders)
    return worded(FoundOrders(orders, len(orders), str(zone), page.unreadable, to.names, page.next, page.looked), to)


def _wanted(wanted: Search) -> Loaded:
    store = wiring.store()
    if wanted.email:
        return orders_of_address(store, wanted.email)
    if wanted.payment:
        return store.read_all(store.orders_of_payment(payment_names(wanted.payment)))
    if wanted.order:
        order_id = _number_or_code(store, wanted.order)
    elif wanted.code:
        order_id = order_of_code(store, wanted.code)
    else:
        order_id = store.order_of_license(meant(wanted.license or ""))
    return store.read_all([order_id] if order_id else [])


def _number_or_code(store: Store, typed: str) -> str | None:
    """The number of an order; somebody may have put a code there."""
    return store.first_of(numbers(typed)) or order_of_code(store, meant(typed).rstrip(".")) or spelled(typed)


def found_told(order: Order) -> Found:
    last = entry_told(order.timeline[-1]) if order.timeline else None
    return Found(order.id, order.created_at, order.standing, order.customer.name, order.skus, last)


@router.get("/orders/<order_id>", summary="The whole story of an order, and what happens next")
def whole_story(order_id: OrderId) -> Response[Story]:
    order = wiring.store().existing(order_id)
    told = told_story(order, wiring.store().beside(order), wiring.store().products(skus_told(order)).values())
    return Response(HTTPStatus.OK, "application/json", told, headers={"ETag": f'"{order.version}"'})


def told_story(order: Order, beside: Beside, products: Iterable[Product]) -> Story:
    """In the language of the agent who asks, with the names of these products."""
    to, now = reader_of(router.current_event.raw_event, products), datetime.now(UTC).replace(microsecond=0)
    return worded(story(order, now, wiring.config().zone, beside, to.names), to)


@router.get("/due", summary="What will be sent on which day, and what will not be sent and why")
def due(days: Annotated[int, Query(ge=0, le=366, description="How far to look ahead")] = 14) -> list[Outlook]:
    found = due_within(wiring.store(), days, datetime.now(UTC), wiring.config().zone)
    to = reader_of(router.current_event.raw_event, wiring.store().catalog().values())
    return [
        worded(replace(each, products={sku: to.names.get(sku, sku) for sku in each.products}), to) for each in found
    ]
