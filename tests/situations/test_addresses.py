"""Addresses after a correction (A12, A13): what came first, what comes again, and whose it is."""

from datetime import date, timedelta

import pytest

from keypost.core import correcting, mailing, support
from keypost.core.contents import with_payment
from keypost.core.correcting import Right, sent_elsewhere
from keypost.core.mail import Asked, Fate, MailSent, MailState, Purpose
from keypost.core.mailing import with_good_address
from keypost.core.order import Order
from keypost.core.payment import Refunded
from keypost.core.renewals import with_terms
from keypost.core.support import Only
from tests.builders import NOW, ZONE, licensed, mail_report, notice, of_customer, paid_order, sent_order

OLD, NEW, THIRD = "facturen@klant.example", "anna@klant.example", "inkoop@klant.example"
LATER = NOW + timedelta(hours=1)


def asked(minutes: int = 0) -> Asked:
    return Asked(LATER + timedelta(minutes=minutes), "sanne")


def corrected(order: Order, *addresses: str) -> Order:
    """The order after its address was changed to these, one after the other."""
    for minutes, email in enumerate(addresses):
        order = correcting.correct(order, Right(email=email), asked(minutes), ZONE)
    return order


def told_again(order: Order, email: str = OLD) -> Order:
    """The order after a later callback of the same payment."""
    return with_payment(order, notice(email=email, refunded=Refunded(LATER, "5.00")), LATER, "EUR")


@pytest.mark.parametrize(
    ("addresses", "now"),
    [
        ((NEW,), NEW),
        ((NEW, OLD), OLD),
        ((NEW, OLD.upper()), OLD.upper()),
        ((NEW, OLD, NEW), NEW),
        ((NEW, THIRD, OLD), OLD),
        ((NEW, THIRD), THIRD),
    ],
    ids=["corrected", "and back", "back in capitals", "there again", "on and back", "on"],
)
def test_the_address_that_was_said_last_stays_whatever_a_callback_brings_again(
    addresses: tuple[str, ...], now: str
) -> None:
    """A12c: resent, corrected back, and corrected to the wrong one by the next callback."""
    order = told_again(corrected(sent_order(), *addresses))

    assert order.customer.email == now
    assert told_again(order).customer.email == now


@pytest.mark.parametrize("addresses", [(NEW, OLD), (NEW, THIRD, OLD)])
def test_each_former_address_is_told_once_and_the_present_one_never(addresses: tuple[str, ...]) -> None:
    order = corrected(sent_order(), *addresses)

    told = [mail.to for mail in order.mails if mail.purpose is Purpose.ADDRESS_CHANGED]
    assert told == [OLD, *addresses][: len(addresses)]


def test_the_same_address_in_other_capitals_is_corrected_without_a_notice_to_it() -> None:
    order = sent_order()

    same = corrected(order, "Facturen@klant.example")

    assert same.customer.email == "Facturen@klant.example"
    assert same.mails == order.mails


def test_a_renewal_after_a_correction_back_gets_the_address_that_is_right_now() -> None:
    base = corrected(sent_order(), NEW, OLD)

    for typed in (OLD, NEW):
        renewal = with_terms(of_customer(paid_order("R-1"), email=typed), [], base, NOW, ZONE)
        assert renewal.customer.email == OLD


def test_the_shop_tells_a_renewal_again_and_it_keeps_the_address_that_was_corrected_in_what_it_renews() -> None:
    renewal = with_terms(of_customer(paid_order("R-1"), email=OLD), [], corrected(sent_order(), NEW), NOW, ZONE)
    assert renewal.customer.email == NEW

    assert told_again(renewal).customer.email == NEW
    assert told_again(corrected(renewal, OLD)).customer.email == OLD


def test_codes_that_arrived_at_the_wrong_address_are_said_not_to_have_been_sent_again() -> None:
    """Demand: craft #1109, EDD #3364: who corrects an address does not see that the codes are with somebody else."""
    order = corrected(sent_order(), NEW)

    assert sent_elsewhere([order]) == [order.id]
    again, mail = support.resend(order, asked(5), ZONE)
    again = mailing.claim_mail(again, mail.id, LATER)
    assert sent_elsewhere([mailing.settle_mail(again, mail.id, 1, MailSent("ses-9"), LATER)]) == []


def test_codes_that_came_back_are_on_their_way_to_the_new_address_and_need_no_word() -> None:
    order = mailing.with_report(sent_order(), mail_report(Fate.BOUNCED), NOW)

    changed = corrected(order, NEW)

    assert [mail.state for mail in changed.mails if mail.holds_codes] == [MailState.SENT, MailState.PENDING]
    assert sent_elsewhere([changed]) == []


def test_an_order_of_which_nothing_was_sent_has_nothing_elsewhere() -> None:
    assert sent_elsewhere([corrected(paid_order(), NEW)]) == []
    assert sent_elsewhere([corrected(licensed(paid_order()), NEW)]) == ["2026-001234"]  # it is being sent there


def test_a_mail_that_bounced_elsewhere_says_nothing_of_the_orders_own_address() -> None:
    """EDD #4896: to a colleague, once."""
    order, mail = support.resend(sent_order(), asked(), ZONE, Only(to=THIRD))
    order = mailing.claim_mail(order, mail.id, LATER)
    order = mailing.settle_mail(order, mail.id, 1, MailSent("ses-7"), LATER)

    report = mail_report(Fate.BOUNCED, mail_id=mail.id, address=THIRD)
    bounced = mailing.with_report(order, report, LATER)

    assert bounced.waits == ()
    assert bounced.mail(mail.id).came_back
    assert with_good_address(bounced, LATER, ZONE).mails == bounced.mails


def test_an_erased_order_holds_neither_the_other_address_nor_a_former_name() -> None:
    order = support.resend(sent_order(), asked(), ZONE, Only(to=THIRD))[0]
    order = correcting.correct(order, Right(name="Piet Bakker", email=NEW), asked(5), ZONE)
    assert all(each in repr(order) for each in (THIRD, OLD, NEW, "Piet Bakker", "Anna Jansen"))

    erased = repr(support.erase(order, asked(9), date(2033, 12, 31)))

    assert [each for each in (THIRD, OLD, NEW, "Piet Bakker", "Anna Jansen") if each in erased] == []
