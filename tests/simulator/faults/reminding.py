"""What customers do with a reminder: programs open its link, its reader stops reminders or reports it as spam, and
renews all the same."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from tests.simulator.faults.acts import ask
from tests.simulator.faults.renewing import renewal_of
from tests.simulator.faults.shop import HOUR, REMINDING, Sale, Shop, day_of
from tests.simulator.faults.simulation import DAY

_ONE_CLICK = "List-Unsubscribe=One-Click"


def way_out(shop: Shop, _sale: Sale, at: float) -> None:
    """Scanners open the link; the reader presses the button before or after that, and buys again."""
    first, reminded_at = reminded(shop, at)
    for scan in range(shop.chance.choice((0, 1, 3))):
        _open(shop, first, reminded_at + 60 * scan)
    out = reminded_at + shop.chance.choice((0.0, 30.0, HOUR))
    for _ in range(shop.chance.choice((1, 1, 2))):
        stop(shop, first, out)
    _renews(shop, first, out)


def reported(shop: Shop, _sale: Sale, at: float) -> None:
    """The reader reports the reminder as spam, and renews before or after that; a person may have asked."""
    first, reminded_at = reminded(shop, at)
    reported_at = reminded_at + shop.chance.choice((1.0, 60.0, HOUR))
    shop.act(reported_at, f"complaint of {first.order}", lambda: shop.simulation.ses.complain(first.email))
    renewal = _renews(shop, first, reminded_at)
    if shop.chance.random() < 0.6:
        lifted = reported_at + shop.chance.choice((60, HOUR, 6 * HOUR))
        ask(shop, renewal, lifted, "POST", "/orders/{order_id}/lift-complaint", reason="send it all the same")


def stop(shop: Shop, sale: Sale, at: float) -> None:
    """The reader presses the button of the newest reminder."""
    _open(shop, sale, at, _ONE_CLICK)


def reminded(shop: Shop, at: float) -> tuple[Sale, float]:
    """A customer of whose two licenses one ends so soon that a reminder is sent on the next morning, and when that has
    come; the reminder of the other is due a day later."""
    first = _sold(shop, at, shop.somebody("b"), days=9)
    _sold(shop, at, replace(shop.somebody("b"), email=first.email), days=10)
    return first, at - at % DAY + DAY + 7 * HOUR  # seven o'clock has passed in Amsterdam, in summer and in winter


def _sold(shop: Shop, at: float, sale: Sale, days: int) -> Sale:
    ends = day_of(at) + timedelta(days=days)
    period = {"period_start": str(ends - timedelta(days=19)), "period_end": str(ends)}
    sale = replace(sale, lines=({"sku": REMINDING, "quantity": 1, **period},))
    shop.sell(sale, at)
    return sale


def _open(shop: Shop, sale: Sale, at: float, body: str | None = None) -> None:
    what = "opens" if body is None else "stops reminders of"
    shop.act(at, f"{what} {sale.order}", partial(shop.simulation.open_link, sale.email, body))


def _renews(shop: Shop, first: Sale, at: float) -> Sale:
    renewal = renewal_of(shop, first)
    shop.sell(renewal, at + shop.chance.choice((0.0, 60.0, 3 * HOUR)))
    return renewal
