"""What an order contains, computed from all that was told of its payments, and what the news of a payment changes in
it. Each function gets an order and returns the changed order; a function that changes nothing returns the same
object."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from keypost.core import cancellation
from keypost.core.lines import with_lines
from keypost.core.mail import Asked
from keypost.core.obstacles import asks_a_person, obstacle
from keypost.core.order import NO_ADDRESS, Decision, License, Order, Reason, noted, without_waits
from keypost.core.owed import is_all_left, named, to_block
from keypost.core.payment import (
    MONEY_BACK,
    Dispute,
    Fact,
    OrderCanceled,
    Payment,
    PaymentNotice,
    PaymentState,
    Standing,
    SubscriptionEnded,
    join,
    with_notice,
)
from keypost.core.product import Kind
from keypost.core.said import Said, said
from keypost.core.telling import IMPORT, Buyer, newest
from keypost.core.told import Told, digests, in_force, line_text, told_of

MOST_CODES = 1000  # one order is one item of at most 400 kB
PAYMENT_IS = {standing: f"payment_{standing.replace(' ', '_')}" for standing in Standing} | {
    Standing.FAILED: "payment_failed_at"
}


def with_payment(
    order: Order | None, notice: PaymentNotice, now: datetime, currency: str, start: datetime | None = None
) -> Order:
    """Store what a teller reports of a payment. `start` is the moment from which Keypost serves: what was paid before
    it waits for a person."""
    order = order or Order(id=notice.order_id, created_at=now)
    before = order
    notice = of_imported(order, notice)
    if order.is_erased:  # nothing that names the customer comes in again
        notice = replace(notice, email=None, name=None)
    payments, payment = with_notice(order.payments, notice)
    if notice.same_as:
        order = replace(order, hold=replace(order.hold, same_as=notice.same_as))
    order = with_contents(_with_payments(order, payments, is_charged=notice.is_subscription), now, currency, start)
    if order == before:
        return before
    if says_the_same(before, order):
        return order
    told = _without_refunds(_with_news(before, order, notice, payment, now), now)
    if before.canceled and not order.canceled:
        told = noted(told, now, "not_canceled_any_more")
    return _with_consequence(before, told, now)


def of_imported(order: Order, notice: PaymentNotice) -> PaymentNotice:
    """What is told of the money for which an imported order was sold: what was bought, and by whom, the import has
    said. Any other notice as it is."""
    if order.imported is None:
        return notice
    is_of_back = notice.state is None and all(payment.is_by_hand for payment in order.payments)
    is_of_then = notice.state is PaymentState.PAID and notice.at < order.imported.asked.at
    if not is_of_then and not is_of_back:
        return notice
    return replace(
        notice,
        also=(*notice.also, f"{IMPORT}:{order.id}"),
        lines=(),
        charged=(),
        problem=None,
        foreign=False,
        email=None,
        name=None,
        language=None,
    )


def _with_news(before: Order, order: Order, notice: PaymentNotice, payment: Payment, now: datetime) -> Order:
    """The order with a timeline entry for what was told."""
    about = {"provider": notice.provider, "payment": notice.payment_id}
    if payment.is_unmatched:
        return noted(order, now, "money_back_unmatched", **about)
    if _money(before) == _money(order):  # only what it is for, or for whom, was said otherwise
        return _with_news_of_customer(before, order, notice, now)
    standing = payment.standing if notice.state else order.standing
    return noted(order, now, PAYMENT_IS[standing], **about, amount=_amount(payment, standing))


def _money(order: Order) -> list[object]:
    payments = sorted(order.payments, key=lambda payment: payment.names)
    return [
        (each.names, each.state, each.at, each.amount, each.currency, each.standing, each.returned, _disputes(each))
        for each in payments
    ]


def _with_news_of_customer(before: Order, order: Order, notice: PaymentNotice, now: datetime) -> Order:
    if order.customer.email in (before.customer.email, None):
        return order
    return noted(order, now, "customer_told", provider=notice.provider)


def _with_payments(order: Order, payments: tuple[Payment, ...], *, is_charged: bool) -> Order:
    before, order = order, replace(order, payments=payments)
    if is_charged:
        order = replace(order, subscription=replace(order.subscription, is_charged=True))
    if order.is_paid:
        order = without_waits(order, Reason.UNPAID)
    if _returned(order) > _returned(before):
        order = replace(order, hold=replace(order.hold, released=False))  # the person had seen another state
    return order


def _returned(order: Order) -> Decimal:
    """How much went back, where a refund of an unknown amount counts for something too, and so does each unknown
    payment of which money may be gone."""
    whole = sum(refunded.full for payment in order.payments for refunded in payment.refunded)
    unmatched = sum(payment.is_unmatched for payment in order.payments)
    return sum((payment.returned for payment in order.payments), Decimal(whole + unmatched))


def _amount(payment: Payment, standing: Standing) -> str | None:
    """What was paid or, of a payment that was returned in part, what was returned: "EUR 39.95"."""
    amount = str(payment.returned) if standing is Standing.PARTLY_REFUNDED else payment.amount
    return f"{payment.currency} {amount}" if amount and payment.currency else None


def with_payment_of(order: Order, payment: Payment, now: datetime, currency: str, start: datetime | None) -> Order:
    """The order with a payment that another order had, as all that was told of it."""
    others = [each for each in order.payments if set(each.names).isdisjoint(payment.names)]
    same = [each for each in order.payments if each not in others]
    payments = (*others, join([*same, payment]))
    if payments == order.payments:
        return order
    return with_contents(replace(order, payments=payments), now, currency, start)


def with_contents(order: Order, now: datetime, currency: str, start: datetime | None = None) -> Order:
    """The order with what its payments say that it is for, now that all of this was told. While they differ, what has
    codes already stays as it is."""
    told = told_of(order)
    if told.differs is None or not order.licenses:
        order = _with_customer(_with_goods(order, told, now), told.buyer)
    problem = order.hold.problem if is_all_left(order) else _problem(order, told, currency)
    hold = replace(order.hold, problem=problem, contents=told.differs)
    if order.code_left or in_force(order, "release"):
        hold = replace(hold, same_as="")
    if start is not None:
        hold = replace(hold, from_before=_is_from_before(order, start))
    return cancellation.with_state(replace(order, hold=hold))


def _with_goods(order: Order, told: Told, now: datetime) -> Order:
    changed = with_lines(order, told.lines) if told.lines else order
    is_news = bool(order.lines and order.paid_at) and changed.lines != order.lines and not told.differs
    return noted(changed, now, "contents_changed", lines=[*map(line_text, told.lines)]) if is_news else changed


def _is_from_before(order: Order, start: datetime) -> bool:
    if order.by_hand:
        return False
    paid = [payment.at for payment in order.payments if payment.state is PaymentState.PAID]
    return bool(paid) and max(paid) < start and not order.code_left and not in_force(order, "release")


def _with_customer(order: Order, buyer: Buyer) -> Order:
    known = order.customer
    if order.is_erased:
        return replace(order, customer=replace(known, language=buyer.language or known.language))
    email = known.right(buyer.email or "") or known.email
    if known.email and (email or "").casefold() != known.email.casefold():
        # Another customer, of whom nobody has corrected anything.
        known = replace(known, name=None, wrong_names=(), language_by_person=False)
    language = known.language if known.language_by_person else buyer.language or known.language
    return replace(order, customer=replace(known, email=email, name=known.right_name(buyer.name), language=language))


def _problem(order: Order, told: Told, currency: str) -> Said | None:
    """Why no program may serve the order, unless a person has seen that and released it."""
    if in_force(order, "release"):
        return None
    found = (told.problem, _lack(order), _money_problem(order, currency), _too_many(order))
    return next(filter(None, found), None)


def _lack(order: Order) -> Said | None:
    if not order.lines:
        return said("nothing_bought")
    is_known = order.customer.email or all(line.kind is Kind.RENEWAL for line in order.lines)
    return None if is_known else said(NO_ADDRESS)


def _money_problem(order: Order, currency: str) -> Said | None:
    payments = [payment for payment in _of_whose_money(order) if not payment.is_by_hand]
    if payments and all(map(_is_nothing, payments)):
        return said("nothing_paid")
    other = {payment.currency or "" for payment in payments} - {currency}
    return said("other_currency", paid=min(other), sold=currency) if other else None


def _of_whose_money(order: Order) -> Sequence[Payment]:
    """The payments that stand; else those that were made; else those of which somebody says how much they are."""
    paid = [payment for payment in order.settled if payment.state is PaymentState.PAID]
    return order.standing_payments or paid or [payment for payment in order.payments if payment.sums]


def _is_nothing(payment: Payment) -> bool:
    return payment.amount is not None and not Decimal(payment.amount)


def _too_many(order: Order) -> Said | None:
    count = sum(line.quantity for line in order.lines)
    return said("too_many_codes", most=MOST_CODES) if count > MOST_CODES else None


def without_person(order: Order) -> Order:
    """The order without whose it is: nothing of that is left in its payments and decisions, and these count on."""
    order = replace(order, payments=tuple(replace(payment, buyers=()) for payment in order.payments))
    return replace(order, decisions=tuple(_without_person(order, decision) for decision in order.decisions))


def _without_person(order: Order, decision: Decision) -> Decision:
    told = digests(order, decision.of)
    asked = replace(decision.asked, why="", key="")
    return replace(decision, email=None, asked=asked, saw=tuple(each for each in decision.saw if each in told))


def decided(order: Order, kind: str, asked: Asked, **what: object) -> Order:
    """With the decision of a person who has seen all that was told by now."""
    of = tuple(sorted(name for payment in order.payments for name in payment.names))
    decision = Decision(kind, asked, saw=digests(order, of), of=of, **what)  # type: ignore[arg-type]
    return replace(order, decisions=(*order.decisions, decision))


def _with_consequence(before: Order, order: Order, now: datetime) -> Order:
    """The order with a timeline entry for what follows from a payment's news."""
    if order.is_paid_twice and not before.is_paid_twice and not order.hold.contents:
        return noted(order, now, "paid_twice")
    if _is_held_now(before, order):
        return noted(order, now, "on_hold", why=order.hold.problem or obstacle(order))
    found = to_block(order)
    if found and _is_news(before, order, found):
        return noted(order, now, "codes_to_block", **named(found))
    return _with_unblocked(order, now)


