"""What can happen to an order, besides being sold. A happening is one small function of the shop, a sale and a moment,
which plans acts; it stands in HAPPENINGS under its name, with its weight among the others.

To add one: write the function, and put it into the table. The checks judge by what callbacks and agents said and by
what is stored, so they need a change only where the happening changes what an order is owed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.simulator.aws_here import NotTaken, ask_dynamodb
from tests.simulator.faults import doors, reminding, renewing
from tests.simulator.faults.acts import ask, ask_of_license, later, paid, say, told
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.shop import HOUR, PLAIN, REMINDING, Sale, Shop, cost
from tests.simulator.faults.simulation import DAY


@dataclass(frozen=True, slots=True)
class Happening:
    plan: Callable[[Shop, Sale, float], None]
    weight: float


def refunded(shop: Shop, sale: Sale, at: float) -> None:
    told(shop, sale, at, "order.refunded", full=True)


def partly_refunded(shop: Shop, sale: Sale, at: float) -> None:
    told(shop, sale, at, "order.refunded", amount_refunded="3.00")


def disputed(shop: Shop, sale: Sale, at: float) -> None:
    told(shop, sale, at, "order.disputed")
    closed = at + shop.chance.choice((60, HOUR, DAY / 2))
    told(shop, sale, closed, "order.dispute_closed", won=shop.chance.random() < 0.6)


def canceled(shop: Shop, sale: Sale, at: float) -> None:
    told(shop, sale, at, "order.canceled")


def canceled_before(shop: Shop, sale: Sale, at: float) -> None:
    """What the shop says now is older than the payment: it canceled what nobody had paid for by then."""
    said_at = at - 40 * DAY
    shop.act(
        at,
        f"canceled before {sale.order}",
        lambda: shop.simulation.tell(sale.order, "order.canceled", said_at=said_at),
    )


def closed(shop: Shop, sale: Sale, at: float) -> None:
    ask(shop, sale, at, "POST", "/orders/{order_id}/close", reason="done by hand")


def paid_again(shop: Shop, sale: Sale, at: float) -> None:
    """The money of the first payment goes back, and the customer pays once more."""
    if sale.payment:
        told(shop, sale, at, "order.refunded", full=True)
        again = at + shop.chance.choice((60, HOUR))
        bought = sale.bought(f"{sale.payment}-again")
        shop.act(again, f"paid again {sale.order}", lambda: shop.simulation.tell(sale.order, "order.paid", **bought))


# --- what was really paid for; each is an order of its own


def exchanged(shop: Shop, _sale: Sale, at: float) -> None:
    """The money of one product goes back, and another one is paid under the same number, whichever is told first."""
    sale = _contested(shop, at)
    told(shop, sale, later(shop, at), "order.refunded", full=True)
    paid(shop, sale, later(shop, at), payment=f"{sale.payment}-2", lines=_others(shop, sale))


def changed(shop: Shop, _sale: Sale, at: float) -> None:
    """The shop says of a payment that it is for other goods now."""
    _changed(shop, _contested(shop, at), at, "webhook")


def changed_in_woocommerce(shop: Shop, _sale: Sale, at: float) -> None:
    sale = shop.somebody("90", named=False)
    shop.contested.add(sale.order)
    paid(shop, sale, at, teller="woocommerce")
    _changed(shop, sale, at, "woocommerce")


def second_buyer(shop: Shop, _sale: Sale, at: float) -> None:
    """Two customers have one number."""
    sale = _contested(shop, at)
    lines = shop.chance.choice((list(sale.lines), _others(shop, sale)))
    paid(shop, sale, later(shop, at), payment=f"{sale.payment}-2", lines=lines, email=f"ander-{sale.email}")
    if shop.chance.random() < 0.5:
        _settled(shop, sale, at, own_order=f"webhook:{sale.payment}-2")


def told_under_two_names(shop: Shop, _sale: Sale, at: float) -> None:
    """By the shop and by Stripe, each of which has a name of its own for the payment, or the shop none."""
    sale = shop.somebody("y", named=shop.chance.random() < 0.5)
    paid(shop, sale, at)
    paid(shop, sale, later(shop, at), teller="stripe", payment=sale.payment or sale.order)


def refunded_under_no_name(shop: Shop, _sale: Sale, at: float) -> None:
    """Money of the order goes back, and nobody has told of the payment that is named."""
    sale = _contested(shop, at)
    back = shop.chance.choice(({"amount_refunded": "3.00"}, {"full": True}))
    data = {**back, "payment_id": f"{sale.payment}-none"}
    say(shop, sale.order, later(shop, at), "order.refunded", **data)
    if shop.chance.random() < 0.5:
        ask(shop, sale, at + shop.chance.choice((60, 2 * HOUR)), "POST", "/orders/{order_id}/release", reason="fine")


def refund_deleted(shop: Shop, _sale: Sale, at: float) -> None:
    """It was entered by mistake."""
    sale = shop.somebody("y", named=shop.chance.random() < 0.5)
    entered = later(shop, at)
    paid(shop, sale, at)
    told(shop, sale, entered, "order.refunded", **shop.chance.choice(({"amount_refunded": "3.00"}, {"full": True})))
    told(shop, sale, entered + shop.chance.choice((2, 60, HOUR)), "order.refunded", amount_refunded="0")


def refunded_after_release(shop: Shop, _sale: Sale, at: float) -> None:
    """A person lets an order go of which a part went back, and then more goes back."""
    sale = _contested(shop, at)
    part = later(shop, at)
    told(shop, sale, part, "order.refunded", amount_refunded="3.00")
    ask(shop, sale, part + shop.chance.choice((0, 30, HOUR)), "POST", "/orders/{order_id}/release", reason="fine")
    told(shop, sale, part + shop.chance.choice((31, 60, HOUR)), "order.refunded", amount_refunded="6.00")


def paid_before(shop: Shop, _sale: Sale, at: float) -> None:
    """Before the moment from which Keypost serves; told of now, and perhaps released, or its money goes back."""
    sale = shop.somebody("y", named=shop.chance.random() < 0.5)
    shop.before.add(sale.order)
    say(shop, sale.order, at, "order.paid", said_at=shop.starts - shop.chance.choice((1, 5, 20)) * DAY, **sale.bought())
    match shop.chance.choice(("nothing", "released", "refunded")):
        case "released":
            ask(shop, sale, later(shop, at), "POST", "/orders/{order_id}/release", reason="fine")
        case "refunded":
            told(shop, sale, later(shop, at), "order.refunded", full=True)


def _contested(shop: Shop, at: float) -> Sale:
    """Somebody pays; what is told later may differ from that. Now and then an agent is at work there, too."""
    sale = shop.somebody()
    shop.contested.add(sale.order)
    paid(shop, sale, at)
    if shop.chance.random() < 0.2:
        shop.chance.choice((resent, swapped, corrected, poked_twice, held))(shop, sale, later(shop, at))
    return sale


def _changed(shop: Shop, sale: Sale, at: float, teller: str) -> None:
    lines, amount = shop.chance.choice((_more, _more_for_the_same, _fewer))(shop, sale)
    told_at = later(shop, at) if teller == "webhook" else at + shop.chance.choice((1, 2, 60, HOUR))  # of whole seconds
    paid(shop, sale, told_at, teller=teller, lines=lines, amount=amount)
    if shop.chance.random() < 0.5:
        right = shop.chance.choice((lines, sale.lines)) if cost(lines) == amount else sale.lines
        _settled(shop, sale, at, lines=right)


def _more(shop: Shop, sale: Sale) -> tuple[list[Any], str]:
    lines = [*sale.lines, *_others(shop, sale)]
    return lines, cost(lines)


def _more_for_the_same(shop: Shop, sale: Sale) -> tuple[list[Any], str]:
    return [*sale.lines, *_others(shop, sale)], cost(sale.lines)


def _fewer(shop: Shop, sale: Sale) -> tuple[list[Any], str]:
    """One of two, or the other product if there was only one."""
    first = sale.lines[0]
    lines = [{**first, "quantity": 1}] if first["quantity"] > 1 else [{"sku": PLAIN, "quantity": 1}]
    return lines, shop.chance.choice((cost(lines), cost(sale.lines)))


def _others(shop: Shop, sale: Sale) -> list[dict[str, Any]]:
    """Of the product that was not bought."""
    sku = REMINDING if sale.lines[0]["sku"] == PLAIN else PLAIN
    return [{"sku": sku, "quantity": shop.chance.choice((1, 1, 2))}]


def _settled(shop: Shop, sale: Sale, at: float, **right: Any) -> None:
    """A person decides, before or after all of it was told."""
    asked_at = at + shop.chance.choice((60, HOUR, 3 * HOUR))
    ask(shop, sale, asked_at, "PUT", "/orders/{order_id}/contents", reason="asked", **right)


# --- agents and customers


def held(shop: Shop, sale: Sale, at: float) -> None:
    ask(shop, sale, at, "POST", "/orders/{order_id}/hold", reason="look")
    ask(shop, sale, at + shop.chance.choice((60, HOUR)), "POST", "/orders/{order_id}/release", reason="fine")


def resent(shop: Shop, sale: Sale, at: float) -> None:
    lift = shop.chance.random() < 0.3
    ask(shop, sale, at, "POST", "/orders/{order_id}/resend", reason="lost", lift_suppression=lift)


def swapped(shop: Shop, sale: Sale, at: float) -> None:
    """The customer's code did not work."""
    ask_of_license(shop, sale, at, "replace", {"reason": "invalid"})


