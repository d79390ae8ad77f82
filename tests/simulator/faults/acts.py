"""What is told of an order, or asked of an agent, at a moment: the words of which happenings are made."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.simulator.faults.shop import HOUR, Sale, Shop, cost


def later(shop: Shop, at: float) -> float:
    return at + shop.chance.choice((0.02, 1, 2, 60, 600, HOUR))


def paid(shop: Shop, sale: Sale, at: float, *, teller: str = "webhook", payment: str | None = None, **of: Any) -> None:
    data = {**sale.bought(payment), **of}
    if "lines" in of and "amount" not in of:
        data["amount"] = cost(of["lines"])
    say(shop, sale.order, at, "order.paid", teller=teller, **data)


def say(shop: Shop, order: str, at: float, kind: str, **data: Any) -> None:
    shop.act(at, f"{kind} {order}", lambda: shop.simulation.tell(order, kind, **data))


def told(shop: Shop, sale: Sale, at: float, kind: str, **more: Any) -> None:
    data = {**more, **(sale.named if kind != "order.canceled" else {})}
    shop.act(at, f"{kind} {sale.order}", lambda: shop.simulation.tell(sale.order, kind, **data))


def ask(shop: Shop, sale: Sale, at: float, method: str, route: str, **body: Any) -> None:
    path: dict[str, Any] = {"order_id": sale.order} if "{order_id}" in route else {}
    do = partial(shop.simulation.support, method, route, body, **path)
    shop.act(at, f"{method} {route} {sale.order}", do)


def ask_of_license(shop: Shop, sale: Sale, at: float, what: str, body: Mapping[str, Any], place: int = 0) -> None:
    """Of the first license, or the one at this place, if it is there by then."""

    def do() -> None:
        found = (shop.simulation.item(sale.order) or {}).get("licenses", ())[place:]
        if found:
            route, own = f"/orders/{{order_id}}/licenses/{{license_id}}/{what}", found[0]["id"]
            shop.simulation.support("POST", route, body, order_id=sale.order, license_id=own)

    shop.act(at, f"{what} of {sale.order}", do)
