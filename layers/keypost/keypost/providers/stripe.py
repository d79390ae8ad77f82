"""Stripe: signed snapshot events. A paid Checkout Session in mode `payment` is an order, and so is each paid invoice
of a subscription."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import stripe

from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.core.payment import (
    Dispute,
    DisputeState,
    Fact,
    FailedRefund,
    PaymentNotice,
    PaymentState,
    Refunded,
    SubscriptionEnded,
)
from keypost.core.product import Line
from keypost.core.said import said
from keypost.inputs.addresses import usable_address
from keypost.inputs.strict_json import parse_object
from keypost.providers.call import Call
from keypost.providers.order_card import Told, clean_name, is_sku, read_metadata, renewing

_TOLERANCE_SECONDS = 300
_OLDEST_SECONDS = 30 * 24 * 3600  # Stripe keeps events for this long
_DISPUTES = {  # by status, once closed
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_ID = re.compile(r"[A-Za-z0-9._-]{1,255}")  # the longest id of a session; in test mode they have 66 characters
_STAMPS = range(10**9, 10**10)  # in seconds, from 2001 to 2286
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
    raise SignatureRefused("signature_does_not_fit", header="Stripe-Signature")


def _check_age(header: str, now: datetime) -> None:
    """Refuse timestamps that are too old or too new. The library refuses only old ones, and uses the clock of the
    machine."""
    stamps = re.findall(r"(?:^|,)\s*t=([^,]*)", header)
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0], re.ASCII):
        raise SignatureRefused("signature_header_missing", header="Stripe-Signature")
    if abs(now.timestamp() - int(stamps[0])) > _TOLERANCE_SECONDS:
        raise SignatureRefused("signature_too_old")


def read(call: Call) -> Sequence[Fact]:
    event = parse_object(call.body)
    if event.get("object") != "event":
        raise InvalidInput("stripe_no_snapshot")
    kind = event.get("type")
    if not isinstance(kind, str):
        raise InvalidInput("stripe_no_type")
    if kind not in EVENTS:
        return ()
    if not _is_of_stage(event, call.stage):
        raise InvalidInput("other_mode", stage=call.stage)
    entity = _object(event)
    if not entity:
        raise InvalidInput("stripe_no_object")
    return EVENTS[kind](call, kind, entity, _moment(event.get("created"), call.now))


def recent(call: Call, since: datetime) -> Iterator[Fact]:
    """The events since then, also those that reached us, and the sessions. A payment that does not say what it was for
    is left to its callback, because an account may receive money for other things too."""
    stamp = str(int(since.timestamp()))
    for event in _listed(call, "/v1/events", {"created[gte]": stamp, "types[]": sorted(EVENTS)}):
        at, kind = _moment(event.get("created"), call.now), event.get("type")
        yield from _of_an_order(call, event, EVENTS[kind](call, kind, _object(event), at) if kind in EVENTS else ())
    for session in _listed(call, "/v1/checkout/sessions", {"created[gte]": stamp, "status": "complete"}):
        if session.get("payment_status") != "unpaid":
            yield from _of_an_order(call, session, _of_session(call, "", session, call.now))


def _of_an_order(call: Call, found: Mapping[str, Any], facts: Sequence[Fact]) -> Iterator[Fact]:
    if not _is_of_stage(found, call.stage):
        raise ProviderRefused("key_of_other_mode", provider="stripe", stage=call.stage)
    yield from filter(_says_what_for, facts)


def _says_what_for(fact: Fact) -> bool:
    """True for a payment with lines, or with a card that breaks a rule; and for news of a payment or a subscription
    that is known."""
    if not isinstance(fact, PaymentNotice) or fact.state is None:
        return True
    return bool(fact.lines or fact.problem)


def _is_of_stage(found: Mapping[str, Any], stage: str) -> bool:
    live = found.get("livemode")
    return isinstance(live, bool) and (live if stage == "live" else not live if stage == "test" else True)


def _object(event: Mapping[str, Any]) -> dict[str, Any]:
    """The object that an event is about; empty if its id is not valid."""
    entity = _map(event.get("data")).get("object")
    return entity if isinstance(entity, dict) and _is_id(entity.get("id")) else {}


def _of_session(call: Call, kind: str, session: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    """The notice of a session in mode `payment`; a subscription is reported by its invoices. A paid session always
    becomes an order, whatever it lacks: an order that cannot be served is held, never dropped."""
    state = _state(kind, session)
    if state is None or not _is_id(session.get("id")):
        return ()
    customer = _map(session.get("customer_details"))
    told = read_metadata(session.get("metadata"))
    lines = _bought(call, session["id"], told) if state is PaymentState.PAID else told.lines
    notice = PaymentNotice(
        provider="stripe",
        payment_id=session["id"],
        state=state,
        at=at,
        order_id=told.order_id,
        amount=_total(session),
        currency=_currency(session),
        email=told.email or usable_address(customer.get("email")),
        name=clean_name(customer.get("name")),
        language=told.language or _language(session.get("locale")),
        lines=lines,
        problem=told.problem,
        also=_names(session.get("payment_intent"), session.get("invoice")),  # Checkout may make one for it
        itemized=bool(lines) and not told.lines,
    )
    return (notice,)


def _bought(call: Call, session_id: str, told: Told) -> tuple[Line, ...]:
    """The lines of a paid session: those of its card with the quantities that the buyer chose, or without a card, those
    that Stripe knows. A card that breaks a rule has none: a person decides."""
    if told.problem:
        return ()
    return _adjusted(call, session_id, told.lines) if told.lines else _sold(call, session_id)


def _total(session: Mapping[str, Any]) -> str | None:
    """The amount of a session; None for a coupon of 100 %, which is the shop's decision. A person must look at any
    other payment of 0."""
    if session.get("payment_status") == "no_payment_required":
        return None
    return _amount(session.get("amount_total"), _currency(session))


def _language(locale: Any) -> str | None:
    found = re.match(r"([a-z]{2})(-|$)", str(locale))  # `auto` is no language
    return found[1] if found else None


def _state(event_type: str, session: Mapping[str, Any]) -> PaymentState | None:
    """The state of a session; None in another mode than `payment`. `unpaid` at `completed` is not a failure: a debit or
    a transfer has started."""
    payment_status = session.get("payment_status")
    if session.get("mode") != "payment":
        return None
    if event_type.endswith("async_payment_failed"):
        return PaymentState.FAILED
    if payment_status in ("paid", "no_payment_required"):
        return PaymentState.PAID
    return PaymentState.OPEN if payment_status == "unpaid" else None


def _of_invoice(call: Call, _kind: str, invoice: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    """The notice of an invoice of a subscription. The first invoice is the order of its card. Each later one is an
    order of its own, which renews the first for the period of its lines. An invoice of 0 opens a trial and sells
    nothing. An invoice without a subscription counts only if it has a card of its own, because Checkout makes one for a
    session too."""
    if not _is_id(invoice.get("id")) or not invoice.get("total"):
        return ()
    about = _subscription_details(invoice)
    if _is_id(about.get("subscription")):
        return (_of_period(call, invoice, about, at),)
    told = read_metadata(invoice.get("metadata"))
    return (_paid(invoice, told, at),) if told.lines else ()


def _subscription_details(invoice: Mapping[str, Any]) -> dict[str, Any]:
    """What an invoice says about its subscription, in the form since API version basil (2025-03-31) or in the one
    before."""
    return _map(_map(invoice.get("parent")).get("subscription_details")) or {
        "subscription": invoice.get("subscription"),
        **_map(invoice.get("subscription_details")),
    }


def _of_period(call: Call, invoice: dict[str, Any], about: Mapping[str, Any], at: datetime) -> PaymentNotice:
    """The notice of an invoice of a subscription, which charges one period."""
    subscription = about["subscription"]
    told = read_metadata(about.get("metadata") or _metadata_of_subscription(call, subscription))
    charged = [*filter(_is_of_subscription, _lines(call, invoice))]
    sold = () if told.lines else _sold_by(call, charged)
    notice = replace(
        _paid(invoice, told, at),
        lines=_in_period(call, charged, told.lines or sold),
        itemized=bool(sold),
        is_subscription=True,
    )
    reason = invoice.get("billing_reason")
    return notice if reason == "subscription_create" else _renewal(notice, subscription, reason)


def _renewal(notice: PaymentNotice, subscription: str, reason: Any) -> PaymentNotice:
    """The notice of a later invoice as an order of its own. Only `subscription_cycle` charges a whole new period; a
    person must look at any other."""
    problem = notice.problem
    if reason != "subscription_cycle":
        problem = said("invoice_not_for_a_period", reason=str(reason))
    lines = renewing(notice.order_id or subscription, notice.lines)
    return replace(notice, order_id=notice.payment_id, lines=lines, problem=problem)


def _paid(invoice: Mapping[str, Any], told: Told, at: datetime) -> PaymentNotice:
    """The notice of an invoice as the order of its card."""
    currency = _currency(invoice)
    return PaymentNotice(
        provider="stripe",
        payment_id=invoice["id"],
        state=PaymentState.PAID,
        at=at,
        order_id=told.order_id,
        amount=_amount(invoice.get("amount_paid"), currency),
        currency=currency,
        email=told.email or usable_address(invoice.get("customer_email")),
        name=clean_name(invoice.get("customer_name")),
        language=told.language,
        lines=told.lines,
        problem=told.problem,
        also=_names(invoice.get("payment_intent"), *_intents(invoice)),
    )


def _metadata_of_subscription(call: Call, subscription: str) -> Any:
    """The metadata of the subscription, fetched if the invoice has no copy of it, as before the API version of August
    2023."""
    found = call.get(f"/v1/subscriptions/{subscription}", {}) if call.get else None
    return _map(found).get("metadata")


def _lines(call: Call, invoice: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """All lines of an invoice. An event has only ten."""
    lines = _map(invoice.get("lines"))
    if lines.get("has_more") and call.get:
        return [*_listed(call, f"/v1/invoices/{invoice['id']}/lines", {})]
    found = lines.get("data")
    return [line for line in found if isinstance(line, dict)] if isinstance(found, list) else []


def _is_of_subscription(line: Mapping[str, Any]) -> bool:
    """True for a line that charges a period of a subscription, in the form since API version basil (2025-03-31) or in
    the one before."""
    item = _map(_map(line.get("parent")).get("subscription_item_details"))
    if item:
        return not item.get("proration")
    return (line.get("type") == "subscription" or bool(line.get("subscription"))) and not line.get("proration")


def _in_period(call: Call, charged: Sequence[Mapping[str, Any]], lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with the period that was charged, if it is only one. The invoice's own `period` is the one before."""
    periods = {_period(each, call.zone) for each in charged}
    period = periods.pop() if len(periods) == 1 else None
    if period is None:
        return tuple(lines)
    first, last = period
    return tuple(replace(line, period_start=first, period_end=last) for line in lines)


