from dataclasses import replace
from datetime import date, timedelta

import pytest

from keypost.core import contents, licensing, mailing, owed, renewals, support
from keypost.core.codes import StockCode
from keypost.core.mail import MAIL_ATTEMPTS, Fate, MailNotSent, Purpose
from keypost.core.mailing import with_bad_address
from keypost.core.order import Order, Reason, Reminder, Renewal, waiting_for
from keypost.core.payment import Dispute, DisputeState, PaymentState, Refunded
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import Said, said
from keypost.core.upcoming import Outlook, outlook
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order, sent_order, with_fates

START = date(2026, 12, 10)
MAIL_DAY = date(2026, 12, 3)
FAR = date(2026, 12, 31)
RENEWAL = Line(SKU, 1, Kind.RENEWAL, "base")


def scheduled(*lines: Line, start: date = START, **changes: object) -> Order:
    """A renewal whose period is known; it is paid unless `state` says otherwise."""
    order = paid_order("r1", *(lines or (RENEWAL,)), **changes)
    days = (start, start + timedelta(days=364))
    paid_on = NOW.date() if order.is_paid else None
    terms = [
        term_of(Renewal("r1", number, 1, None, 365, paid_on), days, PRODUCT, "base", ZONE)
        for number, line in enumerate(order.lines, start=1)
        if line.kind is Kind.RENEWAL
    ]
    return renewals.with_terms(order, terms, None, NOW, ZONE)


def test_a_paid_renewal_leaves_on_its_day() -> None:
    assert outlook(scheduled(), FAR, ZONE) == (Outlook("r1", Purpose.RENEWAL, (1,), MAIL_DAY, None),)
    assert outlook(scheduled(), MAIL_DAY, ZONE) != ()
    assert outlook(scheduled(), MAIL_DAY - timedelta(days=1), ZONE) == ()


def test_what_has_left_is_not_to_come() -> None:
    order = scheduled()
    (delivery,) = owed.deliveries(order)

    assert outlook(licensing.with_mail_of(order, delivery, NOW), FAR, ZONE) == ()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (scheduled(state=PaymentState.OPEN), "unpaid"),
        (support.hold(scheduled(), "anna", NOW), "held"),
        (scheduled(refunded=Refunded(NOW, "10.00")), "partly_refunded"),
        (scheduled(disputes=(Dispute("dp_1", DisputeState.OPEN, NOW),)), "disputed"),
        (waiting_for(scheduled(), Reason.STOCK, Said("too_few_codes"), NOW), "too_few_codes"),
        (scheduled(currency="USD"), "problem"),
    ],
)
def test_what_is_kept_back_says_why_and_when_it_would_have_left(order: Order, why: str) -> None:
    (found,) = outlook(order, FAR, ZONE)

    assert found.day == MAIL_DAY
    assert found.why_not
    assert found.why_not.code == why


def test_a_renewal_of_which_the_day_is_not_known_is_shown_too() -> None:
    assert outlook(paid_order("r1", RENEWAL), FAR, ZONE) == (
        Outlook("r1", Purpose.RENEWAL, (1,), None, Said("start_unknown")),
    )


def test_a_mail_that_failed_is_kept_back_and_says_why() -> None:
    order = scheduled()
    order = licensing.with_mail_of(order, owed.deliveries(order)[0], NOW)
    failed = mailing.fail_mail(order, "renewal-1", Said("SES refuses it"), NOW)

    assert outlook(failed, NOW.date(), ZONE) == (
        Outlook("r1", Purpose.RENEWAL, (1,), None, said("mail_failed", mail="renewal-1", why=Said("SES refuses it"))),
    )
    assert outlook(support.hold(failed, "anna", NOW), NOW.date(), ZONE) == ()


@pytest.mark.parametrize(
    "order",
    [
        contents.canceled(scheduled(), NOW),
        scheduled(refunded=Refunded(NOW, full=True)),
        contents.with_payment(None, replace(notice("r1"), lines=()), NOW, "EUR"),
    ],
    ids=["canceled", "refunded", "nothing bought"],
)
def test_an_order_that_is_not_to_be_served_has_no_outlook(order: Order) -> None:
    assert outlook(order, FAR, ZONE) == ()


def test_lines_of_one_day_are_one_mail_and_a_purchase_is_its_own() -> None:
    found = outlook(scheduled(RENEWAL, Line(SKU, 1), RENEWAL), FAR, ZONE)

    assert [(each.purpose, each.lines) for each in found] == [("purchase", (2,)), ("renewal", (1, 3))]


def test_a_reminder_is_to_come_unless_a_renewal_is() -> None:
    taken = [StockCode("digest-1", code(1), SKU), StockCode("digest-2", code(2), SKU)]
    order = licensing.with_codes(paid_order("base", Line(SKU, 2)), taken, {SKU: PRODUCT}, NOW, ZONE)
    order = replace(order, reminders=(Reminder(NOW + timedelta(days=3), 1, 7),))

    assert outlook(order, FAR, ZONE) == (Outlook("base", Purpose.REMINDER, (1,), date(2026, 11, 26), None),)
    renewed = replace(order, renewals=(Renewal("r1", 1, 1, None, 365),))
    assert outlook(renewed, FAR, ZONE) == ()
    partly = replace(order, renewals=(Renewal("r1", 1, 1, order.licenses[0].id, 365),))
    assert outlook(partly, FAR, ZONE) == outlook(order, FAR, ZONE)


def test_a_mail_that_came_back_or_does_not_leave_is_shown_with_its_reason() -> None:
    order = with_fates(sent_order(), Fate.BOUNCED)

    (found,) = outlook(order, FAR, ZONE)

    why = said("mail_bounced", mail="purchase-1", detail="General")
    assert found == Outlook("2026-001234", Purpose.PURCHASE, (1,), None, why)


def test_a_mail_that_is_still_tried_did_not_fail() -> None:
    order = scheduled()
    order = licensing.with_mail_of(order, owed.deliveries(order)[0], NOW)
    for _ in range(MAIL_ATTEMPTS - 1):
        order = mailing.settle_mail(order, "renewal-1", order.mails[0].attempts, MailNotSent(Said("SES is busy")), NOW)
        order = mailing.claim_mail(order, "renewal-1", NOW)

    assert [found.why_not for found in outlook(order, FAR, ZONE)] == [
        said("mail_not_sent", mail="renewal-1", why=Said("SES is busy"))
    ]


def test_a_renewal_to_a_bad_address_is_kept_back_for_that_reason() -> None:
    order = with_bad_address(scheduled(), "address_complained", NOW, NOW)

    assert [(found.day, found.why_not) for found in outlook(order, FAR, ZONE)] == [
        (MAIL_DAY, Said("address_complained"))
    ]
