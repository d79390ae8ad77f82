"""Codes that arrive, or come back, and those who wait for them: over the emulator, with a clock of its own."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count as counting
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.stacks import Stack
from keypost.clients.queue import UNTIL
from keypost.core.codes import NewCode
from keypost.core.contents import with_payment
from keypost.core.mail import Fate
from keypost.core.order import Reason, waiting_for
from keypost.core.payment import Refunded
from keypost.core.product import Line
from keypost.core.said import said
from keypost.inputs.stock_file import FileCode
from keypost.use_cases import serve_waiting
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.help_customer import Desk
from keypost.use_cases.import_stock import import_codes
from tests.builders import NOW, SKU, ZONE, Clock, code, loaded, notice, paid_order, product
from tests.faults import refuse

Stocked = Callable[[list[str]], None]
QUARTER = timedelta(minutes=15)


@pytest.fixture
def shop(worker: Worker, stack: Stack, clock: Clock) -> "Shop":
    return Shop(worker, stack, clock)


class Shop:
    def __init__(self, worker: Worker, stack: Stack, clock: Clock) -> None:
        self.worker, self.store, self.clock, self.stack = worker, stack.store, clock, stack
        self.numbers = counting(10_000)  # each once, for codes and for names
        self._poked: list[str] = []
        self.fresh_until: list[int] = []  # of the pokes that are let out in turn, in seconds since 1970
        self.later: list[tuple[str, int]] = []  # what was poked for a later moment, after so many seconds
        stack.queue._client.meta.events.register("provide-client-params.sqs.SendMessageBatch", self._keep)
        stack.queue._client.meta.events.register("provide-client-params.sqs.SendMessage", self._keep_one)

    def _keep(self, params: dict[str, Any], **_: Any) -> None:
        self._poked += [entry["MessageBody"] for entry in params["Entries"]]
        self.fresh_until += [int(each["MessageAttributes"][UNTIL]["StringValue"]) for each in in_turn(params)]

    def _keep_one(self, params: dict[str, Any], **_: Any) -> None:
        self.later.append((params["MessageBody"], params["DelaySeconds"]))

    def waiting(self, order_id: str, *lines: Line, minutes: int = 0) -> None:
        """An order that was paid, looked at, and waits."""
        self.store.save(paid_order(order_id, *lines, at=NOW + timedelta(minutes=minutes - 30)))
        self.worker.advance(order_id)

    def imports(self, *numbers: int, sku: str = SKU, dry_run: bool = False) -> int:
        found = [FileCode(n, NewCode(sku, code(n), None, None)) for n in numbers]
        return import_codes(Desk(self.store, self.stack.queue, ZONE), found, self.clock.now, dry_run=dry_run).serves

    def pokes_line(self) -> None:
        """What the poke of a product asks for."""
        queue, name = self.stack.queue, f"CODES#{SKU}"
        serve_waiting.poke_first_in_line(self.store, queue, name, self.clock.now, ZONE, lambda: 10)

    def pokes(self) -> list[str]:
        """What was poked since this was asked for last."""
        found, self._poked = self._poked, []
        return found

    def work(self, *names: str) -> list[str]:
        """Have the worker look at these, and at all that it pokes; which orders were poked."""
        poked: list[str] = []
        for name in names:
            self.worker.advance(name)
        for name in self.pokes():
            poked.append(name)
            self.worker.advance(name)
        return poked

    def due(self) -> list[str]:
        return [name for page in self.store.due(self.clock.now) for name in page]

    def served(self) -> set[str]:
        found = self._orders()
        return {order.id for order in found if order.licenses}

    def _orders(self) -> Any:
        items = self.stack.store._client.scan(TableName=self.store.table)["Items"]
        ids = [item["pk"]["S"].removeprefix("ORDER#") for item in items if item["pk"]["S"].startswith("ORDER#")]
        return self.store.load_all(ids)


def in_turn(params: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in params["Entries"] if UNTIL in entry.get("MessageAttributes", {})]


def test_codes_that_arrive_poke_as_many_orders_as_there_are_codes_first_in_line_first(shop: Shop) -> None:
    for place in range(5):
        shop.waiting(f"serve-{place}", minutes=place)

    assert shop.imports(1, 2) == 2
    assert shop.pokes() == [f"CODES#{SKU}"]
    poked = shop.work(f"CODES#{SKU}")

    assert sorted(poked) == ["serve-0", "serve-1"]
    assert shop.served() == {"serve-0", "serve-1"}


def test_what_an_environment_keeps_of_the_stock_lets_nobody_pass_who_waits_when_codes_arrive(shop: Shop) -> None:
    shop.imports(*range(120))
    shop.waiting("serve-before")
    kept = dict(shop.store._kept_hints)
    shop.waiting("serve-school", Line(SKU, 130), minutes=1)  # in another environment: 119 codes are free
    shop.imports(*range(120, 135))
    shop.store._kept_hints = dict(kept)
    for number in range(11):
        shop.waiting(f"serve-later-{number}", minutes=2 + number)
    shop.work(f"CODES#{SKU}")

    assert kept
    assert shop.served() == {"serve-before", "serve-school", *(f"serve-later-{number}" for number in range(4))}


def test_codes_of_one_product_poke_nobody_who_waits_for_another(shop: Shop) -> None:
    shop.store.put_product(product("OTHER"))
    shop.waiting("serve-other", Line("OTHER", 1))
    shop.waiting("serve-this")

    assert shop.imports(1) == 1
    assert shop.work(*shop.pokes()) == ["serve-this"]


def test_an_order_that_lacks_more_than_came_keeps_none_from_those_behind(shop: Shop) -> None:
    shop.waiting("serve-three", Line(SKU, 3))
    shop.waiting("serve-two", Line(SKU, 2), minutes=1)

    assert shop.imports(1, 2, dry_run=True) == shop.imports(1, 2) == 1
    assert shop.work(*shop.pokes()) == ["serve-two"]
    assert shop.served() == {"serve-two"}


def test_an_order_that_is_short_of_two_products_is_served_when_the_last_of_them_comes(shop: Shop) -> None:
    shop.store.put_product(product("OTHER"))
    shop.waiting("serve-both", Line(SKU, 1), Line("OTHER", 1))
    shop.waiting("serve-one", Line("OTHER", 1), minutes=1)

    shop.imports(1, sku="OTHER")
    assert shop.work(*shop.pokes()) == ["serve-one"]  # which "serve-both" keeps no code from
    shop.imports(2)
    shop.work(*shop.pokes(), "serve-both")
    assert list(shop.store.needing(Reason.STOCK)) == [["serve-both"]]
    shop.imports(3, sku="OTHER")
    assert shop.work(*shop.pokes()) == ["serve-both"]

    assert shop.served() == {"serve-one", "serve-both"}


def test_who_stands_in_line_for_one_product_keeps_none_of_another_from_whoever_needs_both(shop: Shop) -> None:
    shop.store.put_product(product("OTHER"))
    shop.waiting("serve-school", Line(SKU, 2), Line("OTHER", 1))  # in line for two of the first
    shop.imports(1, sku="OTHER")
    shop.imports(2)
    shop.work(*shop.pokes())

    shop.waiting("serve-both", Line(SKU, 1), Line("OTHER", 1), minutes=1)

    assert shop.served() == {"serve-both"}
    assert loaded(shop.store, "serve-both").waits == ()


def test_a_poke_that_was_lost_is_made_up_for_by_the_next_run_of_the_schedules_and_the_mark_goes(shop: Shop) -> None:
    shop.waiting("serve-lost")
    shop.imports(1)
    shop.pokes()  # nobody works on it

    shop.clock.now += QUARTER
    assert shop.due() == [f"CODES#{SKU}"]
    assert shop.work(*shop.due()) == ["serve-lost"]

    assert shop.served() == {"serve-lost"}
    assert shop.due() == []


def test_codes_that_were_stored_by_an_import_that_died_are_found_by_the_schedules(shop: Shop) -> None:
    shop.waiting("serve-found")
    refuse(shop.stack.queue._client, "SendMessageBatch", "ServiceUnavailable", times=99)
    shop.imports(1)

    shop.clock.now += QUARTER

    assert shop.due() == [f"CODES#{SKU}"]


def test_one_who_looked_just_before_codes_came_is_found_by_the_next_run(shop: Shop) -> None:
    shop.imports(1)
    shop.work(*shop.pokes())
    assert shop.due() == [f"CODES#{SKU}"]  # the mark stays for that
    order = paid_order("serve-late")
    shop.store.save(order)
    taken = shop.store.pick(SKU, 1, NOW.date())
    assert taken != []
    shop.store._client.update_item(  # the index lags: it does not offer the code yet
        TableName=shop.store.table, Key={"pk": {"S": f"CODE#{taken[0].digest}"}}, UpdateExpression="REMOVE stock"
    )
    shop.worker.advance("serve-late")
    assert shop.served() == set()
    shop.store._client.update_item(
        TableName=shop.store.table,
        Key={"pk": {"S": f"CODE#{taken[0].digest}"}},
        UpdateExpression="SET stock = :sku",
        ExpressionAttributeValues={":sku": {"S": SKU}},
    )

    shop.clock.now += QUARTER
    shop.work(*shop.due())

    assert shop.served() == {"serve-late"}


def test_codes_that_come_back_with_a_refund_serve_the_first_in_line(shop: Shop) -> None:
    shop.imports(1)
    shop.pokes()
    shop.store.put_bad_address("facturen@klant.example", Fate.BOUNCED, NOW)
    shop.waiting("serve-refunded")
    shop.store.lift_bad_address("facturen@klant.example", NOW)
    shop.waiting("serve-next", minutes=1)
    assert shop.served() == {"serve-refunded"}

    back = notice("serve-refunded", state=None, refunded=Refunded(NOW, full=True))
    shop.store.change("serve-refunded", lambda order: with_payment(order, back, NOW, "EUR"))
    shop.worker.advance("serve-refunded")
    assert shop.pokes() == [f"CODES#{SKU}"]
    shop.work(f"CODES#{SKU}")

    assert shop.served() == {"serve-next"}


def test_a_wait_for_codes_is_written_once_a_day(shop: Shop) -> None:
    shop.waiting("serve-waits")
    shop.clock.now += timedelta(hours=2)
    shop.worker.advance("serve-waits")  # the customer is told that codes are to come
    version = loaded(shop.store, "serve-waits").version

    for _ in range(5):
        shop.clock.now += QUARTER
        shop.worker.advance("serve-waits")
    assert loaded(shop.store, "serve-waits").version == version
    (waiting,) = loaded(shop.store, "serve-waits").waits
    shop.clock.now = waiting.retry_at - QUARTER
    assert shop.due() == []

    shop.clock.now = waiting.retry_at
    assert shop.due() == ["serve-waits"]
    shop.worker.advance("serve-waits")
    assert loaded(shop.store, "serve-waits").version == version + 1
    assert shop.due() == []
    assert loaded(shop.store, "serve-waits").waits[0].retry_at == waiting.retry_at + timedelta(days=1)


def test_where_more_codes_came_than_one_run_counts_the_product_is_poked_again_until_nobody_is_in_line(
    shop: Shop,
) -> None:
    for place in range(3):
        shop.waiting(f"serve-{place}", minutes=place)
    shop.imports(*range(2005))
    shop.clock.now += QUARTER
    mark = f"CODES#{SKU}"
    assert shop.pokes() == [mark]

    rounds = []
    for _ in range(2):
        shop.pokes_line()
        poked = shop.pokes()
        rounds.append((poked, shop.due(), list(shop.later)))
        for name in poked:
            shop.worker.advance(name)

    assert rounds == [
        (["serve-0", "serve-1", "serve-2"], [mark], [(mark, 60)]),
        ([], [], [(mark, 60)]),  # not once more
    ]


def test_many_whom_codes_serve_are_poked_as_their_mails_leave_and_the_product_once_more_behind_them(shop: Shop) -> None:
    """A customer who buys something else meanwhile does not wait behind them."""
    why = said("too_few_codes", skus=[SKU])
    for place in range(120):
        order = paid_order(f"serve-{place:03d}", at=NOW + timedelta(minutes=place - 200))
        shop.store.save(waiting_for(order, Reason.STOCK, why, NOW, timedelta(days=1), lines=(1,)))
    shop.imports(*range(114))
    shop.pokes()
    assert shop.fresh_until == []

    shop.pokes_line()

    assert shop.pokes() == [f"serve-{place:03d}" for place in range(114)]
    assert shop.fresh_until == sorted(shop.fresh_until)
    assert shop.fresh_until[-1] - shop.fresh_until[0] in (11, 12)  # ten mails a second, of which some are others'
    assert shop.later == [(f"CODES#{SKU}", 12 + 60)]
    assert shop.due() == [f"CODES#{SKU}"]


def test_an_import_counts_whom_it_serves_and_reads_no_more_of_the_line_than_that(shop: Shop) -> None:
    for place in range(60):
        shop.waiting(f"serve-{place:02d}", minutes=place - 60)
    asked: list[str] = []
    shop.store._client.meta.events.register(
        "provide-client-params.dynamodb.BatchGetItem",
        lambda params, **_: asked.extend(key["pk"]["S"] for key in params["RequestItems"][shop.store.table]["Keys"]),
    )

    assert shop.imports(1, 2) == 2
    assert [key for key in asked if key.startswith("ORDER#")] == [f"ORDER#serve-{place:02d}" for place in range(25)]


A, B = "LINE-A", "LINE-B"
wanted = st.dictionaries(st.sampled_from([A, B]), st.integers(1, 3), min_size=1)  # an order's lines, in their order
events = st.lists(wanted | st.tuples(st.sampled_from([A, B]), st.integers(1, 4)), min_size=4, max_size=12)


@dataclass
class InLine:
    """An order as its customer sees it: what it still lacks, and the product under which it stands in line."""

    lacks: dict[str, int]
    got: Counter[str] = field(default_factory=Counter)
    stands_for: str | None = None

    def take(self, free: Counter[str]) -> None:
        """All that it lacks of each product of which there is enough."""
        for sku, count in list(self.lacks.items()):
            if count <= free[sku]:
                free[sku] -= count
                self.got[sku] += self.lacks.pop(sku)
        if self.stands_for not in self.lacks:
            self.stands_for = next(iter(self.lacks), None)


def first_come_first_served(told: Iterable[dict[str, int] | tuple[str, int]]) -> Iterator[list[Counter[str]]]:
    """What each order has after each event, by the rule alone: whoever came first takes first, and who lacks more than
    there is keeps nothing from those behind."""
    line, free = list[InLine](), Counter[str]()
    for event in told:
        if isinstance(event, dict):
            line.append(InLine(dict(event)))
            line[-1].take(free)
        else:
            sku, count = event
            free[sku] += count
            for order in line:
                if order.stands_for == sku and order.lacks[sku] <= free[sku]:
                    order.take(free)
        yield [Counter(order.got) for order in line]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events)
@example([{A: 2}, {A: 1}, (A, 1), {A: 1}, (A, 1), (A, 2)])  # who lacks two is passed over, and keeps its place
@example([{A: 1, B: 1}, {B: 1}, (B, 1), (A, 1), (B, 1)])  # short of both, it stands in line for one
@example([{B: 2, A: 1}, (A, 3), {A: 2}, (B, 2), (A, 1)])
@example([{A: 2, B: 1}, (B, 1), (A, 1), {A: 1, B: 1}])  # it keeps no codes of a product for which it stands in no line
def test_who_came_first_is_served_first_with_all_that_it_lacks_of_a_product(
    shop: Shop, told: list[dict[str, int] | tuple[str, int]]
) -> None:
    number, orders = next(shop.numbers), list[str]()
    skus = {name: f"{name}-{number}" for name in (A, B)}
    for sku in skus.values():
        shop.store.put_product(product(sku))
    for event, expected in zip(told, first_come_first_served(told), strict=True):
        if isinstance(event, dict):
            orders.append(f"line-{number}-{len(orders):02d}")
            lines = [Line(skus[name], count) for name, count in event.items()]
            shop.waiting(orders[-1], *lines, minutes=len(orders))
        else:
            sku, count = skus[event[0]], event[1]
            shop.imports(*(next(shop.numbers) for _ in range(count)), sku=sku)
        shop.work(*shop.pokes())

        found = [Counter(one.sku for one in loaded(shop.store, order_id).licenses) for order_id in orders]
        assert found == [Counter({skus[name]: count for name, count in got.items()}) for got in expected]
