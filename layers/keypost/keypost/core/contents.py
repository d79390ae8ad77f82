"""What an order contains, computed from all that was told of its payments, and what the news of a payment changes in
it. Each function gets an order and returns the changed order; a function that changes nothing returns the same
object."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from keypost.core.lines import with_lines
from keypost.core.mail import Asked
from keypost.core.obstacles import asks_a_person, obstacle
from keypost.core.order import NO_ADDRESS, Decision, License, Order, Reason, noted, without_waits
from keypost.core.owed import named, to_block
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
    price_of,
    with_notice,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.telling import SHOPS, Buyer, Goods, first_paid, newest

_OF_ORDERS = ("shop_status",)  # problems that no other teller's list of goods takes away
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
    if payment.is_unmatched:
        order = noted(order, now, "money_back_unmatched", provider=notice.provider, payment=notice.payment_id)
        return _with_consequence(before, order, now)
    if _money(before) == _money(order):  # only what it is for, or for whom, was said otherwise
        return _with_consequence(before, _with_news_of_customer(before, order, notice, now), now)
    standing = payment.standing if notice.state else order.standing
    amount = _amount(payment, standing)
    order = noted(order, now, PAYMENT_IS[standing], provider=notice.provider, payment=notice.payment_id, amount=amount)
    return _with_consequence(before, order, now)


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


def goods_of(payment: Payment) -> tuple[Line, ...]:
    """What a payment is for, as it was told."""
    goods, _ = _goods(payment)
    return goods.lines if goods else ()


def address_of(payment: Payment) -> str | None:
    """Whose a payment is, as it was told."""
    return next((word.email for word in _buyers(payment) if word.email), None)


def with_contents(order: Order, now: datetime, currency: str, start: datetime | None = None) -> Order:
    """The order with what its payments say that it is for, now that all of this was told."""
    told = _told(order)
    if told.differs is None or not order.licenses:
        changed = with_lines(order, told.lines) if told.lines else order
        if changed.lines != order.lines and order.lines and order.paid_at and not told.differs:
            changed = noted(
                changed, now, "contents_changed", lines=[f"{one.quantity} x {one.sku}" for one in told.lines]
            )
        order = _with_customer(changed, told.buyer)
    problem = order.hold.problem if order.all_left else _problem(order, told, currency)
    hold = replace(order.hold, problem=problem, contents=told.differs)
    if order.code_left or _decided(order, "release"):
        hold = replace(hold, same_as="")
    if start is not None:
        hold = replace(hold, from_before=_is_from_before(order, start))
    return replace(order, hold=hold)


def _is_from_before(order: Order, start: datetime) -> bool:
    paid = [payment.at for payment in order.payments if payment.state is PaymentState.PAID]
    return bool(paid) and max(paid) < start and not order.code_left and not _decided(order, "release")


@dataclass(frozen=True, slots=True)
class _Told:
    """What the payments say together."""

    lines: tuple[Line, ...]
    buyer: Buyer
    problem: Said | None = None  # of the words themselves
    differs: Said | None = None  # for a person to decide


def _told(order: Order) -> _Told:
    counting = sorted(order.standing_payments, key=lambda payment: (payment.at, payment.names))
    unpaid = [payment for payment in order.payments if payment.state is not PaymentState.PAID]
    goods, problem, differs = _goods_of(counting or _last(order), unpaid if counting else [])
    buyer, other = _buyer_of(order, counting or _last(order), unpaid if counting else order.payments)
    if decision := _decided(order, "contents"):
        buyer = replace(buyer, email=decision.email or buyer.email)
        return _Told(decision.lines, buyer)
    if not counting:
        return _Told(goods, buyer, problem)
    differs = differs or other or left_more(order, goods) or _unsaid(order, goods)
    return _Told(goods, buyer, problem or _paid_in_part(order, counting), differs)


def _unsaid(order: Order, goods: Sequence[Line]) -> Said | None:
    """What stands does not say what it is for. The goods of a payment that went back, or of a list that has none of
    ours any more, are not those."""
    return said("nothing_bought") if order.lines and not goods else None


def _last(order: Order) -> list[Payment]:
    """While nothing is paid: the newest attempt that says what it is for; what a refunded payment was for stays
    known."""
    telling = [payment for payment in order.payments if any(word.lines or word.problem for word in payment.goods)]
    rank = {PaymentState.OPEN: 2, PaymentState.FAILED: 1, PaymentState.PAID: 0}
    return sorted(telling, key=lambda payment: (rank[payment.state], payment.at, payment.names))[-1:]


def _goods_of(
    payments: Sequence[Payment], unpaid: Sequence[Payment]
) -> tuple[tuple[Line, ...], Said | None, Said | None]:
    """The lines that these payments are for, what is wrong with them, and how they differ. A payment that says nothing
    borrows from those that were not made."""
    found = [_goods(payment) for payment in payments]
    telling = [goods for goods, _ in found if goods and goods.lines]
    if not telling and not any(word.foreign for payment in payments for word in newest(payment.goods)):
        borrowed = [_goods(payment) for payment in unpaid]
        found += borrowed
        telling = [goods for goods, _ in borrowed if goods and goods.lines]
    problem = next((goods.problem for goods, _ in found if goods and goods.problem), None)
    differs = next((differs for _, differs in found if differs), None)
    if len({counted(goods.lines) for goods in telling}) > 1:
        differs = said("goods_differ", told=[_text(goods.lines) for goods in telling])
    if not telling:
        return (), problem, differs
    return (telling[0] if differs else max(telling, key=_details)).lines, problem, differs


def _goods(payment: Payment) -> tuple[Goods | None, Said | None]:
    """What a payment is for by the best of its words, and how they differ. What its teller found wrong stays wrong, and
    so does what is wrong with the order and not with its goods."""
    words = newest(payment.goods)
    telling = [word for word in words if word.lines]
    if not telling:
        return next((word for word in words if word.problem), None), None
    best = max(telling, key=_details)
    wrong = (word.problem for word in words if word.problem and (word.by == best.by or word.problem.code in _OF_ORDERS))
    return replace(best, problem=next(wrong, None)), _differing(payment, telling)


def _differing(payment: Payment, telling: Sequence[Goods]) -> Said | None:
    told = [_text(word.lines) for word in telling]
    if len({counted(word.lines) for word in telling}) > 1:
        return said("goods_differ", told=told)
    return said("goods_grew", told=told) if any(_grew(payment, word) for word in telling) else None


def _grew(payment: Payment, word: Goods) -> bool:
    """Whether a teller names more or other goods than at the payment, for the same money."""
    first = first_paid(payment.goods, word.by)
    before, after = first_paid(payment.sums, word.by), next((s for s in newest(payment.sums) if s.by == word.by), None)
    if first is None or counted(word.lines) == counted(first.lines) or not first.lines:
        return False
    is_more = bool(Counter(dict(counted(word.lines))) - Counter(dict(counted(first.lines))))
    return is_more and Decimal(after.amount or 0 if after else 0) <= Decimal(before.amount or 0 if before else 0)


def counted(lines: Iterable[Line]) -> frozenset[tuple[str, int]]:
    """How many of which product."""
    count = Counter[str]()
    for line in lines:
        count[line.sku] += line.quantity
    return frozenset(count.items())


def _details(goods: Goods) -> tuple[bool, int, bool, str]:
    """Sorts words for the same goods by how much they say of them."""
    known = sum(
        value is not None for line in goods.lines for value in (line.renews, line.period_start, line.period_end)
    )
    return goods.problem is None, known, goods.by in SHOPS, repr(goods.lines)


def _text(lines: Iterable[Line]) -> str:
    return ", ".join(f"{line.quantity} x {line.sku}" for line in lines)


def left_more(order: Order, lines: Sequence[Line]) -> Said | None:
    """How the goods differ from what has left already. What left under a payment whose money went back may be more."""
    left = Counter(one.sku for one in order.licenses if order.has_left(one))
    for payment in order.settled:
        goods, _ = _goods(payment) if payment.standing is Standing.REFUNDED else (None, None)
        left -= Counter(dict(counted(goods.lines if goods else ())))
    left -= Counter(dict(counted(lines)))
    return said("left_is_more", left=[f"{count} x {sku}" for sku, count in sorted(left.items())]) if +left else None


def _buyer_of(order: Order, payments: Sequence[Payment], others: Iterable[Payment]) -> tuple[Buyer, Said | None]:
    found = [_buyers(payment) for payment in payments]
    telling = [buyer for each in found for buyer in each if buyer.email]
    if not telling:
        telling = [buyer for payment in others for buyer in _buyers(payment) if buyer.email][-1:]
    if not telling:
        return next((buyer for each in found for buyer in each), Buyer(by="")), None
    addresses = {_address(order, buyer) for buyer in telling}
    differs = said("customers_differ") if len(addresses) > 1 else None
    return telling[0], differs


def _buyers(payment: Payment) -> list[Buyer]:
    """Who a payment is of: as a shop says, before those who took the money."""
    told = sorted(newest(payment.buyers), key=lambda word: (not word.email, word.by not in SHOPS, word.by))
    return [word for word in told if word.email and word.by in SHOPS] or told[:1]


def _address(order: Order, buyer: Buyer) -> str:
    return order.customer.right(buyer.email or "").casefold()


def _with_customer(order: Order, buyer: Buyer) -> Order:
    known = order.customer
    language = buyer.language or known.language
    if order.is_erased:
        return replace(order, customer=replace(known, language=language))
    email = known.right(buyer.email or "") or known.email
    name = buyer.name or (known.name if email == known.email else None)
    return replace(order, customer=replace(known, email=email, name=name, language=language))


def _paid_in_part(order: Order, payments: Sequence[Payment]) -> Said | None:
    """Whether less was paid than the shop says that the order costs, or than it says of a payment that somebody else
    took."""
    taken = [payment for payment in payments if not payment.tellers <= SHOPS]
    of_payments = (word for payment in taken for word in newest(payment.sums) if word.by in SHOPS and word.amount)
    prices = [word for word in (price_of(order.id, order.payments), *of_payments) if word]
    price = max(prices, key=lambda word: Decimal(word.amount or 0), default=None)
    if price is None or not taken or any(payment.currency != price.currency for payment in payments):
        return None
    paid = sum((Decimal(payment.amount or 0) for payment in payments), Decimal(0))
    if paid >= Decimal(price.amount or 0):
        return None
    return said("paid_in_part", amount=f"{price.currency} {paid}", price=f"{price.currency} {price.amount}")


def _problem(order: Order, told: _Told, currency: str) -> Said | None:
    """Why no program may serve the order, unless a person has seen that and released it."""
    if _decided(order, "release"):
        return None
    return next(_problems(order, told, currency), None)


def _problems(order: Order, told: _Told, currency: str) -> Iterator[Said]:
    paid = [payment for payment in order.settled if payment.state is PaymentState.PAID]
    payments = order.standing_payments or paid or [payment for payment in order.payments if payment.sums]
    if told.problem:
        yield told.problem
    if not order.lines:
        yield said("nothing_bought")
    if not order.customer.email and not all(line.kind is Kind.RENEWAL for line in order.lines):
        yield said(NO_ADDRESS)
    if payments and all(payment.amount is not None and not Decimal(payment.amount) for payment in payments):
        yield said("nothing_paid")
    other = {payment.currency or "" for payment in payments} - {currency}
    if other:
        yield said("other_currency", paid=min(other), sold=currency)
    if sum(line.quantity for line in order.lines) > MOST_CODES:
        yield said("too_many_codes", most=MOST_CODES)


def _digests(order: Order, of: Collection[str]) -> tuple[str, ...]:
    """What was told of an order so far, without when and by whom: each goods and what is wrong with them, each
    customer, each sum, and what went back. A payment goes by that of its names which was known by then: another teller
    may have one more name for it."""
    told: list[object] = []
    for payment in order.payments:
        name = min(set(payment.names).intersection(of), default=payment.names[0])
        told.append((name, payment.amount, payment.currency, payment.standing))
        for word in newest(payment.goods):
            wrong = word.problem.content if word.problem else None
            told += [(name, each) for each in (word.lines, wrong, word.foreign) if each]
        told += [word.email.casefold() for word in newest(payment.buyers) if word.email]
    return tuple(sorted({sha256(repr(each).encode()).hexdigest()[:12] for each in told}))


def without_person(order: Order) -> Order:
    """The order without whose it is: nothing of that is left in its payments and decisions, and these count on."""
    order = replace(order, payments=tuple(replace(payment, buyers=()) for payment in order.payments))
    return replace(order, decisions=tuple(_without_person(order, decision) for decision in order.decisions))


def _without_person(order: Order, decision: Decision) -> Decision:
    told = _digests(order, decision.of)
    asked = replace(decision.asked, why="", key="")
    return replace(decision, email=None, asked=asked, saw=tuple(each for each in decision.saw if each in told))


def decided(order: Order, kind: str, asked: Asked, **what: object) -> Order:
    """With the decision of a person who has seen all that was told by now."""
    of = tuple(sorted(name for payment in order.payments for name in payment.names))
    decision = Decision(kind, asked, saw=_digests(order, of), of=of, **what)  # type: ignore[arg-type]
    return replace(order, decisions=(*order.decisions, decision))


def _decided(order: Order, kind: str) -> Decision | None:
    """The newest decision of this kind that counts: nothing was told since, and one of its payments stands."""
    for decision in reversed(order.decisions):
        if decision.kind == kind and _counts(order, decision):
            return decision
    return None


def _counts(order: Order, decision: Decision) -> bool:
    stands = any(not set(decision.of).isdisjoint(payment.names) for payment in order.standing_payments)
    return stands and set(_digests(order, decision.of)) <= set(decision.saw)


def _with_consequence(before: Order, order: Order, now: datetime) -> Order:
    """The order with a timeline entry for what follows from a payment's news."""
    if order.is_paid_twice and not before.is_paid_twice:
        return noted(order, now, "paid_twice")
    if _is_held_now(before, order):
        return noted(order, now, "on_hold", why=order.hold.problem or obstacle(order))
    if (found := to_block(order)) and _is_news(before, order, found):
        return noted(order, now, "codes_to_block", **named(found))
    again = [one for one in order.licenses if one.id in order.blocked and one not in order.past]
    if again and order.standing not in MONEY_BACK:
        blocked = tuple(sorted(set(order.blocked) - {one.id for one in again}))
        return noted(replace(order, blocked=blocked), now, "codes_to_unblock", **named(again))
    return order


def _is_news(before: Order, order: Order, found: Sequence[License]) -> bool:
    is_other = order.standing in MONEY_BACK and order.standing is not before.standing
    return is_other or tuple(found) != to_block(before)


def _is_held_now(before: Order, order: Order) -> bool:
    is_new = not before.is_paid or before.hold.problem != order.hold.problem
    asks = (asks_a_person(order) or order.hold.same_as) and obstacle(order) != obstacle(before)
    has_problem = order.is_paid and order.hold.problem is not None and is_new
    return has_problem or bool(asks) or (order.standing is Standing.PARTLY_REFUNDED and not order.all_left)


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
            return canceled(order or Order(id=fact.order_id, created_at=now), now)
        case SubscriptionEnded():
            return with_subscription_ended(order or Order(id=fact.order_id, created_at=now), now)
        case PaymentNotice():
            return with_payment(order, fact, now, currency, start)


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
