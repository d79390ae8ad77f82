from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core import contents, licensing, mailing, owed, renewals, support
from keypost.core.codes import StockCode
from keypost.core.errors import Refused
from keypost.core.mail import MailNotSent, MailSent, MailState, MailUnknown, Purpose, Refusal
from keypost.core.mailing import RETRY_ADDRESS, with_bad_address
from keypost.core.order import Gone, Order, Reason, Renewal, waiting_for
from keypost.core.payment import Dispute, DisputeState, FailedRefund, PaymentState, Refunded
from keypost.core.plan import (
    MAIL_UNKNOWNS,
    AssignCodes,
    DoubtMail,
    DropMails,
    GiveUpMail,
    SendMail,
    StartMail,
    TellRefunded,
    TellWaiting,
    WaitForProduct,
    agenda,
    attention,
    next_due,
    plan,
)
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import Said
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, licensed, notice, paid_order

PRODUCTS = {SKU: PRODUCT}
LATER = NOW + timedelta(days=1)
FULL = Refunded(NOW, full=True)


def purchase(*lines: int) -> owed.Delivery:
    return owed.Delivery(Purpose.PURCHASE, lines, NOW, NOW)


def settled(outcome: object) -> Order:
    return mailing.settle_mail(licensed(paid_order()), "purchase-1", 1, outcome, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("order", "step"),
    [
        (paid_order("1", Line(SKU, 2), Line(SKU, 3)), AssignCodes(((SKU, 5),), purchase(1, 2))),
        (paid_order("1", Line(SKU, 1), Line("GONE", 1)), WaitForProduct(("GONE",), (2,), purchase(1, 2))),
        (paid_order(state=PaymentState.OPEN), None),
        (paid_order(currency="USD"), None),
        (licensed(paid_order()), DoubtMail("purchase-1")),
        (settled(MailSent("m-1")), None),
        (settled(MailNotSent(Said("busy"))), SendMail("purchase-1")),
        (settled(MailNotSent(Said("bad address"), Refusal.FOR_EVER)), None),
        (settled(MailUnknown(Said("lost"))), SendMail("purchase-1")),
    ],
)
def test_the_next_step_a_day_later(order: Order, step: object) -> None:
    assert plan(order, PRODUCTS, LATER) == step


def test_nobody_else_sends_a_mail_while_its_lease_runs() -> None:
    order = licensed(paid_order())

    assert plan(order, PRODUCTS, NOW + mailing.MAIL_LEASE - timedelta(seconds=1)) is None
    assert plan(order, PRODUCTS, NOW + mailing.MAIL_LEASE) == DoubtMail("purchase-1")


def test_a_mail_of_unknown_outcome_is_left_alone_for_a_quarter_of_an_hour() -> None:
    order = settled(MailUnknown(Said("lost")))

    assert plan(order, PRODUCTS, NOW + timedelta(minutes=14, seconds=59)) is None
    assert plan(order, PRODUCTS, NOW + timedelta(minutes=15)) == SendMail("purchase-1")


def test_a_mail_that_was_refused_often_is_not_given_up_at_its_first_unknown_outcome() -> None:
    order = settled(MailNotSent(Said("paused")))
    for attempt in range(2, 10):
        order = mailing.claim_mail(order, "purchase-1", NOW)
        order = mailing.settle_mail(order, "purchase-1", attempt, MailNotSent(Said("paused")), NOW)
    assert attention(order) == (Reason.MAIL, NOW)
    order = mailing.claim_mail(order, "purchase-1", NOW)
    order = mailing.settle_mail(order, "purchase-1", 10, MailUnknown(Said("lost")), NOW)

    assert plan(order, PRODUCTS, LATER) == SendMail("purchase-1")


