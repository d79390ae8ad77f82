from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from keypost.core import contents, licensing, mailing, owed, plan, renewals, support
from keypost.core.codes import StockCode
from keypost.core.mail import MailNotSent, MailOutcome, MailSent, MailState, MailUnknown, Purpose, Refusal
from keypost.core.order import Order, Reason, Reminder, Renewal, Subscription, waiting_for
from keypost.core.payment import REMOVED, Dispute, DisputeState, PaymentState, Refunded, SubscriptionEnded
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import Said
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order, product

LATER = NOW + timedelta(days=1)
OPEN, PAID, FAILED = PaymentState.OPEN, PaymentState.PAID, PaymentState.FAILED


def with_codes(order: Order, count: int = 1, now: datetime = NOW) -> Order:
    taken = [StockCode(f"digest-{n}", code(n), SKU) for n in range(count)]
    return licensing.with_codes(order, taken, {SKU: PRODUCT}, now, ZONE)


def test_a_paid_notice_becomes_an_order_with_what_was_bought() -> None:
    order = paid_order()

    assert order.is_paid
    assert (order.customer.email, order.customer.name, order.customer.language) == (
        "facturen@klant.example",
        "Anna Jansen",
        "nl",
    )
    assert order.lines == (Line(SKU, 1),)
    assert order.hold.problem is None
    assert [entry.code for entry in order.timeline] == ["payment_paid"]


def test_the_same_notice_again_changes_nothing() -> None:
    order = paid_order()

    assert contents.with_payment(order, notice(), NOW + timedelta(days=3), "EUR") is order


@pytest.mark.parametrize("late", [OPEN, FAILED])
def test_a_payment_never_falls_back_from_paid(late: PaymentState) -> None:
    order = paid_order()

    assert contents.with_payment(order, notice(state=late), NOW, "EUR") is order


@pytest.mark.parametrize("first", [OPEN, FAILED])
def test_an_unpaid_order_waits_and_is_paid_later_by_the_same_payment(first: PaymentState) -> None:
    order = paid_order(state=first)
    assert not order.is_paid

    order = contents.with_payment(order, notice(), NOW, "EUR")

    assert order.is_paid
    assert len(order.payments) == 1


def test_what_was_bought_is_what_the_first_paid_payment_says() -> None:
    order = paid_order("1", Line(SKU, 1), state=OPEN)

    order = contents.with_payment(order, notice("1", Line(SKU, 3), payment_id="cs_2"), NOW, "EUR")
    order = contents.with_payment(order, notice("1", Line(SKU, 9), payment_id="cs_3"), NOW, "EUR")

    assert order.lines == (Line(SKU, 3),)


def test_a_second_paid_payment_buys_nothing_more_and_asks_for_a_refund() -> None:
    order = contents.with_payment(paid_order(), notice(payment_id="cs_other"), NOW, "EUR")

    assert len(order.payments) == 2
    assert order.is_paid_twice
    assert owed.missing(order) == ((1, Line(SKU, 1), 1),)
    assert order.timeline[-1].code == "paid_twice"


def test_an_expired_attempt_beside_a_paid_one_changes_nothing_of_the_order() -> None:
    order = contents.with_payment(paid_order(), notice(payment_id="cs_other", state=FAILED), NOW, "EUR")

    assert order.is_paid
    assert order.timeline[-1].code == "payment_failed_at"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"currency": "USD"}, "other_currency"),
        ({"email": None}, "no_address"),
        ({"lines": ()}, "nothing_bought"),
        ({"lines": (Line(SKU, 600), Line(SKU, 401))}, "too_many_codes"),
        ({"amount": "0.00"}, "nothing_paid"),
        ({"problem": Said("card_does_not_fit")}, "card_does_not_fit"),
    ],
)
def test_what_cannot_be_served_by_itself_is_held_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    order = paid_order(**changes)

    assert order.is_paid
    assert order.hold.problem is not None
    assert order.hold.problem.code == reason
    assert order.timeline[-1].code == "on_hold"


def test_a_license_starts_on_the_day_of_payment_in_the_shops_time_zone() -> None:
    order = with_codes(paid_order(at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC)))

    (license_,) = order.licenses
    assert (license_.first_day, license_.last_day) == (date(2027, 1, 1), date(2027, 12, 31))


def test_a_period_on_the_order_card_wins() -> None:
    start, end = date(2027, 2, 1), date(2028, 1, 31)

    order = with_codes(paid_order("1", Line(SKU, 1, period_start=start, period_end=end)))

    assert (order.licenses[0].first_day, order.licenses[0].last_day) == (start, end)


