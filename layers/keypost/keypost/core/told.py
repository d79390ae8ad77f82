"""What the payments of an order say together: what it is for, whose it is, and how they differ. These functions only
answer; they change nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from keypost.core.frozen import dataclass
from keypost.core.order import Decision, Order
from keypost.core.payment import (
    Payment,
    PaymentState,
    Standing,
    are_for_others,
    are_of_others,
    may_be_one,
    price_of,
    whole_order,
)
from keypost.core.product import Line, counted
from keypost.core.renewal_choice import as_decided
from keypost.core.said import Said, said
from keypost.core.telling import SHOPS, Buyer, Goods, Sum, first_paid, newest

_OF_ORDERS = ("shop_status",)  # problems that no other teller's list of goods takes away
_NOBODY = Buyer(by="")
_DOUBTFUL = (Standing.OPEN, Standing.FAILED, Standing.REFUNDED)
_NEWEST = {PaymentState.OPEN: 2, PaymentState.FAILED: 1, PaymentState.PAID: 0}


@dataclass(frozen=True, slots=True)
class Told:
    lines: tuple[Line, ...]
    buyer: Buyer
    problem: Said | None = None  # why no program can serve them
    differs: Said | None = None  # for a person to decide


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What one payment is for, or several of them."""

    lines: tuple[Line, ...] = ()
    problem: Said | None = None
    differs: Said | None = None
    is_foreign: bool = False


def told_of(order: Order) -> Told:
    """What counts now: a person's decision; what the payments say that stand; while none does, the newest attempt."""
    standing = sorted(order.standing_payments, key=_when)
    if not standing:
        return _of_the_last(order)
    unpaid = [payment for payment in order.payments if payment.state is not PaymentState.PAID]
    buyer, others = _buyer(order, standing, unpaid)
    if decision := in_force(order, "contents"):
        return Told(as_decided(order, decision.lines), replace(buyer, email=decision.email or buyer.email))
    spoken = _spoken(standing, unpaid)
    spoken = replace(spoken, lines=as_decided(order, spoken.lines))
    problem = spoken.problem or _paid_in_part(order, standing)
    found = (spoken.differs, others, left_more(order, spoken.lines), _unsaid(order, spoken.lines))
    differs = _first((*found, _doubt(order, standing), None if problem else _paid_otherwise(order, standing)))
    return Told(spoken.lines, buyer, problem, differs)


def _doubt(order: Order, standing: Iterable[Payment]) -> Said | None:
    """Whether another teller tells of another customer or of other goods, and not that this money is there: nobody can
    say whether that is of a payment that stands, or of a purchase of its own."""
    told = [payment for payment in order.settled if payment.standing in _DOUBTFUL]
    return _first(_doubt_of(order, each, payment) for each in told for payment in standing)


def _doubt_of(order: Order, told: Payment, standing: Payment) -> Said | None:
    is_of_order = whole_order(order.id) in told.names and told.tellers.isdisjoint(standing.tellers)
    if not is_of_order and not may_be_one(told, standing):
        return None
    if are_of_others(told, standing, order.customer.right):
        return said("customers_differ")
    return _difference([goods_of(told), goods_of(standing)]) if are_for_others(told, standing) else None


def _unsaid(order: Order, goods: Sequence[Line]) -> Said | None:
    """What stands does not say what it is for. The goods of a payment that went back, or of a list that has none of
    ours any more, are not those."""
    return said("nothing_bought") if order.lines and not goods else None


def _when(payment: Payment) -> tuple[datetime, tuple[str, ...]]:
    return payment.at, payment.names


def _of_the_last(order: Order) -> Told:
    """The newest attempt that says what it is for. What a refunded payment was for stays known."""
    telling = [payment for payment in order.payments if any(word.lines or word.problem for word in payment.goods)]
    last = sorted(telling, key=lambda payment: (_NEWEST[payment.state], *_when(payment)))[-1:]
    buyer, _ = _buyer(order, last, order.payments)
    spoken = _spoken(last, [])
    return Told(as_decided(order, spoken.lines), buyer, spoken.problem)


def goods_of(payment: Payment) -> tuple[Line, ...]:
    """What a payment is for, as it was told."""
    return _of_payment(payment).lines


def _spoken(standing: Sequence[Payment], unpaid: Iterable[Payment]) -> _Spoken:
    """A payment that says nothing borrows from those that were not made, unless it was for goods of another kind: from
    those that cost what was paid, if there are any."""
    found = [_of_payment(payment) for payment in standing]
    if any(each.lines or each.is_foreign for each in found):
        return _together(found)
    lenders = [payment for payment in unpaid if _of_payment(payment).lines]
    fitting = [payment for payment in lenders if _is_paid_by(standing, payment)]
    borrowed = _together([*found, *map(_of_payment, fitting or unpaid)])
    if fitting or not lenders:
        return borrowed
    return replace(borrowed, differs=borrowed.differs or _other_amount(standing, lenders[0]))


