"""Which renewals of one line follow each other, and which run side by side: parts of the line that were paid at about
the same time."""

from collections.abc import Sequence
from datetime import timedelta

from keypost.core.order import Order, Renewal

ONE_TIME = timedelta(days=60)  # between the payments of parts that run side by side


def overlap(one: Renewal, other: Renewal) -> bool:
    """True if both may renew the same license."""
    whole = one.of_license is None or other.of_license is None
    return one.of_line == other.of_line and (whole or one.of_license == other.of_license)


def rounds(base: Order, found: Sequence[Renewal]) -> list[int]:
    """For each of the renewals, in the order of the list, the number of its round. A round follows the one before it;
    those of one round run side by side."""
    numbers: list[int] = []
    for each in found:
        met = [(number, other) for number, other in zip(numbers, found, strict=False) if overlap(other, each)]
        last = max((number for number, _ in met), default=-1)
        beside = [other for number, other in met if number == last]
        numbers.append(last if beside and _fit(base, [*beside, each]) else last + 1)
    return numbers


def _fit(base: Order, parts: Sequence[Renewal]) -> bool:
    """True if these are parts of one line that were paid at about the same time, and together are not more than it
    is. The last of them joins the others, unless it names one of them as what it renews."""
    *others, last = parts
    named = [part.of_license for part in parts if part.of_license]
    days = [part.paid_on for part in parts if part.paid_on]
    return (
        len(days) == len(parts)
        and max(days) - min(days) <= ONE_TIME
        and len(set(named)) == len(named)
        and all(other.order_id != last.behind for other in others)
        and sum(part.quantity or _of_line(base, last) + 1 for part in parts) <= _of_line(base, last)
    )


def _of_line(base: Order, renewal: Renewal) -> int:
    """How many licenses the renewed line has."""
    line = base.numbered.get(renewal.of_line)
    return line.quantity if line else sum(license_.line == renewal.of_line for license_ in base.licenses)


def followed(base: Order, renewal: Renewal, earlier: Sequence[Renewal]) -> tuple[Renewal, ...]:
    """Those of the earlier renewals, in the order of the list, that this one follows."""
    *numbers, own = rounds(base, [*earlier, renewal])
    pairs = zip(numbers, earlier, strict=True)
    return tuple(other for number, other in pairs if number < own and overlap(other, renewal))
