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
    clean_name,
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
    embedded = event.get("_embedded")
    entity = embedded.get("entity") if isinstance(embedded, dict) else None
    entity_id = event.get("entityId")
    match str(event.get("type")).split("."):
        case ["payment", *_] if _is_id(_PAYMENT, entity_id):
            return _fetched(call, str(entity_id))
        case ["refund" | "chargeback", *_] if isinstance(entity, dict) and _is_id(_PAYMENT, entity.get("paymentId")):
            return _fetched(call, entity["paymentId"])
        case ["payment-link", "paid"] if _is_id(_LINK, entity_id):
            return _paid_by_link(call, str(entity_id))
        case ["sales-invoice", "paid"] if _is_id(_INVOICE, entity_id):
            return _paid_by_invoice(call, str(entity_id))
        case ["payment", *_] | ["payment-link" | "sales-invoice", "paid"]:
            raise InvalidInput("mollie_no_id")
    # A refund without a snapshot (a webhook that was made in the dashboard) is left to the hourly run: after repeated
    # refusals Mollie switches a webhook off, payments included.
    return ()


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
    if kind != "payments":
        notices = _fetched(call, found["paymentId"]) if _is_id(_PAYMENT, found.get("paymentId")) else ()
        # Its payment may be older than our first run. Then it is news of a payment that we know, or nothing.
        return [replace(notice, state=None, order_id="", itemized=False) for notice in notices]
    payment = _read(_Payment, found)
    if payment.status != "paid" or payment.paid_at is None or payment.paid_at < since:
        return ()
    notices = _fetched(call, payment.id) if payment.has_moved_back else _noticed(call, payment)
    return [notice for notice in notices if notice.lines or notice.problem]


def _listed(call: Call, kind: str, oldest: datetime) -> Iterator[dict[str, Any]]:
    """The objects that were created since then, the newest first. Only the id is used of the next page's address."""
    query = {"limit": _PAGE} | ({"profileId": call.profile} if call.profile else {})
    while True:
        page = _ask(call, f"/v2/{kind}", query) or {}
        try:
            found = page["_embedded"][kind.rpartition("/")[2]]
            new = [each for each in found if not _is_older(each, oldest)]
            onward = page["_links"]["next"] if len(new) == len(found) else None
            (first,) = parse_qs(urlsplit(onward["href"]).query)["from"] if onward else ("",)
        except (KeyError, TypeError, ValueError):
            raise ProviderUnavailable("provider_list_unreadable", provider="mollie") from None
        yield from new
        if not re.fullmatch(r"[A-Za-z0-9_]{6,80}", first):
            return
        query["from"] = first


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


def _objects(given: Any) -> list[Any]:
    """The objects of a list, or the single object that stands in place of a list."""
    return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, dict)]


_Lines = Annotated[list[_Line], BeforeValidator(_objects)]


class _Address(BaseModel):
    email: Any = None
    given_name: Any = Field(default="", alias="givenName")
    family_name: Any = Field(default="", alias="familyName")
    organization_name: Any = Field(default="", alias="organizationName")


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
        return any(back and Decimal(back.value) for back in (self.amount_refunded, self.amount_charged_back))


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


def _fetched(call: Call, payment_id: str) -> Sequence[PaymentNotice]:
    found = _ask(call, f"/v2/payments/{payment_id}", {"embed": "refunds,chargebacks"})
    payment = _read(_Payment, found) if found is not None else None
    return _noticed(call, payment) if payment and payment.id == payment_id else ()


def _noticed(call: Call, payment: _Payment) -> Sequence[PaymentNotice]:
    """The notice of the present payment. None for a payment of another profile, of no amount (it only sets up a
    mandate), or one that is not decided."""
    _check_mode(call, payment.mode)
    state = _STATES.get(payment.status)
    if state is None or not Decimal(payment.amount.value) or (call.profile and payment.profile_id != call.profile):
        return ()
    address = payment.billing_address or _Address()
    told = read_metadata(payment.metadata or _metadata_of_subscription(call, payment))
    lines, problem = told.lines or (() if told.problem else _goods(payment.lines)), told.problem
    order_id = told.order_id
    if payment.subscription_id:
        # The metadata of a subscription is the same each time, so each of its payments is an order of its own.
        order_id, lines = payment.id, renewing(told.order_id, told.lines)
    email, name, locale = told.email or usable_address(address.email), _name(address), payment.locale
    if lines and not email and _is_id(_CUSTOMER, payment.customer_id):
        customer = _read(_Customer, _ask(call, f"/v2/customers/{payment.customer_id}") or {})
        email, name, locale = usable_address(customer.email), name or clean_name(customer.name), customer.locale
    notice = PaymentNotice(
        provider="mollie",
        payment_id=payment.id,
        state=state,
        at=(payment.paid_at or payment.created_at).replace(microsecond=0),
        order_id=order_id,
        amount=payment.amount.value,
        currency=payment.amount.currency,
        email=email,
        name=name,
        language=told.language or _language(locale),
        lines=lines,
        problem=problem,
        refunded=_refunded(payment, call.now),
        disputes=_disputes(payment, call.now),
        itemized=bool(lines) and not told.lines,
        is_subscription=payment.sequence_type == "first" or payment.subscription_id is not None,
        also=(f"mollie:{payment.order}",) if _is_id("ord", payment.order) else (),
    )
    return (notice,)


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
    problem = None
    if link.reusable or link.amount is None:
        problem = said("payment_link_reusable")
    lines = _goods(link.lines) or tuple(Line(sku, 1) for sku in re.findall(rf"\[({SKU.pattern})\]", link.description))
    email = usable_address((link.billing_address or _Address()).email)
    notices = []
    for paid in _paid_through(call, link_id):
        for notice in _fetched(call, paid["id"]):
            of_link = replace(notice, lines=lines, itemized=True) if lines and not notice.lines else notice
            notices.append(replace(of_link, email=notice.email or email, problem=problem or notice.problem))
    return notices


