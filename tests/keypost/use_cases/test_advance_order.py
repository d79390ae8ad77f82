"""The worker on the emulator's DynamoDB, SQS and SES, with a clock that the test sets, and with every kind of fault."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import botocore.httpsession
import pytest

from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import tag_value
from keypost.core.contents import canceled, with_payment
from keypost.core.errors import Conflict
from keypost.core.mail import Asked, Fate, MailState
from keypost.core.order import Order, Reason, Reminder
from keypost.core.payment import Dispute, DisputeState, FailedRefund, PaymentState, Refunded
from keypost.core.plan import attention, next_due
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.core.support import correct_address, resend
from keypost.table import Store
from keypost.use_cases.advance_order import Worker
from tests.builders import NOW, PRODUCT, SKU, ZONE, Clock, code, loaded, notice, paid_order, product
from tests.faults import overtake, watch
from tests.in_process import DYNAMODB

LOST = DisputeState.LOST
PLUS = replace(PRODUCT, sku="PLUS-1Y")
Stocked = Callable[[list[str]], None]
Sent = Callable[[str], list[str]]


def fail_once(error: SesFault) -> Callable[[], None]:
    faults = [error]

    def fail() -> None:
        if faults:
            raise faults.pop()

    return fail


def test_a_paid_order_gets_its_code_by_mail_and_the_code_is_gone_from_stock(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(paid_order("paid-1"))

    worker.advance("paid-1")

    order = loaded(store, "paid-1")
    assert [license_.code for license_ in order.licenses] == [code(1)]
    assert [mail.state for mail in order.mails] == [MailState.SENT]
    assert store.pick(SKU, 1, NOW.date()) == []
    (text,) = sent("paid-1")
    assert code(1) in text


def test_a_worker_who_is_poked_again_and_again_does_nothing_more(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1), code(2)])
    store.save(paid_order("again"))

    for _ in range(5):
        worker.advance("again")

    assert len(sent("again")) == 1
    assert len(store.pick(SKU, 9, NOW.date())) == 1


@pytest.mark.parametrize("changes", [{"state": PaymentState.OPEN}, {"state": PaymentState.FAILED}, {"currency": "USD"}])
def test_no_code_leaves_for_an_order_that_is_not_paid_or_is_held(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, changes: dict[str, Any]
) -> None:
    stocked([code(1)])
    store.save(paid_order("unserved", **changes))

    worker.advance("unserved")

    assert loaded(store, "unserved").licenses == ()
    assert sent("unserved") == []


def test_an_order_waits_for_stock_visibly_and_is_served_when_codes_arrive(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(paid_order("waits", Line(SKU, 2)))

    worker.advance("waits")

    order = loaded(store, "waits")
    assert order.waiting is not None
    assert (order.waiting.reason, order.waiting.why) == (Reason.STOCK, said("too_few_codes", skus=[SKU]))
    assert NOW < order.waiting.retry_at <= NOW + timedelta(days=1.5)
    assert order.licenses == ()  # it keeps no code from others while it waits
    assert list(store.needing(Reason.STOCK)) == [["waits"]]

    stocked([code(2)])
    worker.advance("waits")

    assert {license_.code for license_ in loaded(store, "waits").licenses} == {code(1), code(2)}
    assert len(sent("waits")) == 1
    assert list(store.needing(Reason.STOCK)) == []


# vendure #119, wc-serial-numbers #292 and #79, shopware-esd #26: the delivery is the order, not the product.
def test_a_product_that_is_short_keeps_back_its_own_lines_only(
    worker: Worker, store: Store, clock: Clock, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.put_product(PLUS)
    store.save(paid_order("short", Line(SKU, 1), Line(PLUS.sku, 2)))

    for _ in range(30):  # the safety net
        worker.advance("short")
        clock.now += timedelta(minutes=15)

    (text,) = sent("short")  # which says what follows, so that no second mail does
    assert code(1) in text
    assert "niet in deze e-mail: 2 \N{MULTIPLICATION SIGN} Kaspersky Standard" in " ".join(text.split())
    order = loaded(store, "short")
    assert [(each.reason, each.lines, each.why) for each in order.waits] == [
        (Reason.STOCK, (2,), said("too_few_codes", skus=[PLUS.sku]))
    ]

    list(store.add_codes(PLUS.sku, [code(2), code(3)], None, None))
    worker.advance("short")

    (_, text) = sent("short")
    assert code(2) in text
    assert code(3) in text
    assert code(1) not in text
    assert "niet in deze e-mail" not in text
    assert loaded(store, "short").waits == ()


def test_each_of_two_short_products_is_sent_when_its_own_codes_arrive(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    store.put_product(PLUS)
    store.save(paid_order("both-short", Line(SKU, 1), Line(PLUS.sku, 1), Line(SKU, 1)))
    worker.advance("both-short")
    assert [each.lines for each in loaded(store, "both-short").waits] == [(1, 3), (2,)]

    list(store.add_codes(PLUS.sku, [code(1)], None, None))
    worker.advance("both-short")
    stocked([code(2), code(3)])
    worker.advance("both-short")

    assert [[code(n) in text for n in (1, 2, 3)] for text in sent("both-short")] == [
        [True, False, False],
        [False, True, True],
    ]


def test_a_product_that_is_not_in_the_catalog_keeps_back_its_own_lines_only(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(paid_order("typo", Line("TYPO-SKU", 1), Line(SKU, 1)))

    worker.advance("typo")

    assert [code(1) in text for text in sent("typo")] == [True]
    assert [(each.reason, each.lines) for each in loaded(store, "typo").waits] == [(Reason.PRODUCT, (1,))]


def test_a_short_product_costs_one_write_more_than_the_order_would_anyway(
    worker: Worker, store: Store, stocked: Stocked
) -> None:
    stocked([code(1)])
    store.put_product(PLUS)
    store.save(paid_order("short-cheap", Line(SKU, 1), Line(PLUS.sku, 1)))
    worker.advance("short-cheap")
    written = loaded(store, "short-cheap").version
    assert written == 3  # it was stored; with its code, its mail and its wait; and with what SES said

    for _ in range(5):
        worker.advance("short-cheap")

    assert loaded(store, "short-cheap").version == written


def test_who_waits_for_codes_is_told_once_after_an_hour_and_gets_them_in_one_mail_afterwards(
    worker: Worker, store: Store, clock: Clock, stocked: Stocked, sent: Sent
) -> None:
    store.save(paid_order("told", Line(SKU, 2)))

    for _ in range(30):  # the safety net
        worker.advance("told")
        clock.now += timedelta(minutes=15)

    (text,) = sent("told")
    assert "Wij bestellen ze voor u" in text
    (mail,) = loaded(store, "told").mails
    assert mail.sent_at == NOW + timedelta(hours=1)

    stocked([code(1), code(2)])
    worker.advance("told")

    assert len(sent("told")) == 2
    assert code(1) in sent("told")[1]


def test_who_gets_the_money_back_is_told_so_once_with_no_code_in_it(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(paid_order("back"))
    worker.advance("back")
    for _ in range(2):
        tell(store, "back", refunded=Refunded(NOW, full=True))
        worker.advance("back")

    first, text = sent("back")
    assert "terugbetaald" in text
    assert "wij laten hem blokkeren" in text
    assert code(1) in first
    assert code(1) not in text


def test_an_order_of_a_product_that_is_not_sold_yet_is_served_when_it_is(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    store.save(paid_order("new-sku", Line("COMING-SOON", 1)))
    worker.advance("new-sku")
    assert list(store.needing(Reason.PRODUCT)) == [["new-sku"]]

    store.put_product(product("COMING-SOON"))
    list(store.add_codes("COMING-SOON", [code(7)], None, None))
    worker.advance("new-sku")

    assert code(7) in sent("new-sku")[0]


@pytest.mark.parametrize(
    "quantities", [(1,), (99,), (100,), (90, 55, 5), pytest.param((600, 350, 50), marks=pytest.mark.drill)]
)
def test_an_order_of_1_to_1000_codes_is_assigned_completely_and_mailed_once(
    worker: Worker, store: Store, sent: Sent, quantities: tuple[int, ...]
) -> None:
    order_id = f"many-{sum(quantities)}"
    lines = [Line(f"SKU-{n}", quantity) for n, quantity in enumerate(quantities)]
    for number, line in enumerate(lines):
        store.put_product(product(line.sku))
        new = [code(n, prefix=f"{number:05d}") for n in range(line.quantity + 3)]
        list(store.add_codes(line.sku, new, None, None))
    store.save(paid_order(order_id, *lines))

    worker.advance(order_id)

    order = loaded(store, order_id)
    assert len({license_.code for license_ in order.licenses}) == sum(quantities)
    (text,) = sent(order_id)
    assert all(license_.code in text for license_ in order.licenses)
    assert all(len(store.pick(line.sku, 9, NOW.date())) == 3 for line in lines)


def test_two_workers_on_one_order_give_it_one_code_and_one_mail(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(n) for n in range(10)])
    store.save(paid_order("two-workers"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: worker.advance("two-workers"), range(4)))

    assert len(loaded(store, "two-workers").licenses) == 1
    assert len(sent("two-workers")) == 1
    assert len(store.pick(SKU, 99, NOW.date())) == 9


# Workers, orders and codes: many where another DynamoDB than the emulator is tried, which writes one by one anyway.
_CROWD = (64, 500, 450) if DYNAMODB else (8, 50, 40)


def test_a_crowd_at_too_few_codes_gives_each_code_once_and_who_waits_gets_those_that_arrive(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    workers, orders, codes = _CROWD
    names = [f"crowd-{number:03d}" for number in range(orders)]
    stocked([code(n) for n in range(codes)])
    for name in names:
        store.save(paid_order(name))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(partial(_advance_until_done, worker), names))

    crowd = _served(worker, store, names, codes)
    assert sorted(x.code for order in crowd for x in order.licenses) == [code(n) for n in range(codes)]
    assert len([order for order in crowd if order.waiting]) == orders - codes

    stocked([code(n) for n in range(codes, orders)])
    for order in crowd:
        worker.advance(order.id)

    crowd = _served(worker, store, names, orders)
    assert sorted(x.code for order in crowd for x in order.licenses) == [code(n) for n in range(orders)]
    assert all(len(sent(order.id)) == 1 for order in crowd)


def _served(worker: Worker, store: Store, names: list[str], count: int) -> list[Order]:
    """The orders. The index of a real table lags, so that there those that wait are tried again, but not for ever,
    until so many have a code."""
    for _ in range(20 if DYNAMODB else 0):
        waiting = [order.id for order in (loaded(store, name) for name in names) if order.waiting]
        if len(names) - len(waiting) >= count:
            break
        for order_id in waiting:
            worker.advance(order_id)
    return [loaded(store, name) for name in names]


def _advance_until_done(worker: Worker, order_id: str) -> None:
    """As the queue does, which delivers again what failed, at most five times."""
    for _ in range(4):
        with suppress(Conflict):
            worker.advance(order_id)
            return
    worker.advance(order_id)


def test_a_mail_that_ses_refuses_once_leaves_at_the_next_try_with_the_same_code(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1), code(2)])
    store.save(paid_order("refused"))
    local.mailbox.before_send = fail_once(SesFault(429, "TooManyRequestsException"))

    worker.advance("refused")
    assert sent("refused") == []
    mail = loaded(store, "refused").mail("purchase-1")
    assert (mail.state, mail.problem) == (
        MailState.PENDING,
        said("ses_refused", answer="TooManyRequestsException"),
    )

    worker.advance("refused")  # too early
    assert sent("refused") == []

    clock.now += timedelta(seconds=30)
    worker.advance("refused")
    assert len(sent("refused")) == 1
    assert len(loaded(store, "refused").licenses) == 1


@pytest.mark.parametrize("lost", [SesFault(), SesFault(500, "InternalFailure")])
def test_a_mail_whose_answer_was_lost_is_sent_again_after_a_quarter_of_an_hour_with_the_same_code(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack, lost: SesFault
) -> None:
    order_id = f"lost-{lost.status}"
    stocked([code(1), code(2)])
    store.save(paid_order(order_id))
    local.mailbox.after_send = fail_once(lost)

    worker.advance(order_id)
    assert loaded(store, order_id).mail("purchase-1").state is MailState.UNKNOWN
    clock.now += timedelta(minutes=14)
    worker.advance(order_id)
    assert len(sent(order_id)) == 1

    clock.now += timedelta(minutes=1)
    worker.advance(order_id)

    first, second = sent(order_id)
    assert first == second
    assert loaded(store, order_id).mail("purchase-1").state is MailState.SENT


def test_a_mail_that_ses_would_refuse_for_ever_is_shown_to_a_person(
    worker: Worker, store: Store, stocked: Stocked, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    store.save(paid_order("bad-mail"))
    local.mailbox.before_send = fail_once(SesFault(400, "BadRequestException"))

    worker.advance("bad-mail")
    clock.now += timedelta(days=1)
    worker.advance("bad-mail")

    assert loaded(store, "bad-mail").mail("purchase-1").state is MailState.FAILED
    assert list(store.needing(Reason.MAIL)) == [["bad-mail"]]


def test_a_mail_of_which_five_answers_were_lost_is_shown_to_a_person_and_not_sent_again(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    def lose() -> None:
        raise SesFault

    stocked([code(1)])
    store.save(paid_order("always-lost"))
    local.mailbox.after_send = lose

    for _ in range(8):
        worker.advance("always-lost")
        clock.now += timedelta(minutes=16)

    assert len(sent("always-lost")) == 5
    assert loaded(store, "always-lost").mail("purchase-1").state is MailState.FAILED
    assert list(store.needing(Reason.MAIL)) == [["always-lost"]]


def test_a_mail_whose_product_changed_so_that_its_code_no_longer_fits_is_shown_to_a_person(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    held_back(worker, store, local, "changed")
    store.put_product(replace(PRODUCT, code_pattern="[0-9]{4}"))

    clock.now += timedelta(days=1)
    worker.advance("changed")

    assert sent("changed") == []
    assert loaded(store, "changed").mail("purchase-1").state is MailState.FAILED


def test_a_worker_that_always_meets_others_gives_its_message_back(
    worker: Worker, store: Store, stocked: Stocked
) -> None:
    stocked([code(1)])
    store.save(paid_order("busy"))
    overtake(store._client, times=1000)

    with pytest.raises(Conflict, match="order_busy"):
        worker.advance("busy")


def test_a_code_that_is_none_of_its_product_is_neither_mailed_nor_taken(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked(["NOT-A-CODE-OF-KASPERSKY"])
    store.save(paid_order("bad-code"))

    worker.advance("bad-code")

    assert sent("bad-code") == []
    assert loaded(store, "bad-code").licenses == ()
    assert list(store.needing(Reason.PRODUCT)) == [["bad-code"]]


def test_a_code_must_be_good_on_the_day_it_is_in_the_shop(worker: Worker, store: Store, clock: Clock) -> None:
    list(store.add_codes(SKU, [code(1)], None, date(2026, 11, 23)))
    clock.now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # half past midnight in Amsterdam
    store.save(paid_order("too-late"))

    worker.advance("too-late")

    assert loaded(store, "too-late").licenses == ()


def delayed(stack: Stack, local: LocalStack) -> int:
    """The number of pokes in the queue whose delay has not ended."""
    attributes = local.session.client("sqs").get_queue_attributes(QueueUrl=stack.queue.url, AttributeNames=["All"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"])


@pytest.mark.parametrize("fault", [SesFault(429, "TooManyRequestsException"), SesFault()])
def test_a_mail_that_did_not_arrive_for_sure_pokes_its_order_for_the_next_try(
    worker: Worker, stack: Stack, stocked: Stocked, local: LocalStack, clock: Clock, fault: SesFault
) -> None:
    stocked([code(1)])
    stack.store.save(paid_order("poked"))
    local.mailbox.after_send = fail_once(fault)

    worker.advance("poked")
    worker.advance("poked")  # does nothing, so no order is poked

    assert delayed(stack, local) == 1


def test_an_attempt_whose_worker_died_pokes_its_order_for_the_end_of_the_doubt(
    worker: Worker, stack: Stack, stocked: Stocked, local: LocalStack, clock: Clock
) -> None:
    stocked([code(1)])
    stack.store.save(paid_order("died"))
    with dying(7, after=True), suppress(WorkerDied):
        worker.advance("died")
    assert loaded(stack.store, "died").mail("purchase-1").state is MailState.SENDING

    clock.now += timedelta(minutes=6)
    worker.advance("died")

    assert delayed(stack, local) == 1


def held_back(worker: Worker, store: Store, local: LocalStack, order_id: str) -> None:
    """An order whose code is assigned and whose mail SES refused, so that nothing was sent."""
    store.save(paid_order(order_id))
    local.mailbox.before_send = fail_once(SesFault(429, "TooManyRequestsException"))
    worker.advance(order_id)
    assert len(loaded(store, order_id).licenses) == 1


def tell(store: Store, order_id: str, **changes: Any) -> None:
    """A callback about the order's payment."""
    told = notice(order_id, state=None, **changes)
    store.change(order_id, lambda order: with_payment(order, told, NOW, "EUR"))