def corrected(shop: Shop, sale: Sale, at: float) -> None:
    email = f"nieuw-{sale.email}"
    ask(shop, sale, at, "PUT", "/orders/{order_id}/email", email=email, confirmed=True)


def corrected_everywhere(shop: Shop, sale: Sale, at: float) -> None:
    """All orders of the customer get another name and address."""
    right = {"email": f"nieuw-{sale.email}", "name": "Piet Bakker", "all_orders": True, "confirmed": True}
    ask(shop, sale, at, "PUT", "/orders/{order_id}/customer", **right)


def made_by_hand(shop: Shop, sale: Sale, at: float) -> None:
    """An agent gives something for nothing, sometimes with a double click, and sometimes takes it back."""
    customer = {"email": f"hand-{sale.email}", "name": "Piet Bakker"}
    lines = [{"sku": sale.lines[0]["sku"], "quantity": shop.chance.choice((1, 2))}]
    body = {"customer": customer, "lines": lines, "why": "goodwill", "confirmed": True}
    withdrawn = shop.chance.choice((None, None, 0.0, 60.0, HOUR))

    def made(status: int, said: Any) -> None:
        if status == _CREATED and withdrawn is not None:
            path, take_back = {"order_id": said["order_id"]}, "/orders/{order_id}/withdraw"
            ask = partial(shop.simulation.support, "POST", take_back, {}, key="take-back", **path)
            shop.simulation.machine.later(withdrawn, ask)

    key = f"hand-{sale.order}-{at:.0f}"
    for _ in range(shop.chance.choice((1, 1, 2))):
        ask = partial(shop.simulation.support, "POST", "/orders", body, made, key)
        shop.act(at, f"by hand, for {sale.order}", ask)


