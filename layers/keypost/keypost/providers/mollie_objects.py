"""What Keypost asks Mollie for, and the objects that it gets: payments, payment links, sales invoices and old orders,
as far as Keypost reads them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from keypost.core.errors import ProviderRefused, ProviderUnavailable, ProviderUnreadable
from keypost.core.payment import Charged, PaymentState
from keypost.inputs.faults import first_fault
from keypost.inputs.typed import trimmed
from keypost.providers.call import Call
from keypost.providers.order_card import SKU, clean_name, full_name, whole_number

# By the prefix of their ids.
PAYMENT, LINK, INVOICE, ORDER = "tr", "pl", "invoice", "ord"
CUSTOMER, SUBSCRIPTION = "cst", "sub"
LATEST_PAID = timedelta(days=35)  # after the creation of a payment, because a transfer or a debit takes time
_PAGE = "250"
_BY_PROFILE = ("payments", "refunds", "chargebacks")  # lists that can be narrowed to a profile
STATES = {
    "paid": PaymentState.PAID,
    "canceled": PaymentState.FAILED,
    "expired": PaymentState.FAILED,
    "failed": PaymentState.FAILED,
    "open": PaymentState.OPEN,
    "pending": PaymentState.OPEN,
    "authorized": PaymentState.OPEN,  # the money is reserved, and not captured yet
}
RETURNED = {"processing", "refunded"}  # Mollie calls at `processing` and at `failed`, not at `refunded`
NOT_RETURNED = {"queued", "pending", "failed", "canceled"}
_NO_GOODS = {"shipping_fee", "surcharge", "tip", "discount", "store_credit", "gift_card"}
REVERSED = "payment-reversed"  # an invoice that was paid and is not any more


def is_id(kind: str, given: Any) -> bool:
    """True for an id in Mollie's form; it is checked before it becomes part of a URL."""
    return isinstance(given, str) and re.fullmatch(rf"{kind}_[A-Za-z0-9]{{6,64}}", given, re.ASCII) is not None


def ask(call: Call, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    if call.get is None:
        raise ProviderRefused("mollie_key_missing")
    return call.get(path, query or {})


def _in_utc(moment: datetime) -> datetime:
    """A legal moment may be one with which nobody can count: before the year 1, or after 9999. Stored, it would make
    an order that nobody can read."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("field_not_a_moment") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
M = TypeVar("M", bound=BaseModel)


def read(model: type[M], found: Any) -> M:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise ProviderUnreadable("provider_unreadable", why=first_fault(error)) from None


def listed(call: Call, kind: str, oldest: datetime) -> Iterator[Any]:
    """What was created since then, the newest first, as the list has it; an entry may be no object at all."""
    query = {"limit": _PAGE} | ({"profileId": call.profile} if call.profile and kind in _BY_PROFILE else {})
    while (page := ask(call, f"/v2/{kind}", query)) is not None:
        new, next_id = _read_page(page, oldest)
        yield from new
        if not next_id:
            return
        query["from"] = next_id


def _read_page(page: Mapping[str, Any], oldest: datetime) -> tuple[list[Any], str]:
    """What is on a page and was created since then, and the id with which the next page begins; an empty id if no page
    follows, or none with objects that are new enough."""
    try:
        (found,) = (each for each in page["_embedded"].values() if isinstance(each, list))
        new = [each for each in found if not _is_older(each, oldest)]
        return new, _next_id(page) if len(new) == len(found) else ""
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ProviderUnavailable("provider_list_unreadable", provider="mollie") from None


def _next_id(page: Mapping[str, Any]) -> str:
    """The id in the address of the next page, of which nothing else is used; empty on the last page."""
    onward = page["_links"]["next"]
    (first,) = parse_qs(urlsplit(onward["href"]).query)["from"] if onward else ("",)
    return first if re.fullmatch(r"[A-Za-z0-9_]{6,80}", first) else ""


def _is_older(found: Any, oldest: datetime) -> bool:
    try:
        return _Made.model_validate(found).created_at < oldest
    except ValidationError:
        return False


def moment_of(found: Mapping[str, Any], *names: str) -> datetime | None:
    """The first of these fields that is a moment."""
    for name in names:
        try:
            return _MOMENT.validate_python(found.get(name))
        except ValidationError:
            continue
    return None


class Amount(BaseModel):
    value: Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @property
    def number(self) -> Decimal:
        return Decimal(self.value)


class _Refund(BaseModel):
    id: Any = None
    status: str
    amount: Amount


class Chargeback(BaseModel):
    id: str
    amount: Amount | None = None
    created_at: Moment = Field(alias="createdAt")
    reversed_at: Moment | None = Field(default=None, alias="reversedAt")


class _Embedded(BaseModel):
    refunds: list[_Refund] | None = None
    chargebacks: list[Chargeback] | None = None


class ItemLine(BaseModel):
    """A line of a payment, a link or an old order."""

    type: Any = "physical"
    sku: Any = None
    quantity: Any = 1
    description: Any = None
    name: Any = None  # of a line of an old order
    total_amount: Any = Field(default=None, alias="totalAmount")

    @property
    def may_be_goods(self) -> bool:
        """False for shipping, discounts and the like. A type that is not known may be goods."""
        return not (isinstance(self.type, str) and self.type in _NO_GOODS)

    @property
    def named(self) -> str:
        """The SKU as it stands there; empty if there is none. Mollie's plugin for WooCommerce may put a number here."""
        is_some = isinstance(self.sku, str | int) and not isinstance(self.sku, bool)
        return trimmed(str(self.sku))[:80] if is_some else ""

    @property
    def count(self) -> int:
        """The quantity; 0 if it is odd."""
        return whole_number(self.quantity) or 0

    @property
    def total(self) -> str | None:
        value = self.total_amount.get("value") if isinstance(self.total_amount, dict) else None
        return value if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,3})?", value) else None

    @property
    def is_discount(self) -> bool:
        return self.total is not None and Decimal(self.total) <= 0

    @property
    def sells_named(self) -> bool:
        """True for a line that names what it sells. Shipping and discounts sell nothing."""
        return bool(self.may_be_goods and self.named and not self.is_discount)

    @property
    def charged(self) -> Charged:
        return Charged(self.named, self.count, clean_name(self.description or self.name) or "", self.total)


