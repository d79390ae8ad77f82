"""What a person decided of a renewal: which license it renews, when it starts, that its days are right, or that it
stops. Such a decision counts as long as the shop says of the line what it said then, and until all of its payments went
back."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from keypost.core.order import Decision, Order
from keypost.core.payment import Standing
from keypost.core.product import Line, runs_alike

RENEWAL, STOP = "renewal", "stop"


def as_decided(order: Order, lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines as they were told, with what persons decided of them since."""
    return tuple(_decided(lines, list(_newest(order))))


def _decided(lines: Iterable[Line], decisions: list[Decision]) -> Iterator[Line]:
    for line in lines:
        found = next((each for each in decisions if runs_alike(each.lines[0], line)), None)
        if found:
            decisions.remove(found)
        yield replace(found.lines[1], quantity=line.quantity, id=line.id) if found else line


def _newest(order: Order) -> Iterator[Decision]:
    """The newest decision about each line."""
    seen = set[str]()
    for each in reversed(order.decisions):
        if each.kind in (RENEWAL, STOP) and each.to not in seen and not _is_void(order, each):
            seen.add(each.to)
            yield each


def _is_void(order: Order, decision: Decision) -> bool:
    paid = [payment for payment in order.payments if not set(payment.names).isdisjoint(decision.of)]
    return bool(paid) and all(payment.standing is Standing.REFUNDED for payment in paid)


def choice_of(order: Order, number: int) -> Decision | None:
    """The newest decision about a line that counts."""
    line = order.numbered.get(number)
    newest = next((each for each in _newest(order) if each.to == str(number)), None)
    return newest if newest and line and runs_alike(newest.lines[1], line) else None


def as_told(order: Order, number: int) -> Line:
    """A line as the shop tells it, without what was decided of it."""
    choice = choice_of(order, number)
    return replace(choice.lines[0], quantity=order.line(number).quantity) if choice else order.line(number)


def is_stopped(order: Order, number: int) -> bool:
    choice = choice_of(order, number)
    return choice is not None and choice.kind == STOP


def stopped(order: Order) -> frozenset[int]:
    """The lines, by number, that a person stopped."""
    return frozenset(int(each.to) for each in _newest(order) if each.kind == STOP and is_stopped(order, int(each.to)))


def is_agreed(order: Order, number: int) -> bool:
    """True if a person has seen whose license this line renews, for the customer that the order still has."""
    choice, email = choice_of(order, number), order.customer.email
    if choice is None or choice.kind != RENEWAL or not choice.email or not email:
        return False
    return order.customer.right(choice.email).casefold() == email.casefold()


def is_agreed_start(order: Order, number: int, first_day: date) -> bool:
    """True if a person agreed to this first day, whenever that was."""
    return any(each.kind == RENEWAL and (each.to, each.start) == (str(number), first_day) for each in order.decisions)