def _is_news(before: Order, order: Order, found: Sequence[License]) -> bool:
    is_other = order.standing in MONEY_BACK and order.standing is not before.standing
    return is_other or tuple(found) != to_block(before)


def _without_refunds(order: Order, now: datetime) -> Order:
    """Once no money is back any more, since a refund failed or was deleted, no license is one that it was for."""
    refunded = order.gone_for("refunded")
    if not refunded or any(payment.returned for payment in order.settled):
        return order
    kept = tuple(each for each in order.gone if each.why != "refunded")
    for license_id in sorted(refunded):
        order = noted(order, now, "license_paid_after_all", license=license_id)
    return replace(order, gone=kept)


def _with_unblocked(order: Order, now: datetime) -> Order:
    """Codes that were blocked are good again, once the money of what they were given for is there again."""
    current = [one for one in order.licenses if one not in order.past]
    again = [one for one in current if one.id in order.blocked]
    if not again or order.standing in MONEY_BACK:
        return order
    blocked = tuple(sorted(set(order.blocked) - {one.id for one in again}))
    return noted(replace(order, blocked=blocked), now, "codes_to_unblock", **named(again))


def _is_held_now(before: Order, order: Order) -> bool:
    """Whether a person has to look since now."""
    if order.standing is Standing.PARTLY_REFUNDED and not is_all_left(order):
        return True
    return _has_new_problem(before, order) or _asks_anew(before, order)


