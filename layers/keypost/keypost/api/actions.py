"""Actions for an order, a license or a customer. `core/support.py` decides each of them, and each call may be
repeated."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path
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

from keypost import telemetry, wiring
from keypost.api.asking import asked_in, caller_of, desk_of, reader_of
from keypost.api.orders import Email, OrderId, told_story
from keypost.core import codes, settling, support
from keypost.core.errors import Forbidden, ProbablyMeant, Refused
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.product import Kind
from keypost.core.said import Said, said
from keypost.core.story import Story, skus_told
from keypost.inputs import addresses
from keypost.inputs.strict import WHOLE, Day, Flag, Omissible, one_of
from keypost.inputs.typed import trimmed
from keypost.providers.order_card import MOST_LINES, SKU, CardLine, Reference
from keypost.use_cases.find_linked import Linked
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]

LicenseId = Annotated[str, Path(pattern=r"^LIC-[A-Z2-7]{10}$", description="The licence's id")]
_MOST_TOLD = 10_000  # licenses, mails and timeline entries together, because an answer has at most 6 MB
_MOST_BYTES = 400  # an order is one item of at most 400 kB


def plain(words: Any) -> Any:
    """The text without invisible characters, cut to the longest that fits."""
    if not isinstance(words, str):
        return words
    seen = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in words)
    return " ".join(seen.split()).encode()[:_MOST_BYTES].decode("utf-8", "ignore")


LicenseName = Annotated[str, StringConstraints(pattern=r"^LIC-[A-Z2-7]{10}$")]
PaymentName = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}:[A-Za-z0-9._-]{1,255}$")]
Teller = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Words = Annotated[str, StringConstraints(max_length=200), AfterValidator(plain)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[A-Za-z0-9._:-]{0,100}$",
        description="A repeated key makes no second change; without a key, the same call within a minute makes none",
    ),
]


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Words = Field(default="", description="Why, in the agent's own words, for the order's timeline")


class Resend(Wish):
    lift_suppression: Flag = Field(
        default=False, description="First end the suppression of a bounced address at SES; scope `suppression`"
    )
    to: Omissible[Email] = Field(
        default=None, description="To another address, once; scope `contact`. The order's own address gets a notice"
    )
    confirmed: Flag = Field(default=False, description="`to` is right, although it looks like a typing error")
    license: Omissible[LicenseName] = Field(default=None, description="This licence only")

    @model_validator(mode="after")
    def _lifts_its_own(self) -> Self:
        if self.lift_suppression and (self.to or self.license):
            raise ValueError("lift_with_all_only")
        return self


class Address(Wish):
    email: Email = Field(description="The right address")
    confirmed: Flag = Field(default=False, description="It is right, although it looks like a typing error")


class OrderLine(CardLine):
    """One line of an order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"dependentRequired": {"period_end": ["period_start"]}})

    # A card has texts that people wrote, in many forms; a body is written by a program.
    sku: Annotated[str, StringConstraints(pattern=f"^{SKU.pattern}$")]
    quantity: Annotated[int, Field(ge=1, le=9999), WHOLE]
    kind: Kind = Kind.NEW
    renews: Omissible[Reference] = Field(default=None, description="Of a renewal: what it renews")
    period_start: Omissible[Day] = None
    period_end: Omissible[Day] = None


Lines = Annotated[list[OrderLine], Field(min_length=1, max_length=MOST_LINES)]


class Swap(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Literal["already used", "wrong region", "invalid"]
    note: Words = Field(default="", description="For a claim, in the agent's own words")


class Contents(Wish):
    """Exactly one of `lines`, `payment` and `own_order`."""

    model_config = ConfigDict(json_schema_extra=one_of("lines", "payment", "own_order", by="payment"))

    lines: Omissible[Lines] = Field(default=None, description="What the order is for")
    email: Omissible[Email] = Field(default=None, description="The customer's address, if that is in question too")
    payment: Omissible[PaymentName] = Field(default=None, description="What this payment reports is right")
    by: Omissible[Teller] = Field(default=None, description="As this program reports it, if the programs differ")
    own_order: Omissible[PaymentName] = Field(default=None, description="This payment is an order of its own")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if sum(map(bool, (self.lines, self.payment, self.own_order))) != 1 or (self.by and not self.payment):
            raise ValueError("contents_not_one")
        return self


def _of_person(text: str) -> str:
    """An address in its usual form, or an order's number. ValueError if it is neither."""
    if "@" in text:
        return addresses.email_address(text)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,80}", text):
        raise ValueError("neither_address_nor_number")
    return text


