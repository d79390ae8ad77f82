"""The signed callback of a shop or an invoicing system: Standard Webhooks around an order."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, model_validator
from standardwebhooks import Webhook

from keypost.core.errors import InvalidInput, ProviderUnavailable, SignatureRefused
from keypost.core.payment import (
    Dispute,
    DisputeState,
    Fact,
    News,
    OrderCanceled,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
)
from keypost.core.said import said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.inputs.typed import trimmed
from keypost.providers.call import Call
from keypost.providers.order_card import CARD_KEYS, ORDER_ID, CardLine, Language, OrderId, Typed, clean_name, read_card

_TOLERANCE_SECONDS = 300
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_STATES = {"order.paid": PaymentState.PAID, "order.open": PaymentState.OPEN}
_MOLLIE_PAYMENT = re.compile(r"tr_[A-Za-z0-9]{6,64}")
_STRIPE_PAYMENT = re.compile(r"(pi|cs|in)_[A-Za-z0-9_]{6,}")
_AHEAD = timedelta(seconds=_TOLERANCE_SECONDS + 1)  # `now` is in whole seconds
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)  # stands where a moment must, for a callback that says none
_UNDATED_TELLER = "webhook, undated"  # counted apart: nobody knows which of its words is newer than which of the shop's
_SPELLINGS = str.maketrans("", "", "_- .")
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$"), Typed]
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
        except Exception:  # noqa: BLE001, S112 - as said above
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
    payment_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$"), Typed] = None
    test: bool = False

    @property
    def names_at_mollie(self) -> tuple[str, ...]:
        """The name under which Mollie too reports the payment, if it is one of Mollie's."""
        return (f"mollie:{self.payment_id}",) if _MOLLIE_PAYMENT.fullmatch(self.payment_id or "") else ()

    @property
    def names_at_stripe(self) -> tuple[str, ...]:
        """The name under which Stripe too reports the payment: that of its session, its intent or its invoice."""
        return (f"stripe:{self.payment_id}",) if _STRIPE_PAYMENT.fullmatch(self.payment_id or "") else ()


class _Bought(_Data):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), Typed]
    amount: Amount
    email: str  # as the customer typed it; one that nobody can write to does not take the order with it
    name: str | None = None
    language: Language = None
    lines: tuple[CardLine, ...] = Field(min_length=1, max_length=1000)


class _Refunded(_Data):
    amount_refunded: Amount | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")  # if left out, that of the payment
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


def read(call: Call) -> Sequence[News]:
    """Read a callback. News without a payment is about the whole order. A payment at Mollie is confirmed there, if
    there is a key for Mollie: so a stolen secret of this callback cannot invent such payments."""
    raw = parse_object(call.body)
    try:
        return _news(call, *_checked(raw))
    except InvalidInput as error:
        error.order_id = _order_id(raw.get("data"))
        raise


def _news(call: Call, callback: _Callback, data: _Data) -> Sequence[News]:
    if _is_of_other_mode(data, call.stage):
        raise InvalidInput("other_mode", stage=call.stage)
    moment = _possible(callback.timestamp, call.now)
    fact = _fact(call, callback, data, moment)
    if callback.timestamp and not moment:
        return fact, Remark("webhook", call.now, said("timestamp_impossible"), data.order_id)
    return (fact,)


def _fact(call: Call, callback: _Callback, data: _Data, moment: datetime | None) -> Fact:
    if callback.type == "order.canceled":
        return OrderCanceled(data.order_id, _acts(moment, call.now), moment)
    notice = _notice(callback.type, data, moment, call.now)
    is_at_mollie = callback.type == "order.paid" and data.names_at_mollie and call.get
    return _confirmed(call, notice) if is_at_mollie else notice


def _order_id(data: Any) -> str:
    """The order that a callback names which does not fit; empty if it names none."""
    given = data.get("order_id") if isinstance(data, dict) else None
    return given if isinstance(given, str) and ORDER_ID.fullmatch(given) else ""


def _checked(raw: dict[str, Any]) -> tuple[_Callback, _Data]:
    try:
        callback = _Callback.model_validate(raw)
        kind = _DATA[callback.type]
        _check_spelling(raw, _Callback.model_fields)
        _check_spelling(callback.data, [*kind.model_fields, *([] if "lines" in callback.data else CARD_KEYS)])
        for line in _lines(callback.data):
            _check_spelling(line, CardLine.model_fields)
        return callback, kind.model_validate(_with_card(callback.data))
    except ValidationError as error:
        raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None


