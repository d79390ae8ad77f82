"""What an order contains, and what the news of a payment changes in it. Each function gets an order and returns the
changed order; a function that changes nothing returns the same object."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest

from keypost.core.obstacles import obstacle
from keypost.core.order import NO_ADDRESS, Order, Reason, noted, without_waits
from keypost.core.owed import named, to_block
from keypost.core.payment import (
    MONEY_BACK,
    Fact,
    OrderCanceled,
    Payment,
    PaymentNotice,
    PaymentState,
    Standing,
    SubscriptionEnded,
    with_notice,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.stored import with_extra

MOST_CODES = 1000  # one order is one item of at most 400 kB
PAYMENT_IS = {standing: f"payment_{standing.replace(' ', '_')}" for standing in Standing} | {
    Standing.FAILED: "payment_failed_at"
}


def with_payment(order: Order | None, notice: PaymentNotice, now: datetime, currency: str) -> Order:
    """Store what a provider reports of a payment. The first paid payment fixes what was bought; if it does not say
    that, the first notice that does. A second payment buys nothing more."""
    if order is None:
        order = _with_contents(Order(id=notice.order_id, created_at=now), notice, currency)
    before = order
    payments, payment = with_notice(order.payments, notice)
    order = _with_what_it_says(order, notice, currency)
    if payments == before.payments and order == before:
        return before
    order = _with_payments(order, payments, is_charged=notice.is_subscription)
    if _says_the_same(before, order):
        return order
    standing = payment.standing if notice.state else order.standing
    amount = _amount(payment, standing)
    order = noted(order, now, PAYMENT_IS[standing], provider=notice.provider, payment=notice.payment_id, amount=amount)
    return _with_consequence(before, order, now)


def _with_what_it_says(order: Order, notice: PaymentNotice, currency: str) -> Order:
    """What was bought, by whom, and what is wrong with it, as far as this notice decides that."""
    first_paid = notice.state is PaymentState.PAID and order.paid_at is None
    if notice.lines and (first_paid or not order.lines or _says_when(order, notice.lines)):
        return _with_contents(order, notice, currency)
    if notice.problem and order.hold.problem is None and not order.code_left:
        return replace(order, hold=replace(order.hold, problem=notice.problem))
    if not first_paid:
        return order
    email, language = notice.email or order.customer.email, notice.language or order.customer.language
    return _with_contents(order, replace(notice, lines=order.lines, email=email, language=language), currency)


def _with_payments(order: Order, payments: tuple[Payment, ...], *, is_charged: bool) -> Order:
    before, order = order, replace(order, payments=payments)
    if is_charged:
        order = replace(order, subscription=replace(order.subscription, is_charged=True))
    if order.is_paid:
        order = without_waits(order, Reason.UNPAID)
    if before.is_paid and order.standing is Standing.PARTLY_REFUNDED:
        order = replace(order, hold=replace(order.hold, released=False))  # the person had seen another state
    return order


def _amount(payment: Payment, standing: Standing) -> str | None:
    """What was paid or, of a payment that was returned in part, what was returned: "EUR 39.95"."""
    amount = str(payment.returned) if standing is Standing.PARTLY_REFUNDED else payment.amount
    return f"{payment.currency} {amount}" if amount and payment.currency else None


def _says_when(order: Order, lines: tuple[Line, ...]) -> bool:
    """True if `lines` equal the order's lines except for their days, and the order waits for these days (RENEWS)."""
    if not order.waits_for(Reason.RENEWS) or order.owed_lines or order.licenses:
        return False
    return lines != order.lines and _without_days(lines) == _without_days(order.lines)


def _without_days(lines: tuple[Line, ...]) -> list[Line]:
    return [replace(line, period_start=None, period_end=None) for line in lines]


