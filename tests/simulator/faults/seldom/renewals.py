"""Renewals of one license, their days, and whose they are."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from tests.simulator.faults import happenings, renewing
from tests.simulator.faults.acts import ask, paid, told
from tests.simulator.faults.schedules import ZONE
from tests.simulator.faults.seldom.scenes import BATCH, OTHER, anybody, ending, somebody, stocked
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, REMINDING, Sale, Shop, day_of


def unusual(shop: Shop, at: float) -> None:
    """A renewal of a time that is over waits for a person, who lets it go now and then."""
    first = somebody(shop)
    ended = day_of(at) - timedelta(days=60)
    period = {"period_start": str(ended - timedelta(days=19)), "period_end": str(ended)}
    first = shop.sales[first.order] = replace(first, lines=({**first.lines[0], **period},))
    stocked(shop, at - 1)
    paid(shop, first, at)
    renewal = renewing.renewal_of(shop, first)
    late = {**renewal.lines[0], "period_start": str(ended + timedelta(days=1))}
    renewal = shop.sales[renewal.order] = replace(renewal, lines=(late,))
    shop.unusual[renewal.order] = ended + timedelta(days=20)
    paid(shop, renewal, at + 60)


def sold_after_midnight(shop: Shop, at: float) -> None:
    """In Amsterdam a day has begun that has not begun in Greenwich."""
    stocked(shop, at)
    night = datetime.combine(day_of(at) + timedelta(days=1), time(0, 20), ZONE).astimezone(UTC)
    paid(shop, somebody(shop), night.timestamp())


def renewal_stopped(shop: Shop, at: float) -> None:
    stocked(shop, at - 1)
    renewing.renewal_stopped(shop, anybody(shop), at)


def renewal_before_is_refunded(shop: Shop, at: float) -> None:
    """Somebody has a license renewed twice, and the money of the first renewal goes back: the second one moves up."""
    stocked(shop, at - 1)
    _one_goes_back(shop, at, PLAIN, 13)


def reminded_renewal_moves_up(shop: Shop, at: float) -> None:
    """The same where the codes of the second one are reserved, and its reminders planned."""
    shop.act(at - 1, "4 codes of REMINDING", lambda: shop.import_codes(REMINDING, 4))
    _one_goes_back(shop, at, REMINDING, 8)


def renewed_for_another(shop: Shop, at: float) -> None:
    """A person lets the renewal of somebody who names another customer's license, and the owner moves after that."""
    stocked(shop, at - 1)
    owner = ending(shop, somebody(shop), at, 8)
    owner = shop.sales[owner.order] = replace(owner, name="Bea Eigenaar")
    paid(shop, owner, at)
    other = renewing.renewal_of(shop, owner)
    other = shop.sales[other.order] = replace(other, email=f"vreemd-{owner.email}", name="Sjaak Vreemdeling")
    shop.strangers[other.order] = owner.order
    paid(shop, other, at + 60)
    ask(shop, other, at + 300, "POST", "/orders/{order_id}/release", reason="a colleague")
    happenings.corrected(shop, owner, at + 2 * HOUR)


def renewal_before_comes_back(shop: Shop, at: float) -> None:
    """The refund was entered by mistake; what moved up may keep its days."""
    stocked(shop, at - 1)
    back = _one_goes_back(shop, at, PLAIN, 13)
    told(shop, back, at + 2 * HOUR, "order.refunded", amount_refunded="0")


def renewal_that_left_comes_back(shop: Shop, at: float) -> None:
    """The same of a renewal that had left: it has its days again, and the next one, which waits for codes, those
    behind them."""
    shop.act(at - 1, "2 codes of RARE", lambda: shop.import_codes(RARE, 2))
    back = _one_goes_back(shop, at, RARE, 6)
    told(shop, back, at + 2 * HOUR, "order.refunded", amount_refunded="0")


def refunded_as_the_next_comes(shop: Shop, at: float) -> None:
    """The money of a renewal goes back while the worker that serves the next one has a place for it, and not its days
    yet."""
    stocked(shop, at - 1)
    first = ending(shop, somebody(shop), at, 13)
    renewed = [renewing.renewal_of(shop, first) for _ in range(2)]
    paid(shop, first, at)
    paid(shop, renewed[0], at + 60)
    words = (f"advance_orders {renewed[1].order}", f"call {shop.chance.choice((5, 5, 6))}:")
    shop.act(at + HOUR, "a worker is slow", lambda: shop.simulation.faults.planned.append((words, "slow")))
    paid(shop, renewed[1], at + HOUR)
    told(shop, renewed[0], at + HOUR + shop.chance.choice((0.1, 0.3, 0.5)), "order.refunded", full=True)
    shop.in_line.append((day_of(at) + timedelta(days=14), tuple(sale.order for sale in renewed)))


def refunded_renewal_is_cut(shop: Shop, at: float) -> None:
    """The worker that gives up the place of a refunded renewal dies half way."""
    stocked(shop, at - 1)
    back = _one_goes_back(shop, at, PLAIN, 13)
    words, call = f"advance_orders {back.order}", shop.chance.choice(("PutItem", "PutItem", "TransactWriteItems"))
    planned = shop.simulation.faults.planned
    shop.act(at + HOUR - 1, "a worker is cut", lambda: planned.append(((words, call), "crash after")))


def code_runs_out_while_it_waits(shop: Shop, at: float) -> None:
    """The code of a renewal is to be activated today, and SES takes no mail until the day after tomorrow."""
    shop.days = max(shop.days, 3)
    stocked(shop, at - 1)
    first = ending(shop, somebody(shop), at, 1)
    first = shop.sales[first.order] = replace(first, lines=({**first.lines[0], "sku": RARE},))
    last_day = day_of(at) + timedelta(days=2)
    shop.act(at - 1, "2 codes of RARE", lambda: shop.import_codes(RARE, 2, BATCH, last_day))
    paid(shop, first, at)
    shop.act(at + 59, "SES pauses for 60 hours", lambda: shop.simulation.ses.pause(60 * HOUR))
    paid(shop, renewing.renewal_of(shop, first), at + 60)
    shop.act(at + HOUR, "2 codes of RARE", lambda: shop.import_codes(RARE, 2, OTHER))


def _one_goes_back(shop: Shop, at: float, sku: str, days: int) -> Sale:
    """Of two renewals of a license, which ends in so many days, the money of the first one goes back."""
    first = ending(shop, somebody(shop, sku), at, days)
    starts = day_of(at) + timedelta(days=days + 1)
    renewed = [renewing.renewal_of(shop, first) for _ in range(2)]
    for number, sale in enumerate((first, *renewed)):
        paid(shop, sale, at + 60 * number)
    told(shop, renewed[0], at + HOUR, "order.refunded", full=True)
    shop.in_line.append((starts, tuple(sale.order for sale in renewed)))
    return renewed[0]


def moved_for_another(shop: Shop, at: float) -> None:
    """An agent says when the renewal of somebody starts who names another customer's license, and not whose it is."""
    stocked(shop, at - 1)
    owner = ending(shop, somebody(shop), at, 8)
    owner = shop.sales[owner.order] = replace(owner, name="Bea Eigenaar")
    paid(shop, owner, at)
    other = renewing.renewal_of(shop, owner)
    other = shop.sales[other.order] = replace(other, email=f"vreemd-{owner.email}", name="Sjaak Vreemdeling")
    shop.strangers[other.order] = owner.order
    paid(shop, other, at + 60)
    renewing.decide(shop, other, at + HOUR, "PUT", renewing.RENEWAL, {"period_start": "now"})