def test_after_five_attempts_of_unknown_outcome_a_person_is_asked() -> None:
    order = settled(MailUnknown(Said("lost")))
    for attempt in range(2, MAIL_UNKNOWNS + 1):
        order = mailing.claim_mail(order, "purchase-1", NOW)
        order = mailing.settle_mail(order, "purchase-1", attempt, MailUnknown(Said("lost")), NOW)

    assert plan(order, PRODUCTS, LATER) == GiveUpMail("purchase-1")
    assert attention(mailing.fail_mail(order, "purchase-1", Said("ask"), NOW)) == (Reason.MAIL, NOW)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (paid_order(), None),
        (paid_order(currency="USD"), Reason.HOLD),
        (paid_order(currency="USD", state=PaymentState.OPEN), None),
        (waiting_for(paid_order(), Reason.STOCK, Said("x"), NOW), Reason.STOCK),
        (waiting_for(paid_order(), Reason.PRODUCT, Said("x"), NOW), Reason.PRODUCT),
        (settled(MailNotSent(Said("bad address"), Refusal.FOR_EVER)), Reason.MAIL),
        (settled(MailSent("m-1")), None),
    ],
)
def test_an_order_that_cannot_go_on_by_itself_asks_for_attention(order: Order, why: Reason | None) -> None:
    assert attention(order) == (None if why is None else (why, NOW))


def _back(order: Order, **changes: Any) -> Order:
    return contents.with_payment(order, notice(order.id, *order.lines, state=None, **changes), NOW, "EUR")


def test_a_mail_in_doubt_whose_license_has_moved_since_is_dropped_and_asks_for_nobody() -> None:
    order = settled(MailUnknown(Said("x")))
    moved = replace(order, gone=(Gone(order.licenses[0].id, "moved", "HAND-1"),))

    assert plan(moved, PRODUCTS, LATER) == DropMails(("purchase-1",))
    assert attention(moved) is None


def test_a_notice_of_waiting_that_was_refused_asks_for_nobody_once_the_codes_are_there() -> None:
    order = mailing.owe_mail(paid_order(), Purpose.WAITING, NOW)
    refused = mailing.fail_mail(order, "waiting-1", Said("x"), NOW)

    assert attention(refused) is None
    assert attention(waiting_for(refused, Reason.STOCK, Said("x"), NOW)) == (Reason.STOCK, NOW)


def test_codes_to_block_ask_for_it_until_a_person_says_that_they_are_blocked() -> None:
    order = _back(settled(MailSent("m-1")), refunded=FULL)
    assert attention(order) == (Reason.BLOCK, NOW)

    order = support.blocked(order, "anna", NOW)

    assert attention(order) is None
    assert (order.timeline[-1].code, order.timeline[-1].who) == ("codes_blocked", "anna")
    assert support.blocked(order, "anna", NOW) is order


def test_who_pays_for_other_goods_stands_in_line_for_them_although_the_old_code_is_to_be_blocked() -> None:
    order = _back(settled(MailSent("m-1")), refunded=FULL)
    exchanged = contents.with_payment(order, notice(order.id, Line("OTHER", 1), payment_id="cs_2"), LATER, "EUR")
    assert attention(exchanged) == (Reason.BLOCK, NOW)

    waiting = waiting_for(exchanged, Reason.STOCK, Said("x"), LATER)

    assert attention(waiting) == (Reason.STOCK, NOW)


def test_who_waits_for_other_goods_is_told_so_although_the_first_ones_had_come() -> None:
    order = _back(settled(MailSent("m-1")), refunded=FULL)
    exchanged = contents.with_payment(order, notice(order.id, Line("OTHER", 1), payment_id="cs_2"), LATER, "EUR")
    waiting = waiting_for(exchanged, Reason.STOCK, Said("x"), LATER)

    assert TellWaiting(tuple(waiting.numbered)) in [entry.step for entry in agenda(waiting)]


