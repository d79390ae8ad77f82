"""What support may do with an order, and what it may not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from keypost.core import contents, licensing, mailing, plan, renewals, support
from keypost.core.codes import StockCode
from keypost.core.errors import NotFound, Refused, TooMany
from keypost.core.mail import Asked, Fate, MailNotSent, MailSent, MailState, MailUnknown, Purpose, Refusal, Told
from keypost.core.obstacles import is_servable
from keypost.core.order import BadCode, Order, Reason, Term, TimelineEntry, noted, waiting_for
from keypost.core.payment import Dispute, DisputeState, PaymentState, Refunded
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order

ASKED = Asked(NOW + timedelta(hours=1), "sanne", "she got nothing", "click-1")
SENT = MailSent("ses-1")


def at(minutes: float, key: str = "") -> Asked:
    return Asked(NOW + timedelta(hours=1, minutes=minutes), "sanne", key=key)


def sent_order(*lines: Line) -> Order:
    """An order of one or more codes, which were sent."""
    order = paid_order("2026-001234", *lines)
    wanted = [StockCode(str(n), code(n), SKU) for n in range(sum(line.quantity for line in order.lines))]
    order = licensing.with_codes(order, wanted, {SKU: PRODUCT}, NOW, ZONE)
    return mailing.settle_mail(order, order.mails[-1].id, 1, SENT, NOW)


def resent(order: Order, asked: Asked = ASKED) -> Order:
    return support.resend(order, asked, ZONE)[0]


def settled(order: Order) -> Order:
    """The order with its newest mail sent."""
    mail = order.mails[-1]
    order = mailing.claim_mail(order, mail.id, NOW)
    return mailing.settle_mail(order, mail.id, 1, SENT, NOW)


def test_a_resend_owes_a_mail_now_and_says_who_asked_and_why() -> None:
    order, mail = support.resend(sent_order(), ASKED, ZONE)

    assert (mail.id, mail.state, mail.asked) == ("resend-1", MailState.PENDING, replace(ASKED, why=""))
    assert plan.plan(order, [SKU], ASKED.at) == plan.SendMail("resend-1")
    assert order.timeline[-1] == TimelineEntry(ASKED.at, "resend_asked", who="sanne", words="she got nothing")


@pytest.mark.parametrize(
    ("first", "second"),
    [(at(0, "one"), at(50, "one")), (at(0), at(0.9)), (at(0, "one"), at(0.5))],
    ids=["the same key", "no key, within a minute", "no key, a minute after one with a key"],
)
def test_the_same_wish_twice_is_one_mail(first: Asked, second: Asked) -> None:
    once = resent(sent_order(), first)

    assert resent(once, second) is once


@pytest.mark.parametrize("key", ["", "ticket-1"])
def test_a_wish_after_the_address_was_corrected_is_another_one(key: str) -> None:
    once = settled(resent(sent_order(), at(0, key)))
    corrected = support.correct_address(once, NEW, at(0.5), ZONE)

    again = resent(corrected, at(0.9, key))

    assert [mail.purpose for mail in again.mails].count(Purpose.RESEND) == 2
    assert resent(again, at(0.95, key)) is again


def test_a_key_counts_for_a_day() -> None:
    once = settled(resent(sent_order(), at(0, "ticket-1")))

    assert resent(once, at(23 * 60, "ticket-1")) is once
    assert len(resent(once, at(25 * 60, "ticket-1")).mails) == 3


def test_a_mail_that_does_not_leave_says_why_it_is_not_sent_once_more() -> None:
    order = mailing.claim_mail(mailing.owe_mail(paid_order(), Purpose.PURCHASE, NOW), "purchase-1", NOW)
    order = mailing.settle_mail(order, "purchase-1", 1, MailNotSent(said("ses_refused", answer="AccessDenied")), NOW)

    why = said("mail_tried_again", mail="purchase-1", why=said("ses_refused", answer="AccessDenied"))
    assert support.why_no_resend(order, ZONE) == why


def test_the_mails_of_one_order_have_an_end_which_the_page_never_reaches() -> None:
    order, days = sent_order(), 2 * support.MOST_MAILS
    for day in range(days):
        order = settled(resent(order, replace(at(day * 24 * 60), who=support.CUSTOMER)))
    assert [mail.id for mail in order.mails] == [
        "purchase-1",
        *(f"resend-{n}" for n in range(days - support.KEPT_FROM_PAGE + 1, days + 1)),
    ]

    by_support = at(days * 24 * 60)
    while len(order.mails) < support.MOST_MAILS:
        order = settled(resent(order, by_support))
        by_support = replace(by_support, at=by_support.at + timedelta(days=1))

    for one_more in (resent, swapped):
        with pytest.raises(TooMany, match="too_many_mails"):
            one_more(order, asked=by_support)
    corrected = support.correct_address(order, NEW, by_support, ZONE)
    assert (corrected.customer.email, corrected.mails) == (NEW, order.mails)


def test_a_mail_of_the_page_that_no_later_one_repeats_stays_and_then_the_page_waits() -> None:
    order = sent_order()
    for day in range(support.KEPT_FROM_PAGE):
        order = settled(resent(order, replace(at(day * 24 * 60), who=support.CUSTOMER)))
    came_back = tuple(
        replace(mail, told=(Told(1, Fate.RETURNED, NOW),)) if mail.asked else mail for mail in order.mails
    )
    order = replace(order, mails=came_back)
    later = at(support.KEPT_FROM_PAGE * 24 * 60)

    with pytest.raises(TooMany, match="sent_again_from_page_too_often"):
        resent(order, replace(later, who=support.CUSTOMER))
    assert len(resent(order, later).mails) == len(order.mails) + 1


@pytest.mark.parametrize(("first", "second"), [(at(0, "one"), at(0.1, "two")), (at(0), at(1.1))])
def test_another_wish_is_another_mail(first: Asked, second: Asked) -> None:
    once = settled(resent(sent_order(), first))

    assert [mail.id for mail in resent(once, second).mails] == ["purchase-1", "resend-1", "resend-2"]


def test_three_times_a_day_is_the_most_and_the_next_day_is_another() -> None:
    order = sent_order()
    for n in range(support.RESENDS_PER_DAY):
        order = settled(resent(order, at(0, f"click-{n}")))

    with pytest.raises(TooMany, match="sent_again_too_often"):
        resent(order, at(9, "click-9"))
    late = datetime(2026, 11, 23, 23, 5, tzinfo=UTC)  # after midnight in Amsterdam
    assert len(resent(order, Asked(late, "sanne")).mails) == 1 + support.RESENDS_PER_DAY + 1


LOST = Dispute("dp_1", DisputeState.OPEN, NOW)
NOT_SENT_AGAIN = {
    "unpaid": (paid_order(state=PaymentState.OPEN), "unpaid"),
    "failed": (paid_order(state=PaymentState.FAILED), "payment_failed"),
    "refunded": (
        contents.with_payment(sent_order(), notice(refunded=Refunded(NOW, full=True)), NOW, "EUR"),
        "refunded",
    ),
    "disputed": (contents.with_payment(sent_order(), notice(disputes=(LOST,)), NOW, "EUR"), "disputed"),
    "on hold": (support.hold(sent_order(), "sanne", NOW), "held"),
    "problem": (paid_order(currency="problem"), "problem"),
    "canceled": (contents.canceled(sent_order(), NOW), "canceled"),
    "out of stock": (
        waiting_for(paid_order(), Reason.STOCK, Said(f"too few codes of {SKU}"), NOW),
        "mail_waits",
    ),
    "on its way": (
        licensing.with_codes(paid_order(), [StockCode("1", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE),
        "mail_is_being_sent",
    ),
    "in doubt": (
        mailing.settle_mail(
            licensing.with_codes(paid_order(), [StockCode("1", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE),
            "purchase-1",
            1,
            MailUnknown(Said("no answer")),
            NOW,
        ),
        "mail_is_being_sent",
    ),
    "of another": (replace(paid_order(), belongs_to="2026-000001"), "belongs_to"),
    "erased": (support.erase(sent_order(), ASKED, date(2033, 12, 31)), "erased"),
}


@pytest.mark.parametrize(("order", "why"), NOT_SENT_AGAIN.values(), ids=NOT_SENT_AGAIN)
def test_an_order_that_must_not_be_sent_again_is_refused_with_its_reason(order: Order, why: str) -> None:
    with pytest.raises(Refused, match=why):
        support.resend(order, ASKED, ZONE)


def test_a_renewal_whose_day_has_not_come_is_refused_with_its_day() -> None:
    line = Line(SKU, 1, Kind.RENEWAL, renews="2025-000001")
    mail_at = NOW + timedelta(days=30)
    term = Term(1, date(2026, 12, 30), date(2027, 12, 29), NOW, mail_at, mail_at)
    order = replace(paid_order("2026-001234", line), terms=(term,))

    with pytest.raises(Refused, match="mail_leaves_on"):
        support.resend(order, ASKED, ZONE)


def test_a_mail_that_failed_is_sent_again_and_then_nobody_need_look_at_it() -> None:
    order = licensing.with_codes(paid_order(), [StockCode("1", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    failed = mailing.settle_mail(order, "purchase-1", 1, MailNotSent(Said("refused"), Refusal.FOR_EVER), NOW)
    assert plan.attention(failed) == (Reason.MAIL, NOW)

    assert plan.attention(settled(resent(failed))) is None


def test_a_refund_before_it_leaves_keeps_a_resend_here() -> None:
    refunded = contents.with_payment(resent(sent_order()), notice(refunded=Refunded(NOW, full=True)), NOW, "EUR")

    assert plan.plan(refunded, [SKU], ASKED.at) == plan.TellRefunded()
    told = settled(mailing.owe_mail(refunded, Purpose.REFUNDED, NOW))
    assert plan.plan(told, [SKU], ASKED.at) is None


NEW = "anna@klant.example"


def test_a_corrected_address_is_written_to_and_the_old_one_is_told_even_if_the_order_is_not_served() -> None:
    for order in (sent_order(), support.hold(sent_order(), "sanne", NOW), paid_order(state=PaymentState.OPEN)):
        changed = support.correct_address(order, NEW, ASKED, ZONE)

        assert changed.customer.email == NEW
        (notice_,) = [mail for mail in changed.mails if mail.purpose == "address_changed"]
        assert (notice_.to, notice_.holds_codes) == (order.customer.email, False)
        assert plan.plan(changed, [SKU], ASKED.at) == plan.SendMail(notice_.id)
        assert plan.next_due(changed) == ASKED.at


def test_the_same_address_again_changes_nothing() -> None:
    once = support.correct_address(sent_order(), NEW, ASKED, ZONE)

    assert support.correct_address(once, NEW, at(9), ZONE) is once


def test_an_order_without_an_address_goes_on_when_it_gets_one_and_nobody_is_told() -> None:
    changed = support.correct_address(paid_order(email=None), NEW, ASKED, ZONE)

    assert (changed.hold.problem, is_servable(changed), changed.mails) == (None, True, ())


def test_no_address_stands_in_the_timeline() -> None:
    changed = support.correct_address(sent_order(), NEW, ASKED, ZONE)

    assert "@" in repr(changed)
    assert "@" not in repr(changed.timeline)


@pytest.mark.parametrize("brought", ["facturen@klant.example", None])
def test_a_payment_that_brings_the_wrong_address_again_does_not_undo_a_correction(brought: str | None) -> None:
    order = paid_order(state=PaymentState.OPEN, email=brought)

    paid = contents.with_payment(support.correct_address(order, NEW, ASKED, ZONE), notice(email=brought), NOW, "EUR")

    assert (paid.customer.email, paid.hold.problem) == (NEW, None)


@pytest.mark.parametrize("brought", ["facturen@klant.example", None])
def test_a_later_renewal_with_the_wrong_address_goes_to_the_right_one(brought: str | None) -> None:
    base = support.correct_address(sent_order(), NEW, ASKED, ZONE)
    renewal = paid_order("2027-000001", Line(SKU, 1, Kind.RENEWAL, renews=base.id), email=brought)
    term = Term(1, date(2027, 11, 23), date(2028, 11, 21), NOW, NOW, NOW, base.id)

    assert renewals.with_terms(renewal, [term], base, NOW, ZONE).customer.email == NEW


def test_an_address_corrected_twice_leads_to_the_last_one() -> None:
    order = support.correct_address(
        support.correct_address(sent_order(), "b@klant.example", ASKED, ZONE), NEW, at(1), ZONE
    )

    assert order.customer.corrected == {"facturen@klant.example": NEW, "b@klant.example": NEW}
    back = support.correct_address(order, "facturen@klant.example", at(2), ZONE)
    assert back.customer.corrected.get("facturen@klant.example") is None


OTHER_CODE = StockCode("other", code(99), SKU)


def swapped(order: Order, asked: Asked = ASKED) -> Order:
    return support.with_other_code(order, order.licenses[0].id, OTHER_CODE, "already used", asked)


def test_a_swapped_code_keeps_its_license_and_period_and_is_mailed_alone() -> None:
    order = sent_order(Line(SKU, 2))
    after = swapped(order)

    assert [license_.code for license_ in after.licenses] == [code(99), code(1)]
    assert replace(after.licenses[0], code=code(0)) == order.licenses[0]
    (bad,) = after.bad_codes
    wordless = replace(ASKED, why="")  # what was written is kept with the code
    assert bad == BadCode(order.licenses[0].id, code(0), SKU, "already used", wordless)
    assert (after.mails[-1].id, after.mails[-1].licenses) == ("replacement-1", (order.licenses[0].id,))
    assert plan.plan(after, [SKU], ASKED.at) == plan.SendMail("replacement-1")


def test_the_same_swap_asked_twice_is_known() -> None:
    after = swapped(sent_order())

    assert support.swapped(after, after.licenses[0].id, ASKED)
    assert not support.swapped(after, after.licenses[0].id, at(5, "click-2"))


def test_a_code_that_has_not_left_is_swapped_without_a_mail_of_its_own() -> None:
    waiting = replace(sent_order(), mails=())

    assert swapped(waiting).mails == ()


@pytest.mark.parametrize("name", ["refunded", "on hold", "on its way"])
def test_no_code_is_swapped_where_none_may_leave(name: str) -> None:
    order, why = NOT_SENT_AGAIN[name]

    assert order.licenses
    found = support.why_no_swap(order, order.licenses[0], NOW.date())
    assert found
    assert found.code == why


def test_a_license_that_has_ended_gets_no_other_code() -> None:
    order = sent_order()
    last_day = order.licenses[0].last_day

    assert support.why_no_swap(order, order.licenses[0], last_day) is None
    told = support.why_no_swap(order, order.licenses[0], last_day + timedelta(days=1))
    assert told == said("license_ended", last_day=last_day)


def test_a_license_for_which_something_else_was_paid_gets_no_other_code() -> None:
    """It took a code from the stock that nobody paid for."""
    order = sent_order()
    exchanged = replace(order, lines=(replace(order.lines[0], id=2),), last_line=2)

    assert support.why_no_swap(order, order.licenses[0], NOW.date()) is None
    assert support.why_no_swap(exchanged, exchanged.licenses[0], NOW.date()) == said("license_exchanged")


def test_codes_swapped_before_a_replacement_is_tried_go_with_it_and_later_ones_do_not() -> None:
    first, second, third = sent_order(Line(SKU, 3)).licenses
    order = swapped(sent_order(Line(SKU, 3)))
    order = support.with_other_code(order, second.id, StockCode("c", code(98), SKU), "invalid", ASKED)
    assert [mail.licenses for mail in order.mails[1:]] == [(first.id, second.id)]

    order = mailing.claim_mail(order, "replacement-1", NOW)
    order = mailing.settle_mail(order, "replacement-1", 1, MailUnknown(Said("no answer")), NOW)
    order = mailing.claim_mail(order, "replacement-1", NOW)
    order = mailing.settle_mail(order, "replacement-1", 2, MailNotSent(Said("busy")), NOW)
    order = support.with_other_code(order, third.id, StockCode("d", code(97), SKU), "invalid", ASKED)

    assert [mail.licenses for mail in order.mails[1:]] == [(first.id, second.id), (third.id,)]


def test_a_license_of_another_order_is_not_found() -> None:
    with pytest.raises(NotFound, match="no_such_license"):
        support.with_other_code(sent_order(), "LIC-AAAAAAAAAA", OTHER_CODE, "invalid", ASKED)


UNTIL = date(2033, 12, 31)


def test_nothing_of_an_erased_order_tells_who_its_customer_was() -> None:
    order = resent(support.correct_address(sent_order(), NEW, ASKED, ZONE), at(3))
    order = noted(settled(order), NOW, "held", who="sanne", words="Anna called about it")

    erased = support.erase(swapped(order), ASKED, UNTIL)

    for personal in ("klant.example", "Anna", "she got nothing"):
        assert [personal in repr(each) for each in (order, erased)] == [True, False]


def test_codes_and_addresses_of_one_order_are_not_changed_for_ever() -> None:
    order = sent_order(Line(SKU, 1))
    bad = BadCode(order.licenses[0].id, code(3), SKU, "invalid", ASKED)
    with pytest.raises(TooMany, match="swapped_too_often"):
        swapped(replace(order, bad_codes=(bad,) * support.MOST_SWAPS))
    many = {f"{n}@klant.example": "facturen@klant.example" for n in range(support.MOST_CORRECTIONS)}
    with pytest.raises(TooMany, match="corrected_too_often"):
        support.correct_address(replace(order, customer=replace(order.customer, corrected=many)), NEW, ASKED, ZONE)


def test_the_facts_for_the_tax_office_stay() -> None:
    order = sent_order()
    erased = support.erase(order, ASKED, UNTIL)

    payments = tuple(replace(payment, buyers=()) for payment in order.payments)
    assert (erased.lines, erased.payments, erased.licenses) == (order.lines, payments, order.licenses)
    assert erased.forget_on == UNTIL


def test_what_an_erased_customer_was_still_to_get_is_not_sent_and_its_codes_are_free_again() -> None:
    kept = replace(sent_order(), mails=())

    erased = support.erase(kept, ASKED, UNTIL)

    assert plan.plan(erased, [SKU], ASKED.at) == plan.ReturnCodes(kept.licenses)
    after = licensing.with_codes_returned(erased, {license_.id for license_ in kept.licenses}, NOW)
    assert plan.plan(after, [SKU], ASKED.at) is None
    assert plan.attention(after) == (Reason.HOLD, NOW)  # it was paid, so a person must refund it


def test_a_callback_after_that_brings_nothing_personal_back() -> None:
    erased = support.erase(paid_order(state=PaymentState.OPEN), ASKED, UNTIL)

    paid = contents.with_payment(erased, notice(), NOW, "EUR")

    assert (paid.customer.email, paid.customer.name) == (None, None)
    assert plan.plan(paid, [SKU], ASKED.at) is None


def test_erasing_twice_is_erasing_once() -> None:
    once = support.erase(sent_order(), ASKED, UNTIL)

    assert support.erase(once, at(9), date(2040, 1, 1)) is once


@pytest.mark.parametrize(("years", "until"), [(7, date(2033, 12, 31)), (10, date(2036, 12, 31))])
def test_the_legal_term_counts_from_the_end_of_the_year_of_the_order(years: int, until: date) -> None:
    assert support.forget_on(NOW, years, ZONE) == until


def test_the_year_of_an_order_is_that_of_the_shops_time_zone() -> None:
    new_years_eve = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert support.forget_on(new_years_eve, 7, ZONE) == date(2034, 12, 31)


def test_what_the_customer_asks_for_leaves_support_its_own_three_times() -> None:
    order = sent_order()
    for n in range(support.RESENDS_PER_DAY):
        order = settled(resent(order, replace(at(0, f"wish-{n}"), who=support.CUSTOMER)))

    with pytest.raises(TooMany):
        resent(order, replace(at(0, "wish-9"), who=support.CUSTOMER))
    for n in range(support.RESENDS_PER_DAY):
        order = settled(resent(order, at(0, f"click-{n}")))
    with pytest.raises(TooMany):
        resent(order, at(0, "click-9"))
