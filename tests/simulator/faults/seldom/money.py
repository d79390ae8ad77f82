"""Money that goes back while its codes wait, callbacks in an odd order, and what they leave open."""

from functools import partial
from typing import Any

from tests.simulator.faults import happenings
from tests.simulator.faults.acts import ask, paid, say, told
from tests.simulator.faults.at_providers import happens, opened
from tests.simulator.faults.events import callback_event
from tests.simulator.faults.seldom.scenes import anybody, kept_here, served, somebody, stocked, waiting
from tests.simulator.faults.shop import HOUR, PLAIN, RARE, Sale, Shop
from tests.simulator.faults.simulation import DAY


def canceled_while_it_waits(shop: Shop, at: float) -> None:
    told(shop, waiting(shop, at), at + 300, "order.canceled")


def refund_grows_while_it_waits(shop: Shop, at: float) -> None:
    """A person lets the order go of which a part went back, and then more goes back."""
    sale = waiting(shop, at)
    shop.contested.add(sale.order)
    told(shop, sale, at + 60, "order.refunded", amount_refunded="3.00")
    ask(shop, sale, at + 300, "POST", "/orders/{order_id}/release", reason="fine")
    told(shop, sale, at + 600, "order.refunded", amount_refunded="6.00")


def refund_deleted_while_it_waits(shop: Shop, at: float) -> None:
    """It was entered by mistake, and the older word about it comes last."""
    sale = waiting(shop, at)
    tell = partial(shop.simulation.tell, sale.order, "order.refunded", payment_id=sale.payment)
    shop.act(at + 120, f"refund deleted {sale.order}", partial(tell, said_at=at + 60, amount_refunded="0"))
    shop.act(at + 240, f"refunded before {sale.order}", partial(tell, said_at=at + 30, full=True))


def refunded_before_it_left(shop: Shop, at: float) -> None:
    told(shop, kept_here(shop, at), at + 120, "order.refunded", full=True)


def two_names(shop: Shop, at: float) -> None:
    stocked(shop, at - 1)
    happenings.told_under_two_names(shop, anybody(shop), at)


def refunded_before_it_is_told(shop: Shop, at: float) -> None:
    """Stripe tells that money went back before it tells for which order it was paid."""
    stocked(shop, at - 1)
    sale = somebody(shop)
    bought = sale.bought()
    say(shop, sale.order, at, "order.refunded", teller="stripe", full=True, **bought)
    paid(shop, sale, at + 60, teller="stripe")


def address_told_three_times(shop: Shop, at: float) -> None:
    """The shop tells another address and then the first one again; the word between them comes last."""
    sale = somebody(shop, RARE)
    first, other = sale.bought(), {**sale.bought(), "email": f"fout-{sale.email}"}
    say(shop, sale.order, at, "order.paid", said_at=at, **first)
    say(shop, sale.order, at + 120, "order.paid", said_at=at + 120, **first)
    say(shop, sale.order, at + 180, "order.paid", said_at=at + 60, **other)
    shop.newest[sale.order] = sale.email
    shop.act(at + 900, "codes of RARE", lambda: shop.import_codes(RARE, 2))


def paid_anew_since_the_start(shop: Shop, at: float) -> None:
    """What was paid before Keypost served went back, and the customer pays again."""
    stocked(shop, at - 1)
    sale = somebody(shop)
    say(shop, sale.order, at, "order.paid", said_at=shop.starts - 5 * DAY, **sale.bought())
    told(shop, sale, at + 60, "order.refunded", full=True)
    paid(shop, sale, at + HOUR, payment=f"{sale.payment}-2")


def settled_and_refunded(shop: Shop, at: float) -> None:
    """A person decides that both of two payments count, and the money of the first one goes back after that."""
    sale = somebody(shop, RARE)
    shop.contested.add(sale.order)
    paid(shop, sale, at)
    second = [{"sku": RARE, "quantity": 2}]
    paid(shop, sale, at + 60, payment=f"{sale.payment}-2", lines=second)
    both = [{"sku": RARE, "quantity": 3}]
    ask(shop, sale, at + 300, "PUT", "/orders/{order_id}/contents", reason="asked", lines=both)
    told(shop, sale, at + 600, "order.refunded", full=True)
    shop.act(at + HOUR, "codes of RARE", lambda: shop.import_codes(RARE, 4))


def canceled_after_it_left(shop: Shop, at: float) -> None:
    told(shop, served(shop, at), at + HOUR, "order.canceled")


def exchanged_for_what_is_short(shop: Shop, at: float) -> None:
    """What left is to be blocked, and its customer has paid for what comes in hours later."""
    sale = served(shop, at)
    shop.contested.add(sale.order)
    told(shop, sale, at + 300, "order.refunded", full=True)
    paid(shop, sale, at + 600, payment=f"{sale.payment}-2", lines=[{"sku": RARE, "quantity": 1}])
    shop.act(at + 9 * HOUR, "codes of RARE", lambda: shop.import_codes(RARE, 2))
    shop.in_time[sale.order] = at + 9 * HOUR