def test_a_refund_before_the_mail_left_stops_it_and_the_code_can_be_sold_again(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    held_back(worker, store, local, "refunded-early")
    tell(store, "refunded-early", refunded=Refunded(NOW, full=True))

    clock.now += timedelta(days=1)
    worker.advance("refunded-early")

    order = loaded(store, "refunded-early")
    assert order.licenses == ()
    assert "codes_returned" in [entry.code for entry in order.timeline]
    (text,) = sent("refunded-early")
    assert "geen activatiecode verstuurd" in text
    assert [free.code for free in store.pick(SKU, 9, NOW.date())] == [code(1)]
    assert list(store.due(clock.now)) == [[f"CODES#{SKU}"]]  # which whoever waits for codes is to hear of

    store.save(paid_order("next-customer"))
    worker.advance("next-customer")
    assert code(1) in sent("next-customer")[0]


def test_a_refund_that_fails_after_all_gets_the_customer_a_code(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    held_back(worker, store, local, "refund-failed")
    tell(store, "refund-failed", refunded=Refunded(NOW, "39.95"))
    worker.advance("refund-failed")

    tell(store, "refund-failed", failed_refunds=(FailedRefund("re_1", "39.95", NOW),))
    worker.advance("refund-failed")

    assert code(1) in sent("refund-failed")[-1]
    assert [license_.code for license_ in loaded(store, "refund-failed").licenses] == [code(1)]


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.drill)])  # 49 fit into a transaction
def test_a_refund_of_many_codes_that_never_left_returns_them_all(
    worker: Worker, store: Store, stocked: Stocked, local: LocalStack, count: int
) -> None:
    stocked([code(n) for n in range(count)])
    store.save(paid_order("refunded-many", Line(SKU, count)))
    local.mailbox.before_send = fail_once(SesFault(429, "TooManyRequestsException"))
    worker.advance("refunded-many")
    assert store.pick(SKU, 1, NOW.date()) == []

    tell(store, "refunded-many", refunded=Refunded(NOW, full=True))
    worker.advance("refunded-many")

    assert len(store.pick(SKU, 1000, NOW.date())) == count
    assert loaded(store, "refunded-many").licenses == ()