def test_codes_that_leave_after_others_were_blocked_ask_for_it_again() -> None:
    one, other = paid_order("1", Line(SKU, 1)), paid_order("1", Line(SKU, 1), Line(SKU, 1))
    order = replace(licensed(one), lines=other.lines, payments=other.payments)
    order = replace(order, mails=(replace(order.mails[0], state=MailState.SENT, lines=(1,), may_have_left=True),))
    disputed = _back(order, disputes=(Dispute("dp_1", DisputeState.OPEN, NOW),))
    order = support.blocked(disputed, "anna", NOW)
    assert attention(order) == (Reason.HOLD, NOW)  # the mail of the other line is still to be sent

    second = replace(order.licenses[0], id="LIC-BBBBBBBBBB", line=2)
    order = replace(order, licenses=(*order.licenses, second))
    order = replace(order, mails=(*order.mails, replace(order.mails[0], id="purchase-2", lines=(2,))))

    assert attention(order) == (Reason.BLOCK, NOW)
    assert [one.id for one in owed.to_block(order)] == ["LIC-BBBBBBBBBB"]


def test_codes_that_were_blocked_are_to_be_unblocked_when_the_money_is_there_after_all() -> None:
    dispute = Dispute("dp_1", DisputeState.OPEN, NOW)
    order = support.blocked(_back(settled(MailSent("m-1")), disputes=(dispute,)), "anna", NOW)

    won = _back(order, disputes=(replace(dispute, state=DisputeState.WON, as_of=LATER),))
    lost = _back(won, disputes=(replace(dispute, id="dp_2", state=DisputeState.LOST),))

    assert won.timeline[-1].code == "codes_to_unblock"
    assert attention(lost) == (Reason.BLOCK, NOW)


@pytest.mark.parametrize("order", [paid_order(), settled(MailSent("m-1")), _back(paid_order(), refunded=FULL)])
def test_an_order_without_codes_to_block_says_so(order: Order) -> None:
    with pytest.raises(Refused, match="nothing_to_block"):
        support.blocked(order, "anna", NOW)


def waits(order: Order, since: datetime = NOW) -> Order:
    return waiting_for(order, Reason.STOCK, Said("short"), since)


def renewed(first_day: date) -> Order:
    order = paid_order("1", Line(SKU, 1, Kind.RENEWAL, "base"))
    term = term_of(Renewal("1", 1, 1, None, 365, NOW.date()), (first_day, first_day), PRODUCT, "base", ZONE)
    return renewals.with_terms(order, [term], None, NOW, ZONE)


def tells_waiting(order: Order, now: datetime) -> bool:
    """Whether the customer gets the notice, after Keypost has looked for codes in vain."""
    return isinstance(plan(order, PRODUCTS, now, [*order.numbered]), TellWaiting)


def test_who_waits_for_codes_for_an_hour_is_told_once_but_only_after_the_codes_were_looked_for() -> None:
    order = waits(paid_order())
    hour = NOW + timedelta(hours=1)
    told = mailing.owe_mail(order, Purpose.WAITING, hour, (1,))

    assert not tells_waiting(order, hour - timedelta(seconds=1))
    assert plan(order, PRODUCTS, hour) == AssignCodes(((SKU, 1),), purchase(1))
    assert plan(order, PRODUCTS, hour, [1]) == TellWaiting((1,))
    assert plan(told, PRODUCTS, hour, [1]) == SendMail("waiting-1")
    for outcome in (MailSent("m"), MailNotSent(Said("no"), Refusal.FOR_EVER)):
        done = mailing.settle_mail(mailing.claim_mail(told, "waiting-1", hour), "waiting-1", 1, outcome, hour)
        assert not tells_waiting(done, LATER)


def test_a_renewal_is_told_of_waiting_only_when_its_own_day_has_come() -> None:
    mail_day, before = renewed(NOW.date()), renewed((NOW + timedelta(days=20)).date())

    assert tells_waiting(waits(mail_day), LATER)
    assert not tells_waiting(waits(before), LATER)


def test_nobody_is_told_of_waiting_for_what_is_not_in_the_catalog_or_not_to_be_sent() -> None:
    for order in (paid_order("1", Line("GONE", 1)), paid_order(currency="USD"), paid_order(state=PaymentState.OPEN)):
        assert not tells_waiting(waits(order), LATER)