def credited_for_nobody(shop: Shop, at: float) -> None:
    """Moneybird tells of a credit note that names no invoice, while the table takes nothing new."""
    sale = somebody(shop)
    del shop.sales[sale.order]
    note = {**sale.bought("433577"), "amount": "-19.95"}
    event = partial(callback_event, "moneybird", sale.order, "order.paid", note)
    planned = shop.simulation.faults.planned
    busy = [(("payment_callback", "PutItem"), "throttled")] * 200  # the SDK tries again itself, and so does the store
    shop.act(at, "the table is busy", lambda: planned.extend(busy))
    shop.act(at, "a credit note", lambda: shop.simulation.remark("moneybird", partial(event, at)))
    shop.act(at + 300, "the table is busy no more", planned.clear)


def credited_for_two(shop: Shop, at: float) -> None:
    """Moneybird tells of two credit notes that name no invoice, one behind the other."""
    for number in (433578, 433579):
        sale = somebody(shop)
        del shop.sales[sale.order]
        note = {**sale.bought(str(number)), "amount": "-19.95"}
        event = partial(callback_event, "moneybird", f"{sale.order}-{number}", "order.paid", note)
        remark = partial(shop.simulation.remark, "moneybird", partial(event, at))
        shop.act(at + number % 10, f"credit note {number}", remark)


def settled_for_more_after_it_left(shop: Shop, at: float) -> None:
    """One license has left when its customer pays for another one of the same, and a person says that both count. The
    shop tells both of them again, twice."""
    sale = served(shop, at)
    shop.contested.add(sale.order)
    paid(shop, sale, at + 300, payment=f"{sale.payment}-2")
    both = [{"sku": PLAIN, "quantity": 2}]
    ask(shop, sale, at + HOUR, "PUT", "/orders/{order_id}/contents", reason="asked", lines=both)
    for later in (2 * HOUR, 3 * HOUR):
        say(shop, sale.order, at + later, "order.paid", said_at=at, **sale.bought())
        say(shop, sale.order, at + later, "order.paid", said_at=at + 300, **sale.bought(f"{sale.payment}-2"))


def settled_by_a_credit_note(shop: Shop, at: float) -> None:
    """A bookkeeper credits an invoice that nobody paid, and Moneybird calls it paid."""
    stocked(shop, at - 1)
    sale = somebody(shop)
    say(shop, sale.order, at, "order.open", teller="moneybird", credited_by="433580", **sale.bought("433577"))


def own_order_is_cut(shop: Shop, at: float) -> None:
    """Two customers used one number, and whoever makes the second payment an order of its own dies half way."""
    sale = _used_twice(shop, at, PLAIN)
    words = (f"support_api {sale.order}", "PutItem")
    shop.act(at + HOUR, "a call is cut", lambda: shop.simulation.faults.planned.append((words, "crash after")))
    _made_its_own(shop, sale, at + HOUR)


def own_order_refunded(shop: Shop, at: float) -> None:
    """The second payment is an order of its own, which waits for codes, when its money goes back."""
    sale = _used_twice(shop, at, RARE)
    _made_its_own(shop, sale, at + HOUR)
    say(shop, sale.order, at + 2 * HOUR, "order.refunded", payment_id=f"{sale.payment}-2", full=True)
    shop.act(at + 5 * HOUR, "codes of RARE", lambda: shop.import_codes(RARE, 4))


def _used_twice(shop: Shop, at: float, sku: str) -> Sale:
    stocked(shop, at - 1)
    sale = somebody(shop, sku)
    shop.contested.add(sale.order)
    paid(shop, sale, at)
    paid(shop, sale, at + 300, payment=f"{sale.payment}-2", email=f"ander-{sale.email}")
    return sale


def _made_its_own(shop: Shop, sale: Sale, at: float) -> None:
    body = {"own_order": f"webhook:{sale.payment}-2", "reason": "asked"}
    wish: dict[str, Any] = {"key": f"own-{sale.order}", "order_id": sale.order}
    do = partial(shop.simulation.support, "PUT", "/orders/{order_id}/contents", body, **wish)
    shop.act(at, f"PUT /orders/{{order_id}}/contents {sale.order}", do)


def mollie_is_away_for_long(shop: Shop, at: float) -> None:
    """For longer than it is asked about; and its call about what was paid just before is lost."""
    shop.days = max(shop.days, 3)
    stocked(shop, at - 1)
    sale = opened(shop, "mollie", at)
    words = ("callback of Mollie", sale.order)
    shop.act(at, "a callback is lost", lambda: shop.simulation.faults.planned.append((words, "callback never sent")))
    happens(shop, "mollie", sale, at + 1, "paid")
    shop.act(at + 2, "Mollie is away", lambda: shop.simulation.providers["mollie"].is_away(40 * HOUR))


def lost_in_one_second(shop: Shop, at: float) -> None:
    """A dispute is opened and lost within the second that its stamps have, before the codes left."""
    sale = kept_here(shop, at)
    opened_at = float(int(at) + 120)
    for delay, kind in ((0.1, "order.disputed"), (0.6, "order.dispute_closed")):
        say(shop, sale.order, opened_at + delay, kind, said_at=opened_at, won=False, **sale.named)


def tried_again_after_the_cancellation(shop: Shop, at: float) -> None:
    """Its customer opens another payment at Mollie, which fails."""
    sale, mollie = waiting(shop, at), shop.simulation.providers["mollie"]
    told(shop, sale, at + 60, "order.canceled")
    again = f"tr_again{sale.order}"
    shop.act(at + 300, f"opens {again} at Mollie", lambda: mollie.open(sale.order, again, sale.bought(again)))
    shop.act(at + 301, f"failed {again} at Mollie", lambda: mollie.happen(again, "failed"))
