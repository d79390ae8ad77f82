"""What people do from a terminal, in some of the shops: they import codes and what an older system sold, look at orders
and put them right. A command that fails, or is stopped in the middle, is run again."""

import json
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from tests.simulator.faults.acts import later
from tests.simulator.faults.renewing import renewal_of
from tests.simulator.faults.shop import HOUR, PLAIN, PRODUCTS, REMINDING, Old, Sale, Shop, day_of
from tests.simulator.faults.simulation import DAY

_SHARE = 0.35  # of the shops
_HALF = 0.5
_WHO = ("--agent", "anna")
_COLUMNS = ("order", "email", "name", "sku", "code", "first_day", "last_day")
_QUEUES = {"DeadLetters": "orders", "FeedbackDeadLetters": "mail-events", "EventDeadLetters": "events"}
_IN_HAND = 90  # seconds after which nobody has a letter in hand any more
_MOST_ALARMS = 4  # of a story


def run_commands(shop: Shop) -> None:
    """In some shops, after all that is planned there, so that the other shops stay what they are."""
    chance = random.Random(f"{shop.simulation.faults.seed}/commands")
    for _ in range(chance.choice((1, 1, 2)) if chance.random() < _SHARE else 0):
        sale = chance.choice([sale for sale in shop.sales.values() if sale.order[0] in "or"])
        sold_at = max(act.at for act in shop.acts if sale.order in act.text.split())
        at = sold_at + chance.choice((0.0, 0.3, 60, HOUR, chance.random() * shop.days * DAY))
        chance.choice(_COMMANDS)(shop, chance, sale, at)


def codes_imported(shop: Shop, chance: random.Random, sale: Sale, at: float) -> None:
    """A file of codes; now and then two people import it, at once or while its codes are sold."""
    sku = str(sale.lines[0]["sku"])
    codes = shop.new_codes(sku, chance.choice((1, 2, 3, 12)))
    file = shop.simulation.file("codes.csv", "\n".join(("code", *codes)))
    words = ("stock", "import", file, "--sku", sku, "--batch", "batch-file")
    for moment in (at, at + chance.choice((0.0, 0.3, 60)))[: chance.choice((1, 2))]:
        do = partial(shop.simulation.command, *words, asks="POST /stock/{sku}", body={"codes": codes})
        shop.act(moment, f"imports a file of {sku}", do)


def licenses_imported(shop: Shop, chance: random.Random, _sale: Sale, at: float) -> None:
    """What an older system sold, while its customers renew that: before it is known here, meanwhile and later."""
    olds = [_sold_before(shop, chance, at) for _ in range(chance.choice((1, 2, 3)))]
    for moment in (at, at + chance.choice((0.0, 0.5, 600)))[: chance.choice((1, 2))]:
        shop.act(moment, "imports a file of licenses", partial(import_licenses, shop, olds))
    for old in olds:
        if chance.random() < 1 - _HALF / 2:
            renewal = renewal_of(shop, old.sale, len(old.codes))
            shop.sell(renewal, max(at + chance.choice((-HOUR, -1, 0.02, 0.1, 1, HOUR)), shop.simulation.now + 1))


def import_licenses(shop: Shop, olds: list[Old]) -> None:
    def done() -> None:
        shop.known_olds |= {old.sale.order for old in olds}

    file = shop.simulation.file("sold.csv", _rows(olds))
    shop.simulation.command("import", "licenses", file, "--confirmed", *_WHO, then=done)


def _sold_before(shop: Shop, chance: random.Random, at: float) -> Old:
    order, sku = f"oud-{len(shop.olds)}", chance.choice((PLAIN, REMINDING))
    ends = day_of(at) + timedelta(days=chance.choice((6, 7, 8, 9)))
    period = {"period_start": str(ends - timedelta(days=19)), "period_end": str(ends)}
    codes = shop.new_codes(sku, chance.choice((1, 1, 2)))
    line = {"sku": sku, "quantity": len(codes), **period}
    shop.olds[order] = Old(Sale(order, f"{order}@klant.example", (line,), None), tuple(codes))
    return shop.olds[order]


def sold_years_ago(shop: Shop, at: float) -> Old:
    """What nobody has renewed."""
    order, ends = f"oud-{len(shop.olds)}", day_of(at) - timedelta(days=4 * 365)
    line = {"sku": PLAIN, "quantity": 1, "period_start": str(ends - timedelta(days=19)), "period_end": str(ends)}
    sale = Sale(order, f"{order}@klant.example", (line,), None)
    shop.olds[order] = Old(sale, tuple(shop.new_codes(PLAIN, 1)))
    return shop.olds[order]


def _rows(olds: list[Old]) -> str:
    rows = [_COLUMNS]
    for old in olds:
        (line,) = old.sale.lines
        about = (old.sale.order, old.sale.email, old.sale.name, line["sku"], " ".join(old.codes))
        rows.append((*about, line["period_start"], line["period_end"]))
    return "\n".join(map(",".join, rows))


def order_changed(shop: Shop, chance: random.Random, sale: Sale, at: float) -> None:
    """As an agent does on the page."""
    chance.choice((_resent, _held, _corrected, _swapped))(shop, sale, at)


