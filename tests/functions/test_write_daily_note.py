import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

import write_daily_note
from cli.local.mailbox import SentMail, SesFault
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core import contents, licensing, mailing, owed, renewals
from keypost.core.codes import StockCode
from keypost.core.daily_note import entry
from keypost.core.mail import Fate, MailSent, Purpose
from keypost.core.mailing import with_bad_address, with_report
from keypost.core.order import Reason, Renewal, waiting_for
from keypost.core.payment import PaymentState, Refunded, Remark
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of
from keypost.core.said import Said
from keypost.table.outbox import events_in
from tests.builders import (
    NOW,
    PRODUCT,
    SKU,
    ZONE,
    Context,
    code,
    loaded,
    mail_report,
    notice,
    paid_order,
    sent_order,
    with_fates,
)
from tests.keypost.emails.reading import seen

NAME = PRODUCT.name["nl"]
MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)  # 07:30 in Amsterdam
SUBJECTS = ((24, "1 melding"), (26, "3 meldingen"))
Notes = Callable[[], list[SentMail]]


@pytest.fixture
def notes(local: LocalStack) -> Notes:
    """The notes that were sent during this test."""
    before = len(local.mailbox.mails)
    return lambda: [mail for mail in local.mailbox.mails[before:] if mail.to == ("hulp@voorbeeld.example",)]


def run(at: datetime = MORNING) -> None:
    with time_machine.travel(at, tick=False):
        write_daily_note.handler({}, Context())


def renewal(order_id: str, **changes: Any) -> Any:
    """A renewal whose mail is due today, and whose codes are out of stock."""
    first = MORNING.date() + timedelta(days=7)
    order = paid_order(order_id, Line(SKU, 3, Kind.RENEWAL, "base"), **changes)
    slot = Renewal(order_id, 1, 1, None, 365, NOW.date())
    term = term_of(slot, (first, first), PRODUCT, "base", ZONE)
    return renewals.with_terms(order, [replace(term, is_paid=order.is_paid)], None, NOW, ZONE)


def delivered(order_id: str) -> Any:
    return licensing.with_codes(paid_order(order_id), [StockCode("d", code(7), SKU)], {SKU: PRODUCT}, NOW, ZONE)


def test_support_gets_one_mail_a_day_that_says_what_waits_and_why(wired: Stack, notes: Notes) -> None:
    store = wired.store
    store.save(waiting_for(renewal("unpaid-1", state=PaymentState.OPEN), Reason.UNPAID, Said("its period"), NOW))
    store.save(paid_order("held-1", currency="USD"))
    store.save(waiting_for(renewal("short-1"), Reason.STOCK, Said("too few codes"), NOW))
    back = notice("block-1", state=None, refunded=Refunded(NOW, full=True))
    store.save(contents.with_payment(delivered("block-1"), back, NOW, "EUR"))

    for hours in (0, 2, 5):
        run(MORNING + timedelta(hours=hours))

    (mail,) = notes()
    assert ["klant.example" in repr(loaded(store, name)) for name in ("unpaid-1", "held-1", "short-1")] == [True] * 3
    assert code(7) in repr(loaded(store, "block-1"))
    for part in (mail.text, mail.html):
        for said in (
            "unpaid-1",
            "held-1",
            "er is betaald in USD, maar deze winkel verkoopt in EUR",
            "short-1",
            "block-1",
            "LIC-",
            code(7)[-5:],
        ):
            assert said in part
        assert code(7) not in part
        assert "klant.example" not in part
    assert mail.subject.strip() == "Keypost 24 november 2026: 4 bestellingen vragen actie, codes bestellen"


def test_a_day_on_which_there_is_nothing_to_say_has_no_mail(wired: Stack, notes: Notes, stocked: Any) -> None:
    stocked([code(number) for number in range(5)])
    run()

    assert notes() == []


def test_the_note_counts_what_came_into_the_inbox_since_the_note_before(
    wired: Stack, notes: Notes, stocked: Any
) -> None:
    stocked([code(number) for number in range(5)])

    def remark(hours: float) -> None:
        at = MORNING + timedelta(hours=hours)
        wired.store.put_remark(Remark("webhook", at, Said("nothing_bought"), f"order-{hours}"))

    remark(-25)  # before the first note there was one a day ago, as far as anybody knows
    remark(-2)
    run()
    run(MORNING + timedelta(days=1))
    for hours in (25, 26, 47):
        remark(hours)
    run(MORNING + timedelta(days=2))

    subjects = [mail.subject.strip() for mail in notes()]
    assert subjects == [f"Keypost {day} november 2026: {count}" for day, count in SUBJECTS]
    first, second = (mail.text for mail in notes())
    heading, line = (
        "Meldingen",
        "nieuw sinds de vorige e-mail: {}; zie Meldingen op de supportpagina, of keypost inbox",
    )
    assert [heading in first, line.format(1) in first] == [True, True]
    assert [heading in second, line.format(3) in second] == [True, True]


