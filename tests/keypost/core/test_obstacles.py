"""Why an order is not served is said in one place: whoever asks gets the same reason."""

import ast
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import keypost.core
from keypost.core import by_hand, daily_note, licensing, mailing, support
from keypost.core.by_hand import Sale
from keypost.core.codes import StockCode
from keypost.core.contents import with_fact, with_payment
from keypost.core.errors import Refused
from keypost.core.mail import Asked, MailSent
from keypost.core.obstacles import OBSTACLES, action, actions, is_servable, obstacle, obstacles
from keypost.core.order import Beside, Customer, Hold, Order, Reason, waiting_for
from keypost.core.payment import Dispute, DisputeState, OrderCanceled, PaymentNotice, PaymentState, Refunded, Standing
from keypost.core.plan import attention, plan
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.core.story import story
from keypost.core.upcoming import coming
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order

MONEY: dict[Standing, Any] = {
    Standing.OPEN: {"state": PaymentState.OPEN},
    Standing.FAILED: {"state": PaymentState.FAILED},
    Standing.REFUNDED: {"refunded": Refunded(NOW, full=True)},
    Standing.DISPUTED: {"disputes": (Dispute("dp_1", DisputeState.OPEN, NOW),)},
    Standing.PARTLY_REFUNDED: {"refunded": Refunded(NOW, "1.00")},
    Standing.PAID: {},
}
FLAGS: list[Any] = list(product(MONEY, [None, "other"], *[[False, True]] * 5))


def made(standing: Standing, belongs_to: str | None, *flags: bool) -> Order:
    problem, held, released, canceled, erased = flags
    return replace(
        paid_order(**MONEY[standing]),
        hold=Hold(Said("credit_note") if problem else None, held, released),
        belongs_to=belongs_to,
        canceled=canceled,
        forget_on=date(2033, 12, 31) if erased else None,
    )


ORDERS = [made(*flags) for flags in FLAGS]


def sent(order: Order) -> Order:
    """The same one, after its license was sent."""
    served = licensing.with_codes(paid_order(), [StockCode("d", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    served = mailing.settle_mail(served, "purchase-1", 1, MailSent("m"), NOW)
    return replace(order, licenses=served.licenses, mails=served.mails)


def test_an_order_is_served_exactly_when_nothing_stands_in_its_way() -> None:
    assert [is_servable(order) for order in ORDERS] == [not obstacles(order) for order in ORDERS]
    assert {standing for (standing, *_), order in zip(FLAGS, ORDERS, strict=True) if is_servable(order)} == {
        Standing.PAID,
        Standing.PARTLY_REFUNDED,
    }


def test_refusal_outlook_story_and_note_give_one_reason_in_every_combination() -> None:
    for order in ORDERS:
        first = obstacle(order)
        if first is None:
            continue
        told = story(order, NOW, ZONE, Beside())
        reasons = [
            *(_refusals(sent(order)) if obstacles(sent(order)) else ()),
            told.why_no_resend,
            told.obstacles[0],
            *(each.why_not for each in coming(order)),
            *(step.why_not for step in told.to_come),
        ]
        if attention(order) and attention(order)[0] is Reason.HOLD:  # type: ignore[index]
            reasons += [daily_note.why(order, Reason.HOLD), told.needs and told.needs.why]
        assert set(reasons) == {first}


def _refusals(order: Order) -> list[Said | None]:
    """Why a served order is not sent again, and gets no other code."""
    with pytest.raises(Refused) as refused:
        support.resend(order, Asked(NOW, "anna"), ZONE)
    return [refused.value.said.values["why"], support.why_no_swap(order, order.licenses[0], NOW.date())]


def test_what_stands_in_the_way_keeps_everything_but_notices_here() -> None:
    for order in ORDERS:
        if not is_servable(order):
            step = plan(order, [SKU], NOW)
            assert step is None or type(step).__name__ in ("TellRefunded", "GiveUpTerms")


def test_the_first_obstacle_is_the_one_that_has_to_go_first() -> None:
    order = made(Standing.DISPUTED, None, True, True, False, True, False)

    assert [each.code for each in obstacles(order)] == ["disputed", "canceled", "problem", "held"]
    assert obstacles(order)[2] == Said("problem", {"why": Said("credit_note")})
    assert action(order, Reason.HOLD) == Said("await_dispute")


def test_every_obstacle_can_stand_and_has_an_action() -> None:
    before = replace(paid_order(), hold=Hold(from_before=True))
    other = replace(notice(), payment_id="cs_other", lines=(Line("OTHER", 1),))
    differing = with_payment(paid_order(), other, NOW, "EUR")
    unknown = PaymentNotice("webhook", "re_9", None, NOW, "2026-001234", refunded=Refunded(NOW, full=True))
    twin = replace(paid_order(), hold=Hold(same_as="2026-000001"))
    given = by_hand.made(
        "HAND-1", Sale(Customer(email="a@klant.example"), (Line(SKU, 1),), "test"), Asked(NOW, "anna"), "EUR"
    )
    withdrawn = by_hand.withdrawn(given, Asked(NOW, "anna"), "EUR")
    canceled = with_fact(paid_order(), OrderCanceled("2026-001234", NOW, NOW), NOW, "EUR")
    orders = [*ORDERS, before, differing, twin, withdrawn, canceled, with_payment(paid_order(), unknown, NOW, "EUR")]

    assert {each.code for order in orders for each in obstacles(order)} == set(OBSTACLES)
    assert all(each.action for each in OBSTACLES.values())


def test_no_other_module_of_the_core_says_why_an_order_is_not_served() -> None:
    found = {}
    for path in Path(keypost.core.__file__).parent.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        said = [c.args[0].value for c in calls if c.args and isinstance(c.args[0], ast.Constant) and _is_said(c)]
        found[path.stem] = {code for code in said if code in OBSTACLES}

    assert {name for name, codes in found.items() if codes} <= {"obstacles"}


def _is_said(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("said", "Said")


@pytest.mark.parametrize(
    ("why", "codes"),
    [
        ("address_bounced", ["correct_address"]),
        ("address_complained", ["correct_address", "lift_complaint"]),
        ("reminder_complained", ["correct_address", "lift_complaint"]),
    ],
)
def test_an_address_that_reported_spam_can_be_corrected_or_written_to_again(why: str, codes: list[str]) -> None:
    order = waiting_for(paid_order(), Reason.ADDRESS, said(why), NOW)

    assert [each.code for each in actions(order, Reason.ADDRESS)] == codes
