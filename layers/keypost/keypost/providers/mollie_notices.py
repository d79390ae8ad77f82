"""What Mollie's objects mean: the notices of payments. Each is read as it is now, so the order and the number of calls
do not matter."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from pydantic import ValidationError

from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnreadable
from keypost.core.languages import language_of
from keypost.core.payment import Charged, Dispute, DisputeState, News, PaymentNotice, PaymentState, Refunded, Remark
from keypost.core.product import Line, renewing
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.providers.call import Call
from keypost.providers.mollie_objects import (
    CUSTOMER,
    LATEST_PAID,
    LINK,
    NOT_RETURNED,
    ORDER,
    PAYMENT,
    RETURNED,
    REVERSED,
    STATES,
    SUBSCRIPTION,
    Address,
    Amount,
    Chargeback,
    Customer,
    Invoice,
    ItemLine,
    Link,
    Order,
    Payment,
    ask,
    is_id,
    listed,
    objects,
    read,
)
from keypost.providers.order_card import Told, clean_name, is_sku, read_metadata

_UNSEEN = "chargeback"  # stands for all chargebacks, for a key that may not see them
_MOST_OF_LINK = 20  # payments of one reusable link that one call reads


def remark(call: Call, why: Said, payment_id: str = "") -> Remark:
    return Remark("mollie", call.now, why, payment=f"mollie:{payment_id}" if payment_id else "")


def payment_with(call: Call, payment_id: str) -> Payment | None:
    """The payment with this id, with its refunds and chargebacks; None if Mollie has none. ProviderUnreadable if Mollie
    answers with another one."""
    found = ask(call, f"/v2/payments/{payment_id}", {"embed": "refunds,chargebacks"})
    payment = read(Payment, found) if found is not None else None
    if payment and payment.id != payment_id:
        raise ProviderUnreadable("provider_unreadable", why=said("mollie_other_object", object=payment_id))
    return payment


def noticed(call: Call, payment: Payment) -> list[News]:
    """The notice of the present payment, and what is remarkable about it. Nothing for a payment of another profile, or
    of no amount, which only sets up a mandate."""
    check_mode(call, payment.mode)
    if not is_of_profile(call, payment.profile_id):
        return []
    if payment.status not in STATES:
        why = said("mollie_unknown_state", object=payment.id, state=word(payment.status))
        return [remark(call, why, payment.id)]
    if not payment.amount.number:
        return []
    metadata, news = _metadata(call, payment)
    told = read_metadata(metadata)
    notice = _notice(payment, told, call.now)
    if _lacks_address(notice) and is_id(CUSTOMER, payment.customer_id):
        notice, more = _with_customer(call, notice, told, payment)
        news += more
    return [notice, *news, *_unknown_refunds(call, payment)]


def _lacks_address(notice: PaymentNotice) -> bool:
    """True for a payment of goods for which nobody has named an address."""
    return bool(notice.lines or notice.charged) and not notice.email


def word(given: Any) -> str:
    """A word of Mollie's that we do not know, if it looks like one."""
    return given if isinstance(given, str) and re.fullmatch(r"[a-z0-9._-]{1,60}", given) else "?"


def _notice(payment: Payment, told: Told, now: datetime) -> PaymentNotice:
    card = _renewing(told, payment) if payment.subscription_id else told
    goods = _goods_without_card(payment, card)
    return PaymentNotice(
        provider="mollie",
        payment_id=payment.id,
        state=STATES[payment.status],
        at=_when(payment.happened_at, now),
        order_id=card.order_id,
        amount=payment.received.value,
        currency=payment.received.currency,
        email=card.email or usable_address(payment.billing_address.email),
        by_payer=not card.email,
        name=payment.billing_address.name,
        language=card.language or language_of(payment.locale),
        lines=card.lines or goods,
        problem=_problem(payment, card),
        said=now,
        charged=_charged(payment.lines),
        refunded=_refunded(payment, now),
        disputes=_disputes(payment, now),
        itemized=bool(goods),
        is_subscription=payment.is_of_subscription,
        subscription=payment.subscription_id or "",
        also=_names(ORDER, payment.order),
    )