def _lines(data: dict[str, Any]) -> list[dict[str, Any]]:
    lines = data.get("lines")
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def _check_spelling(given: dict[str, Any], known: Iterable[str]) -> None:
    """Refuse `paymentId` for `payment_id`, and whatever else would mean nothing and cannot be meant so."""
    missing = {_plain(name): name for name in known if name not in given}
    for key in given:
        if (meant := missing.get(_plain(key))) is not None:
            raise InvalidInput("callback_does_not_fit", why=said("field_misspelled", field=meant))


def _plain(name: str) -> str:
    return name.lower().translate(_SPELLINGS)


def _is_of_other_mode(data: _Data, stage: str) -> bool:
    return (stage == "live" and data.test) or (stage == "test" and not data.test)


def _possible(told: datetime | None, now: datetime) -> datetime | None:
    """The moment that a shop names, as it is. None if it cannot be: a clock may be ahead by as much as that of a
    signature may, and one that is further ahead would make its word the newest for ever."""
    if told is None or told <= _UNDATED or told - now > _AHEAD:
        return None
    return told.astimezone(UTC)


def _confirmed(call: Call, notice: PaymentNotice) -> PaymentNotice:
    from keypost.providers import mollie  # noqa: PLC0415 - most callbacks do not name a payment at Mollie

    known = mollie.confirm(call, notice.payment_id)
    if known is None and call.stage == "local":
        return notice  # on a local stack Mollie is a fake, and the shop's payments may be made up
    if known is None or known.state is PaymentState.OPEN:
        raise ProviderUnavailable("mollie_not_paid_yet")
    _check_agreement(notice, known)
    refunded = replace(known.refunded, by="mollie") if known.refunded else None  # by its clock, not by the shop's
    return replace(notice, refunded=refunded, disputes=known.disputes, also=(f"mollie:{notice.payment_id}",))


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


def _acts(moment: datetime | None, now: datetime) -> datetime:
    """The moment, in whole seconds, at which something was so: never after it was heard."""
    return min(moment.replace(microsecond=0), now) if moment else now


def _notice(kind: str, data: _Data, moment: datetime | None, now: datetime) -> PaymentNotice:
    plain = PaymentNotice(
        provider="webhook",
        payment_id=data.payment_id or data.order_id,
        state=None,
        at=_acts(moment, now),
        order_id=data.order_id,
        said=moment,
        also=data.names_at_stripe,
    )
    if isinstance(data, _Bought):
        return _bought(plain, _STATES[kind], data)
    # Returned money is news of a payment under any name. A paid payment must be confirmed at Mollie first.
    plain = replace(plain, also=data.names_at_mollie + data.names_at_stripe)
    if isinstance(data, _Refunded):
        return replace(plain, refunded=_returned(data, moment))
    return replace(plain, disputes=(_dispute(data, moment),))


def _returned(data: _Refunded, moment: datetime | None) -> Refunded:
    if moment is None:
        return Refunded(_UNDATED, data.amount_refunded, data.full, _UNDATED_TELLER, data.currency)
    return Refunded(moment, data.amount_refunded, data.full, currency=data.currency)


def _dispute(data: _Data, moment: datetime | None) -> Dispute:
    state = data.state if isinstance(data, _Closed) else DisputeState.OPEN
    if moment is None:
        return Dispute(f"{data.order_id}, undated", state, _UNDATED)
    return Dispute(data.order_id, state, moment)


def _bought(plain: PaymentNotice, state: PaymentState, data: _Bought) -> PaymentNotice:
    return replace(
        plain,
        state=state,
        amount=data.amount,
        currency=data.currency,
        email=usable_address(data.email),
        name=clean_name(data.name),
        language=data.language,
        lines=tuple(line.line() for line in data.lines),
    )


def _with_card(data: dict[str, Any]) -> dict[str, Any]:
    """The data of a callback in which an order card stands in place of `lines` and `language`, or its `lang` does."""
    if "lines" in data or not ("line_1" in data or "sku" in data):
        return {"language": data.get("lang")} | data
    typed = {str(trimmed(key)).lower(): key for key in data}
    email = typed.get("email")
    card = read_card({key: value for key, value in data.items() if key != email})
    return {"language": card.lang, "email": data.get(email or "")} | data | {"lines": card.lines}
