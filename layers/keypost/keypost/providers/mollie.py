"""Mollie. Its calls only name a payment. Keypost fetches the payment, with its refunds and chargebacks, and what it
says now counts; so the order and the number of calls do not matter."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from keypost import telemetry
from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, ProviderUnreadable, SignatureRefused
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState, Refunded
from keypost.core.product import Line
from keypost.core.said import said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers.call import Call
from keypost.providers.order_card import (
    SKU,
    Told,
    clean_name,
    full_name,
    is_sku,
    read_metadata,
    renewing,
)

_PAYMENT, _LINK, _INVOICE, _CUSTOMER, _SUBSCRIPTION = "tr", "pl", "invoice", "cst", "sub"  # by the prefix of their ids
_LATEST_PAID = timedelta(days=35)  # after the creation of a payment, because a transfer or a debit takes time
_PAGE = "250"
_STATES = {
    "paid": PaymentState.PAID,
    "canceled": PaymentState.FAILED,
    "expired": PaymentState.FAILED,
    "failed": PaymentState.FAILED,
    "open": PaymentState.OPEN,
    "pending": PaymentState.OPEN,
}
_RETURNED = {"processing", "refunded"}  # Mollie calls at `processing` and at `failed`, not at `refunded`
_GOODS = {"digital", "physical"}


def verify_token(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a classic call, which has no signature. The token in its URL prevents strangers from making us ask Mollie.
    It proves nothing, and need not, because the payment is fetched."""
    given = call.query.get("token", "").encode(errors="replace")
    if not any(hmac.compare_digest(given, secret.encode()) for secret in secrets):
        raise SignatureRefused("mollie_token_missing")