@pytest.mark.parametrize("money", [{"refunded": Refunded(NOW, full=True)}, {"disputes": (Dispute("d", LOST, NOW),)}])
def test_a_code_that_left_never_returns_to_stock_and_support_sees_that_it_is_to_be_blocked(
    worker: Worker, store: Store, stocked: Stocked, money: dict[str, Any]
) -> None:
    stocked([code(1)])
    store.save(paid_order("refunded-late"))
    worker.advance("refunded-late")

    tell(store, "refunded-late", **money)
    worker.advance("refunded-late")

    order = loaded(store, "refunded-late")
    assert len(order.licenses) == 1
    assert "codes_to_block" in [entry.code for entry in order.timeline]
    assert list(store.needing(Reason.BLOCK)) == [["refunded-late"]]
    assert store.pick(SKU, 1, NOW.date()) == []


def test_a_code_that_may_have_left_is_treated_as_one_that_did(
    worker: Worker, store: Store, stocked: Stocked, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    store.save(paid_order("lost-answer"))
    local.mailbox.after_send = fail_once(SesFault())
    worker.advance("lost-answer")

    tell(store, "lost-answer", refunded=Refunded(NOW, full=True))
    clock.now += timedelta(days=1)
    worker.advance("lost-answer")

    assert len(loaded(store, "lost-answer").licenses) == 1
    assert store.pick(SKU, 1, NOW.date()) == []


def test_a_dispute_holds_the_mail_and_one_that_is_won_lets_it_go(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, local: LocalStack
) -> None:
    stocked([code(1)])
    held_back(worker, store, local, "disputed")
    tell(store, "disputed", disputes=(Dispute("dp_1", DisputeState.OPEN, NOW),))
    clock.now += timedelta(days=1)
    worker.advance("disputed")
    assert sent("disputed") == []
    assert len(loaded(store, "disputed").licenses) == 1

    tell(store, "disputed", disputes=(Dispute("dp_1", DisputeState.WON, NOW),))
    worker.advance("disputed")
    assert len(sent("disputed")) == 1
    assert list(store.needing(Reason.BLOCK)) == []


def test_a_partial_refund_before_the_mail_left_holds_the_order_for_a_person(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(paid_order("partly"))
    tell(store, "partly", refunded=Refunded(NOW, "10.00"))

    worker.advance("partly")

    assert sent("partly") == []
    assert list(store.needing(Reason.HOLD)) == [["partly"]]


def test_a_partial_refund_after_the_mail_left_changes_nothing_but_the_timeline(
    worker: Worker, store: Store, stocked: Stocked
) -> None:
    stocked([code(1)])
    store.save(paid_order("partly-late"))
    worker.advance("partly-late")
    tell(store, "partly-late", refunded=Refunded(NOW, "10.00"))

    worker.advance("partly-late")

    order = loaded(store, "partly-late")
    assert len(order.licenses) == 1
    assert order.timeline[-1].code == "payment_partly_refunded"


def test_an_order_paid_twice_gets_one_license_and_asks_for_a_refund_until_one_is_refunded(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1), code(2)])
    store.save(paid_order("twice"))
    second = notice("twice", payment_id="cs_second")
    store.change("twice", lambda order: with_payment(order, second, NOW, "EUR"))
    worker.advance("twice")
    assert len(loaded(store, "twice").licenses) == 1
    assert list(store.needing(Reason.PAID_TWICE)) == [["twice"]]

    tell(store, "twice", payment_id="cs_second", refunded=Refunded(NOW, full=True))
    worker.advance("twice")

    assert len(sent("twice")) == 1
    assert list(store.needing(Reason.PAID_TWICE)) == []
    assert list(store.needing(Reason.BLOCK)) == []


