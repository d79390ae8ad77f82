"""Every state of an order needs nothing, or names a next action that works and ends it: all that can stand in its way,
and all that it can need a person for, alone and in pairs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import pytest

from keypost.core import contents, mailing, renewal_decisions, support
from keypost.core.mail import Asked, MailNotSent, MailSent, Purpose, Refusal
from keypost.core.obstacles import ACTIONS, OBSTACLES, obstacle
from keypost.core.order import OF_A_DELIVERY, Order, Reason, Subscription, waiting_for
from keypost.core.payment import Dispute, DisputeState, OrderCanceled, PaymentState, Refunded
from keypost.core.plan import attention
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.core.self_service import with_concern
from keypost.core.wish import Ask
from keypost.words import LANGUAGES, TABLES
from tests.builders import NOW, SKU, licensed, notice, paid_order
from tests.ways_on import DEEDS, states_of, walked

ORDER = "2026-001234"
ASKED = Asked(NOW, "anna")
LATER = NOW + timedelta(hours=1)
State = Callable[[Order], Order]


def told(**news: object) -> State:
    return lambda order: contents.with_payment(order, notice(ORDER, *order.lines, **news), LATER, "EUR")


def waits(reason: Reason, what: Said) -> State:
    def wait(order: Order) -> Order:
        lines = tuple(order.numbered) if reason in OF_A_DELIVERY else ()
        return waiting_for(order, reason, what, LATER, lines=lines)

    return wait


def refused_mail(purpose: Purpose, refusal: Refusal, times: int = 1) -> State:
    def refuse(order: Order) -> Order:
        if not order.licenses:
            return order  # there is nothing to send
        order = mailing.owe_mail(order, purpose, LATER, tuple(order.numbered))
        mail_id = order.mails[-1].id
        for attempt in range(1, times + 1):
            order = mailing.claim_mail(order, mail_id, LATER)
            order = mailing.settle_mail(order, mail_id, attempt, MailNotSent(Said("ses_refused"), refusal), LATER)
        return order

    return refuse


def erased(order: Order) -> Order:
    return support.erase(order, ASKED, date(2034, 12, 31))


# What can befall an order that was paid. An erased one hears of nobody, so its customer is erased last.
STATES: dict[str, State] = {
    "refunded": told(state=None, refunded=Refunded(LATER, full=True)),
    "partly_refunded": told(state=None, refunded=Refunded(LATER, "1.00")),
    "disputed": told(state=None, disputes=(Dispute("dp_1", DisputeState.OPEN, LATER),)),
    "canceled_after_payment": lambda order: contents.canceled(order, LATER, OrderCanceled(ORDER, LATER, LATER)),
    "canceled": lambda order: contents.canceled(order, LATER),
    "contents": told(payment_id="cs_other", lines=(Line("OTHER", 1),)),
    "customers_differ": told(payment_id="cs_theirs", email="piet@klant.example"),
    "money_back_unmatched": told(payment_id="re_9", state=None, refunded=Refunded(LATER, full=True)),
    "paid_twice": told(payment_id="cs_again"),
    "same_order": lambda order: replace(order, hold=replace(order.hold, same_as="2026-000001")),
    "held": lambda order: support.hold(order, "anna", LATER),
    "stock": waits(Reason.STOCK, said("too_few_codes", skus=[SKU])),
    "product": waits(Reason.PRODUCT, said("not_in_catalog", skus=[SKU])),
    "renews": waits(Reason.RENEWS, said("end_unknown")),
    "other_customer": waits(Reason.OTHER_CUSTOMER, said("other_customers", order="2025-1")),
    "unusual_start": waits(Reason.UNUSUAL_START, said("start_unknown")),
    "address": waits(Reason.ADDRESS, said("address_bounced")),
    "failed mail": refused_mail(Purpose.RESEND, Refusal.FOR_EVER),
    "mail in vain": refused_mail(Purpose.RESEND, Refusal.FOR_NOW, times=5),
    "failed reminder": refused_mail(Purpose.REMINDER, Refusal.FOR_EVER),
    "nothing came": lambda order: with_concern(order, Ask.NOTHING_CAME, LATER),
    "charged again": lambda order: erased(replace(order, subscription=Subscription(is_charged=True))),
    "erased": erased,
}
LAST = ("charged again", "erased")


def served(*lines: Line) -> Order:
    return mailing.settle_mail(licensed(paid_order(ORDER, *lines)), "purchase-1", 1, MailSent("ses-1"), NOW)


BASES: dict[str, Order] = {
    "unsent": paid_order(),
    "sent": served(Line(SKU, 1)),
    "three sent": served(Line(SKU, 3)),
    "in another currency": paid_order(currency="USD"),
    "of nobody": paid_order(email=None),
    "for nothing": replace(paid_order(problem=said("credit_note")), lines=()),
}


IN_PAIRS = ("unsent", "three sent")


def made(base: str, *names: str) -> Order:
    order = BASES[base]
    for name in sorted(names, key=LAST.__contains__):
        order = STATES[name](order)
    return order


ALONE = [(name,) for name in STATES]
PAIRS = [*ALONE, *combinations(STATES, 2)]


@pytest.mark.parametrize("base", BASES)
def test_what_is_named_as_next_action_works_and_ends_what_it_was_named_for(base: str) -> None:
    walks = [walked(made(base, *names)) for names in (PAIRS if base in IN_PAIRS else ALONE)]

    assert all(len(taken) <= 8 for taken in walks)
    assert sum(map(bool, walks)) > 10


def test_the_walk_passes_all_that_can_stand_in_the_way_and_all_that_a_person_can_be_needed_for() -> None:
    passed = {state for base in BASES for names in ALONE for state in states_of(made(base, *names))}

    of_others = {"unpaid", "payment_failed", "belongs_to", "from_before", "withdrawn", Reason.UNPAID, Reason.STOPPED}
    assert passed | of_others >= {*OBSTACLES, *Reason}


def test_an_action_that_changes_nothing_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEEDS, "release", lambda order: order)

    with pytest.raises(AssertionError, match="held"):
        walked(made("unsent", "held"))


def test_an_unpaid_renewal_whose_day_has_come_is_paid_or_closed() -> None:
    order = waiting_for(paid_order(state=PaymentState.OPEN), Reason.UNPAID, said("period_unpaid"), NOW)

    assert walked(order) == ["ask_to_pay"]


def test_a_paid_renewal_that_a_person_stopped_is_refunded() -> None:
    order = renewal_decisions.stop(paid_order(ORDER, Line(SKU, 1, Kind.RENEWAL, "2025-1")), 1, ASKED)

    assert walked(order) == ["refund_stopped"]


def test_every_action_is_done_here_and_has_its_words() -> None:
    named = {each.action for each in OBSTACLES.values()} | set(ACTIONS.values())

    assert named - {"buy_again", "see_other_order", "nothing"} <= set(DEEDS)  # of these nobody is told by a worklist
    assert all(code in TABLES[language].TEXTS for code in {*named, *DEEDS} for language in LANGUAGES)


def test_an_order_whose_goods_are_not_known_is_settled_before_it_is_released() -> None:
    order = made("for nothing", "canceled")

    assert obstacle(order) == Said("canceled")
    assert walked(order)[0] == "settle_contents"


def test_what_has_another_order_or_was_paid_before_the_start_is_in_no_worklist() -> None:
    assert attention(replace(paid_order(), belongs_to="2026-000001")) is None
    before = contents.with_payment(None, notice(), NOW, "EUR", NOW + timedelta(days=1))
    assert attention(before) is None
