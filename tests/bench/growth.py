"""What is due and a pick cost the same however much is stored, and an order costs what it is. A million items are put
straight into the table of the emulator: orders with what the indexes have of them and nothing else, as that is all that
is read of them; codes whole. What asks is the product's own, and capacity.py counts by DynamoDB's rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ministack.services import dynamodb

from keypost import wiring
from keypost.core.codes import NewCode
from keypost.core.order import noted
from keypost.core.said import said
from keypost.table.codes import _code_item
from keypost.table.created import created_keys
from keypost.table.items import due_keys, to_wire
from keypost.use_cases.poke_due import poke_due
from tests.bench.figures import Figure
from tests.bench.shop import NOW, Event, Shop, shops
from tests.builders import SKU, code, paid_order

Say = Callable[[str], None]
Opened = Callable[..., Shop]
SIZES = (1_000, 100_000, 1_000_000)
QUICK = SIZES[:2]
_DUE = 1_000
_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Cost:
    calls: int
    reads: float
    writes: float

    @property
    def units(self) -> float:
        return self.reads + self.writes


def cost_of(event: Event) -> Cost:
    writes = sum(call.writes + sum(call.index_writes.values()) for call in event.calls)
    return Cost(len(event.calls), sum(call.reads for call in event.calls), writes)


def counted(shop: Shop, do: Callable[[], object]) -> Cost:
    with shop.counted("growth"):
        do()
    return cost_of(shop.found.pop())


def put(items: Iterable[dict[str, Any]]) -> None:
    """Straight into the emulator's table, as its own writes take ten times as long."""
    emulator: Any = dynamodb  # without types
    (table,) = emulator._tables.values()
    for item in items:
        emulator._set_item(table, item["pk"]["S"], "__no_sort__", item)


def orders(first: int, count: int, due: bool) -> Iterable[dict[str, Any]]:
    for number in range(first, first + count):
        name = f"order-{number}"
        clock = due_keys(name, NOW - timedelta(minutes=1)) if due else {}
        yield to_wire(
            {"pk": f"ORDER#{name}", "customer_digest": f"{number:064d}", "find": name, **clock}
        ) | created_keys(NOW - timedelta(minutes=number))


def due_costs(opened: Opened, sizes: Iterable[int]) -> list[Cost]:
    """A run of the schedule with 1,000 orders due, and so many stored."""
    shop, stored, found = opened(), _DUE, []
    put(orders(0, _DUE, due=True))
    for size in sizes:
        put(orders(stored, size - stored, due=False))
        stored = size
        found.append(
            counted(
                shop,
                lambda: poke_due(
                    shop.store, wiring.queue(), NOW, wiring.config().zone, wiring.mails_per_second, lambda: True
                ),
            )
        )
    return found


def pick_costs(opened: Opened, sizes: Iterable[int]) -> list[Cost]:
    """A code is picked, of so many, by an environment that has read nothing of the stock yet."""
    shop, there, found = opened(), 0, []
    for size in sizes:
        put(_code_item(NewCode(SKU, code(10_000_000 + number), "B-1", None)) for number in range(there, size))
        there = size
        shop.start_anew()
        found.append(
            counted(shop, lambda: shop.store.pick(SKU, 1, NOW.date(), shop.store.hints(SKU, NOW.date(), 1).keys))
        )
    return found


def save_costs(opened: Opened) -> list[Cost]:
    """An order gets an entry of its timeline with each of so many saves."""
    shop = opened()
    order, found = paid_order("long", at=NOW), list[Cost]()

    def save() -> None:
        nonlocal order
        order = shop.store.save(noted(order, NOW, "reminder_stopped", why=said("period_unpaid", first_day=NOW.date())))

    for _ in range(_ENTRIES):
        found.append(counted(shop, save))
    return found


def order_cost(opened: Opened, codes: int) -> Cost:
    """An order of so many codes, from poke to mail."""
    shop = opened()
    list(shop.store.add_codes(SKU, [code(1_000 + number) for number in range(codes)], "B-1", None))
    order = paid_order("many", at=NOW)
    line = replace(order.lines[0], quantity=codes)
    goods = tuple(
        replace(payment, goods=tuple(replace(each, lines=(line,)) for each in payment.goods))
        for payment in order.payments
    )
    shop.store.save(replace(order, lines=(line,), payments=goods))
    return counted(shop, lambda: shop.poke("many"))


def _ratio(found: Iterable[float]) -> float:
    known = [*found]
    return max(known) / min(known)


def measure(say: Say, sizes: Iterable[int] = SIZES) -> list[Figure]:
    with shops() as opened:
        say(f"1,000 due, of {sizes} orders")
        due = due_costs(opened, sizes)
        say(f"{due}; a pick of {sizes} codes")
        picks = pick_costs(opened, (100, *sizes))
        say(f"{picks}; {_ENTRIES} entries")
        saves = save_costs(opened)
        say(f"{saves[0]} and {saves[-1]}; 100 and 1,000 codes in an order")
        few, many = order_cost(opened, 100), order_cost(opened, 1000)
        say(f"{few}, {many}")
    return [
        Figure("growth/capacity", _ratio(each.units for each in due), "ratio"),
        Figure("growth/pick", _ratio(each.reads for each in picks), "ratio"),
        Figure("growth/save_after_200", max(each.writes for each in saves[-20:]), "count"),
        Figure("growth/calls_per_code", many.calls / 1000 / (few.calls / 100), "ratio"),
        Figure("growth/writes_per_code", many.writes / 1000 / (few.writes / 100), "ratio"),
    ]


def measure_quick(say: Say) -> list[Figure]:
    return measure(say, QUICK)