OfPerson = Annotated[
    str,
    BeforeValidator(trimmed),
    StringConstraints(max_length=254),
    AfterValidator(_of_person),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "email", "maxLength": 254},
                {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,80}$"},
            ]
        }
    ),
]


class Customer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email = Field(description="The customer's address, as it is now")
    also: tuple[OfPerson, ...] = Field(
        default=(), alias="and", max_length=50, description="Other addresses and order numbers of the same person"
    )


@dataclass(frozen=True, slots=True)
class Owed:
    order_id: str
    mail: str | None  # None: nothing was sent yet, and Keypost sends it by itself when its day comes


@dataclass(frozen=True, slots=True)
class OwedOnce:
    order_id: str
    mail: str
    to: str | None  # the other address
    license: str | None
    warnings: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    order_ids: tuple[str, ...]  # the order, and the renewals that follow it
    warnings: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Swapped:
    order_id: str
    license: str
    code: str  # the end of the new one
    mail: str | None  # None: the bad code was not sent, and the order's mail will have the new one


@dataclass(frozen=True, slots=True)
class Changed:
    order_id: str


@dataclass(frozen=True, slots=True)
class Settled:
    order_id: str
    own_order: str | None  # the order that a payment became


@dataclass(frozen=True, slots=True)
class Erased:
    order_ids: tuple[str, ...]
    subscriptions: tuple[str, ...]  # those of them whose subscription must be ended at its provider
    later: tuple[str, ...] = ()  # orders that cannot be written now; they are erased as soon as they can be
    linked: tuple[Linked, ...] = ()  # orders of other addresses that may be of the same person, and stay


@dataclass(frozen=True, slots=True)
class Exported:
    orders: tuple[Story, ...]
    unreadable: tuple[str, ...] = ()  # orders of this customer that cannot be read now
    linked: tuple[Linked, ...] = ()  # orders of other addresses that may be of the same person


@router.post(
    "/orders/<order_id>/resend",
    summary="Send the customer again everything that was sent, at most three times a day",
    status_code=202,
)
def resend(order_id: OrderId, wish: Annotated[Resend, Body()], key: Key = "") -> Owed | OwedOnce:
    if wish.to or wish.license:
        return _resend_once(order_id, wish, key)
    if wish.lift_suppression and "suppression" not in _caller()["scopes"].split():
        raise Forbidden("key_lacks_scope", scope="suppression")
    mail = desk_of(router.current_event.raw_event).resend(
        order_id, _asked(wish.reason, key), wiring.mailer(), lift=wish.lift_suppression
    )
    return Owed(order_id, mail.id if mail else None)


def _resend_once(order_id: str, wish: Resend, key: str) -> OwedOnce:
    if wish.to and "contact" not in _caller()["scopes"].split():
        raise Forbidden("key_lacks_scope", scope="contact")
    if wish.to and not wish.confirmed and (meant := addresses.likely_meant(wish.to)):
        raise ProbablyMeant("probably_mistyped", meant)
    only = support.Only(wish.to, wish.license)
    mail = desk_of(router.current_event.raw_event).resend_only(
        order_id, only, _asked(wish.reason, key), wiring.mailer()
    )
    warnings = (said("no_mail_server"),) if wish.to and not addresses.takes_mail(wish.to) else ()
    told = OwedOnce(order_id, mail.id, wish.to, wish.license, warnings)
    return worded(told, reader_of(router.current_event.raw_event))


@router.put("/orders/<order_id>/email", summary="Correct the address of an order and of the renewals that follow it")
def correct_address(order_id: OrderId, right: Annotated[Address, Body()]) -> Corrected:
    if not right.confirmed and (meant := addresses.likely_meant(right.email)):
        raise ProbablyMeant("probably_mistyped", meant)
    changed = desk_of(router.current_event.raw_event).correct_address(order_id, right.email, _asked(right.reason))
    warnings = () if addresses.takes_mail(right.email) else (said("no_mail_server"),)
    return worded(Corrected(tuple(changed), warnings), reader_of(router.current_event.raw_event))