def objects(given: Any) -> list[Any]:
    """The objects of a list, or the single object that stands in place of a list."""
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, dict)]


_Lines = Annotated[list[ItemLine], BeforeValidator(objects)]


class Address(BaseModel):
    email: Any = None
    given_name: Any = Field(default="", alias="givenName")
    family_name: Any = Field(default="", alias="familyName")
    organization_name: Any = Field(default="", alias="organizationName")

    @property
    def name(self) -> str | None:
        return full_name(self.given_name, self.family_name)

    @property
    def name_or_organization(self) -> str | None:
        return self.name or clean_name(self.organization_name)


def _object(given: Any) -> Any:
    """An object; an empty one in place of anything else, such as the list that PHP makes of an empty object."""
    return given if isinstance(given, dict) else {}


def embedded_in(found: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_object(found.get("_embedded")))


_AnAddress = Annotated[Address, BeforeValidator(_object)]


class _Made(BaseModel):
    created_at: Moment = Field(alias="createdAt")


class Payment(_Made):
    """The fields of a payment that we read. Mollie adds fields and states without notice."""

    id: str
    mode: str
    status: str
    amount: Amount
    profile_id: Any = Field(default=None, alias="profileId")
    paid_at: Moment | None = Field(default=None, alias="paidAt")
    amount_captured: Amount | None = Field(default=None, alias="amountCaptured")
    amount_refunded: Amount | None = Field(default=None, alias="amountRefunded")
    amount_charged_back: Amount | None = Field(default=None, alias="amountChargedBack")
    metadata: Any = None
    lines: _Lines = []
    billing_address: _AnAddress = Field(default_factory=Address, alias="billingAddress")
    locale: Any = None
    sequence_type: Any = Field(default="oneoff", alias="sequenceType")
    customer_id: Any = Field(default=None, alias="customerId")
    subscription_id: Any = Field(default=None, alias="subscriptionId")
    order: Any = Field(default=None, alias="orderId")  # of the Orders API, which plugins used before
    embedded: Annotated[_Embedded, BeforeValidator(_object)] = Field(default_factory=_Embedded, alias="_embedded")

    @property
    def happened_at(self) -> datetime:
        return self.paid_at or self.created_at

    @property
    def has_moved_back(self) -> bool:
        """True if the payment must be fetched, because a list does not show its refunds and chargebacks."""
        return any(back and back.number for back in (self.amount_refunded, self.amount_charged_back))

    @property
    def is_decided(self) -> bool:
        return STATES.get(self.status) is not PaymentState.OPEN

    @property
    def is_of_subscription(self) -> bool:
        return self.sequence_type == "first" or self.subscription_id is not None

    @property
    def is_captured_in_part(self) -> bool:
        captured = self.amount_captured
        return bool(self.status == "paid" and captured and 0 < captured.number < self.amount.number)

    @property
    def received(self) -> Amount:
        """What was really paid. Of an authorized amount, the shop may capture a part."""
        return self.amount_captured if self.amount_captured and self.is_captured_in_part else self.amount

    def was_paid_since(self, since: datetime) -> bool:
        return self.status == "paid" and self.paid_at is not None and self.paid_at >= since

    def shows(self, kind: str, entity_id: Any) -> bool:
        """False if the payment is still as it was before this event. Mollie's lists and copies may lag behind."""
        match kind.split("."):
            case ["payment", "paid" | "failed" | "canceled" | "expired"]:
                return self.is_decided
            case ["refund", "processing" | "refunded"]:
                return self._has_refund(entity_id, {"queued", "pending"})
            case ["refund", "failed" | "canceled"]:
                return self._came_to_nothing(entity_id)
            case ["chargeback", "received" | "reversed"]:
                return self._has_chargeback(entity_id, reversed_only=kind.endswith("reversed"))
        return True

    def _has_refund(self, refund_id: Any, before: set[str]) -> bool:
        if self.embedded.refunds is None:  # a key that may not see refunds still sees their sum
            return bool(self.amount_refunded and self.amount_refunded.number)
        return any(each.id == refund_id and each.status not in before for each in self.embedded.refunds)

    def _came_to_nothing(self, refund_id: Any) -> bool:
        """True if the refund has failed or was canceled, or if the payment does not have it any more."""
        states = [each.status for each in self.embedded.refunds or () if each.id == refund_id]
        return all(state in ("failed", "canceled") for state in states)

    def _has_chargeback(self, chargeback_id: Any, *, reversed_only: bool) -> bool:
        chargebacks = self.embedded.chargebacks
        if chargebacks is None:
            return reversed_only or self.amount_charged_back is not None
        return chargeback_id in [each.id for each in chargebacks if each.reversed_at or not reversed_only]


