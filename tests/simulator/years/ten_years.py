"""Ten years of a few customers, as a scenario of the fault simulator: what a shop tells of them reaches the real
handlers as it arrives, and mild faults happen."""

import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any
from zlib import crc32

from tests.simulator.faults.faults import Fault, Faults
from tests.simulator.faults.machine import Invocation
from tests.simulator.faults.shop import PRODUCTS, Sale, Shop
from tests.simulator.faults.simulation import Simulation
from tests.simulator.years.oracle import REMINDERS
from tests.simulator.years.world import BEGIN, END, PLAIN, REMINDING, TERM, ZONE, Fact, World, local
from tests.simulator.years.world import Sale as Sold

# Of a hundred places where each may happen. None of them changes the day of a mail.
RATES: Mapping[str, float] = {
    "poke lost": 3,
    "poke late": 1,
    "twin": 1,
    "too many mails": 3,
    "conflict": 0.5,
    "unprocessed keys": 0.5,
    "event lost": 2,
    "event late": 1,
    "event twice": 1,
    "run late": 1,
    "run twice": 1,
    "skewed clock": 1,
}
_HOURS = range(1, 22)  # at which they happen: what goes wrong later may be put right tomorrow
_SPARE = 8  # codes
_MOST_STEPS = 40_000  # of a year, which has some seven thousand
_TERMS: Mapping[str, Any] = {"term_days": TERM, "reserve_days_before": 30}
_TOLD: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "open": ("order.open", {}),
    "paid": ("order.paid", {}),
    "refunded": ("order.refunded", {"full": True}),
    "partly refunded": ("order.refunded", {"amount_refunded": "3.00"}),
    "disputed": ("order.disputed", {}),
    "won": ("order.dispute_closed", {"won": True}),
    "lost": ("order.dispute_closed", {"won": False}),
    "canceled": ("order.canceled", {}),
}


@dataclass(slots=True)
class MildFaults(Faults):
    """On the days of an outage no schedule runs, and nothing else fails."""

    outages: Collection[date] = ()

    def at(self, place: str, kinds: Collection[str], lines: Callable[[], str] = lambda: "") -> str | None:
        now = datetime.fromtimestamp(self.clock(), ZONE)
        if now.date() not in self.outages:
            return Faults.at(self, place, kinds, lines) if now.hour in _HOURS else None
        return self.skip(place) if "run skipped" in kinds else None

    def skip(self, place: str) -> str:
        self.happened.append(Fault(place, "run skipped", self.clock()))
        return "run skipped"


class TenYears(Simulation):
    def __init__(self, world: World, seed: int) -> None:
        self.mild = MildFaults(seed, RATES, outages=world.outages)
        super().__init__(seed, self.mild, BEGIN)
        self.settings.clear()  # nobody is forgotten, which takes a step a day
        self.machine.most_steps = _MOST_STEPS
        self.world = world
        self.asked = set[str]()  # orders whose days an agent is asked about
        self.daily_at = 0.0  # the last run of the daily rule
        self.shop = Shop(self, Random(seed), days=(END - BEGIN).days, term_days=TERM)
        self.shop.sales = {order: _sale(sold) for order, sold in world.sales.items()}

    def live(self) -> None:
        """NeverEnds when the system keeps itself busy."""
        self.shop.put_start()
        for sku, more in ((PLAIN, {}), (REMINDING, {"reminder_days": REMINDERS})):
            self.support("PUT", "/products/{sku}", {**PRODUCTS[sku], **_TERMS, **more}, sku=sku)
        self.schedules.plan_days(BEGIN, self.shop.days, noted=0)
        for day in sorted(self.world.outages):
            self.machine.at(local(day + timedelta(days=1), time()).timestamp(), self._end_outage)
        for fact in self.world.facts:
            self.machine.at(fact.arrives.timestamp(), partial(self._tell, fact))
        years = [datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in range(BEGIN.year, END.year + 1)]
        for year in years[:-1]:
            self.machine.at(year + 60, self._restock)
        for year in years:
            self.machine.run(year)
            gc.collect()
            gc.freeze()  # what is left of a year is evidence

    def _end_outage(self) -> None:
        """What waited can wait no longer for a run."""
        self.mild.skip("run of the schedules on an outage's day")
        self.schedules.something_new()

    def _restock(self) -> None:
        """Enough codes for all who pay this year: who waits for stock is another test's business."""
        year = self.machine.moment.year
        paid = {fact.order for fact in self.world.facts if fact.what == "paid" and fact.arrives.year == year}
        for sku in (PLAIN, REMINDING):
            sold = (self.world.sales[order] for order in paid)
            self.shop.import_codes(sku, sum(each.quantity for each in sold if each.sku == sku) + _SPARE)

    def _tell(self, fact: Fact) -> None:
        """A callback of the shop."""
        kind, more = _TOLD[fact.what]
        sale = self.shop.sales[fact.order]
        data = {**sale.named, **more}
        if fact.what in ("open", "paid"):
            data = sale.bought() | {"lines": [{**sale.lines[0], **self._license_renewed(fact.order)}]}
        self.callback(fact.order, kind, data, at=fact.at.timestamp())

    def _license_renewed(self, order: str) -> dict[str, str]:
        """The license by its number, if the shop names it so and its mail has left. One of several is another test's
        business: the others of its line are still to be reminded of."""
        word, _, renewed = (self.world.sales[order].renews or "").rpartition(" ")
        if not word or not any(mail.order == renewed for mail in self.ses.accepted):
            return {}
        licenses = (self.item(renewed) or {}).get("licenses", ())
        return {"renews": licenses[0]["id"]} if len(licenses) == 1 else {}

    def _scheduled(self, function: str, event: dict[str, str]) -> None:
        """Without the runs of the safety net that come with one of the daily rule and find what that has found."""
        if event:
            self.daily_at = self.now
        elif self.daily_at == self.now:
            return
        super()._scheduled(function, event)

    def _saved(self, invocation: Invocation | None, item: dict[str, Any]) -> None:
        super()._saved(invocation, item)
        order = item["pk"].removeprefix("ORDER#")
        if _surprises(item) and order not in self.asked:
            self.asked.add(order)
            self.machine.later(0.1, partial(self._agree, order))

    def _agree(self, order: str) -> None:
        """An agent finds the days right that surprise, of two years that are paid at once."""

        def over(_status: int, _said: Any) -> None:
            self.asked.discard(order)
            if _surprises(self.item(order) or {}):
                self.asked.add(order)
                self.machine.later(60, partial(self._agree, order))

        self.support("POST", "/orders/{order_id}/release", {"reason": "as it was sold"}, over, order_id=order)


def _surprises(item: Mapping[str, Any]) -> bool:
    return "unusual_start" in repr(item.get("waits"))


def _sale(sold: Sold) -> Sale:
    line: dict[str, Any] = {"sku": sold.sku, "quantity": sold.quantity}
    if sold.renews:
        line |= {"kind": "renewal", "renews": sold.renews.rpartition(" ")[2]}
    if sold.period:
        line |= dict(zip(("period_start", "period_end"), map(date.isoformat, sold.period), strict=True))
    payment = f"pay-{sold.order}" if crc32(sold.order.encode()) % 2 else None
    return Sale(sold.order, f"{sold.order.partition('-')[0]}@klant.example", (line,), payment)
