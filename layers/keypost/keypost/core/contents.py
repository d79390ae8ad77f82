"""What an order is for, and what a payment's news means for it, as pure changes: each takes an order and returns the
order as it is from then on. One that changes nothing returns the very order it was given."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from keypost.core.order import NO_ADDRESS, Order, Reason, noted, without_waits
from keypost.core.owed import named, to_block
from keypost.core.payment import (
    MONEY_BACK,
    Fact,
    OrderCanceled,
    PaymentNotice,
    PaymentState,
    Standing,
    SubscriptionEnded,
    with_notice,
)
from keypost.core.product import Kind, Line

MOST_CODES = 1000  # one order is one item of at most 400 kB


def with_payment(order: Order | None, notice: PaymentNotice, now: datetime, currency: str) -> Order:
    """Write down what a provider says of a payment. The first paid payment fixes what was bought; where it does not
    say, any notice that does. A second payment buys nothing more."""
    if order is None:
        order = _with_contents(Order(id=notice.order_id, created_at=now), notice, currency)
    before = order
    payments, payment = with_notice(order.payments, notice)
    first_paid = notice.state is PaymentState.PAID and order.paid_at is None
    if notice.lines and (first_paid or not order.lines or _says_when(order, notice.lines)):
        order = _with_contents(order, notice, currency)
    elif notice.problem and order.problem is None and not order.code_left:
        order = replace(order, problem=notice.problem)
    elif first_paid:
        known = replace(
            notice, lines=order.lines, email=notice.email or order.email, language=notice.language or order.language
        )
        order = _with_contents(order, known, currency)
    if payments == before.payments and order == before:
        return before
    order = replace(order, payments=payments, is_subscription=order.is_subscription or notice.is_subscription)
    if order.is_paid:
        order = without_waits(order, Reason.UNPAID)
    if before.is_paid and order.standing is Standing.PARTLY_REFUNDED:
        order = replace(order, released=False)  # what a person let go was another state of affairs
    if _says_the_same(before, order):
        return order
    standing = payment.standing if notice.state else order.standing
    order = noted(order, now, f"payment {standing}", f"{notice.provider} {notice.payment_id} says so")
    return _with_consequence(before, order, now)


def _says_when(order: Order, lines: tuple[Line, ...]) -> bool:
    """Whether these are the order's lines, with the days that it waits for."""
    if not order.waits_for(Reason.RENEWS) or order.owed_lines or order.licenses:
        return False
    bare = [replace(line, period_start=None, period_end=None) for line in lines]
    return lines != order.lines and bare == [replace(o, period_start=None, period_end=None) for o in order.lines]


def _with_consequence(before: Order, order: Order, now: datetime) -> Order:
    """What a payment's news means for the order, in its timeline."""
    if order.is_paid_twice and not before.is_paid_twice:
        return noted(order, now, "paid twice", "two payments stand; refund one of them")
    if order.is_paid and order.problem and (not before.is_paid or before.problem != order.problem):
        return noted(order, now, "on hold", order.problem)
    if order.standing is Standing.PARTLY_REFUNDED and not order.all_left:
        return noted(order, now, "on hold", "a part was refunded before all had left: let it go, or refund the rest")
    if found := to_block(order):
        return noted(order, now, "codes to block", f"the money went back after they left: {named(found)}")
    if order.blocked and order.standing not in MONEY_BACK:
        again = [one for one in order.licenses if one.id in order.blocked]
        why = f"the money is there after all: {named(again)}"
        return noted(replace(order, blocked=()), now, "codes to unblock", why)
    return order


def _says_the_same(before: Order, after: Order) -> bool:
    """Whether all that is new is as of when so much was returned: who asks a provider each hour hears that each
    hour."""

    def timeless(order: Order) -> Order:
        payments = (
            replace(p, refunded=tuple(replace(refunded, as_of=p.at) for refunded in p.refunded)) for p in order.payments
        )
        return replace(order, payments=tuple(sorted(payments, key=lambda payment: payment.names)))

    return timeless(before) == timeless(after)


def with_fact(order: Order | None, fact: Fact, now: datetime, currency: str) -> Order:
    """Write down what came in; the very order when it is nothing new."""
    match fact:
        case OrderCanceled():
            return canceled(order or Order(id=fact.order_id, created_at=now), now)
        case SubscriptionEnded():
            return with_subscription_ended(order or Order(id=fact.order_id, created_at=now), now)
        case PaymentNotice():
            return with_payment(order, fact, now, currency)


def canceled(order: Order, now: datetime) -> Order:
    """Write down that the shop canceled an order: what has not left yet stays here."""
    if order.canceled:
        return order
    return noted(replace(order, canceled=True), now, "canceled", "the shop says so")


def with_subscription_ended(
    order: Order, now: datetime, who: str = "keypost", why: str = "its provider says so"
) -> Order:
    """Write down that no renewal follows by itself. What was paid stays as it is."""
    if order.subscription_ended:
        return order
    order = without_waits(order, Reason.UNPAID)
    return noted(replace(order, subscription_ended=True), now, "subscription ended", why, who)


def belonging_to(order: Order, other: str, now: datetime) -> Order:
    """Write down that a payment which did not say what it was for turned out to be another order's."""
    if order.belongs_to or order.lines:
        return order
    return noted(replace(order, belongs_to=other), now, "found", f"its payment is of order {other}")


def _with_contents(order: Order, notice: PaymentNotice, currency: str) -> Order:
    notice = replace(notice, email=order.corrected.get(notice.email or "", notice.email))
    return replace(
        order,
        email=None if order.is_erased else notice.email,
        name=None if order.is_erased else notice.name,
        language=notice.language or order.language,
        lines=notice.lines,
        terms=order.terms if notice.lines == order.lines else (),
        waits=order.waits if notice.lines == order.lines else (),
        problem=_problem(notice, currency),
    )


def _problem(notice: PaymentNotice, currency: str) -> str | None:
    if notice.problem:
        return notice.problem
    if not notice.lines:
        return "nothing says what was bought: put an order card on the payment, or serve by hand"
    if not notice.email and not all(line.kind is Kind.RENEWAL for line in notice.lines):
        return NO_ADDRESS
    if notice.amount is not None and not Decimal(notice.amount):
        return "nothing was paid for it: check the shop, then serve by hand"
    if notice.currency != currency:
        return f"it was paid in {notice.currency}, this shop sells in {currency}: check the price, then serve by hand"
    if sum(line.quantity for line in notice.lines) > MOST_CODES:
        return f"it asks for more than {MOST_CODES} codes: split it into several orders"
    return None