class Customer(BaseModel):
    email: Any = None
    name: Any = None
    locale: Any = None


class Link(BaseModel):
    id: str
    mode: str
    description: Any = ""
    amount: Amount | None = None
    profile_id: Any = Field(default=None, alias="profileId")
    paid_at: Moment | None = Field(default=None, alias="paidAt")
    archived: Any = None
    reusable: Any = None
    lines: _Lines = []
    billing_address: _AnAddress = Field(default_factory=Address, alias="billingAddress")

    @property
    def sells_once(self) -> bool:
        """True if a link is for one payment, of an amount that the shop has set."""
        return not self.reusable and self.amount is not None

    @property
    def bought(self) -> Sequence[ItemLine]:
        """Its lines or, as `[SKU]`, what its description names."""
        if any(each.named for each in self.lines):
            return self.lines
        tagged = re.findall(rf"\[\s*({SKU.pattern})\s*\]", str(self.description))
        return [ItemLine(sku=sku) for sku in tagged] or self.lines

    def may_be_paid_since(self, since: datetime) -> bool:
        """A reusable link does not say when it was paid last."""
        return bool(self.paid_at and self.paid_at >= since) or bool(self.reusable and not self.archived)


class _PaidBy(BaseModel):
    source: Any = None
    source_reference: Any = Field(default=None, alias="sourceReference")


class Invoice(BaseModel):
    id: str
    mode: str
    status: str
    profile_id: Any = Field(default=None, alias="profileId")
    paid_at: Moment | None = Field(default=None, alias="paidAt")
    total_amount: Amount = Field(alias="totalAmount")
    metadata: Any = None
    recipient: Annotated[dict[str, Any], BeforeValidator(_object)] = {}
    payment_details: Annotated[list[_PaidBy], BeforeValidator(objects)] = Field(default=[], alias="paymentDetails")

    @property
    def was_paid(self) -> bool:
        return self.status in ("paid", REVERSED)

    def paid_by(self, source: str, kind: str) -> list[str]:
        """The ids of that kind that the invoice gives for a source of its payment."""
        given = (by.source_reference for by in self.payment_details if by.source == source)
        return [reference for reference in given if is_id(kind, reference)]


class Order(BaseModel):
    """An order of the Orders API, which Mollie replaced. Older plugins still make them."""

    metadata: Any = None
    lines: _Lines = []
    billing_address: _AnAddress = Field(default_factory=Address, alias="billingAddress")
    embedded: Annotated[dict[str, Any], BeforeValidator(_object)] = Field(default={}, alias="_embedded")

    @property
    def payment_ids(self) -> list[str]:
        given = (each.get("id") for each in objects(self.embedded.get("payments")))
        return [each for each in given if is_id(PAYMENT, each)]
