"""The signed callback of a shop or an invoicing system: Standard Webhooks around an order."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, model_validator
from standardwebhooks import Webhook

from keypost.core.errors import InvalidInput, ProviderUnavailable, SignatureRefused
from keypost.core.payment import Dispute, DisputeState, Fact, OrderCanceled, PaymentNotice, PaymentState, Refunded
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers import mollie
from keypost.providers.call import Call
from keypost.providers.order_card import CardLine, Email, Language, OrderId, clean_name, read_card

_TOLERANCE_SECONDS = 300
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_STATES = {"order.paid": PaymentState.PAID, "order.open": PaymentState.OPEN}
_MOLLIE_PAYMENT = re.compile(r"tr_[A-Za-z0-9]{6,64}")
_OLDEST = timedelta(days=30)
_AHEAD = timedelta(seconds=_TOLERANCE_SECONDS)
_UNDATED = datetime(
    2000, 1, 1, tzinfo=UTC
)  # for reports without a date, of which the largest refund and the last step of a dispute count
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
_KEY_BYTES = range(24, 65)  # the lengths that the specification allows; the library accepts any


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    given = {name: call.headers.get(name, "") for name in _HEADERS}
    if not all(given.values()):
        raise SignatureRefused("signature_headers_missing", headers=_HEADERS)
    _check_age(given["webhook-timestamp"], call.now)
    for secret in secrets:
        try:
            Webhook(_key(secret)).verify(call.body, given, json_parse=False)
        # The library lets ValueError, binascii.Error and others out for a malformed signature.
        except Exception:  # noqa: BLE001, S112
            continue
        return
    raise SignatureRefused("signature_does_not_fit", header="webhook-signature")


def _check_age(stamp: str, now: datetime) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise SignatureRefused("signature_time_unreadable", header="webhook-timestamp")
    if abs(now.timestamp() - int(stamp)) > _TOLERANCE_SECONDS:
        raise SignatureRefused("signature_too_old")


def _key(secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if len(key) not in _KEY_BYTES:
        raise ValueError("secret_unfit")
    return key


class _Data(BaseModel):
    """The fields of `data` in the contract. Unknown keys are ignored."""

    order_id: OrderId
    payment_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    test: bool = False

    @property
    def names_at_mollie(self) -> tuple[str, ...]:
        """The name under which Mollie too reports the payment, if it is one of Mollie's."""
        return (f"mollie:{self.payment_id}",) if _MOLLIE_PAYMENT.fullmatch(self.payment_id or "") else ()


class _Bought(_Data):
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    amount: Amount
    email: Email
    name: str | None = None
    language: Language = None
    lines: tuple[CardLine, ...] = Field(min_length=1, max_length=1000)


class _Refunded(_Data):
    amount_refunded: Amount | None = None
    full: bool = False

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if self.amount_refunded is None and not self.full:
            raise ValueError("refund_without_amount")
        return self


class _Closed(_Data):
    won: bool

    @property
    def state(self) -> DisputeState:
        return DisputeState.WON if self.won else DisputeState.LOST


_DATA: dict[str, type[_Data]] = {
    "order.paid": _Bought,
    "order.open": _Bought,
    "order.refunded": _Refunded,
    "order.disputed": _Data,
    "order.dispute_closed": _Closed,
    "order.canceled": _Data,
}


class _Callback(BaseModel):
    type: Literal[
        "order.paid", "order.open", "order.refunded", "order.disputed", "order.dispute_closed", "order.canceled"
    ]
    timestamp: AwareDatetime | None = None
    data: dict[str, Any]