def verify_signature(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a next-generation call: HMAC over the body, twice in one header while a secret is rotated."""
    given = [
        part.strip().encode(errors="replace") for part in call.headers.get("x-mollie-signature", "").split(",")[:10]
    ]
    for secret in filter(None, secrets):
        right = b"sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("signature_does_not_fit", header="X-Mollie-Signature")


def read_classic(call: Call) -> Sequence[PaymentNotice]:
    form = parse_qs(call.body.decode("utf-8", "replace"))
    (payment_id,) = form.get("id", [""])[:1]
    if not _is_id(_PAYMENT, payment_id):
        raise InvalidInput("mollie_no_payment")
    return _fetched(call, payment_id)


def read_event(call: Call) -> Sequence[PaymentNotice]:
    """Read an event, which names an entity. For refunds and chargebacks, the payment stands in the snapshot."""
    event = parse_object(call.body)
    if event.get("resource") != "event":
        raise InvalidInput("mollie_no_event")
    entity_id, payment_id = event.get("entityId"), _payment_in_snapshot(event)
    match str(event.get("type")).split("."):
        case ["payment", *_] if _is_id(_PAYMENT, entity_id):
            return _fetched(call, str(entity_id))
        case ["refund" | "chargeback", *_] if _is_id(_PAYMENT, payment_id):
            return _fetched(call, str(payment_id))
        case ["payment-link", "paid"] if _is_id(_LINK, entity_id):
            return _paid_by_link(call, str(entity_id))
        case ["sales-invoice", "paid"] if _is_id(_INVOICE, entity_id):
            return _paid_by_invoice(call, str(entity_id))
        case ["payment", *_] | ["payment-link" | "sales-invoice", "paid"]:
            raise InvalidInput("mollie_no_id")
    # A refund without a snapshot (a webhook that was made in the dashboard) is left to the hourly run: after repeated
    # refusals Mollie switches a webhook off, payments included.
    return ()


def _payment_in_snapshot(event: Mapping[str, Any]) -> Any:
    """The id of the payment that a refund or a chargeback belongs to."""
    embedded = event.get("_embedded")
    entity = embedded.get("entity") if isinstance(embedded, dict) else None
    return entity.get("paymentId") if isinstance(entity, dict) else None


def recent(call: Call, since: datetime) -> Iterator[PaymentNotice]:
    """The payments that were paid since then, and those of which something was returned lately. A payment that does not
    say what it was for is left to its callback, because an account may receive money for other things too."""
    oldest = since - _LATEST_PAID  # a refund or a chargeback may also change after its creation
    for kind in ("payments", "refunds", "chargebacks"):
        for found in _listed(call, kind, oldest):
            try:
                yield from _told_by(call, kind, found, since)
            except ProviderUnreadable:  # one unreadable payment must not stop the others
                telemetry.outcome("PaymentUnreadable", payment_id=str(found.get("id"))[:80])


def _told_by(call: Call, kind: str, found: dict[str, Any], since: datetime) -> Sequence[PaymentNotice]:
    if kind == "payments":
        return _told_by_payment(call, found, since)
    if not _is_id(_PAYMENT, found.get("paymentId")):
        return ()
    # Its payment may be older than our first run. Then it is news of a payment that we know, or nothing.
    return [replace(notice, state=None, order_id="", itemized=False) for notice in _fetched(call, found["paymentId"])]


def _told_by_payment(call: Call, found: dict[str, Any], since: datetime) -> Sequence[PaymentNotice]:
    payment = _read(_Payment, found)
    if not payment.was_paid_since(since):
        return ()
    notices = _fetched(call, payment.id) if payment.has_moved_back else _noticed(call, payment)
    return [notice for notice in notices if notice.lines or notice.problem]


def _listed(call: Call, kind: str, oldest: datetime) -> Iterator[dict[str, Any]]:
    """The objects that were created since then, the newest first."""
    query = {"limit": _PAGE} | ({"profileId": call.profile} if call.profile else {})
    while True:
        new, next_id = _read_page(_ask(call, f"/v2/{kind}", query) or {}, kind, oldest)
        yield from new
        if not next_id:
            return
        query["from"] = next_id


def _read_page(page: Mapping[str, Any], kind: str, oldest: datetime) -> tuple[list[dict[str, Any]], str]:
    """The objects of a page that were created since then, and the id with which the next page begins; an empty id if
    no page follows, or none with objects that are new enough."""
    try:
        found = page["_embedded"][kind.rpartition("/")[2]]
        new = [each for each in found if not _is_older(each, oldest)]
        return new, _next_id(page) if len(new) == len(found) else ""
    except (KeyError, TypeError, ValueError):
        raise ProviderUnavailable("provider_list_unreadable", provider="mollie") from None


def _next_id(page: Mapping[str, Any]) -> str:
    """The id in the address of the next page, of which nothing else is used; empty on the last page."""
    onward = page["_links"]["next"]
    (first,) = parse_qs(urlsplit(onward["href"]).query)["from"] if onward else ("",)
    return first if re.fullmatch(r"[A-Za-z0-9_]{6,80}", first) else ""


def _is_older(found: Mapping[str, Any], oldest: datetime) -> bool:
    try:
        return _Made.model_validate(found).created_at < oldest
    except ValidationError:
        return False


def _is_id(kind: str, given: Any) -> bool:
    """True for an id in Mollie's form; it is checked before it becomes part of a URL."""
    return isinstance(given, str) and re.fullmatch(rf"{kind}_[A-Za-z0-9]{{6,64}}", given, re.ASCII) is not None


def _ask(call: Call, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    if call.get is None:
        raise ProviderRefused("mollie_key_missing")
    return call.get(path, query or {})


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], found: Any) -> M:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise ProviderUnreadable("provider_unreadable", why=first_fault(error)) from None


class _Amount(BaseModel):
    value: Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @property
    def is_zero(self) -> bool:
        return not Decimal(self.value)


class _Refund(BaseModel):
    status: str
    amount: _Amount


class _Chargeback(BaseModel):
    id: str
    created_at: AwareDatetime = Field(alias="createdAt")
    reversed_at: AwareDatetime | None = Field(default=None, alias="reversedAt")


class _Embedded(BaseModel):
    refunds: list[_Refund] | None = None
    chargebacks: list[_Chargeback] | None = None


class _Line(BaseModel):
    type: Any = "physical"
    sku: Any = None
    quantity: Any = 1

    @property
    def is_goods(self) -> bool:
        """False for shipping, discounts and the like, and for goods that the shop does not name by a SKU."""
        is_article = isinstance(self.type, str) and self.type in _GOODS
        return is_article and is_sku(self.sku) and type(self.quantity) is int and self.quantity > 0