def _asks(shop: Shop, sale: Sale, at: float, words: tuple[str, ...], asks: str, **more: Any) -> None:
    name, *options = words
    do = partial(
        shop.simulation.command, "order", name, sale.order, *options, *_WHO, order=sale.order, asks=asks, **more
    )
    shop.act(at, f"keypost order {name} {sale.order}", do)


def _resent(shop: Shop, sale: Sale, at: float) -> None:
    body = {"reason": "by command"}
    _asks(shop, sale, at, ("resend", "--reason", "lost"), "POST /orders/{order_id}/resend", body=body)


def _held(shop: Shop, sale: Sale, at: float) -> None:
    _asks(shop, sale, at, ("hold", "--reason", "look"), "POST /orders/{order_id}/hold")
    _asks(shop, sale, later(shop, at), ("release", "--reason", "fine"), "POST /orders/{order_id}/release")


def _corrected(shop: Shop, sale: Sale, at: float) -> None:
    email = f"nieuw-{sale.email}"
    route, body = "PUT /orders/{order_id}/email", {"email": email}
    _asks(shop, sale, at, ("address", "--confirmed"), route, body=body, typed=email)


def _swapped(shop: Shop, sale: Sale, at: float) -> None:
    def do() -> None:
        if licenses := (shop.simulation.item(sale.order) or {}).get("licenses"):
            words = ("order", "swap", sale.order, licenses[0]["id"], "invalid", *_WHO)
            asks = "POST /orders/{order_id}/licenses/{license_id}/replace"
            shop.simulation.command(*words, order=sale.order, asks=asks)

    shop.act(at, f"keypost order swap {sale.order}", do)


def made_by_hand(shop: Shop, chance: random.Random, sale: Sale, at: float) -> None:
    """With a key, so that the command that is run again makes no second order."""
    key = f"command-{sale.order}-{at:.0f}"
    line = f"{sale.lines[0]['sku']}:{chance.choice((1, 2))}"
    words = ("order", "by-hand", "--name", "Piet Bakker", "--line", line, "--why", "goodwill", "--key", key)
    do = partial(
        shop.simulation.command,
        *(*words, "--confirmed", *_WHO),
        asks="POST /orders",
        typed=f"hand-{sale.email}",
        key=key,
    )
    for _ in range(chance.choice((1, 2))):
        shop.act(at, f"keypost order by-hand for {sale.order}", do)


def looked_up(shop: Shop, chance: random.Random, sale: Sale, at: float) -> None:
    looks: tuple[tuple[tuple[str, ...], str], ...] = (
        (("order", "show", sale.order), ""),
        (("search",), sale.email),
        (("attention",), ""),
        (("stock", "list"), ""),
        (("due",), ""),
    )
    words, typed = chance.choice(looks)
    shop.act(at, f"keypost {words[0]} for {sale.order}", partial(shop.simulation.command, *words, typed=typed))


def products_applied(shop: Shop, _chance: random.Random, _sale: Sale, at: float) -> None:
    """The catalog, as it is, while sales go on."""
    file = shop.simulation.file("products.toml", "\n".join(map(_toml, PRODUCTS.values())))
    shop.act(at, "keypost products apply", partial(shop.simulation.command, "products", "apply", file))


def _toml(entry: Mapping[str, Any]) -> str:
    return "\n".join(("[[product]]", *(f"{name} = {_value(value)}" for name, value in entry.items()), ""))


def _value(value: Any) -> str:
    """As TOML has it: as JSON, but for tables."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {_value(each)}' for name, each in value.items())}}}"
    return json.dumps(value)


_COMMANDS: tuple[Callable[[Shop, random.Random, Sale, float], None], ...] = (
    *(codes_imported, codes_imported),
    *(licenses_imported, licenses_imported, licenses_imported),
    *(order_changed, order_changed),
    made_by_hand,
    looked_up,
    products_applied,
)


# --- what failed for good is handed back


def hand_back_when_alarmed(shop: Shop) -> None:
    """An alarm tells of what failed for good; a person hands it back some time later, now and then twice at once."""
    chance = random.Random(f"{shop.simulation.faults.seed}/letters")
    alarms = list[float]()

    def alarmed(queue: str) -> None:
        if len(alarms) < _MOST_ALARMS and not shop.simulation.faults.is_over:
            alarms.append(shop.simulation.now)
            at = shop.simulation.now + chance.choice((30, 600, HOUR))
            for moment in (at, at + chance.choice((0.0, 0.02, 70)))[: chance.choice((1, 1, 2))]:
                shop.act(moment, f"hands {queue} back", partial(hand_back, shop, queue))

    shop.simulation.sqs.dead.alarm = alarmed


def hand_back(shop: Shop, queue: str, tries: int = 3) -> None:
    """As the runbook says; and again if the command says that something is there still, as what another person who was
    stopped had in hand."""

    def done() -> None:
        if shop.simulation.sqs.dead.of(queue) and tries:
            shop.simulation.machine.later(_IN_HAND, lambda: hand_back(shop, queue, tries - 1))

    shop.simulation.command("dead-letters", "redrive", _QUEUES[queue], then=done)


def hand_all_back(shop: Shop) -> None:
    for queue in _QUEUES:
        if shop.simulation.sqs.dead.of(queue):
            hand_back(shop, queue)
