"""What a payment was really for: its order card says what the shop meant, its list what was charged. What was charged
counts, as far as the catalog knows it; what kind of line it is, what it renews and when it runs, only the card says."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from keypost.core.payment import Charged, PaymentNotice
from keypost.core.product import Line, counted
from keypost.core.said import Said, said

_MOST = 9999  # of one product


def spelled(sku: str) -> str:
    """The form in which two spellings of one SKU are equal: without spaces and invisible signs, in one case."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", sku) if _is_visible(sign)).casefold()


def _is_visible(sign: str) -> bool:
    return not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cf")


def named(notice: PaymentNotice) -> list[str]:
    """The SKUs that a notice names, as they stand there."""
    return list(
        dict.fromkeys([*(line.sku for line in notice.lines), *(each.sku for each in notice.charged if each.sku)])
    )


def understood(notice: PaymentNotice, skus: Collection[str]) -> PaymentNotice:
    """The notice with what it was for as its lines, by a catalog of these SKUs; `foreign` if its list has nothing of
    ours."""
    catalog = {spelled(sku): sku for sku in skus}
    card = tuple(replace(line, sku=catalog.get(spelled(line.sku), line.sku)) for line in notice.lines)
    listed = [each for each in _listed(notice) if not _is_discount(each)]
    ours, unknown = _ours(listed, catalog)
    if notice.itemized:  # a shop's own list: that it holds other goods too is no mistake, and its lines say the details
        card, unknown = tuple(line for line in card if line.sku in skus), []
    lines, problem = _judged(card, listed, ours, unknown)
    is_foreign = not lines and (notice.itemized or bool(listed))
    problem = notice.problem or problem or _odd(lines)
    return replace(notice, lines=lines, charged=(), itemized=False, problem=problem, foreign=is_foreign)


def _judged(
    card: tuple[Line, ...], listed: Sequence[Charged], ours: Mapping[str, int], unknown: Sequence[Charged]
) -> tuple[tuple[Line, ...], Said | None]:
    if not card:
        return tuple(Line(sku, count) for sku, count in ours.items()), None
    return _compared(card, ours, unknown) if listed else (card, None)


def _ours(listed: Iterable[Charged], catalog: Mapping[str, str]) -> tuple[Counter[str], list[Charged]]:
    """How many of our products a list has, and its items that the catalog does not know."""
    ours, unknown = Counter[str](), []
    for each in listed:
        if sku := catalog.get(spelled(each.sku)):
            ours[sku] += each.quantity
        else:
            unknown.append(each)
    return ours, unknown


def _listed(notice: PaymentNotice) -> Sequence[Charged]:
    if notice.itemized and not notice.charged:
        return [Charged(line.sku, line.quantity) for line in notice.lines]
    return notice.charged


def _is_discount(each: Charged) -> bool:
    return each.total is not None and Decimal(each.total) <= 0 and bool(each.sku)


def _odd(lines: Iterable[Line]) -> Said | None:
    return said("odd_quantity") if any(not 1 <= line.quantity <= _MOST for line in lines) else None


def _compared(
    card: tuple[Line, ...], ours: Mapping[str, int], unknown: Sequence[Charged]
) -> tuple[tuple[Line, ...], Said | None]:
    """The lines that were charged, with the details of the card's. A list without the shop's SKUs may mean any line of
    the card, and changes only the quantity of a single one."""
    if not ours:
        return _of_one_item(card, unknown)
    if counted(card) == frozenset(ours.items()):
        return card, None
    others = tuple(line for line in card if line.sku not in ours) if unknown else ()  # an unknown name may be theirs
    return (*_with_counts([line for line in card if line not in others], ours), *others), None


def _of_one_item(card: tuple[Line, ...], unknown: Sequence[Charged]) -> tuple[tuple[Line, ...], Said | None]:
    """One item may be a bundle of several licenses; several items of one license are as many licenses."""
    if len(card) != 1 or len(unknown) != 1 or unknown[0].quantity in (1, card[0].quantity):
        return card, None
    if card[0].quantity == 1:
        return (replace(card[0], quantity=unknown[0].quantity),), None
    return card, said("charged_other_quantity", charged=unknown[0].quantity, card=card[0].quantity)


def _with_counts(card: Sequence[Line], ours: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines of the card in the quantities that were charged, and behind them what it does not name. Where one thing
    was charged instead of the only other line, it takes that line's place."""
    card = _with_exchanged(card, ours)
    left = Counter(ours)
    lines = []
    for place, line in enumerate(card):
        is_last = all(other.sku != line.sku for other in card[place + 1 :])
        count = left[line.sku] if is_last else min(line.quantity, left[line.sku])
        left[line.sku] -= count
        lines.append(replace(line, quantity=count))
    lines += [Line(sku, count) for sku, count in left.items()]
    return tuple(line for line in lines if line.quantity)


def _with_exchanged(card: Sequence[Line], ours: Collection[str]) -> Sequence[Line]:
    instead = [sku for sku in ours if sku not in {line.sku for line in card}]
    missing = [line for line in card if line.sku not in ours]
    if not len(instead) == len(missing) == 1:
        return card
    return [replace(line, sku=instead[0]) if line is missing[0] else line for line in card]