def test_the_mail_is_owed_and_claimed_only_with_the_last_code() -> None:
    order = paid_order("1", Line(SKU, 3))

    order = with_codes(order, 2)
    assert order.mails == ()

    order = with_codes(order, 1)
    assert [(mail.id, mail.state, mail.attempts) for mail in order.mails] == [("purchase-1", MailState.SENDING, 1)]


def test_codes_go_to_lines_of_their_own_product() -> None:
    order = paid_order("1", Line("A", 2), Line("B", 1), Line("A", 1))
    taken = [StockCode(f"{sku}{n}", f"{sku}-CODE-{n}", sku) for n, sku in enumerate("ABAA")]

    order = licensing.with_codes(order, taken, {sku: product(sku) for sku in "AB"}, NOW, ZONE)

    assert [(x.line, x.sku, x.code) for x in order.licenses] == [
        (1, "A", "A-CODE-0"),
        (1, "A", "A-CODE-2"),
        (2, "B", "B-CODE-1"),
        (3, "A", "A-CODE-3"),
    ]
    assert len({license_.id for license_ in order.licenses}) == 4


def test_waiting_is_noted_once_and_counts_from_its_beginning() -> None:
    order = waiting_for(paid_order(), Reason.STOCK, Said("too few codes of X"), NOW)
    later = waiting_for(order, Reason.STOCK, Said("too few codes of X"), NOW + timedelta(hours=1))

    assert later.waiting is not None
    assert later.waiting.since == NOW
    assert later.waiting.retry_at == NOW + timedelta(hours=1, minutes=15)
    assert later.timeline == order.timeline


@pytest.mark.parametrize(
    ("outcome", "state", "next_in"),
    [
        (MailSent("m-1"), MailState.SENT, None),
        (MailNotSent(Said("SES refused: BadRequestException"), Refusal.FOR_EVER), MailState.FAILED, None),
        (MailNotSent(Said("SES refused: ThrottlingException")), MailState.PENDING, timedelta(seconds=15)),
        (MailUnknown(Said("the answer of SES was lost")), MailState.UNKNOWN, timedelta(minutes=15)),
    ],
)
def test_an_attempt_settles_the_mail(outcome: MailOutcome, state: MailState, next_in: timedelta | None) -> None:
    order = mailing.settle_mail(with_codes(paid_order()), "purchase-1", 1, outcome, NOW)

    mail = order.mail("purchase-1")
    assert mail.state is state
    wait = mail.next_at and mail.next_at - NOW
    most = next_in and next_in + max(next_in / 10, timedelta(seconds=15))
    assert wait is None if next_in is None or most is None else next_in <= (wait or timedelta()) <= most


def test_the_outcome_of_an_attempt_that_was_overtaken_is_not_written_down() -> None:
    order = mailing.claim_mail(with_codes(paid_order()), "purchase-1", NOW)  # attempt 2

    assert mailing.settle_mail(order, "purchase-1", 1, MailNotSent(Said("late")), NOW) is order


def test_a_mail_that_was_sent_stays_sent() -> None:
    order = mailing.settle_mail(with_codes(paid_order()), "purchase-1", 1, MailSent("m-1"), NOW)

    assert mailing.settle_mail(order, "purchase-1", 1, MailUnknown(Said("late")), NOW) is order


def test_the_back_off_grows_to_an_hour() -> None:
    order, waits = with_codes(paid_order()), []
    for attempt in range(1, 8):
        order = mailing.settle_mail(order, "purchase-1", attempt, MailNotSent(Said("busy")), NOW)
        waits.append((order.mail("purchase-1").next_at or NOW) - NOW)
        order = mailing.claim_mail(order, "purchase-1", NOW)

    assert waits == sorted(waits)
    assert timedelta(hours=1) <= waits[-1] <= timedelta(hours=1.1)


def test_of_many_codes_to_block_a_timeline_names_some_and_counts_the_others() -> None:
    codes = [StockCode(str(n), code(n), SKU) for n in range(1000)]
    order = licensing.with_codes(paid_order("2026-001234", Line(SKU, 1000)), codes, {SKU: PRODUCT}, NOW, ZONE)

    back = contents.with_payment(order, notice(refunded=Refunded(NOW, full=True)), NOW, "EUR")

    assert back.timeline[-1].values["licenses"] == tuple(one.id for one in order.licenses[:20])
    assert back.timeline[-1].values["others"] == 980


def test_what_is_not_held_is_not_released_and_a_hold_says_each_reason_once() -> None:
    order = paid_order()
    assert support.release(order, "anna", NOW) is order

    held = support.hold(support.hold(order, "anna", NOW, "fraud?"), "piet", NOW, "the bank called")
    assert [entry.words for entry in held.timeline[-2:]] == ["fraud?", "the bank called"]
    assert support.hold(held, "piet", NOW, "fraud?") is held
    assert support.hold(held, "piet", NOW) is held


