"""What a person decides of an order's contents. Each function gets an order and returns the changed order; `Refused`
says why something is not done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from keypost.core.contents import decided, with_contents, with_payment_of
from keypost.core.errors import NotFound, Refused
from keypost.core.mail import Asked
from keypost.core.obstacles import obstacle
from keypost.core.order import Decision, Order, noted
from keypost.core.payment import Payment
from keypost.core.product import Line
from keypost.core.telling import newest
from keypost.core.told import address_of, goods_of, left_more


def settle(order: Order, lines: Sequence[Line], email: str | None, asked: Asked, currency: str) -> Order:
    """What the order is for, and, if told, the customer's address. It counts until a teller says something new. Refused
    if nothing is paid, or if more has left than that."""
    _check(order)
    if more := left_more(order, lines):
        raise Refused("not_settled", order=order.id, why=more)
    settled = decided(order, "contents", replace(asked, why=""), lines=tuple(lines), email=email)
    if _has_settled(order, settled.decisions[-1]):
        return order
    settled = with_contents(settled, asked.at, currency)
    return noted(settled, asked.at, "contents_settled", who=asked.who, words=asked.why, lines=[*map(_text, lines)])


def told_by(order: Order, name: str, by: str | None = None) -> tuple[tuple[Line, ...], str | None]:
    """What a payment is for, and whose it is, as it was told: by this teller, or by the one that knows most."""
    payment = _named(order, name)
    if by:
        payment = payment_as_told_by(payment, by)
    lines = goods_of(payment)
    if not lines:
        raise Refused("payment_says_nothing", order=order.id, payment=name)
    return lines, address_of(payment)


def payment_as_told_by(payment: Payment, by: str) -> Payment:
    """The payment with the words of one teller only. What that teller does not say of the customer, others do."""
    goods = tuple(word for word in newest(payment.goods) if word.by == by)
    buyers = tuple(word for word in payment.buyers if word.by == by and word.email)
    return replace(payment, goods=goods, buyers=buyers or payment.buyers)


def own_orders_of(order: Order, name: str) -> Iterator[str]:
    """The numbers that the order may have which a payment is to become, the best first: the same at each call. The shop
    may have some of them for orders of its own."""
    known = next((each.to for each in order.decisions if each.kind == "own_order" and name in each.of), None)
    moved = sum(each.kind == "own_order" for each in order.decisions)
    return iter([known]) if known else (f"{order.id}-{number}" for number in count(moved + 2))


def may_become(order: Order | None, name: str) -> bool:
    """Whether a payment may become this order: there is none yet, or it was begun for this very payment."""
    return order is None or any(name in payment.names for payment in order.payments)


def given_away(order: Order, name: str) -> Payment | None:
    """The payment with this name; None if it has become an order of its own already. NotFound if it never was here."""
    if any(each.kind == "own_order" and name in each.of for each in order.decisions):
        return None
    return _named(order, name)


def with_own(
    order: Order | None, order_id: str, payment: Payment, now: datetime, currency: str, start: datetime | None = None
) -> Order:
    """The order that a payment of another one becomes. It may be one from before the start."""
    return with_payment_of(order or Order(id=order_id, created_at=now), payment, now, currency, start)


def without_payment(order: Order, name: str, to: str, asked: Asked, currency: str) -> Order:
    """The order without a payment that is an order of its own now. Whatever is told of it from now on is told of that
    order."""
    payment = given_away(order, name)
    if payment is None:
        return order
    kept = tuple(each for each in order.payments if each is not payment)
    decision = Decision("own_order", replace(asked, why=""), of=payment.names, to=to)
    order = replace(order, payments=kept, decisions=(*order.decisions, decision))
    order = with_contents(order, asked.at, currency)
    return noted(order, asked.at, "payment_moved", who=asked.who, words=asked.why, payment=name, order=to)


def moved_to(order: Order, names: Iterable[str]) -> str | None:
    """The order to which a payment with one of these names went."""
    moved = {name: each.to for each in order.decisions if each.kind == "own_order" for name in each.of}
    return next((moved[name] for name in names if name in moved), None)


def _check(order: Order) -> None:
    if order.is_erased:
        raise Refused("order_is_erased", order=order.id)
    if not order.standing_payments:
        raise Refused("not_settled", order=order.id, why=obstacle(order))


def _named(order: Order, name: str) -> Payment:
    found = next((payment for payment in order.payments if name in payment.names), None)
    if found is None:
        raise NotFound("no_such_payment", order=order.id, payment=name)
    return found


def _has_settled(order: Order, decision: Decision) -> bool:
    """A repeated call changes nothing, as long as nobody has decided otherwise since."""
    newest_of_kind = next((each for each in reversed(order.decisions) if each.kind == decision.kind), None)
    return newest_of_kind is not None and replace(newest_of_kind, asked=decision.asked) == decision


def _text(line: Line) -> str:
    return f"{line.quantity} x {line.sku}"
