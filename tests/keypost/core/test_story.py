from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from keypost.core import contents, mailing, renewals, settling, support
from keypost.core.codes import StockCode
from keypost.core.licensing import with_codes
from keypost.core.mail import Asked, MailNotSent, MailSent, MailUnknown
from keypost.core.mailing import settle_mail
from keypost.core.obstacles import ACTIONS
from keypost.core.order import Beside, Order, Reason, Renewal, waiting_for
from keypost.core.owed import deliveries
from keypost.core.payment import PaymentState, Refunded
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import Said, said
from keypost.core.story import DecisionTold, Needed, NextStep, Story, story
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order

MORNING = NOW.replace(hour=6)  # 07:00 in winter
RENEWAL = Line(SKU, 1, Kind.RENEWAL, "base")


NOTHING = Beside()


def told(order: Order, beside: Beside = NOTHING) -> Story:
    return story(order, NOW, ZONE, beside)


def assigned(**changes: Any) -> Order:
    """A paid order whose mail is claimed for its first attempt."""
    return with_codes(paid_order(**changes), [StockCode("d", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)


def sent() -> Order:
    return settle_mail(assigned(), "purchase-1", 1, MailSent("m-1"), NOW)


def renewal(**changes: Any) -> Order:
    """A renewal that starts in 2027; it is paid unless `state` says otherwise."""
    order = paid_order("r1", RENEWAL, **changes)
    paid_on = NOW.date() if order.is_paid else None
    days = (date(2027, 6, 10), date(2028, 6, 8))
    return renewals.with_terms(
        order, [term_of(Renewal("r1", 1, 1, None, 365, paid_on), days, PRODUCT, "base", ZONE)], None, NOW, ZONE
    )


def test_an_order_that_was_served_tells_what_was_paid_given_and_sent() -> None:
    whole = told(sent())

    (payment,), (license_,), (mail,), (line,) = whole.payments, whole.licenses, whole.mails, whole.lines
    assert (payment.names, payment.standing, payment.amount) == (("stripe:cs_2026-001234",), "paid", "39.95")
    assert (license_.code, license_.first_day) == ("…00001", NOW.date())
    assert (mail.to, mail.state, mail.sent_at) == ("facturen@klant.example", "sent", NOW)
    assert (line.sku, line.quantity, line.codes) == (SKU, 1, 1)
    assert [entry.code for entry in whole.timeline] == ["payment_paid", "codes_assigned", "mail_sent"]
    assert (whole.next, whole.needs, whole.why_no_resend) == (None, None, None)


def test_a_mail_keeps_the_address_that_it_went_to_when_that_is_corrected() -> None:
    asked = Asked(NOW, "anna", "asked by phone")
    corrected = support.correct_address(sent(), "anna@klant.example", asked, ZONE)
    again, _ = support.resend(corrected, asked, ZONE)

    assert [(mail.purpose, mail.to) for mail in told(again).mails] == [
        ("purchase", "facturen@klant.example"),
        ("address_changed", "facturen@klant.example"),
        ("resend", "anna@klant.example"),
    ]


def test_it_is_told_whether_a_provider_charges_again_what_was_blocked_and_which_addresses_were_wrong() -> None:
    order = replace(
        sent(),
        subscription=replace(sent().subscription, is_charged=True),
        customer=replace(sent().customer, corrected={"wrong@klant.example": "facturen@klant.example", "": "x"}),
    )
    order = replace(order, blocked=(order.licenses[0].id,), hold=replace(order.hold, released=True))

    whole = told(order)

    assert (whole.charged_again, whole.released, whole.licenses[0].blocked) == (True, True, True)
    assert whole.former_addresses == ("wrong@klant.example",)
    assert not told(contents.with_subscription_ended(order, NOW)).charged_again


def test_why_a_code_was_swapped_is_told_in_the_words_of_who_did_it() -> None:
    asked = Asked(NOW, "anna", "screenshot in the ticket")
    swapped = support.with_other_code(sent(), sent().licenses[0].id, StockCode("e", code(2), SKU), "invalid", asked)

    (bad,) = told(swapped, Beside(notes={code(1): "screenshot in the ticket"})).bad_codes
    assert (bad.reason, bad.note) == ("invalid", "screenshot in the ticket")
    assert told(swapped).timeline[-1].words == "screenshot in the ticket"


def test_the_story_begins_with_what_moved_out_of_the_order() -> None:
    order = sent()
    first, *others = order.timeline

    whole = told(replace(order, timeline=tuple(others), moved=1), Beside((first,)))

    assert whole.timeline == told(order).timeline


def test_an_erased_customer_whose_subscription_runs_needs_a_person_until_it_is_ended() -> None:
    erased = support.erase(
        replace(sent(), subscription=replace(sent().subscription, is_charged=True)), Asked(NOW, "anna"), NOW.date()
    )

    needs = told(erased).needs
    assert needs
    assert (needs.reason, needs.action) == (Reason.SUBSCRIPTION, Said("end_subscription"))
    ended = support.subscription_ended(erased, "anna", NOW, "Piet called")
    assert told(ended).needs is None
    of_a_customer = support.subscription_ended(
        replace(sent(), subscription=replace(sent().subscription, is_charged=True)), "anna", NOW, "Piet called"
    )
    assert ["Piet" in repr(order) for order in (of_a_customer, ended)] == [True, False]


def test_no_code_is_told_but_for_its_end() -> None:
    asked = Asked(NOW, "anna", "asked by phone")
    swapped = support.with_other_code(sent(), sent().licenses[0].id, StockCode("e", code(2), SKU), "invalid", asked)

    text = repr(told(swapped))

    assert "…00001" in text
    assert "…00002" in text
    assert [code(number) in repr(swapped) for number in (1, 2)] == [True, True]
    assert code(1)[:-5] not in text


@pytest.mark.parametrize(
    ("order", "step"),
    [
        (paid_order(), NextStep(said("purchase_leaves", lines=[1]), NOW, None)),
        (renewal(), NextStep(said("renewal_leaves", lines=[1]), NOW.replace(2027, 6, 3, 5), None)),
        (
            renewal(state=PaymentState.OPEN),
            NextStep(said("renewal_leaves", lines=[1]), NOW.replace(2027, 6, 3, 5), Said("unpaid")),
        ),
        (
            paid_order(state=PaymentState.OPEN),
            NextStep(Said("purchase_leaves"), None, Said("unpaid")),
        ),
        (
            support.hold(paid_order(), "anna", NOW),
            NextStep(said("purchase_leaves", lines=[1]), None, Said("held")),
        ),
        (
            waiting_for(paid_order(), Reason.STOCK, Said("no code is free"), NOW),
            NextStep(said("purchase_leaves", lines=[1]), None, Said("no code is free")),
        ),
        (assigned(), NextStep(said("mail_is_being_sent", mail="purchase-1"), NOW + mailing.MAIL_LEASE, None)),
        (
            settle_mail(assigned(), "purchase-1", 1, MailUnknown(Said("time-out")), NOW),
            NextStep(said("mail_is_doubtful", mail="purchase-1"), NOW + mailing.MAIL_DOUBT, None),
        ),
        (
            paid_order("r1", RENEWAL),
            NextStep(said("renewal_leaves", lines=[1]), None, Said("start_unknown")),
        ),
        (contents.canceled(paid_order(), NOW), None),
        (replace(paid_order(), belongs_to="other"), None),
        (
            support.erase(paid_order(), Asked(NOW, "anna"), NOW.date()),
            NextStep(said("purchase_leaves", lines=[1]), None, Said("erased")),
        ),
    ],
)
def test_what_happens_next_and_when_or_what_keeps_it_back(order: Order, step: NextStep | None) -> None:
    assert told(order).next == step


def test_what_comes_sooner_is_next() -> None:
    order = renewal()
    mixed = replace(sent(), lines=(*sent().lines, RENEWAL), terms=(replace(order.terms[0], line=2),))
    (delivery,) = deliveries(mixed)
    resent, _ = support.resend(mixed, Asked(NOW, "anna"), ZONE)

    whole = told(resent)

    assert [step.at for step in whole.to_come] == [NOW, delivery.mail_at]
    assert whole.next == whole.to_come[0]
    assert whole.mails[-1].asked_by == "anna"


def test_a_mail_of_an_order_that_was_refunded_meanwhile_does_not_leave() -> None:
    refused = settle_mail(assigned(), "purchase-1", 1, MailNotSent(Said("quota")), NOW)
    order = contents.with_payment(refused, notice(refunded=Refunded(NOW, "10.00")), NOW, "EUR")

    assert told(order).next == NextStep(
        said("mail_leaves", mail="purchase-1"), refused.mails[0].next_at, Said("partly_refunded")
    )
    assert told(order).payments[0].returned == "10.00"


def test_what_a_person_must_do_is_said_for_every_reason() -> None:
    needs = told(paid_order(currency="USD")).needs

    assert set(ACTIONS) == {*Reason} - {Reason.HOLD}
    problem = said("problem", why=said("other_currency", paid="USD", sold="EUR"))
    assert needs == Needed(Reason.HOLD, problem, Said("mend_and_release"))


def test_an_order_that_cannot_be_sent_again_says_why() -> None:
    assert told(paid_order(state=PaymentState.OPEN)).why_no_resend is not None


def test_the_days_of_a_renewal_and_who_renews_it_are_told() -> None:
    base = renewals.with_renewal(sent(), Renewal("r1", 1, 1, None, 365), NOW + timedelta(days=1))

    (line,) = told(renewal()).lines
    assert (line.renews, line.first_day, line.last_day) == ("base", date(2027, 6, 10), date(2028, 6, 8))
    assert told(base).renewed_by == ("r1",)


def test_what_persons_decided_is_told_with_the_order() -> None:
    """An export of a customer has it too, long after the timeline is full."""
    order = settling.settle(
        paid_order(), [Line(SKU, 1)], "anna@klant.example", Asked(NOW, "sanne", "she called"), "EUR"
    )

    (decision,) = told(order).decisions
    assert decision == DecisionTold(
        kind="contents",
        at=NOW,
        who="sanne",
        why="",
        payments=("stripe:cs_2026-001234",),
        lines=(f"1 x {SKU}",),
        email="anna@klant.example",
        to=None,
        start=None,
        because=None,
    )
