"""What comes to the doors that is not to come in: callbacks that somebody forged or that are malformed, codes that were
imported before; and agents who look things up, whose answers are read for what may not stand there."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.builders import webhook_headers
from tests.simulator.faults.acts import ask, later
from tests.simulator.faults.events import callback_event
from tests.simulator.faults.shop import PLAIN, Sale, Shop

Event = dict[str, Any]
_OTHER_SECRET = "whsec_" + b64encode(b"that of somebody else").decode()
_HALF = 0.5


def _of_other_secret(event: Event, now: float) -> Event:
    headers = webhook_headers(event["body"].encode(), secret=_OTHER_SECRET, at=now)
    return {**event, "headers": headers}


def _of_other_body(event: Event, _now: float) -> Event:
    return {**event, "body": f"{event['body']} "}


def _unsigned(event: Event, _now: float) -> Event:
    return {**event, "headers": {}}


FORGED: Mapping[str, Callable[[Event, float], Event]] = {
    "of another secret": _of_other_secret,
    "of another body": _of_other_body,
    "unsigned": _unsigned,
}
MALFORMED: Mapping[str, Mapping[str, Any]] = {
    "no lines": {"lines": "none"},
    "no number": {"lines": [{"sku": PLAIN, "quantity": "many"}]},
    "none": {"lines": [{"sku": PLAIN, "quantity": 0}]},
    "less than none": {"amount": "-19.95"},
}


def forged(shop: Shop, sale: Sale, at: float) -> None:
    """Somebody tells of a payment who cannot sign: of a new order, or of one that is there."""
    how, is_new = shop.chance.choice([*FORGED]), shop.chance.random() < _HALF
    about = replace(shop.somebody("f"), lines=({"sku": PLAIN, "quantity": 1},))
    del shop.sales[about.order]
    order = about.order if is_new else sale.order
    kind = "order.paid" if is_new else "order.refunded"
    data = about.bought() if is_new else {"full": True, **sale.named}
    shop.act(at, f"forged {kind} {order}", lambda: _knock(shop, order, kind, data, FORGED[how]))


def malformed(shop: Shop, _sale: Sale, at: float) -> None:
    """A shop signs what no order can be made of."""
    about, how = shop.somebody("f"), shop.chance.choice([*MALFORMED])
    del shop.sales[about.order]
    data = {**about.bought(), **MALFORMED[how]}
    shop.act(at, f"malformed {about.order}", lambda: _knock(shop, about.order, "order.paid", data))


def _knock(
    shop: Shop, order: str, kind: str, data: Mapping[str, Any], forge: Callable[[Event, float], Event] | None = None
) -> None:
    now = shop.simulation.now
    event = callback_event("webhook", order, kind, data, now, now)
    shop.simulation.knock(order, kind, forge(event, now) if forge else event, is_signed=forge is None)


def imported_twice(shop: Shop, sale: Sale, at: float) -> None:
    """The same file comes in twice: two agents at once, or one who tries again while codes of it are sold."""
    sku, again = str(sale.lines[0]["sku"]), at + shop.chance.choice((0.0, 0.0, 0.3, 60.0))
    body = {"codes": shop.new_codes(sku, shop.chance.choice((1, 2, 3))), "batch": "batch-twice"}
    for moment in (at, again):
        shop.act(moment, f"imports {sku}", lambda: shop.simulation.support("POST", "/stock/{sku}", body, sku=sku))


def looked_up(shop: Shop, sale: Sale, at: float) -> None:
    at = later(shop, at)
    ask(shop, sale, at, "GET", "/orders/{order_id}")
    ask(shop, sale, at, "POST", "/orders/search", email=sale.email)
