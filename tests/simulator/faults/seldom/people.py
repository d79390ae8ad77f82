"""Agents and customers, their addresses, and what they ask for."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.simulator.faults import commands, happenings, reminding
from tests.simulator.faults.acts import ask, paid, told
from tests.simulator.faults.renewing import renewal_of
from tests.simulator.faults.schedules import NOTES, ZONE
from tests.simulator.faults.seldom.scenes import ending, served, somebody, stocked, waiting
from tests.simulator.faults.shop import HOUR, RARE, REMINDING, Shop, day_of
from tests.simulator.faults.simulation import DAY


def held_while_it_waits(shop: Shop, at: float) -> None:
    sale = waiting(shop, at)
    ask(shop, sale, at + 300, "POST", "/orders/{order_id}/hold", reason="look")
    ask(shop, sale, at + 2 * HOUR, "POST", "/orders/{order_id}/release", reason="fine")


def double_click(shop: Shop, at: float) -> None:
    """The page sends one key with both, and the first mail has left before the second click."""
    sale = served(shop, at)
    wish: dict[str, Any] = {"key": f"click-{sale.order}", "order_id": sale.order}
    do = partial(shop.simulation.support, "POST", "/orders/{order_id}/resend", {"reason": "lost"}, **wish)
    for moment in (at + 300, at + 320):
        shop.act(moment, f"POST /orders/{{order_id}}/resend {sale.order}", do)


def moved(shop: Shop, at: float) -> None:
    happenings.moved(shop, served(shop, at), at + 300)


def swapped(shop: Shop, at: float) -> None:
    happenings.swapped(shop, served(shop, at), at + 300)


def address_bounces(shop: Shop, at: float) -> None:
    """The customer buys again at it, an agent sends again, and then corrects the address."""
    sale = served(shop, at)
    shop.simulation.ses.unknown.add(sale.email)
    again = replace(somebody(shop), email=sale.email)
    shop.sales[again.order] = again
    paid(shop, again, at + 600)
    ask(shop, sale, at + 900, "POST", "/orders/{order_id}/resend", reason="lost")
    email = f"goed-{sale.email}"
    ask(shop, sale, at + 5 * HOUR, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)


def bounces_and_goes_elsewhere(shop: Shop, at: float) -> None:
    """The mail came back, and an agent has the codes sent to another address once, which changes nothing."""
    sale = served(shop, at)
    shop.simulation.ses.unknown.add(sale.email)
    ask(shop, sale, at + HOUR, "POST", "/orders/{order_id}/resend", reason="asked", to=f"elders-{sale.email}")


def bounces_late(shop: Shop, at: float) -> None:
    """An agent corrects an address, and the mail to the former one comes back after that; the customer wants the codes
    once more."""
    sale = served(shop, at)
    shop.simulation.ses.unknown.add(sale.email)
    email = f"goed-{sale.email}"
    shop.simulation.faults.planned.append((("Bounce", sale.order), "event late"))
    ask(shop, sale, at + 120, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)
    ask(shop, sale, at + 5 * HOUR, "POST", "/orders/{order_id}/resend", reason="lost")


def complained(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    shop.act(at + 300, f"complaint of {sale.order}", lambda: shop.simulation.ses.complain(sale.email))


def erased_and_told_again(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    ask(shop, sale, at + 300, "POST", "/customers/erase", email=sale.email)
    paid(shop, sale, at + 600)
    told(shop, sale, at + 900, "order.refunded", full=True, email=sale.email)


def corrected_twice(shop: Shop, at: float) -> None:
    """An agent corrects an address, and then the correction; the shop tells the first address again."""
    stocked(shop, at - 1)
    sale = ending(shop, somebody(shop), at, 8)
    paid(shop, sale, at)
    for number, email in enumerate((f"fout-{sale.email}", f"goed-{sale.email}"), start=1):
        ask(shop, sale, at + number * HOUR, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)
    paid(shop, sale, at + 3 * HOUR)
    renewal = renewal_of(shop, sale)
    for number in range(4, 6):
        paid(shop, renewal, at + number * HOUR)


def bounced_in_part(shop: Shop, at: float) -> None:
    """Of an order whose mail came back one license is over when its address is corrected."""
    stocked(shop, at - 1)
    over, lasting = ending(shop, somebody(shop), at, 0), {"sku": "PLAIN", "quantity": 1}
    sale = shop.sales[over.order] = replace(over, lines=(*over.lines, lasting))
    shop.simulation.ses.unknown.add(sale.email)
    paid(shop, sale, at)
    email = f"goed-{sale.email}"
    ask(shop, sale, at + 1.1 * DAY, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)


def corrected_after_the_way_out(shop: Shop, at: float) -> None:
    """Who wants no reminders gets none at another address either, which an agent wrote for the next license."""
    shop.act(at - 1, "2 codes of REMINDING", lambda: shop.import_codes(REMINDING, 2))
    first, reminded_at = reminding.reminded(shop, at)
    reminding.stop(shop, first, reminded_at + 30)
    second = next(sale for sale in reversed(shop.sales.values()) if sale.email == first.email)
    email = f"nieuw-{first.email}"
    ask(shop, second, reminded_at + HOUR, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)


def stopped_while_it_waits(shop: Shop, at: float) -> None:
    """The second reminder is kept back by a pause of SES, and its reader stops reminders by the link of the first."""
    shop.act(at - 1, "2 codes of REMINDING", lambda: shop.import_codes(REMINDING, 2))
    first, reminded_at = reminding.reminded(shop, at)
    shop.act(reminded_at + DAY - HOUR, "SES pauses for 3 hours", lambda: shop.simulation.ses.pause(3 * HOUR))
    reminding.stop(shop, first, reminded_at + DAY + HOUR)


def erased_while_unreadable(shop: Shop, at: float) -> None:
    sale = served(shop, at)
    shop.act(at + 60, f"breaks {sale.order}", lambda: happenings.break_item(shop, sale, happenings.BROKEN[0]))
    ask(shop, sale, at + 200, "POST", "/customers/erase", email=sale.email)
    shop.act(at + 2 * HOUR, f"mends {sale.order}", lambda: happenings.mend_item(shop, sale.order))


def wish_is_cut(shop: Shop, at: float) -> None:
    """A customer asks on the page, and whoever is to send it again dies."""
    sale = served(shop, at)
    words = ("send_again", f"call {shop.chance.choice((4, 4, 4, 5))}:")
    shop.act(at + HOUR, "a wish is cut", lambda: shop.simulation.faults.planned.append((words, "crash after")))
    shop.act(at + HOUR, f"wish of {sale.order}", lambda: shop.simulation.wish(sale.email))


def wish_meets_a_busy_queue(shop: Shop, at: float) -> None:
    """A customer asks on the page while SQS takes nothing."""
    sale = served(shop, at)
    planned = shop.simulation.faults.planned
    busy = [(("self_service", "SendMessage"), "throttled")] * 20  # the SDK tries again itself
    shop.act(at + HOUR, "SQS is busy", lambda: planned.extend(busy))
    shop.act(at + HOUR, f"wish of {sale.order}", lambda: shop.simulation.wish(sale.email))
    shop.act(at + HOUR + 30, "SQS is busy no more", planned.clear)


def buys_again_after_years(shop: Shop, at: float) -> None:
    """Somebody whose license ended years ago has another one of today: nobody forgets them."""
    old = commands.sold_years_ago(shop, at)
    shop.act(at, "imports a file of licenses", lambda: commands.import_licenses(shop, [old]))
    stocked(shop, at)
    sale = somebody(shop)
    sale = shop.sales[sale.order] = replace(sale, email=old.sale.email)
    paid(shop, sale, at + 60)
    shop.act(at + 120, "customers are forgotten", lambda: shop.simulation.poke("FORGET#"))


def note_is_refused(shop: Shop, at: float) -> None:
    """Somebody waits, and SES takes no mail when support is to be told of it in the morning."""
    shop.days = max(shop.days, 2)
    paid(shop, somebody(shop, RARE), at)
    words, planned = ("write_daily_note", "SendEmail"), shop.simulation.faults.planned
    runs = [datetime.combine(day_of(at) + timedelta(days=1), each, ZONE).timestamp() for each in NOTES]
    shop.act(runs[0] - 60, "SES is about to refuse", lambda: planned.append((words, "too many mails")))
    for moment in runs:
        shop.act(moment, "daily note", shop.simulation.write_note)
    shop.simulation.schedules.notes_at.extend(runs)


def given_once_more(shop: Shop, at: float) -> None:
    """An agent gives the same to the same customer hours later, with a program that sends no key."""
    stocked(shop, at - 1)
    customer = {"email": "hand@klant.example", "name": "Piet Bakker"}
    body = {"customer": customer, "lines": [{"sku": "PLAIN", "quantity": 1}], "why": "goodwill", "confirmed": True}
    for moment in (at, at + 2 * HOUR):
        shop.act(moment, "by hand, once more", lambda: shop.simulation.support("POST", "/orders", body))