def _renewing(told: Told, payment: Payment) -> Told:
    """The card of a payment of a subscription. Its metadata is the same each time, so each of its payments is an order
    of its own."""
    return replace(told, order_id=payment.id, lines=renewing(told.order_id, told.lines))


def _goods_without_card(payment: Payment, card: Told) -> tuple[Line, ...]:
    """The goods of a payment without a card. Those of a subscription do not say what they renew."""
    return () if card.has_card or payment.subscription_id else _goods(payment.lines)


def _problem(payment: Payment, card: Told) -> Said | None:
    return card.problem or _part(payment) or _odd(payment.lines)


def _when(moment: datetime, now: datetime) -> datetime:
    """A moment of Mollie's in whole seconds; never after now, as Mollie's clock may be ahead of ours."""
    return min(moment, now).replace(microsecond=0)


def _goods(lines: Sequence[ItemLine]) -> tuple[Line, ...]:
    """The goods that a shop names by a SKU."""
    sold = (each for each in lines if each.sells_named and is_sku(each.named))
    return tuple(Line(each.named, each.count) for each in sold if each.count)


def _charged(lines: Sequence[ItemLine]) -> tuple[Charged, ...]:
    """What was charged, without what can be no goods: a fee must not look like an item that nobody knows."""
    return tuple(each.charged for each in lines if each.may_be_goods)


def _odd(lines: Sequence[ItemLine]) -> Said | None:
    return said("odd_quantity") if any(each.sells_named and not each.count for each in lines) else None


def _part(payment: Payment) -> Said | None:
    """Why a payment of which a part was captured is no full payment."""
    if not payment.is_captured_in_part:
        return None
    captured, whole = (f"{each.currency} {each.value}" for each in (payment.received, payment.amount))
    return said("captured_in_part", amount=captured, whole=whole)


def _metadata(call: Call, payment: Payment) -> tuple[Any, list[News]]:
    """The metadata of a payment, or else of its subscription; Mollie does not always forward them."""
    ids = is_id(CUSTOMER, payment.customer_id) and is_id(SUBSCRIPTION, payment.subscription_id)
    if payment.metadata or not ids:
        return payment.metadata, []
    path = f"/v2/customers/{payment.customer_id}/subscriptions/{payment.subscription_id}"
    found, news = _if_there(call, path, payment.id)
    return found.get("metadata"), news


def _with_customer(
    call: Call, notice: PaymentNotice, told: Told, payment: Payment
) -> tuple[PaymentNotice, Sequence[News]]:
    """The notice with what Mollie keeps of the customer, for a payment that has no address."""
    found, news = _if_there(call, f"/v2/customers/{payment.customer_id}", payment.id)
    customer = read(Customer, found)
    email, name = usable_address(customer.email), notice.name or clean_name(customer.name)
    language = told.language or language_of(customer.locale) or notice.language
    return replace(notice, email=email, by_payer=True, name=name, language=language), news


def _if_there(call: Call, path: str, payment_id: str) -> tuple[dict[str, Any], list[News]]:
    """What a payment belongs to; an empty object, and a remark, if it was deleted or our key may not see it. The
    payment is still a payment then."""
    object_id = path.rpartition("/")[2]
    try:
        found = ask(call, path)
    except ProviderForbidden:
        return {}, [remark(call, said("mollie_forbidden", object=object_id), payment_id)]
    return found or {}, [remark(call, said("mollie_gone", object=object_id), payment_id)] if found is None else []


def paid_by_link(call: Call, link: Link, since: datetime) -> list[News] | None:
    """The payments through a link since then, or its newest one; None if no payment shows yet. A link has no metadata:
    its lines or, as `[SKU]`, its description say what is bought, once, for its amount."""
    check_mode(call, link.mode)
    if not is_of_profile(call, link.profile_id or call.profile):
        return []
    payments = _shown_through(call, link, since)
    if not payments:
        return None
    return [_with_link(news, link) for payment in payments for news in noticed(call, payment)]


