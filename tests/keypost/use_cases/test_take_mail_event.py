import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keypost.core import mailing
from keypost.core.mail import Fate, MailState, MailUnknown
from keypost.core.order import Order, Reason
from keypost.core.said import Said
from keypost.table import Store
from keypost.use_cases import take_mail_event
from keypost.use_cases.advance_order import Worker
from tests.builders import NOW, ZONE, Clock, code, event, leaked, loaded, log, paid_order, ses_event

ADDRESS = "facturen@klant.example"
Stocked = Callable[[list[str]], None]
FILES = {
    "send": (Fate.SENT, ""),
    "delivery": (Fate.DELIVERED, ""),
    "delivery_delay": (Fate.DELAYED, "MailboxFull"),
    "bounce_permanent": (Fate.BOUNCED, "Permanent General"),
    "bounce_suppressed": (Fate.BOUNCED, "Permanent OnAccountSuppressionList"),
    "bounce_transient": (Fate.RETURNED, "Transient MailboxFull"),
    "out_of_office": (Fate.RETURNED, "Transient General"),
    "complaint": (Fate.COMPLAINED, "abuse"),
    "reject": (Fate.REJECTED, "Bad content"),
}


@pytest.fixture
def bought(worker: Worker, store: Store, stocked: Stocked) -> Callable[[str], Order]:
    """An order whose mail SES accepted."""
    numbers = iter(range(1, 9))

    def buy(order_id: str) -> Order:
        stocked([code(next(numbers))])
        store.save(paid_order(order_id))
        worker.advance(order_id)
        return loaded(store, order_id)

    return buy


Bought = Callable[[str], Order]


@pytest.mark.parametrize(("name", "is_read"), FILES.items())
def test_every_kind_of_event_is_read(name: str, is_read: tuple[Fate, str]) -> None:
    report = take_mail_event.read(event(f"ses/{name}.json"))

    assert report is not None
    assert (report.fate, report.detail) == is_read
    assert (report.order_id, report.mail_id, report.attempt) == ("2026-001234", "purchase-1", 1)
    assert report.address == ADDRESS
    assert report.message_id == "0102018f3a5b7c9d-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000"
    assert report.sent_at == datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)


def test_an_event_has_the_moment_of_what_it_tells() -> None:
    report = take_mail_event.read(event("ses/complaint.json"))

    assert report is not None
    assert report.at == datetime(2026, 11, 23, 14, 12, 40, tzinfo=UTC)


def test_an_order_id_with_a_dot_is_read_from_its_tag() -> None:
    report = take_mail_event.read(ses_event("delivery", "2026_2e001_5f234"))

    assert report is not None
    assert report.order_id == "2026.001_234"


def test_a_new_sub_type_is_read_by_its_type() -> None:
    bounce = event("ses/bounce_permanent.json")["detail"]["bounce"] | {"bounceSubType": "NewIn2027"}

    report = take_mail_event.read(ses_event("bounce_permanent", bounce=bounce))

    assert report is not None
    assert (report.fate, report.detail) == (Fate.BOUNCED, "Permanent NewIn2027")


def test_a_bounce_of_a_kind_that_nobody_knows_is_not_final() -> None:
    bounce = event("ses/bounce_permanent.json")["detail"]["bounce"] | {"bounceType": "Undetermined"}

    report = take_mail_event.read(ses_event("bounce_permanent", bounce=bounce))

    assert report is not None
    assert report.fate is Fate.RETURNED


def test_a_reader_who_says_that_it_is_no_spam_does_not_complain() -> None:
    complaint = event("ses/complaint.json")["detail"]["complaint"] | {"complaintFeedbackType": "not-spam"}

    assert take_mail_event.read(ses_event("complaint", complaint=complaint)) is None


