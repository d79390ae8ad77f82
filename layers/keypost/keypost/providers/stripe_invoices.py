"""The invoices of Stripe: each paid one of a subscription is an order, the later ones as renewals of the first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import filterfalse
from typing import Any

from keypost.core.errors import ProviderRefused
from keypost.core.frozen import dataclass
from keypost.core.payment import News, PaymentNotice, PaymentState, SubscriptionEnded
from keypost.core.product import Line, renewing
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.providers import stripe_charged
from keypost.providers.call import Call
from keypost.providers.order_card import Told, clean_name, read_metadata
from keypost.providers.stripe_objects import (
    STAMPS,
    Snapshot,
    amount,
    currency_of,
    id_of,
    is_id,
    listed,
    mapped,
    names,
    remark,
    shown,
    whole,
    word,
)

_SOON = 24 * 3600  # seconds; a trial that begins with its subscription begins within a day of it
_ABOUT = timedelta(days=4)  # by which periods of the same interval differ: months have 28 to 31 days


@dataclass(frozen=True, slots=True)
class _Subscription:
    """What is known of the subscription of an invoice."""

    id: str
    metadata: Any
    trial_end: int | None  # of the trial that it began with
    is_known: bool  # Stripe was asked and answered


def of_invoice(call: Call, told: Snapshot) -> Sequence[News]:
    """The notice of a paid invoice. Without a subscription it counts only if it has a card of its own, because Checkout
    makes one for a session too."""
    snapshot = shown(call, told, "/v1/invoices", _is_paid)
    invoice = snapshot.entity
    if whole(invoice.get("total")) is None:
        return (remark(call, said("stripe_unknown_state", id=id_of(invoice), state="total"), id_of(invoice)),)
    about = _subscription_details(invoice)
    if is_id(about.get("subscription")):
        return _of_subscription(call, snapshot, about)
    card = read_metadata(invoice.get("metadata"))
    if not card.has_card:
        return ()
    goods = stripe_charged.of_invoice(call, invoice["id"], _lines(call, invoice), (), card)
    return (_with_goods(_paid(snapshot, card), goods), *goods.remarks)


def _is_paid(invoice: Mapping[str, Any]) -> bool:
    """True unless it says that it is not. Before API version basil (2025-03-31) the field is `paid`."""
    return invoice.get("status") in (None, "paid") and invoice.get("paid") is not False


def _subscription_details(invoice: Mapping[str, Any]) -> dict[str, Any]:
    """What an invoice says about its subscription, in the form since API version basil (2025-03-31) or in the one
    before."""
    return mapped(mapped(invoice.get("parent")).get("subscription_details")) or {
        "subscription": id_of(invoice.get("subscription")),
        **mapped(invoice.get("subscription_details")),
    }


def _of_subscription(call: Call, snapshot: Snapshot, about: Mapping[str, Any]) -> Sequence[News]:
    """The notice of an invoice that charges one period. The first one that sold something is the order of the card.
    Each later one is an order of its own, which renews the first for the period of its lines."""
    invoice = snapshot.entity
    subscription = _subscription(call, about, invoice.get("billing_reason"))
    card = read_metadata(subscription.metadata)
    lines = [line for line in _lines(call, invoice) if not _is_proration(line)]
    periodic, once = [*filter(_is_periodic, lines)], [*filterfalse(_is_periodic, lines)]
    if _is_trial(invoice, periodic):
        return _trial(call, snapshot, card, lines)
    goods = stripe_charged.of_invoice(call, invoice["id"], periodic, once, card)
    notice = _with_goods(_paid(snapshot, card), goods)
    periods = {_period(line, call.zone) for line in periodic}
    lines_of_period = _in_period(notice.lines, periods)
    notice = replace(notice, lines=lines_of_period, is_subscription=True, subscription=subscription.id)
    return (_as_order(notice, subscription, invoice, periodic, call.zone), *goods.remarks)


def _as_order(
    notice: PaymentNotice,
    subscription: _Subscription,
    invoice: Mapping[str, Any],
    periodic: Sequence[Mapping[str, Any]],
    zone: tzinfo,
) -> PaymentNotice:
    """The notice as the order of the card, or as a renewal of it."""
    reason, first = invoice.get("billing_reason"), notice.order_id or subscription.id
    if reason == "subscription_create" or (reason == "subscription_cycle" and _follows_trial(subscription, periodic)):
        return replace(notice, order_id=first)
    problem = _problem_of_renewal(notice, subscription, invoice, periodic, zone)
    return replace(notice, order_id=notice.payment_id, lines=renewing(first, notice.lines), problem=problem)


def _problem_of_renewal(
    notice: PaymentNotice,
    subscription: _Subscription,
    invoice: Mapping[str, Any],
    periodic: Sequence[Mapping[str, Any]],
    zone: tzinfo,
) -> Said | None:
    """Why a person must look at a later invoice. Only `subscription_cycle` charges a whole new period."""
    reason = invoice.get("billing_reason")
    if reason != "subscription_cycle":
        return said("invoice_not_for_a_period", reason=word(reason))
    if notice.problem:
        return notice.problem
    if not subscription.is_known and _is_first_of_its_length(invoice, periodic, zone):
        return said("stripe_may_follow_trial")
    return _less_than_on_card(notice)


def _less_than_on_card(notice: PaymentNotice) -> Said | None:
    """The problem with a later invoice that charges one of a price without a SKU, where the card says more: that may be
    a bundle, or somebody has lowered the quantity since."""
    if len(notice.lines) != 1 or len(notice.charged) != 1 or notice.charged[0].sku:
        return None
    charged, card = notice.charged[0].quantity, notice.lines[0].quantity
    return said("charged_other_quantity", charged=charged, card=card) if charged == 1 < card else None


def _trial(call: Call, snapshot: Snapshot, card: Told, lines: Sequence[Mapping[str, Any]]) -> Sequence[News]:
    """A period that costs nothing sells nothing yet. The first one opens the order of the card, which the first paid
    invoice pays, so that support finds it. One with a fee beside it is for a person."""
    notice = replace(_paid(snapshot, card), is_subscription=True)
    if snapshot.entity.get("total"):
        goods = stripe_charged.of_invoice(call, notice.payment_id, lines, (), card)
        problem = said("invoice_not_for_a_period", reason="trial")
        return (replace(_with_goods(notice, goods), problem=problem), *goods.remarks)
    begun = remark(call, said("stripe_trial"), notice.payment_id, card.order_id)
    if snapshot.entity.get("billing_reason") != "subscription_create" or not card.order_id:
        return (begun,)
    return (replace(notice, state=PaymentState.OPEN, amount=None), begun)


def _is_trial(invoice: Mapping[str, Any], periodic: Sequence[Mapping[str, Any]]) -> bool:
    """True if the period itself costs nothing, before any coupon: a trial, or a plan that is free."""
    if _discount(invoice):
        return False
    return all(line.get("amount") == 0 for line in periodic) and bool(periodic or not invoice.get("total"))


def _discount(invoice: Mapping[str, Any]) -> int:
    """What coupons took off an invoice."""
    given = invoice.get("total_discount_amounts")
    return sum(whole(mapped(each).get("amount")) or 0 for each in given) if isinstance(given, list) else 0


def _subscription(call: Call, about: Mapping[str, Any], reason: Any) -> _Subscription:
    """The subscription of an invoice. It is fetched for its metadata, if the invoice has no copy of it, as before the
    API version of August 2023; and to know whether a trial came before this period."""
    subscription_id, metadata = str(about["subscription"]), about.get("metadata")
    is_needed = not metadata or reason == "subscription_cycle"
    found = _fetched(call, subscription_id, or_fail=not metadata) if is_needed else None
    trial_end = _first_trial_end(mapped(found))
    return _Subscription(subscription_id, metadata or mapped(found).get("metadata"), trial_end, found is not None)


def _fetched(call: Call, subscription_id: str, *, or_fail: bool) -> dict[str, Any] | None:
    """The subscription; None without a key for Stripe, or if our key may not read it and we can do without."""
    try:
        return call.get(f"/v1/subscriptions/{subscription_id}", {}) if call.get else None
    except ProviderRefused:
        if or_fail:
            raise
        return None


def _first_trial_end(subscription: Mapping[str, Any]) -> int | None:
    """The end of the trial with which a subscription began. A later one only moves the day of the next payment."""
    begun, since = whole(subscription.get("trial_start")), whole(subscription.get("start_date"))
    if begun is not None and since is not None and begun - since > _SOON:
        return None
    return whole(subscription.get("trial_end"))


def _follows_trial(subscription: _Subscription, periodic: Sequence[Mapping[str, Any]]) -> bool:
    """True for the first period behind the trial with which the subscription began."""
    starts = [mapped(line.get("period")).get("start") for line in periodic]
    return subscription.trial_end is not None and set(map(whole, starts)) == {subscription.trial_end}


def _is_first_of_its_length(invoice: Mapping[str, Any], periodic: Sequence[Mapping[str, Any]], zone: tzinfo) -> bool:
    """True if the period before was shorter than the one that is charged, as a trial is. The invoice's own `period` is
    the one before."""
    before = _days({"start": invoice.get("period_start"), "end": invoice.get("period_end")}, zone)
    charged = [days for line in periodic if (days := _days(line.get("period"), zone)) is not None]
    return before is not None and bool(charged) and max(charged) - before > _ABOUT


def _days(span: Any, zone: tzinfo) -> timedelta | None:
    first, after = (_local_day(mapped(span).get(name), zone) for name in ("start", "end"))
    return after - first if first and after else None


def _with_goods(notice: PaymentNotice, goods: stripe_charged.Goods) -> PaymentNotice:
    return replace(
        notice,
        lines=goods.lines,
        charged=goods.charged,
        problem=notice.problem or goods.problem,
        itemized=goods.itemized,
    )


def _paid(snapshot: Snapshot, card: Told) -> PaymentNotice:
    """The notice of an invoice as the order of its card."""
    invoice = snapshot.entity
    currency = currency_of(invoice)
    return PaymentNotice(
        provider="stripe",
        payment_id=invoice["id"],
        state=PaymentState.PAID,
        at=snapshot.at,
        said=snapshot.said,
        order_id=card.order_id,
        amount=_amount_paid(invoice, currency),
        currency=currency,
        email=card.email or usable_address(invoice.get("customer_email")),
        by_payer=not card.email,
        name=clean_name(invoice.get("customer_name")),
        language=card.language,
        lines=card.lines,
        problem=card.problem,
        also=names(invoice.get("payment_intent"), invoice.get("charge"), *_payments(invoice)),
    )


def _amount_paid(invoice: Mapping[str, Any], currency: str) -> str | None:
    """What was paid; None for a coupon of 100 %, which is the shop's decision. A person must look at any other invoice
    of 0."""
    if not invoice.get("total") and _discount(invoice):
        return None
    return amount(invoice.get("amount_paid"), currency)


def _payments(invoice: Mapping[str, Any]) -> list[Any]:
    found = mapped(invoice.get("payments")).get("data")
    return [each for payment in found for each in _paid_with(payment)] if isinstance(found, list) else []


def _paid_with(payment: Any) -> tuple[Any, Any]:
    """The payment intent of a payment of an invoice, or its charge, if that has no intent."""
    by = mapped(mapped(payment).get("payment"))
    return by.get("payment_intent"), by.get("charge")


def _lines(call: Call, invoice: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """All lines of an invoice. An event has only ten."""
    lines = mapped(invoice.get("lines"))
    if lines.get("has_more") and call.get:
        return [*listed(call, f"/v1/invoices/{invoice['id']}/lines", {})]
    found = lines.get("data")
    return [line for line in found if isinstance(line, dict)] if isinstance(found, list) else []


def _is_periodic(line: Mapping[str, Any]) -> bool:
    """True for a line that charges a period of a subscription, in the form since API version basil (2025-03-31) or in
    the one before."""
    if mapped(line.get("parent")).get("subscription_item_details"):
        return True
    return line.get("type") == "subscription" or (not line.get("parent") and bool(line.get("subscription")))


def _is_proration(line: Mapping[str, Any]) -> bool:
    """True for a line that settles a change within a period that has begun: it sells no period."""
    parent = mapped(line.get("parent"))
    details = mapped(parent.get("subscription_item_details")) or mapped(parent.get("invoice_item_details"))
    return bool(details.get("proration") or line.get("proration"))


def _in_period(lines: tuple[Line, ...], periods: set[tuple[date, date] | None]) -> tuple[Line, ...]:
    """The lines with the period that was charged, if it is only one. The invoice's own `period` is the one before."""
    period = next(iter(periods)) if len(periods) == 1 else None
    if period is None:
        return lines
    first, last = period
    return tuple(replace(line, period_start=first, period_end=last) for line in lines)