def _is_paid_by(standing: Sequence[Payment], lender: Payment) -> bool:
    """Whether these payments are as much as one that was not made, as far as is known."""
    known = [payment.amount for payment in (*standing, lender)]
    is_of_one = {payment.currency for payment in standing} == {lender.currency}
    return None in known or (is_of_one and _paid(standing) == Decimal(lender.amount or 0))


def _other_amount(standing: Sequence[Payment], price: Sum | Payment) -> Said:
    currency = standing[0].currency
    return said("paid_other", amount=f"{currency} {_paid(standing)}", price=f"{price.currency} {price.amount}")


def _paid_otherwise(order: Order, standing: Sequence[Payment]) -> Said | None:
    """Whether a payment that does not say what it is for is more than the shop says that its order costs: nobody says
    then that it is of that order alone. Several of that very price are paid twice."""
    price = price_of(order.id, order.payments)
    if price is None or not any(map(_is_bare, order.payments)):
        return None
    is_more = _paid(standing) > _worth(price) and any(Decimal(each.amount or 0) != _worth(price) for each in standing)
    return _other_amount(standing, price) if is_more and _are_taken_in(price.currency, standing) else None


def _is_bare(payment: Payment) -> bool:
    return payment.state is PaymentState.PAID and not any(word.lines or word.foreign for word in payment.goods)


def _paid(payments: Iterable[Payment]) -> Decimal:
    return sum((Decimal(payment.amount or 0) for payment in payments), Decimal(0))


def _together(found: Sequence[_Spoken]) -> _Spoken:
    telling = [each.lines for each in found if each.lines]
    differs = _first(each.differs for each in found) or _difference(telling)
    best = telling[0] if differs and telling else max(telling, key=_details, default=())
    return _Spoken(best, _first(each.problem for each in found), differs)


def _first(said_of_each: Iterable[Said | None]) -> Said | None:
    return next(filter(None, said_of_each), None)


def _of_payment(payment: Payment) -> _Spoken:
    """What a payment is for by the best of its words. What the teller of that found wrong stays wrong, and so does what
    is wrong with the order and not with its goods."""
    words = newest(payment.goods)
    telling = [word for word in words if word.lines]
    if not telling:
        is_foreign = any(word.foreign for word in words)
        return _Spoken(problem=_first(word.problem for word in words), is_foreign=is_foreign)
    best = max(telling, key=_rank)
    wrong = _first(word.problem for word in words if word.by == best.by or _is_of_order(word.problem))
    return _Spoken(best.lines, wrong, _difference([word.lines for word in telling]) or _growth(payment, telling))


def _is_of_order(problem: Said | None) -> bool:
    return problem is not None and problem.code in _OF_ORDERS


def _rank(word: Goods) -> tuple[bool, int, str, bool]:
    return (word.problem is None, *_details(word.lines), word.by in SHOPS)


def _difference(told: Sequence[tuple[Line, ...]]) -> Said | None:
    is_one = len({counted(lines) for lines in told}) <= 1
    return None if is_one else said("goods_differ", told=[_text(lines) for lines in told])


def _growth(payment: Payment, words: Sequence[Goods]) -> Said | None:
    grew = any(_grew(payment, word) for word in words)
    return said("goods_grew", told=[_text(word.lines) for word in words]) if grew else None


def _grew(payment: Payment, word: Goods) -> bool:
    """Whether a teller names more or other goods than at the payment, for the same money."""
    first = first_paid(payment.goods, word.by)
    if first is None or not first.lines:
        return False
    more = Counter(dict(counted(word.lines))) - Counter(dict(counted(first.lines)))
    before, after = first_paid(payment.sums, word.by), [each for each in newest(payment.sums) if each.by == word.by]
    return bool(more) and _amount(after[:1]) <= _amount([before] if before else [])


def _amount(sums: Sequence[object]) -> Decimal:
    return Decimal(next((getattr(each, "amount", None) for each in sums), None) or 0)


def _details(lines: Sequence[Line]) -> tuple[int, str]:
    """Sorts words for the same goods by how much they say of them."""
    known = [value for line in lines for value in (line.renews, line.period_start, line.period_end) if value]
    return len(known), repr(lines)


def _text(lines: Iterable[Line]) -> str:
    return ", ".join(map(line_text, lines))


def line_text(line: Line) -> str:
    return f"{line.quantity} x {line.sku}"