def test_a_detail_in_another_form_is_left_out_and_the_event_counts() -> None:
    bounce = event("ses/bounce_permanent.json")["detail"]["bounce"] | {"bounceSubType": {"new": "in 2027"}}

    report = take_mail_event.read(ses_event("bounce_permanent", bounce=bounce))

    assert report is not None
    assert (report.fate, report.detail) == (Fate.BOUNCED, "Permanent")


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "x" * 10_000, "9" * 5000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
FIELDS = [
    *("detail", "detail.mail", "detail.eventType", "detail.bounce", "detail.bounce.bounceType"),
    *("detail.bounce.bounceSubType", "detail.bounce.timestamp", "detail.mail.tags", "detail.mail.tags.order"),
    *("detail.mail.tags.mail", "detail.mail.tags.attempt", "detail.mail.destination", "detail.mail.messageId"),
    *("detail.mail.timestamp", "detail.mail.tags.attempt.0", "detail.mail.tags.order.0", "detail.mail.destination.0"),
]


@settings(max_examples=500)
@given(st.sampled_from(FIELDS), ODD | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]))
def test_an_event_with_anything_in_any_field_is_read_as_plain_text_or_not_at_all(field: str, odd: Any) -> None:
    envelope = event("ses/bounce_permanent.json")
    *path, last = (int(name) if name.isdigit() else name for name in field.split("."))
    inner = envelope
    for name in path:
        inner = inner[name]
    inner[last] = odd

    if report := take_mail_event.read(envelope):
        for text in (report.order_id, report.mail_id, report.detail, report.address, report.message_id):
            assert text.isprintable()
            assert len(text) <= 700


def test_a_complaint_about_what_ses_did_not_send_means_that_nothing_arrived() -> None:
    complaint = event("ses/complaint.json")["detail"]["complaint"] | {"complaintSubType": "OnAccountSuppressionList"}

    report = take_mail_event.read(ses_event("complaint", complaint=complaint))

    assert report is not None
    assert report.fate is Fate.BOUNCED


STRANGE: list[Any] = [
    None,
    [],
    "text",
    {},
    {"detail": None},
    {"detail": {"eventType": "Bounce"}},
    ses_event("send", eventType="Open"),
    ses_event("send", eventType="Rendering Failure"),
    ses_event("bounce_permanent", bounce=None),
    ses_event("delivery", mail={}),
    ses_event("delivery", mail={"tags": {}}),
    ses_event("delivery", delivery={"timestamp": "yesterday"}),
    ses_event("delivery", delivery={"timestamp": 17}),
]


@pytest.mark.parametrize("envelope", STRANGE, ids=range(len(STRANGE)))
def test_what_is_not_as_known_is_counted_and_left_alone(store: Store, envelope: Any, logged: io.StringIO) -> None:
    take_mail_event.take(store, envelope, NOW, ZONE)

    assert "FeedbackIgnored" in logged.getvalue()


@pytest.mark.parametrize(
    ("order_id", "mail_id"), [("nobody", "purchase-1"), ("known", "purchase-7"), ("none", "daily-note-2026-11-23")]
)
def test_what_is_told_of_a_mail_that_is_not_kept_here_is_counted_and_left_alone(
    store: Store, order_id: str, mail_id: str, logged: io.StringIO
) -> None:
    before = store.save(paid_order("known"))

    take_mail_event.take(store, ses_event("delivery", order_id, mail_id), NOW, ZONE)

    assert loaded(store, "known") == before
    assert "FeedbackIgnored" in logged.getvalue()


def test_a_bounce_of_a_mail_that_is_not_kept_here_says_nothing_of_its_address(store: Store) -> None:
    take_mail_event.take(store, ses_event("bounce_permanent", "nobody"), NOW, ZONE)

    assert store.bad_address(ADDRESS) is None