def test_a_canceled_order_is_not_sent_even_when_it_was_paid(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    stocked([code(1)])
    store.save(canceled(paid_order("canceled"), NOW))

    worker.advance("canceled")

    assert sent("canceled") == []
    assert list(store.needing(Reason.HOLD)) == [["canceled"]]


class WorkerDied(BaseException):
    """The death of a process. It is no Exception, so the worker cannot catch it."""


@contextmanager
def dying(at_call: int, *, after: bool) -> Iterator[list[int]]:
    """Let the process die at its n-th call of AWS, before the call is made or after it took effect."""
    calls = [0]
    real = botocore.httpsession.URLLib3Session.send

    def send(self: Any, request: Any) -> Any:
        calls[0] += 1
        if calls[0] == at_call and not after:
            raise WorkerDied
        answer = real(self, request)
        if calls[0] == at_call:
            raise WorkerDied
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.httpsession.URLLib3Session, "send", send)
        yield calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_any_call_leaves_an_order_that_ends_as_if_it_had_not(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, clock: Clock, after: bool
) -> None:
    stocked([code(n) for n in range(60)])
    at_call, duplicates = 0, []
    while True:
        at_call += 1
        order_id = f"dies-{'after' if after else 'before'}-{at_call:02d}"
        store.save(paid_order(order_id, at=clock.now))
        with dying(at_call, after=after) as calls:
            with suppress(WorkerDied):
                worker.advance(order_id)
            if calls[0] < at_call:
                break  # it finished before its n-th call

        for _ in range(3):  # SQS delivers the message again; later the schedules find the order
            clock.now += timedelta(minutes=16)
            assert order_id in {found for page in store.due(clock.now) for found in page} or _is_done(store, order_id)
            worker.advance(order_id)

        assert _is_done(store, order_id)
        texts = sent(order_id)
        assert 1 <= len(texts) <= 2
        assert len(set(texts)) == 1, "a repeated mail holds the same code"
        if len(texts) == 2:
            duplicates.append(at_call)

    assert at_call > 5
    # SES accepted the mail, and the worker died before it stored that: the only case in which a mail is sent twice.
    assert len(duplicates) == 1


