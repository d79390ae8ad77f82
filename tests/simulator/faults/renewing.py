"""What can happen around renewals and to orders of several parts, each to customers of its own: an order on which a
renewal depends becomes another one, a renewal names what is not its customer's, an agent moves it or stops it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from tests.simulator.faults.acts import ask, later, paid, told
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, REMINDING, Sale, Shop, day_of
from tests.simulator.faults.simulation import DAY

_OWNER, _STRANGER = "Bea Eigenaar", "Sjaak Vreemdeling"
RENEWAL = "/orders/{order_id}/lines/{n}/renewal"
_SELDOM = 0.3


def base_exchanged(shop: Shop, _sale: Sale, at: float) -> None:
    """Other goods are paid under the number of an order whose license somebody has renewed, or is about to renew."""
    first = _ending(shop, at)
    shop.contested.add(first.order)
    paid(shop, first, at)
    paid(shop, renewal_of(shop, first), later(shop, at))
    told(shop, first, later(shop, at), "order.refunded", full=True)
    paid(shop, first, later(shop, at), payment=f"{first.payment}-2", lines=[{"sku": REMINDING, "quantity": 1}])


def others_license_named(shop: Shop, _sale: Sale, at: float) -> None:
    """Somebody types the number of another customer's order; now and then a person finds that this is right."""
    owner = replace(_ending(shop, at), name=_OWNER)
    stranger = replace(renewal_of(shop, owner), email=f"vreemd-{owner.email}", name=_STRANGER)
    shop.strangers[stranger.order] = owner.order
    shop.sell(owner, at)
    shop.sell(stranger, later(shop, at))
    if shop.chance.random() < _SELDOM:
        at += shop.chance.choice((600, HOUR, 3 * HOUR))
        ask(shop, stranger, at, "POST", "/orders/{order_id}/release", reason="a colleague")


def renewed_by_code(shop: Shop, _sale: Sale, at: float) -> None:
    """The customer types the activation code, or the number if none has come yet."""
    first = _ending(shop, at)
    renewal = renewal_of(shop, first)
    paid(shop, first, at)
    shop.act(later(shop, at), f"order.paid by code {renewal.order}", lambda: pay_by_code(shop, first, renewal))


def pay_by_code(shop: Shop, first: Sale, renewal: Sale) -> None:
    licenses = (shop.simulation.item(first.order) or {}).get("licenses")
    if licenses:
        code = licenses[0]["code"]
        shop.typed[renewal.order] = code
        renewal = replace(renewal, lines=({**renewal.lines[0], "renews": code},))
    shop.simulation.tell(renewal.order, "order.paid", **renewal.bought())


def renewed_in_parts(shop: Shop, _sale: Sale, at: float) -> None:
    """Three of five licenses are renewed now and the others two days later: they run side by side."""
    first = _ending(shop, at, quantity=5)
    parts = [renewal_of(shop, first, quantity) for quantity in (3, 2)]
    shop.beside |= {part.order for part in parts}
    paid(shop, first, at)
    sold_at = later(shop, at)
    paid(shop, parts[0], sold_at)
    paid(shop, parts[1], min(sold_at + 2 * DAY, max(shop.ends, sold_at)))


def renewal_moved(shop: Shop, _sale: Sale, at: float) -> None:
    """An agent says when a renewal starts, or what it renews; sometimes twice."""
    first, renewal = _pair(shop, at)
    for _ in range(shop.chance.choice((1, 1, 2))):
        at += shop.chance.choice((30, HOUR, DAY / 2))
        day = str((renewal.starts or day_of(at)) + timedelta(days=3))
        starts: list[Mapping[str, Any]] = [{"period_start": start} for start in ("now", None, day)]
        body = shop.chance.choice((*starts, {"renews": first.order}, {"renews": f"{first.order}/1"}))
        decide(shop, renewal, at, "PUT", RENEWAL, body)


def renewal_stopped(shop: Shop, _sale: Sale, at: float) -> None:
    _, renewal = _pair(shop, at)
    at += shop.chance.choice((30, HOUR, DAY / 2))
    decide(shop, renewal, at, "POST", f"{RENEWAL}/stop", {})
    if shop.chance.random() < _SELDOM:
        told(shop, renewal, later(shop, at), "order.refunded", full=True)


def decide(shop: Shop, sale: Sale, at: float, method: str, route: str, body: Mapping[str, Any]) -> None:
    do = partial(shop.simulation.support, method, route, {**body, "reason": "asked"}, order_id=sale.order, n="1")
    shop.act(at, f"{method} {route} {sale.order}", do)


def second_short(shop: Shop, _sale: Sale, at: float) -> None:
    """Of two products one is out of stock: its codes arrive hours later, or at the end of the story."""
    sale = shop.somebody("s")
    lines = ({"sku": PLAIN, "quantity": shop.chance.choice((1, 2))}, {"sku": RARE, "quantity": 1})
    shop.sell(replace(sale, lines=lines), at)
    if shop.chance.random() < 1 - _SELDOM:
        shop.act(at + shop.chance.choice((60, HOUR, 5 * HOUR)), "codes of RARE", lambda: shop.import_codes(RARE, 2))


def _pair(shop: Shop, at: float) -> tuple[Sale, Sale]:
    """A license and its renewal, both of which are paid."""
    first = _ending(shop, at)
    renewal = renewal_of(shop, first)
    paid(shop, first, at)
    paid(shop, renewal, later(shop, at))
    return first, renewal


def _ending(shop: Shop, at: float, quantity: int = 1) -> Sale:
    """A license of somebody new that ends soon; it is not sold yet."""
    sale = shop.somebody("b")
    ends = day_of(at) + timedelta(days=shop.chance.choice((7, 8, 8)))
    line = {
        "sku": PLAIN,
        "quantity": quantity,
        "period_start": str(ends - timedelta(days=19)),
        "period_end": str(ends),
    }
    shop.sales[sale.order] = replace(sale, lines=(line,))
    return shop.sales[sale.order]


def renewal_of(shop: Shop, first: Sale, quantity: int = 1) -> Sale:
    order = f"n{len(shop.sales):02}"
    line = {"sku": first.lines[0]["sku"], "quantity": quantity, "kind": "renewal", "renews": first.order}
    starts = date.fromisoformat(first.lines[0]["period_end"]) + timedelta(days=1)
    shop.sales[order] = Sale(order, first.email, (line,), f"pay-{order}", starts)
    return shop.sales[order]
