from dataclasses import replace
from datetime import timedelta
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keypost.core import contents, mailing, owed
from keypost.core.mail import Asked, Fate, Mail, MailNotSent, MailReport, MailSent, MailState, MailUnknown, Purpose
from keypost.core.mailing import RETRY_ADDRESS, with_good_address, with_report
from keypost.core.order import Beside, Order, Reason, TimelineEntry
from keypost.core.payment import Refunded
from keypost.core.plan import attention, next_due, plan
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.core.story import story
from tests.builders import NOW, PRODUCT, SKU, ZONE, licensed, mail_report, notice, paid_order, sent_order, with_fates

PRODUCTS = {SKU: PRODUCT}
ASKED = Asked(NOW, "agent:anna", "the customer called")
FINAL = (Fate.BOUNCED, Fate.COMPLAINED)


def sending() -> Order:
    return licensed(paid_order())


def unknown() -> Order:
    return mailing.settle_mail(sending(), "purchase-1", 1, MailUnknown(Said("lost")), NOW)


def the_mail(order: Order) -> Mail:
    return order.mail("purchase-1")


def fate(order: Order) -> Fate | None:
    outcome = the_mail(order).outcome
    return outcome.fate if outcome else None


@pytest.mark.parametrize(
    ("fates", "becomes"),
    [
        ((Fate.SENT,), None),
        ((Fate.DELAYED, Fate.DELIVERED), Fate.DELIVERED),
        ((Fate.DELIVERED, Fate.SENT), Fate.DELIVERED),
        ((Fate.DELIVERED, Fate.RETURNED), Fate.DELIVERED),  # out of office
        ((Fate.DELAYED, Fate.RETURNED), Fate.RETURNED),  # SES gave up
        ((Fate.DELIVERED, Fate.BOUNCED), Fate.BOUNCED),  # accepted first, returned later
        ((Fate.DELIVERED, Fate.COMPLAINED), Fate.COMPLAINED),
        ((Fate.SENT, Fate.REJECTED), Fate.REJECTED),
    ],
)
def test_what_became_of_a_mail_is_decided_by_rank_whatever_comes_first(
    fates: tuple[Fate, ...], becomes: Fate | None
) -> None:
    for order_of_arrival in permutations(fates):
        assert fate(with_fates(sent_order(), *order_of_arrival)) == becomes


def twice_tried(order: Order) -> Order:
    """Neither outcome is known."""
    order = mailing.settle_mail(order, "purchase-1", 1, MailUnknown(Said("lost")), NOW)
    return mailing.claim_mail(order, "purchase-1", NOW)


@pytest.mark.parametrize("first", [sending(), unknown(), sent_order(), twice_tried(sending())])
def test_any_three_events_end_in_the_same_state_whatever_their_order(first: Order) -> None:
    events = [mail_report(fate, attempt) for fate in Fate for attempt in (1, 2)]
    for three in combinations(events, 3):
        ends = []
        for in_some_order in permutations(three):
            order = first
            for event in in_some_order:
                order = with_report(order, event, NOW)
            ends.append(replace(order, timeline=()))
        assert all(end == ends[0] for end in ends), three


reports = st.lists(
    st.builds(mail_report, st.sampled_from(Fate), st.integers(1, 2), st.integers(0, 3)),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(max_examples=500)
@given(reports, st.data(), st.sampled_from([sending, unknown, sent_order]), st.booleans())
def test_all_orders_and_duplicates_of_a_mails_events_end_in_the_same_state(
    events: list[MailReport], data: st.DataObject, begin: object, again: bool
) -> None:
    first = twice_tried(begin()) if again else begin()  # type: ignore[operator]
    shuffled = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events)))]))

    one, other = first, first
    for event in events:
        one = with_report(one, event, NOW)
    for event in shuffled:
        other = with_report(other, event, NOW)

    assert replace(one, timeline=()) == replace(other, timeline=())
    assert (attention(one), next_due(one)) == (attention(other), next_due(other))


def test_news_that_is_none_changes_nothing_at_all() -> None:
    order = with_fates(sent_order(), Fate.DELIVERED)

    assert with_fates(order, Fate.DELIVERED, Fate.SENT, Fate.DELAYED) is order


