"""A renewal's place in line, decided with orders as plain values: no table, no queue."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import mailing, places, renewals
from keypost.core.licensing import with_mail_of
from keypost.core.mail import MailSent
from keypost.core.order import License, Order, Subscription, Term
from keypost.core.owed import deliveries
from keypost.core.payment import PaymentState, Refunded
from keypost.core.periods import local_day
from keypost.core.product import Kind, Line
from keypost.core.said import said
from tests.builders import NOW, PRODUCT, SKU, ZONE, paid_order

PRODUCTS = {SKU: PRODUCT, "OTHER": replace(PRODUCT, sku="OTHER")}
LAST_DAY = date(2027, 11, 22)  # of a license that was sold on the day of NOW
FIRST_DAY = LAST_DAY + timedelta(days=1)
UNPAID: dict[str, Any] = {"state": PaymentState.OPEN}


@dataclass
class InLine:
    """Orders by number, and what the worker does with them, without a table."""

    orders: dict[str, Order] = field(default_factory=dict)

    def find(self, name: str) -> Order | None:
        of_license = (order for order in self.orders.values() if any(one.id == name for one in order.licenses))
        return self.orders.get(name) or next(of_license, None)

    def sold(self, order_id: str = "base", *lines: Line) -> Order:
        """An order with a license for each of its codes."""
        order = paid_order(order_id, *lines)
        ids = iter("ABCDEFGHIJ")
        licenses = tuple(
            License(f"LIC-{next(ids) * 10}", number, line.sku, "x", NOW.date(), LAST_DAY)
            for number, line in enumerate(order.lines, start=1)
            for _ in range(line.quantity)
        )
        self.orders[order_id] = replace(order, licenses=licenses)
        return self.orders[order_id]

    def told(self, order_id: str, renews: str = "base", **changes: Any) -> Order:
        order = paid_order(order_id, Line(SKU, 1, Kind.RENEWAL, renews), **changes)
        self.orders[order_id] = order
        return order

    def take(self, order_id: str, now: datetime = NOW) -> list[int]:
        """Have the renewal lines of an order take their places; those of which nothing says when they run."""
        order = self.orders[order_id]
        wanted = places.places_of(order, renewals.unscheduled(order), PRODUCTS, self.find, ZONE)
        bases = {place.base_id for place in wanted if place.base_id}
        for base_id in bases:
            own = [place for place in wanted if place.base_id == base_id]
            others = self._others(base_id, order_id)
            self.orders[base_id] = places.placed(self.orders[base_id], own, others, now, ZONE)
        listed = {base_id: self.orders[base_id] for base_id in bases}
        terms, unknown = places.terms_of(order, wanted, listed, PRODUCTS, local_day(now, ZONE), ZONE)
        registered = tuple(sorted({*order.registered, *bases}))
        first = next(iter(listed.values()), None)
        self.orders[order_id] = renewals.with_terms(replace(order, registered=registered), terms, first, now, ZONE)
        return list(unknown)

    def give_up(self, order_id: str, now: datetime = NOW) -> None:
        order = self.orders[order_id]
        for base_id in order.registered:
            others = self._others(base_id, order_id)
            base = places.given_up(self.orders[base_id], order_id, others, now, ZONE)
            self.orders[base_id] = base
            for other in others:
                if renewals.has_moved(base, other, local_day(now, ZONE)):
                    self.orders[other.id] = renewals.without_terms(other, now, said("line_changed"))
                    self.take(other.id, now)
        self.orders[order_id] = replace(order, terms=(), registered=())

    def mailed(self, order_id: str) -> None:
        order = self.orders[order_id]
        (term,) = order.terms
        of_term = License(f"LIC-{order_id}", 1, SKU, "y", term.first_day, term.last_day)
        order = with_mail_of(replace(order, licenses=(of_term,)), deliveries(order)[0], NOW)
        self.orders[order_id] = mailing.settle_mail(order, order.mails[-1].id, 1, MailSent("ses-1"), NOW)

    def _others(self, base_id: str, order_id: str) -> list[Order]:
        ids = {renewal.order_id for renewal in self.orders[base_id].renewals} - {order_id}
        return [self.orders[each] for each in sorted(ids)]

    def days(self, order_id: str) -> tuple[date, date]:
        (term,) = self.orders[order_id].terms
        return term.first_day, term.last_day


@pytest.fixture
def line() -> InLine:
    line = InLine()
    line.sold()
    return line


names = st.permutations(["r1", "r2", "r3", "r4", "r5"])
moments = st.lists(st.integers(0, 300), min_size=5, max_size=5).map(sorted)


@given(names, moments, st.lists(st.integers(0, 4), max_size=5))
def test_renewals_stack_without_gap_or_overlap_as_they_are_paid(
    paid: Sequence[str], days: list[int], again: list[int]
) -> None:
    line = InLine()
    line.sold()
    for name in paid:
        line.told(name, **UNPAID)
        line.take(name)

    for place, (name, day) in enumerate(zip(paid, days, strict=True)):
        line.told(name, at=NOW + timedelta(days=day))
        line.take(name, NOW + timedelta(days=day))
        for earlier in (n for n in again if n <= place):
            line.orders[paid[earlier]] = replace(line.orders[paid[earlier]], terms=())
            line.take(paid[earlier], NOW + timedelta(days=day))

    periods = [line.days(name) for name in paid]
    assert periods[0][0] == FIRST_DAY
    assert [first - timedelta(days=1) for first, _ in periods[1:]] == [last for _, last in periods[:-1]]
    assert all((last - first).days == 364 for first, last in periods)


@given(names, st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_renewals_that_give_their_places_up_leave_no_gap_and_move_no_mail_that_was_sent(
    paid: Sequence[str], gone: set[int], mailed: set[int]
) -> None:
    line = InLine()
    line.sold()
    for name in paid:
        line.told(name)
        line.take(name)
    told = {paid[n]: line.days(paid[n]) for n in mailed - gone}
    for name in told:
        line.mailed(name)

    for n in sorted(gone, reverse=len(mailed) % 2 == 0):
        line.give_up(paid[n])

    left = [name for n, name in enumerate(paid) if n not in gone]
    assert [renewal.order_id for renewal in line.orders["base"].renewals] == left
    assert {name: line.days(name) for name in told} == told
    if not told:
        firsts = [FIRST_DAY + timedelta(days=365 * n) for n in range(len(left))]
        assert [line.days(name)[0] for name in left] == firsts
    periods = sorted(line.days(name) for name in left)
    assert all(last < first for (_, last), (first, _) in pairwise(periods))


@given(st.booleans(), st.booleans())
def test_a_place_that_is_taken_twice_is_the_same(is_paid: bool, other_first: bool) -> None:
    line = InLine()
    line.sold()
    for name in ("r2", "r1") if other_first else ("r1", "r2"):
        line.told(name, **({} if is_paid else UNPAID))
        line.take(name)
    base, order = line.orders["base"], line.orders["r1"]

    line.orders["r1"] = replace(order, terms=())  # the worker died before it stored them
    line.take("r1", NOW + timedelta(days=2))

    assert line.orders["base"] is base
    assert line.orders["r1"].terms == order.terms


def test_a_renewal_that_was_mailed_and_comes_back_stands_where_its_days_are_beside_those_mailed_since(
    line: InLine,
) -> None:
    for name in ("r1", "r2"):
        line.told(name)
        line.take(name)
    line.mailed("r1")
    line.give_up("r1")
    line.mailed("r2")  # in the days that r1 left

    line.take("r1")

    found = [(renewal.order_id, renewal.period_start) for renewal in line.orders["base"].renewals]
    assert found == [("r2", FIRST_DAY), ("r1", FIRST_DAY)]


@pytest.mark.parametrize("renews", ["base", "base/1", "LIC-AAAAAAAAAA"])
def test_a_renewal_stands_in_the_list_of_the_order_that_it_names(line: InLine, renews: str) -> None:
    line.told("r1", renews)

    assert line.take("r1") == []
    assert line.orders["r1"].registered == ("base",)
    assert line.days("r1")[0] == FIRST_DAY


def test_a_renewal_of_a_renewal_stands_in_the_list_of_the_first_order(line: InLine) -> None:
    line.told("r1")
    line.take("r1")
    line.told("r2", renews="r1")
    line.take("r2")

    assert [renewal.order_id for renewal in line.orders["base"].renewals] == ["r1", "r2"]
    assert line.days("r2")[0] == FIRST_DAY + timedelta(days=365)


def test_a_renewal_of_one_that_has_no_place_stands_in_the_list_of_the_first_order(line: InLine) -> None:
    line.told("r1")
    line.told("r2", renews="r1")
    line.take("r2")

    assert [renewal.order_id for renewal in line.orders["base"].renewals] == ["r2"]


def test_orders_that_renew_each_other_in_a_circle_have_no_place(line: InLine) -> None:
    line.told("r1", renews="r2")
    line.told("r2", renews="r1")

    assert line.take("r1") == line.take("r2") == [1]
    assert line.orders["r1"].registered == ("r2",)  # the license of r2 that r1 renews, once r2 has one


@pytest.mark.parametrize("renews", ["nobody", "base/7", "LIC-ZZZZZZZZZZ", "r1", ""])
def test_a_renewal_of_what_is_not_known_here_has_no_place(line: InLine, renews: str) -> None:
    line.told("r1", renews)

    assert line.take("r1") == [1]
    assert line.orders["r1"].terms == ()


def test_a_line_that_renews_another_license_now_leaves_the_list_in_which_it_stood(line: InLine) -> None:
    line.sold("other")
    line.told("r1")
    line.take("r1")
    moved = replace(line.orders["r1"], lines=(Line(SKU, 1, Kind.RENEWAL, "other"),), terms=())

    wanted = places.places_of(moved, (1,), PRODUCTS, line.find, ZONE)

    assert places.left_by(moved, wanted) == {"base": None}
    assert places.left_by(line.orders["r1"], ()) == {}  # its term stands there still


def test_two_lines_of_one_order_have_two_places(line: InLine) -> None:
    line.sold("two", Line(SKU, 1), Line("OTHER", 1))
    both = (Line(SKU, 1, Kind.RENEWAL, "two/1"), Line("OTHER", 1, Kind.RENEWAL, "two/2"))
    line.orders["r1"] = paid_order("r1", *both)

    assert line.take("r1") == []
    assert [(term.line, term.first_day) for term in line.orders["r1"].terms] == [(1, FIRST_DAY), (2, FIRST_DAY)]


def refunded(order: Order) -> Order:
    (payment,) = order.payments
    return replace(order, payments=(replace(payment, refunded=(Refunded(NOW, full=True),)),))


def test_a_renewal_follows_no_license_whose_money_went_back_unless_one_between_them_was_mailed(line: InLine) -> None:
    for name in ("r1", "r2"):
        line.told(name)
        line.take(name)
    assert places.refunded_base(line.orders["r2"], [1], line.find) is None
    line.orders["base"] = refunded(line.orders["base"])
    assert places.refunded_base(line.orders["r2"], [1], line.find) == "base"
    assert places.refunded_base(line.orders["r2"], [2], line.find) is None

    line.mailed("r1")

    assert places.refunded_base(line.orders["r2"], [1], line.find) is None


def test_licenses_are_reminded_of_until_a_renewal_is_paid_or_may_still_be_paid(line: InLine) -> None:
    def reminded() -> int:
        return len(places.to_be_reminded(line.orders["base"], 1, line.find))

    assert reminded() == 1
    line.told("r1", **UNPAID)
    line.take("r1")
    assert reminded() == 0
    line.orders["r1"] = replace(line.orders["r1"], canceled=True)
    assert reminded() == 1
    line.told("r2")
    line.take("r2")
    assert reminded() == 0


def test_a_subscription_renews_itself_until_it_or_the_first_order_of_it_has_ended(line: InLine) -> None:
    base = line.orders["base"]
    assert not places.is_renewed_by_provider(base, line.find)
    assert places.is_renewed_by_provider(replace(base, subscription=Subscription(is_charged=True)), line.find)

    line.told("r1")
    line.take("r1")
    order = replace(line.orders["r1"], subscription=Subscription(is_charged=True))
    assert places.is_renewed_by_provider(order, line.find)
    line.orders["base"] = replace(base, subscription=Subscription(has_ended=True))
    assert not places.is_renewed_by_provider(order, line.find)


def test_a_subscription_that_was_paid_again_after_its_end_renews_itself(line: InLine) -> None:
    base = line.orders["base"]
    line.told("r1")
    line.take("r1")
    order = replace(line.orders["r1"], subscription=Subscription(is_charged=True))
    paid = order.charged_at
    assert paid is not None

    for ended, is_renewed in [(paid - timedelta(days=1), True), (paid, False), (paid + timedelta(days=1), False)]:
        line.orders["base"] = replace(base, subscription=Subscription(has_ended=True, ended_at=ended))
        assert places.is_renewed_by_provider(order, line.find) is is_renewed
        own = replace(order, subscription=Subscription(is_charged=True, has_ended=True, ended_at=ended))
        assert own.is_charged_again is is_renewed


def test_a_renewal_that_is_charged_after_an_earlier_end_may_still_be_paid(line: InLine) -> None:
    base = line.orders["base"]
    line.told("r1", **UNPAID)
    unpaid = replace(line.orders["r1"], subscription=Subscription(is_charged=True))
    asked = unpaid.charged_at
    assert asked is not None

    for ended, may_come in [(asked - timedelta(days=1), True), (asked + timedelta(days=1), False), (None, False)]:
        told = replace(base, subscription=Subscription(has_ended=True, ended_at=ended))
        assert renewals.is_awaited(told, unpaid) is may_come


def test_a_place_says_when_what_happens(line: InLine) -> None:
    line.told("r1")
    line.take("r1")

    (term,) = line.orders["r1"].terms
    assert term == Term(
        line=1,
        first_day=FIRST_DAY,
        last_day=date(2028, 11, 21),
        reserve_at=datetime.fromisoformat("2027-10-24T05:00+00:00"),
        mail_at=datetime.fromisoformat("2027-11-16T06:00+00:00"),
        mail_from=datetime.fromisoformat("2027-11-15T23:00+00:00"),
        renews="base",
    )