def test_who_has_the_codes_is_not_told_any_more_that_they_are_to_come() -> None:
    told = mailing.owe_mail(waits(paid_order()), Purpose.WAITING, NOW, (1,))
    refused = mailing.claim_mail(told, "waiting-1", NOW)
    refused = mailing.settle_mail(refused, "waiting-1", 1, MailNotSent(Said("busy")), NOW)
    served = mailing.settle_mail(licensed(refused), "purchase-1", 1, MailSent("m"), NOW)

    assert plan(refused, PRODUCTS, LATER, [1]) == SendMail("waiting-1")
    assert plan(served, PRODUCTS, LATER) == DropMails(("waiting-1",))
    dropped = mailing.drop_mails(served, ["waiting-1"], LATER)
    assert (plan(dropped, PRODUCTS, LATER), next_due(dropped)) == (None, None)
    assert attention(served) is None


def test_a_refund_is_told_whatever_becomes_of_the_order_and_its_pending_codes() -> None:
    back = notice("2026-001234", refunded=Refunded(NOW, "39.95"))
    refunded = contents.with_payment(settled(MailNotSent(Said("busy"))), back, NOW, "EUR")
    emptied = licensing.with_codes_returned(refunded, {license_.id for license_ in refunded.licenses}, NOW)
    told = mailing.owe_mail(emptied, Purpose.REFUNDED, LATER)

    assert plan(emptied, PRODUCTS, LATER) == TellRefunded()
    assert next_due(emptied) == NOW
    assert plan(told, PRODUCTS, LATER) == SendMail("refunded-1")
    assert next_due(told) == LATER
    assert licensing.with_codes_returned(told, (), NOW).mails == told.mails
    assert attention(told) is None


def test_a_refund_that_failed_before_it_was_told_is_not_told() -> None:
    back = notice("2026-001234", refunded=Refunded(NOW, "39.95"))
    failed = notice("2026-001234", failed_refunds=(FailedRefund("re_1", "39.95", NOW),))
    told = mailing.owe_mail(contents.with_payment(settled(MailSent("m")), back, NOW, "EUR"), Purpose.REFUNDED, NOW)

    paid_again = contents.with_payment(told, failed, NOW, "EUR")

    assert plan(told, PRODUCTS, LATER) == SendMail("refunded-1")
    assert plan(paid_again, PRODUCTS, LATER) == DropMails(("refunded-1",))
    dropped = mailing.drop_mails(paid_again, ["refunded-1"], LATER)
    assert plan(dropped, PRODUCTS, LATER) is None
    again = notice("2026-001234", refunded=Refunded(LATER, "39.95"))
    assert plan(contents.with_payment(dropped, again, LATER, "EUR"), PRODUCTS, LATER) == TellRefunded()
    assert next_due(dropped) is None


# What may happen to an order, in any sequence: facts that arrive, and the worker with each outcome of its calls.
def _other_payment(order: Order, now: datetime) -> Order:
    return contents.with_payment(order, notice(order.id, *order.lines, payment_id="cs_other"), now, "EUR")


def _failed_payment(order: Order, now: datetime) -> Order:
    return contents.with_payment(order, notice(order.id, payment_id="cs_failed", state=PaymentState.FAILED), now, "EUR")


def _worker(stock: int, outcome: object) -> Callable[[Order, datetime], Order]:
    def work(order: Order, now: datetime) -> Order:
        """One step as `advance` makes it. An outcome of None means that the worker died after it had called SES."""
        match plan(order, PRODUCTS, now):
            case AssignCodes(((sku, count),), _):
                if stock == 0:
                    return waiting_for(order, Reason.STOCK, Said("short"), now)
                taken = [StockCode(f"d{len(order.licenses) + n}", code(n), sku) for n in range(min(count, stock))]
                order = licensing.with_codes(order, taken, PRODUCTS, now, ZONE)
                if owed.missing(order):
                    return order
                mail_id = "purchase-1"
            case SendMail(mail_id):
                order = mailing.claim_mail(order, mail_id, now)
            case DoubtMail(mail_id):
                return mailing.doubt_mail(order, mail_id, now)
            case DropMails(mail_ids):
                return mailing.drop_mails(order, mail_ids, now)
            case GiveUpMail(mail_id):
                return mailing.fail_mail(order, mail_id, Said("ask"), now)
            case _:
                return order
        if outcome is None:
            return order
        return mailing.settle_mail(order, mail_id, order.mail(mail_id).attempts, outcome, now)  # type: ignore[arg-type]

    return work