@pytest.mark.parametrize("order", [sending(), unknown()], ids=["sending", "unknown"])
@pytest.mark.parametrize("fate", [Fate.SENT, Fate.DELIVERED, Fate.DELAYED])
def test_a_mail_whose_answer_was_lost_is_settled_by_what_ses_tells_and_not_sent_again(order: Order, fate: Fate) -> None:
    order = with_fates(order, fate)

    assert (the_mail(order).state, the_mail(order).message_id) == (MailState.SENT, "ses-1")
    assert plan(order, PRODUCTS, NOW + timedelta(days=1)) is None
    assert next_due(order) is None


def test_the_answer_that_comes_after_its_event_changes_nothing() -> None:
    order = with_fates(sending(), Fate.DELIVERED)

    assert mailing.settle_mail(order, "purchase-1", 1, MailSent("ses-1"), NOW) is order
    assert mailing.settle_mail(order, "purchase-1", 1, MailUnknown(Said("lost")), NOW) is order


def test_an_event_of_an_earlier_attempt_ends_the_tries() -> None:
    order = mailing.claim_mail(unknown(), "purchase-1", NOW)
    order = mailing.settle_mail(order, "purchase-1", 2, MailNotSent(Said("busy")), NOW)

    order = with_report(order, mail_report(Fate.DELIVERED, attempt=1), NOW)

    assert plan(order, PRODUCTS, NOW + timedelta(days=1)) is None


def test_a_mail_given_up_as_unknown_is_found_to_have_arrived() -> None:
    order = mailing.fail_mail(unknown(), "purchase-1", Said("ask"), NOW)
    assert attention(order) == (Reason.MAIL, NOW)

    assert attention(with_fates(order, Fate.DELIVERED)) is None


def test_of_two_attempts_the_one_that_arrived_counts() -> None:
    order = mailing.claim_mail(unknown(), "purchase-1", NOW)
    order = with_report(order, mail_report(Fate.DELIVERED, attempt=1), NOW)
    order = with_report(order, mail_report(Fate.BOUNCED, attempt=2), NOW)

    assert fate(order) is Fate.DELIVERED


@pytest.mark.parametrize("strange", [{"mail_id": "purchase-2"}, {"attempt": 0}, {"attempt": 2}])
def test_what_is_told_of_a_mail_or_an_attempt_that_never_was_changes_nothing(strange: dict[str, str]) -> None:
    order = sent_order()

    assert with_report(order, replace(mail_report(Fate.BOUNCED), **strange), NOW) is order  # type: ignore[arg-type]


def test_a_rejected_mail_did_not_leave_so_that_its_code_can_be_sold_again_after_a_refund() -> None:
    order = with_fates(sent_order(), Fate.REJECTED)

    assert (the_mail(order).state, order.code_left) == (MailState.FAILED, False)
    assert attention(order) == (Reason.MAIL, NOW)
    refunded = contents.with_payment(order, notice(refunded=Refunded(NOW, full=True)), NOW, "EUR")
    assert owed.returnable(refunded) == order.licenses


def test_a_rejected_attempt_after_one_of_unknown_outcome_may_have_left() -> None:
    order = mailing.claim_mail(unknown(), "purchase-1", NOW)

    assert with_report(order, mail_report(Fate.REJECTED, attempt=2), NOW).code_left


@pytest.mark.parametrize("why", FINAL)
def test_an_address_that_takes_no_mail_is_shown_and_nothing_more_is_sent_to_it(why: Fate) -> None:
    order = with_fates(sent_order(), why)
    order = mailing.owe_mail(order, Purpose.REMINDER, NOW, (1,))

    assert attention(order) == (Reason.ADDRESS, NOW + timedelta(seconds=60))
    assert plan(order, PRODUCTS, NOW + timedelta(hours=11)) is None
    assert next_due(order) == NOW + RETRY_ADDRESS


def test_a_delivery_is_noted_and_asks_for_nobody() -> None:
    order = with_fates(sent_order(), Fate.DELIVERED)

    assert order.timeline[-1] == TimelineEntry(
        NOW, "mail_delivered", {"mail": "purchase-1", "attempt": 1, "detail": "General"}
    )
    assert attention(order) is None