def moved(shop: Shop, sale: Sale, at: float) -> None:
    """The first license goes to another customer."""
    to = {"email": f"ander-{sale.email}", "name": "Piet Bakker", "confirmed": True}
    ask_of_license(shop, sale, at, "move", to)


def sent_elsewhere(shop: Shop, sale: Sale, at: float) -> None:
    to = {"to": f"partner-{sale.email}", "confirmed": True, "reason": "to the partner"}
    ask(shop, sale, at, "POST", "/orders/{order_id}/resend", **to)


def license_refunded(shop: Shop, sale: Sale, at: float) -> None:
    """A part goes back, and an agent says for which license; perhaps the customer asks for the codes after that."""
    partly_refunded(shop, sale, at)
    named_at = at + shop.chance.choice((1, 60, HOUR))
    ask_of_license(shop, sale, named_at, "refunded", {})
    match shop.chance.choice(("nothing", "resent", "undone")):
        case "resent":
            resent(shop, sale, named_at + shop.chance.choice((0, 1, 60)))
        case "undone":
            ask_of_license(shop, sale, named_at + shop.chance.choice((1, 60)), "refunded", {"undo": True})


def complained(shop: Shop, sale: Sale, at: float) -> None:
    """The customer reports a mail as spam, and says later that it was none."""
    shop.act(at, f"complaint of {sale.order}", lambda: shop.simulation.ses.complain(sale.email))
    if shop.chance.random() < 0.7:
        lifted = at + shop.chance.choice((0, 3, 60, HOUR))
        ask(shop, sale, lifted, "POST", "/orders/{order_id}/lift-complaint", reason="a mistake")