def _objects(given: Any) -> list[Any]:
    """The objects of a list, or the single object that stands in place of a list."""
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, dict)]


_Lines = Annotated[list[_Line], BeforeValidator(_objects)]


class _Address(BaseModel):
    email: Any = None
    given_name: Any = Field(default="", alias="givenName")
    family_name: Any = Field(default="", alias="familyName")
    organization_name: Any = Field(default="", alias="organizationName")

    @property
    def name(self) -> str | None:
        return full_name(self.given_name, self.family_name)


class _Made(BaseModel):
    created_at: AwareDatetime = Field(alias="createdAt")


class _Payment(_Made):
    """The fields of a payment that we read. Mollie adds fields and states without notice."""

    id: str
    mode: str
    status: str
    amount: _Amount
    profile_id: str | None = Field(default=None, alias="profileId")
    paid_at: AwareDatetime | None = Field(default=None, alias="paidAt")
    amount_refunded: _Amount | None = Field(default=None, alias="amountRefunded")
    amount_charged_back: _Amount | None = Field(default=None, alias="amountChargedBack")
    metadata: Any = None
    lines: _Lines = []
    billing_address: _Address | None = Field(default=None, alias="billingAddress")
    locale: str | None = None
    sequence_type: str = Field(default="oneoff", alias="sequenceType")
    customer_id: str | None = Field(default=None, alias="customerId")
    subscription_id: str | None = Field(default=None, alias="subscriptionId")
    order: str | None = Field(default=None, alias="orderId")  # of the Orders API, which plugins used before
    embedded: _Embedded = Field(default_factory=_Embedded, alias="_embedded")

    @property
    def has_moved_back(self) -> bool:
        """True if the payment must be fetched, because a list does not show its refunds and chargebacks."""
        return any(back and not back.is_zero for back in (self.amount_refunded, self.amount_charged_back))

    @property
    def is_of_subscription(self) -> bool:
        return self.sequence_type == "first" or self.subscription_id is not None

    @property
    def at(self) -> datetime:
        return (self.paid_at or self.created_at).replace(microsecond=0)

    def was_paid_since(self, since: datetime) -> bool:
        return self.status == "paid" and self.paid_at is not None and self.paid_at >= since


class _Customer(BaseModel):
    email: Any = None
    name: Any = None
    locale: Any = None


class _Subscription(BaseModel):
    metadata: Any = None


class _Link(BaseModel):
    mode: str
    description: str = ""
    amount: _Amount | None = None
    reusable: bool | None = None
    lines: _Lines = []
    billing_address: _Address | None = Field(default=None, alias="billingAddress")

    @property
    def sells_once(self) -> bool:
        """True if a link is for one payment, of an amount that the shop has set."""
        return not self.reusable and self.amount is not None

    @property
    def bought(self) -> tuple[Line, ...]:
        tagged = re.findall(rf"\[({SKU.pattern})\]", self.description)
        return _goods(self.lines) or tuple(Line(sku, 1) for sku in tagged)


class _PaidBy(BaseModel):
    source: str
    source_reference: Any = Field(default=None, alias="sourceReference")


class _Invoice(BaseModel):
    id: str
    mode: str
    status: str
    profile_id: str | None = Field(default=None, alias="profileId")
    paid_at: AwareDatetime | None = Field(default=None, alias="paidAt")
    total_amount: _Amount = Field(alias="totalAmount")
    metadata: Any = None
    recipient: dict[str, Any] = {}
    payment_details: Annotated[list[_PaidBy], BeforeValidator(_objects)] = Field(default=[], alias="paymentDetails")

    def paid_by(self, source: str, kind: str) -> list[str]:
        """The ids of that kind that the invoice gives for a source of its payment."""
        given = (by.source_reference for by in self.payment_details if by.source == source)
        return [reference for reference in given if _is_id(kind, reference)]


def _fetched(call: Call, payment_id: str) -> Sequence[PaymentNotice]:
    found = _ask(call, f"/v2/payments/{payment_id}", {"embed": "refunds,chargebacks"})
    payment = _read(_Payment, found) if found is not None else None
    return _noticed(call, payment) if payment and payment.id == payment_id else ()


