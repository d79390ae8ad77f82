"""Two workers at one order in one instant, and what must not happen twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from keypost.core import contents, mailing, owed, support
from keypost.core.mail import Asked, MailState, Purpose
from keypost.core.order import Order, Reason
from keypost.core.payment import Refunded
from keypost.table import Store
from keypost.use_cases.advance_order import Worker
from tests.builders import NOW, ZONE, Clock, code, loaded, notice, paid_order
from tests.faults import refuse

Stocked = Callable[[list[str]], None]
Sent = Callable[[str], list[str]]


def _sent(store: Store, worker: Worker, order_id: str) -> Order:
    store.save(paid_order(order_id))
    worker.advance(order_id)
    return loaded(store, order_id)


def _resend(order: Order) -> Order:
    return support.resend(order, Asked(NOW, "anna"), ZONE)[0]


def _refund(order: Order) -> Order:
    back = notice(order.id, refunded=Refunded(NOW, full=True))
    return mailing.owe_mail(contents.with_payment(order, back, NOW, "EUR"), Purpose.REFUNDED, NOW)


def _correct(order: Order) -> Order:
    return support.correct_address(order, "anna@klant.example", Asked(NOW, "anna"), ZONE)


def _remind(order: Order) -> Order:
    return mailing.owe_reminder(order, order.licenses, NOW)


@pytest.mark.parametrize("owe", [_resend, _refund, _correct, _remind])
def test_two_workers_at_one_order_in_one_second_send_each_of_its_mails_once(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack, owe: Callable[[Order], Order]
) -> None:
    order_id = f"twins{owe.__name__}"
    stocked([code(1)])
    store.save(owe(_sent(store, worker, order_id)))
    _meet_before_each_claim(store, local)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(worker.advance, [order_id, order_id]))

    assert len(sent(order_id)) == 2  # the purchase, and what was owed


def _meet_before_each_claim(store: Store, local: LocalStack) -> None:
    """Both workers have decided before one of them stores its claim, and the first one to store it is kept at SES until
    the other has stored its own, or was refused."""
    at_claim, at_ses = Barrier(2), Barrier(2)

    def meet(barrier: Barrier) -> None:
        try:
            barrier.wait(timeout=1)
        except BrokenBarrierError:  # the other one does not come
            return

    def claiming(params: dict[str, Any], **_: Any) -> None:
        if b'"sending"' in params["body"]:
            meet(at_claim)

    store._client.meta.events.register("before-call.dynamodb.PutItem", claiming)
    local.mailbox.before_send = lambda: meet(at_ses)


def test_a_mail_whose_record_meets_a_transaction_is_not_sent_again(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock
) -> None:
    stocked([code(1)])
    store.save(paid_order("settled"))
    asked = refuse(store._client, "PutItem", "TransactionConflictException")

    worker.advance("settled")
    clock.now += timedelta(hours=1)
    worker.advance("settled")

    assert len(asked) > 1
    assert len(sent("settled")) == 1
    assert loaded(store, "settled").mail("purchase-1").state is MailState.SENT


def test_a_list_of_the_mails_of_a_day_that_cannot_be_written_keeps_no_mail_back(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(replace(paid_order("unlisted"), created_at=NOW - timedelta(hours=2)))
    asked = refuse(store._client, "UpdateItem", "InternalServerError", times=99)

    worker.advance("unlisted")

    assert asked
    assert len(sent("unlisted")) == 1


def test_a_pause_that_cannot_be_stored_leaves_the_mail_settled(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack, clock: Clock
) -> None:
    def paused() -> None:
        raise SesFault(400, "SendingPausedException")

    stocked([code(1)])
    store.save(paid_order("unpaused"))
    local.mailbox.before_send = paused
    asked = refuse(store._client, "UpdateItem", "InternalServerError", times=99)

    worker.advance("unpaused")

    assert asked
    mail = loaded(store, "unpaused").mail("purchase-1")
    assert (mail.state, mail.may_have_left) == (MailState.PENDING, False)

    local.mailbox.before_send = lambda: None
    clock.now += timedelta(minutes=1)
    worker.advance("unpaused")

    assert len(sent("unpaused")) == 1


def test_an_order_that_is_paid_again_after_its_mail_failed_and_its_money_went_back_is_served(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack
) -> None:
    def refuse_it() -> None:
        raise SesFault(400, "BadRequestException")

    stocked([code(1)])
    local.mailbox.before_send = refuse_it
    store.save(paid_order("paid-again", payment_id="p1"))
    worker.advance("paid-again")
    local.mailbox.before_send = lambda: None
    back = notice("paid-again", payment_id="p1", refunded=Refunded(NOW, full=True))
    store.change("paid-again", lambda order: contents.with_payment(order, back, NOW, "EUR"))
    worker.advance("paid-again")
    assert loaded(store, "paid-again").licenses == ()

    store.change(
        "paid-again", lambda order: contents.with_payment(order, notice("paid-again", payment_id="p2"), NOW, "EUR")
    )
    worker.advance("paid-again")

    assert code(1) in sent("paid-again")[-1]
    assert [mail.state for mail in loaded(store, "paid-again").mails if mail.holds_codes] == [
        MailState.FAILED,
        MailState.SENT,
    ]
    assert list(store.needing(Reason.MAIL)) == []


def test_an_order_whose_mail_ses_rejected_and_whose_refund_failed_is_served() -> None:
    order = paid_order()
    mail = replace(mailing.new_mail(order, Purpose.PURCHASE, NOW), attempts=1, state=MailState.FAILED)
    order = replace(order, mails=(mail,))

    assert order.owed_lines == frozenset()
    assert [delivery.lines for delivery in owed.deliveries(order)] == [(1,)]


def test_a_notice_that_codes_are_still_to_come_is_dropped_once_they_are_there(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack, clock: Clock
) -> None:
    def too_many() -> None:
        raise SesFault(429, "TooManyRequestsException")

    store.save(paid_order("overtaken"))
    worker.advance("overtaken")
    local.mailbox.before_send = too_many
    clock.now += timedelta(hours=2)
    worker.advance("overtaken")
    assert loaded(store, "overtaken").mail("waiting-1").state is MailState.PENDING

    local.mailbox.before_send = lambda: None
    stocked([code(1)])
    worker.advance("overtaken")

    order = loaded(store, "overtaken")
    assert [(mail.id, mail.state) for mail in order.mails] == [
        ("waiting-1", MailState.DROPPED),
        ("purchase-1", MailState.SENT),
    ]
    assert len(sent("overtaken")) == 1


def test_the_doubt_about_a_mail_counts_from_its_attempt_and_not_from_the_moment_somebody_looked() -> None:
    order = mailing.owe_mail(paid_order(), Purpose.PURCHASE, NOW)
    claimed = mailing.claim_mail(order, "purchase-1", NOW)

    looked_at = mailing.doubt_mail(claimed, "purchase-1", NOW + timedelta(minutes=6))

    assert looked_at.mail("purchase-1").next_at == NOW + mailing.MAIL_DOUBT
