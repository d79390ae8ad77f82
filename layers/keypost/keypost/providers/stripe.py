"""Stripe: signed snapshot events. A paid Checkout Session in mode `payment` is an order, and so is each paid invoice
of a subscription."""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.core.frozen import dataclass
from keypost.core.languages import language_of
from keypost.core.payment import News, PaymentNotice, PaymentState
from keypost.core.said import said
from keypost.inputs.addresses import usable_address
from keypost.inputs.strict_json import parse_object
from keypost.providers import refusals, stripe_charged, stripe_events, stripe_invoices, stripe_money_back
from keypost.providers.call import Call
from keypost.providers.order_card import Told, clean_name, read_metadata
from keypost.providers.stripe_objects import (
    Snapshot,
    amount,
    currency_of,
    id_of,
    is_id,
    mapped,
    names,
    raw_listed,
    remark,
    shown,
    stamped,
    whole,
    word,
)

_TOLERANCE_SECONDS = 300
_STATES = {
    "paid": PaymentState.PAID,
    "no_payment_required": PaymentState.PAID,
    "unpaid": PaymentState.OPEN,  # not a failure: a debit or a transfer has started
}


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    """As Stripe's library verifies it, with which a test compares this; to load the library takes a second."""
    header = call.headers.get("stripe-signature", "")
    signed = f"{_stamp(header, call.now)}.".encode() + call.body
    given = _signatures(header)
    for secret in filter(None, secrets):
        right = hmac.new(secret.encode(), signed, "sha256").hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("signature_does_not_fit", header="Stripe-Signature")


def _signatures(header: str) -> list[bytes]:
    """Those of the header's scheme v1; none, if a part of the header is malformed."""
    parts = [part.split("=") for part in header.split(",")]
    if not header.isascii() or ["t"] in parts or ["v1"] in parts:
        return []
    return [part[1].encode() for part in parts if part[0] == "v1"]


def _stamp(header: str, now: datetime) -> str:
    """The moment of signing, in seconds. SignatureRefused unless it is within five minutes of now."""
    stamps = re.findall(r"(?:^|,)t=([^,]*)", header)
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0], re.ASCII):
        raise SignatureRefused("signature_header_missing", header="Stripe-Signature")
    if abs(now.timestamp() - int(stamps[0])) > _TOLERANCE_SECONDS:
        raise SignatureRefused("signature_too_old")
    return str(int(stamps[0]))


def read(call: Call) -> Sequence[News]:
    with refusals.named(call.body, _order_in):
        return _read(call, parse_object(call.body))


def _order_in(event: Mapping[str, Any]) -> str:
    return read_metadata(mapped(mapped(event.get("data")).get("object")).get("metadata")).order_id


def _read(call: Call, event: dict[str, Any]) -> Sequence[News]:
    if event.get("object") != "event":
        raise InvalidInput("stripe_no_snapshot")
    kind = event.get("type")
    if not isinstance(kind, str):
        raise InvalidInput("stripe_no_type")
    if kind not in EVENTS:
        return _of_unread(call, kind, event)
    if not _is_of_stage(event.get("livemode"), call.stage):
        raise InvalidInput("other_mode", stage=call.stage)
    entity = _object(event)
    if not entity:
        raise InvalidInput("stripe_no_object")
    return EVENTS[kind](call, _snapshot(call, event, entity))


def _of_unread(call: Call, kind: str, event: dict[str, Any]) -> Sequence[News]:
    """A type that nobody here reads: nothing, if it is known that it changes no order."""
    if stripe_events.changes_nothing(kind) or not _is_of_stage(event.get("livemode"), call.stage):
        return ()
    return (remark(call, said("stripe_unknown_event", kind=word(kind)), _object(event).get("id"), _order_in(event)),)


def recent(call: Call, since: datetime) -> Iterator[News]:
    """The events since then, also those that reached us, and the paid sessions of which no event says so. A payment
    that does not say what it was for is left to its callback, because an account may receive money for other things
    too. What cannot be read is left out with a remark."""
    stamp = str(int(since.timestamp()))
    told = _ToldByEvents()
    for event in raw_listed(call, "/v1/events", {"created[gte]": stamp, "types[]": sorted(EVENTS)}):
        for news in _of_found(call, event, _of_event):
            told.add(mapped(event).get("type"), news)
            yield news
    for session in raw_listed(call, "/v1/checkout/sessions", {"created[gte]": stamp, "status": "complete"}):
        if id_of(session) not in told.paid:
            yield from (_as_captured(news, told.captured) for news in _of_found(call, session, _of_listed_session))


