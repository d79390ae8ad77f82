"""Small stories of one customer, for tests that put a fault or a twin at each place of them."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cli.local.deploy import ROOT
from tests.simulator.faults import reminding
from tests.simulator.faults.at_providers import PLANS, amount_of
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.play import open_shop
from tests.simulator.faults.renewing import pay_by_code
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, REMINDING, Sale, Shop, day_of
from tests.simulator.faults.simulation import DAY, START, Simulation

EMAIL = "facturen@klant.example"


@contextmanager
def a_shop(
    faults: Faults | None = None,
    stock: int = 6,
    roots: Sequence[Path] = (ROOT,),
    seed: int = 1,
    mails_per_second: float = 1_000_000,
    asked: Sequence[str] = ("mollie",),
) -> Iterator[Shop]:
    """A shop with so many codes of each product, on a Monday morning, in good weather unless told otherwise."""
    simulation = Simulation(seed, faults or Faults(seed), START, roots, asked)
    simulation.ses.mails_per_second = mails_per_second
    with simulation.playing():
        shop = Shop(simulation, random.Random(seed), days=1)
        open_shop(shop, stock)
        yield shop


def bought(order: str = "o1", quantity: int = 1, payment: str | None = None, email: str = EMAIL) -> Sale:
    return Sale(order, email, ({"sku": PLAIN, "quantity": quantity},), payment)


def ending(order: str = "o1", days: int = 8) -> Sale:
    """Something bought whose license ends in so many days."""
    ends = day_of(START.timestamp()) + timedelta(days=days)
    line = {
        "sku": PLAIN,
        "quantity": 1,
        "period_start": str(ends - timedelta(days=19)),
        "period_end": str(ends),
    }
    return Sale(order, EMAIL, (line,), None)


def renewing(base: str = "o1", order: str = "r1", days: int = 8) -> Sale:
    starts = day_of(START.timestamp()) + timedelta(days=days + 1)
    line = {"sku": PLAIN, "quantity": 1, "kind": "renewal", "renews": base}
    return Sale(order, EMAIL, (line,), None, starts)


def way_out(shop: Shop) -> None:
    _reminding(shop, reminding.way_out)


def reported(shop: Shop) -> None:
    _reminding(shop, reminding.reported)


def _reminding(shop: Shop, plan: Callable[[Shop, Sale, float], None]) -> None:
    """Reminders are sent on the next two mornings."""
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, 4)
    plan(shop, bought(), shop.simulation.now + 60)
    shop.simulation.run(3 * DAY)


def purchase(shop: Shop) -> None:
    shop.sell(bought(quantity=2), shop.simulation.now + 1)
    shop.simulation.run(3 * HOUR)


def at_provider(shop: Shop, name: str, plan: str = "paid", order: str = "o1") -> Sale:
    """What happens to a payment at a provider by a plan, with three hours behind each step. WooCommerce has numbers for
    its orders."""
    provider, payment = shop.simulation.providers[name], _PAYMENTS[name]
    order = payment if name == "woocommerce" else order
    sale = shop.sales[order] = bought(order, payment=payment)
    provider.open(order, payment, sale.bought())
    for kind, much in PLANS[plan]:
        provider.happen(payment, kind, amount_of(sale, much))
        shop.simulation.run(3 * HOUR)
    return sale


_PAYMENTS = {"mollie": "tr_mollie01", "stripe": "pi_stripe01", "woocommerce": "8001", "moneybird": "433501"}


def renewal(shop: Shop) -> None:
    """Paid today; its mail leaves the day after tomorrow at seven."""
    now = shop.simulation.now
    shop.sell(ending(), now + 1)
    shop.sell(renewing(), now + 600, opened=60)
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, 4)
    shop.simulation.run(3 * DAY)


def batch_replaced(shop: Shop) -> None:
    """After the codes left, their batch turns out to be bad."""
    purchase(shop)
    shop.import_codes(PLAIN, 5)
    shop.simulation.run(60)
    shop.replace_batch("batch-6")
    shop.simulation.run(3 * HOUR)


def resend(shop: Shop) -> None:
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    asks(shop, "resend")
    shop.simulation.run(3 * HOUR)


def refund(shop: Shop) -> None:
    """After the codes left."""
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    shop.simulation.tell("o1", "order.refunded", full=True)
    shop.simulation.run(3 * HOUR)


def refund_before(shop: Shop) -> None:
    """While SES keeps the codes here."""
    shop.simulation.ses.pause(1800)
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(1200)
    shop.simulation.tell("o1", "order.refunded", full=True)
    shop.simulation.run(3 * HOUR)


def contested(shop: Shop, order: str = "o1", quantity: int = 1) -> Sale:
    """Somebody bought and was served, and what is told of the payment from now on may differ from that."""
    shop.contested.add(order)
    sale = bought(order, quantity, payment=f"pay-{order}")
    shop.sell(sale, shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    return sale


def exchange(shop: Shop) -> None:
    """After the codes left."""
    sale = contested(shop)
    shop.simulation.tell("o1", "order.refunded", full=True, payment_id=sale.payment)
    shop.simulation.run(600)
    other = {"lines": [{"sku": REMINDING, "quantity": 1}], "amount": "29.95"}
    shop.simulation.tell("o1", "order.paid", **sale.bought("pay-2") | other)
    shop.simulation.run(3 * HOUR)


def second_buyer(shop: Shop) -> None:
    sale = contested(shop)
    shop.simulation.tell("o1", "order.paid", **sale.bought("pay-2") | {"email": "ander@klant.example"})
    shop.simulation.run(3 * HOUR)


def own_order(shop: Shop) -> None:
    """A person makes the second payment an order of its own."""
    second_buyer(shop)
    right = {"own_order": "webhook:pay-2", "reason": "asked"}
    shop.simulation.support("PUT", "/orders/{order_id}/contents", right, key="settled", order_id="o1")
    shop.simulation.run(3 * HOUR)


def by_hand(shop: Shop) -> None:
    """An agent gives two codes for nothing."""
    lines = [{"sku": PLAIN, "quantity": 2}]
    body = {"customer": {"email": EMAIL}, "lines": lines, "why": "goodwill", "confirmed": True}
    shop.simulation.support("POST", "/orders", body, key="by-hand")
    shop.simulation.run(3 * HOUR)


def moved(shop: Shop) -> None:
    """One of two licenses goes to another customer."""
    purchase(shop)
    item = shop.simulation.item("o1")
    assert item
    route, to = "/orders/{order_id}/licenses/{license_id}/move", {"email": "piet@klant.example", "confirmed": True}
    shop.simulation.support("POST", route, to, key="move", order_id="o1", license_id=item["licenses"][0]["id"])
    shop.simulation.run(3 * HOUR)


def paid_before(shop: Shop) -> None:
    """Before the moment from which Keypost serves."""
    sale = bought()
    shop.sales["o1"] = sale
    shop.before.add("o1")
    shop.simulation.tell("o1", "order.paid", said_at=shop.starts - DAY, **sale.bought())
    shop.simulation.run(3 * HOUR)


def _days(shop: Shop, days: int) -> None:
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, days + 1)
    shop.simulation.run(days * DAY)


def stranger(shop: Shop) -> None:
    """Somebody renews what is another customer's."""
    shop.sell(replace(ending(), name="Bea Eigenaar"), shop.simulation.now + 1)
    shop.strangers["r1"] = "o1"
    theirs = replace(renewing(), email="vreemd@klant.example", name="Sjaak Vreemdeling")
    shop.sell(theirs, shop.simulation.now + 600)
    shop.simulation.run(3 * HOUR)


