"""Which mails must leave on which day, by rules of its own: it knows the facts of a world and nothing of Keypost.

A customer's first order and all its renewals stand in one line. A renewal takes its place in that line when it is
paid, and loses it when its money went back or it was canceled: then those behind it, as far as their mail has not
left, move up, though not into the past. It runs from the day after what stands before it, or from the day of its
payment where that is later."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby

from tests.simulator.years.world import END, REMINDING, TERM, ZONE, Fact, Sale, World, local

MORNING = time(7)
MAIL_DAYS, REMINDERS = 7, (30, 7, 0)
RETRY = timedelta(hours=12)  # a renewal of a license whose money is back is looked at again so often


@dataclass(frozen=True, slots=True)
class Expected:
    order: str
    purpose: str
    earliest: date
    latest: date
    first_day: date | None = None  # of a renewal's period


@dataclass(slots=True)
class _Order:
    sale: Sale
    facts: list[Fact] = field(default_factory=list)  # that arrived
    period: tuple[date, date] | None = None
    left: bool = False  # its mail
    withheld: bool = False  # at some time when it was due
    moved_up_on: date = date.min
    reminders: list[datetime] = field(default_factory=list)  # still to come
    refund_told: bool = False

    def has(self, what: str) -> bool:
        return any(fact.what == what for fact in self.facts)

    @property
    def paid_on(self) -> date:
        return min(fact.at for fact in self.facts if fact.what == "paid").astimezone(ZONE).date()

    @property
    def dispute(self) -> str | None:
        """The newest word on it, not the one that came last."""
        words = [fact for fact in self.facts if fact.what in ("disputed", "won", "lost")]
        return max(words, key=lambda fact: fact.at).what if words else None

    @property
    def is_back(self) -> bool:
        return self.has("paid") and (self.has("refunded") or self.dispute in ("disputed", "lost"))

    @property
    def is_over(self) -> bool:
        return self.has("canceled") or (self.has("paid") and (self.has("refunded") or self.dispute == "lost"))

    @property
    def is_good(self) -> bool:
        lacks_a_part = self.has("partly refunded") and not self.left  # once all left, it keeps nothing back
        return self.has("paid") and not (self.is_back or self.has("canceled") or lacks_a_part)

    @property
    def is_awaited(self) -> bool:
        """Told of, and neither paid nor canceled."""
        return self.has("open") and not (self.has("paid") or self.has("canceled"))


def expected_mails(world: World) -> list[Expected]:
    def first(fact: Fact) -> str:
        return world.sales[fact.order].first

    by_line = groupby(sorted(world.facts, key=first), key=first)
    return [mail for _, facts in by_line for mail in _Line(world).mails(list(facts))]


class _Line:
    """A first order and its renewals, over the years."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.orders: dict[str, _Order] = {}
        self.renewals: list[_Order] = []  # that have a place, in its order

    def mails(self, facts: list[Fact]) -> Iterator[Expected]:
        for fact, then in zip(facts, [*facts[1:], None], strict=True):
            yield from self._hear(fact)
            yield from self._wait(fact.arrives, then.arrives if then else END)

    def _hear(self, fact: Fact) -> Iterator[Expected]:
        """A fact, at which its order is looked at, and whoever moves up."""
        order = self.orders.setdefault(fact.order, _Order(self.world.sales[fact.order]))
        order.facts.append(fact)
        if order.has("paid") and order.has("refunded") and order.dispute is None and not order.refund_told:
            order.refund_told = True
            day = fact.arrives.astimezone(ZONE).date()
            yield Expected(order.sale.order, "refunded", day, day)
        before = {name: one.period for name, one in self.orders.items()}
        self._find_periods(order, fact.arrives.astimezone(ZONE).date())
        for name, one in self.orders.items():
            if one is order or one.period != before[name]:
                yield from self._act(one, fact.arrives)

    def _wait(self, now: datetime, until: datetime) -> Iterator[Expected]:
        """What leaves between two facts, by the calendar."""
        while True:
            looks = [(self._run(max(at, now)), name) for name, order in self.orders.items() for at in self._due(order)]
            now, name = min(looks, default=(until, ""))
            if now >= until:
                break
            yield from self._act(self.orders[name], now)
        for order in self.orders.values():
            mail_at = self._mail_at(order)
            order.withheld |= self._is_withheld(order) and mail_at is not None and mail_at < until

    def _find_periods(self, told: _Order, today: date) -> None:
        first = self.orders.get(told.sale.first)
        if first and first.is_good and first.period is None:
            start = first.paid_on
            first.period = first.sale.period or (start, start + timedelta(days=TERM - 1))
        for order in self.orders.values():
            if order.is_over and order in self.renewals:
                place = self.renewals.index(order)
                self.renewals.remove(order)
                for behind in self.renewals[place:]:
                    behind.moved_up_on = today
            if first and first.period and order.is_good and order is not first and order not in self.renewals:
                self.renewals.append(order)
                order.withheld |= order is not told
        for number, order in enumerate(self.renewals):
            if not order.left:
                start = max(self._end_before(number) + timedelta(days=1), order.paid_on, order.moved_up_on)
                order.period = (start, start + timedelta(days=TERM - 1))

    def _first(self, order: _Order) -> _Order:
        return self.orders[order.sale.first]

    def _end_before(self, number: int) -> date:
        periods = [self._first(self.renewals[0]).period, *(one.period for one in self.renewals[:number])]
        return max(period[1] for period in periods if period)

    def _mail_at(self, order: _Order) -> datetime | None:
        """When its mail is to leave, if it is good."""
        if order.period is None or order.left or not order.has("paid"):
            return None
        paid = min(fact.arrives for fact in order.facts if fact.what == "paid")
        if order.sale.renews is None:
            return paid
        day = order.period[0] - timedelta(days=MAIL_DAYS)
        return paid if paid >= local(day, time()) else local(day, MORNING)  # who pays on that day need not wait

    def _due(self, order: _Order) -> list[datetime]:
        """When something of it is to leave, as things stand."""
        if not order.is_good:
            return []
        mail_at = self._mail_at(order)
        return [*([mail_at] if mail_at and not self._is_withheld(order) else []), *order.reminders]

    def _run(self, moment: datetime) -> datetime:
        """The first run of the schedules from a moment on."""
        day = moment.astimezone(ZONE).date()
        while day in self.world.outages:
            day += timedelta(days=1)
            moment = local(day, time())
        return moment

    def _act(self, order: _Order, now: datetime) -> Iterator[Expected]:
        """What leaves when somebody looks at an order."""
        due = [moment for moment in self._due(order) if moment <= now]
        if (mail_at := self._mail_at(order)) and mail_at in due:
            yield self._leaves(order, now)
        if any(moment in order.reminders for moment in due):
            order.reminders = [moment for moment in order.reminders if moment > now]
            if not self._is_renewed(order):
                day = now.astimezone(ZONE).date()
                yield Expected(order.sale.order, "reminder", day, day)

    def _is_withheld(self, order: _Order) -> bool:
        """A renewal follows a license that stands: the first one, or an earlier renewal that has left."""
        if order not in self.renewals or not self._first(order).is_back:
            return False
        return not any(earlier.left for earlier in self.renewals[: self.renewals.index(order)])

    def _leaves(self, order: _Order, now: datetime) -> Expected:
        order.left = True
        assert order.period
        first, last = order.period
        if order.sale.sku == REMINDING:
            order.reminders = sorted(local(last - timedelta(days=days), MORNING) for days in REMINDERS)
        latest = self._run(now + RETRY) if order.withheld else now
        purpose = "renewal" if order.sale.renews else "purchase"
        days = [moment.astimezone(ZONE).date() for moment in (now, latest)]
        return Expected(order.sale.order, purpose, days[0], days[1], first if order.sale.renews else None)

    def _is_renewed(self, order: _Order) -> bool:
        """Whether somebody stands behind it, or is awaited since it was paid."""
        behind = self.renewals[self.renewals.index(order) + 1 :] if order in self.renewals else self.renewals
        paid = min(fact.arrives for fact in order.facts if fact.what == "paid")
        return bool(behind) or any(one.is_awaited and one.facts[0].arrives > paid for one in self.orders.values())