@dataclass(frozen=True, slots=True)
class _ToldByEvents:
    """What the events of a list say, as far as the sessions behind them need it."""

    captured: dict[str, PaymentNotice] = field(default_factory=dict)  # by each name of the payment
    paid: set[str] = field(default_factory=set)  # the ids of payments

    def add(self, kind: Any, news: News) -> None:
        if not isinstance(news, PaymentNotice):
            return
        if kind == "charge.captured":
            self.captured.update(_by_name([news]))
        if news.state is PaymentState.PAID:
            self.paid.add(news.payment_id)


def _by_name(news: Sequence[News]) -> dict[str, PaymentNotice]:
    """The notices by each name of their payment."""
    return {name: each for each in news if isinstance(each, PaymentNotice) for name in each.names}


def _of_found(call: Call, found: Any, read_one: Callable[[Call, dict[str, Any]], Sequence[News]]) -> Iterator[News]:
    """The news of one object in a list. One that cannot be read now, or not at all, does not stop the others; the next
    run asks for it again."""
    found = mapped(found)
    if not isinstance(found.get("livemode"), bool):
        yield _left_out(call, found, ProviderUnavailable("provider_list_unreadable", provider="stripe"))
        return
    if not _is_of_stage(found["livemode"], call.stage):
        raise ProviderRefused("key_of_other_mode", provider="stripe", stage=call.stage)
    try:
        news = read_one(call, found)
    except (ProviderUnavailable, ProviderRefused) as error:  # of this object; the list was not refused
        news = (_left_out(call, found, error),)
    yield from filter(_says_what_for, news)


def _left_out(call: Call, found: Mapping[str, Any], error: ProviderUnavailable | ProviderRefused) -> News:
    about = _object(found).get("id") or found.get("id")
    return remark(call, said("stripe_left_out", id=str(about)[:80], why=error.said), about)


def _of_event(call: Call, event: dict[str, Any]) -> Sequence[News]:
    kind, entity = event.get("type"), _object(event)
    if kind not in EVENTS:
        return ()
    if not entity:
        raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
    return EVENTS[kind](call, _snapshot(call, event, entity))


def _of_listed_session(call: Call, session: dict[str, Any]) -> Sequence[News]:
    if not _is_paid(session) or session.get("mode") == "subscription":
        return ()
    return _of_session(call, Snapshot("", session, call.now, call.now))


def _says_what_for(news: News) -> bool:
    """True for a payment with lines, or with a card that breaks a rule; and for news of a payment or a subscription
    that is known."""
    if not isinstance(news, PaymentNotice) or news.state is None:
        return True
    return bool(news.lines or news.problem or any(each.sku for each in news.charged))


def _is_of_stage(live: Any, stage: str) -> bool:
    return isinstance(live, bool) and (live if stage == "live" else not live if stage == "test" else True)


def _object(event: Mapping[str, Any]) -> dict[str, Any]:
    """The object that an event is about; empty if its id is not valid."""
    entity = mapped(event.get("data")).get("object")
    return entity if isinstance(entity, dict) and is_id(entity.get("id")) else {}


def _snapshot(call: Call, event: Mapping[str, Any], entity: dict[str, Any]) -> Snapshot:
    return Snapshot(str(event.get("type")), entity, stamped(event.get("created"), call.now), call.now)


def _of_session(call: Call, told: Snapshot) -> Sequence[News]:
    """The notice of a session in mode `payment`. A paid one always becomes an order, whatever it lacks: an order that
    cannot be served is held, never dropped. A subscription is reported by its invoices, of which a session may name the
    first."""
    session = told.entity
    match session.get("mode"):
        case "payment":
            if told.kind.endswith("async_payment_succeeded"):
                told = shown(call, told, "/v1/checkout/sessions", _is_paid)
            return _of_payment(call, told)
        case "subscription":
            return _joined(told)
        case "setup":
            return ()
    return (_unknown(call, session, session.get("mode")),)


def _joined(told: Snapshot) -> Sequence[News]:
    """The notice that joins a session and the first invoice of its subscription into one payment."""
    also, invoice = names(told.entity.get("id")), id_of(told.entity.get("invoice"))
    if invoice is None:
        return ()
    return (PaymentNotice("stripe", invoice, None, told.at, order_id="", said=told.said, also=also),)


def _is_paid(session: Mapping[str, Any]) -> bool:
    return session.get("payment_status") != "unpaid"


def _of_payment(call: Call, told: Snapshot) -> Sequence[News]:
    session = told.entity
    state = _state(told)
    if state is None or not is_id(session.get("id")):
        return (_unknown(call, session, session.get("payment_status")),)
    card = read_metadata(session.get("metadata"))
    goods = stripe_charged.Goods(card.lines)
    if state is PaymentState.PAID:
        goods = stripe_charged.of_session(call, session["id"], card)
    return (_notice(told, state, card, goods), *goods.remarks)


