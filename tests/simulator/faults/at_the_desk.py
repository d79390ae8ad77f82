"""Stories in which an agent changes something: with those of stories.py one for each call of the support API that
writes. Whoever gets no answer asks again with the same key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import CREATED
from typing import Any

from tests.simulator.faults.shop import HOUR, PLAIN, PRODUCTS, RARE, REMINDING, Shop, day_of
from tests.simulator.faults.stories import (
    EMAIL,
    asks,
    bought,
    by_hand,
    ending,
    license_refunded,
    own_order,
    purchase,
    refund,
    renewal_moved,
    renewal_stopped,
    second_buyer,
)

_ORDER = "/orders/{order_id}"


@dataclass(frozen=True, slots=True)
class Story:
    """What is played, and by its order the mails that have left at the end, whatever failed once."""

    play: Callable[[Shop], None]
    owed: Mapping[str, tuple[str, ...]]


def _wants(shop: Shop, method: str, route: str, body: Mapping[str, Any], **path: Any) -> None:
    """An agent asks for this, until it is answered; what follows from it takes up to an hour."""
    shop.simulation.support(method, route, body, key=f"wish-{len(shop.simulation.answers)}", **path)
    shop.simulation.run(HOUR)


def catalog(shop: Shop) -> None:
    """A product is changed, and codes of it come in; a customer has two of those from before."""
    purchase(shop)
    _wants(shop, "PUT", "/products/{sku}", {**PRODUCTS[PLAIN], "devices": 3}, sku=PLAIN)
    _wants(shop, "POST", "/stock/{sku}", {"codes": shop.new_codes(PLAIN, 3), "batch": "batch-3"}, sku=PLAIN)


def held(shop: Shop) -> None:
    """While SES keeps the codes here; later the order is released."""
    shop.simulation.ses.pause(1800)
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(600)
    _wants(shop, "POST", f"{_ORDER}/hold", {"reason": "look"}, order_id="o1")
    _wants(shop, "POST", f"{_ORDER}/release", {"reason": "fine"}, order_id="o1")


def closed(shop: Shop) -> None:
    """What was to be blocked is none of ours."""
    refund(shop)
    _wants(shop, "POST", f"{_ORDER}/close", {"reason": "asked"}, order_id="o1")


def blocked(shop: Shop) -> None:
    """The vendor has blocked the codes whose money went back."""
    refund(shop)
    _wants(shop, "POST", f"{_ORDER}/blocked", {}, order_id="o1")


def settled(shop: Shop) -> None:
    """Of two customers with one number, a person says which is right."""
    second_buyer(shop)
    lines = [{"sku": PLAIN, "quantity": 1}]
    _wants(shop, "PUT", f"{_ORDER}/contents", {"lines": lines, "email": EMAIL}, order_id="o1")


def other_customer(shop: Shop) -> None:
    """Both orders of a customer get another name and address."""
    for order in ("o1", "o2"):
        shop.sell(bought(order), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    right = {"email": "nieuw@klant.example", "name": "Piet Bakker", "all_orders": True, "confirmed": True}
    _wants(shop, "PUT", f"{_ORDER}/customer", right, order_id="o1")


def noted(shop: Shop) -> None:
    purchase(shop)
    _wants(shop, "POST", f"{_ORDER}/note", {"note": "calls back"}, order_id="o1")


def without_reminders(shop: Shop) -> None:
    """For all that the customer bought and will buy; taken back for one order."""
    line = {**ending(days=30).lines[0], "sku": REMINDING}
    shop.sell(replace(ending(), lines=(line,)), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    _wants(shop, "POST", f"{_ORDER}/reminders/stop", {"all_orders": True}, order_id="o1")
    _wants(shop, "POST", f"{_ORDER}/reminders/stop", {"all_orders": True, "undo": True}, order_id="o1")


def complaint_lifted(shop: Shop) -> None:
    """A customer reports the mail with the codes as spam, which was a mistake, and gets it once more."""
    purchase(shop)
    shop.simulation.ses.complain(EMAIL)
    shop.simulation.run(HOUR)
    _wants(shop, "POST", f"{_ORDER}/lift-complaint", {"reason": "a mistake"}, order_id="o1")
    asks(shop, "resend")
    shop.simulation.run(HOUR)


def suppression_lifted(shop: Shop) -> None:
    """The address took no mail, and does now."""
    shop.simulation.ses.suppressed[EMAIL] = "BOUNCE"
    purchase(shop)
    _wants(shop, "POST", f"{_ORDER}/resend", {"lift_suppression": True}, order_id="o1")


def day_again(shop: Shop) -> None:
    """All mails of the day that SES refused are sent again, as it takes them now."""
    shop.simulation.ses.refuses.add(EMAIL)
    shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.run(HOUR)
    shop.simulation.ses.refuses.clear()
    _wants(shop, "POST", "/mails/resend", {"day": str(day_of(shop.simulation.now))})


def sent_elsewhere(shop: Shop) -> None:
    """Once, to a partner."""
    purchase(shop)
    _wants(shop, "POST", f"{_ORDER}/resend", {"to": "partner@klant.example", "confirmed": True}, order_id="o1")


def by_hand_withdrawn(shop: Shop) -> None:
    """What an agent gave for nothing is taken back."""
    by_hand(shop)
    made = next(answer.said["order_id"] for answer in shop.simulation.answers if answer.status == CREATED)
    _wants(shop, "POST", f"{_ORDER}/withdraw", {}, order_id=made)


def stock_corrected(shop: Shop) -> None:
    """A batch leaves the stock, comes back, and turns out to be of another product."""
    batch = {"batch": "batch-6"}
    _wants(shop, "POST", "/stock/{sku}/withdraw", batch, sku=REMINDING)
    _wants(shop, "POST", "/stock/{sku}/put-back", batch, sku=REMINDING)
    _wants(shop, "POST", "/stock/{sku}/move", {**batch, "to": RARE}, sku=REMINDING)
    shop.sell(replace(bought(), lines=({"sku": RARE, "quantity": 1},)), shop.simulation.now + 1)
    shop.simulation.run(HOUR)


def subscription_ended(shop: Shop) -> None:
    """At Stripe, by a person."""
    sale = bought(payment="in_o1")
    shop.sales["o1"] = sale
    shop.simulation.tell("o1", "order.paid", teller="stripe", subscription="sub_o1", **sale.bought())
    shop.simulation.run(HOUR)
    _wants(shop, "POST", f"{_ORDER}/subscription-ended", {}, order_id="o1")


_SOLD = {"o1": ("purchase-1",)}
AT_THE_DESK: Mapping[str, Story] = {
    "catalog": Story(catalog, _SOLD),
    "held": Story(held, _SOLD),
    "closed": Story(closed, {"o1": ("purchase-1", "refunded-1")}),
    "blocked": Story(blocked, {"o1": ("purchase-1", "refunded-1")}),
    "settled": Story(settled, _SOLD),
    "own order": Story(own_order, {"o1": ("purchase-1",), "o1-2": ("purchase-1",)}),
    "other customer": Story(other_customer, {"o1": ("purchase-1", "address_changed-1"), "o2": ("purchase-1",)}),
    "noted": Story(noted, _SOLD),
    "without reminders": Story(without_reminders, _SOLD),
    "complaint lifted": Story(complaint_lifted, {"o1": ("purchase-1", "resend-1")}),
    "suppression lifted": Story(suppression_lifted, {"o1": ("purchase-1", "resend-1")}),
    "day again": Story(day_again, {"o1": ("resend-1",)}),
    "sent elsewhere": Story(sent_elsewhere, {"o1": ("purchase-1", "resend-1", "sent_elsewhere-1")}),
    "by hand withdrawn": Story(by_hand_withdrawn, {}),
    "stock corrected": Story(stock_corrected, _SOLD),
    "subscription ended": Story(subscription_ended, _SOLD),
    "license refunded": Story(license_refunded, {"o1": ("purchase-1", "resend-1")}),
    "renewal moved": Story(renewal_moved, {"o1": ("purchase-1",), "r1": ("renewal-1",)}),
    "renewal stopped": Story(renewal_stopped, _SOLD),
}