def _shown_through(call: Call, link: Link, since: datetime) -> list[Payment]:
    """The payments through a link since then, or its newest one; none if one of them does not show its end yet."""
    payments = [payment_with(call, payment_id) for payment_id in _paid_through(call, link.id, since)]
    shown = [payment for payment in payments if payment and payment.is_decided]
    return shown if len(shown) == len(payments) else []


def _with_link(news: News, link: Link) -> News:
    """The notice of a payment with what its link says, where the payment itself says nothing."""
    if not isinstance(news, PaymentNotice):
        return news
    problem = news.problem if link.sells_once else said("payment_link_reusable")
    return _completed(replace(news, problem=problem), Told(), link.bought, link.billing_address)


def _completed(notice: PaymentNotice, told: Told, lines: Sequence[ItemLine], address: Address) -> PaymentNotice:
    """The notice with what belongs to its payment, where the payment itself says nothing."""
    notice = _with_charged(_with_lines(notice, told, lines), told, lines)
    email = notice.email or told.email or usable_address(address.email)
    by_payer = notice.by_payer if notice.email else not told.email
    order_id, name = notice.order_id or told.order_id, notice.name or address.name
    return replace(notice, order_id=order_id, email=email, by_payer=by_payer, name=name)


def _with_lines(notice: PaymentNotice, told: Told, lines: Sequence[ItemLine]) -> PaymentNotice:
    if notice.lines:
        return notice
    goods = _goods(lines)
    return replace(notice, lines=told.lines or goods, itemized=bool(goods) and not told.lines)


def _with_charged(notice: PaymentNotice, told: Told, lines: Sequence[ItemLine]) -> PaymentNotice:
    if any(each.sku for each in notice.charged):
        return notice
    charged = _charged(lines) or notice.charged
    return replace(notice, charged=charged, problem=notice.problem or told.problem or _odd(lines))


def _paid_through(call: Call, link_id: str, since: datetime) -> list[str]:
    """The ids of a link's payments since then, or of the newest one. A link that is not reusable has only one."""
    paid = _paid_in_list(call, link_id)
    new = [each for each in paid if _is_paid_since(each, since)]
    return [each["id"] for each in (new or paid[:1])[:_MOST_OF_LINK]]


def _paid_in_list(call: Call, link_id: str) -> list[dict[str, Any]]:
    """The payments that a link's list has as paid, the newest first."""
    found = objects([*islice(listed(call, f"payment-links/{link_id}/payments", call.now - LATEST_PAID), 250)])
    return [each for each in found if each.get("status") == "paid" and is_id(PAYMENT, each.get("id"))]


def _is_paid_since(found: dict[str, Any], since: datetime) -> bool:
    try:
        return Payment.model_validate(found).was_paid_since(since)
    except ValidationError:
        return False


def invoiced(call: Call, invoice: Invoice) -> list[News]:
    """The payment of a sales invoice, also of one that somebody marked as paid: that is the merchant's own word. An
    invoice without an order card is for something else."""
    told = read_metadata(invoice.metadata)
    if not is_of_profile(call, invoice.profile_id) or not told.has_card:
        return []
    check_mode(call, invoice.mode)
    return [_notice_of_invoice(call, invoice, told)]


def _notice_of_invoice(call: Call, invoice: Invoice, told: Told) -> PaymentNotice:
    recipient, payments = read(Address, invoice.recipient), _payments_of(call, invoice)
    # What came back through a payment, that payment says. A payment in cash has none.
    is_back = invoice.status == REVERSED and not payments
    return PaymentNotice(
        provider="mollie",
        payment_id=invoice.id,
        state=PaymentState.PAID,
        at=_when(invoice.paid_at or call.now, call.now),
        order_id=told.order_id,
        amount=invoice.total_amount.value,
        currency=invoice.total_amount.currency,
        email=told.email or usable_address(recipient.email),
        name=recipient.name_or_organization,
        language=told.language or language_of(invoice.recipient.get("locale")),
        lines=told.lines,
        problem=told.problem,
        said=call.now,
        refunded=Refunded(call.now, invoice.total_amount.value, full=True) if is_back else None,
        also=_names(PAYMENT, *payments),
    )