def test_an_order_of_which_nothing_said_what_was_bought_is_mended_by_whoever_says_it() -> None:
    bare = replace(notice(), lines=(), email=None)
    held = contents.with_payment(None, bare, NOW, "EUR")
    assert held.hold.problem == Said("nothing_bought")

    mended = contents.with_payment(held, notice(), NOW, "EUR")

    assert (mended.hold.problem, mended.lines, mended.customer.email) == (
        None,
        (Line(SKU, 1),),
        "facturen@klant.example",
    )
    assert contents.with_payment(mended, bare, NOW, "EUR") is mended


def test_what_an_open_order_said_counts_when_its_payment_does_not_say_it() -> None:
    opened = contents.with_payment(None, notice(state=OPEN), NOW, "EUR")

    paid = contents.with_payment(opened, replace(notice(payment_id="cs_2"), lines=(), email=None), NOW, "EUR")

    assert (paid.hold.problem, paid.lines, paid.customer.email) == (None, (Line(SKU, 1),), "facturen@klant.example")


def test_a_problem_that_is_told_later_holds_what_has_not_left() -> None:
    late = notice(problem=Said("payment_link_reusable"))

    held = contents.with_payment(paid_order(), late, NOW, "EUR")
    assert held.hold.problem == late.problem
    assert held.timeline[-1].code == "on_hold"

    sent = licensing.with_mail_of(paid_order(), owed.deliveries(paid_order())[0], NOW)
    assert contents.with_payment(sent, late, NOW, "EUR").hold.problem is None


def test_the_end_of_a_subscription_is_noted_once_and_changes_nothing_that_was_paid() -> None:
    ended = contents.with_fact(paid_order(), SubscriptionEnded("2026-001234"), NOW, "EUR")

    assert ended.is_paid
    assert ended.timeline[-1].code == "subscription_ended"
    assert contents.with_fact(ended, SubscriptionEnded("2026-001234"), NOW, "EUR") is ended


def test_the_end_of_a_subscription_that_is_told_late_or_again_undoes_no_newer_payment() -> None:
    early, late = NOW - timedelta(days=3), NOW + timedelta(days=3)
    charged = replace(paid_order(), subscription=Subscription(is_charged=True))

    told = contents.with_fact(charged, SubscriptionEnded("2026-001234", early), late, "EUR")
    assert (told.is_charged_again, told.timeline[-1].code) == (True, "subscription_had_ended")
    assert contents.with_fact(told, SubscriptionEnded("2026-001234", early), late, "EUR") is told

    ended = contents.with_fact(told, SubscriptionEnded("2026-001234", late), late, "EUR")
    assert (ended.is_charged_again, ended.timeline[-1].code) == (False, "subscription_ended")
    assert contents.with_fact(ended, SubscriptionEnded("2026-001234", early), late, "EUR") is ended

    paid = contents.with_fact(ended, notice(payment_id="cs_2", at=late + timedelta(days=1)), late, "EUR")
    assert paid.is_charged_again
    assert contents.with_fact(paid, SubscriptionEnded("2026-001234", late), late, "EUR") is paid


def test_a_payment_found_to_be_another_orders_is_not_held_any_more_but_one_that_sold_something_stays() -> None:
    bare = contents.with_payment(None, replace(notice(), lines=()), NOW, "EUR")

    found = contents.belonging_to(bare, "F-1", NOW)

    assert (plan.attention(bare) is None, plan.attention(found)) == (False, None)
    assert contents.belonging_to(found, "F-1", NOW) is found
    assert contents.belonging_to(paid_order(), "F-1", NOW).belongs_to is None


def test_a_refund_told_again_each_hour_is_kept_as_of_then_but_noted_once() -> None:
    order = paid_order()
    for hour in range(3):
        now = NOW + timedelta(hours=hour)
        order = contents.with_payment(order, notice(refunded=Refunded(now, "39.95")), now, "EUR")

    assert [entry.code for entry in order.timeline] == ["payment_paid", "payment_refunded"]


def refunded(order: Order | None, **changes: Any) -> Order:
    changes = {"refunded": Refunded(NOW, full=True)} | changes
    return contents.with_payment(order, notice(**changes), NOW, "EUR")


@pytest.mark.parametrize("before", [None, paid_order(), with_codes(paid_order()), contents.canceled(paid_order(), NOW)])
def test_a_refund_of_all_the_money_is_told_to_the_customer_once(before: Order | None) -> None:
    order = refunded(before)
    told = mailing.owe_mail(order, Purpose.REFUNDED, NOW)

    assert owed.owes_refund_notice(order)
    assert not owed.owes_refund_notice(refunded(told, refunded=Refunded(LATER, "39.95", by="the shop")))


