"""One payment, as the sum of what callbacks reported of it. They arrive late, twice and in any order; joined here, they
always give the same payment."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import chain, groupby
from typing import Any

from keypost.core.frozen import dataclass
from keypost.core.product import Line, counted
from keypost.core.said import Said
from keypost.core.stored import Stored, with_extra
from keypost.core.telling import IMPORT, PERSON, SHOPS, Buyer, Goods, Sum, W, first_paid, joined, newest


class PaymentState(StrEnum):
    """The state of a payment. It never goes back from paid, whatever is returned later."""

    OPEN = "open"
    FAILED = "failed"  # also expired and canceled
    PAID = "paid"


class Standing(StrEnum):
    """What a payment is worth now, with its refunds and disputes."""

    OPEN = "open"
    FAILED = "failed"
    REFUNDED = "refunded"  # in full, or because the shop lost a dispute
    DISPUTED = "disputed"
    PARTLY_REFUNDED = "partly refunded"
    PAID = "paid"


Right = Callable[[str], str]  # the right address for one that was told, which a person may have corrected
MONEY_BACK = (Standing.REFUNDED, Standing.DISPUTED)
REMOVED = "payment"  # the id of the dispute that a bookkeeper makes who removes a payment, and ends who enters one


class DisputeState(StrEnum):
    """The state of a dispute. The order of the members is that of its steps."""

    INQUIRY = "inquiry"  # a question of the bank; no money has moved
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Refunded(Stored):
    """How much of a payment was returned in total, as of a moment."""

    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency
    full: bool = False
    # The reporter: a shop and its payment provider each know their own refunds. One that tells of each refund by itself
    # is named with it: "moneybird#5".
    by: str = ""
    currency: str | None = None  # in which the reporter counts, where it says so; else that of its own sum

    @property
    def teller(self) -> str:
        """The reporter, whose words without a date ("webhook, undated") are kept apart from those that have one."""
        return self.reporter.partition(",")[0]

    @property
    def reporter(self) -> str:
        return self.by.partition("#")[0]


@dataclass(frozen=True, slots=True)
class FailedRefund(Stored):
    """A refund that failed after it had been reported."""

    id: str
    amount: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Dispute(Stored):
    """A chargeback, or a customer's objection at a bank."""

    id: str
    state: DisputeState
    as_of: datetime
    amount: str | None = None  # decimal, in the payment's currency; None: all of it


@dataclass(frozen=True, slots=True)
class Charged:
    """One item in the list of what a payment charged, or of what a shop sold; not all of them are ours."""

    sku: str  # as it stands there; empty if it has none
    quantity: int
    name: str = ""  # as the list has it
    total: str | None = None  # decimal, in the payment's currency; of zero or less it is a discount


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """What a provider reports of one payment, and the order that it is for. `problem` says why no program can serve
    that order. A state of None leaves the payment's state open."""

    provider: str
    payment_id: str
    state: PaymentState | None
    at: datetime
    order_id: str  # empty: only a name of the payment leads to the order
    amount: str | None = None  # decimal, in `currency`
    currency: str | None = None  # ISO 4217, upper case
    email: str | None = None
    name: str | None = None
    language: str | None = None
    lines: tuple[Line, ...] = ()
    problem: Said | None = None
    said: datetime | None = None  # the teller's own moment of this whole notice, as precise as given; None: none given
    charged: tuple[Charged, ...] = ()  # the teller's own list of what was charged or sold; `lines` are the card's
    same_as: str = ""  # the order that may be the same purchase
    refers_to: str = ""  # another number of this order, as it stands: the shop's own, or the reference of an invoice
    refunded: Refunded | None = None
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    foreign: bool = False  # its list holds nothing of ours
    also: tuple[str, ...] = ()  # other names of the same payment: "provider:id"
    is_subscription: bool = False  # the provider charges for the next period automatically
    itemized: bool = False  # the lines are a shop's own list, which may have other goods too
    by_payer: bool = False  # the address is the payer's at the provider, and no shop wrote it
    subscription: str = ""  # the provider's id of the subscription that was charged

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.provider}:{self.payment_id}", *self.also})


