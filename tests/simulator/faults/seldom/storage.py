"""Orders that cannot be written for a while, and long ones."""

from tests.simulator.faults import happenings
from tests.simulator.faults.acts import told
from tests.simulator.faults.seldom.scenes import served, waiting
from tests.simulator.faults.shop import HOUR, Shop


def unreadable_for_long(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    how = happenings.BROKEN[0]
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, how))
    shop.act(at + 200, f"poke {sale.order}", lambda: shop.simulation.poke(sale.order))


def told_while_unreadable(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    how = happenings.BROKEN[0]
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, how))
    told(shop, sale, at + 200, "order.refunded", full=True)
    shop.act(at + 2 * HOUR, f"mends {sale.order}", lambda: happenings.mend_item(shop, sale.order))


def told_while_it_is_mended(shop: Shop, at: float) -> None:
    """Of an order that is set aside, something is told when it can be read again, and is being tried."""
    sale = served(shop, at)
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, happenings.BROKEN[0]))
    told(shop, sale, at + 200, "order.disputed")
    mended_at = at + 2 * HOUR
    shop.act(mended_at, f"mends {sale.order}", lambda: happenings.mend_item(shop, sale.order))
    shop.act(mended_at, f"poke {sale.order}", lambda: shop.simulation.poke(sale.order))
    told(shop, sale, mended_at - shop.chance.choice((0.01, 0.02, 0.03, 0.05, 0.1)), "order.refunded", full=True)


def has_a_long_story(shop: Shop, at: float) -> None:
    """So much has happened to an order that the oldest of it moves out of its item when its mail leaves."""
    sale = waiting(shop, at)
    shop.act(at + 300, f"lengthens {sale.order}", lambda: happenings.lengthen(shop, sale.order, 68))