def erased(shop: Shop, sale: Sale, at: float) -> None:
    ask(shop, sale, at, "POST", "/customers/erase", email=sale.email)


def wished(shop: Shop, sale: Sale, at: float) -> None:
    shop.act(at, f"wish of {sale.order}", lambda: shop.simulation.wish(sale.email))


def two_agents(shop: Shop, sale: Sale, at: float) -> None:
    """Two agents ask for the same thing at one instant."""
    plan = shop.chance.choice((resent, swapped, corrected, held))
    plan(shop, sale, at)
    plan(shop, sale, at)


def agent_meets_money(shop: Shop, sale: Sale, at: float) -> None:
    """An agent works on the order at the instant at which its money goes back."""
    shop.chance.choice((resent, swapped, corrected, erased))(shop, sale, at)
    refunded(shop, sale, at)


def rush(shop: Shop, _sale: Sale, at: float) -> None:
    """Several customers pay in one instant for what there is little of."""
    for _ in range(shop.chance.choice((2, 3, 4))):
        sale = replace(shop.somebody("q"), lines=({"sku": PLAIN, "quantity": 1},))
        shop.sell(sale, at)


def poked_twice(shop: Shop, sale: Sale, at: float) -> None:
    """Two messages about the order are delivered at one instant."""
    for _ in range(2):
        shop.act(at, f"poke {sale.order}", lambda: shop.simulation.poke(sale.order))


def stock_arrives(shop: Shop, sale: Sale, at: float) -> None:
    sku, many = str(sale.lines[0]["sku"]), shop.chance.choice((1, 2, 5))
    shop.act(at, f"{many} codes of {sku}", lambda: shop.import_codes(sku, many))


def withdrawn(shop: Shop, sale: Sale, at: float) -> None:
    """A batch is taken out of the stock while sales go on, and now and then put back."""
    sku, body = str(sale.lines[0]["sku"]), {"batch": f"batch-{shop.chance.choice((1, 2, 5, 6))}"}
    _corrected_stock(shop, at, "withdraw", sku, body)
    _corrected_stock(shop, at + shop.chance.choice((1, HOUR, DAY / 2)), "put-back", sku, body)


def _corrected_stock(shop: Shop, at: float, how: str, sku: str, body: Mapping[str, str]) -> None:
    route = f"/stock/{{sku}}/{how}"
    shop.act(at, f"{how} {body['batch']}", lambda: shop.simulation.support("POST", route, body, sku=sku))


def batch_replaced(shop: Shop, _sale: Sale, at: float) -> None:
    """A batch is bad: everybody gets other codes, as far as there are any."""
    batch = f"batch-{shop.chance.choice((1, 2, 5))}"
    shop.act(at, f"replace {batch}", lambda: shop.replace_batch(batch))


def noted_twice(shop: Shop, _sale: Sale, at: float) -> None:
    """Two runs write the daily note at one instant."""
    for _ in range(2):
        shop.act(at, "daily note", shop.simulation.write_note)


def mail_paused(shop: Shop, _sale: Sale, at: float) -> None:
    """SES takes no mail for some minutes, and sometimes for hours."""
    seconds = shop.chance.choice((120, 120, 1200, 3 * HOUR))
    shop.act(at, f"SES pauses for {seconds:.0f} s", lambda: shop.simulation.ses.pause(seconds))