def test_a_mail_that_came_back_for_now_is_shown_until_another_one_arrives() -> None:
    order = with_fates(sent_order(), Fate.RETURNED)
    assert attention(order) == (Reason.MAIL, NOW)
    assert owed.trouble(the_mail(order)) == said("mail_returned", mail="purchase-1", detail="General")

    order = mailing.claim_mail(mailing.owe_mail(order, Purpose.RESEND, NOW), "resend-1", NOW)
    order = mailing.settle_mail(order, "resend-1", 1, MailSent("ses-2"), NOW)
    assert attention(order) is None

    back = with_report(order, mail_report(Fate.RETURNED, mail_id="resend-1"), NOW)
    assert attention(back) == (Reason.MAIL, NOW)


def test_a_bounce_at_an_address_that_was_corrected_since_keeps_nothing_back() -> None:
    order = sent_order()
    order = with_fates(replace(order, customer=replace(order.customer, email="anna@klant.example")), Fate.BOUNCED)

    assert order.waits == ()
    assert attention(order) == (Reason.MAIL, NOW)  # but it did not arrive


def test_the_case_of_an_address_does_not_matter() -> None:
    order = with_report(sent_order(), mail_report(Fate.BOUNCED, address="Facturen@KLANT.example"), NOW)

    assert order.waits_for(Reason.ADDRESS)


def test_a_bounce_told_twice_does_not_undo_that_the_address_was_mended() -> None:
    order = with_good_address(with_fates(sent_order(), Fate.BOUNCED), ASKED.at, ZONE, ASKED)

    assert with_fates(order, Fate.BOUNCED).waits == ()


def test_what_came_back_is_sent_once_more_when_the_address_is_mended() -> None:
    order = with_fates(licensed_twice(), Fate.BOUNCED)

    order = with_good_address(order, ASKED.at, ZONE, ASKED)

    (again,) = order.mails[1:]
    assert (again.id, again.lines, again.state, again.asked) == ("purchase-2", (1, 2), MailState.PENDING, ASKED)
    assert with_good_address(order, ASKED.at, ZONE, ASKED) == order


@pytest.mark.parametrize(("hour", "mails"), [(22, 2), (23, 1)])
def test_what_came_back_of_a_license_is_sent_again_as_long_as_the_license_runs_where_the_shop_is(
    hour: int, mails: int
) -> None:
    order = with_fates(sent_order(), Fate.BOUNCED)
    order = replace(order, licenses=tuple(replace(one, last_day=NOW.date()) for one in order.licenses))

    order = with_good_address(order, NOW.replace(hour=hour, minute=59 if hour == 22 else 0), ZONE)

    assert len(order.mails) == mails


def licensed_twice() -> Order:
    order = licensed(paid_order("2026-001234", Line(SKU, 1), Line(SKU, 1)))
    return mailing.settle_mail(order, "purchase-1", 1, MailSent("ses-1"), NOW)


def test_a_mail_that_arrived_is_not_repeated_after_a_complaint() -> None:
    order = with_fates(sent_order(), Fate.DELIVERED, Fate.COMPLAINED)

    assert with_good_address(order, ASKED.at, ZONE, ASKED).mails == order.mails


def test_of_two_mails_that_came_back_the_last_is_repeated() -> None:
    order = with_fates(sent_order(), Fate.BOUNCED)
    order = mailing.claim_mail(mailing.owe_mail(order, Purpose.RESEND, NOW), "resend-1", NOW)
    order = mailing.settle_mail(order, "resend-1", 1, MailSent("ses-2"), NOW)
    order = with_report(order, mail_report(Fate.BOUNCED, mail_id="resend-1"), NOW)

    assert [mail.id for mail in with_good_address(order, ASKED.at, ZONE, ASKED).mails] == [
        "purchase-1",
        "resend-1",
        "resend-2",
    ]


def test_support_sees_what_became_of_a_mail_and_what_to_do() -> None:
    seen = story(with_fates(mailing.owe_mail(sent_order(), Purpose.RESEND, NOW), Fate.BOUNCED), NOW, ZONE, Beside())

    (mail, waiting) = seen.mails
    assert (mail.fate, mail.fate_at, mail.fate_detail) == (Fate.BOUNCED, NOW + timedelta(seconds=60), "General")
    assert waiting.fate is None
    assert seen.needs is not None
    assert (seen.needs.reason, seen.needs.why) == (Reason.ADDRESS, Said("address_bounced"))
    assert [step.why_not for step in seen.to_come] == [Said("address_bounced")]
