"""Stores a fact in its order, together with everything that was reported of the same payment before its order was
known."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from keypost import telemetry
from keypost.core import charged, contents, settling
from keypost.core.aside import reason_of
from keypost.core.errors import SetAside
from keypost.core.order import Customer, Order
from keypost.core.owed import is_all_left
from keypost.core.payment import (
    Fact,
    News,
    OrderCanceled,
    PaymentNotice,
    PaymentState,
    Remark,
    Standing,
    SubscriptionEnded,
    counted_in_other,
)
from keypost.core.said import Said, said
from keypost.core.shop import Intake
from keypost.table import Store
from keypost.table.payments import Heard
from keypost.use_cases.hide_codes import is_typed_code, without_typed_codes
from keypost.use_cases.recognize import of_one_order, of_subscription, order_in_books, order_sold_with, recognized

_LONGEST_ID = 80
_LIKE_A_SKU = re.compile(r"[A-Za-z0-9._/ -]{1,64}")  # also one in another spelling than the catalog's, but no address
_MOST_SKUS = 20  # that are named


def record(
    store: Store, fact: News, now: datetime, intake: Intake, *, was_asked: bool = False
) -> tuple[str | None, bool]:
    """Store a fact; returns the id of its order, and whether it was news. None if the order is not known, or if the
    payment is not for us: then the inbox says so, as for a remark. A provider that `was_asked` says the same every
    hour: that is not written again."""
    if isinstance(fact, Remark):
        remember(store, fact)
        return None, False
    if isinstance(fact, OrderCanceled | SubscriptionEnded):
        fact = replace(fact, order_id=order_in_books(store, fact.order_id, intake))
    if isinstance(fact, SubscriptionEnded) and not store.exists(fact.order_id):
        sold = order_sold_with(store, fact.order_id)
        if not sold:
            # Only Stripe tells of it.
            remember(store, Remark("stripe", now, said("subscription_unknown"), fact.order_id))
            return None, False
        fact = replace(fact, order_id=sold)
    heard: Heard[Fact] = Heard([fact])
    if isinstance(fact, PaymentNotice):
        heard = _known(store, without_typed_codes(store, fact), now, intake)
    if not heard.facts:
        return None, False
    return _written_or_kept(store, heard, now, intake, was_asked=was_asked)


def _known(store: Store, notice: PaymentNotice, now: datetime, intake: Intake) -> Heard[PaymentNotice]:
    """Everything that is known of a payment, for its order; nothing, which is counted, if the payment is not for us or
    its order is not known."""
    ours = _ours(store, of_subscription(store, of_one_order(store, notice, intake)))
    if ours is None:
        telemetry.outcome("PaymentNotOurs")
        if notice.state is PaymentState.PAID:
            remember(store, _unknown_goods(store, notice, now))
        return Heard([])
    seen, order = recognized(store, ours, now, intake)
    heard = _facts(store, seen, now)
    if not heard.facts:
        telemetry.outcome("PaymentUnknown")
    return replace(heard, order=order)


def _written_or_kept(
    store: Store, heard: Heard[Fact], now: datetime, intake: Intake, *, was_asked: bool
) -> tuple[str, bool]:
    """Write the facts into their order, or keep them beside it while it cannot be written."""
    order_id = heard.facts[0].order_id
    try:
        return write_down(store, order_id, heard, now, intake, was_asked=was_asked)
    except SetAside as error:  # of this order, or of the one that its payment became
        telemetry.outcome("FactKeptAside", order_id=error.order_id)
        store.keep_told(error.order_id, reason_of(error), heard.facts, now)
        return error.order_id, True


def remember(store: Store, remark: Remark) -> None:
    """Write a remark into the inbox."""
    store.put_remark(remark)
    reason = ": ".join(remark.why.codes)
    telemetry.outcome("Remarked", provider=remark.provider, reason=reason, order_id=remark.order_id)


def _unknown_goods(store: Store, notice: PaymentNotice, now: datetime) -> Remark:
    """That somebody paid for goods of which the catalog has none, with those of their SKUs that look like one."""
    found = (each.sku for each in notice.charged or notice.lines)
    named = [sku for sku in dict.fromkeys(found) if _LIKE_A_SKU.fullmatch(sku)][:_MOST_SKUS]
    skus = [sku for sku in named if not is_typed_code(store, sku)]
    why = said("goods_unknown", skus=skus or None)
    return Remark(notice.provider, now, why, notice.order_id, f"{notice.provider}:{notice.payment_id}")


def write_down(
    store: Store, order_id: str, heard: Heard[Fact], now: datetime, intake: Intake, *, was_asked: bool = False
) -> tuple[str, bool]:
    """The order of these facts, and whether any of them is news to it: of a payment that a person made an order of its
    own, it is that one. Where the payment is heard of for the first time, the order is taken to be new, as the write
    finds out if it is there. Unreadable, NewerVersion or CannotBeStored when it cannot be written."""
    before: Order | None = None
    facts, names = heard.facts, _names(heard.facts)

    def with_facts(order: Order | None) -> Order:
        nonlocal before
        before = order
        if order and settling.moved_to(order, names):
            return order
        order = order or Order(id=order_id, created_at=now, customer=Customer(language=intake.language))
        for each in facts:
            order = contents.with_fact(order, each, now, intake.currency, intake.start)
        if before and was_asked and contents.says_the_same(before, order):
            return before
        return order

    order = store.change(order_id, with_facts, heard.order, is_new=heard.is_first)
    if other := settling.moved_to(order, names):
        return write_down(store, other, Heard(facts), now, intake, was_asked=was_asked)
    if order.is_erased:  # the customer that this callback names is not stored beside the order either
        store.forget_told(name for payment in order.payments for name in payment.names)
    _report(store, before, order, facts, now)
    return order.id, before is None or order.timeline != before.timeline


def _names(facts: Iterable[Fact]) -> list[str]:
    """All names of the payments of these facts."""
    return [name for each in facts if isinstance(each, PaymentNotice) for name in each.names]


def _report(store: Store, before: Order | None, order: Order, facts: Iterable[Fact], now: datetime) -> None:
    """Count what the facts made of an order. Money back for an order that was not known is written into the inbox."""
    for name in _outcomes(before, order):
        telemetry.outcome(name, order_id=order.id)
    for remark in _remarks(before, order, facts, now):
        with telemetry.optional():  # the order knows it, too
            remember(store, remark)


def _remarks(before: Order | None, order: Order, facts: Iterable[Fact], now: datetime) -> Iterator[Remark]:
    facts = list(facts)
    if before is None and (unheard := _money_back(facts, now)):
        yield unheard
    if before is None or not contents.says_the_same(before, order):
        for each in facts:
            if isinstance(each, PaymentNotice) and (why := _changes_nothing(order, each)):
                yield Remark(each.provider, now, why, order.id, f"{each.provider}:{each.payment_id}")


def _changes_nothing(order: Order, notice: PaymentNotice) -> Said | None:
    """Why a person should know of a notice that the order itself does not show: it says what an order of which all has
    left cannot be held for any more, or counts in a currency in which nothing was paid."""
    if notice.problem and is_all_left(order):
        return notice.problem
    other = counted_in_other(order.id, order.payments, notice)
    return said("refund_in_other_currency", currency=other) if other else None


def _facts(store: Store, notice: PaymentNotice, now: datetime) -> Heard[PaymentNotice]:
    """Everything that is known of a payment, for its order. A payment without an order, of which no other callback
    named one either, becomes an order under its own id: with lines it is served, without lines it is held until another
    callback says what it was for."""
    own_id = notice.payment_id[:_LONGEST_ID]
    heard = store.facts_of(notice)
    if not heard.facts and notice.lines and notice.state is not None:
        heard = store.facts_of(replace(notice, order_id=own_id))
    if not heard.facts and notice.state is not None:
        return Heard([replace(notice, order_id=own_id)], heard.is_first)
    _give_up_others(store, notice, heard.facts, now)
    return heard


def _give_up_others(store: Store, notice: PaymentNotice, facts: Iterable[Fact], now: datetime) -> None:
    """Close the orders that this payment became under its other names."""
    for fact in facts:
        if (
            isinstance(fact, PaymentNotice)
            and fact.state is not None
            and fact.payment_id not in (notice.payment_id, fact.order_id)
        ):
            _give_up(store, fact.payment_id[:_LONGEST_ID], fact.order_id, now)


def _give_up(store: Store, own_id: str, order_id: str, now: datetime) -> None:
    """Close the order that a payment became while its real order was not known."""

    def belonging(order: Order | None) -> Order:
        return contents.belonging_to(order or Order(id=own_id, created_at=now), order_id, now)

    try:
        store.change(own_id, belonging)
    except SetAside as error:  # it stays what it is: an order that nobody can serve
        telemetry.outcome("OrderUnreadable", order_id=own_id, place=error.place, error=type(error).__name__)


def _ours(store: Store, notice: PaymentNotice) -> PaymentNotice | None:
    """The notice with what it was for by the catalog. None if its list has nothing of ours, unless it is of an order
    that is known: then that was changed."""
    named = charged.named(notice)
    known = store.known_skus(named) if named else frozenset[str]()
    if set(named) - set(known):  # not in the catalog, or spelled otherwise there
        known = frozenset(store.skus())
    ours = charged.understood(notice, known)
    return ours if not ours.foreign or (ours.order_id and store.exists(ours.order_id)) else None


def _money_back(facts: Iterable[Fact], now: datetime) -> Remark | None:
    """The remark for facts that only tell of money back, or of a dispute, of an order that nobody knew."""
    notices = [fact for fact in facts if isinstance(fact, PaymentNotice)]
    if not notices or any(each.state is not None for each in notices):
        return None
    (first, *_) = notices
    payment = f"{first.provider}:{first.payment_id}"
    return Remark(first.provider, now, said("money_back_unknown"), first.order_id, payment)


def _outcomes(before: Order | None, after: Order) -> list[str]:
    """The names of the metrics that count what this fact made of the order."""
    paid = "OrderPaid" if after.hold.problem is None else "OrderHeld"
    was = _signs(before or Order(id=after.id, created_at=after.created_at), paid)
    return [name for name, is_so in _signs(after, paid).items() if is_so and not was[name]]


def _signs(order: Order, paid: str) -> dict[str, bool]:
    """What an order is, by the name of the metric that counts the orders that became so."""
    return {
        paid: order.is_paid,
        "OrderRefunded": order.standing is Standing.REFUNDED,
        "OrderDisputed": order.standing is Standing.DISPUTED,
        "OrderPaidTwice": order.is_paid_twice,
        "OrderCanceled": order.canceled,
        "SubscriptionEnded": order.has_ended,
    }