def unreadable(shop: Shop, sale: Sale, at: float) -> None:
    """Something wrote into the order what no version can read, or a newer one what this one may not write. Everybody
    else is served as if it were not there; half of them are put right later."""
    how = shop.chance.choice(BROKEN)
    shop.act(at, f"breaks {sale.order}", lambda: break_item(shop, sale, how))
    if shop.chance.random() < _HALF:
        told(shop, sale, at + shop.chance.choice((1, 61, HOUR)), "order.refunded", full=True)
    if shop.chance.random() < _HALF:
        mended_at = at + shop.chance.choice((120, 2 * HOUR, DAY / 2))
        shop.act(mended_at, f"mends {sale.order}", lambda: mend_item(shop, sale.order))


def too_large(shop: Shop, sale: Sale, at: float) -> None:
    """The order has grown so large that no save of it is accepted. Whatever is tried with it fails, again and again."""
    shop.act(at, f"fills {sale.order}", lambda: _fill(shop, sale))


def of_the_future(shop: Shop, sale: Sale, at: float) -> None:
    """A newer version has left fields in the order, at every depth, that this one does not know. They are to stay."""
    shop.act(at, f"future {sale.order}", lambda: plant(shop, sale.order))


HAPPENINGS: Mapping[str, Happening] = {
    "refunded": Happening(refunded, 12),
    "partly refunded": Happening(partly_refunded, 4),
    "disputed": Happening(disputed, 8),
    "canceled": Happening(canceled, 5),
    "canceled before": Happening(canceled_before, 5),
    "closed": Happening(closed, 5),
    "paid again": Happening(paid_again, 5),
    "exchanged": Happening(exchanged, 8),
    "changed": Happening(changed, 8),
    "changed in WooCommerce": Happening(changed_in_woocommerce, 6),
    "second buyer": Happening(second_buyer, 6),
    "told under two names": Happening(told_under_two_names, 5),
    "refunded under no name": Happening(refunded_under_no_name, 5),
    "refund deleted": Happening(refund_deleted, 5),
    "refunded after release": Happening(refunded_after_release, 5),
    "paid before": Happening(paid_before, 5),
    "held": Happening(held, 6),
    "resent": Happening(resent, 8),
    "swapped": Happening(swapped, 6),
    "corrected": Happening(corrected, 6),
    "corrected everywhere": Happening(corrected_everywhere, 6),
    "made by hand": Happening(made_by_hand, 8),
    "moved": Happening(moved, 6),
    "sent elsewhere": Happening(sent_elsewhere, 4),
    "license refunded": Happening(license_refunded, 6),
    "complained": Happening(complained, 5),
    "way out": Happening(reminding.way_out, 6),
    "reminder reported": Happening(reminding.reported, 6),
    "base exchanged": Happening(renewing.base_exchanged, 7),
    "other's license named": Happening(renewing.others_license_named, 6),
    "renewed by code": Happening(renewing.renewed_by_code, 6),
    "renewed in parts": Happening(renewing.renewed_in_parts, 6),
    "renewal moved": Happening(renewing.renewal_moved, 7),
    "renewal stopped": Happening(renewing.renewal_stopped, 5),
    "second short": Happening(renewing.second_short, 7),
    "erased": Happening(erased, 3),
    "wished": Happening(wished, 5),
    "two agents": Happening(two_agents, 8),
    "agent meets money": Happening(agent_meets_money, 6),
    "rush": Happening(rush, 8),
    "poked twice": Happening(poked_twice, 10),
    "stock arrives": Happening(stock_arrives, 10),
    "withdrawn": Happening(withdrawn, 4),
    "imported twice": Happening(doors.imported_twice, 8),
    "looked up": Happening(doors.looked_up, 8),
    "forged": Happening(doors.forged, 5),
    "malformed": Happening(doors.malformed, 5),
    "batch replaced": Happening(batch_replaced, 5),
    "noted twice": Happening(noted_twice, 2),
    "mail paused": Happening(mail_paused, 5),
    "unreadable": Happening(unreadable, 6),
    "too large": Happening(too_large, 4),
    "of the future": Happening(of_the_future, 10),
}
_CREATED = 201
_HALF = 0.5
BROKEN: tuple[Mapping[str, Any], ...] = ({"payments": {"S": "no list"}}, {"readable_from": {"N": "9"}})
_LARGEST, _STEP = 400 * 1024, 100  # bytes of an item, and fewer than any change of an order adds
_DELAYS = (0.0, 0.02, 0.2, 1, 20, 120, HOUR)  # seconds after the order was told


