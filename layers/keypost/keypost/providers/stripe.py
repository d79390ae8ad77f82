"""Stripe: signed snapshot events. A paid Checkout Session in mode `payment` is an order."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import stripe

from keypost.errors import InvalidInput, SignatureRefused
from keypost.models import (
    Dispute,
    DisputeState,
    Fact,
    FailedRefund,
    MoneyBack,
    PaymentNotice,
    PaymentState,
    Refunded,
)
from keypost.providers.call import Call
from keypost.providers.order_card import OrderCard, clean_name, order_id_in, read_card, usable_address
from keypost.strict_json import parse_object

_TOLERANCE_SECONDS = 300
_OLDEST_SECONDS = 30 * 24 * 3600  # Stripe keeps events no longer
_SESSION_EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
}
_MONEY_EVENTS = {"charge.refunded", "refund.failed", "charge.dispute.created", "charge.dispute.closed"}
_DISPUTES = {  # by status, once closed
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_ID = re.compile(r"[A-Za-z0-9._-]{1,255}")  # of a session; those of test mode have 66 characters
_LONGEST_FALLBACK = 80  # of an order id made from a session's
# Stripe counts in the smallest unit of a currency; these have no smaller one.
_NO_MINOR_UNIT = re.compile("BIF|CLP|DJF|GNF|JPY|KMF|KRW|MGA|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    header = call.headers.get("stripe-signature", "")
    _check_age(header, call.now)
    for secret in filter(None, secrets):
        try:
            stripe.WebhookSignature.verify_header(call.body.decode("utf-8"), header, secret, tolerance=None)
        # The library lets TypeError, ValueError and others out for a malformed header.
        except Exception:  # noqa: BLE001, S112
            continue
        return
    raise SignatureRefused("no signature in Stripe-Signature fits the body: is this endpoint's secret the one set?")


def _check_age(header: str, now: datetime) -> None:
    """Both sides: the library refuses old timestamps only, by the clock of the machine."""
    stamps = re.findall(r"(?:^|,)\s*t=([^,]*)", header)
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0], re.ASCII):
        raise SignatureRefused("the header Stripe-Signature with one timestamp is missing")
    if abs(now.timestamp() - int(stamps[0])) > _TOLERANCE_SECONDS:
        raise SignatureRefused("the signature is older or newer than five minutes")


def read(call: Call) -> Fact | MoneyBack | None:
    event = parse_object(call.body)
    if event.get("object") != "event":
        raise InvalidInput("this is not a Stripe snapshot event: choose the payload style `snapshot` at Stripe")
    kind = event.get("type")
    if not isinstance(kind, str):
        raise InvalidInput("the event has no type")
    if kind not in _SESSION_EVENTS | _MONEY_EVENTS:
        return None
    live = event.get("livemode")
    if not isinstance(live, bool) or (call.stage == "live" and not live) or (call.stage == "test" and live):
        raise InvalidInput(f"the event's livemode does not fit this stack, whose stage is {call.stage}")
    data = event.get("data")
    entity = data.get("object") if isinstance(data, dict) else None
    if not isinstance(entity, dict) or not _is_id(entity.get("id")):
        raise InvalidInput("the event holds no object with an id")
    at = _moment(event.get("created"), call.now)
    if kind in _MONEY_EVENTS:
        return _money_back(kind, entity, at)
    state = _state(kind, entity.get("payment_status"))
    return _notice(entity, state, at) if state else None


def _money_back(kind: str, entity: dict[str, Any], at: datetime) -> MoneyBack | None:
    """A charge, a refund or a dispute names its payment intent, as does the session. What was taken outside
    Checkout (by invoice, say) has no session here, and so no order."""
    reference = entity.get("payment_intent")
    if not _is_id(reference):
        return None
    news = PaymentNotice(provider="stripe", payment_id="", state=None, at=at, order_id="")
    currency = str(entity.get("currency") or "").upper()
    if kind == "charge.refunded":
        # In all, as of this event; not its flag `refunded`, which a refund that fails later would belie.
        news = replace(news, refunded=Refunded(at, _amount(entity.get("amount_refunded"), currency)))
    elif kind == "refund.failed":
        failed = FailedRefund(entity["id"], _amount(entity.get("amount"), currency) or "0", at)
        news = replace(news, failed_refunds=(failed,))
    else:
        state = DisputeState.OPEN
        if kind.endswith("closed"):
            state = _DISPUTES.get(str(entity.get("status")), DisputeState.LOST)
        news = replace(news, disputes=(Dispute(entity["id"], state, at),))
    return MoneyBack(str(reference), news)


def _state(event_type: str, payment_status: Any) -> PaymentState | None:
    """`unpaid` at `completed` is no failure: a debit or a transfer is on its way."""
    if event_type.endswith("async_payment_failed"):
        return PaymentState.FAILED
    if payment_status in ("paid", "no_payment_required"):
        return PaymentState.PAID
    return PaymentState.OPEN if payment_status == "unpaid" else None


def _notice(session: dict[str, Any], state: PaymentState, at: datetime) -> PaymentNotice:
    """Whatever a paid session lacks, it becomes an order: what cannot be served is held, never dropped."""
    metadata = session.get("metadata") or {}
    customer = session.get("customer_details") or {}
    metadata, customer = (value if isinstance(value, dict) else {} for value in (metadata, customer))
    card: OrderCard | None = None
    problem = None
    if session.get("mode") != "payment":
        problem = f"a Checkout Session in mode {session.get('mode')} is not served by itself: serve it by hand"
    else:
        try:
            card = read_card(metadata)
        except InvalidInput as error:
            problem = str(error) if metadata else None
    locale = re.match(r"([a-z]{2})(-|$)", str(session.get("locale")))  # `auto` says nothing
    currency = str(session.get("currency") or "").upper()
    free = session.get("payment_status") == "no_payment_required"
    return PaymentNotice(
        provider="stripe",
        payment_id=session["id"],
        state=state,
        at=at,
        order_id=order_id_in(metadata, session["id"][:_LONGEST_FALLBACK]),
        # A coupon of 100 % is the shop's own wish; any other payment of nothing is looked at by a person.
        amount=None if free else _amount(session.get("amount_total"), currency),
        currency=currency,
        email=(card and card.email) or usable_address(customer.get("email")),
        name=clean_name(customer.get("name")),
        language=(card and card.lang) or (locale[1] if locale else None),
        lines=tuple(line.line() for line in card.lines) if card else (),
        problem=problem,
        reference=session["payment_intent"] if _is_id(session.get("payment_intent")) else None,
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _amount(minor: Any, currency: str) -> str | None:
    if not isinstance(minor, int) or isinstance(minor, bool):
        return None
    return str(Decimal(minor) if _NO_MINOR_UNIT.fullmatch(currency) else Decimal(minor).scaleb(-2))


def _moment(created: Any, now: datetime) -> datetime:
    """When Stripe saw it, within what it retries; the clock here otherwise."""
    if isinstance(created, int) and 0 <= int(now.timestamp()) - created <= _OLDEST_SECONDS:
        return datetime.fromtimestamp(created, UTC)
    return now