def _with_consequence(before: Order, order: Order, now: datetime) -> Order:
    """The order with a timeline entry for what follows from a payment's news."""
    if order.is_paid_twice and not before.is_paid_twice:
        return noted(order, now, "paid_twice")
    if _is_held_now(before, order):
        return noted(order, now, "on_hold", why=order.hold.problem or obstacle(order))
    if found := to_block(order):
        return noted(order, now, "codes_to_block", **named(found))
    if order.blocked and order.standing not in MONEY_BACK:
        again = [one for one in order.licenses if one.id in order.blocked]
        return noted(replace(order, blocked=()), now, "codes_to_unblock", **named(again))
    return order


def _is_held_now(before: Order, order: Order) -> bool:
    is_new = not before.is_paid or before.hold.problem != order.hold.problem
    has_problem = order.is_paid and order.hold.problem is not None and is_new
    return has_problem or (order.standing is Standing.PARTLY_REFUNDED and not order.all_left)


def _says_the_same(before: Order, after: Order) -> bool:
    """True if nothing has changed but the moment as of which money was returned. The hourly run reports that every
    hour, so it is no news."""

    def timeless(order: Order) -> Order:
        payments = (
            replace(p, refunded=tuple(replace(refunded, as_of=p.at) for refunded in p.refunded)) for p in order.payments
        )
        return replace(order, payments=tuple(sorted(payments, key=lambda payment: payment.names)))

    return timeless(before) == timeless(after)


def with_fact(order: Order | None, fact: Fact, now: datetime, currency: str) -> Order:
    """Store a fact in the order; returns the same object if it is nothing new."""
    match fact:
        case OrderCanceled():
            return canceled(order or Order(id=fact.order_id, created_at=now), now)
        case SubscriptionEnded():
            return with_subscription_ended(order or Order(id=fact.order_id, created_at=now), now)
        case PaymentNotice():
            return with_payment(order, fact, now, currency)


def canceled(order: Order, now: datetime) -> Order:
    """Store that the shop canceled the order. Keypost sends nothing more for it."""
    if order.canceled:
        return order
    return noted(replace(order, canceled=True), now, "canceled")


def with_subscription_ended(order: Order, now: datetime, who: str = "keypost", words: str = "") -> Order:
    """Store that the provider charges for no further renewal. What was paid stays as it is."""
    if order.subscription.has_ended:
        return order
    ended = replace(order, subscription=replace(order.subscription, has_ended=True))
    return noted(without_waits(ended, Reason.UNPAID), now, "subscription_ended", who=who, words=words)


def belonging_to(order: Order, other: str, now: datetime) -> Order:
    """Store that a payment which did not say what it was for belongs to another order."""
    if order.belongs_to or order.lines:
        return order
    return noted(replace(order, belongs_to=other), now, "found", order=other)


def _with_contents(order: Order, notice: PaymentNotice, currency: str) -> Order:
    notice = replace(notice, email=order.customer.corrected.get(notice.email or "", notice.email))
    language = notice.language or order.customer.language
    customer = replace(order.customer, email=notice.email, name=notice.name, language=language)
    return replace(
        order,
        customer=replace(order.customer, language=language) if order.is_erased else customer,
        lines=_with_extra(order, notice.lines),
        terms=order.terms if notice.lines == order.lines else (),
        waits=order.waits if notice.lines == order.lines else (),
        hold=replace(order.hold, problem=_problem(notice, currency)),
    )


def _with_extra(order: Order, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines as told, each with the unknown fields of the order's line of that number, if it sells the same."""
    known = zip_longest(lines, order.lines[: len(lines)])
    return tuple(with_extra(line, old if old and old.sku == line.sku else None) for line, old in known)


def _problem(notice: PaymentNotice, currency: str) -> Said | None:
    if notice.problem:
        return notice.problem
    if not notice.lines:
        return said("nothing_bought")
    if not notice.email and not all(line.kind is Kind.RENEWAL for line in notice.lines):
        return said(NO_ADDRESS)
    if notice.amount is not None and not Decimal(notice.amount):
        return said("nothing_paid")
    if notice.currency != currency:
        return said("other_currency", paid=notice.currency or "", sold=currency)
    if sum(line.quantity for line in notice.lines) > MOST_CODES:
        return said("too_many_codes", most=MOST_CODES)
    return None