def plan_happenings(shop: Shop, sale: Sale, sold_at: float) -> None:
    """None, one or two of them, at once or later."""
    weights = [each.weight for each in HAPPENINGS.values()]
    for name in shop.chance.choices([*HAPPENINGS], weights, k=shop.chance.choice((0, 1, 1, 2))):
        at = sold_at + shop.chance.choice((*_DELAYS, shop.chance.random() * shop.days * DAY))
        HAPPENINGS[name].plan(shop, sale, at)


def break_item(shop: Shop, sale: Sale, how: Mapping[str, Any]) -> None:
    found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": f"ORDER#{sale.order}"}}).get("Item")
    if found and sale.order not in shop.unreadable | shop.stuck:
        shop.unreadable.add(sale.order)
        shop.broken[sale.order] = {**_saved_anew(found), **how}
        shop.broken_at[sale.order] = shop.simulation.now
        shop.whole[sale.order] = found
        ask_dynamodb("PutItem", TableName=TABLE, Item=shop.broken[sale.order])


def mend_item(shop: Shop, order: str) -> None:
    """A person, or a newer version, has put the item right. What was told meanwhile is still kept beside it."""
    if order in shop.unreadable:
        shop.unreadable.remove(order)
        shop.mended.append(shop.simulation.now)
        ask_dynamodb("PutItem", TableName=TABLE, Item=_saved_anew(_saved_anew(shop.whole[order])))


def lengthen(shop: Shop, order: str, entries: int) -> None:
    """As if so much had happened to an order; what did is there several times."""
    found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": f"ORDER#{order}"}}).get("Item")
    if found and order not in shop.unreadable | shop.stuck:
        first, *others = found["timeline"]["L"]
        many = [first] * max(entries - len(others), 1)
        ask_dynamodb("PutItem", TableName=TABLE, Item=_saved_anew({**found, "timeline": {"L": [*many, *others]}}))


def _fill(shop: Shop, sale: Sale) -> None:
    found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": f"ORDER#{sale.order}"}}).get("Item")
    if found:
        shop.stuck.add(sale.order)
        for room in range(_LARGEST, 0, -_STEP):  # as much as it just takes
            with suppress(NotTaken):
                ask_dynamodb("PutItem", TableName=TABLE, Item={**_saved_anew(found), "name": {"S": "x" * room}})
                return


def plant(shop: Shop, order: str) -> None:
    """Put a field of the future into an order and into each member of its lists."""
    found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": f"ORDER#{order}"}}).get("Item")
    if found and order not in shop.unreadable | shop.stuck:
        mark = shop.planted[order] = f"future-{order}"
        ask_dynamodb("PutItem", TableName=TABLE, Item=_saved_anew(_marked(found, mark)))


def _saved_anew(item: Mapping[str, Any]) -> dict[str, Any]:
    """With the next version, as whoever saves an order leaves it: who loaded it before cannot write over it."""
    return {**item, "version": {"N": str(int(item["version"]["N"]) + 1)}}


def _marked(members: Mapping[str, Any], mark: str) -> dict[str, Any]:
    marked = {name: _marked_within(value, mark) for name, value in members.items()}
    return {**marked, "of_the_future": {"S": mark}}


def _marked_within(value: Mapping[str, Any], mark: str) -> Mapping[str, Any]:
    lists = [{"M": _marked(each["M"], mark)} if "M" in each else each for each in value.get("L", ())]
    return {"L": lists} if "L" in value else value