def by_code(shop: Shop) -> None:
    """The customer types the code that is to be renewed."""
    shop.sell(ending(), shop.simulation.now + 1)
    shop.simulation.run(600)
    shop.sales["r1"] = renewing()
    pay_by_code(shop, shop.sales["o1"], shop.sales["r1"])
    _days(shop, 3)


def in_parts(shop: Shop) -> None:
    """One of two licenses is renewed today, and the other tomorrow."""
    line = {**ending().lines[0], "quantity": 2}
    shop.sell(replace(ending(), lines=(line,)), shop.simulation.now + 1)
    shop.beside |= {"r1", "r2"}
    for number, order in enumerate(("r1", "r2")):
        shop.sell(renewing(order=order), shop.simulation.now + 600 + number * DAY)
    _days(shop, 3)


def _decided(shop: Shop, method: str, what: str, body: Mapping[str, Any]) -> None:
    """A person decides of a renewal some minutes after it was paid."""
    shop.sell(ending(), shop.simulation.now + 1)
    shop.sell(renewing(), shop.simulation.now + 60)
    shop.simulation.run(600)
    route = "/orders/{order_id}/lines/{n}/renewal" + what
    shop.simulation.support(method, route, body, key="decided", order_id="r1", n="1")
    _days(shop, 3)


def renewal_moved(shop: Shop) -> None:
    _decided(shop, "PUT", "", {"period_start": "now"})


def renewal_stopped(shop: Shop) -> None:
    _decided(shop, "POST", "/stop", {})


def second_short(shop: Shop) -> None:
    """The codes of the second product come five hours after those of the first one."""
    lines = ({"sku": PLAIN, "quantity": 1}, {"sku": RARE, "quantity": 1})
    shop.sell(Sale("o1", EMAIL, lines, None), shop.simulation.now + 1)
    shop.simulation.run(5 * HOUR)
    shop.import_codes(RARE, 2)
    shop.simulation.run(HOUR)


def license_refunded(shop: Shop) -> None:
    """A part goes back, and a person names the license."""
    purchase(shop)
    shop.simulation.tell("o1", "order.refunded", amount_refunded="19.95")
    shop.simulation.run(600)
    item = shop.simulation.item("o1")
    assert item
    route, license_id = "/orders/{order_id}/licenses/{license_id}/refunded", item["licenses"][0]["id"]
    shop.simulation.support("POST", route, {"reason": "asked"}, key="named", order_id="o1", license_id=license_id)
    shop.simulation.run(600)
    asks(shop, "resend")
    shop.simulation.run(HOUR)