def left_more(order: Order, lines: Sequence[Line]) -> Said | None:
    """How the goods differ from what has left already. What left under a payment whose money went back may be more."""
    back = order.gone_for("refunded")  # they are nobody's any more
    left = Counter(one.sku for one in order.licenses if order.has_left(one) and one.id not in back)
    refunded = [payment for payment in order.settled if payment.standing is Standing.REFUNDED]
    for known in (lines, *map(goods_of, refunded)):
        left -= Counter(dict(counted(known)))
    more = [f"{count} x {sku}" for sku, count in sorted(left.items())]
    return said("left_is_more", left=more) if more else None


def _buyer(order: Order, payments: Iterable[Payment], others: Iterable[Payment]) -> tuple[Buyer, Said | None]:
    """Whose these payments are, and that they are of several customers."""
    found = [buyer for payment in payments for buyer in _buyers(payment)]
    telling = _known(found) or _known(buyer for payment in others for buyer in _buyers(payment))[-1:]
    if not telling:
        return next(iter(found), _NOBODY), None
    are_several = len({_address(order, buyer) for buyer in telling}) > 1
    return telling[0], said("customers_differ") if are_several else None


def _known(buyers: Iterable[Buyer]) -> list[Buyer]:
    return [buyer for buyer in buyers if buyer.email]


def address_of(payment: Payment) -> str | None:
    """Whose a payment is, as it was told."""
    return next((buyer.email for buyer in _buyers(payment) if buyer.email), None)


def _buyers(payment: Payment) -> list[Buyer]:
    """Who a payment is of: as a shop says, before those who took the money."""
    told = sorted(newest(payment.buyers), key=lambda word: (not word.email, word.by not in SHOPS, word.by))
    return [word for word in told if word.email and word.by in SHOPS] or told[:1]


def _address(order: Order, buyer: Buyer) -> str:
    return order.customer.right(buyer.email or "").casefold()


def _paid_in_part(order: Order, payments: Sequence[Payment]) -> Said | None:
    """Whether less was paid than the shop says that the order costs, or than it says of a payment that somebody else
    took."""
    price = max(_prices(order, payments), key=_worth, default=None)
    if price is None or not _are_taken_in(price.currency, payments):
        return None
    paid = _paid(payments)
    if len(payments) > 1:  # one that went back in part is for a person anyway
        paid -= sum((payment.returned for payment in payments), Decimal(0))
    if paid >= _worth(price):
        return None
    return said("paid_in_part", amount=f"{price.currency} {paid}", price=f"{price.currency} {price.amount}")


def _prices(order: Order, payments: Iterable[Payment]) -> Iterator[Sum]:
    if price := price_of(order.id, order.payments):
        yield price
    for payment in payments:
        if not payment.tellers <= SHOPS:
            yield from (word for word in newest(payment.sums) if word.by in SHOPS and word.amount)


def _worth(price: Sum) -> Decimal:
    return Decimal(price.amount or 0)


def _are_taken_in(currency: str | None, payments: Sequence[Payment]) -> bool:
    """Whether somebody else than a shop took the money, and all of it in this currency."""
    is_taken = any(not payment.tellers <= SHOPS for payment in payments)
    return is_taken and all(payment.currency == currency for payment in payments)


def digests(order: Order, of: Collection[str]) -> tuple[str, ...]:
    """What was told of an order so far, without when and by whom: each goods and what is wrong with them, each
    customer, each sum, and what went back. A payment goes by that of its names which was known by then: another teller
    may have one more name for it."""
    told = (each for payment in order.payments for each in _contents(payment, of))
    return tuple(sorted({sha256(repr(each).encode()).hexdigest()[:12] for each in told}))


def _contents(payment: Payment, of: Collection[str]) -> Iterator[object]:
    name = min(set(payment.names).intersection(of), default=payment.names[0])
    yield name, payment.amount, payment.currency, payment.standing
    for word in newest(payment.goods):
        wrong = word.problem.content if word.problem else None
        yield from ((name, each) for each in (word.lines, wrong, word.foreign) if each)
    yield from (word.email.casefold() for word in newest(payment.buyers) if word.email)


def in_force(order: Order, kind: str) -> Decision | None:
    """The newest decision of this kind that counts: nothing was told since, and one of its payments stands."""
    counting = (each for each in reversed(order.decisions) if each.kind == kind and _counts(order, each))
    return next(counting, None)


def _counts(order: Order, decision: Decision) -> bool:
    stands = any(not set(decision.of).isdisjoint(payment.names) for payment in order.standing_payments)
    return stands and set(digests(order, decision.of)) <= set(decision.saw)