def _notice(told: Snapshot, state: PaymentState, card: Told, goods: stripe_charged.Goods) -> PaymentNotice:
    session = told.entity
    customer = mapped(session.get("customer_details"))
    addresses = (card.email, usable_address(customer.get("email")), usable_address(session.get("customer_email")))
    called = (clean_name(customer.get(name)) for name in ("name", "individual_name", "business_name"))
    return PaymentNotice(
        provider="stripe",
        payment_id=session["id"],
        state=state,
        at=told.at,
        said=told.said,
        order_id=card.order_id,
        amount=_total(session),
        currency=currency_of(session),
        email=next(filter(None, addresses), None),
        by_payer=not card.email,
        name=next(filter(None, called), None),
        language=card.language or language_of(session.get("locale")),
        lines=goods.lines,
        charged=goods.charged,
        problem=card.problem or goods.problem,
        also=names(session.get("payment_intent"), session.get("invoice")),  # Checkout may make one for it
        itemized=goods.itemized,
    )


def _total(session: Mapping[str, Any]) -> str | None:
    """The amount of a session; None for a coupon of 100 %, which is the shop's decision. A person must look at any
    other payment of 0."""
    discount = whole(mapped(session.get("total_details")).get("amount_discount"))
    if session.get("payment_status") == "no_payment_required" or (discount and session.get("amount_total") == 0):
        return None
    return amount(session.get("amount_total"), currency_of(session))


def _state(told: Snapshot) -> PaymentState | None:
    """The state of a session; None for one that we do not know."""
    if told.kind.endswith("async_payment_failed"):
        return PaymentState.FAILED
    status = told.entity.get("payment_status")
    return _STATES.get(status) if isinstance(status, str) else None


def _of_capture(call: Call, told: Snapshot) -> Sequence[News]:
    """What was taken of a payment that was only reserved, and the session that it pays: no other event reports that
    this one is paid now."""
    news = stripe_money_back.of_capture(call, told)
    intent = id_of(told.entity.get("payment_intent"))
    if call.get is None or intent is None:
        return news
    captured = _by_name(news)
    sessions = raw_listed(call, "/v1/checkout/sessions", {"payment_intent": intent})
    found = (each for session in sessions for each in _of_listed_session(call, mapped(session)))
    return (*(_as_captured(each, captured) for each in found), *news)


def _as_captured(news: News, captured: Mapping[str, PaymentNotice]) -> News:
    """The notice of a session with the amount that was taken: the session has only the amount that was reserved. A part
    of that does not say which goods it pays."""
    if not isinstance(news, PaymentNotice) or news.amount is None:
        return news
    taken = _taken(news, captured) or news.amount
    problem = news.problem
    if Decimal(taken) < Decimal(news.amount):
        amounts = {"amount": f"{news.currency} {taken}", "whole": f"{news.currency} {news.amount}"}
        problem = problem or said("captured_in_part", **amounts)
    return replace(news, amount=taken, problem=problem)


def _taken(news: PaymentNotice, captured: Mapping[str, PaymentNotice]) -> str | None:
    """The amount that was taken of a payment that was only reserved; None if nothing says so."""
    return next((captured[name].amount for name in news.also if name in captured), None)


def _unknown(call: Call, entity: Mapping[str, Any], state: Any) -> News:
    about = id_of(entity)
    return remark(call, said("stripe_unknown_state", id=about or "?", state=word(state)), about)


# The events that report an order. Each purchase is reported by only one of them.
EVENTS: dict[str, Callable[[Call, Snapshot], Sequence[News]]] = {
    "checkout.session.completed": _of_session,
    "checkout.session.async_payment_succeeded": _of_session,
    "checkout.session.async_payment_failed": _of_session,
    "invoice.paid": stripe_invoices.of_invoice,
    "invoice_payment.paid": stripe_invoices.of_invoice_payment,
    "customer.subscription.deleted": stripe_invoices.of_subscription,
    "charge.captured": _of_capture,
    "charge.refunded": stripe_money_back.of_charge,
    "refund.updated": stripe_money_back.of_refund,
    "refund.failed": stripe_money_back.of_refund,
    "charge.dispute.created": stripe_money_back.of_dispute,
    "charge.dispute.updated": stripe_money_back.of_dispute,
    "charge.dispute.funds_withdrawn": stripe_money_back.of_dispute,
    "charge.dispute.funds_reinstated": stripe_money_back.of_dispute,
    "charge.dispute.closed": stripe_money_back.of_dispute,
}