def _is_done(store: Store, order_id: str) -> bool:
    order = loaded(store, order_id)
    return len(order.licenses) == 1 and [mail.state for mail in order.mails] == [MailState.SENT]


def test_a_poke_for_an_order_that_does_not_exist_is_harmless(worker: Worker) -> None:
    worker.advance("nobody")


def test_a_notice_again_after_delivery_does_not_move_the_order(worker: Worker, store: Store, stocked: Stocked) -> None:
    stocked([code(1), code(2)])
    store.save(paid_order("redelivered"))
    worker.advance("redelivered")
    before = loaded(store, "redelivered")

    store.change("redelivered", lambda order: with_payment(order, notice("redelivered"), NOW, "EUR"))
    worker.advance("redelivered")

    assert loaded(store, "redelivered") == before


PAUSED = SesFault(400, "SendingPausedException")


def refuse(fault: SesFault) -> Callable[[], None]:
    def fail() -> None:
        raise fault

    return fail


def test_while_ses_takes_no_mail_of_the_account_one_order_asks_and_the_others_wait_with_their_codes(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack, clock: Clock, logged: io.StringIO
) -> None:
    order_ids = [f"paused-{n}" for n in range(4)]
    stocked([code(n) for n in range(4)])
    local.mailbox.before_send = refuse(PAUSED)

    for order_id in order_ids:
        store.save(paid_order(order_id))
        worker.advance(order_id)
    for _ in range(3):  # the safety net
        clock.now += timedelta(seconds=70)
        for order_id in order_ids:
            worker.advance(order_id)

    attempts = [sum(mail.attempts for mail in loaded(store, order_id).mails) for order_id in order_ids]
    assert attempts == [1, 0, 0, 0]
    assert [len(loaded(store, order_id).licenses) for order_id in order_ids] == [1, 1, 1, 1]
    assert list(store.needing(Reason.MAIL)) == []  # one alarm reports it
    assert logged.getvalue().count('"message":"MailPaused"') == 1
    assert set(order_ids) <= {found for page in store.due(clock.now) for found in page}

    local.mailbox.before_send = lambda: None
    clock.now += timedelta(minutes=15)
    for order_id in order_ids:
        worker.advance(order_id)

    assert [len(sent(order_id)) for order_id in order_ids] == [1, 1, 1, 1]


