"""What a person gives without a payment, takes back, and gives to somebody else."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from keypost import wiring
from keypost.api.actions import Changed, Key, LicenseId, Lines, Wish
from keypost.api.asking import asked_in, desk_of, reader_of
from keypost.api.customer import Language, Name, check_spelling, warnings_of
from keypost.api.orders import Email, OrderId
from keypost.core import by_hand, gone
from keypost.core.by_hand import Sale
from keypost.core.frozen import dataclass
from keypost.core.languages import DEFAULT
from keypost.core.order import Customer
from keypost.core.said import Said
from keypost.inputs.strict import Flag
from keypost.use_cases import sell_by_hand
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]


class Buyer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email = Field(description="To which the codes are sent")
    name: Name = Field(default="", description="For the greeting")
    language: Language = Field(default=DEFAULT, description="The language of the customer's mails")


class ByHand(Wish):
    customer: Buyer
    lines: Lines = Field(description="What the customer gets")
    why: Literal["goodwill", "test", "paid_by_bank", "replacement"]
    confirmed: Flag = Field(default=False, description="The address is right, although it looks like a typing error")


class Owner(Wish):
    email: Email = Field(description="Of the customer who has the licence from now on")
    name: Name = Field(default="", description="For the greeting")
    language: Language = Field(default=DEFAULT, description="The language of the customer's mails")
    confirmed: Flag = Field(default=False, description="The address is right, although it looks like a typing error")


class Refund(Wish):
    undo: Flag = Field(default=False, description="It was for another one")


@dataclass(frozen=True, slots=True)
class Made:
    order_id: str
    warnings: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    order_id: str  # the order by hand that has the license from now on
    license: str
    moved_from: str
    renewed_by: tuple[str, ...]  # orders of the former customer that renew it; they stay as they are
    warnings: tuple[Said, ...]


@router.post(
    "/orders", summary="Make an order without a payment; the customer gets the codes as with any other", status_code=201
)
def make_by_hand(given: Annotated[ByHand, Body()], key: Key = "") -> Made:
    check_spelling(given.customer.email, confirmed=given.confirmed)
    buyer, event = given.customer, router.current_event.raw_event
    customer = Customer(email=buyer.email, name=buyer.name or None, language=buyer.language)
    sale = Sale(customer, tuple(line.line() for line in given.lines), given.why)
    asked = asked_in(event, given.reason, key)
    order_id = sell_by_hand.sell_by_hand(desk_of(event), sale, asked, wiring.config().currency)
    return worded(Made(order_id, warnings_of(buyer.email)), reader_of(event))


@router.post("/orders/<order_id>/withdraw", summary="Withdraw an order that was made by hand")
def withdraw(order_id: OrderId, wish: Annotated[Wish, Body()]) -> Changed:
    event = router.current_event.raw_event
    asked, currency = asked_in(event, wish.reason), wiring.config().currency
    desk_of(event).change(order_id, lambda order: by_hand.withdrawn(order, asked, currency))
    return Changed(order_id)


@router.post(
    "/orders/<order_id>/licenses/<license_id>/move",
    summary="Move a licence to another customer, who gets it by mail",
    status_code=201,
)
def move_license(order_id: OrderId, license_id: LicenseId, to: Annotated[Owner, Body()], key: Key = "") -> Moved:
    check_spelling(to.email, confirmed=to.confirmed)
    event = router.current_event.raw_event
    customer = Customer(email=to.email, name=to.name or None, language=to.language)
    asked, desk = asked_in(event, to.reason, key), desk_of(event)
    new = sell_by_hand.move_license(desk, order_id, license_id, customer, asked, wiring.config().currency)
    renewing = gone.renewed_by(wiring.store().existing(order_id), license_id)
    return worded(Moved(new, license_id, order_id, renewing, warnings_of(to.email)), reader_of(event))


@router.post(
    "/orders/<order_id>/licenses/<license_id>/refunded",
    summary="Note for which licence a part was refunded: it must be blocked",
)
def name_refunded(order_id: OrderId, license_id: LicenseId, wish: Annotated[Refund, Body()]) -> Changed:
    event = router.current_event.raw_event
    asked = asked_in(event, wish.reason)
    named = gone.with_refunded_again if wish.undo else gone.without_refunded
    desk_of(event).change(order_id, lambda order: named(order, license_id, asked))
    return Changed(order_id)