def wish(shop: Shop) -> None:
    """The customer asks on the page for what was sent."""
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    shop.simulation.wish(EMAIL)
    shop.simulation.run(3 * HOUR)


def stopped(shop: Shop) -> None:
    """A customer stops the reminders of a license that ends."""
    line = {**ending(days=9).lines[0], "sku": REMINDING}
    shop.sell(replace(ending(), lines=(line,)), shop.simulation.now + 1)
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, 1)
    shop.simulation.run(DAY)
    shop.simulation.open_link(EMAIL, "List-Unsubscribe=One-Click")
    shop.simulation.run(HOUR)


def short(shop: Shop) -> None:
    """There are too few codes, which the daily note says; then more come in."""
    shop.sell(bought(quantity=9), shop.simulation.now + 1)
    shop.simulation.run(600)
    shop.simulation.ask_providers()
    shop.simulation.write_note()
    shop.simulation.run(HOUR)
    shop.import_codes(PLAIN, 5)
    shop.simulation.run(HOUR)


def swap(shop: Shop) -> None:
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    swaps(shop)
    shop.simulation.run(HOUR)


def erasure(shop: Shop) -> None:
    purchase(shop)
    shop.simulation.support("POST", "/customers/erase", {"email": EMAIL}, key="erase")
    shop.simulation.run(HOUR)


def renewal_late(shop: Shop) -> None:
    """Paid when its period is about to begin, so its mail leaves at once."""
    now = shop.simulation.now
    shop.sell(ending(days=3), now + 1)
    shop.simulation.run(HOUR)
    shop.sell(renewing(days=3), shop.simulation.now + 1)
    shop.simulation.run(3 * HOUR)


def partly_refunded(shop: Shop) -> None:
    """After the codes left, a part goes back, and a person lets the order go."""
    shop.sell(bought(quantity=2), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    shop.simulation.tell("o1", "order.refunded", amount_refunded="3.00")
    shop.simulation.run(HOUR)
    asks(shop, "release")
    shop.simulation.run(3 * HOUR)


def other_address(shop: Shop) -> None:
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    body = {"email": "nieuw@klant.example", "confirmed": True}
    shop.simulation.support("PUT", "/orders/{order_id}/email", body, key="address", order_id="o1")
    shop.simulation.run(3 * HOUR)


def canceled(shop: Shop) -> None:
    """By the shop, after the codes left."""
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    shop.simulation.tell("o1", "order.canceled")
    shop.simulation.run(3 * HOUR)


def two_products(shop: Shop) -> None:
    lines = tuple({"sku": sku, "quantity": 1} for sku in (PLAIN, REMINDING))
    shop.sell(Sale("o1", EMAIL, lines, None), shop.simulation.now + 1)
    shop.simulation.run(3 * HOUR)


def waiting(shop: Shop) -> None:
    """For stock, which an import brings."""
    shop.sell(bought(quantity=9), shop.simulation.now + 1)
    shop.simulation.run(600)
    shop.import_codes(PLAIN, 5)
    shop.simulation.run(HOUR)


STORIES: Mapping[str, Callable[[Shop], None]] = {
    "purchase": purchase,
    "renewal": renewal,
    "resend": resend,
    "refund": refund,
    "refund before": refund_before,
    "by hand": by_hand,
    "moved": moved,
    "wish": wish,
    "stopped": stopped,
    "short": short,
    "swap": swap,
    "erasure": erasure,
    "batch replaced": batch_replaced,
    "renewal late": renewal_late,
    "partly refunded": partly_refunded,
    "other address": other_address,
    "canceled": canceled,
    "two products": two_products,
    "waiting": waiting,
}


def asks(shop: Shop, what: str, order: str = "o1") -> None:
    """An agent asks for this of an order, until it is answered."""
    shop.simulation.support(
        "POST", "/orders/{order_id}/" + what, {"reason": "asked"}, key=f"wish-{what}", order_id=order
    )


def swaps(shop: Shop, order: str = "o1") -> None:
    """An agent gives the first license of an order another code."""
    item = shop.simulation.item(order)
    assert item
    route, license_id = "/orders/{order_id}/licenses/{license_id}/replace", item["licenses"][0]["id"]
    body = {"reason": "invalid"}
    shop.simulation.support("POST", route, body, key="swap", order_id=order, license_id=license_id)


def mailed(shop: Shop, order: str = "o1") -> list[str]:
    """The mails of an order that SES took, as often as it took them."""
    return [mail.mail for mail in shop.simulation.ses.accepted if mail.order == order]


@contextmanager
def no_pokes(shop: Shop) -> Iterator[None]:
    """What is told meanwhile is stored, and no message reaches the worker."""
    shop.simulation.sqs.is_deaf = True
    yield
    shop.simulation.run(5)
    shop.simulation.sqs.is_deaf = False


def twins(shop: Shop, order: str, apart: float = 0) -> None:
    """Two messages about an order, delivered at one instant, or so many seconds apart."""
    shop.simulation.sqs.put("work", order, 0)
    shop.simulation.sqs.put("work", order, apart)
    shop.simulation.run(120)