@pytest.mark.parametrize("tried", [1, 0], ids=["tried", "not tried, as another was"])
def test_codes_that_ran_out_while_ses_took_no_mail_are_exchanged_before_they_leave(
    worker: Worker, store: Store, sent: Sent, local: LocalStack, clock: Clock, tried: int
) -> None:
    list(store.add_codes(SKU, [code(1)], None, clock.now.date()))
    list(store.add_codes(SKU, [code(2)], None, None))
    local.mailbox.before_send = refuse(PAUSED)
    if not tried:
        store.pause_mail(clock.now + timedelta(minutes=1))
    store.save(paid_order("kept"))
    worker.advance("kept")
    kept = loaded(store, "kept")
    assert ([one.code for one in kept.licenses], [mail.attempts for mail in kept.mails]) == ([code(1)], [1] * tried)

    local.mailbox.before_send = lambda: None
    clock.now += timedelta(days=1)
    worker.advance("kept")

    (text,) = sent("kept")
    assert code(2) in text
    assert code(1) not in text
    assert [one.code for one in loaded(store, "kept").licenses] == [code(2)]


def test_codes_that_ran_out_before_an_agent_sends_a_refused_mail_again_are_exchanged(
    worker: Worker, store: Store, sent: Sent, local: LocalStack, clock: Clock
) -> None:
    list(store.add_codes(SKU, [code(1)], None, clock.now.date()))
    list(store.add_codes(SKU, [code(2)], None, None))
    local.mailbox.before_send = refuse(SesFault(400, "BadRequestException"))
    store.save(paid_order("refused"))
    worker.advance("refused")
    local.mailbox.before_send = lambda: None
    clock.now += timedelta(days=1)

    store.change("refused", lambda order: resend(order or paid_order(), Asked(clock.now, "anna"), ZONE)[0])
    worker.advance("refused")

    (text,) = sent("refused")
    assert code(2) in text
    assert code(1) not in text