def _period(charged: Mapping[str, Any], zone: tzinfo) -> tuple[date, date] | None:
    """The first and the last day that a line of an invoice charges."""
    span = mapped(charged.get("period"))
    first, after = _local_day(span.get("start"), zone), _local_day(span.get("end"), zone)
    if first is None or after is None or after <= first:
        return None
    return first, after - timedelta(days=1)


def _local_day(stamp: Any, zone: tzinfo) -> date | None:
    return datetime.fromtimestamp(stamp, zone).date() if isinstance(stamp, int) and stamp in STAMPS else None


def of_invoice_payment(_call: Call, told: Snapshot) -> Sequence[News]:
    """The notice that joins an invoice and a payment intent or a charge into one payment: refunds and disputes name
    only these."""
    invoice, also = id_of(told.entity.get("invoice")), names(*_paid_with(told.entity))
    if invoice is None or not also:
        return ()
    return (PaymentNotice("stripe", invoice, None, told.at, order_id="", said=told.said, also=also),)


def of_subscription(_call: Call, told: Snapshot) -> Sequence[News]:
    """The end of a subscription, for the order of its card."""
    card = read_metadata(told.entity.get("metadata"))
    ended = told.entity.get("ended_at")
    at = datetime.fromtimestamp(ended, UTC) if isinstance(ended, int) and ended in STAMPS else told.at
    return (SubscriptionEnded(card.order_id, min(at, told.at)),) if card.order_id and card.has_card else ()
