"""Sales that are paid at Mollie: what Keypost knows of them, Mollie told it or answered when it was asked."""

import random
from collections.abc import Callable
from decimal import Decimal

from tests.simulator.faults.acts import later, paid
from tests.simulator.faults.happenings import corrected, held, poked_twice, resent, swapped
from tests.simulator.faults.shop import HOUR, Sale, Shop
from tests.simulator.faults.simulation import DAY

_SHARE = 0.3  # of the shops
_AGENTS: tuple[Callable[[Shop, Sale, float], None], ...] = (corrected, held, poked_twice, resent, swapped)


def sell_at_mollie(shop: Shop) -> None:
    """In some shops, after all that is planned there, so that the other shops stay what they are."""
    chance = random.Random(f"{shop.simulation.faults.seed}/mollie")
    for _ in range(chance.choice((1, 1, 2)) if chance.random() < _SHARE else 0):
        at = shop.simulation.now + chance.choice((1, 60, HOUR, chance.random() * shop.days * DAY))
        sale = at_mollie(shop, at)
        if chance.random() < 0.3:  # the shop tells, too
            paid(shop, sale, later(shop, at))
        chance.choice((_nothing, _nothing, refunded, refunded_in_parts, charged_back))(shop, sale, later(shop, at))
        if chance.random() < 0.5:
            chance.choice(_AGENTS)(shop, sale, at + chance.random() * DAY)


def at_mollie(shop: Shop, at: float) -> Sale:
    """Somebody pays at Mollie what the shop asked for some seconds before."""
    number = len(shop.sales)
    sale = shop.somebody("m")
    sale = shop.sales[sale.order] = Sale(sale.order, sale.email, sale.lines, f"tr_mollie{number:02}")
    mollie, payment = shop.simulation.mollie, sale.payment or ""
    shop.act(at - 1, f"opens {sale.order} at Mollie", lambda: mollie.open(sale.order, payment, sale.bought()))
    shop.act(at, f"pays {sale.order} at Mollie", lambda: mollie.pay(sale.order, payment, sale.bought()))
    return sale


def refunded(shop: Shop, sale: Sale, at: float) -> None:
    whole = str(sale.bought()["amount"])
    _give_back(shop, sale, at, whole)


def refunded_in_parts(shop: Shop, sale: Sale, at: float) -> None:
    rest = Decimal(sale.bought()["amount"]) - 3
    _give_back(shop, sale, at, "3.00")
    if shop.chance.random() < 0.5:
        _give_back(shop, sale, later(shop, at), str(rest))


def charged_back(shop: Shop, sale: Sale, at: float) -> None:
    mollie, payment = shop.simulation.mollie, sale.payment or ""
    shop.act(at, f"charges {sale.order} back", lambda: mollie.charge_back(sale.order, payment))
    if shop.chance.random() < 0.5:
        shop.act(later(shop, at), f"reverses that of {sale.order}", lambda: mollie.reverse(sale.order, payment))


def _nothing(_shop: Shop, _sale: Sale, _at: float) -> None:
    pass


def _give_back(shop: Shop, sale: Sale, at: float, amount: str) -> None:
    mollie, payment = shop.simulation.mollie, sale.payment or ""
    shop.act(at, f"refunds {amount} of {sale.order}", lambda: mollie.give_back(sale.order, payment, amount))