_FATES = [
    MailSent("m"),
    MailNotSent(Said("busy")),
    MailNotSent(Said("bad"), Refusal.FOR_EVER),
    MailUnknown(Said("lost")),
    None,
]
happenings = st.one_of(
    st.sampled_from([_other_payment, _failed_payment]),
    st.builds(_worker, st.integers(0, 3), st.sampled_from(_FATES)),
)


@given(
    st.lists(st.tuples(happenings, st.integers(0, 7200)), max_size=40),
    st.integers(1, 4),
    st.sampled_from([PaymentState.PAID, PaymentState.OPEN]),
)
def test_whatever_happens_an_order_keeps_its_promises(
    story: list[tuple[Callable[[Order, datetime], Order], int]], quantity: int, state: PaymentState
) -> None:
    now, order = NOW, paid_order("1", Line(SKU, quantity), state=state)
    for happen, seconds in story:
        now += timedelta(seconds=seconds)
        before, order = order, happen(order, now)

        assert len(order.licenses) <= quantity
        assert order.licenses[: len(before.licenses)] == before.licenses
        assert bool(order.mails) <= (len(order.licenses) == quantity)
        assert order.is_paid or not order.licenses
        # The clock knows whenever there is something to do; only what waits for stock is tried on any poke.
        if plan(order, PRODUCTS, now) is None:
            due = next_due(order)
            assert due is None or due > now
        if order.is_paid and (owed.missing(order) or any(m.state is not MailState.SENT for m in order.mails)):
            assert next_due(order) or attention(order)

    if order.is_paid:
        for _ in range(4 + quantity):  # then all goes well, and it ends
            now = max(now, next_due(order) or now)
            order = _worker(4, MailSent("m"))(order, now)
        assert len(order.licenses) == quantity
        assert {mail.state for mail in order.mails} <= {MailState.SENT, MailState.FAILED}
        assert next_due(replace(order, waits=())) is None


def test_while_ses_takes_no_mail_codes_are_set_aside_and_nothing_is_sent() -> None:
    short = paid_order()
    ready = licensing.with_codes(
        short, [StockCode("d", code(1), SKU)], PRODUCTS, NOW, ZONE, owed.deliveries(short)[0], may_mail=False
    )

    assert isinstance(plan(short, PRODUCTS, NOW, mail_paused=True), AssignCodes)
    for order in (ready, settled(MailNotSent(Said("paused"))), settled(MailUnknown(Said("lost")))):
        assert plan(order, PRODUCTS, LATER, mail_paused=True) is None
        assert plan(order, PRODUCTS, LATER) is not None
        assert (next_due(order) or LATER) < LATER  # the schedules find it again


def test_an_order_with_a_bad_address_gets_its_codes_and_no_mail_until_that_is_looked_at_again() -> None:
    order = with_bad_address(paid_order(), "address_bounced", NOW, NOW)
    assert isinstance(plan(order, PRODUCTS, NOW), AssignCodes)
    assert next_due(order) == NOW

    taken = [StockCode("d", code(1), SKU)]
    order = licensing.with_codes(order, taken, PRODUCTS, NOW, ZONE, owed.deliveries(order)[0], may_mail=False)

    assert plan(order, PRODUCTS, NOW + RETRY_ADDRESS - timedelta(seconds=1)) is None
    assert isinstance(plan(order, PRODUCTS, NOW + RETRY_ADDRESS), StartMail)
    assert next_due(order) == NOW + RETRY_ADDRESS


def test_a_shortage_is_shown_before_a_bad_address_since_others_buy_codes_by_it() -> None:
    order = with_bad_address(paid_order(), "address_bounced", NOW, NOW)

    assert attention(waiting_for(order, Reason.STOCK, Said("x"), NOW)) == (Reason.STOCK, NOW)
