"""Mollie: its calls are hints. The payment is fetched, with its refunds and chargebacks, and what it says now
counts; so the order of calls and their number do not matter."""

import hashlib
import hmac
import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qs

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from keypost.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.models import Dispute, DisputeState, Line, PaymentNotice, PaymentState, Refunded
from keypost.providers.call import Call
from keypost.providers.order_card import SKU, OrderCard, clean_name, first_fault, order_id_in, read_card, usable_address
from keypost.strict_json import parse_object

_PAYMENT_ID = re.compile(r"tr_[A-Za-z0-9]{6,64}")
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
    """The classic call has no signature. The token in its URL keeps strangers from making us ask Mollie; it proves
    nothing, and need not."""
    given = call.query.get("token", "").encode()
    if not any(hmac.compare_digest(given, secret.encode()) for secret in secrets):
        raise SignatureRefused("the URL of the webhook lacks the token of this stack")


def verify_signature(call: Call, secrets: tuple[str, ...]) -> None:
    """The next-generation call: HMAC over the body, twice in one header while a secret is rotated."""
    given = [part.strip().encode() for part in call.headers.get("x-mollie-signature", "").split(",")[:10]]
    for secret in filter(None, secrets):
        right = b"sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("no signature in X-Mollie-Signature fits the body")


def read_classic(call: Call) -> PaymentNotice | None:
    form = parse_qs(call.body.decode("utf-8", "replace"))
    (payment_id,) = form.get("id", [""])[:1]
    if not _PAYMENT_ID.fullmatch(payment_id):
        raise InvalidInput("the call names no payment of Mollie")
    return fetch(call, payment_id)


def read_event(call: Call) -> PaymentNotice | None:
    """An event names an entity; of refunds and chargebacks, the payment stands in the snapshot."""
    event = parse_object(call.body)
    if event.get("resource") != "event":
        raise InvalidInput("this is not an event of Mollie's next-generation webhooks")
    kind, _, _ = str(event.get("type")).partition(".")
    entity = (event.get("_embedded") or {}).get("entity") if isinstance(event.get("_embedded"), dict) else None
    if kind == "payment":
        payment_id = event.get("entityId")
    elif kind in ("refund", "chargeback"):
        payment_id = entity.get("paymentId") if isinstance(entity, dict) else None
    else:
        return None
    if not isinstance(payment_id, str) or not _PAYMENT_ID.fullmatch(payment_id):
        raise InvalidInput("the event names no payment: create the subscription through Mollie's API (full payload)")
    return fetch(call, payment_id)


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
    refunds: list[_Refund] = []
    chargebacks: list[_Chargeback] = []


class _Line(BaseModel):
    type: str = "physical"
    sku: str | None = None
    quantity: int = 1


class _Address(BaseModel):
    email: Any = None
    given_name: Any = Field(default="", alias="givenName")
    family_name: Any = Field(default="", alias="familyName")


class _Payment(BaseModel):
    """What we read of a payment; Mollie adds fields and states as it likes."""

    id: str
    mode: str
    status: str
    amount: _Amount
    profile_id: str | None = Field(default=None, alias="profileId")
    created_at: AwareDatetime = Field(alias="createdAt")
    paid_at: AwareDatetime | None = Field(default=None, alias="paidAt")
    metadata: Any = None
    lines: list[_Line] = []
    billing_address: _Address | None = Field(default=None, alias="billingAddress")
    locale: str | None = None
    sequence_type: str = Field(default="oneoff", alias="sequenceType")
    embedded: _Embedded = Field(default_factory=_Embedded, alias="_embedded")


def fetch(call: Call, payment_id: str) -> PaymentNotice | None:
    """The payment as it is now; None for one that is none of our business: unknown, of no amount, not decided."""
    found = call.get(f"/v2/payments/{payment_id}", {"embed": "refunds,chargebacks"})
    if found is None:
        return None
    try:
        payment = _Payment.model_validate(found)
    except ValidationError as error:
        raise ProviderUnavailable(f"Mollie's payment is not as documented: {first_fault(error)}") from None
    if (call.stage == "live" and payment.mode != "live") or (call.stage == "test" and payment.mode != "test"):
        raise ProviderRefused(f"the payment is of Mollie's {payment.mode} mode, this stack's stage is {call.stage}")
    state = _STATES.get(payment.status)
    if payment.id != payment_id or state is None or not Decimal(payment.amount.value):
        return None  # an amount of nothing only sets up a mandate
    return _notice(payment, state, call.now)


def _notice(payment: _Payment, state: PaymentState, now: datetime) -> PaymentNotice:
    card, order_id, problem = _order(payment)
    address = payment.billing_address or _Address()
    locale = re.match(r"[a-z]{2}", payment.locale or "")
    sold = (line for line in payment.lines if line.type in _GOODS and line.sku and SKU.fullmatch(line.sku))
    goods = tuple(Line(line.sku or "", line.quantity) for line in sold)
    return PaymentNotice(
        provider="mollie",
        payment_id=payment.id,
        state=state,
        at=(payment.paid_at or payment.created_at).replace(microsecond=0),
        order_id=order_id,
        amount=payment.amount.value,
        currency=payment.amount.currency,
        email=(card and card.email) or usable_address(address.email),
        name=clean_name(f"{address.given_name or ''} {address.family_name or ''}"),
        language=(card and card.lang) or (locale[0] if locale else None),
        lines=tuple(line.line() for line in card.lines)
        if card
        else tuple(Line(g.sku or "", g.quantity) for g in goods),
        problem=problem if payment.sequence_type == "recurring" or not goods else None,
        refunded=_refunded(payment, now),
        disputes=tuple(_dispute(chargeback) for chargeback in payment.embedded.chargebacks),
    )


def _order(payment: _Payment) -> tuple[OrderCard | None, str, str | None]:
    """The order card, the order's id, and why no program can serve it. A shop's plugin puts its order's number there
    and nothing else; then the lines of the payment say what was bought. A recurring payment is an order of its own:
    the metadata of its subscription is the same each time."""
    if payment.sequence_type == "recurring":
        return (
            None,
            payment.id,
            "a recurring payment, and renewals are not scheduled yet: serve by hand",
        )
    metadata = payment.metadata
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            metadata = None
    if not isinstance(metadata, dict):
        return None, payment.id, None
    order_id = order_id_in(metadata, payment.id)
    try:
        card = read_card(metadata)
    except InvalidInput as error:
        return None, order_id, str(error)
    return card, card.order_id, None


def _refunded(payment: _Payment, now: datetime) -> Refunded | None:
    """All that went or is going back, as of now: a refund that failed is not in it."""
    back = sum((Decimal(r.amount.value) for r in payment.embedded.refunds if r.status in _RETURNED), Decimal(0))
    return Refunded(now, str(back)) if payment.embedded.refunds else None


def _dispute(chargeback: _Chargeback) -> Dispute:
    if chargeback.reversed_at:
        return Dispute(chargeback.id, DisputeState.WON, chargeback.reversed_at.replace(microsecond=0))
    return Dispute(chargeback.id, DisputeState.OPEN, chargeback.created_at.replace(microsecond=0))
