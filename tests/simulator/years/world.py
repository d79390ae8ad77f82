"""A made-up world: customers who buy, renew, lapse, cancel and want their money back over ten years, and what a shop
tells of it, in the order in which it arrives. Everything follows from the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Amsterdam")
BEGIN, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
LAST = END - timedelta(hours=3)  # what arrives until then has its mails before the end
TERM = 365
REMINDING = "REMINDING"  # its customers are reminded 30, 7 and 0 days before their last day
PLAIN = "PLAIN"
# Both nights on which the clock changes, and the day that three years in four do not have.
ODD_DAYS = (date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29), date(2032, 2, 29), date(2028, 3, 26))


@dataclass(frozen=True, slots=True)
class Fact:
    """News of an order, as the shop tells it: when it was so, and when that arrives."""

    arrives: datetime
    order: str
    what: str  # open, paid, refunded, partly refunded, disputed, won, lost, canceled
    at: datetime


@dataclass(frozen=True, slots=True)
class Sale:
    order: str
    first: str  # the order that this one renews in the end; its own id for a purchase
    sku: str
    quantity: int
    renews: str | None = None  # as the shop writes it; "license of <order>" once that was mailed, else the order
    period: tuple[date, date] | None = None


@dataclass(slots=True)
class World:
    sales: dict[str, Sale] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    outages: set[date] = field(default_factory=set)  # days on which no schedule runs


def make_world(customers: int, seed: int) -> World:
    chance = random.Random(seed)
    world = World(outages={(BEGIN + timedelta(days=chance.randrange(3652))).date() for _ in range(60)})
    for number in range(customers):
        customer = _Customer(f"c{number:04d}", random.Random(f"{seed}/{number}"))
        customer.live()
        world.sales |= {sale.order: sale for sale in customer.sales}
        world.facts += customer.facts
    world.facts = sorted((f for f in world.facts if f.arrives < LAST), key=lambda f: (f.arrives, f.order, f.what))
    return world


def local(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, ZONE).astimezone(UTC)


class _Customer:
    """What one customer does, year after year. `ends` is the last day of protection as the customer believes, `now`
    the time before which nothing more happens."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name, self.chance = name, chance
        self.sales: list[Sale] = []
        self.facts: list[Fact] = []
        self.sku = chance.choice((PLAIN, REMINDING))
        self.ends = BEGIN.date()
        self.now = self._starts()
        self.buys_anew = True

    def live(self) -> None:
        while self.now < END:
            if self.buys_anew or self.chance.random() < 0.03:
                self._buys()
            else:
                self._renews()

    def _starts(self) -> datetime:
        if self.chance.random() < 0.2:
            hour, minute = self.chance.choice((0, 1, 2, 3)), self.chance.randrange(60)
            return local(self.chance.choice(ODD_DAYS), time(hour, minute))
        return self._at(BEGIN.date() + timedelta(days=self.chance.randrange(1, 360)))

    def _at(self, day: date) -> datetime:
        """Some time of a day, its first and its last minute more often than others."""
        hours = ((0, 0), (23, 59), *((hour, self.chance.randrange(60)) for hour in range(24)))
        return local(day, time(*self.chance.choice(hours), self.chance.randrange(60)))

    def _buys(self) -> None:
        """A purchase, or the renewal of a license that was sold elsewhere, whose period the shop knows."""
        day = self.now.astimezone(ZONE).date()
        order = f"{self.name}-{len(self.sales)}"
        sale = Sale(order, order, self.sku, self.chance.choice((1, 1, 1, 2)))
        if self.chance.random() < 0.1:
            day += timedelta(days=self.chance.randrange(5, 60))
            sale = replace(sale, renews="elsewhere", period=(day, day + timedelta(days=TERM - 1)))
        failed = self._tells(sale, self.now, opened=self.chance.random() < 0.3)
        self.buys_anew = failed
        self.ends = day + timedelta(days=TERM - 1)
        self.now = max(self.now, self._at(day + timedelta(days=1)))

    def _renews(self) -> None:
        mail_day = self.ends - timedelta(days=6)
        when = self.chance.choice(((-200, -31), (-30, -1), (-7, -1), (0, 0), (0, 0), (1, 6), (7, 9), (10, 120)))
        paid_at = max(self._at(mail_day + timedelta(days=self.chance.randint(*when))), self.now)
        if self.chance.random() < 0.05:  # an invoice that nobody pays, or none, and a pause
            if self.chance.random() < 0.5:
                self._tells(self._renewal(), paid_at, paid=False)
            self.now = max(self.now, paid_at) + timedelta(days=self.chance.randrange(30, 500))
            return
        self._renewed(paid_at, opened=self.chance.random() < 0.6)
        if self.chance.random() < 0.08:  # two years at once
            self._renewed(self.now + timedelta(minutes=self.chance.choice((0, 100, 5000))), opened=False)

    def _renewed(self, paid_at: datetime, *, opened: bool) -> None:
        if not self._tells(self._renewal(), paid_at, opened=opened):
            self.ends = max(self.ends, paid_at.astimezone(ZONE).date()) + timedelta(days=TERM)

    def _renewal(self) -> Sale:
        """The shop names the order that was first, the one before this, or the license."""
        before = self.sales[-1]
        renews = self.chance.choice((before.first, f"{before.first}/1", before.order, f"license of {before.order}"))
        order = f"{self.name}-{len(self.sales)}"
        whole = next(sale.quantity for sale in self.sales if sale.order == before.first)  # parts run side by side
        return Sale(order, before.first, self.sku, whole, renews)

    def _tells(self, sale: Sale, paid_at: datetime, *, opened: bool = False, paid: bool = True) -> bool:
        """Facts of a sale; whether it comes to nothing soon."""
        self.sales.append(sale)
        told: list[tuple[str, datetime]] = []
        if opened or not paid:
            opened_at = paid_at - timedelta(days=self.chance.choice((0, 1, 20, 45)), minutes=2)
            told.append(("open", max(opened_at, self.now)))
        if paid:
            told.append(("paid", paid_at))
        days = self.chance.choice((0, 1, 3, 20, 100, 300, 420))
        later = paid_at + timedelta(days=days, minutes=self._minutes())
        end = later + timedelta(days=self.chance.choice((0, 2, 30, 90)), minutes=self._minutes())
        fate = self.chance.random()
        if fate < (0.05 if days < 100 or sale.order != sale.first else 0.01):
            told.append(("refunded", later))
        elif fate < 0.07:
            told.append(("partly refunded", later))
        elif fate < 0.10:
            told.append(("canceled", later))
        elif fate < 0.13 and (days < 100 or sale.order != sale.first or fate > 0.125):  # seldom, as all renewals wait
            told += [("disputed", later), ("lost", end)]
        elif fate < 0.17:
            told += [("disputed", later), ("won", end)]
        facts = [*self._arriving(sale, told)]
        self.facts += facts
        self.now = max([self.now, *(f.arrives for f in facts if f.what in ("open", "paid"))]) + timedelta(hours=1)
        return not paid or (fate < 0.13 and days < 100)

    def _minutes(self) -> int:
        return self.chance.randrange(30, 1000)

    def _arriving(self, sale: Sale, told: list[tuple[str, datetime]]) -> Iterator[Fact]:
        """Most at once; some late, and so in another order; some twice."""
        for what, at in told:
            arrives = at + timedelta(seconds=self.chance.randrange(40))
            if self.chance.random() < 0.06:
                arrives += timedelta(days=self.chance.choice((0, 1, 5, 20)), minutes=self._minutes())
            yield Fact(_before_midnight_or_after(arrives), sale.order, what, at)
            if self.chance.random() < 0.15:
                again = timedelta(days=self.chance.choice((0, 0, 1, 8)), minutes=self._minutes())
                yield Fact(_before_midnight_or_after(arrives + again), sale.order, what, at)


def _before_midnight_or_after(moment: datetime) -> datetime:
    """A mail needs some seconds: what arrives in the last ones of a day arrives on the next."""
    return moment + timedelta(seconds=10) if moment.minute == 59 and moment.second >= 50 else moment
