"""An order in the light of its customer's other orders: the same purchase, told by another program of the shop, or a
license that runs already, which a shop that knows no renewals sells once more."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from keypost.core.obstacles import is_servable
from keypost.core.order import License, Order
from keypost.core.payment import Payment, PaymentNotice, cost_the_same
from keypost.core.product import Kind, Line, counted
from keypost.core.repeat import BOOKS, Repeat
from keypost.core.said import said

_MAY_RENEW = "may_renew"
_ONE_PURCHASE = timedelta(days=1)  # between the payments that two programs tell of


def same_purchase(notice: PaymentNotice, others: Iterable[Order]) -> str:
    """The order of this customer that may be the same purchase: of the same goods and amount, at most a day apart, and
    told by others. Empty if there is none."""
    found = (other for other in others if _is_same(notice, other))
    return min((other.id for other in found), default="")


def _is_same(notice: PaymentNotice, other: Order) -> bool:
    if other.id == notice.order_id or counted(other.lines) != counted(notice.lines):
        return False
    tellers = frozenset[str]().union(*(payment.tellers for payment in other.payments))
    is_copy = BOOKS in {notice.provider, *tellers} and notice.provider not in tellers
    return is_copy and any(_is_alike(notice, payment) for payment in other.standing_payments)


def _is_alike(notice: PaymentNotice, payment: Payment) -> bool:
    return cost_the_same(payment, notice) and abs(payment.at - notice.at) <= _ONE_PURCHASE


def as_repeat(
    notice: PaymentNotice, known: Order | None, others: Iterable[Order], repeat: Repeat, today: date
) -> PaymentNotice:
    """The notice with its new lines as renewals, or with the question whether they are, where a license of the same
    product runs. What an order was taken for once, it stays."""
    if known and known.paid_at:
        return _as_before(notice, known)
    running = _running((other for other in others if other.id != notice.order_id), today)
    renews = {line.sku: running[line.sku].id for line in notice.lines if line.sku in running and _is_one_new(line)}
    return _taken_for(repeat, notice, renews)


def _taken_for(repeat: Repeat, notice: PaymentNotice, renews: dict[str, str]) -> PaymentNotice:
    match repeat:
        case Repeat.RENEWAL:
            return _renewing(notice, renews)
        case Repeat.ASK if renews:
            asks = said(_MAY_RENEW, licenses=sorted(renews.values()))
            return replace(notice, problem=notice.problem or asks)
    return notice


def _as_before(notice: PaymentNotice, known: Order) -> PaymentNotice:
    asked = known.hold.problem if known.hold.problem and known.hold.problem.code == _MAY_RENEW else None
    renews = {line.sku: line.renews for line in known.lines if line.kind is Kind.RENEWAL and line.renews}
    return replace(_renewing(notice, renews), problem=notice.problem or asked)


def _renewing(notice: PaymentNotice, renews: dict[str, str]) -> PaymentNotice:
    lines = tuple(
        replace(line, kind=Kind.RENEWAL, renews=renews[line.sku]) if line.sku in renews and _is_one_new(line) else line
        for line in notice.lines
    )
    return replace(notice, lines=lines)


def _is_one_new(line: Line) -> bool:
    """Of several licenses nobody can say which of them renew which."""
    return line.kind is Kind.NEW and line.quantity == 1


def _running(orders: Iterable[Order], today: date) -> dict[str, License]:
    """The license of each product that the customer has, if it runs and is the only one."""
    having: dict[str, list[License]] = {}
    for one in (one for order in orders if is_servable(order) for one in order.licenses if one not in order.past):
        if one.last_day >= today:
            having.setdefault(one.sku, []).append(one)
    return {sku: found[0] for sku, found in having.items() if len(found) == 1}