def test_the_next_day_has_its_own_mail(wired: Stack, notes: Notes) -> None:
    wired.store.save(paid_order("held-2", currency="USD"))

    run()
    run(MORNING + timedelta(days=1))

    assert len(notes()) == 2


def test_a_note_that_ses_refuses_leaves_with_the_next_run(
    wired: Stack, notes: Notes, local: LocalStack, logged: io.StringIO
) -> None:
    wired.store.save(paid_order("held-3", currency="USD"))
    faults = [SesFault(429, "TooManyRequestsException")]

    def refuse_once() -> None:
        if faults:
            raise faults.pop()

    local.mailbox.before_send = refuse_once
    run()
    assert notes() == []
    assert "DailyNoteNotSent" in logged.getvalue()

    run(MORNING + timedelta(hours=2))
    assert len(notes()) == 1


def test_two_runs_at_once_send_one_note(wired: Stack) -> None:
    today = MORNING.date()

    assert wired.store.begin_note(today, MORNING)
    assert not wired.store.begin_note(today, MORNING + timedelta(minutes=9))
    assert wired.store.begin_note(today, MORNING + timedelta(minutes=11))
    wired.store.end_note(today, MORNING)
    assert not wired.store.begin_note(today, MORNING + timedelta(days=1))


def test_the_note_says_how_many_codes_to_order_before_which_day(wired: Stack, notes: Notes, stocked: Any) -> None:
    stocked([code(number) for number in range(10)])
    for days in range(1, 16):
        wired.store.count_used(SKU, MORNING.date() - timedelta(days=days), 2)
    later = replace(renewal("later"), terms=())
    slot = Renewal("later", 1, 1, None, 365, NOW.date())
    first = MORNING.date() + timedelta(days=50)
    wired.store.save(
        renewals.with_terms(later, [term_of(slot, (first, first), PRODUCT, "base", ZONE)], None, NOW, ZONE)
    )

    run()

    (mail,) = notes()
    assert f"{NAME}: 10 vrij, 3 gereserveerd, 0 nodig voor wachtende bestellingen, 30 gebruikt in 30 dagen" in mail.text
    assert f"{NAME}: bestel er 50, uiterlijk op 28 november 2026" in mail.text


def test_a_reason_with_many_orders_shows_some_and_counts_the_others(wired: Stack, notes: Notes) -> None:
    for number in range(33):
        wired.store.save(paid_order(f"many-{number:02}", currency="USD"))

    run()

    (mail,) = notes()
    assert mail.text.count("many-") == 30
    assert "en nog 3" in mail.text
    assert "33 bestellingen" in mail.subject