def test_mails_that_were_too_many_are_tried_again_at_different_moments_and_none_is_lost(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, local: LocalStack, clock: Clock
) -> None:
    order_ids = [f"throttled-{n:02}" for n in range(20)]
    stocked([code(n) for n in range(20)])
    local.mailbox.before_send = refuse(SesFault(429, "TooManyRequestsException"))
    for order_id in order_ids:
        store.save(paid_order(order_id))
        worker.advance(order_id)
    retries = {loaded(store, order_id).mails[0].next_at for order_id in order_ids}
    local.mailbox.before_send = lambda: None

    clock.now += timedelta(minutes=16)  # so that an answer that a busy machine gave too late is doubted no more
    for order_id in order_ids:
        worker.advance(order_id)

    assert [len(sent(order_id)) for order_id in order_ids] == [1] * 20
    assert len(retries) >= 5


@pytest.fixture
def bad_address(store: Store) -> None:
    store.put_bad_address("Facturen@klant.example", Fate.BOUNCED, NOW - timedelta(days=1))


def test_a_purchase_to_an_address_that_takes_no_mail_is_shown_and_not_sent(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, bad_address: None
) -> None:
    stocked([code(1)])
    store.save(paid_order("bad-address"))

    worker.advance("bad-address")
    worker.advance("bad-address")

    order = loaded(store, "bad-address")
    assert (len(order.licenses), order.mails) == (1, ())
    assert attention(order) == (Reason.ADDRESS, NOW - timedelta(days=1))
    assert sent("bad-address") == []


def test_an_address_that_takes_mail_again_is_found_out_by_itself(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, bad_address: None, clock: Clock
) -> None:
    stocked([code(1)])
    store.save(paid_order("address-mended"))
    worker.advance("address-mended")
    store.lift_bad_address("facturen@klant.example", NOW)

    clock.now += timedelta(hours=12)  # the poke was lost
    assert "address-mended" in {found for page in store.due(clock.now) for found in page}
    worker.advance("address-mended")

    assert len(sent("address-mended")) == 1
    assert attention(loaded(store, "address-mended")) is None


def test_a_correction_lets_the_mail_go_at_once(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, bad_address: None
) -> None:
    stocked([code(1)])
    store.save(paid_order("corrected"))
    worker.advance("corrected")

    asked = Asked(NOW, "anna")
    store.change("corrected", lambda order: correct_address(order or paid_order(), "anna@klant.example", asked, ZONE))
    worker.advance("corrected")

    assert len(sent("corrected")) == 1
    assert [mail.purpose for mail in loaded(store, "corrected").mails] == ["purchase"]  # no notice to the old one


