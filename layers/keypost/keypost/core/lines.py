"""The lines of an order when what it is for changes. A line has a number that never changes and is never used again:
licenses, periods, mails and renewals name it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, zip_longest

from keypost.core.order import OF_A_DELIVERY, Order, Term, without_waits
from keypost.core.product import Line, runs_alike
from keypost.core.stored import with_extra


def with_lines(order: Order, lines: Sequence[Line]) -> Order:
    """The order for these lines. Each takes the number of the line that it stands for; what has left stays as it left,
    and more of it is a line of its own."""
    if tuple(lines) == order.lines:
        return order
    if not _is_any_named(order):
        return replace(without_waits(order, *OF_A_DELIVERY), lines=_as_known(order, lines))
    numbered, old = dict(_numbered(order, lines)), order.numbered
    if numbered == old:
        return order
    order = without_waits(order, *OF_A_DELIVERY)
    return replace(
        order,
        lines=tuple(replace(line, id=number) for number, line in numbered.items()),
        last_line=max(order.last_line, *old, *numbered),
        mails=tuple(mail if mail.lines else replace(mail, lines=tuple(old)) for mail in order.mails),
        terms=_terms(order, numbered),
        reminders=tuple(each for each in order.reminders if each.line in numbered),
    )


def _is_any_named(order: Order) -> bool:
    """Whether anything names a line of the order by its number."""
    return bool(order.lines) and any((order.licenses, order.mails, order.terms, order.last_line))


def _terms(order: Order, numbered: Mapping[int, Line]) -> tuple[Term, ...]:
    """Those of lines that run when they ran, and of those that have left."""
    old = order.numbered
    alike = {number for number, line in numbered.items() if number in old and runs_alike(line, old[number])}
    return tuple(term for term in order.terms if term.line in alike | order.sent_lines)


def _as_known(order: Order, lines: Sequence[Line]) -> tuple[Line, ...]:
    """While nothing names a line, they are numbered by their places."""
    known = zip_longest(lines, order.lines[: len(lines)])
    return tuple(with_extra(replace(line, id=0), old if old and old.sku == line.sku else None) for line, old in known)


def _numbered(order: Order, lines: Iterable[Line]) -> Iterator[tuple[int, Line]]:
    old, left = order.numbered, order.sent_lines
    free, new = dict(old), count(1 + max(order.last_line, *old))
    for line in lines:
        lacking = line.quantity
        while lacking:
            wanted = replace(line, quantity=lacking)
            number = _standing_for(wanted, free, left)
            known = free.pop(number) if number is not None else None
            if number is None or known is None:
                number, known = next(new), replace(wanted, id=0)
            elif number not in left or lacking <= known.quantity:
                known = with_extra(wanted, known)
            lacking -= known.quantity
            yield number, known


def _standing_for(line: Line, free: Mapping[int, Line], left: Collection[int]) -> int | None:
    """The number of the line that this one stands for: of the same goods, and best of the same kind and renewal. What
    has left is a part of it, where more is wanted."""
    alike = [number for number, each in free.items() if each.sku == line.sku and each.kind is line.kind]
    same = [number for number in alike if free[number].renews == line.renews] or alike
    parts = (number for number in same if number in left and free[number].quantity < line.quantity)
    return next(parts, next(iter(same), None))
