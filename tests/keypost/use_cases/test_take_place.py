"""Renewals from the payment to the mail, on the emulator, with a clock that the test sets: the daily rule each
morning, and a callback now and then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from keypost.clients.mailer import tag_value
from keypost.core import correcting, support
from keypost.core.contents import with_fact, with_payment
from keypost.core.correcting import Right
from keypost.core.errors import Refused
from keypost.core.mail import Asked, Fate, MailState
from keypost.core.order import Reason
from keypost.core.payment import (
    Dispute,
    DisputeState,
    FailedRefund,
    OrderCanceled,
    PaymentState,
    Refunded,
    SubscriptionEnded,
)
from keypost.core.periods import morning_of
from keypost.core.plan import next_due
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.table import Store
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from keypost.use_cases.look_ahead import gather_note
from tests.builders import NOW, PRODUCT, SKU, ZONE, Clock, code, loaded, notice, ses_event
from tests.faults import Parameters, on_call

Stocked = Callable[[list[str]], None]
FIRST_DAY = date(2027, 11, 23)  # of the period after a license that was sold on the day of NOW
MAIL_DAY = date(2027, 11, 16)
RESERVE_DAY = date(2027, 10, 24)
UNPAID: dict[str, Any] = {"state": PaymentState.OPEN}


@pytest.fixture
def shop(worker: Worker, store: Store, stocked: Stocked, clock: Clock, local: LocalStack) -> "Shop":
    stocked([code(number) for number in range(12)])
    return Shop(worker, store, clock, local)


class Shop:
    """What happens to a shop, in its own time. Its orders have a prefix, as all tests share one mailbox."""

    def __init__(self, worker: Worker, store: Store, clock: Clock, local: LocalStack) -> None:
        self.worker, self.store, self.clock, self.local = worker, store, clock, local

    def told(self, order_id: str, *lines: Line, **changes: Any) -> None:
        said = notice(self.id(order_id), *lines, **({"at": self.clock.now} | changes))
        self.store.change(said.order_id, lambda order: with_payment(order, said, self.clock.now, "EUR"))
        self.worker.advance(said.order_id)

    def id(self, order_id: str) -> str:
        return f"{self.store.table[-8:]}-{order_id}"

    def renewal(self, order_id: str, renews: str = "base", quantity: int = 1, **changes: Any) -> None:
        term = {key: changes.pop(key) for key in ("period_start", "period_end") if key in changes}
        self.told(order_id, Line(SKU, quantity, Kind.RENEWAL, self.id(renews), **term), **changes)

    def fact(self, fact: Any) -> None:
        self.store.change(fact.order_id, lambda order: with_fact(order, fact, self.clock.now, "EUR"))
        self.worker.advance(fact.order_id)

    def morning(self, day: date) -> None:
        """The daily rule of a day."""
        self.at(morning_of(day, ZONE))

    def at(self, moment: datetime) -> None:
        self.clock.now = moment
        for _ in range(3):  # a step of one order may make another one due
            for order_ids in self.store.due(moment):
                for order_id in order_ids:
                    self.worker.advance(order_id)

    def agree(self, *order_ids: str) -> None:
        """A person finds the days of these renewals right, which surprise."""
        for order_id in order_ids:
            assert Reason.UNUSUAL_START in [each.reason for each in self.order(order_id).waits]
            self.store.save(support.release(self.order(order_id), "anna", self.clock.now))
            self.worker.advance(self.id(order_id))

    def mails(self, order_id: str) -> list[str]:
        """The purposes of the mails that were sent for an order."""
        tag = self.id(order_id)
        found = [mail.tags["mail"] for mail in self.local.mailbox.mails if mail.tags.get("order") == tag]
        return [name.replace("_2d", "-").rpartition("-")[0] for name in found]

    def order(self, order_id: str) -> Any:
        return loaded(self.store, self.id(order_id))

    def waits(self, reason: Reason) -> set[str]:
        prefix = self.id("")
        return {id_.removeprefix(prefix) for page in self.store.needing(reason) for id_ in page}


def test_a_renewal_that_is_paid_ahead_is_silent_until_its_day_and_then_is_mailed_once(shop: Shop) -> None:
    shop.told("base")
    shop.clock.now += timedelta(days=30)
    shop.renewal("r1")

    shop.morning(RESERVE_DAY - timedelta(days=1))
    assert shop.order("r1").licenses == ()
    shop.morning(RESERVE_DAY)
    assert len(shop.order("r1").licenses) == 1
    shop.at(morning_of(MAIL_DAY, ZONE) - timedelta(seconds=1))
    assert shop.mails("r1") == []
    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == ["renewal"]
    for day in range(1, 10):
        shop.morning(MAIL_DAY + timedelta(days=day))

    assert shop.mails("r1") == ["renewal"]
    (license_,) = shop.order("r1").licenses
    assert (license_.first_day, license_.last_day) == (FIRST_DAY, date(2028, 11, 21))
    assert shop.mails("base") == ["purchase"]


def test_a_renewal_that_is_not_paid_stays_silent_support_is_told_and_its_payment_sends_it(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1", **UNPAID)
    shop.morning(MAIL_DAY - timedelta(days=1))
    assert shop.waits(Reason.UNPAID) == set()

    shop.morning(MAIL_DAY)
    shop.morning(MAIL_DAY + timedelta(days=1))
    assert shop.mails("r1") == []
    assert shop.order("r1").licenses == ()
    assert shop.waits(Reason.UNPAID) == {"r1"}

    shop.clock.now += timedelta(hours=5)
    shop.renewal("r1")
    assert shop.mails("r1") == ["renewal"]
    assert shop.waits(Reason.UNPAID) == set()
    assert shop.order("r1").licenses[0].first_day == FIRST_DAY


def test_a_renewal_paid_after_the_license_ended_starts_on_the_day_of_payment_and_leaves_at_once(shop: Shop) -> None:
    shop.told("base")
    shop.clock.now = datetime(2028, 2, 29, 22, 59, tzinfo=UTC)

    shop.renewal("r1")

    assert shop.mails("r1") == ["renewal"]
    assert shop.order("r1").licenses[0].first_day == date(2028, 2, 29)


@pytest.mark.parametrize("hour", [-1, 1])
def test_who_pays_in_the_night_before_the_daily_rule_waits_only_if_it_is_not_the_day_yet(shop: Shop, hour: int) -> None:
    shop.told("base")
    shop.clock.now = datetime(2027, 11, 15, 23, 0, tzinfo=UTC) + timedelta(hours=hour)  # midnight in Amsterdam

    shop.renewal("r1")
    shop.at(shop.clock.now)

    assert shop.mails("r1") == (["renewal"] if hour > 0 else [])
    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == ["renewal"]


def test_a_period_on_the_card_wins(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1", period_start=date(2027, 3, 1), period_end=date(2028, 2, 29))

    shop.morning(date(2027, 2, 21))
    assert shop.mails("r1") == []
    shop.morning(date(2027, 2, 22))
    assert shop.mails("r1") == ["renewal"]
    assert shop.order("r1").licenses[0].last_day == date(2028, 2, 29)


def test_two_renewals_of_one_license_stack_and_one_that_is_refunded_lets_the_other_move_up(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2")
    assert [shop.order(name).terms[0].first_day for name in ("r1", "r2")] == [FIRST_DAY, date(2028, 11, 22)]

    shop.told("r1", state=None, refunded=Refunded(shop.clock.now, full=True))
    shop.at(shop.clock.now)

    assert shop.order("r1").terms == ()
    assert shop.order("r2").terms[0].first_day == FIRST_DAY
    shop.morning(MAIL_DAY)
    assert (shop.mails("r1"), shop.mails("r2")) == (["refunded"], ["renewal"])


def refund(shop: Shop, order_id: str) -> None:
    shop.told(order_id, state=None, refunded=Refunded(shop.clock.now, full=True))


def test_places_of_renewals_that_were_all_refunded_at_once_are_free_again(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2")
    for name in ("r1", "r2"):  # both before the worker looks
        back = notice(shop.id(name), state=None, refunded=Refunded(shop.clock.now, full=True))
        shop.store.save(with_payment(shop.order(name), back, shop.clock.now, "EUR"))
    shop.at(shop.clock.now)
    assert shop.order("base").renewals == ()

    shop.renewal("r3")
    assert shop.order("r3").terms[0].first_day == FIRST_DAY


def test_the_place_of_a_renewal_that_waited_is_free_when_it_is_refunded(shop: Shop) -> None:
    shop.told("base", Line(SKU, 99))  # waits for stock: no end is known
    shop.renewal("r1")
    assert shop.waits(Reason.RENEWS) == {"r1"}
    refund(shop, "r1")
    shop.at(shop.clock.now)

    assert shop.order("base").renewals == ()


def test_a_renewal_whose_payment_names_another_license_leaves_the_place_it_had(shop: Shop) -> None:
    shop.told("base")
    shop.told("other")
    shop.renewal("r1", **UNPAID)
    shop.renewal("r1", renews="other")

    assert shop.order("base").renewals == ()
    assert len(shop.order("other").renewals) == 1


def test_a_delivery_that_waits_keeps_no_other_of_its_order_back(shop: Shop) -> None:
    shop.told("base")
    shop.told("both", Line(SKU, 99), Line(SKU, 1, Kind.RENEWAL, shop.id("base")))
    assert shop.waits(Reason.STOCK) == {"both"}

    shop.morning(MAIL_DAY)

    assert shop.mails("both") == ["renewal", "waiting"]  # the purchase has waited since it was paid
    assert shop.waits(Reason.STOCK) == {"both"}


def test_a_license_that_is_not_known_keeps_no_other_line_back(shop: Shop) -> None:
    shop.told("base")
    unknown, known = Line(SKU, 1, Kind.RENEWAL, "elsewhere"), Line(SKU, 1, Kind.RENEWAL, shop.id("base"))
    shop.told("both", Line(SKU, 1), unknown, known)

    assert shop.mails("both") == ["purchase"]
    assert shop.waits(Reason.RENEWS) == {"both"}
    assert [term.line for term in shop.order("both").terms] == [3]


def test_no_clock_stays_in_the_past(shop: Shop) -> None:
    """Otherwise the order would be due at each run of the safety net, each time for nothing."""
    shop.told("base", Line(SKU, 99), Line(SKU, 1, Kind.RENEWAL, "elsewhere"), Line("UNKNOWN", 1))

    for hours in (0, 1, 13, 14):
        shop.at(NOW + timedelta(hours=hours))
        due = next_due(shop.order("base"))
        assert due is None or due > shop.clock.now


def test_the_days_that_a_renewal_waits_for_may_be_told_later(shop: Shop) -> None:
    shop.renewal("r1", renews="elsewhere")
    shop.renewal("r1", renews="elsewhere", period_start=date(2026, 11, 25), period_end=date(2027, 11, 24))

    assert shop.mails("r1") == ["renewal"]


def test_the_days_that_an_open_renewal_waits_for_may_come_with_its_payment(shop: Shop) -> None:
    shop.renewal("r1", renews="elsewhere", **UNPAID)
    shop.renewal("r1", renews="elsewhere", period_start=date(2026, 11, 25))

    assert shop.mails("r1") == ["renewal"]


def test_what_a_person_holds_stays_held_when_it_is_paid(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1", **UNPAID)
    shop.store.save(support.hold(shop.order("r1"), "anna", shop.clock.now))
    shop.renewal("r1")

    shop.morning(MAIL_DAY)

    assert shop.mails("r1") == []
    assert shop.waits(Reason.HOLD) == {"r1"}


def test_what_was_let_go_is_held_again_when_a_part_is_refunded_later(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.store.save(support.release(support.hold(shop.order("r1"), "anna", NOW), "anna", NOW))
    shop.told("r1", state=None, refunded=Refunded(shop.clock.now, "10.00"))

    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == []

    shop.store.save(support.release(shop.order("r1"), "anna", shop.clock.now))
    shop.worker.advance(shop.id("r1"))
    assert shop.mails("r1") == ["renewal"]


def test_an_order_without_an_address_is_not_let_go(shop: Shop) -> None:
    shop.renewal("r1", renews="elsewhere", period_start=date(2027, 1, 1), email=None)

    with pytest.raises(Refused, match="cannot_be_served"):
        support.release(shop.order("r1"), "anna", shop.clock.now)


def test_who_was_told_that_a_renewal_is_unpaid_hears_no_more_of_it_when_its_subscription_ends(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1", **UNPAID)
    shop.morning(MAIL_DAY)
    assert shop.waits(Reason.UNPAID) == {"r1"}

    shop.fact(SubscriptionEnded(shop.id("r1")))

    assert shop.waits(Reason.UNPAID) == set()


def test_who_is_short_of_two_products_keeps_none_of_what_is_there_from_others(shop: Shop) -> None:
    shop.store.put_product(replace(PRODUCT, sku="OTHER"))
    shop.told("both", Line(SKU, 13), Line("OTHER", 1))
    shop.told("most", Line(SKU, 11))
    shop.clock.now += timedelta(minutes=1)

    shop.told("small")

    assert shop.mails("small") == ["purchase"]


def test_who_needs_some_now_and_more_next_year_needs_those_now_first(shop: Shop, stocked: Stocked) -> None:
    later = Line(SKU, 50, Kind.RENEWAL, "elsewhere", date(2028, 1, 1), date(2028, 12, 31))
    shop.told("all", Line(SKU, 12))
    shop.told("first", Line(SKU, 2), later)
    shop.clock.now += timedelta(minutes=1)
    shop.told("second")
    stocked([code(101), code(102)])

    for name in ("second", "first"):
        shop.worker.advance(shop.id(name))

    assert (shop.mails("first"), shop.mails("second")) == (["purchase"], [])


def test_a_renewal_of_a_renewal_stands_in_the_same_line(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2", renews="r1")

    assert shop.order("r2").terms[0].first_day == date(2028, 11, 22)
    assert [renewal.order_id for renewal in shop.order("base").renewals] == [shop.id("r1"), shop.id("r2")]

    shop.morning(MAIL_DAY)
    license_id = shop.order("r1").licenses[0].id
    shop.told("r3", Line(SKU, 1, Kind.RENEWAL, license_id))
    assert shop.order("r3").terms[0].first_day == date(2029, 11, 22)


def test_a_renewal_of_a_license_that_was_never_sold_here_is_served_from_its_card_or_waits(shop: Shop) -> None:
    shop.renewal("known", renews="elsewhere", period_start=date(2027, 1, 1), period_end=date(2027, 12, 31))
    shop.renewal("unknown", renews="elsewhere")

    assert shop.waits(Reason.RENEWS) == {"unknown"}
    shop.morning(date(2026, 12, 25))
    assert (shop.mails("known"), shop.mails("unknown")) == (["renewal"], [])


def test_a_renewal_that_was_told_of_before_what_it_renews_goes_on_when_that_is_known(shop: Shop) -> None:
    shop.renewal("r1")
    assert shop.waits(Reason.RENEWS) == {"r1"}

    shop.told("base")
    shop.at(shop.clock.now + timedelta(hours=12))

    assert shop.waits(Reason.RENEWS) == set()
    assert shop.order("r1").terms[0].first_day == FIRST_DAY


def test_a_renewal_follows_no_license_whose_money_went_back_until_that_is_settled(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.morning(RESERVE_DAY)
    disputed = Dispute("dp_1", DisputeState.OPEN, shop.clock.now)
    shop.told("base", state=None, disputes=(disputed,))

    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == []
    assert shop.waits(Reason.RENEWS) == {"r1"}

    won = replace(disputed, state=DisputeState.WON, as_of=shop.clock.now)
    shop.told("base", state=None, disputes=(won,))
    shop.morning(MAIL_DAY + timedelta(days=1))
    assert shop.mails("r1") == ["renewal"]


def test_a_renewal_that_is_canceled_is_not_sent_and_gives_its_code_back(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.morning(RESERVE_DAY)
    free = len(shop.store.pick(SKU, 99, NOW.date()))

    shop.fact(OrderCanceled(shop.id("r1")))
    shop.morning(MAIL_DAY)

    assert shop.mails("r1") == []
    assert len(shop.store.pick(SKU, 99, NOW.date())) == free + 1
    assert "canceled" in [entry.code for entry in shop.order("r1").timeline]
    assert shop.order("base").renewals == ()


def test_an_open_renewal_of_a_subscription_that_ended_is_nobodys_worry(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1", **UNPAID)
    shop.fact(SubscriptionEnded(shop.id("r1")))

    shop.morning(MAIL_DAY)

    assert shop.waits(Reason.UNPAID) == set()


def test_lines_that_are_due_on_one_day_are_one_mail_and_a_purchase_beside_them_leaves_at_once(shop: Shop) -> None:
    shop.told("base")
    shop.told("other")
    shop.told(
        "both",
        Line(SKU, 1, Kind.RENEWAL, shop.id("base")),
        Line(SKU, 2, Kind.RENEWAL, shop.id("other")),
        Line(SKU, 1),
    )
    assert shop.mails("both") == ["purchase"]
    assert len(shop.order("both").licenses) == 1

    shop.morning(MAIL_DAY)

    assert shop.mails("both") == ["purchase", "renewal"]
    assert shop.order("both").mails[1].lines == (1, 2)
    texts = [m.text for m in shop.local.mailbox.mails if m.tags.get("order") == shop.id("both")]
    codes = {license_.line: license_.code for license_ in shop.order("both").licenses}
    assert codes[3] in texts[0]
    assert codes[1] not in texts[0]
    assert codes[1] in texts[1]
    assert codes[2] in texts[1]
    assert codes[3] not in texts[1]


def test_a_day_without_any_run_is_made_up_for(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")

    shop.morning(MAIL_DAY + timedelta(days=3))

    assert shop.mails("r1") == ["renewal"]
    assert shop.order("r1").licenses[0].first_day == FIRST_DAY


def test_a_renewal_that_names_no_address_goes_to_that_of_what_it_renews(shop: Shop) -> None:
    shop.told("base", email="eerste@klant.example")
    shop.renewal("r1", email=None, name=None)

    assert shop.order("r1").customer.email == "eerste@klant.example"


def test_arriving_codes_go_first_to_who_loses_protection_first(shop: Shop, stocked: Stocked) -> None:
    shop.told("base")
    shop.renewal("later", period_start=date(2027, 12, 20), period_end=date(2028, 12, 19))
    shop.renewal("sooner", period_start=date(2027, 12, 1), period_end=date(2028, 11, 30))
    shop.clock.now = morning_of(date(2027, 11, 22), ZONE)
    shop.told("all", Line(SKU, 11))  # nothing is left
    shop.at(shop.clock.now)
    assert shop.waits(Reason.STOCK) == {"later", "sooner"}

    stocked([code(100)])
    for name in ("later", "sooner"):
        shop.worker.advance(shop.id(name))

    assert [len(shop.order(name).licenses) for name in ("later", "sooner")] == [0, 1]
    assert shop.waits(Reason.STOCK) == {"later"}


def test_an_order_that_cannot_be_served_with_what_is_there_keeps_nothing_from_others(shop: Shop) -> None:
    shop.told("large", Line(SKU, 99))
    assert shop.waits(Reason.STOCK) == {"large"}

    shop.clock.now += timedelta(minutes=1)
    shop.told("small")

    assert shop.mails("small") == ["purchase"]


def with_codes_until(shop: Shop, days: dict[int, date | None]) -> None:
    """The stock, by the number of each code and the day before which it must be activated."""
    for free in shop.store.pick(SKU, 99, NOW.date()):
        shop.local.session.client("dynamodb").delete_item(
            TableName=shop.store.table, Key={"pk": {"S": f"CODE#{free.digest}"}}
        )
    for number, day in days.items():
        list(shop.store.add_codes(SKU, [code(number)], None, day))


def test_a_code_that_runs_out_before_the_customer_can_use_it_is_not_given(shop: Shop) -> None:
    store = shop.store
    with_codes_until(shop, {201: MAIL_DAY - timedelta(days=1), 202: MAIL_DAY, 203: FIRST_DAY, 204: None})
    shop.told("base")
    assert shop.order("base").licenses[0].code == code(201)  # the one that runs out first

    shop.renewal("r1")
    shop.morning(RESERVE_DAY)
    assert shop.order("r1").licenses[0].code == code(202)

    store.put_product(replace(PRODUCT, holds_reserve_code=False))
    shop.renewal("r2", renews="base", period_start=FIRST_DAY, period_end=FIRST_DAY)
    assert shop.order("r2").licenses[0].code == code(203)


def reminding(shop: Shop) -> None:
    shop.store.put_product(replace(PRODUCT, reminder_days=(30, 7, 0), renewal_url="https://shop.example/verlengen"))


def test_reminders_come_once_each_when_nobody_renews(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")
    last_day = date(2027, 11, 22)

    for days in (31, 30, 29, 8, 7, 6, 1, 0, -1, -30):
        shop.morning(last_day - timedelta(days=days))

    assert shop.mails("base") == ["purchase", "reminder", "reminder", "reminder"]
    mail = shop.local.mailbox.mails[-1]
    assert "https://shop.example/verlengen" in mail.text
    assert shop.order("base").licenses[0].code not in mail.text


@pytest.mark.parametrize("how", [{}, UNPAID], ids=["paid", "on its way"])
def test_no_reminder_comes_when_a_renewal_is_paid_or_on_its_way(shop: Shop, how: dict[str, Any]) -> None:
    reminding(shop)
    shop.told("base")
    shop.renewal("r1", **how)

    shop.morning(date(2027, 10, 23))

    assert shop.mails("base") == ["purchase"]
    assert shop.order("base").timeline[-1].values["why"] == Said("renewed_or_long_ended")


def test_a_reminder_speaks_of_the_licenses_only_that_nobody_renews(shop: Shop) -> None:
    reminding(shop)
    shop.told("base", Line(SKU, 1), Line(SKU, 1))
    shop.told("r1", Line(SKU, 1, Kind.RENEWAL, f"{shop.id('base')}/1"))

    shop.morning(date(2027, 10, 23))

    assert shop.mails("base") == ["purchase", "reminder"]
    assert shop.order("base").mails[1].lines == (2,)


def test_a_reminder_that_an_outage_kept_back_until_long_after_the_end_is_dropped(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")

    shop.morning(date(2027, 11, 26))

    assert shop.mails("base") == ["purchase"]


def test_a_subscription_that_runs_on_by_itself_needs_no_reminder_until_it_ends(shop: Shop) -> None:
    reminding(shop)
    shop.told("base", is_subscription=True)
    shop.morning(date(2027, 10, 23))
    assert shop.mails("base") == ["purchase"]

    shop.fact(SubscriptionEnded(shop.id("base")))
    shop.morning(date(2027, 11, 15))
    assert shop.mails("base") == ["purchase", "reminder"]


def test_reminders_missed_in_an_outage_are_one_mail(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")

    shop.morning(date(2027, 11, 20))

    assert shop.mails("base") == ["purchase", "reminder"]


def test_a_person_holds_a_renewal_and_lets_it_go_again(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    store, name = shop.store, shop.id("r1")
    store.save(support.hold(loaded(store, name), "anna", shop.clock.now))
    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == []
    assert shop.waits(Reason.HOLD) == {"r1"}

    store.save(support.release(loaded(store, name), "anna", shop.clock.now))
    shop.worker.advance(name)

    assert shop.mails("r1") == ["renewal"]
    assert [entry.who for entry in shop.order("r1").timeline if entry.code in ("held", "released")] == ["anna"] * 2


def test_a_renewal_that_ses_refuses_leaves_at_the_next_try(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    faults = [SesFault(429, "TooManyRequestsException")]

    def refuse_once() -> None:
        if faults:
            raise faults.pop()

    shop.local.mailbox.before_send = refuse_once
    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == []
    shop.at(shop.clock.now + timedelta(minutes=1))

    assert shop.mails("r1") == ["renewal"]
    assert shop.order("r1").mails[0].state is MailState.SENT


def test_a_renewal_of_one_that_is_refunded_or_never_paid_renews_what_that_renewed(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("unpaid", **UNPAID)
    shop.renewal("r1", renews="unpaid")
    shop.renewal("r2", renews="r1")

    shop.told("r1", state=None, refunded=Refunded(shop.clock.now, full=True))
    shop.at(shop.clock.now)

    assert shop.waits(Reason.RENEWS) == set()
    assert shop.order("r2").terms[0].first_day == FIRST_DAY


def test_who_moves_up_stands_behind_the_periods_that_customers_were_told_of(shop: Shop) -> None:
    shop.told("base")
    for name in ("r1", "r2", "r3"):
        shop.renewal(name)
    shop.agree("r2", "r3")
    shop.morning(MAIL_DAY)
    shop.morning(MAIL_DAY + timedelta(days=365))
    assert (shop.mails("r1"), shop.mails("r2"), shop.mails("r3")) == (["renewal"], ["renewal"], [])

    shop.told("r1", state=None, refunded=Refunded(shop.clock.now, full=True))
    shop.at(shop.clock.now)

    assert shop.order("r3").terms[0].first_day == date(2029, 11, 22)


def test_a_renewal_behind_one_that_stands_does_not_wait_for_the_money_of_the_first_order(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.morning(MAIL_DAY)
    shop.renewal("r2", renews="r1")
    shop.agree("r2")
    shop.told("base", state=None, refunded=Refunded(shop.clock.now, full=True))

    shop.morning(MAIL_DAY + timedelta(days=365))

    assert shop.mails("r2") == ["renewal"]


def test_no_reminder_comes_for_a_renewal_that_is_renewed_itself(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")
    shop.renewal("r1")
    shop.morning(MAIL_DAY)
    shop.renewal("r2", renews="r1")

    shop.morning(date(2028, 10, 22))

    assert shop.mails("r1") == ["renewal"]
    assert shop.order("r1").timeline[-1].values["why"] == Said("renewed_or_long_ended")


def unscheduled(shop: Shop, order_id: str) -> bool:
    return "renewal_unscheduled" in [entry.code for entry in shop.order(order_id).timeline]


def test_only_those_whose_days_are_others_now_hear_of_one_that_is_given_up(shop: Shop) -> None:
    shop.told("base")
    for name in ("r1", "r2", "r3"):
        shop.renewal(name)

    refund(shop, "r2")

    assert not unscheduled(shop, "r1")
    assert unscheduled(shop, "r3")


def test_one_that_is_not_paid_is_asked_for_when_its_turn_comes_however_many_are_paid_meanwhile(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("unpaid", **UNPAID)
    shop.renewal("r1")
    shop.at(shop.clock.now)

    assert shop.order("unpaid").terms[0].first_day == date(2028, 11, 22)
    shop.morning(MAIL_DAY)
    assert shop.waits(Reason.UNPAID) == set()
    shop.morning(MAIL_DAY + timedelta(days=365))
    assert shop.waits(Reason.UNPAID) == {"unpaid"}


def test_one_before_it_that_is_given_up_while_its_days_are_found_keeps_no_place(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    refunded: list[str] = []

    def refund_meanwhile(put: Parameters) -> None:
        if not refunded and put["Item"]["pk"]["S"] == f"ORDER#{shop.id('r2')}" and "terms" in put["Item"]:
            refunded.append("r1")
            refund(shop, "r1")

    on_call(shop.store._client, "PutItem", refund_meanwhile)
    shop.renewal("r2")

    assert refunded == ["r1"]
    assert shop.order("r2").terms[0].first_day == FIRST_DAY


def days(shop: Shop, order_id: str) -> list[date]:
    """The days on which the reminders of the license are sent."""
    return [reminder.at.date() for reminder in shop.order(order_id).reminders]


def test_who_moves_up_late_starts_on_that_day_and_is_reminded_at_the_end_of_the_new_period(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2")
    shop.agree("r2")
    shop.morning(MAIL_DAY)
    shop.morning(date(2028, 10, 30))  # the code of r2 is reserved
    assert days(shop, "r2")[-1] == date(2029, 11, 21)

    refund(shop, "r1")
    shop.clock.now += timedelta(days=1)  # the result is the same on the day of the refund and later
    shop.at(shop.clock.now)

    (license_,) = shop.order("r2").licenses
    assert (license_.first_day, license_.last_day) == (date(2028, 10, 30), date(2029, 10, 29))
    assert days(shop, "r2") == [date(2029, 9, 29), date(2029, 10, 22), date(2029, 10, 29)]
    assert shop.mails("r2") == ["renewal"]


def fail_refund(shop: Shop, order_id: str) -> None:
    failed = FailedRefund(f"re_{order_id}", "39.95", shop.clock.now)
    shop.told(order_id, state=None, failed_refunds=(failed,))
    shop.at(shop.clock.now)


def refund_amount(shop: Shop, order_id: str) -> None:
    shop.told(order_id, state=None, refunded=Refunded(shop.clock.now, "39.95"))
    shop.at(shop.clock.now)


def test_a_renewal_whose_refund_fails_is_served_behind_who_moved_up_meanwhile(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2")
    refund_amount(shop, "r1")

    fail_refund(shop, "r1")
    shop.agree("r1")

    assert [shop.order(name).terms[0].first_day for name in ("r2", "r1")] == [FIRST_DAY, date(2028, 11, 22)]
    shop.morning(MAIL_DAY + timedelta(days=365))
    assert shop.mails("r1") == ["refunded", "renewal"]


def test_a_renewal_whose_refund_fails_when_its_days_have_passed_starts_on_that_day(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    refund_amount(shop, "r1")
    shop.clock.now = datetime(2028, 3, 1, 12, 0, tzinfo=UTC)

    fail_refund(shop, "r1")

    assert shop.mails("r1") == ["refunded", "renewal"]
    assert shop.order("r1").licenses[0].first_day == date(2028, 3, 1)


def test_a_renewal_that_left_has_its_place_again_when_its_refund_fails(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.renewal("r2")
    shop.store.save(support.hold(shop.order("r2"), "anna", shop.clock.now))
    shop.morning(MAIL_DAY)
    refund_amount(shop, "r1")

    fail_refund(shop, "r1")
    shop.store.save(support.release(shop.order("r2"), "anna", shop.clock.now))
    shop.worker.advance(shop.id("r2"))
    shop.renewal("r3")

    assert [renewal.order_id for renewal in shop.order("base").renewals] == [shop.id(n) for n in ("r1", "r2", "r3")]
    firsts = [shop.order(name).terms[0].first_day for name in ("r1", "r2", "r3")]
    assert firsts == [FIRST_DAY, date(2028, 11, 22), date(2029, 11, 22)]
    assert shop.mails("r1") == ["renewal", "refunded"]


def test_a_renewal_of_a_paid_renewal_whose_code_is_not_set_aside_yet_starts_behind_it(shop: Shop) -> None:
    shop.renewal("r1", renews="elsewhere", period_start=FIRST_DAY, period_end=date(2028, 11, 21))
    shop.renewal("r2", renews="r1")

    assert shop.order("r1").licenses == ()
    assert shop.order("r2").terms[0].first_day == date(2028, 11, 22)


def test_a_disputed_renewal_keeps_its_place_while_the_dispute_is_open(shop: Shop) -> None:
    shop.told("base")
    for name in ("r1", "r2", "r3"):
        shop.renewal(name)
    disputed = Dispute("dp_1", DisputeState.OPEN, shop.clock.now)
    shop.told("r2", state=None, disputes=(disputed,))
    refund(shop, "r1")  # all others move up
    shop.at(shop.clock.now)
    assert shop.order("r3").terms[0].first_day == date(2028, 11, 22)
    shop.renewal("r4", renews="r2")
    assert shop.order("r4").terms[0].first_day == date(2029, 11, 22)

    won = replace(disputed, state=DisputeState.WON, as_of=shop.clock.now)
    shop.told("r2", state=None, disputes=(won,))
    shop.morning(MAIL_DAY)

    assert (shop.mails("r2"), shop.order("r2").licenses[0].first_day) == (["renewal"], FIRST_DAY)


@pytest.mark.parametrize("count", [2, 50], ids=["some", "more than one transaction holds"])
def test_codes_that_ran_out_during_a_hold_are_exchanged_before_they_leave(shop: Shop, count: int) -> None:
    shop.told("base")
    with_codes_until(shop, dict.fromkeys(range(200, 200 + count), MAIL_DAY) | {300: None})
    shop.renewal("r1", quantity=count + 1)
    shop.morning(RESERVE_DAY)
    assert len(shop.order("r1").licenses) == count + 1
    shop.store.save(support.hold(shop.order("r1"), "anna", shop.clock.now))
    shop.morning(MAIL_DAY + timedelta(days=1))
    shop.store.save(support.release(shop.order("r1"), "anna", shop.clock.now))
    shop.worker.advance(shop.id("r1"))
    assert shop.mails("r1") == []
    assert shop.waits(Reason.STOCK) == {"r1"}

    list(shop.store.add_codes(SKU, [code(number) for number in range(301, 301 + count)], None, None))
    shop.worker.advance(shop.id("r1"))

    assert shop.mails("r1") == ["renewal"]
    assert {one.code for one in shop.order("r1").licenses} == {code(n) for n in range(300, 301 + count)}
    assert "codes_exchanged" in [entry.code for entry in shop.order("r1").timeline]
    assert shop.store.pick(SKU, 9, shop.clock.now.date()) == []


def test_a_renewal_whose_payment_failed_keeps_no_reminder_back(shop: Shop) -> None:
    reminding(shop)
    shop.told("base")
    shop.renewal("r1", **UNPAID)
    shop.renewal("r1", state=PaymentState.FAILED)

    shop.morning(date(2027, 10, 23))

    assert shop.mails("base") == ["purchase", "reminder"]


@pytest.mark.parametrize("ended", ["r1", "base"])
def test_an_open_renewal_of_a_subscription_that_ended_keeps_no_reminder_back(shop: Shop, ended: str) -> None:
    reminding(shop)
    shop.told("base", is_subscription=True)
    shop.renewal("r1", is_subscription=True, **UNPAID)
    shop.fact(SubscriptionEnded(shop.id("base")))
    shop.fact(SubscriptionEnded(shop.id(ended)))

    shop.morning(date(2027, 10, 23))

    assert shop.mails("base") == ["purchase", "reminder"]


def test_a_reminder_speaks_of_the_licenses_of_a_line_that_nobody_renews(shop: Shop) -> None:
    reminding(shop)
    shop.told("base", Line(SKU, 3))
    one, *others = shop.order("base").licenses
    shop.told("r1", Line(SKU, 1, Kind.RENEWAL, one.id))
    shop.morning(date(2027, 10, 23))
    assert shop.mails("base") == ["purchase", "reminder"]
    assert "uw 2 licenties" in shop.local.mailbox.mails[-1].text
    assert shop.order("base").mails[1].licenses == tuple(other.id for other in others)

    for other in others:
        shop.told(f"r-{other.id}", Line(SKU, 1, Kind.RENEWAL, other.id))
    shop.morning(date(2027, 11, 15))

    assert shop.mails("base") == ["purchase", "reminder"]


def test_a_reminder_of_a_renewal_waits_for_all_licenses_that_it_renewed(shop: Shop) -> None:
    reminding(shop)
    shop.told("base", Line(SKU, 2))
    shop.renewal("r1", quantity=2)
    shop.morning(MAIL_DAY)
    one, other = shop.order("base").licenses
    shop.told("r2", Line(SKU, 1, Kind.RENEWAL, one.id))
    shop.morning(date(2028, 10, 22))
    assert shop.mails("r1") == ["renewal", "reminder"]

    shop.told("r3", Line(SKU, 1, Kind.RENEWAL, other.id))
    shop.morning(date(2028, 11, 14))

    assert shop.mails("r1") == ["renewal", "reminder"]


def test_a_renewal_to_an_address_that_takes_no_mail_is_shown_when_its_codes_are_set_aside(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.store.put_bad_address("facturen@klant.example", Fate.BOUNCED, shop.clock.now)

    shop.morning(RESERVE_DAY)
    assert shop.waits(Reason.ADDRESS) == {"r1"}
    assert len(shop.order("r1").licenses) == 1
    for day in range(40):
        shop.morning(RESERVE_DAY + timedelta(days=day))

    assert shop.mails("r1") == []
    assert shop.waits(Reason.ADDRESS) == {"r1"}


def test_a_renewal_that_gets_another_address_from_what_it_renews_mails_nothing_there_while_that_takes_no_mail(
    shop: Shop,
) -> None:
    shop.told("base")
    right = Right(email="nieuw@klant.example")
    asked = Asked(shop.clock.now, "anna")
    shop.store.change_existing(shop.id("base"), lambda order: correcting.correct(order, right, asked, ZONE))
    shop.store.put_bad_address("nieuw@klant.example", Fate.BOUNCED, shop.clock.now)
    shop.clock.now = morning_of(MAIL_DAY, ZONE)

    shop.renewal("r1")  # to the old address, and due at once

    assert shop.order("r1").customer.email == "nieuw@klant.example"
    assert shop.mails("r1") == []
    assert shop.waits(Reason.ADDRESS) == {"r1"}


def test_a_renewal_whose_address_goes_bad_later_is_shown_on_the_day_of_its_mail(shop: Shop) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.morning(RESERVE_DAY)
    shop.store.put_bad_address("facturen@klant.example", Fate.BOUNCED, shop.clock.now)

    shop.morning(MAIL_DAY)

    assert shop.mails("r1") == []
    assert shop.waits(Reason.ADDRESS) == {"r1"}
    shop.store.lift_bad_address("facturen@klant.example", shop.clock.now)
    shop.morning(MAIL_DAY + timedelta(days=1))
    assert shop.mails("r1") == ["renewal"]
    assert shop.waits(Reason.ADDRESS) == set()


def test_a_renewal_that_bounces_stands_in_the_note_of_the_next_morning_days_before_the_old_license_ends(
    shop: Shop,
) -> None:
    shop.told("base")
    shop.renewal("r1")
    shop.morning(MAIL_DAY)
    assert shop.mails("r1") == ["renewal"]

    take_mail_event.take(
        shop.store, ses_event("bounce_permanent", tag_value(shop.id("r1")), "renewal-1"), shop.clock.now, ZONE
    )
    note = gather_note(shop.store, morning_of(MAIL_DAY + timedelta(days=1), ZONE), ZONE, {})

    assert FIRST_DAY - note.day == timedelta(days=6)
    (section,) = (each for each in note.sections if each.reason is Reason.ADDRESS)
    (entry,) = section.entries
    assert entry.order_id == shop.id("r1")
    assert entry.why == said("needed_by", why=Said("address_bounced"), first_day=FIRST_DAY)