def test_one_who_looks_again_and_finds_the_address_as_bad_waits_on(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent, bad_address: None, clock: Clock
) -> None:
    stocked([code(1)])
    store.save(paid_order("still-bad"))
    for _ in range(3):
        worker.advance("still-bad")
        clock.now += timedelta(hours=12)

    order = loaded(store, "still-bad")
    assert sent("still-bad") == []
    assert [entry.code for entry in order.timeline].count("waits_address") == 1


def refund_it(store: Store, order_id: str) -> None:
    tell(store, order_id, refunded=Refunded(NOW, full=True))


def remind_of_it(store: Store, order_id: str) -> None:
    store.change(order_id, lambda order: replace(order or paid_order(), reminders=(Reminder(NOW, 1, 7),)))


def send_it_again(store: Store, order_id: str) -> None:
    store.change(order_id, lambda order: resend(order or paid_order(), Asked(NOW, "anna"), ZONE)[0])


def write_elsewhere(store: Store, order_id: str) -> None:
    new = "elsewhere@klant.example"
    store.change(order_id, lambda order: correct_address(order or paid_order(), new, Asked(NOW, "anna"), ZONE))


@pytest.mark.parametrize("why", [Fate.BOUNCED, Fate.COMPLAINED])
@pytest.mark.parametrize(
    ("purpose", "happens"),
    [
        ("refunded", refund_it),
        ("reminder", remind_of_it),
        ("resend", send_it_again),
        ("address_changed", write_elsewhere),
    ],
)
def test_what_follows_a_purchase_is_kept_from_an_address_that_another_order_found_bad(
    worker: Worker,
    store: Store,
    stocked: Stocked,
    local: LocalStack,
    clock: Clock,
    purpose: str,
    happens: Callable[[Store, str], None],
    why: Fate,
) -> None:
    stocked([code(1), code(2)])
    order_ids = {name: f"{name}-{purpose}-{why}" for name in ("good", "bad")}
    for name, order_id in order_ids.items():
        store.save(paid_order(order_id, email=f"{name}@klant.example"))
        worker.advance(order_id)
    store.put_bad_address("bad@klant.example", why, NOW)

    for order_id in order_ids.values():
        happens(store, order_id)
        worker.advance(order_id)
    clock.now += timedelta(hours=13)  # the wait is tried again by then
    for order_id in order_ids.values():
        worker.advance(order_id)

    left = [
        (mail.tags["order"], mail.to) for mail in local.mailbox.mails if mail.tags["mail"] == tag_value(f"{purpose}-1")
    ]
    assert left.count((tag_value(order_ids["good"]), ("good@klant.example",))) == 1
    assert tag_value(order_ids["bad"]) not in [order_tag for order_tag, _ in left]


def test_that_codes_are_to_come_is_not_told_to_a_bad_address(
    worker: Worker, store: Store, sent: Sent, bad_address: None, clock: Clock
) -> None:
    store.save(paid_order("bad-waiting"))

    for _ in range(60):  # the safety net
        worker.advance("bad-waiting")
        clock.now += timedelta(minutes=15)

    assert sent("bad-waiting") == []
    assert loaded(store, "bad-waiting").waits_for(Reason.STOCK)


def test_a_notice_that_nobody_can_get_asks_for_nobody(
    worker: Worker, store: Store, stocked: Stocked, bad_address: None
) -> None:
    stocked([code(1)])
    store.save(paid_order("old-is-bad", email="anna@klant.example"))
    worker.advance("old-is-bad")
    store.put_bad_address("anna@klant.example", Fate.BOUNCED, NOW)

    write_elsewhere(store, "old-is-bad")
    worker.advance("old-is-bad")

    order = loaded(store, "old-is-bad")
    assert (order.mails[-1].state, order.mails[-1].problem) == (MailState.FAILED, Said("address_takes_no_mail"))
    assert (attention(order), next_due(order)) == (None, None)


def test_while_there_are_many_codes_it_is_asked_once_in_a_minute_who_waits_for_them(
    worker: Worker, store: Store, stocked: Stocked, sent: Sent
) -> None:
    seconds = [0.0]
    own = Store(store._client, store.table, seconds=lambda: seconds[0])
    asked = watch(store._client, "Query")

    def sell(order_id: str) -> list[str]:
        """The indexes that were asked."""
        before = len(asked)
        store.save(paid_order(order_id))
        replace(worker, store=own).advance(order_id)
        assert len(sent(order_id)) == 1
        return [parameters["IndexName"] for _, parameters in asked[before:]]

    stocked([code(n) for n in range(102)])
    assert [sell("1"), sell("2")] == [["stock", "attention"], []]
    seconds[0] = 60.0
    assert sell("3") == ["stock", "attention"]
    seconds[0] = 120.0
    assert [sell("4"), sell("5")] == [["stock", "attention"]] * 2  # fewer than a hundred are left