def read(call: Call) -> Sequence[Fact]:
    """Read a callback. News without a payment is about the whole order. A payment at Mollie is confirmed there, if
    there is a key for Mollie: so a stolen secret of this callback cannot invent such payments."""
    raw = parse_object(call.body)
    if raw.get("type") not in list(_DATA):
        return ()
    callback, data = _checked(raw)
    if _is_of_other_mode(data, call.stage):
        raise InvalidInput("other_mode", stage=call.stage)
    if callback.type == "order.canceled":
        return (OrderCanceled(data.order_id),)
    notice = _notice(callback.type, data, *_moments(callback.timestamp, call.now))
    if callback.type == "order.paid" and data.names_at_mollie and call.get:
        return (_confirmed(call, notice),)
    return (notice,)


def _checked(raw: dict[str, Any]) -> tuple[_Callback, _Data]:
    try:
        callback = _Callback.model_validate(raw)
        return callback, _DATA[callback.type].model_validate(_with_card(callback.data))
    except ValidationError as error:
        raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None


def _is_of_other_mode(data: _Data, stage: str) -> bool:
    return (stage == "live" and data.test) or (stage == "test" and not data.test)


def _moments(told: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """When it happened, and as of when an amount or a dispute counts: the moment that a shop names, in whole seconds as
    everything is. It counts as none if it cannot be. A shop's clock may be ahead by as much as its signature may."""
    moment = told.replace(microsecond=0) if told else None
    if moment is None or not -_AHEAD <= now - moment <= _OLDEST:
        return now, _UNDATED
    return min(moment, now), moment


def _confirmed(call: Call, notice: PaymentNotice) -> PaymentNotice:
    known = mollie.confirm(call, notice.payment_id)
    if known is None and call.stage == "local":
        return notice  # on a local stack Mollie is a fake, and the shop's payments may be made up
    if known is None or known.state is PaymentState.OPEN:
        raise ProviderUnavailable("mollie_not_paid_yet")
    _check_agreement(notice, known)
    return replace(notice, refunded=known.refunded, disputes=known.disputes, also=(f"mollie:{notice.payment_id}",))


def _check_agreement(notice: PaymentNotice, known: PaymentNotice) -> None:
    """Refuse what a shop reports of a payment if Mollie knows it otherwise."""
    if known.state is not PaymentState.PAID:
        raise InvalidInput("mollie_knows_it_failed")
    if known.order_id not in ("", notice.order_id, notice.payment_id):
        raise InvalidInput("mollie_knows_other_order")
    if not _is_covered(notice, known):
        raise InvalidInput("mollie_knows_less")


def _is_covered(notice: PaymentNotice, known: PaymentNotice) -> bool:
    """True if Mollie knows at least the amount that the shop reports."""
    return known.currency == notice.currency and Decimal(known.amount or 0) >= Decimal(notice.amount or 0)


def _notice(kind: str, data: _Data, at: datetime, as_of: datetime) -> PaymentNotice:
    plain = PaymentNotice(
        provider="webhook",
        payment_id=data.payment_id or data.order_id,
        state=None,
        at=at,
        order_id=data.order_id,
    )
    # Returned money is news of a payment under any name. A paid payment must be confirmed first.
    also = data.names_at_mollie
    match data:
        case _Bought():
            return replace(
                plain,
                state=_STATES[kind],
                amount=data.amount,
                currency=data.currency,
                email=data.email,
                name=clean_name(data.name),
                language=data.language,
                lines=tuple(line.line() for line in data.lines),
            )
        case _Refunded():
            return replace(plain, also=also, refunded=Refunded(as_of, data.amount_refunded, data.full))
        case _Closed():
            return replace(plain, also=also, disputes=(Dispute(data.order_id, data.state, as_of),))
        case _:
            return replace(plain, also=also, disputes=(Dispute(data.order_id, DisputeState.OPEN, as_of),))


def _with_card(data: dict[str, Any]) -> dict[str, Any]:
    """The data of a callback in which an order card stands in place of `lines` and `language`."""
    if "lines" in data or not ("line_1" in data or "sku" in data):
        return data
    card = read_card(data)
    return {"language": card.lang, "email": card.email} | data | {"lines": card.lines}
