"""How a seldom happening begins: somebody of its own buys, waits, or is served."""

from dataclasses import replace
from datetime import timedelta

from tests.simulator.faults.acts import paid
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, Sale, Shop, day_of

BATCH, OTHER = "batch-seldom", "batch-besides"
_PAUSE = 3 * HOUR


def somebody(shop: Shop, sku: str = PLAIN, quantity: int = 1) -> Sale:
    sale = shop.somebody("z")
    shop.sales[sale.order] = replace(sale, lines=({"sku": sku, "quantity": quantity},))
    return shop.sales[sale.order]


def anybody(shop: Shop) -> Sale:
    return next(iter(shop.sales.values()))


def waiting(shop: Shop, at: float) -> Sale:
    """Somebody buys what there is none of; codes come a quarter of an hour later."""
    sale = somebody(shop, RARE)
    paid(shop, sale, at)
    shop.act(at + 900, "codes of RARE", lambda: shop.import_codes(RARE, 2, BATCH))
    return sale


def kept_here(shop: Shop, at: float) -> Sale:
    """Somebody buys while SES takes no mail: the codes are given, and do not leave."""
    stocked(shop, at - 1)
    sale = somebody(shop)
    shop.act(at, f"SES pauses for {_PAUSE:.0f} s", lambda: shop.simulation.ses.pause(_PAUSE))
    paid(shop, sale, at + 1)
    return sale


def stocked(shop: Shop, at: float) -> None:
    """There are codes for all that is told here."""
    shop.act(at, "5 codes of PLAIN", lambda: shop.import_codes(PLAIN, 5, BATCH))


def served(shop: Shop, at: float) -> Sale:
    stocked(shop, at - 1)
    sale = somebody(shop)
    paid(shop, sale, at)
    return sale


def ending(shop: Shop, sale: Sale, at: float, days: int) -> Sale:
    """What somebody buys for a time that ends in so many days. It is to be told after this."""
    ends = day_of(at) + timedelta(days=days)
    period = {"period_start": str(ends - timedelta(days=shop.term_days - 1)), "period_end": str(ends)}
    shop.sales[sale.order] = replace(sale, lines=tuple({**line, **period} for line in sale.lines))
    return shop.sales[sale.order]