def test_the_note_is_in_the_language_of_support(wired: Stack, notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPOST_SUPPORT_LANGUAGE", "en")
    wiring.config.cache_clear()
    wired.store.save(paid_order("held-4", currency="USD"))

    run()

    (mail,) = notes()
    assert mail.subject.strip() == "Keypost 24 November 2026: 1 order needs action"


def test_an_address_that_takes_no_mail_and_a_mail_that_came_back_stand_in_the_note(wired: Stack, notes: Notes) -> None:
    wired.store.save(replace(with_fates(sent_order(), Fate.BOUNCED), id="bounced-1", version=0))
    wired.store.save(replace(with_fates(sent_order(), Fate.RETURNED), id="full-1", version=0))

    run()

    (mail,) = notes()
    assert "klant.example" in repr(loaded(wired.store, "bounced-1"))
    for part in (mail.text, seen(mail.html)):
        assert "Adressen waarop onze e-mail niet kan worden bezorgd" in part
        assert "onze e-mail kan op dit adres niet worden bezorgd" in part
        assert "full-1" in part
        assert "de e-mail met de codes is onbestelbaar teruggekomen" in part
        assert "klant.example" not in part


@pytest.mark.parametrize(
    ("language", "heading", "need"),
    [
        (
            "nl",
            "Adressen waarop onze e-mail niet kan worden bezorgd",
            "; de nieuwe periode begint op 1 december 2026, als de oude licentie is afgelopen",
        ),
        (
            "en",
            "Addresses to which our e-mail cannot be delivered",
            "; the new period starts on 1 December 2026, when the old licence has ended",
        ),
    ],
)
def test_a_renewal_that_bounced_is_told_with_the_day_by_which_its_customer_needs_it(
    wired: Stack, notes: Notes, monkeypatch: pytest.MonkeyPatch, language: str, heading: str, need: str
) -> None:
    monkeypatch.setenv("KEYPOST_SUPPORT_LANGUAGE", language)
    wiring.config.cache_clear()
    wired.store.save(with_report(mailed(renewal("2026-001234")), mail_report(Fate.BOUNCED, mail_id="renewal-1"), NOW))

    run()

    (mail,) = notes()
    for part in (mail.text, seen(mail.html)):
        assert heading in part
        assert need in part


def mailed(order: Any) -> Any:
    order = licensing.with_mail_of(order, owed.deliveries(order)[0], NOW)
    return mailing.settle_mail(order, order.mails[-1].id, 1, MailSent("ses-1"), NOW)


def test_a_renewal_that_arrived_is_in_no_hurry_when_its_reader_complains() -> None:
    order = with_report(mailed(renewal("2026-001234")), mail_report(Fate.COMPLAINED, mail_id="renewal-1"), NOW)

    assert entry(order, Reason.ADDRESS).why == Said("address_complained")


def test_a_renewal_of_which_only_a_notice_arrived_is_still_needed() -> None:
    order = mailing.owe_mail(renewal("2026-001234"), Purpose.WAITING, NOW, (1,))
    order = mailing.settle_mail(mailing.claim_mail(order, "waiting-1", NOW), "waiting-1", 1, MailSent("ses-1"), NOW)
    order = with_bad_address(order, "address_bounced", NOW, NOW)

    assert entry(order, Reason.ADDRESS).why.values["first_day"] == "2026-12-01"


def test_the_note_says_since_when_a_provider_does_not_call(
    wired: Stack, notes: Notes, stocked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked([code(number) for number in range(5)])
    for day in range(10, 0, -1):
        for provider in ("stripe", "mollie", "webhook"):
            wired.store.hear(provider, MORNING - timedelta(days=day))
    wired.store.hear("mollie", MORNING)

    run(MORNING + timedelta(hours=1))
    assert notes() == []
    monkeypatch.setenv("KEYPOST_QUIET_DOORS", "webhook=0")
    wiring.config.cache_clear()
    run(MORNING + timedelta(days=1))

    (mail,) = notes()
    assert mail.subject.strip() == "Keypost 25 november 2026: 1 koppeling meldt niets"
    for part in (mail.text, mail.html):
        assert "Stripe: geen melding sinds 23 november 2026 om 07:30" in part
        assert ("webhook:" in part, "mollie:" in part) == (False, False)


def test_every_line_of_the_note_leads_to_its_order_and_names_product_and_number_but_no_customer(
    wired: Stack, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPOST_SUPPORT_PAGE_URL", "https://desk.example/support")
    wiring.forget()
    wired.store.save(paid_order("note-linked", currency="USD", at=MORNING, name="Anna Jansen"))

    run()

    (mail,) = notes()
    text = mail.text
    assert "https://desk.example/support#/orders/note-linked" in text
    assert f"note-linked: {NAME}: " in text
    assert [private for private in ("Anna", "Jansen", "facturen@klant.example") if private in text] == []


def counted(logged: io.StringIO) -> dict[str, int]:
    return {line["message"]: line.get("count", 1) for line in map(json.loads, logged.getvalue().splitlines())}


def test_what_the_note_gathers_is_counted_for_the_dashboard(
    wired: Stack, logged: io.StringIO, stocked: Callable[[list[str]], None]
) -> None:
    stocked([code(number) for number in range(3)])
    wired.store.save(paid_order("held-1", currency="USD", at=MORNING - timedelta(hours=30)))
    wired.store.save(waiting_for(renewal("unpaid-1", state=PaymentState.OPEN), Reason.UNPAID, Said("its period"), NOW))

    run()

    found = counted(logged)
    assert (found["OrdersWaiting"], found["OldestWaitingHours"], found["StockDays"]) == (2, 30, 60)


def test_where_nothing_waits_and_nothing_is_sold_only_that_is_counted(wired: Stack, logged: io.StringIO) -> None:
    wired.store.put_product(replace(PRODUCT, retired_on=MORNING.date()))

    run()

    assert counted(logged) == {"OrdersWaiting": 0}


def told_of_stock(wired: Stack) -> list[Any]:
    """The events that wait in the table to leave."""
    items = wired.store._client.scan(TableName=wired.store.table)["Items"]
    found = (item for item in items if item["pk"]["S"].startswith("EVENT#"))
    return [each for item in found for each in events_in({"dynamodb": {"NewImage": item}})]


@pytest.mark.parametrize("tells", ["on", "off"])
def test_low_stock_is_told_once_a_day_to_those_who_want_events(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, tells: str
) -> None:
    monkeypatch.setenv("KEYPOST_TELLS_EVENTS", tells)
    wiring.forget()
    wired.store.save(waiting_for(paid_order(at=MORNING), Reason.STOCK, Said("too_few_codes", {"skus": [SKU]}), MORNING))

    run()
    first = told_of_stock(wired)
    run(MORNING + timedelta(hours=2))
    again = told_of_stock(wired)
    run(MORNING + timedelta(days=1))

    if tells == "off":
        assert first == again == told_of_stock(wired) == []
        return
    assert [(each.type, each.data["sku"], each.data["waiting"]) for each in first] == [("stock.low", SKU, 1)]
    assert again == first
    assert len(told_of_stock(wired)) == 2