def _paid_through(call: Call, link_id: str) -> Sequence[dict[str, Any]]:
    """The newest payment of a link. A link that is not reusable has only one."""
    listed = _listed(call, f"payment-links/{link_id}/payments", call.now - _LATEST_PAID)
    paid = (each for each in listed if each.get("status") == "paid" and _is_id(_PAYMENT, each.get("id")))
    return [*islice(paid, 1)]


def _paid_by_invoice(call: Call, invoice_id: str) -> Sequence[PaymentNotice]:
    """A payment of a sales invoice, also of one that somebody marked as paid: that is the merchant's own word. An
    invoice without an order card is for something else."""
    found = _ask(call, f"/v2/sales-invoices/{invoice_id}")
    invoice = _read(_Invoice, found) if found is not None else None
    if invoice is None or invoice.status != "paid" or (call.profile and invoice.profile_id != call.profile):
        return ()
    _check_mode(call, invoice.mode)
    told = read_metadata(invoice.metadata)
    if not told.lines and not told.problem:
        return ()
    recipient = _read(_Address, invoice.recipient)
    references = [by.source_reference for by in invoice.payment_details if by.source == "payment"]
    links = [by.source_reference for by in invoice.payment_details if by.source == "payment-link"]
    references += [paid["id"] for link in links if _is_id(_LINK, link) for paid in _paid_through(call, link)]
    notice = PaymentNotice(
        provider="mollie",
        payment_id=invoice.id,
        state=PaymentState.PAID,
        at=(invoice.paid_at or call.now).replace(microsecond=0),
        order_id=told.order_id,
        amount=invoice.total_amount.value,
        currency=invoice.total_amount.currency,
        email=told.email or usable_address(recipient.email),
        name=_name(recipient) or clean_name(recipient.organization_name),
        language=told.language or _language(invoice.recipient.get("locale")),
        lines=told.lines,
        problem=told.problem,
        also=tuple(f"mollie:{reference}" for reference in references if _is_id(_PAYMENT, reference)),
    )
    return (notice,)


def confirm(call: Call, payment_id: str) -> PaymentNotice | None:
    """The payment that a shop names, as Mollie knows it; None if it does not."""
    return next(iter(_fetched(call, payment_id)), None)


def _check_mode(call: Call, mode: str) -> None:
    if (call.stage == "live" and mode != "live") or (call.stage == "test" and mode != "test"):
        raise ProviderRefused("key_of_other_mode", provider="mollie", stage=call.stage)


def _goods(lines: Sequence[_Line]) -> tuple[Line, ...]:
    goods = ((each.sku, each.quantity) for each in lines if isinstance(each.type, str) and each.type in _GOODS)
    return tuple(
        Line(sku, quantity)
        for sku, quantity in goods
        if isinstance(sku, str) and SKU.fullmatch(sku) and type(quantity) is int and quantity > 0
    )


def _name(address: _Address) -> str | None:
    return clean_name(f"{address.given_name or ''} {address.family_name or ''}")


def _language(locale: Any) -> str | None:
    found = re.match(r"[a-z]{2}", str(locale or ""))
    return found[0] if found else None


def _refunded(payment: _Payment, now: datetime) -> Refunded | None:
    """Everything that was or is being returned, as of now. A refund that failed is not included."""
    refunds, total = payment.embedded.refunds, payment.amount_refunded
    if refunds is None:  # a key that may not read refunds can still read their sum
        return Refunded(now, total.value) if total and Decimal(total.value) else None
    back = sum((Decimal(r.amount.value) for r in refunds if r.status in _RETURNED), Decimal(0))
    return Refunded(now, str(back)) if refunds else None


def _disputes(payment: _Payment, now: datetime) -> tuple[Dispute, ...]:
    chargebacks, total = payment.embedded.chargebacks, payment.amount_charged_back
    if chargebacks is None and total and Decimal(total.value):
        return (Dispute("chargeback", DisputeState.OPEN, now),)
    return tuple(_dispute(chargeback) for chargeback in chargebacks or ())


def _dispute(chargeback: _Chargeback) -> Dispute:
    if chargeback.reversed_at:
        return Dispute(chargeback.id, DisputeState.WON, chargeback.reversed_at.replace(microsecond=0))
    return Dispute(chargeback.id, DisputeState.OPEN, chargeback.created_at.replace(microsecond=0))