def _noticed(call: Call, payment: _Payment) -> Sequence[PaymentNotice]:
    """The notice of the present payment."""
    _check_mode(call, payment.mode)
    if not _counts(call, payment):
        return ()
    told = read_metadata(payment.metadata or _metadata_of_subscription(call, payment))
    notice = _notice(payment, told, call.now)
    if notice.lines and not notice.email and _is_id(_CUSTOMER, payment.customer_id):
        return (_with_customer(call, notice, told, str(payment.customer_id)),)
    return (notice,)


def _counts(call: Call, payment: _Payment) -> bool:
    """False for a payment of another profile, of no amount (it only sets up a mandate), or one that is not decided."""
    return payment.status in _STATES and not payment.amount.is_zero and _is_of_profile(call, payment.profile_id)


def _notice(payment: _Payment, told: Told, now: datetime) -> PaymentNotice:
    address = payment.billing_address or _Address()
    lines = _bought(payment, told)
    return PaymentNotice(
        provider="mollie",
        payment_id=payment.id,
        state=_STATES[payment.status],
        at=payment.at,
        # The metadata of a subscription is the same each time, so each of its payments is an order of its own.
        order_id=payment.id if payment.subscription_id else told.order_id,
        amount=payment.amount.value,
        currency=payment.amount.currency,
        email=told.email or usable_address(address.email),
        name=address.name,
        language=told.language or _language(payment.locale),
        lines=lines,
        problem=told.problem,
        refunded=_refunded(payment, now),
        disputes=_disputes(payment, now),
        itemized=bool(lines) and not told.lines,
        is_subscription=payment.is_of_subscription,
        also=_names("ord", payment.order),
    )


def _bought(payment: _Payment, told: Told) -> tuple[Line, ...]:
    """The lines of the card or, without a card, the goods that the payment itself lists. A card that breaks a rule has
    no lines."""
    if payment.subscription_id:
        return renewing(told.order_id, told.lines)
    return () if told.problem else told.lines or _goods(payment.lines)


def _with_customer(call: Call, notice: PaymentNotice, told: Told, customer_id: str) -> PaymentNotice:
    """The notice with what Mollie keeps of the customer, for a payment that has no address."""
    customer = _read(_Customer, _ask(call, f"/v2/customers/{customer_id}") or {})
    return replace(
        notice,
        email=usable_address(customer.email),
        name=notice.name or clean_name(customer.name),
        language=told.language or _language(customer.locale),
    )


def _metadata_of_subscription(call: Call, payment: _Payment) -> Any:
    if not (_is_id(_CUSTOMER, payment.customer_id) and _is_id(_SUBSCRIPTION, payment.subscription_id)):
        return None
    found = _ask(call, f"/v2/customers/{payment.customer_id}/subscriptions/{payment.subscription_id}")
    return _read(_Subscription, found or {}).metadata


def _paid_by_link(call: Call, link_id: str) -> Sequence[PaymentNotice]:
    """A payment through a link. A link has no metadata: its lines or, as `[SKU]`, its description say what is bought,
    once, for its amount."""
    found = _ask(call, f"/v2/payment-links/{link_id}")
    if found is None:
        return ()
    link = _read(_Link, found)
    _check_mode(call, link.mode)
    paid_through = _paid_through(call, link_id)
    return [_with_link(notice, link) for paid in paid_through for notice in _fetched(call, paid["id"])]


def _with_link(notice: PaymentNotice, link: _Link) -> PaymentNotice:
    """The notice of a payment with what its link says, where the payment itself says nothing."""
    if link.bought and not notice.lines:
        notice = replace(notice, lines=link.bought, itemized=True)
    if not notice.email and link.billing_address:
        notice = replace(notice, email=usable_address(link.billing_address.email))
    return notice if link.sells_once else replace(notice, problem=said("payment_link_reusable"))


def _paid_through(call: Call, link_id: str) -> Sequence[dict[str, Any]]:
    """The newest payment of a link. A link that is not reusable has only one."""
    listed = _listed(call, f"payment-links/{link_id}/payments", call.now - _LATEST_PAID)
    paid = (each for each in listed if each.get("status") == "paid" and _is_id(_PAYMENT, each.get("id")))
    return [*islice(paid, 1)]


