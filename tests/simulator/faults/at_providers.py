"""Sales that are paid at a provider: what Keypost knows of them, the provider told it or answered when it was asked."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.simulator.faults.acts import paid
from tests.simulator.faults.happenings import corrected, held, poked_twice, resent, swapped
from tests.simulator.faults.shop import HOUR, Sale, Shop
from tests.simulator.faults.simulation import DAY

_AGENTS: tuple[Callable[[Shop, Sale, float], None], ...] = (corrected, held, poked_twice, resent, swapped)
_PAUSES = (2, 60, 600, HOUR)  # seconds between two steps; WooCommerce counts in whole ones
_PART = Decimal("3.00")
_THROUGH = 0.4  # the share of the orders in WooCommerce that are paid by its plug-in for Mollie
# What happens to a payment, step by step, and how much goes back. It may stop behind any of the steps.
PLANS: Mapping[str, Sequence[tuple[str, str]]] = {
    "paid": (("paid", ""),),
    "refunded": (("paid", ""), ("returned", "whole")),
    "refunded in parts": (("paid", ""), ("returned", "part"), ("returned", "rest")),
    "refunded in vain": (("paid", ""), ("returned", "whole"), ("undone", "")),
    "disputed": (("paid", ""), ("disputed", ""), ("won", "")),
    "lost": (("paid", ""), ("disputed", ""), ("lost", "")),
    "canceled": (("paid", ""), ("canceled", "")),
    "promised": (("promised", ""), ("paid", ""), ("returned", "whole")),
    "promised in vain": (("promised", ""), ("failed", "")),
    "failed": (("failed", ""),),
    "never paid": (),
}


@dataclass(frozen=True, slots=True)
class Selling:
    """How shops sell at a provider."""

    share: float  # of the shops
    order: str  # how the numbers of its orders begin
    payment: str  # and the names of its payments; empty where that is the number of the order
    plans: Sequence[str]  # of PLANS
    shop_tells: Sequence[str] = ()  # after the first step of which of these the shop's own program may tell of it, too


_ALWAYS = ("paid", "refunded", "refunded in parts")
_PAID_AT_ONCE = tuple(plan for plan, steps in PLANS.items() if steps and steps[0][0] == "paid")
SELLING: Mapping[str, Selling] = {
    "mollie": Selling(
        0.2,
        "m",
        "tr_mollie",
        (*_ALWAYS, "refunded in vain", "disputed", "failed", "never paid"),
        shop_tells=_PAID_AT_ONCE,
    ),
    "stripe": Selling(
        0.12,
        "t",
        "pi_stripe",
        (*_ALWAYS, "refunded in vain", "disputed", "lost", "promised", "promised in vain", "failed"),
        shop_tells=_PAID_AT_ONCE,
    ),
    "woocommerce": Selling(0.12, "80", "", (*_ALWAYS, "refunded in vain", "canceled", "failed", "never paid")),
    "moneybird": Selling(0.12, "i", "4335", (*_ALWAYS, "disputed", "never paid")),
}


# An order in WooCommerce that is paid by its plug-in for Mollie: where each of these steps is seen, of which the others
# are seen at both. WooCommerce need not hear of money that went back at Mollie.
_THROUGH_MOLLIE = ("paid", "refunded", "refunded in parts", "refunded in vain", "disputed", "canceled", "failed")
_BOTH = ("mollie", "woocommerce")
_SEEN_AT: Mapping[str, Sequence[str]] = {"disputed": ("mollie",), "won": ("mollie",), "canceled": ("woocommerce",)}
_SEEN_AT_MOLLIE: Mapping[str, Sequence[str]] = {**_SEEN_AT, "returned": ("mollie",), "undone": ("mollie",)}


def sells_at(seed: int) -> tuple[str, ...]:
    """The providers at which a shop sells."""
    chance = random.Random(f"{seed}/providers")
    return tuple(name for name, selling in SELLING.items() if chance.random() < selling.share)


def asked_for(seed: int) -> tuple[str, ...]:
    """The providers of whose APIs a shop has the keys: Mollie and those at which it sells."""
    return tuple(dict.fromkeys(("mollie", *sells_at(seed))))


def sell_at_providers(shop: Shop) -> None:
    """After all that is planned in a shop, so that the other shops stay what they are."""
    seed = shop.simulation.faults.seed
    for name in sells_at(seed):
        chance = random.Random(f"{seed}/{name}")
        for _ in range(chance.choice((1, 1, 2))):
            at = shop.simulation.now + chance.choice((2, 60, HOUR, chance.random() * shop.days * DAY))
            if name == "woocommerce" and chance.random() < _THROUGH:
                sell_through_mollie(shop, chance.choice(_THROUGH_MOLLIE), at, chance)
                continue
            sale = opened(shop, name, at - 1)
            plan = chance.choice(SELLING[name].plans)
            go_through(shop, name, sale, plan, at, chance)
            if plan in SELLING[name].shop_tells and chance.random() < 0.3:
                paid(shop, sale, at + chance.choice(_PAUSES))
            if chance.random() < 0.5:
                chance.choice(_AGENTS)(shop, sale, at + chance.random() * DAY)


def opened(shop: Shop, name: str, at: float) -> Sale:
    """Somebody orders, and the shop asks for the money at a provider."""
    selling, number = SELLING[name], len(shop.sales)
    sale = shop.somebody(selling.order)
    payment = f"{selling.payment}{number:02}" if selling.payment else sale.order
    sale = shop.sales[sale.order] = replace(sale, payment=payment)
    provider = shop.simulation.providers[name]
    shop.act(
        at, f"opens {sale.order} at {provider.api.name}", lambda: provider.open(sale.order, payment, sale.bought())
    )
    return sale


def go_through(shop: Shop, name: str, sale: Sale, plan: str, at: float, chance: random.Random) -> None:
    steps = PLANS[plan]
    for kind, much in steps[: chance.randint(1, len(steps))] if steps else ():
        happens(shop, name, sale, at, kind, much)
        at += chance.choice(_PAUSES)


def sell_through_mollie(shop: Shop, plan: str, at: float, chance: random.Random) -> None:
    """An order in WooCommerce that its plug-in for Mollie has paid there. Both tell of it, and only WooCommerce knows
    what was bought."""
    sale = shop.somebody(SELLING["woocommerce"].order)
    payment = f"tr_plugin{sale.order}"
    sale = shop.sales[sale.order] = replace(sale, payment=payment)
    order, providers = sale.order, shop.simulation.providers

    def opens() -> None:
        providers["mollie"].open(order, payment, sale.bought(), has_card=False)
        providers["woocommerce"].open(order, order, sale.bought(), through=payment)

    shop.act(at - 1, f"opens {order} in WooCommerce, through Mollie", opens)
    names, seen_at = {"mollie": payment, "woocommerce": order}, chance.choice((_SEEN_AT, _SEEN_AT_MOLLIE))
    for kind, much in PLANS[plan][: chance.randint(1, len(PLANS[plan]))]:
        for delay, name in enumerate(seen_at.get(kind, _BOTH)):
            happens(shop, name, replace(sale, payment=names[name]), at + delay, kind, much)
        at += chance.choice(_PAUSES)


def happens(shop: Shop, name: str, sale: Sale, at: float, kind: str, much: str = "") -> None:
    """A step of a payment, at which so much goes back."""
    provider, payment, amount = shop.simulation.providers[name], sale.payment or "", amount_of(sale, much)
    shop.act(at, f"{kind} {sale.order} at {provider.api.name}", lambda: provider.happen(payment, kind, amount))


def amount_of(sale: Sale, much: str) -> Decimal:
    """All of it, a part, or the rest; nothing, where nothing goes back."""
    whole = Decimal(sale.bought()["amount"])
    return {"whole": whole, "part": _PART, "rest": whole - _PART}.get(much, Decimal(0))
