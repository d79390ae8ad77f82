"""Which events leave by which change of the table."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keypost.core import events, mailing
from keypost.core.events import Event, told
from keypost.core.forecast import Stock, forecast
from keypost.core.mail import Asked, Fate, MailNotSent, MailSent, MailUnknown, Purpose, Refusal
from keypost.core.order import Order, Reason, noted, waiting_for
from keypost.core.said import said
from keypost.core.support import hold
from keypost.table import Store
from keypost.table.items import to_wire
from keypost.table.orders import TIMELINE_IN_ORDER, TIMELINE_PAGE
from keypost.table.outbox import Outbox, events_in
from tests.builders import NOW, SKU, full_order, licensed, mail_report, paid_order, sent_order, with_fates
from tests.event_examples import all_types, came, examples, record, short


def types(after: Order, before: Order | None = None) -> list[tuple[str, int | None]]:
    return [(each.type, each.sequence) for each in came(after, before)]


def test_an_order_is_served_when_ses_takes_the_mail_with_its_codes() -> None:
    before = licensed(paid_order())

    (served,) = came(sent_order(), before)

    assert served.type == "order.served"
    assert served.at == NOW
    assert served.sequence == len(before.timeline) + 1
    assert served.data == {
        "order_id": "2026-001234",
        "mail": "purchase-1",
        "purpose": "purchase",
        "products": (SKU,),
        "licenses": (before.licenses[0].id,),
    }


def test_the_same_change_makes_the_same_event_and_another_change_another_one() -> None:
    sent = sent_order()
    delivered = with_fates(sent, Fate.DELIVERED)

    assert came(sent, licensed(paid_order())) == came(sent, licensed(paid_order()))
    assert len({each.id for each in (*came(sent), *came(delivered, sent), short())}) == 3


@pytest.mark.parametrize("fate", [Fate.DELIVERED, Fate.DELAYED, Fate.BOUNCED, Fate.RETURNED, Fate.COMPLAINED])
def test_an_order_whose_answer_of_ses_was_lost_is_served_by_the_first_report_and_once(fate: Fate) -> None:
    lost = mailing.settle_mail(licensed(paid_order()), "purchase-1", 1, MailUnknown(said("sender_stopped")), NOW)
    first = with_fates(lost, fate)

    assert came(lost, licensed(paid_order())) == []
    assert next(each.type for each in came(first, lost)) == "order.served"
    assert "order.served" not in [each.type for each in came(with_fates(first, Fate.COMPLAINED), first)]


@pytest.mark.parametrize(
    ("fate", "type_", "reason"),
    [
        (Fate.DELIVERED, "mail.delivered", None),
        (Fate.RETURNED, "mail.returned", "returned"),
        (Fate.BOUNCED, "mail.returned", "bounced"),
        (Fate.REJECTED, "mail.returned", "rejected"),
        (Fate.COMPLAINED, "mail.complained", None),
    ],
)
def test_what_became_of_a_mail_leaves_without_its_address_and_without_words_of_servers(
    fate: Fate, type_: str, reason: str | None
) -> None:
    event = came(with_fates(sent_order(), fate), sent_order())[0]

    about = {"order_id": "2026-001234", "mail": "purchase-1", "purpose": "purchase"}
    assert (event.type, event.data) == (type_, about | ({"reason": reason} if reason else {}))


def test_a_mail_that_ses_refuses_for_ever_is_returned() -> None:
    refused = MailNotSent(said("content_rejected"), Refusal.FOR_EVER)
    failed = mailing.settle_mail(licensed(paid_order()), "purchase-1", 1, refused, NOW)

    (event,) = came(failed, licensed(paid_order()))
    assert (event.type, event.data["reason"]) == ("mail.returned", "failed")


@pytest.mark.parametrize("purpose", [each for each in Purpose if each not in (Purpose.PURCHASE, Purpose.RENEWAL)])
def test_a_mail_that_serves_nothing_new_says_only_that_it_was_delivered(purpose: Purpose) -> None:
    order = mailing.owe_mail(paid_order(), purpose, NOW)
    claimed = mailing.claim_mail(order, order.mails[-1].id, NOW)
    sent = mailing.settle_mail(claimed, order.mails[-1].id, 1, MailSent("ses-1"), NOW)
    delivered = mailing.with_report(sent, mail_report(Fate.DELIVERED, mail_id=order.mails[-1].id), NOW)

    assert came(sent, claimed) == []
    assert [each.type for each in came(delivered, sent)] == ["mail.delivered"]


@pytest.mark.parametrize(
    "reason",
    [Reason.STOCK, Reason.PRODUCT, Reason.ADDRESS, Reason.RENEWS, Reason.OTHER_CUSTOMER, Reason.UNUSUAL_START],
)
def test_an_order_that_waits_says_for_what_and_why_by_codes_alone(reason: Reason) -> None:
    waits = waiting_for(paid_order(), reason, said("too_few_codes", skus=["what a person typed"]), NOW)

    (event,) = came(waits, paid_order())
    assert event.type == "order.waits"
    assert event.data == {"order_id": "2026-001234", "reason": reason, "why": "too_few_codes"}


def test_an_order_that_a_person_holds_waits_without_the_words_of_that_person() -> None:
    held = hold(paid_order(), "anna", NOW, "Jansen calls again")

    (event,) = came(held, paid_order())
    assert (event.type, event.data) == ("order.waits", {"order_id": held.id, "reason": "hold", "why": "held"})


def test_a_renewal_whose_mail_is_due_and_that_nobody_paid_says_when_its_period_starts() -> None:
    order = waiting_for(paid_order(), Reason.UNPAID, said("period_unpaid", first_day=NOW.date()), NOW)

    (event,) = came(order, paid_order())
    assert (event.type, event.data) == ("renewal.unpaid", {"order_id": order.id, "first_day": "2026-11-23"})


def test_a_change_without_something_new_to_tell_says_nothing() -> None:
    sent = sent_order()

    assert came(replace(sent, version=7), sent) == []
    assert came(noted(sent, NOW, "note", who="anna", words="Jansen"), sent) == []
    assert events_in(record(None, sent)) == ()


def test_entries_that_move_out_of_an_order_are_counted_and_told_once() -> None:
    """Its numbers go on, so that a later event never has a lower number."""
    full = sent_order()
    for number in range(TIMELINE_IN_ORDER + TIMELINE_PAGE - len(full.timeline) - 1):
        full = noted(full, NOW + timedelta(seconds=number), "note")
    delivered = with_fates(full, Fate.DELIVERED)
    moved = replace(delivered, timeline=delivered.timeline[TIMELINE_PAGE:], moved=TIMELINE_PAGE)

    assert types(moved, full) == [("mail.delivered", TIMELINE_IN_ORDER + TIMELINE_PAGE)]
    assert types(with_fates(moved, Fate.COMPLAINED), moved)[0] == (
        "mail.complained",
        TIMELINE_IN_ORDER + TIMELINE_PAGE + 1,
    )


def test_an_order_that_cannot_be_read_as_a_whole_still_tells_what_was_read_of_it() -> None:
    """A newer version may store what this one cannot read; its events leave all the same."""
    change = record(with_fates(sent_order(), Fate.DELIVERED), sent_order())
    odd: Any = deepcopy(change)
    odd["dynamodb"]["NewImage"] |= to_wire({"payments": [{"names": ["x:1"], "state": "of_the_future"}], "form": 9})

    assert [each.type for each in events_in(odd)] == ["mail.delivered"]


def test_other_items_of_the_table_tell_nothing() -> None:
    for item in (
        {"pk": "CODE#1", "timeline": []},
        {"pk": "ORDER#1/TIMELINE#0", "entries": [{"at": 1, "code": "held"}]},
    ):
        assert events_in({"dynamodb": {"NewImage": to_wire(item)}}) == ()


def test_what_happens_to_no_order_leaves_through_an_item_of_its_own_and_again_when_it_is_put_again(
    store: Store,
) -> None:
    def put(now: Any) -> Any:
        store.part(Outbox).put_event(short(), now)
        key = {"pk": {"S": f"EVENT#{short().id}"}}
        return store._client.get_item(TableName=store.table, Key=key)["Item"]

    first, again = put(NOW), put(NOW + timedelta(seconds=1))

    assert first != again  # or the stream would not have it
    assert events_in({"dynamodb": {"NewImage": again, "OldImage": first}}) == (short(),)
    assert int(first["expires"]["N"]) > NOW.timestamp() + 24 * 3600


def test_an_id_that_was_put_says_what_it_said_first(store: Store) -> None:
    outbox, key = store.part(Outbox), {"pk": {"S": f"EVENT#{short().id}"}}
    outbox.put_first(short(), NOW)
    first = store._client.get_item(TableName=store.table, Key=key)["Item"]

    outbox.put_first(replace(short(), at=NOW + timedelta(hours=2)), NOW + timedelta(hours=2))

    assert store._client.get_item(TableName=store.table, Key=key)["Item"] == first


def test_stock_that_lasts_tells_nothing() -> None:
    stock = Stock(SKU, free=500, waiting=0, promised={}, used=3)

    assert events.stock_low(forecast(stock, NOW.date()), NOW.date(), NOW) is None


def test_each_type_has_an_example() -> None:
    assert [each.type for each in all_types()] == [*events.TYPES]
    assert examples().keys() == set(events.TYPES)


def test_an_event_of_an_order_with_everything_in_it_has_nothing_personal_and_no_code() -> None:
    order = full_order()
    order = mailing.with_report(order, mail_report(Fate.COMPLAINED, mail_id="renewal-1"), NOW)
    order = replace(order, mails=(replace(order.mails[0], asked=Asked(NOW, "anna", "why")),))

    text = repr([told(each, "live") for each in came(order)])

    assert "mail.complained" in text
    for private in ("klant.example", "Jansen", "anna", order.licenses[0].code):
        assert private in repr(order)
        assert private not in text


def test_an_event_is_told_by_its_stage_and_in_whole_seconds() -> None:
    event = Event("evt_1", "order.waits", NOW.replace(microsecond=5), {"order_id": "1"}, 3)

    assert told(event, "test") == {
        "id": "evt_1",
        "type": "order.waits",
        "timestamp": "2026-11-23T12:00:00Z",
        "stage": "test",
        "sequence": 3,
        "data": {"order_id": "1"},
    }
