"""Codes that come back, codes that move or are bad, and imports."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.simulator.faults import happenings, renewing
from tests.simulator.faults.acts import ask_of_license, paid, told
from tests.simulator.faults.seldom.scenes import BATCH, OTHER, anybody, ending, kept_here, served, somebody, stocked
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, REMINDING, Sale, Shop


def returned_to_a_withdrawn_batch(shop: Shop, at: float) -> None:
    sale = kept_here(shop, at)
    shop.act(at + 120, f"withdraws the batch of {sale.order}", lambda: _of_batch(shop, sale, _withdraw))
    told(shop, sale, at + 300, "order.refunded", full=True)
    paid(shop, somebody(shop), at + 400)


def replaced_while_it_leaves(shop: Shop, at: float) -> None:
    """The batch is bad of which a code is on its way, and nobody knows yet whether it left."""
    stocked(shop, at - 2)
    sale = somebody(shop)
    shop.act(at - 1, "4 codes of PLAIN", lambda: shop.import_codes(PLAIN, 4, OTHER))
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


def imports_meet_others(shop: Shop, at: float) -> None:
    """The write of an import meets another transaction."""
    words = ("support_api", "TransactWriteItems")
    shop.act(at, "an import is met", lambda: shop.simulation.faults.planned.append((words, "conflict")))
    stocked(shop, at)


def second_short(shop: Shop, at: float) -> None:
    stocked(shop, at - 1)
    renewing.second_short(shop, anybody(shop), at)


def moved_to_another_product(shop: Shop, at: float) -> None:
    """The codes of a batch are another product's after all, which an agent notes while several customers buy."""
    stocked(shop, at - 1)
    body = {"batch": BATCH, "to": REMINDING}
    for number in range(4):
        paid(shop, somebody(shop), at + number / 20)
    shop.act(at + 0.1, "moves a batch", lambda: shop.simulation.support("POST", "/stock/{sku}/move", body, sku=PLAIN))


def swapped_and_refunded_before_it_left(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    shop.act(at + 300, f"SES pauses for {HOUR:.0f} s", lambda: shop.simulation.ses.pause(HOUR))
    ask_of_license(shop, sale, at + 301, "replace", {"reason": "invalid"})
    told(shop, sale, at + 600, "order.refunded", full=True)


def moved_and_replaced(shop: Shop, at: float) -> None:
    """A license goes to another customer, and its batch turns out to be bad."""
    sale = served(shop, at)
    happenings.moved(shop, sale, at + 300)
    shop.act(at + HOUR - 1, "4 codes of PLAIN", lambda: shop.import_codes(PLAIN, 4, OTHER))
    shop.act(at + HOUR, f"replaces the batch of {sale.order}", lambda: _of_batch(shop, sale, Shop.replace_batch))


def replaced_when_codes_come(shop: Shop, at: float) -> None:
    """A batch is bad, and for some hours there are no other codes."""
    shop.act(at - 1, "1 code of RARE", lambda: shop.import_codes(RARE, 1, BATCH))
    sale = somebody(shop, RARE)
    paid(shop, sale, at)
    shop.act(at + 300, f"replaces the batch of {sale.order}", lambda: _of_batch(shop, sale, Shop.replace_batch))
    shop.act(at + 3 * HOUR, "codes of RARE", lambda: shop.import_codes(RARE, 2, OTHER))


def cut_import(shop: Shop, at: float) -> None:
    """Somebody waits, and the import of the codes stops behind a part of them."""
    sale, came_at = somebody(shop, RARE), at + 9 * HOUR
    paid(shop, sale, at)
    shop.in_time[sale.order] = came_at
    words = ("support_api", "TransactWriteItems")
    shop.act(came_at, "an import is cut", lambda: shop.simulation.faults.planned.append((words, "crash after")))
    shop.act(came_at, "codes of RARE", lambda: shop.import_codes(RARE, 2, BATCH))


def withdrawn_to_see(shop: Shop, at: float) -> None:
    """An agent asks what it would change to withdraw a batch, and somebody buys of it after that."""
    stocked(shop, at)
    route, sale = "/stock/{sku}/withdraw?dry_run=true", somebody(shop)
    ask = partial(shop.simulation.support, "POST", route, {"batch": BATCH}, sku=PLAIN)
    shop.act(at + 60, "would withdraw a batch", ask)
    paid(shop, sale, at + 120)
    shop.in_time[sale.order] = at + 120


def withdrawn_when_all_are_sold(shop: Shop, at: float) -> None:
    """An agent withdraws a batch of which no code is in the stock, sees that it is the wrong one, and puts it back."""
    shop.act(at - 1, "1 code of RARE", lambda: shop.import_codes(RARE, 1, BATCH))
    paid(shop, somebody(shop, RARE), at)
    for how, moment in (("withdraw", at + HOUR), ("put-back", at + 1.1 * HOUR)):
        ask = partial(shop.simulation.support, "POST", f"/stock/{{sku}}/{how}", {"batch": BATCH}, sku=RARE)
        shop.act(moment, f"{how} {BATCH}", ask)


def who_needs_it_sooner(shop: Shop, at: float) -> None:
    """One code comes: a renewal of next week was paid before, and a purchase needs it today."""
    stocked(shop, at - 1)
    first = ending(shop, somebody(shop), at, 9)
    paid(shop, first, at)
    other = renewing.renewal_of(shop, first)
    other = shop.sales[other.order] = replace(other, lines=({**other.lines[0], "sku": RARE},))
    sale = somebody(shop, RARE)
    paid(shop, other, at + 60)
    paid(shop, sale, at + 120)
    came_at = at + 9 * HOUR
    shop.in_time[sale.order] = came_at
    shop.act(came_at, "1 code of RARE", lambda: shop.import_codes(RARE, 1, BATCH))


def swapped_while_another_is(shop: Shop, at: float) -> None:
    """Of two licenses neither code works: the second one is swapped while the mail with the first one leaves."""
    stocked(shop, at - 1)
    sale = _of_two_lines(shop, at)
    ask_of_license(shop, sale, at + 300, "replace", {"reason": "invalid"})
    while_it_leaves = at + 300 + shop.chance.choice((0.2, 0.3, 0.4, 0.5))
    ask_of_license(shop, sale, while_it_leaves, "replace", {"reason": "invalid"}, place=1)


def second_one_moves(shop: Shop, at: float) -> None:
    """The license of the second line goes to another customer."""
    shop.act(at - 1, "20 codes of PLAIN", lambda: shop.import_codes(PLAIN, 20, BATCH))
    sale = _of_two_lines(shop, at)
    to = {"email": f"ander-{sale.email}", "name": "Piet Bakker", "confirmed": True}
    ask_of_license(shop, sale, at + 300, "move", to, place=1)


def _of_two_lines(shop: Shop, at: float) -> Sale:
    sale = somebody(shop)
    sale = shop.sales[sale.order] = replace(sale, lines=sale.lines * 2)
    paid(shop, sale, at)
    return sale