def _period(charged: Mapping[str, Any], zone: tzinfo) -> tuple[date, date] | None:
    """The first and the last day that a line of an invoice charges."""
    span = _map(charged.get("period"))
    first, after = _local_day(span.get("start"), zone), _local_day(span.get("end"), zone)
    if first is None or after is None or after <= first:
        return None
    return first, after - timedelta(days=1)


def _local_day(stamp: Any, zone: tzinfo) -> date | None:
    return datetime.fromtimestamp(stamp, zone).date() if isinstance(stamp, int) and stamp in _STAMPS else None


def _intents(invoice: Mapping[str, Any]) -> list[Any]:
    payments = _map(invoice.get("payments")).get("data") or ()
    return [_map(_map(each).get("payment")).get("payment_intent") for each in payments]


def _of_invoice_payment(_call: Call, _kind: str, paid: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    """The notice that joins an invoice and a payment intent into one payment: refunds and disputes name only the
    intent."""
    intent = _map(paid.get("payment")).get("payment_intent")
    if not _is_id(paid.get("invoice")) or not _is_id(intent):
        return ()
    return (PaymentNotice("stripe", paid["invoice"], None, at, order_id="", also=_names(intent)),)


def _of_subscription(_call: Call, _kind: str, subscription: dict[str, Any], _at: datetime) -> Sequence[Fact]:
    told = read_metadata(subscription.get("metadata"))
    return (SubscriptionEnded(told.order_id),) if told.order_id and told.lines else ()


def _of_charge(_call: Call, _kind: str, charge: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    """The total that was refunded of a charge, as of this event. Its flag `refunded` is not used, because a refund may
    fail later."""
    refunded = Refunded(at, _amount(charge.get("amount_refunded"), _currency(charge)))
    news = _news(charge, at)
    return (replace(news, refunded=refunded),) if news else ()


def _of_failed_refund(_call: Call, _kind: str, refund: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    amount = _amount(refund.get("amount"), _currency(refund)) or "0"
    news = _news(refund, at)
    return (replace(news, failed_refunds=(FailedRefund(refund["id"], amount, at),)),) if news else ()


def _of_dispute(_call: Call, kind: str, dispute: dict[str, Any], at: datetime) -> Sequence[PaymentNotice]:
    state = DisputeState.OPEN
    if kind.endswith("closed"):
        state = _DISPUTES.get(str(dispute.get("status")), DisputeState.LOST)
    news = _news(dispute, at)
    return (replace(news, disputes=(Dispute(dispute["id"], state, at),)),) if news else ()


def _news(entity: Mapping[str, Any], at: datetime) -> PaymentNotice | None:
    """The payment that a charge, a refund or a dispute is about. It is known by its payment intent, which the session
    or the invoice's payment names too; None without an intent."""
    intent = entity.get("payment_intent")
    if not _is_id(intent) or not _is_id(entity.get("id")):
        return None
    return PaymentNotice(provider="stripe", payment_id=str(intent), state=None, at=at, order_id="")


# The events that report an order. Each purchase is reported by only one of them.
EVENTS: dict[str, Callable[[Call, str, dict[str, Any], datetime], Sequence[Fact]]] = {
    "checkout.session.completed": _of_session,
    "checkout.session.async_payment_succeeded": _of_session,
    "checkout.session.async_payment_failed": _of_session,
    "invoice.paid": _of_invoice,
    "invoice_payment.paid": _of_invoice_payment,
    "customer.subscription.deleted": _of_subscription,
    "charge.refunded": _of_charge,
    "refund.failed": _of_failed_refund,
    "charge.dispute.created": _of_dispute,
    "charge.dispute.closed": _of_dispute,
}


def _items(call: Call, session_id: str) -> Iterator[dict[str, Any]]:
    return _listed(call, f"/v1/checkout/sessions/{session_id}/line_items", {"expand[]": ["data.price.product"]})


def _sold(call: Call, session_id: str) -> tuple[Line, ...]:
    """The lines that a session sold, as Stripe knows them."""
    return _goods(_items(call, session_id))


def _goods(items: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """The items that have a SKU."""
    return tuple(Line(sku, _quantity(item)) for item in items if (sku := _sku(item.get("price"))))


def _adjusted(call: Call, session_id: str, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines of a card, with the quantities that the buyer chose, if the shop allowed that and our key may read
    them."""
    try:
        items = [*_items(call, session_id)]
    except ProviderRefused:
        return lines
    if len(items) == len(lines) == 1 and _map(items[0].get("adjustable_quantity")).get("enabled") is True:
        return (replace(lines[0], quantity=_quantity(items[0])),)
    return _with_quantities(lines, items)


def _with_quantities(lines: tuple[Line, ...], items: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """The lines with the quantities of the items for the same SKU, if each line and each item has a SKU of its own."""
    bought = {line.sku: line.quantity for line in _goods(items)}
    if len(bought) < len(items) or len({line.sku for line in lines}) < len(lines):
        return lines
    return tuple(replace(line, quantity=bought.get(line.sku, line.quantity)) for line in lines)


def _sold_by(call: Call, charged: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """The lines that an invoice sold."""
    return tuple(Line(sku, _quantity(line)) for line in charged if (sku := _sku(_price(call, line))))


def _price(call: Call, charged: Mapping[str, Any]) -> Any:
    """The price of a line of an invoice, with its product. The line has only the price's id, or the price without its
    product; without a key for Stripe that has to do."""
    price = _map(_map(charged.get("pricing")).get("price_details")).get("price") or charged.get("price")
    price_id = price if isinstance(price, str) else _map(price).get("id")
    if call.get and _is_id(price_id):
        return call.get(f"/v1/prices/{price_id}", {"expand[]": ["product"]})
    return price


def _sku(price: Any) -> str | None:
    """The SKU: from the product's metadata, the price's metadata, or its lookup key."""
    price = _map(price)
    product = _map(price.get("product"))
    given = (_map(product.get("metadata")).get("sku"), _map(price.get("metadata")).get("sku"), price.get("lookup_key"))
    return next(filter(is_sku, given), None)


def _quantity(item: Mapping[str, Any]) -> int:
    quantity = item.get("quantity")
    return quantity if isinstance(quantity, int) and not isinstance(quantity, bool) and quantity > 0 else 1


def _listed(call: Call, path: str, query: Mapping[str, str | Sequence[str]]) -> Iterator[dict[str, Any]]:
    """All objects of a list, page by page."""
    if call.get is None:
        return
    page = call.get(path, {"limit": "100", **query})
    while page is not None:
        found = _listed_on(page)
        yield from found
        if not page.get("has_more") or not found:
            return
        page = call.get(path, {"limit": "100", **query, "starting_after": str(found[-1].get("id"))})


def _listed_on(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = page.get("data")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ProviderUnavailable("provider_list_unreadable", provider="stripe")
    return found


def _names(*intents: Any) -> tuple[str, ...]:
    return tuple(f"stripe:{intent}" for intent in intents if _is_id(intent))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _currency(entity: Mapping[str, Any]) -> str:
    return str(entity.get("currency") or "").upper()


def _amount(minor: Any, currency: str) -> str | None:
    if not isinstance(minor, int) or isinstance(minor, bool):
        return None
    return str(Decimal(minor) if _NO_MINOR_UNIT.fullmatch(currency) else Decimal(minor).scaleb(-2))


def _moment(created: Any, now: datetime) -> datetime:
    """The moment of the event by Stripe's clock, if it is within the time in which Stripe retries; otherwise now."""
    if isinstance(created, int) and 0 <= int(now.timestamp()) - created <= _OLDEST_SECONDS:
        return datetime.fromtimestamp(created, UTC)
    return now
