"""What customers may ask for on their page, and what comes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from keypost.core import daily_note, licensing, mailing, plan, self_service, support
from keypost.core.codes import StockCode
from keypost.core.mail import Asked, MailSent, Purpose
from keypost.core.obstacles import action
from keypost.core.order import MAIL_REPORTED, Concern, Hold, Order, Reason, TimelineEntry
from keypost.core.said import Said
from keypost.core.wish import Ask
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order

ON_PAGE = Asked(NOW + timedelta(hours=1), support.CUSTOMER, key="wish-1")


def sent_order(order_id: str = "2026-001234", days: int = 0) -> Order:
    order = replace(paid_order(order_id), created_at=NOW + timedelta(days=days))
    order = licensing.with_codes(order, [StockCode("1", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    return sent(order)


def sent(order: Order) -> Order:
    """The order with its newest mail sent."""
    mail = order.mails[-1]
    order = order if mail.attempts else mailing.claim_mail(order, mail.id, NOW)
    return mailing.settle_mail(order, mail.id, 1, MailSent("ses-1"), NOW)


def resent(order: Order, asked: Asked = ON_PAGE) -> Order:
    return sent(support.resend(order, asked, ZONE)[0])


def worth(*found: Order, asked: Asked = ON_PAGE) -> list[str]:
    return [order.id for order in self_service.worth_sending_again(found, asked, ZONE)]


def on(day: date) -> Asked:
    return replace(ON_PAGE, at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def test_of_a_customers_orders_the_five_newest_with_a_running_license_are_worth_sending_again() -> None:
    found = [sent_order(f"o{n}", n) for n in (3, 1, 6, 5, 2, 4)]
    last_day = found[0].licenses[0].last_day

    assert worth(*found, asked=on(last_day)) == ["o6", "o5", "o4", "o3", "o2"]
    assert worth(*found, asked=on(last_day + timedelta(days=1))) == []


def test_those_that_the_customer_has_not_had_again_go_first_then_those_that_it_had_longest_ago() -> None:
    asked = replace(ON_PAGE, at=ON_PAGE.at + timedelta(hours=2), key="wish-3")
    earlier, later = (replace(ON_PAGE, at=ON_PAGE.at + timedelta(hours=n), key=f"wish-{n}") for n in (0, 1))
    found = [sent_order("never-old", 1), sent_order("never-new", 2)]
    found += [resent(sent_order("later", 4), later), resent(sent_order("earlier", 3), earlier)]

    assert worth(*found, asked=asked) == ["never-new", "never-old", "earlier", "later"]


def test_an_order_that_had_its_share_of_today_takes_no_other_ones_place() -> None:
    order = sent_order("thrice", 9)
    for n in range(support.RESENDS_PER_DAY):
        order = resent(order, replace(ON_PAGE, key=f"earlier-{n}"))

    assert worth(order, sent_order("never")) == ["never"]
    assert worth(order, asked=replace(ON_PAGE, at=ON_PAGE.at + timedelta(days=1))) == ["thrice"]


def test_the_same_request_again_finds_the_same_orders() -> None:
    found = [sent_order(f"o{n}", n) for n in range(7)]
    first = worth(*found)
    half_way = [resent(order) if order.id in first[:3] else order for order in found]

    assert sorted(worth(*half_way)) == sorted(first)


def test_a_license_that_begins_later_is_worth_sending_and_one_that_never_left_is_not() -> None:
    order = sent_order()
    (license_,) = order.licenses
    later = replace(license_, first_day=date(2027, 6, 1), last_day=date(2028, 5, 31))

    assert worth(replace(order, licenses=(later,))) == [order.id]
    assert worth(replace(order, mails=())) == []


NOT_SERVED = pytest.mark.parametrize(
    "change",
    [{"hold": Hold(by_person=True)}, {"canceled": True}, {"forget_on": date(2033, 12, 31)}, {"payments": ()}],
    ids=["held", "canceled", "erased", "unpaid"],
)


@NOT_SERVED
def test_what_is_not_served_is_not_worth_sending_again_and_no_concern_is_noted_in_it(change: dict[str, Any]) -> None:
    order = replace(sent_order(), **change)

    assert worth(order) == []
    assert self_service.concerned([order], ON_PAGE, ZONE) is None


def test_a_concern_is_noted_in_the_newest_order_of_which_something_was_sent_or_else_will_be() -> None:
    old, new, coming = sent_order("old", 1), sent_order("new", 2), paid_order("coming", at=NOW + timedelta(days=3))

    def concerned(*found: Order) -> str | None:
        order = self_service.concerned(found, ON_PAGE, ZONE)
        return order.id if order else None

    assert concerned(old, new, coming) == "new"
    assert concerned(coming) == "coming"
    assert concerned() is None


@pytest.mark.parametrize("ask", [Ask.NOTHING_CAME, Ask.NOT_MY_ADDRESS])
def test_a_concern_asks_for_a_person_once_and_says_who_said_what(ask: Ask) -> None:
    order = self_service.with_concern(sent_order(), ask, NOW)

    assert order.concerns == (Concern(ask, NOW),)
    assert order.timeline[-1] == TimelineEntry(NOW, ask.value, who="customer")
    assert plan.attention(order) == (Reason.CONCERN, NOW)
    assert daily_note.why(order, Reason.CONCERN) == Said(ask.value)
    assert action(order, Reason.CONCERN) == Said("answer_customer")
    assert self_service.with_concern(order, ask, NOW + timedelta(days=1)) is order


def test_a_person_who_sends_again_or_changes_the_address_has_seen_to_it() -> None:
    order = sent_order()
    for ask in (Ask.NOTHING_CAME, Ask.NOT_MY_ADDRESS):
        order = self_service.with_concern(order, ask, NOW)
    order = self_service.with_concern(order, MAIL_REPORTED, NOW)
    by_agent = Asked(ON_PAGE.at, "sanne")

    def left(changed: Order) -> list[str]:
        return [concern.code for concern in changed.concerns]

    assert left(support.resend(order, ON_PAGE, ZONE)[0]) == ["nothing_came", "not_my_address", "mail_reported"]
    assert left(support.resend(order, by_agent, ZONE)[0]) == ["not_my_address", "mail_reported"]
    assert left(support.correct_address(order, "anna@nieuw.example", by_agent, ZONE)) == ["mail_reported"]


def test_a_reported_mail_stops_the_page_for_all_orders_of_its_customer() -> None:
    reported = self_service.with_concern(sent_order(), MAIL_REPORTED, NOW, who="keypost")
    complaining = self_service.with_concern(sent_order(), Ask.NOTHING_CAME, NOW)

    assert self_service.is_stopped([sent_order("other"), reported])
    assert not self_service.is_stopped([sent_order("other"), complaining])


def test_only_a_mail_that_was_asked_for_on_the_page_is_of_the_page() -> None:
    order = resent(resent(sent_order()), Asked(ON_PAGE.at + timedelta(hours=1), "sanne"))

    assert [mail.id for mail in order.mails if self_service.is_asked_on_page(order, mail.id)] == ["resend-1"]
    assert [mail.purpose for mail in order.mails] == [Purpose.PURCHASE, Purpose.RESEND, Purpose.RESEND]
