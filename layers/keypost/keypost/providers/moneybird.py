"""Moneybird: signed webhooks about invoices. A paid invoice is an order if the description of a line has a SKU between
square brackets."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from keypost.core.errors import InvalidInput, SignatureRefused
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers.call import Call
from keypost.providers.order_card import (
    ORDER_ID,
    SKU,
    CardLine,
    Language,
    clean_name,
    full_name,
)

_TOLERANCE_SECONDS = 300
_PAID = {"sales_invoice_state_changed_to_paid", "external_sales_invoice_state_changed_to_paid"}
_INVOICES = {"SalesInvoice", "ExternalSalesInvoice"}
_TAG = re.compile(rf"\[({SKU.pattern})\]")
_QUANTITY = re.compile(r"([0-9]{1,9})(?:[.,]0{1,2})?(?: ?[xX])?")
_RENEWAL = re.compile(rf"(?i:verlenging|renewal) +({ORDER_ID.pattern}(?:/[0-9]{{1,4}})?)|(LIC-[A-Z2-7]{{10}})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a call. While the webhook is created, Moneybird tries the URL and needs a 200 before it shows the secret:
    such a call cannot be verified, and it changes nothing."""
    if _is_trial(call.body):
        return
    header = call.headers.get("moneybird-signature", "")
    signed = _recent_stamp(header, call.now).encode() + b"." + call.body
    given = [value.encode("utf-8", "replace") for value in _values(header, "v1")]
    for secret in filter(None, secrets):
        right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("signature_does_not_fit", header="Moneybird-Signature")


def _recent_stamp(header: str, now: datetime) -> str:
    """The timestamp that the signature covers, in seconds. SignatureRefused if it is too old or too new."""
    stamps = _values(header, "t")
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]):
        raise SignatureRefused("signature_header_missing", header="Moneybird-Signature")
    if abs(now.timestamp() - int(stamps[0])) > _TOLERANCE_SECONDS:
        raise SignatureRefused("signature_too_old")
    return stamps[0]


def _values(header: str, wanted: str) -> list[str]:
    """The values of one key in a header like `t=1764000000,v1=5257a8`."""
    pairs = (part.strip().partition("=") for part in header.split(","))
    return [value for key, _, value in pairs if key == wanted]


def _is_trial(body: bytes) -> bool:
    try:
        return parse_object(body).get("action") == "test_webhook"
    except InvalidInput:
        return False


def _moment(given: Any) -> datetime | None:
    """The moment of a timestamp; a day counts as its noon. None for anything else, which is no reason to keep a code
    back."""
    text = f"{given}T12:00:00Z" if isinstance(given, str) and _DAY.fullmatch(given) else given
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC).replace(microsecond=0) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


Id = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$")]


class _Contact(BaseModel):
    send_invoices_to_email: Any = None
    email: Any = None
    firstname: Any = None
    lastname: Any = None
    company_name: Any = None


class _Detail(BaseModel):
    description: str | None = None
    amount: str | None = None
    period: str | None = None

    @property
    def tags(self) -> list[str]:
        return list(dict.fromkeys(_TAG.findall(self.description or "")))


class _Payment(BaseModel):
    credit_invoice_id: Any = None


class _Invoice(BaseModel):
    id: Id
    invoice_id: Any = None  # the invoice's number; an external invoice has none
    state: str
    reference: str | None = None
    language: Language = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    total_price_incl_tax: Money
    paid_at: Moment = None
    updated_at: Moment = None
    contact: _Contact | None = None
    details: list[_Detail] = []
    payments: list[_Payment] = []

    @property
    def is_sale_of_ours(self) -> bool:
        """False for an invoice of other work, and for a credit note."""
        return any(detail.tags for detail in self.details) and Decimal(self.total_price_incl_tax) >= 0

    @property
    def is_credited(self) -> bool:
        return any(payment.credit_invoice_id for payment in self.payments)


class _DestroyedPayment(BaseModel):
    invoice_type: str
    invoice_id: Id  # the id of the invoice, not its number


def read(call: Call) -> Sequence[PaymentNotice]:
    """Read a call. A payment that was removed is an open dispute, which the next payment settles: a person decides, and
    nothing is revoked."""
    raw = parse_object(call.body)
    try:
        return _notices(raw, call.now)
    except ValidationError as error:
        raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None