def _payments_of(call: Call, invoice: Invoice) -> list[str]:
    """The ids of the payments of an invoice, directly or through a payment link."""
    return invoice.paid_by("payment", PAYMENT) + [
        payment_id for link_id in invoice.paid_by("payment-link", LINK) for payment_id in _names_through(call, link_id)
    ]


def _names_through(call: Call, link_id: str) -> list[str]:
    try:
        return _paid_through(call, link_id, call.now)
    except ProviderForbidden:  # the invoice is paid all the same
        return []


def paid_by_order(call: Call, order_id: str) -> list[News]:
    """The payments of an old order, with what the order says of them."""
    try:
        found = ask(call, f"/v2/orders/{order_id}", {"embed": "payments"})
    except ProviderForbidden:
        return [remark(call, said("mollie_forbidden", object=order_id))]
    order = read(Order, found or {})
    payments = [payment_with(call, payment_id) for payment_id in order.payment_ids]
    told = read_metadata(order.metadata)
    return [_with_order(news, order, told) for payment in filter(None, payments) for news in noticed(call, payment)]


def _with_order(news: News, order: Order, told: Told) -> News:
    """The notice of a payment with what its old order says, where the payment itself says nothing."""
    if not isinstance(news, PaymentNotice):
        return news
    return _completed(news, told, order.lines, order.billing_address)


def is_of_profile(call: Call, profile_id: Any) -> bool:
    return not call.profile or profile_id == call.profile


def check_mode(call: Call, mode: str) -> None:
    if call.stage in ("live", "test") and mode != call.stage:
        raise ProviderRefused("key_of_other_mode", provider="mollie", stage=call.stage)


def _names(kind: str, *ids: Any) -> tuple[str, ...]:
    return tuple(f"mollie:{each}" for each in ids if is_id(kind, each))


def _refunded(payment: Payment, now: datetime) -> Refunded | None:
    """Everything that was or is being returned, as of now; also nothing, because a refund may have come back. A refund
    that waits or that failed is not included."""
    refunds, total = payment.embedded.refunds, payment.amount_refunded
    if refunds is None:  # a key that may not read refunds can still read their sum
        return Refunded(now, total.value) if total else None
    return Refunded(now, str(sum((each.amount.number for each in refunds if each.status in RETURNED), Decimal(0))))


def _unknown_refunds(call: Call, payment: Payment) -> list[News]:
    unknown = [each for each in payment.embedded.refunds or () if each.status not in RETURNED | NOT_RETURNED]
    return [
        remark(call, said("mollie_unknown_refund", object=payment.id, state=word(each.status)), payment.id)
        for each in unknown
    ]


def _disputes(payment: Payment, now: datetime) -> tuple[Dispute, ...]:
    chargebacks, total = payment.embedded.chargebacks, payment.amount_charged_back
    if chargebacks is None and total and total.number:
        return (Dispute(_UNSEEN, DisputeState.OPEN, now, _disputed(payment, total)),)
    return tuple(_dispute(payment, each) for each in chargebacks or ())


def reversed_unseen(call: Call, payment: Payment, news: Sequence[News]) -> list[News]:
    """The news of a payment of which a chargeback was reversed, with a key that may not see chargebacks: nothing is
    charged back any more, or nobody here can say how much."""
    total = payment.amount_charged_back
    if total and total.number:
        return [*news, remark(call, said("mollie_reversed_unseen", object=payment.id), payment.id)]
    won = Dispute(_UNSEEN, DisputeState.WON, call.now)
    return [replace(each, disputes=(won,)) if isinstance(each, PaymentNotice) else each for each in news]


def _dispute(payment: Payment, chargeback: Chargeback) -> Dispute:
    amount = _disputed(payment, chargeback.amount)
    if chargeback.reversed_at:
        return Dispute(chargeback.id, DisputeState.WON, chargeback.reversed_at, amount)
    return Dispute(chargeback.id, DisputeState.OPEN, chargeback.created_at, amount)


def _disputed(payment: Payment, back: Amount | None) -> str | None:
    """The part of the payment that a bank took back; None for all of it."""
    return back.value if back and back.number < payment.received.number else None