@dataclass(frozen=True, slots=True)
class OrderCanceled:
    order_id: str
    at: datetime | None = None  # when it was canceled, as far as that is known
    said: datetime | None = None  # the shop's own moment of it; None: none given


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """The provider charges for no further renewal of this order. What was paid stays as it is."""

    order_id: str
    at: datetime | None = field(default=None, compare=False)  # when it ended; told again, it is the same end


@dataclass(frozen=True, slots=True)
class Remark:
    """Something genuine that changes nothing: it is written into the inbox, where support finds it with the reason. It
    holds no name, no address and no code."""

    provider: str
    at: datetime  # when it reached us
    why: Said
    order_id: str = ""  # empty: it names none
    payment: str = ""  # "provider:id", where it names one


Fact = PaymentNotice | OrderCanceled | SubscriptionEnded
News = Fact | Remark


@dataclass(frozen=True, slots=True)
class Payment(Stored):
    """All that was reported of one payment."""

    names: tuple[str, ...]  # "provider:id", in order; one payment may be known to a shop and to its provider
    state: PaymentState
    at: datetime
    sums: tuple[Sum, ...] = ()
    goods: tuple[Goods, ...] = ()
    buyers: tuple[Buyer, ...] = ()
    refunded: tuple[Refunded, ...] = ()  # the newest report of each reporter
    failed_refunds: tuple[FailedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def tellers(self) -> frozenset[str]:
        return frozenset(name.partition(":")[0] for name in self.names)

    @property
    def sum(self) -> Sum:
        """How much it is, as the one says who takes the money; if that is not known, as a shop says."""
        told = newest(self.sums)
        return next((each for each in told if each.by not in SHOPS), told[-1] if told else Sum(by=""))

    @property
    def amount(self) -> str | None:
        return self.sum.amount

    @property
    def currency(self) -> str | None:
        return self.sum.currency

    @property
    def is_by_hand(self) -> bool:
        """True if it stands for what a person gave or imported, and no provider tells of money."""
        return self.tellers <= {PERSON, IMPORT}

    @property
    def is_unmatched(self) -> bool:
        """True if money of it went back, and nobody has said that it was paid: it may be part of another payment."""
        is_disputed = any(each.state in (DisputeState.OPEN, DisputeState.LOST) for each in self.disputes)
        is_money_back = is_disputed or any(each.full or Decimal(each.amount or 0) for each in self.refunded)
        return is_money_back and self.state is not PaymentState.PAID

    @property
    def standing(self) -> Standing:
        """The payment's present worth. A paid payment stays paid, so disputes and refunds decide; a dispute counts
        before a refund."""
        if self.state is not PaymentState.PAID:
            return Standing(self.state)
        if self._is_all_lost or self._is_all_returned:
            return Standing.REFUNDED
        if any(each.state is DisputeState.OPEN and not self._is_of_a_part(each) for each in self.disputes):
            return Standing.DISPUTED
        return Standing.PARTLY_REFUNDED if self.returned else Standing.PAID

    @property
    def _is_all_lost(self) -> bool:
        return any(each.state is DisputeState.LOST and each.amount is None for each in self.disputes)

    @property
    def _is_all_returned(self) -> bool:
        total = Decimal(self._as_paid(self.sum).amount or 0)
        return any(self._is_whole(refunded) for refunded in self._reports) or bool(total and self.returned >= total)

    @property
    def _reports(self) -> Iterator[Refunded]:
        """What each reporter says was returned, all refunds together."""
        by_reporter = sorted(self.refunded, key=lambda refunded: refunded.reporter)
        for reporter, each in groupby(by_reporter, key=lambda refunded: refunded.reporter):
            parts = list(each)
            amount = sum((Decimal(part.amount or 0) for part in parts), Decimal(0))
            is_full = any(part.full for part in parts)
            yield Refunded(max(part.as_of for part in parts), str(amount), is_full, reporter)

    def _is_whole(self, refunded: Refunded) -> bool:
        """A reporter may count in another currency than the payment's, and then in that of its own sum."""
        own = self._own_sum(refunded)
        back = self._without_failed(refunded)
        return refunded.full or bool(Decimal(own.amount or 0) and back >= Decimal(own.amount or 0))

    def _own_sum(self, refunded: Refunded) -> Sum:
        return self._as_paid(next((each for each in newest(self.sums) if each.by == refunded.teller), self.sum))

    def _as_paid(self, told: Sum) -> Sum:
        """What was paid, where its teller lowered the price since."""
        first = first_paid(self.sums, told.by)
        is_lowered = first is not None and Decimal(first.amount or 0) > Decimal(told.amount or 0)
        return first if first and is_lowered and first.currency == told.currency else told

    def _is_of_a_part(self, dispute: Dispute) -> bool:
        return dispute.amount is not None and Decimal(dispute.amount) < Decimal(self.amount or 0)

    def _without_failed(self, refunded: Refunded) -> Decimal:
        failed = (f.amount for f in self.failed_refunds if f.as_of >= refunded.as_of)
        return Decimal(refunded.amount or 0) - sum(map(Decimal, failed))

    @property
    def returned(self) -> Decimal:
        """The amount that was returned, without refunds that failed after they had been reported, and with the parts
        that are lost in disputes, or that the bank has taken while one goes on; if the reporters disagree, the largest
        amount."""
        gone = (each for each in self.disputes if each.state is DisputeState.LOST or self._is_gone(each))
        lost = sum((Decimal(each.amount or 0) for each in gone), Decimal(0))
        return self.refunds + lost

    @property
    def refunds(self) -> Decimal:
        return max([Decimal(0), *(self._in_its_currency(each) for each in self._reports)])

    def _is_gone(self, dispute: Dispute) -> bool:
        return dispute.state is DisputeState.OPEN and self._is_of_a_part(dispute)

    def _in_its_currency(self, refunded: Refunded) -> Decimal:
        own, back = self._own_sum(refunded), self._without_failed(refunded)
        if own.currency == self.currency or not Decimal(own.amount or 0):
            return back
        return (back / Decimal(own.amount or 1) * Decimal(self.amount or 0)).quantize(Decimal("0.01"))


def latest_disputes(disputes: Iterable[Dispute]) -> tuple[Dispute, ...]:
    """The newest state of each dispute, sorted by id; of two at one moment, the later step."""
    steps = list(DisputeState)
    latest: dict[str, Dispute] = {}
    for dispute in disputes:
        known = latest.get(dispute.id, dispute)
        newer = max(known, dispute, key=lambda d: (d.as_of, steps.index(d.state), Decimal(d.amount or 0)))
        latest[dispute.id] = with_extra(newer, known, dispute)
    return tuple(latest[key] for key in sorted(latest))


def whole_order(order_id: str) -> str:
    """The name of the payments of an order as a whole, for a shop's own callback that does not say which payment it is
    about."""
    return f"webhook:{order_id}"


def settled(order_id: str, payments: Sequence[Payment], right: Right) -> tuple[Payment, ...]:
    """The payments of an order, each once. A shop that says "it is paid" and not by which payment means one that its
    provider tells of, where that does; what it returned of the order as a whole is shared among its payments. And two
    tellers that tell of equal payments, under names of their own, tell of one, unless they are of two customers."""
    return tuple(chain.from_iterable(map(_paid_anew, _each_once(order_id, payments, right))))


def _each_once(order_id: str, payments: Sequence[Payment], right: Right) -> Sequence[Payment]:
    if len(payments) <= 1:
        return payments
    name = whole_order(order_id)
    whole = next((payment for payment in payments if name in payment.names), None)
    others = tuple(payment for payment in payments if payment is not whole)
    paid = [payment for payment in others if payment.state is PaymentState.PAID]
    if whole is None or not paid or all(are_of_others(whole, each, right) for each in paid):
        return _paired(payments, right)
    is_of_order_only = whole.names == (name,)
    return _paired(_share(others if is_of_order_only else (*others, _without_order(whole)), whole), right)


def _paid_anew(payment: Payment) -> tuple[Payment, ...]:
    """A payment, or the two that it is: a shop without names for its payments says that its order is paid, that all of
    it went back, and later that it is paid for other goods."""
    (by, *others) = payment.tellers
    if others or by not in SHOPS:
        return (payment,)
    first, last = first_paid(payment.goods, by), newest(payment.goods)[-1:]
    if first is None or not _is_of_other_goods(first, last):
        return (payment,)
    moment = last[0].said or payment.at
    back = tuple(each for each in payment.refunded if each.teller == by and each.as_of < moment)
    paid = first_paid(payment.sums, by)
    former = replace(payment, goods=(first,), sums=(paid,) if paid else (), refunded=back)
    if former.standing is not Standing.REFUNDED:
        return (payment,)
    later = tuple(each for each in payment.refunded if each not in back)
    return former, replace(payment, goods=last, sums=newest(payment.sums)[-1:], refunded=later)


def _is_of_other_goods(first: Goods, last: Sequence[Goods]) -> bool:
    return any(each.is_paid and each.said and counted(each.lines) != counted(first.lines) for each in last)


def _without_order(whole: Payment) -> Payment:
    return replace(whole, refunded=tuple(each for each in whole.refunded if each.teller != "webhook"))


def _share(payments: Sequence[Payment], whole: Payment) -> tuple[Payment, ...]:
    """Take the amount that a shop returned for an order from its payments: it is what others say that went back of
    them, and what is left of it went back of the latest first: if there are two, the latest is the one too many. What
    the shop said of the order, it said of them."""
    of_order = [refunded for refunded in whole.refunded if refunded.teller == "webhook" or len(whole.names) == 1]
    full = any(refunded.full for refunded in of_order)
    told = max((Decimal(refunded.amount or 0) for refunded in of_order), default=Decimal(0))
    left = max(_in_currency_of(payments, whole, told) - sum(map(_refunds, payments), Decimal(0)), Decimal(0))
    shared = []
    for payment in sorted(payments, key=lambda p: (p.at, p.names), reverse=True):
        taken = min(left, max(_worth(payment) - _refunds(payment), Decimal(0)))
        left -= taken
        back = str(_refunds(payment) + taken)
        own = (Refunded(whole.at, back, full, "the shop"),) if taken or full else ()
        disputes = latest_disputes((*payment.disputes, *whole.disputes))
        shared.append(replace(payment, refunded=(*payment.refunded, *own), disputes=disputes))
    return tuple(shared) if len(whole.names) > 1 else _with_words_of(whole, shared)


def _refunds(payment: Payment) -> Decimal:
    return min(payment.refunds, _worth(payment))


def _in_currency_of(payments: Sequence[Payment], whole: Payment, amount: Decimal) -> Decimal:
    """An amount in a shop's currency as one in that of the payments, by the rate of the sums that both name."""
    taken = {payment.currency for payment in payments if _worth(payment)}
    price = Decimal(whole.amount or 0)
    if not price or len(taken) != 1 or taken == {whole.currency}:
        return amount
    return (amount / price * sum(map(_worth, payments), Decimal(0))).quantize(Decimal("0.01"))


def counted_in_other(order_id: str, payments: Sequence[Payment], notice: PaymentNotice) -> str | None:
    """The currency in which a teller counts what went back, if it is not the one in which that was paid. What went back
    is then known by a rate, or not at all."""
    (about,) = _sharing(payments, _payment(notice))[:1] or (None,)
    back = notice.refunded
    if about is None or back is None or not Decimal(back.amount or 0):
        return None
    if whole_order(order_id) not in about.names:
        return _other_than(back.currency, [about])
    own = next((each.currency for each in newest(about.sums) if each.by == notice.provider), None)
    return _other_than(back.currency or own, [each for each in payments if each.state is PaymentState.PAID])


def _other_than(counted: str | None, paid: Sequence[Payment]) -> str | None:
    """This currency, if one of these was paid in another."""
    return counted if counted and any(each.currency not in (counted, None) for each in paid) else None


def _with_words_of(whole: Payment, payments: Sequence[Payment]) -> tuple[Payment, ...]:
    """The payments with what a shop said of its order as a whole: of the only one that was made, as another teller's
    words; of one of several, where nobody says it of that one."""
    is_only = sum(payment.state is PaymentState.PAID for payment in payments) == 1
    return tuple(
        _told_too(whole, each, is_only=is_only) if each.state is PaymentState.PAID else each for each in payments
    )


def _told_too(whole: Payment, payment: Payment, *, is_only: bool) -> Payment:
    goods = whole.goods if is_only or not payment.goods else ()
    buyers = whole.buyers if is_only or not any(word.email for word in payment.buyers) else ()
    return replace(payment, goods=joined((*payment.goods, *goods)), buyers=joined((*payment.buyers, *buyers)))


def _worth(payment: Payment) -> Decimal:
    return Decimal(payment.amount or 0) if payment.state is PaymentState.PAID else Decimal(0)


def price_of(order_id: str, payments: Iterable[Payment]) -> Sum | None:
    """What a shop says that its order costs as a whole: the highest, if shops differ. None if none says it."""
    of_order = {whole_order(order_id), f"woocommerce:{order_id}"}
    told = (newest(payment.sums) for payment in payments if not of_order.isdisjoint(payment.names))
    prices = (each for each in chain.from_iterable(told) if each.by in SHOPS and each.amount)
    return max(prices, key=lambda each: Decimal(each.amount or 0), default=None)


_ONE_PAYMENT = timedelta(days=7)  # between what a shop and a provider say of it


def _paired(payments: Sequence[Payment], right: Right) -> tuple[Payment, ...]:
    """The payments, of which two that only differ in who tells of them are one: a shop's, under a name of its own, and
    one of equal amount that another teller knows, at most a week apart."""
    found: list[Payment] = []
    by_shops_last = sorted(payments, key=lambda p: (p.tellers <= SHOPS, p.at, p.names))
    for payment in by_shops_last:
        twins = [each for each in found if _are_one(each, payment, right)]
        twin = min(twins, key=partial(_unlikeness, payment), default=None)
        if twin is None:
            found.append(payment)
        else:
            found[found.index(twin)] = join([twin, payment])
    return tuple(found)


def _are_one(one: Payment, other: Payment, right: Right) -> bool:
    return may_be_one(one, other) and not are_of_others(one, other, right) and not _is_exchange(one, other)


def _unlikeness(one: Payment, other: Payment) -> tuple[bool, bool, timedelta, tuple[str, ...]]:
    """Sorts payments by how little they look like one."""
    is_of_same_goods = not _baskets(one).isdisjoint(_baskets(other))
    return one.standing is not other.standing, not is_of_same_goods, abs(one.at - other.at), other.names


def may_be_one(one: Payment, other: Payment) -> bool:
    """Whether the money of both may be the same: one is told of by shops, and the other one by others."""
    is_paid = one.state is other.state is PaymentState.PAID
    is_told_by_others = one.tellers.isdisjoint(other.tellers) and (one.tellers <= SHOPS or other.tellers <= SHOPS)
    return is_paid and is_told_by_others and cost_the_same(one, other) and abs(one.at - other.at) <= _ONE_PAYMENT


def are_of_others(one: Payment, other: Payment, right: Right) -> bool:
    """Whether both have a customer by a shop's word, and not the same. Who once named the same one has corrected it
    since. The address that somebody typed while paying does not count: others may pay for a customer."""
    return _differ(_customers(one, right), _customers(other, right))


def _customers(payment: Payment, right: Right) -> set[str]:
    return {right(word.email).casefold() for word in payment.buyers if word.email and not word.by_payer}


def _is_exchange(one: Payment, other: Payment) -> bool:
    """Whether the money of only one of them went back, and the other one is for other goods."""
    is_one_back = (one.standing is Standing.REFUNDED) is not (other.standing is Standing.REFUNDED)
    return is_one_back and are_for_others(one, other)


def are_for_others(one: Payment, other: Payment) -> bool:
    """Whether both say what they are for, and never the same."""
    return _differ(_baskets(one), _baskets(other))


def _baskets(payment: Payment) -> set[object]:
    return {counted(word.lines) for word in payment.goods if word.lines}


def _differ(found: Collection[object], others: Collection[object]) -> bool:
    return bool(found and others) and set(found).isdisjoint(others)


def cost_the_same(one: Payment, other: "Payment | PaymentNotice") -> bool:
    """Whether both are of one amount, however it is written: 40.0 is 40.00."""
    if one.amount is None or other.amount is None:
        return False
    return (Decimal(one.amount), one.currency) == (Decimal(other.amount), other.currency)


_OF_ONE = re.compile("(mollie:tr|stripe:pi)_")  # how names begin of which a payment has only one
_STATES = (PaymentState.OPEN, PaymentState.FAILED, PaymentState.PAID)


def with_notice(payments: Sequence[Payment], notice: PaymentNotice) -> tuple[tuple[Payment, ...], Payment]:
    """Merge a notice into the payments; returns all payments, and the one that the notice is about. That is the one
    that shares a name with the notice. Two payments whose names the notice joins become one, unless they are two to
    those who took the money: a shop's order may be paid anew, and then names another payment."""
    told = _payment(notice)
    same = _sharing(payments, told)
    if _are_several([told, *same]):
        own = tuple(filter(_OF_ONE.match, told.names))
        told = replace(told, names=own or told.names)
        same = _sharing(payments, told) if own else same[:1]
    payment = join([*same, told])
    if same == [payment]:
        return tuple(payments), same[0]
    return (*(p for p in payments if p not in same), payment), payment


def _sharing(payments: Iterable[Payment], told: Payment) -> list[Payment]:
    return [payment for payment in payments if not set(told.names).isdisjoint(payment.names)]


def _are_several(payments: Iterable[Payment]) -> bool:
    """Whether these have more than one name of which a payment has only one."""
    found = defaultdict[str, set[str]](set)
    for name in chain.from_iterable(payment.names for payment in payments):
        if match := _OF_ONE.match(name):
            found[match[0]].add(name)
    return any(len(names) > 1 for names in found.values())


def _payment(notice: PaymentNotice) -> Payment:
    """The payment as one notice tells of it, whose words are about those parts of it that it names."""
    stamp: Mapping[str, Any] = {
        "by": notice.provider,
        "said": notice.said,
        "is_paid": notice.state is PaymentState.PAID,
    }
    amount = Sum(**stamp, amount=notice.amount, currency=notice.currency)
    goods = Goods(**stamp, lines=notice.lines, problem=notice.problem, foreign=notice.foreign)
    buyer = Buyer(**stamp, email=notice.email, name=notice.name, language=notice.language, by_payer=notice.by_payer)
    return Payment(
        names=tuple(sorted(notice.names)),
        state=notice.state or PaymentState.OPEN,
        at=notice.at,
        sums=_if_any(amount, notice.amount, notice.currency),
        goods=_if_any(goods, notice.lines, notice.problem, notice.foreign),
        buyers=_if_any(buyer, notice.email, notice.name, notice.language),
        refunded=_told_by(notice.refunded, notice.provider),
        failed_refunds=notice.failed_refunds,
        disputes=notice.disputes,
    )


def _if_any(word: W, *parts: object) -> tuple[W, ...]:
    return (word,) if any(parts) else ()


def _told_by(refunded: Refunded | None, provider: str) -> tuple[Refunded, ...]:
    return (replace(refunded, by=refunded.by or provider),) if refunded else ()


def join(told: Sequence[Payment]) -> Payment:
    """One payment, of all that was reported under any of its names."""
    furthest = max((payment.state for payment in told), key=_STATES.index)

    def each(part: str) -> Iterator[Any]:
        return chain.from_iterable(getattr(payment, part) for payment in told)

    whole = Payment(
        names=tuple(sorted(set(each("names")))),
        state=furthest,
        # The moment of payment by the earliest notice that reports it; until then, the moment of the first notice.
        at=min(payment.at for payment in told if payment.state is furthest),
        sums=joined(each("sums")),
        goods=joined(each("goods")),
        buyers=joined(each("buyers")),
        refunded=_newest_refunds(each("refunded")),
        failed_refunds=tuple(sorted(set(each("failed_refunds")), key=lambda failed: failed.id)),
        disputes=latest_disputes(each("disputes")),
    )
    return with_extra(whole, *told)


def _newest_refunds(told: Iterable[Refunded]) -> tuple[Refunded, ...]:
    """The newest report of each reporter; of two at one moment, the larger amount."""
    newer: dict[str, Refunded] = {}
    for refunded in told:
        known = newer.get(refunded.by, refunded)
        later = max(known, refunded, key=lambda r: (r.as_of, r.full, Decimal(r.amount or 0)))
        newer[refunded.by] = with_extra(later, known, refunded)
    return tuple(newer[by] for by in sorted(newer))