@router.post(
    "/orders/<order_id>/licenses/<license_id>/replace",
    summary="Give a licence another code for the same period, and mail it",
    status_code=202,
)
def swap_code(order_id: OrderId, license_id: LicenseId, swap: Annotated[Swap, Body()], key: Key = "") -> Swapped:
    order = desk_of(router.current_event.raw_event).swap_code(order_id, license_id, swap.reason, _asked(swap.note, key))
    mails = [mail.id for mail in order.mails if mail.purpose == "replacement" and license_id in mail.licenses]
    code = support.license_of(order, license_id).code
    return Swapped(order_id, license_id, codes.masked(code), mails[-1] if mails else None)


@router.post("/orders/<order_id>/hold", summary="Hold an order until it is released")
def hold(order_id: OrderId, wish: Annotated[Wish, Body()]) -> Changed:
    return _decided(order_id, wish, support.hold)


@router.post("/orders/<order_id>/release", summary="Release an order, whatever the reason for the hold")
def release(order_id: OrderId, wish: Annotated[Wish, Body()]) -> Changed:
    return _decided(order_id, wish, support.release)


@router.put(
    "/orders/<order_id>/contents",
    summary="Decide what was ordered and for whom, where reports differ, or make a payment a separate order",
)
def settle(order_id: OrderId, right: Annotated[Contents, Body()]) -> Settled:
    asked, desk = _asked(right.reason), desk_of(router.current_event.raw_event)
    if right.own_order:
        own = desk.make_own_order(order_id, right.own_order, asked, wiring.intake(asked.at))
        return Settled(order_id, own)

    def settled(order: Order) -> Order:
        lines, email = tuple(line.line() for line in right.lines or ()), right.email
        if right.payment:
            lines, email = settling.told_by(order, right.payment, right.by)
        return settling.settle(order, lines, right.email or email, asked, wiring.config().currency)

    desk.change(order_id, settled)
    return Settled(order_id, None)


@router.post(
    "/orders/<order_id>/blocked", summary="Note that the vendor has blocked the codes of an order that was refunded"
)
def blocked(order_id: OrderId, wish: Annotated[Wish, Body()]) -> Changed:
    return _decided(order_id, wish, support.blocked)


@router.post(
    "/orders/<order_id>/subscription-ended", summary="Note that the subscription of an order was ended at its provider"
)
def subscription_ended(order_id: OrderId, wish: Annotated[Wish, Body()]) -> Changed:
    return _decided(order_id, wish, support.subscription_ended)


def _decided(order_id: str, wish: Wish, decide: Callable[[Order, str, datetime, str], Order]) -> Changed:
    asked = _asked(wish.reason)
    desk_of(router.current_event.raw_event).change(
        order_id, lambda order: decide(order, asked.who, asked.at, asked.why)
    )
    return Changed(order_id)


@router.post("/customers/erase", summary="Erase the data of a customer from all orders, and send nothing more")
def erase(customer: Annotated[Customer, Body()]) -> Erased:
    event, years = router.current_event.raw_event, wiring.config().fiscal_years
    found = desk_of(event).erase(customer.email, _asked(""), years, customer.also)
    orders, later = found.orders, tuple(found.later)
    telemetry.outcome("CustomerErased", agent=_caller()["agent"], orders=len(orders), later=len(later))
    charged = tuple(order.id for order in orders if order.is_charged_again)
    told = Erased(tuple(order.id for order in orders), charged, later, tuple(found.linked))
    return worded(told, reader_of(event))


@router.post("/customers/export", summary="Everything that is known about a customer")
def export(customer: Annotated[Customer, Body()]) -> Exported:
    loaded, linked = wiring.desk().of_customer(customer.email, customer.also)
    found = loaded.orders
    if sum(len(each.licenses) + len(each.mails) + each.moved + len(each.timeline) for each in found) > _MOST_TOLD:
        raise Refused("too_much_for_one_answer", count=len(found))
    products = wiring.store().products({sku for order in found for sku in skus_told(order)}).values()
    whole, left_out = wiring.store().beside_each(found)
    unreadable = sorted({*loaded.names_left_out, *(error.order_id for error in left_out)})
    orders = tuple(told_story(order, beside, products) for order, beside in whole)
    told = worded(tuple(linked), reader_of(router.current_event.raw_event))
    return Exported(orders, tuple(unreadable), told)


def _asked(why: str, key: str = "") -> Asked:
    return asked_in(router.current_event.raw_event, why, key)


def _caller() -> dict[str, str]:
    return caller_of(router.current_event.raw_event)