def test_a_daily_note_that_comes_back_is_counted_for_its_alarm(store: Store, logged: io.StringIO) -> None:
    take_mail_event.take(store, ses_event("bounce_permanent", "none", "daily-note-2026-11-23"), NOW, ZONE)

    assert "DailyNoteBounced" in logged.getvalue()


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("delivery", "MailDelivered"),
        ("delivery_delay", "MailDelayed"),
        ("bounce_permanent", "MailBounced"),
        ("bounce_transient", "MailReturned"),
        ("complaint", "MailComplained"),
        ("reject", "MailRejected"),
    ],
)
def test_what_is_told_stands_in_the_order_and_is_counted_once_without_an_address(
    store: Store, bought: Bought, logged: io.StringIO, name: str, metric: str
) -> None:
    bought("told-1")

    for _ in range(3):
        take_mail_event.take(store, ses_event(name, "told-1"), NOW, ZONE)

    (one,) = loaded(store, "told-1").mail("purchase-1").told
    assert (one.fate, one.detail) == FILES[name]
    assert logged.getvalue().count(f'"message":"{metric}"') == 1
    assert leaked(["klant.example"], logged.getvalue, log) == []


def test_a_mail_whose_answer_was_lost_is_settled_and_not_sent_again(
    worker: Worker, store: Store, bought: Bought, clock: Clock, logged: io.StringIO
) -> None:
    order = bought("lost-1")
    mail = replace(order.mail("purchase-1"), state=MailState.SENDING, next_at=NOW, message_id=None, sent_at=None)
    order = mailing.settle_mail(replace(order, mails=(mail,)), mail.id, 1, MailUnknown(Said("lost")), NOW)
    store.save(order)

    take_mail_event.take(store, ses_event("send", "lost-1"), NOW, ZONE)
    clock.now += timedelta(days=1)
    worker.advance("lost-1")

    mail = loaded(store, "lost-1").mail("purchase-1")
    assert (mail.state, mail.attempts) == (MailState.SENT, 1)
    assert "MailSettled" in logged.getvalue()


def test_an_address_that_bounced_is_known_to_other_orders_by_its_digest_alone(
    worker: Worker, store: Store, bought: Bought, stocked: Stocked
) -> None:
    bought("bounced-1")
    take_mail_event.take(store, ses_event("bounce_permanent", "bounced-1"), NOW, ZONE)
    stocked([code(99)])
    store.save(paid_order("bounced-2"))

    worker.advance("bounced-2")

    order = loaded(store, "bounced-2")
    assert [license_.code for license_ in order.licenses] == [code(99)]  # set aside
    assert order.mails == ()
    assert order.waiting is not None
    assert order.waiting.why == Said("address_bounced")
    assert {found for page in store.needing(Reason.ADDRESS) for found in page} == {"bounced-1", "bounced-2"}
    items = store._client.scan(TableName=store.table)["Items"]
    (bounced,) = [item for item in items if item["pk"]["S"].startswith("BOUNCED#")]
    assert ADDRESS in json.dumps(items)  # its orders have it
    assert ADDRESS not in json.dumps(bounced)


def test_an_erased_customer_leaves_no_trace_by_a_late_bounce(store: Store, bought: Bought) -> None:
    order = bought("erased-1")
    store.save(replace(order, forget_on=NOW.date(), customer=replace(order.customer, email=None)))

    take_mail_event.take(store, ses_event("bounce_permanent", "erased-1"), NOW, ZONE)

    assert store.bad_address(ADDRESS) is None


def test_what_is_told_of_a_smoke_test_is_kept_for_who_waits(store: Store) -> None:
    for name in ("send", "delivery", "out_of_office"):
        take_mail_event.take(store, ses_event(name, "none", "smoke-1a2b-ooto"), NOW, ZONE)

    told_of = store.smoke(["smoke-1a2b-ooto", "smoke-1a2b-success"])
    assert told_of == {"smoke-1a2b-ooto": {Fate.SENT, Fate.DELIVERED, Fate.RETURNED}}


def test_an_order_called_none_is_an_order_as_others_are(store: Store, bought: Bought) -> None:
    bought("none")

    take_mail_event.take(store, ses_event("delivery", "none"), NOW, ZONE)

    outcome = loaded(store, "none").mail("purchase-1").outcome
    assert outcome is not None
    assert outcome.fate is Fate.DELIVERED
