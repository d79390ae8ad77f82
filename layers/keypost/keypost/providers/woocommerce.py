"""WooCommerce's own webhooks, which send the order whenever it changes. They are signed without a time, so an old one
may be repeated at any time. Each has the moment of its change, and a stale one undoes nothing."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from keypost.core.errors import InvalidInput, SignatureRefused
from keypost.core.payment import PaymentNotice, PaymentState, Refunded
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers.call import Call
from keypost.providers.order_card import full_name, is_sku

_PING = re.compile(rb"webhook_id=[0-9]{1,20}")  # without a signature; it must be answered with 200
_PAID = {"processing", "completed", "refunded"}
_FAILED = {"failed", "cancelled"}
_OPEN = {"pending", "on-hold"}
_MOLLIE_PAYMENT = re.compile(r"(tr|ord)_[A-Za-z0-9.]{6,64}")  # ord_: of the Orders API, which plugins used before
_MOST = 9999


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    if _PING.fullmatch(call.body):
        return
    given = call.headers.get("x-wc-webhook-signature", "").encode(errors="replace")
    for secret in filter(None, secrets):
        right = base64.b64encode(hmac.new(secret.encode(), call.body, hashlib.sha256).digest())
        if hmac.compare_digest(right, given):
            return
    raise SignatureRefused("signature_does_not_fit", header="X-WC-Webhook-Signature")


def _in_utc(text: Any) -> Any:
    """The moment of one of WooCommerce's times, which are in GMT without saying so."""
    return f"{text}Z" if isinstance(text, str) and re.fullmatch(r"[0-9T:.-]+", text) else text


Time = Annotated[datetime, BeforeValidator(_in_utc)]
Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$")]


class _Item(BaseModel):
    sku: Any = None
    quantity: Any = 1

    @property
    def is_sold(self) -> bool:
        return is_sku(self.sku) and bool(self.quantity)

    @property
    def has_odd_quantity(self) -> bool:
        return type(self.quantity) is not int or not 1 <= self.quantity <= _MOST


class _Refund(BaseModel):
    total: Money


class _Billing(BaseModel):
    email: Any = None
    first_name: Any = ""
    last_name: Any = ""


class _Order(BaseModel):
    id: int = Field(ge=1)
    status: str
    currency: str = ""
    total: Money = "0"
    date_modified_gmt: Time | None = None
    date_paid_gmt: Time | None = None
    transaction_id: str | None = None
    billing: _Billing = _Billing()
    line_items: list[_Item] = []
    refunds: list[_Refund] = []


def read(call: Call) -> Sequence[PaymentNotice]:
    """Read a call. An order without goods of ours is ignored and answered with 200, because WooCommerce switches the
    webhook off after five other answers."""
    order = _order(call.body)
    if order is None:
        return ()
    state, items = _state(order), [item for item in order.line_items if item.is_sold]
    if state is None or not items:
        return ()
    return (_notice(order, state, items, call.now),)


def _order(body: bytes) -> _Order | None:
    """The order in a call; None for a ping, and for a call of another topic."""
    raw = {} if _PING.fullmatch(body) else parse_object(body)
    if "status" not in raw or "line_items" not in raw:
        return None
    try:
        return _Order.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None


def _notice(order: _Order, state: PaymentState, items: Sequence[_Item], now: datetime) -> PaymentNotice:
    modified = order.date_modified_gmt or now
    lines, problem = _lines(items)
    return PaymentNotice(
        provider="woocommerce",
        payment_id=str(order.id),
        state=state,
        at=_whole(order.date_paid_gmt or modified),
        order_id=str(order.id),
        amount=order.total,
        currency=order.currency,
        email=usable_address(order.billing.email),
        name=full_name(order.billing.first_name, order.billing.last_name),
        lines=lines,
        problem=problem,
        refunded=_refunded(order, modified),
        also=_payment_at_mollie(order),
        itemized=True,
    )


def _lines(items: Sequence[_Item]) -> tuple[tuple[Line, ...], Said | None]:
    """The lines of an order; each has the quantity 1 if any quantity is odd, because then a person decides."""
    if any(item.has_odd_quantity for item in items):
        return tuple(Line(item.sku, 1) for item in items), said("odd_quantity")
    return tuple(Line(item.sku, item.quantity) for item in items), None


def _payment_at_mollie(order: _Order) -> tuple[str, ...]:
    """Mollie's name of the payment, which Mollie's plugin notes in the order. With it, WooCommerce and Mollie report
    one payment, not two."""
    payment = order.transaction_id or ""
    return (f"mollie:{payment}",) if _MOLLIE_PAYMENT.fullmatch(payment) else ()


def _state(order: _Order) -> PaymentState | None:
    """The state of an order. `processing` without a date of payment is cash on delivery: not paid."""
    if order.status in _PAID:
        return PaymentState.PAID if order.date_paid_gmt else PaymentState.OPEN
    if order.status in _FAILED:
        return PaymentState.PAID if order.date_paid_gmt else PaymentState.FAILED
    return PaymentState.OPEN if order.status in _OPEN else None


def _refunded(order: _Order, modified: datetime) -> Refunded | None:
    back = sum((abs(Decimal(refund.total)) for refund in order.refunds), Decimal(0))
    full = order.status == "refunded"
    return Refunded(_whole(modified), str(back), full) if back or full else None


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