def _paid_by_invoice(call: Call, invoice_id: str) -> Sequence[PaymentNotice]:
    """A payment of a sales invoice, also of one that somebody marked as paid: that is the merchant's own word. An
    invoice without an order card is for something else."""
    found = _ask(call, f"/v2/sales-invoices/{invoice_id}")
    if found is None:
        return ()
    invoice = _read(_Invoice, found)
    if invoice.status != "paid" or not _is_of_profile(call, invoice.profile_id):
        return ()
    _check_mode(call, invoice.mode)
    told = read_metadata(invoice.metadata)
    return (_invoiced(call, invoice, told),) if told.lines or told.problem else ()


def _invoiced(call: Call, invoice: _Invoice, told: Told) -> PaymentNotice:
    recipient = _read(_Address, invoice.recipient)
    return PaymentNotice(
        provider="mollie",
        payment_id=invoice.id,
        state=PaymentState.PAID,
        at=(invoice.paid_at or call.now).replace(microsecond=0),
        order_id=told.order_id,
        amount=invoice.total_amount.value,
        currency=invoice.total_amount.currency,
        email=told.email or usable_address(recipient.email),
        name=recipient.name or clean_name(recipient.organization_name),
        language=told.language or _language(invoice.recipient.get("locale")),
        lines=told.lines,
        problem=told.problem,
        also=_names(_PAYMENT, *_payments_of(call, invoice)),
    )


def _payments_of(call: Call, invoice: _Invoice) -> list[str]:
    """The ids of the payments of an invoice, directly or through a payment link."""
    links = invoice.paid_by("payment-link", _LINK)
    through_links = [paid["id"] for link in links for paid in _paid_through(call, link)]
    return invoice.paid_by("payment", _PAYMENT) + through_links


def confirm(call: Call, payment_id: str) -> PaymentNotice | None:
    """The payment that a shop names, as Mollie knows it; None if it does not."""
    return next(iter(_fetched(call, payment_id)), None)


def _is_of_profile(call: Call, profile_id: str | None) -> bool:
    return not call.profile or profile_id == call.profile


def _names(kind: str, *ids: Any) -> tuple[str, ...]:
    return tuple(f"mollie:{each}" for each in ids if _is_id(kind, each))


def _check_mode(call: Call, mode: str) -> None:
    if call.stage in ("live", "test") and mode != call.stage:
        raise ProviderRefused("key_of_other_mode", provider="mollie", stage=call.stage)


def _goods(lines: Sequence[_Line]) -> tuple[Line, ...]:
    return tuple(Line(each.sku, each.quantity) for each in lines if each.is_goods)


def _language(locale: Any) -> str | None:
    found = re.match(r"[a-z]{2}", str(locale or ""))
    return found[0] if found else None


def _refunded(payment: _Payment, now: datetime) -> Refunded | None:
    """Everything that was or is being returned, as of now. A refund that failed is not included."""
    refunds, total = payment.embedded.refunds, payment.amount_refunded
    if refunds is None:  # a key that may not read refunds can still read their sum
        return Refunded(now, total.value) if total and not total.is_zero else None
    back = sum((Decimal(r.amount.value) for r in refunds if r.status in _RETURNED), Decimal(0))
    return Refunded(now, str(back)) if refunds else None


def _disputes(payment: _Payment, now: datetime) -> tuple[Dispute, ...]:
    chargebacks, total = payment.embedded.chargebacks, payment.amount_charged_back
    if chargebacks is None and total and not total.is_zero:
        return (Dispute("chargeback", DisputeState.OPEN, now),)
    return tuple(_dispute(chargeback) for chargeback in chargebacks or ())


def _dispute(chargeback: _Chargeback) -> Dispute:
    if chargeback.reversed_at:
        return Dispute(chargeback.id, DisputeState.WON, chargeback.reversed_at.replace(microsecond=0))
    return Dispute(chargeback.id, DisputeState.OPEN, chargeback.created_at.replace(microsecond=0))