def _has_new_problem(before: Order, order: Order) -> bool:
    is_new = not before.is_paid or before.hold.problem != order.hold.problem
    return order.is_paid and order.hold.problem is not None and is_new


def _asks_anew(before: Order, order: Order) -> bool:
    asks = asks_a_person(order) or bool(order.hold.same_as)
    return asks and obstacle(order) != obstacle(before)


def says_the_same(before: Order, after: Order) -> bool:
    """True if nothing has changed but the moments at which things were said. The hourly run hears the same every hour,
    so it is no news."""

    def timeless(order: Order) -> list[object]:
        return [_timeless(payment) for payment in sorted(order.payments, key=lambda payment: payment.names)]

    return timeless(before) == timeless(after) and replace(before, payments=()) == replace(after, payments=())


def _timeless(payment: Payment) -> tuple[object, ...]:
    words = [word.content for words in (payment.sums, payment.goods, payment.buyers) for word in newest(words)]
    back = [replace(refunded, as_of=payment.at) for refunded in payment.refunded]
    return payment.names, payment.state, payment.at, words, back, payment.failed_refunds, _disputes(payment)


def _disputes(payment: Payment) -> list[Dispute]:
    """What became of its disputes, without as of when."""
    return [replace(dispute, as_of=payment.at) for dispute in payment.disputes]


def with_fact(order: Order | None, fact: Fact, now: datetime, currency: str, start: datetime | None = None) -> Order:
    """Store a fact in the order; returns the same object if it is nothing new."""
    match fact:
        case OrderCanceled():
            return canceled(order or Order(id=fact.order_id, created_at=now), now, fact)
        case SubscriptionEnded():
            return with_subscription_ended(order or Order(id=fact.order_id, created_at=now), now, at=fact.at)
        case PaymentNotice():
            return with_payment(order, fact, now, currency, start)


def canceled(order: Order, now: datetime, fact: OrderCanceled | None = None) -> Order:
    """Store that the shop canceled the order. Keypost sends nothing more for it, unless it was paid later than that."""
    told = cancellation.with_cancellation(order, fact or OrderCanceled(order.id), now)
    if told is order:
        return order
    if told.canceled:
        return noted(told, now, "canceled")
    return noted(told, now, "canceled_before_payment")


def with_subscription_ended(
    order: Order, now: datetime, who: str = "keypost", words: str = "", at: datetime | None = None
) -> Order:
    """Store that the provider charges for no further renewal. What was paid stays as it is. An end that is told late,
    or again, changes nothing that was paid for since; without a moment it counts."""
    known = order.subscription
    if known.has_ended and (order.has_ended or (at and known.ended_at and at <= known.ended_at)):
        return order
    ended = replace(order, subscription=replace(known, has_ended=True, ended_at=at))
    if not ended.has_ended:
        return noted(ended, now, "subscription_had_ended", who=who, words=words)
    return noted(without_waits(ended, Reason.UNPAID), now, "subscription_ended", who=who, words=words)


def belonging_to(order: Order, other: str, now: datetime) -> Order:
    """Store that a payment which did not say what it was for belongs to another order."""
    if order.belongs_to or order.lines:
        return order
    return noted(replace(order, belongs_to=other), now, "found", order=other)
