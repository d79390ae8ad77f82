"""Finding and reading orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Self

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.core.order import Beside, Order
from keypost.core.payment import Standing
from keypost.core.product import Product
from keypost.core.story import EntryTold, Story, entry_told, skus_told, story
from keypost.core.upcoming import Outlook
from keypost.inputs.addresses import email_address
from keypost.table.orders import Loaded
from keypost.use_cases.look_ahead import due_within
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]

OrderId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,80}$", description="The order's number at the shop")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Email = Annotated[
    str, AfterValidator(email_address), WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})
]
_PROVIDERS = ("stripe", "mollie", "woocommerce", "moneybird", "webhook")
_MOST_FOUND = 50


class Search(BaseModel):
    """What to look for, one of these."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "maxProperties": 1})

    order: Words | SkipJsonSchema[None] = Field(default=None, description="What may be an order's number")
    email: Email | SkipJsonSchema[None] = Field(default=None, description="The customer's address, as it is now")
    code: Words | SkipJsonSchema[None] = Field(default=None, description="An activation code, in any spelling")
    license: Words | SkipJsonSchema[None] = Field(default=None, description="The id of a license")
    payment: Words | SkipJsonSchema[None] = Field(default=None, description="A payment's id at its provider")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1 or not any(self.model_dump().values()):
            raise ValueError("search_for_one_thing")
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
    total: int
    zone: str  # the shop's, in which texts give moments
    unreadable: tuple[str, ...] = ()  # the numbers of orders that were found and cannot be read now
    names: Mapping[str, str] = field(default_factory=dict)  # what the products are called, by SKU


@router.post("/orders/search", summary="Find orders by number, e-mail address, activation code, license or payment")
def search(wanted: Annotated[Search, Body()]) -> FoundOrders:
    loaded = _wanted(wanted)
    found = sorted(loaded.orders, key=lambda order: (order.created_at, order.id), reverse=True)
    newest = tuple(_found(order) for order in found[:_MOST_FOUND])
    products = wiring.store().products({sku for each in newest for sku in each.products}).values()
    to = reader_of(router.current_event.raw_event, products)
    told = FoundOrders(newest, len(found), str(wiring.config().zone), loaded.names_left_out, to.names)
    return worded(told, to)


def _wanted(wanted: Search) -> Loaded:
    store = wiring.store()
    if wanted.email:
        return store.orders_of(wanted.email)
    if wanted.payment:
        payment = wanted.payment.strip()
        known = payment.partition(":")[0] in _PROVIDERS
        names = [payment] if known else [f"{provider}:{payment}" for provider in _PROVIDERS]
        return store.read_all(store.orders_of_payment(names))
    if wanted.order:
        order_id: str | None = wanted.order.strip()
    elif wanted.code:
        order_id = store.order_of_code(wanted.code)
    else:
        order_id = store.order_of_license((wanted.license or "").strip().upper())
    return store.read_all([order_id] if order_id else [])


def _found(order: Order) -> Found:
    last = entry_told(order.timeline[-1]) if order.timeline else None
    return Found(order.id, order.created_at, order.standing, order.customer.name, order.skus, last)


@router.get("/orders/<order_id>", summary="The whole story of an order, and what happens next")
def whole_story(order_id: OrderId) -> Story:
    order = wiring.store().existing(order_id)
    return told_story(order, wiring.store().beside(order), wiring.store().products(skus_told(order)).values())


def told_story(order: Order, beside: Beside, products: Iterable[Product]) -> Story:
    """In the language of the agent who asks, with the names of these products."""
    to, now = reader_of(router.current_event.raw_event, products), datetime.now(UTC).replace(microsecond=0)
    return worded(story(order, now, wiring.config().zone, beside, to.names), to)


@router.get("/due", summary="What will go out on which day, and what will not and why")
def due(days: Annotated[int, Query(ge=0, le=366, description="How far to look ahead")] = 14) -> list[Outlook]:
    found = due_within(wiring.store(), days, datetime.now(UTC), wiring.config().zone)
    to = reader_of(router.current_event.raw_event, wiring.store().catalog().values())
    return [
        worded(replace(each, products={sku: to.names.get(sku, sku) for sku in each.products}), to) for each in found
    ]