def test_a_refund_of_an_invoice_is_told_although_its_bookkeeper_has_entered_the_payment_anew() -> None:
    entered = Dispute(REMOVED, DisputeState.WON, NOW)

    assert owed.owes_refund_notice(refunded(None, disputes=(entered,)))
    assert not owed.owes_refund_notice(refunded(None, disputes=(replace(entered, state=DisputeState.OPEN),)))


@pytest.mark.parametrize(
    "changes",
    [
        {"refunded": Refunded(NOW, "10.00")},
        {"disputes": (Dispute("dp_1", DisputeState.LOST, NOW),)},
        {"disputes": (Dispute("dp_1", DisputeState.WON, NOW),)},
        {"email": None},
        {"lines": ()},
    ],
)
def test_nothing_is_told_of_a_part_or_a_dispute_or_to_nobody_or_of_what_is_not_known(changes: dict[str, Any]) -> None:
    assert not owed.owes_refund_notice(refunded(None, **changes))


def test_the_refund_of_one_of_two_payments_is_not_told_as_a_refund_of_the_order() -> None:
    twice = contents.with_payment(paid_order(), notice(payment_id="cs_other"), NOW, "EUR")

    assert not owed.owes_refund_notice(refunded(twice, payment_id="cs_other"))


def test_a_mail_that_holds_no_code_is_no_delivery_of_one() -> None:
    order = mailing.owe_mail(paid_order(), Purpose.REMINDER, NOW, (1,))

    assert [delivery.lines for delivery in owed.deliveries(order)] == [(1,)]
    assert not mailing.claim_mail(order, "reminder-1", NOW).code_left


def test_lines_that_have_their_mail_are_not_mailed_again_when_others_fall_on_their_day() -> None:
    first = date(2026, 12, 10)
    renewal = Line(SKU, 1, Kind.RENEWAL, "base")
    order = paid_order("r1", renewal, renewal)
    terms = [
        term_of(Renewal("r1", n, 1, None, 365, NOW.date()), (day, day), PRODUCT, "base", ZONE)
        for n, day in ((1, first), (2, first + timedelta(days=30)))
    ]
    order = renewals.with_terms(order, terms, None, NOW, ZONE)
    order = licensing.with_mail_of(order, owed.deliveries(order)[0], NOW)

    order = renewals.with_terms(order, [replace(terms[0], line=2)], None, NOW, ZONE)

    assert [delivery.lines for delivery in owed.deliveries(order)] == [(2,)]


def test_what_an_open_renewal_said_of_its_days_is_found_out_anew_when_its_payment_says_other_lines() -> None:
    line = Line(SKU, 1, Kind.RENEWAL, "base")
    opened = contents.with_payment(None, notice("r1", line, state=OPEN), NOW, "EUR")
    day = date(2026, 12, 10)
    term = term_of(Renewal("r1", 1, 1, None, 365), (day, day), PRODUCT, "base", ZONE)
    opened = renewals.with_terms(opened, [term], None, NOW, ZONE)

    assert contents.with_payment(opened, notice("r1", line), NOW, "EUR").terms == (term,)
    later = replace(line, period_start=date(2027, 1, 10))
    assert contents.with_payment(opened, notice("r1", later), NOW, "EUR").terms == ()


def test_the_reminders_still_to_come_move_with_the_last_day_of_their_line() -> None:
    line, day = Line(SKU, 1, Kind.RENEWAL, "base"), date(2027, 12, 10)
    term = term_of(Renewal("r1", 1, 1, None, 365, NOW.date()), (day, day), PRODUCT, "base", ZONE)
    order = replace(paid_order("r1", line), reminders=(Reminder(NOW, 1, 7), Reminder(NOW, 2, 7)))

    order = renewals.with_terms(order, [term], None, NOW, ZONE)

    assert [reminder.at.date() for reminder in order.reminders] == [date(2027, 12, 3), NOW.date()]


def test_an_order_of_which_a_part_was_refunded_is_noted_as_held_only_while_it_is_owed_something() -> None:
    purchase, renewal = Line(SKU, 1), Line(SKU, 1, Kind.RENEWAL, "base")
    told = {"state": None, "refunded": Refunded(NOW, "10.00")}
    for lines, what in (((purchase,), "payment_partly_refunded"), ((purchase, renewal), "on_hold")):
        order = with_codes(paid_order("1", *lines))

        order = contents.with_payment(order, notice("1", *lines, **told), NOW, "EUR")

        assert order.timeline[-1].code == what
