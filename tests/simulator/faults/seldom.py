"""What happens too seldom among all else that may. Many shops have one of these, in turn, to a customer of its own."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from tests.simulator.faults import happenings, renewing
from tests.simulator.faults.acts import ask, paid, told
from tests.simulator.faults.schedules import ZONE
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, Sale, Shop, day_of

_PAUSE = 3 * HOUR
_BATCH, _OTHER = "batch-seldom", "batch-besides"


def one_more(shop: Shop) -> None:
    """By the number of the shop."""
    seed = shop.simulation.faults.seed
    chance = random.Random(f"{seed}/seldom")
    plan = _SELDOM[seed % len(_SELDOM)]
    plan(shop, shop.simulation.now + chance.choice((2, 60, HOUR, 5 * HOUR)))


def _somebody(shop: Shop, sku: str = PLAIN, quantity: int = 1) -> Sale:
    sale = shop.somebody("z")
    shop.sales[sale.order] = replace(sale, lines=({"sku": sku, "quantity": quantity},))
    return shop.sales[sale.order]


def _anybody(shop: Shop) -> Sale:
    return next(iter(shop.sales.values()))


def _waiting(shop: Shop, at: float) -> Sale:
    """Somebody buys what there is none of; codes come a quarter of an hour later."""
    sale = _somebody(shop, RARE)
    paid(shop, sale, at)
    shop.act(at + 900, "codes of RARE", lambda: shop.import_codes(RARE, 2, _BATCH))
    return sale


def _kept_here(shop: Shop, at: float) -> Sale:
    """Somebody buys while SES takes no mail: the codes are given, and do not leave."""
    _stocked(shop, at - 1)
    sale = _somebody(shop)
    shop.act(at, f"SES pauses for {_PAUSE:.0f} s", lambda: shop.simulation.ses.pause(_PAUSE))
    paid(shop, sale, at + 1)
    return sale


def _stocked(shop: Shop, at: float) -> None:
    """There are codes for all that is told here."""
    shop.act(at, "5 codes of PLAIN", lambda: shop.import_codes(PLAIN, 5, _BATCH))


def _served(shop: Shop, at: float) -> Sale:
    _stocked(shop, at - 1)
    sale = _somebody(shop)
    paid(shop, sale, at)
    return sale


# --- what keeps an order back


def held_while_it_waits(shop: Shop, at: float) -> None:
    sale = _waiting(shop, at)
    ask(shop, sale, at + 300, "POST", "/orders/{order_id}/hold", reason="look")
    ask(shop, sale, at + 2 * HOUR, "POST", "/orders/{order_id}/release", reason="fine")


def canceled_while_it_waits(shop: Shop, at: float) -> None:
    told(shop, _waiting(shop, at), at + 300, "order.canceled")


def refund_grows_while_it_waits(shop: Shop, at: float) -> None:
    """A person lets the order go of which a part went back, and then more goes back."""
    sale = _waiting(shop, at)
    shop.contested.add(sale.order)
    told(shop, sale, at + 60, "order.refunded", amount_refunded="3.00")
    ask(shop, sale, at + 300, "POST", "/orders/{order_id}/release", reason="fine")
    told(shop, sale, at + 600, "order.refunded", amount_refunded="6.00")


def refund_deleted_while_it_waits(shop: Shop, at: float) -> None:
    """It was entered by mistake, and the older word about it comes last."""
    sale = _waiting(shop, at)
    tell = partial(shop.simulation.tell, sale.order, "order.refunded", payment_id=sale.payment)
    shop.act(at + 120, f"refund deleted {sale.order}", partial(tell, said_at=at + 60, amount_refunded="0"))
    shop.act(at + 240, f"refunded before {sale.order}", partial(tell, said_at=at + 30, full=True))


def unusual(shop: Shop, at: float) -> None:
    """A renewal of a time that is over waits for a person, who lets it go now and then."""
    first = _somebody(shop)
    ended = day_of(at) - timedelta(days=60)
    period = {"period_start": str(ended - timedelta(days=19)), "period_end": str(ended)}
    first = shop.sales[first.order] = replace(first, lines=({**first.lines[0], **period},))
    _stocked(shop, at - 1)
    paid(shop, first, at)
    renewal = renewing.renewal_of(shop, first)
    late = {**renewal.lines[0], "period_start": str(ended + timedelta(days=1))}
    renewal = shop.sales[renewal.order] = replace(renewal, lines=(late,))
    shop.unusual[renewal.order] = ended + timedelta(days=20)
    paid(shop, renewal, at + 60)


# --- codes that come back, and bad ones


def refunded_before_it_left(shop: Shop, at: float) -> None:
    told(shop, _kept_here(shop, at), at + 120, "order.refunded", full=True)


def returned_to_a_withdrawn_batch(shop: Shop, at: float) -> None:
    sale = _kept_here(shop, at)
    shop.act(at + 120, f"withdraws the batch of {sale.order}", lambda: _of_batch(shop, sale, _withdraw))
    told(shop, sale, at + 300, "order.refunded", full=True)
    paid(shop, _somebody(shop), at + 400)


def replaced_while_it_leaves(shop: Shop, at: float) -> None:
    """The batch is bad of which a code is on its way, and nobody knows yet whether it left."""
    _stocked(shop, at - 2)
    sale = _somebody(shop)
    shop.act(at - 1, "4 codes of PLAIN", lambda: shop.import_codes(PLAIN, 4, _OTHER))
    shop.simulation.faults.planned.append((("advance_orders", sale.order, "SendEmail"), "mail failed, not sent"))
    paid(shop, sale, at)
    shop.act(at + 20, f"replaces the batch of {sale.order}", lambda: _of_batch(shop, sale, Shop.replace_batch))


def _withdraw(shop: Shop, batch: str) -> None:
    shop.simulation.support("POST", "/stock/{sku}/withdraw", {"batch": batch}, sku=PLAIN)


def _of_batch(shop: Shop, sale: Sale, do: Callable[[Shop, str], None]) -> None:
    """With the batch of the first code of an order, if it has any."""
    licenses = (shop.simulation.item(sale.order) or {}).get("licenses", ())
    codes = {item["code"]: item for item in shop.simulation.items() if item["pk"].startswith("CODE#")}
    if licenses and (batch := codes[licenses[0]["code"]].get("batch")):
        do(shop, str(batch))


def moved(shop: Shop, at: float) -> None:
    happenings.moved(shop, _served(shop, at), at + 300)


def swapped(shop: Shop, at: float) -> None:
    happenings.swapped(shop, _served(shop, at), at + 300)


def imports_meet_others(shop: Shop, at: float) -> None:
    """The write of an import meets another transaction."""
    words = ("support_api", "TransactWriteItems")
    shop.act(at, "an import is met", lambda: shop.simulation.faults.planned.append((words, "conflict")))
    _stocked(shop, at)


# --- agents, customers and their addresses


def double_click(shop: Shop, at: float) -> None:
    """The page sends one key with both, and the first mail has left before the second click."""
    sale = _served(shop, at)
    wish: dict[str, Any] = {"key": f"click-{sale.order}", "order_id": sale.order}
    do = partial(shop.simulation.support, "POST", "/orders/{order_id}/resend", {"reason": "lost"}, **wish)
    for moment in (at + 300, at + 320):
        shop.act(moment, f"POST /orders/{{order_id}}/resend {sale.order}", do)


def address_bounces(shop: Shop, at: float) -> None:
    """The customer buys again at it, an agent sends again, and then corrects the address."""
    sale = _served(shop, at)
    shop.simulation.ses.unknown.add(sale.email)
    again = replace(_somebody(shop), email=sale.email)
    shop.sales[again.order] = again
    paid(shop, again, at + 600)
    ask(shop, sale, at + 900, "POST", "/orders/{order_id}/resend", reason="lost")
    email = f"goed-{sale.email}"
    ask(shop, sale, at + 5 * HOUR, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)


def complained(shop: Shop, at: float) -> None:
    sale = _served(shop, at)
    shop.act(at + 300, f"complaint of {sale.order}", lambda: shop.simulation.ses.complain(sale.email))


def erased_and_told_again(shop: Shop, at: float) -> None:
    sale = _served(shop, at)
    ask(shop, sale, at + 300, "POST", "/customers/erase", email=sale.email)
    paid(shop, sale, at + 600)
    told(shop, sale, at + 900, "order.refunded", full=True, email=sale.email)


# --- what cannot be written


def unreadable_for_long(shop: Shop, at: float) -> None:
    sale = _served(shop, at)
    how = happenings.BROKEN[0]
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, how))
    shop.act(at + 200, f"poke {sale.order}", lambda: shop.simulation.poke(sale.order))


def told_while_unreadable(shop: Shop, at: float) -> None:
    sale = _served(shop, at)
    how = happenings.BROKEN[0]
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, how))
    told(shop, sale, at + 200, "order.refunded", full=True)
    shop.act(at + 2 * HOUR, f"mends {sale.order}", lambda: happenings.mend_item(shop, sale.order))


# --- days


def sold_after_midnight(shop: Shop, at: float) -> None:
    """In Amsterdam a day has begun that has not begun in Greenwich."""
    _stocked(shop, at)
    night = datetime.combine(day_of(at) + timedelta(days=1), time(0, 20), ZONE).astimezone(UTC)
    paid(shop, _somebody(shop), night.timestamp())


def two_names(shop: Shop, at: float) -> None:
    _stocked(shop, at - 1)
    happenings.told_under_two_names(shop, _anybody(shop), at)


def second_short(shop: Shop, at: float) -> None:
    _stocked(shop, at - 1)
    renewing.second_short(shop, _anybody(shop), at)


def renewal_stopped(shop: Shop, at: float) -> None:
    _stocked(shop, at - 1)
    renewing.renewal_stopped(shop, _anybody(shop), at)


_SELDOM: tuple[Callable[[Shop, float], None], ...] = (
    double_click,
    held_while_it_waits,
    canceled_while_it_waits,
    refund_grows_while_it_waits,
    refund_deleted_while_it_waits,
    returned_to_a_withdrawn_batch,
    refunded_before_it_left,
    imports_meet_others,
    moved,
    swapped,
    unreadable_for_long,
    told_while_unreadable,
    second_short,
    sold_after_midnight,
    renewal_stopped,
    unusual,
    address_bounces,
    two_names,
    complained,
    erased_and_told_again,
    replaced_while_it_leaves,
)