def _notices(raw: dict[str, Any], now: datetime) -> Sequence[PaymentNotice]:
    action, entity, kind = str(raw.get("action")), raw.get("entity"), str(raw.get("entity_type"))
    destroyed = action.endswith("payment_destroyed")
    if destroyed and kind == "Payment":
        return _taken_back(_DestroyedPayment.model_validate(entity), now)
    if kind in _INVOICES and (destroyed or action in _PAID):
        return _of_invoice(_Invoice.model_validate(entity), now, destroyed=destroyed)
    return ()


def _of_invoice(invoice: _Invoice, now: datetime, *, destroyed: bool) -> Sequence[PaymentNotice]:
    if not invoice.is_sale_of_ours:
        return ()
    is_paid = invoice.state == "paid"
    if destroyed == is_paid:
        return ()  # another payment has paid it; or it is not paid any more
    return (_undone(invoice, now) if destroyed else _paid(invoice, now),)


def _taken_back(payment: _DestroyedPayment, now: datetime) -> Sequence[PaymentNotice]:
    """The dispute for a removed payment, as of now, because the payment itself was last changed before its invoice was
    paid."""
    if payment.invoice_type not in _INVOICES:
        return ()
    dispute = Dispute("payment", DisputeState.OPEN, now)
    return (PaymentNotice("moneybird", payment.invoice_id, state=None, at=now, order_id="", disputes=(dispute,)),)


def _undone(invoice: _Invoice, now: datetime) -> PaymentNotice:
    as_of = invoice.updated_at or now
    return PaymentNotice(
        provider="moneybird",
        payment_id=invoice.id,
        state=None,
        at=now,
        order_id=_order_id(invoice),
        disputes=(Dispute("payment", DisputeState.OPEN, as_of),),
    )


def _paid(invoice: _Invoice, now: datetime) -> PaymentNotice:
    contact = invoice.contact or _Contact()
    lines, problem = _lines(invoice)
    return replace(
        _undone(invoice, now),
        state=PaymentState.PAID,
        at=min(invoice.paid_at or now, now),
        amount=invoice.total_price_incl_tax,
        currency=invoice.currency,
        email=_email(contact),
        name=full_name(contact.firstname, contact.lastname) or clean_name(contact.company_name),
        language=invoice.language,
        lines=lines,
        problem=said("credit_note") if invoice.is_credited else problem,
        disputes=(Dispute("payment", DisputeState.WON, invoice.updated_at or now),),
    )


def _order_id(invoice: _Invoice) -> str:
    number = invoice.invoice_id
    return number if isinstance(number, str) and ORDER_ID.fullmatch(number) else invoice.id


def _email(contact: _Contact) -> str | None:
    """The customer's address for invoices (the first, if there are several separated by commas), else the customer's
    own address."""
    given = (text for text in (contact.send_invoices_to_email, contact.email) if isinstance(text, str))
    return next(filter(None, map(usable_address, ",".join(given).split(","))), None)


def _lines(invoice: _Invoice) -> tuple[tuple[Line, ...], Said | None]:
    """The lines that have a SKU; or none, and why no program can serve them."""
    renews = _renewed_by(invoice)
    lines = []
    for number, detail in enumerate(invoice.details, start=1):
        if not detail.tags:
            continue
        try:
            lines.append(_line(detail, renews))
        except ValidationError as error:
            return (), said("invoice_line_does_not_fit", line=number, why=first_fault(error))
    return tuple(lines), None


def _renewed_by(invoice: _Invoice) -> str | None:
    """The order, the line of an order or the license that an invoice renews, as its reference says."""
    found = _RENEWAL.fullmatch((invoice.reference or "").strip())
    return (found[1] or found[2]) if found else None


def _line(detail: _Detail, renews: str | None) -> Line:
    given = {
        "sku": "+".join(detail.tags),  # two tags on one line are no SKU
        "quantity": _quantity(detail.amount),
        "kind": Kind.RENEWAL if renews else Kind.NEW,
        "renews": renews,
    } | _period(detail.period)
    return CardLine.model_validate(given).line()


def _quantity(amount: str | None) -> str:
    """The quantity as text: `2`, `2 x`, `2,00` and `2.0` are 2, an empty text is 1. Any other text stays as it is, and
    is then refused as no whole number."""
    text = (amount or "").strip() or "1"
    found = _QUANTITY.fullmatch(text)
    return found[1] if found else text


def _period(period: str | None) -> dict[str, str]:
    """The first and the last day of `20261201..20271130`. Any other text, such as `202612`, gives days that CardLine
    refuses."""
    if not period:
        return {}
    first, _, last = (f"{part[:4]}-{part[4:6]}-{part[6:]}" for part in period.partition(".."))
    return {"period_start": first, "period_end": last}
