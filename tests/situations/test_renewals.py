"""Renewals that surprise, as users of other systems reported them: a stranger's license, a code as the reference, a
part now and a part later, days that cannot be right, and what an agent can do about each."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.clients.mailer import tag_value
from keypost.core.mail import Asked, MailState
from keypost.core.order import Gone, Order, Reason
from keypost.core.payment import PaymentState, Refunded
from keypost.core.periods import morning_of
from keypost.core.plan import attention
from keypost.core.product import Kind, Line, Step
from keypost.core.said import said
from keypost.use_cases.look_ahead import due_within, gather_note
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, PRODUCT, SKU, ZONE, code, english, loaded, notice
from tests.functions.support_calls import call

RENEWAL, STOP = "/orders/{order_id}/lines/{n}/renewal", "/orders/{order_id}/lines/{n}/renewal/stop"
RELEASE, STORY, SEARCH = "/orders/{order_id}/release", "/orders/{order_id}", "/orders/search"
FIRST_DAY = date(2027, 11, 23)  # after a license that was sold on the day of NOW
JAN, PIET = "jan@klant.example", "piet@ander.example"
UNPAID: dict[str, Any] = {"state": PaymentState.OPEN}


class Desk:
    """A shop, its customers and an agent, at a time that the test sets."""

    def __init__(self, stack: Stack, local: LocalStack, clock: time_machine.Traveller) -> None:
        self.store, self.local, self.clock = stack.store, local, clock
        self.names: list[str] = []
        self.prefix = stack.store.table[-6:]

    @property
    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def id(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def tells(self, order: str, *lines: Line, **changes: Any) -> None:
        told = notice(self.id(order), *lines, **({"at": self.now, "email": JAN, "name": "Jan Geheim"} | changes))
        record(self.store, told, self.now, INTAKE)
        self.names = list(dict.fromkeys([*self.names, self.id(order)]))
        self.works()

    def renews(self, order: str, what: str = "base", quantity: int = 1, **changes: Any) -> None:
        about = {key: changes.pop(key) for key in ("period_start", "period_end") if key in changes}
        renewed = self.id(what) if what.partition("/")[0] in ("base", "other", "r1", "r2") else what
        line = Line(changes.pop("sku", SKU), quantity, Kind.RENEWAL, renewed, **about)
        self.tells(order, line, **changes)

    def works(self) -> None:
        for _ in range(3):  # a step of one order makes another one due
            for order_id in self.names:
                wiring.worker().advance(order_id)

    def at(self, day: date) -> None:
        self.clock.move_to(morning_of(day, ZONE))
        self.works()

    def order(self, name: str) -> Order:
        return loaded(self.store, self.id(name))

    def days(self, name: str) -> list[tuple[date, date]]:
        return [(term.first_day, term.last_day) for term in self.order(name).terms]

    def reason(self, name: str) -> Reason | None:
        needs = attention(self.order(name))
        return needs[0] if needs else None

    def texts(self, name: str) -> list[str]:
        tag = tag_value(self.id(name))
        return [mail.text for mail in self.local.mailbox.mails if mail.tags.get("order") == tag]

    def purposes(self, name: str) -> list[str]:
        return [mail.purpose.value for mail in self.order(name).mails]

    def calls(self, method: str, route: str, body: Any = None, *, name: str, n: int = 1) -> tuple[int, Any]:
        numbered: dict[str, Any] = {"n": str(n)} if "{n}" in route else {}
        answer = call(method, route, body, order_id=self.id(name), **numbered)
        self.works()
        return answer

    def shown(self, name: str) -> str:
        """All that a person can see of an order: by the API, in what is to come, in the daily note."""
        told = [self.calls("GET", STORY, name=name)[1], call("GET", "/due?days=366")[1], call("GET", "/inbox")[1]]
        told += [call("GET", "/attention")[1]]
        note = gather_note(self.store, self.now, ZONE, {})
        return json.dumps(told) + repr(note) + repr(due_within(self.store, 366, self.now, ZONE))

    def stored(self) -> str:
        pages = self.store._client.get_paginator("scan").paginate(TableName=self.store.table)
        items = [item for page in pages for item in page["Items"]]
        return repr([item for item in items if not item["pk"]["S"].startswith("CODE#")])


@pytest.fixture
def desk(wired: Stack, local: LocalStack) -> Iterator[Desk]:
    for sku in ("ESET", "PLUS"):
        wired.store.put_product(replace(PRODUCT, sku=sku, vendor=sku, download_url=f"https://{sku}.example/"))
    with time_machine.travel(NOW, tick=False) as clock:
        list(wired.store.add_codes(SKU, [code(number) for number in range(20)], "b", None))
        list(wired.store.add_codes("ESET", [code(number, "ESETT") for number in range(9)], "b", None))
        yield Desk(wired, local, clock)


# A license of somebody else


def test_a_renewal_of_a_license_that_moved_to_another_person_waits_and_a_person_lets_it_go(desk: Desk) -> None:
    """keygen #271: a license is handed on, and its former customer goes on paying for it."""
    desk.tells("base")
    moved = Gone(desk.order("base").licenses[0].id, "moved", "HAND-1")
    desk.store.change_existing(desk.id("base"), lambda order: replace(order, gone=(moved,)))
    desk.clock.move_to(NOW + timedelta(days=300))

    desk.renews("r1")

    (waits,) = desk.order("r1").waits
    assert (waits.reason, waits.why) == (Reason.OTHER_CUSTOMER, said("renewed_has_moved", line=1, order="HAND-1"))
    assert desk.order("base").renewals == ()
    assert desk.calls("POST", "/orders/{order_id}/release", {}, name="r1")[0] == 200
    assert desk.days("r1")[0][0] == FIRST_DAY


def test_a_typing_error_that_names_a_strangers_order_waits_and_the_owners_renewal_leaves_on_its_day(desk: Desk) -> None:
    """easydigitaldownloads/EDD #1175 and #9773: customers got keys of others; order numbers are sequential."""
    desk.tells("base")
    desk.clock.move_to(NOW + timedelta(days=355))

    desk.renews("r1", email=PIET, name=None)
    desk.renews("r2")

    assert desk.reason("r1") is Reason.OTHER_CUSTOMER
    why = said("of_other_customer", line=1, order=desk.id("base"))
    assert [(each.reason, each.why) for each in desk.order("r1").waits] == [(Reason.OTHER_CUSTOMER, why)]
    assert (desk.order("r1").customer.email, desk.order("r1").customer.name) == (PIET, None)
    assert (desk.order("r1").terms, desk.order("r1").registered, desk.texts("r1")) == ((), (), [])
    assert [renewal.order_id for renewal in desk.order("base").renewals] == [desk.id("r2")]
    assert desk.days("r2")[0][0] == FIRST_DAY
    desk.at(FIRST_DAY - timedelta(days=7))
    assert len(desk.texts("r2")) == 1


def test_an_unpaid_renewal_of_a_strangers_license_takes_no_place_either(desk: Desk) -> None:
    desk.tells("base")

    desk.renews("r1", email=PIET, **UNPAID)

    assert (desk.order("base").renewals, desk.order("r1").terms) == ((), ())
    assert desk.reason("r1") is Reason.OTHER_CUSTOMER


@pytest.mark.parametrize("names", ["base", "base/1", "license", "r1", "license of r1"])
def test_a_stranger_is_found_however_the_license_is_named_also_through_a_renewal(desk: Desk, names: str) -> None:
    desk.tells("base")
    desk.renews("r1")
    desk.at(FIRST_DAY - timedelta(days=7))
    ids = {"license": desk.order("base").licenses[0].id, "license of r1": desk.order("r1").licenses[0].id}

    desk.renews("r3", ids.get(names, names), email=PIET, period_start=date(2028, 1, 1))

    assert desk.reason("r3") is Reason.OTHER_CUSTOMER
    assert desk.days("r3") == []


@pytest.mark.parametrize(
    ("email", "corrected"),
    [
        (JAN.upper(), None),
        (None, None),
        ("nieuw@klant.example", "nieuw@klant.example"),  # the address that the order has now
        (JAN, "nieuw@klant.example"),  # the one that it had
    ],
)
def test_a_customer_is_the_same_by_any_address_that_the_order_has_or_had(
    desk: Desk, email: str | None, corrected: str | None
) -> None:
    desk.tells("base")
    if corrected:
        wiring.desk().correct_address(desk.id("base"), corrected, Asked(desk.now, "anna"))

    desk.renews("r1", email=email)

    assert desk.reason("r1") is None
    assert desk.days("r1")[0][0] == FIRST_DAY
    assert desk.order("r1").customer.email in (corrected, JAN.upper(), JAN)


def test_a_customer_whose_order_was_erased_cannot_be_compared_so_a_person_looks(desk: Desk) -> None:
    desk.tells("base")
    wiring.desk().erase(JAN, Asked(desk.now, "anna"), 7)

    desk.renews("r1", email=PIET)

    assert [each.why.code for each in desk.order("r1").waits] == ["renewed_was_erased"]


def test_a_person_lets_the_accountants_renewal_go_and_it_names_nobody_else(desk: Desk) -> None:
    """The accountant of the customer pays, with an address of their own."""
    desk.tells("base")
    desk.renews("r1", email=PIET, name=None)

    assert desk.calls("POST", RELEASE, {"reason": "their accountant"}, name="r1")[0] == 200

    assert desk.reason("r1") is None
    assert desk.days("r1")[0][0] == FIRST_DAY
    desk.at(FIRST_DAY - timedelta(days=7))
    (text,) = [each for each in desk.texts("r1") if code(1)[:5] in each]
    assert "Geheim" not in text
    assert desk.order("r1").customer.email == PIET
    desk.clock.move_to(morning_of(FIRST_DAY + timedelta(days=330), ZONE))
    desk.renews("r2", email=PIET, name=None)  # by then the accountant is known
    assert desk.reason("r2") is None


def test_a_decision_of_a_person_does_not_outlive_another_customer_of_the_order(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", email=PIET, **UNPAID)
    with pytest.raises(AssertionError):  # it cannot be released before it is paid, and waits
        assert desk.days("r1")
    desk.renews("r1", email=PIET)
    assert desk.calls("POST", RELEASE, {}, name="r1")[0] == 200
    desk.store.change_existing(
        desk.id("r1"),
        lambda order: replace(order, terms=(), customer=replace(order.customer, email="derde@ander.example")),
    )

    desk.works()

    assert desk.reason("r1") is Reason.OTHER_CUSTOMER


def test_the_right_license_can_be_given_and_then_nothing_waits(desk: Desk) -> None:
    desk.tells("base")
    desk.tells("other", email=PIET, name="Piet Eigen")
    desk.clock.move_to(NOW + timedelta(days=355))
    desk.renews("r1", email=PIET, name=None)
    own = desk.order("other").licenses[0].id

    answer = desk.calls("PUT", RENEWAL, {"renews": own, "reason": "asked the customer"}, name="r1")

    assert answer == (200, {"order_id": desk.id("r1"), "line": 1, "renews": own, "period_start": None})
    assert desk.reason("r1") is None
    assert (desk.days("r1")[0][0], desk.order("r1").customer.name) == (FIRST_DAY, "Piet Eigen")
    assert desk.order("base").renewals == ()
    (entry,) = [each for each in desk.order("r1").timeline if each.code == "renewal_decided"]
    assert (entry.who, entry.words, entry.values) == ("anna", "asked the customer", {"line": 1, "renews": own})


def test_another_strangers_license_is_given_only_with_a_confirmation(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", "2019-000001", email=PIET, period_start=date(2026, 12, 24))
    theirs = desk.order("base").licenses[0].id

    status, problem = desk.calls("PUT", RENEWAL, {"renews": theirs}, name="r1")

    assert (status, problem["code"], desk.order("base").renewals) == (409, "renewal_of_others", ())
    confirmed = desk.calls("PUT", RENEWAL, {"renews": theirs, "confirmed": True}, name="r1")
    assert (confirmed[0], desk.reason("r1")) == (200, None)
    assert [renewal.order_id for renewal in desk.order("base").renewals] == [desk.id("r1")]


# A code as the reference


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        " {} ",
        "{}\u200b",
        "\u00a0{}\u2060",
        "Licentiecode: {}.",
        "lower",
        "spaces",
        "no-break",
        "dashes",
        "soft hyphens",
    ],
)
def test_an_activation_code_in_renews_is_understood_in_any_spelling_and_told_nowhere(desk: Desk, typed: str) -> None:
    """devinsays/edd-theme-updater #1 and #12, EDD renewals by `edd_license_key`: a customer has the code at hand."""
    desk.tells("base")
    (license_,) = desk.order("base").licenses
    own = license_.code
    spellings = {
        "lower": own.lower(),
        "spaces": own.replace("-", " "),
        "no-break": own.replace("-", "\u2011"),
        "dashes": own.replace("-", " \u2013 "),
        "soft hyphens": own.replace("-", "\u00ad-"),
    }

    desk.renews("r1", spellings.get(typed, typed.format(own)))

    assert desk.order("r1").lines[0].renews == license_.id
    assert desk.days("r1")[0][0] == FIRST_DAY
    assert own not in repr(desk.order("r1"))
    assert own[:17] not in desk.shown("r1").upper()


def test_a_code_that_nobody_knows_is_stored_and_told_by_its_end_only(desk: Desk) -> None:
    unknown = "ZZZZZ-YYYYY-XXXXX-WWW99"
    desk.renews("r1", unknown)

    assert desk.order("r1").lines[0].renews == "…WWW99"
    assert desk.reason("r1") is Reason.RENEWS
    for channel in (desk.stored(), desk.shown("r1")):
        assert unknown[:17] not in channel
        assert "WWW99" in channel  # what is looked for would be there


@pytest.mark.parametrize(
    "number", ["2019-000001", "WC-2026-000123", "base", "SHOP-2026-0001", "sub_1SXkeypost", "LIC-AAAAAAAAAA"]
)
def test_a_number_that_is_not_known_here_is_no_code_and_is_told(desk: Desk, number: str) -> None:
    desk.renews("r1", number)

    assert desk.order("r1").lines[0].renews in (number, desk.id(number))
    assert desk.reason("r1") is Reason.RENEWS


def test_words_that_are_no_reference_are_not_kept_as_they_may_name_a_person(desk: Desk) -> None:
    desk.renews("r1", "the one of Anna Jansen")

    assert desk.order("r1").lines[0].renews == "…"
    assert desk.reason("r1") is Reason.RENEWS
    assert "Jansen" not in desk.stored()


def test_of_words_around_an_unknown_code_nothing_is_kept(desk: Desk) -> None:
    desk.renews("r1", "van Anna Jansen: ZZZZZ-YYYYY-XXXXX-WWW99 (oud)")

    assert desk.order("r1").lines[0].renews == "…WWW99"
    assert "Jansen" not in desk.stored()
    assert "WWW99" in desk.stored()  # what is looked for would be there


def test_an_agent_may_give_the_code_and_gets_the_license_in_the_answer(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", "2019-000001")
    (license_,) = desk.order("base").licenses

    status, answer = desk.calls("PUT", RENEWAL, {"renews": license_.code.lower().replace("-", " ")}, name="r1")

    assert (status, answer["renews"]) == (200, license_.id)
    assert license_.code not in json.dumps(answer)
    status, problem = desk.calls("PUT", RENEWAL, {"renews": "QQQQQ-QQQQQ-QQQQQ-QQQQ7"}, name="r1")
    assert (status, problem["code"], problem["values"]) == (409, "renewal_of_unknown", {"renews": "…QQQQ7"})


def test_a_code_that_was_swapped_names_the_license_that_had_it(desk: Desk) -> None:
    desk.tells("base")
    (before,) = desk.order("base").licenses
    wiring.desk().swap_code(desk.id("base"), before.id, "invalid", Asked(desk.now, "anna"))

    desk.renews("r1", before.code)

    assert desk.order("r1").lines[0].renews == before.id


@pytest.mark.parametrize("field", ["license", "order"])
def test_search_has_the_same_spelling_rule(desk: Desk, field: str) -> None:
    desk.tells("base")
    exact = {"license": desk.order("base").licenses[0].id, "order": desk.id("base")}[field]

    typed = "\u200b " + exact.replace("-", " \u2013 ") + "\u00a0"
    status, found = call("POST", SEARCH, {field: typed.lower() if field == "license" else typed})

    assert (status, [each["order_id"] for each in found["orders"]]) == (200, [desk.id("base")])


# Parts of a line, and payments that surprise


def test_three_of_five_now_and_two_next_week_run_side_by_side(desk: Desk) -> None:
    """spatie/spatie.be #171, MicrosoftDocs #7699, TablePlus #3153: some licenses of an order are renewed."""
    desk.tells("base", Line(SKU, 5))
    desk.clock.move_to(NOW + timedelta(days=340))
    desk.renews("r1", quantity=3)
    desk.clock.move_to(NOW + timedelta(days=347))
    desk.renews("r2", quantity=2)

    assert (desk.days("r1")[0][0], desk.days("r2")[0][0]) == (FIRST_DAY, FIRST_DAY)
    assert (desk.reason("r1"), desk.reason("r2")) == (None, None)
    desk.at(FIRST_DAY - timedelta(days=7))
    assert [desk.purposes(name)[-1] for name in ("r1", "r2")] == ["renewal", "renewal"]


def test_a_part_that_does_not_fit_any_more_stands_behind_and_a_person_is_asked_once(desk: Desk) -> None:
    """EDD #3703, IlluminatedCloud #2849: a renewal is paid twice by accident."""
    desk.tells("base", Line(SKU, 5))
    desk.clock.move_to(NOW + timedelta(days=340))
    desk.renews("r1", quantity=3)
    desk.renews("r2", quantity=3)

    second = FIRST_DAY + timedelta(days=365)
    assert desk.days("r2")[0][0] == second
    assert desk.reason("r2") is Reason.UNUSUAL_START
    (waiting,) = desk.order("r2").waits
    assert waiting.why == said(
        "unusual_start",
        line=1,
        why=said("period_behind_another", first_day=second, last_day=second + timedelta(days=364), order=desk.id("r1")),
    )
    assert english(waiting.why) == (
        f"line 1: order {desk.id('r1')} was paid for the same licences, so the period would not start until"
        " 22 November 2028"
    )
    rows = [row for row in due_within(desk.store, 30, desk.now, ZONE) if row.order_id == desk.id("r2")]
    assert [(row.why_not and row.why_not.code) for row in rows] == []  # its day is a year away
    assert desk.calls("POST", RELEASE, {"reason": "two years at once"}, name="r2")[0] == 200
    assert (desk.reason("r2"), desk.days("r2")[0][0]) == (None, second)
    desk.at(FIRST_DAY)
    desk.at(second - timedelta(days=7))
    assert len(desk.texts("r2")[-1]) > 0
    assert "renewal" in desk.purposes("r2")


def test_nothing_leaves_of_a_renewal_that_waits_whoever_pokes_it_on_its_day(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", period_start=date(2025, 1, 1))
    assert desk.reason("r1") is Reason.UNUSUAL_START

    for day in range(40):
        desk.at(NOW.date() + timedelta(days=day))

    assert (desk.texts("r1"), desk.order("r1").licenses) == ([], ())


@pytest.mark.parametrize(
    ("period", "why"),
    [
        ({"period_start": date(2025, 1, 1)}, "period_is_over"),  # to the end of 2025
        ({"period_start": date(2027, 12, 29)}, "period_far_ahead"),  # 401 days
        ({"period_start": date(2026, 12, 1), "period_end": date(2029, 11, 30)}, "period_outlasts_term"),
        ({"period_start": date(2026, 12, 1), "period_end": date(2028, 1, 1)}, "period_outlasts_term"),  # 32 days more
    ],
)
def test_days_on_a_card_that_cannot_be_right_wait_and_are_let_go_for_ever(
    desk: Desk, period: dict[str, Any], why: str
) -> None:
    """The card's days were checked for their form only."""
    desk.renews("r1", "2019-000001", **period)

    assert [each.why.values["why"].code for each in desk.order("r1").waits] == [why]
    assert desk.calls("POST", RELEASE, {}, name="r1")[0] == 200
    assert desk.reason("r1") is None
    desk.renews("r1", "2019-000001", **period)  # told again
    desk.store.change_existing(desk.id("r1"), lambda order: replace(order, terms=()))
    desk.works()
    assert desk.reason("r1") is None


@pytest.mark.parametrize(
    "period",
    [
        {"period_start": date(2026, 11, 1)},  # it runs
        {"period_start": date(2027, 12, 28)},  # 400 days ahead
        {"period_start": date(2026, 12, 1), "period_end": date(2027, 12, 31)},  # 31 days more
        {"period_start": date(2026, 12, 1), "period_end": date(2027, 3, 1)},  # until all licenses end
    ],
)
def test_days_that_can_be_right_ask_nobody(desk: Desk, period: dict[str, Any]) -> None:
    desk.renews("r1", "2019-000001", **period)

    assert desk.reason("r1") is None


def test_a_late_payment_asks_nobody_nor_does_one_each_year_ahead(desk: Desk) -> None:
    desk.tells("base")
    desk.clock.move_to(NOW + timedelta(days=200))
    desk.renews("r1")
    desk.at(FIRST_DAY - timedelta(days=7))
    desk.clock.move_to(NOW + timedelta(days=365 + 180))
    desk.renews("r2")  # half a year ahead, while r1 runs
    desk.at(FIRST_DAY + timedelta(days=365 - 7))
    desk.clock.move_to(NOW + timedelta(days=365 * 3 + 90))
    desk.renews("r4")  # long after the last one ended

    assert [desk.reason(name) for name in ("r1", "r2", "r4")] == [None, None, None]
    assert desk.days("r4")[0][0] == desk.now.date()


def test_the_reminders_of_one_part_are_not_kept_back_by_the_part_beside_it(desk: Desk) -> None:
    desk.store.put_product(replace(PRODUCT, reminder_days=(7,)))
    desk.tells("base", Line(SKU, 5))
    desk.clock.move_to(NOW + timedelta(days=340))
    desk.renews("r1", quantity=3)
    desk.renews("r2", quantity=2)
    desk.at(FIRST_DAY - timedelta(days=7))

    desk.at(FIRST_DAY + timedelta(days=365 - 8))

    assert [desk.purposes(name)[-1] for name in ("r1", "r2")] == ["reminder", "reminder"]


def test_a_part_whose_money_went_back_moves_nobody_who_runs_beside_it(desk: Desk) -> None:
    desk.tells("base", Line(SKU, 5))
    desk.clock.move_to(NOW + timedelta(days=300))
    desk.renews("r1", quantity=3)
    desk.renews("r2", quantity=2)

    desk.tells("r1", state=None, refunded=Refunded(desk.now, full=True))

    assert desk.days("r2")[0][0] == FIRST_DAY
    assert desk.order("base").renewals[0].moved_up_on is None


# The agent moves it, and stops it


def test_an_agent_starts_a_renewal_now_that_was_to_start_next_year(desk: Desk) -> None:
    """EDD #9754, edd-manual-purchases #14: the day of a renewal could not be changed."""
    desk.tells("base")
    desk.renews("r1")
    assert desk.days("r1")[0][0] == FIRST_DAY

    status, answer = desk.calls("PUT", RENEWAL, {"period_start": "now", "reason": "wants it today"}, name="r1")

    assert (status, answer["period_start"]) == (200, "2026-11-23")
    assert desk.days("r1") == [(date(2026, 11, 23), date(2027, 11, 22))]
    assert desk.purposes("r1")[-1] == "renewal"
    desk.renews("r1", at=desk.now)  # the shop says the same again
    assert desk.order("r1").lines[0].period_start == date(2026, 11, 23)


def test_a_move_to_a_later_day_gives_reserved_codes_back_and_they_are_there_again_in_time(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1")
    desk.at(FIRST_DAY - timedelta(days=20))
    assert len(desk.order("r1").licenses) == 1
    free = desk.store.count_free(SKU, desk.now.date(), 99)

    later = FIRST_DAY + timedelta(days=100)
    assert desk.calls("PUT", RENEWAL, {"period_start": later.isoformat()}, name="r1")[0] == 200

    assert (desk.order("r1").licenses, desk.store.count_free(SKU, desk.now.date(), 99)) == ((), free + 1)
    desk.at(later - timedelta(days=7))
    assert desk.order("r1").licenses[0].first_day == later


def test_a_renewal_that_is_moved_away_lets_those_behind_it_move_up(desk: Desk) -> None:
    desk.tells("base")
    desk.tells("other")
    desk.renews("r1")
    desk.renews("r2")
    assert desk.days("r2")[0][0] == FIRST_DAY + timedelta(days=365)

    assert desk.calls("PUT", RENEWAL, {"renews": desk.id("other")}, name="r1")[0] == 200

    assert [renewal.order_id for renewal in desk.order("base").renewals] == [desk.id("r2")]
    assert [renewal.order_id for renewal in desk.order("other").renewals] == [desk.id("r1")]
    assert (desk.days("r1")[0][0], desk.days("r2")[0][0], desk.reason("r2")) == (FIRST_DAY, FIRST_DAY, None)


def test_one_line_of_two_moves_to_another_part_and_the_other_line_keeps_its_place(desk: Desk) -> None:
    desk.tells("base", Line(SKU, 1), Line("ESET", 1))
    both = (Line(SKU, 1, Kind.RENEWAL, desk.id("base/1")), Line("ESET", 1, Kind.RENEWAL, desk.id("base/2")))
    desk.tells("r1", *both)
    desk.tells("other", Line("ESET", 1))

    assert desk.calls("PUT", RENEWAL, {"renews": desk.id("other")}, name="r1", n=2)[0] == 200

    assert [(each.line, each.of_line) for each in desk.order("base").renewals] == [(1, 1)]
    assert [(each.line, each.of_line) for each in desk.order("other").renewals] == [(2, 1)]
    assert desk.order("r1").registered == tuple(sorted((desk.id("base"), desk.id("other"))))


def test_a_line_that_was_not_clear_is_said_so_and_the_answer_that_is_asked_for_works(desk: Desk) -> None:
    """A base with two lines and a renewal with a third product: both ends are known, the line is not."""
    desk.tells("base", Line(SKU, 1), Line("ESET", 1))
    desk.renews("r1", sku="PLUS")

    (waiting,) = desk.order("r1").waits
    assert (waiting.reason, waiting.why) == (Reason.RENEWS, said("renewed_line_unclear", line=1, order=desk.id("base")))
    status, problem = desk.calls("PUT", RENEWAL, {"renews": desk.id("base")}, name="r1")
    assert (status, problem["code"]) == (409, "renewal_line_unclear")
    assert desk.calls("PUT", RENEWAL, {"renews": desk.id("base/2")}, name="r1")[0] == 200
    assert (desk.reason("r1"), desk.days("r1")[0][0]) == (None, FIRST_DAY)


def test_a_stopped_renewal_gives_its_codes_and_its_place_back_and_the_refund_is_asked_for(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1")
    desk.renews("r2")
    desk.at(FIRST_DAY - timedelta(days=20))
    free = desk.store.count_free(SKU, desk.now.date(), 99)

    status, answer = desk.calls("POST", STOP, {"reason": "went elsewhere"}, name="r1")

    assert (status, answer["next"]["code"]) == (200, "refund_stopped")
    assert desk.calls("POST", STOP, {}, name="r1")[0] == 200  # and again
    assert (desk.order("r1").licenses, desk.order("r1").terms, desk.order("r1").registered) == ((), (), ())
    assert desk.store.count_free(SKU, desk.now.date(), 99) in (free, free + 1)  # r2 may have got it
    assert (desk.days("r2")[0][0], desk.reason("r1")) == (FIRST_DAY, Reason.STOPPED)
    (told,) = desk.calls("GET", STORY, name="r1")[1]["lines"]
    assert told["stopped"] is True
    desk.at(FIRST_DAY)
    assert "renewal" not in desk.purposes("r1")
    desk.tells("r1", state=None, refunded=Refunded(desk.now, "39.95"))
    assert desk.reason("r1") is None


def test_a_stopped_renewal_may_go_on_after_all(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1")
    desk.calls("POST", STOP, {}, name="r1")

    assert desk.calls("PUT", RENEWAL, {"period_start": None}, name="r1")[0] == 200

    assert (desk.reason("r1"), desk.days("r1")[0][0]) == (None, FIRST_DAY)


def test_a_renewal_that_is_stopped_before_it_is_paid_is_not_served_when_the_money_comes(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", **UNPAID)
    status, answer = desk.calls("POST", STOP, {}, name="r1")
    assert (status, answer["next"]["code"], desk.order("base").renewals) == (200, "nothing", ())

    desk.renews("r1")

    assert (desk.order("r1").terms, desk.reason("r1")) == ((), Reason.STOPPED)


def test_what_was_sent_is_neither_moved_nor_stopped_and_the_reason_says_when_it_left(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1", period_start=NOW.date())
    assert desk.purposes("r1") == ["renewal"]

    for method, route, body in (("PUT", RENEWAL, {"period_start": "now"}), ("POST", STOP, {})):
        status, problem = desk.calls(method, route, body, name="r1")
        assert (status, problem["code"]) == (409, "renewal_not_changed")
        assert problem["values"]["why"]["code"] == "renewal_has_left"
        assert "23 November 2026 at 13:00" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code_"),
    [
        ({}, 422, "not_as_agreed"),
        ({"renews": ""}, 422, "not_as_agreed"),
        ({"period_start": "tomorrow"}, 422, "not_as_agreed"),
        ({"period_start": "1999-12-31"}, 422, "not_as_agreed"),
        ({"period_start": "2025-11-23"}, 409, "renewal_is_over"),
        ({"renews": "2019-000009"}, 409, "renewal_of_unknown"),
    ],
)
def test_bad_input_changes_nothing_and_says_what_is_wrong(
    desk: Desk, body: dict[str, Any], status: int, code_: str
) -> None:
    desk.tells("base")
    desk.renews("r1")
    before = desk.order("r1")

    answer = desk.calls("PUT", RENEWAL, body, name="r1")

    assert (answer[0], answer[1]["code"]) == (status, code_)
    assert desk.order("r1").decisions == before.decisions == ()


def test_only_a_renewal_of_an_order_that_is_there_can_be_decided_of(desk: Desk) -> None:
    desk.tells("base")

    answers = [
        desk.calls("PUT", RENEWAL, {"period_start": "now"}, name=name, n=n)
        for name, n in (("nobody", 1), ("base", 7), ("base", 1))
    ]
    itself = desk.calls("POST", STOP, {}, name="base", n=1)

    assert [(status, problem["code"]) for status, problem in [*answers, itself]] == [
        (404, "no_such_order"),
        (404, "no_such_line"),
        (409, "not_a_renewal"),
        (409, "not_a_renewal"),
    ]
    desk.renews("r1")
    assert desk.calls("PUT", RENEWAL, {"renews": desk.id("r1")}, name="r1")[1]["code"] == "renewal_of_itself"


# Another product at the renewal


def test_a_renewal_with_another_program_is_a_first_installation_with_the_period_of_a_renewal(desk: Desk) -> None:
    """license-manager-for-woocommerce #154 and #165, polar #5478, Freemius #147: customers change at the renewal."""
    steps = {
        Kind.NEW: {"nl": (Step("Installeer."),), "en": (Step("x"),)},
        Kind.RENEWAL: {"nl": (Step("Open."),), "en": (Step("y"),)},
    }
    eset = replace(PRODUCT, sku="ESET", vendor="ESET", download_url="https://eset.example/", steps=steps)
    desk.store.put_product(eset)
    desk.tells("base")
    desk.renews("r1", sku="ESET", period_start=NOW.date() + timedelta(days=3))

    (text,) = desk.texts("r1")

    assert "Periode volgens onze gegevens: 26 november 2026" in text
    assert ("Installeer." in text, "Open." in text, "https://eset.example/" in text) == (True, False, True)
    assert "staat al op uw apparaat" not in text
    assert "u verliest geen dagen" not in text
    desk.calls("POST", "/orders/{order_id}/resend", {}, name="r1")
    assert "staat al op uw apparaat" not in desk.texts("r1")[-1]
    desk.tells("other")
    desk.renews("r2", "other", period_start=NOW.date() + timedelta(days=3))  # the control: the same program
    assert "staat al op uw apparaat" in desk.texts("r2")[0]
    assert "u verliest geen dagen" in desk.texts("r2")[0]


def test_a_product_that_is_installed_from_the_same_link_is_the_same_program(desk: Desk) -> None:
    desk.store.put_product(replace(PRODUCT, sku="PLUS", devices=5))
    desk.tells("base")
    desk.renews("r1", sku="PLUS")

    assert [term.is_other_product for term in desk.order("r1").terms] == [False]


# Paid ahead


def test_a_renewal_that_is_paid_long_before_is_announced_once(desk: Desk) -> None:
    """EDD-Conditional-Emails #6: who paid ahead heard nothing for months."""
    desk.tells("base")
    desk.renews("r1")

    (text,) = desk.texts("r1")

    assert desk.purposes("r1") == ["paid_ahead"]
    assert "nieuwe periode vanaf 23 november 2027" in text
    assert "16 november 2027" in text
    assert code(1)[:17] not in text
    desk.store.change_existing(desk.id("r1"), lambda order: replace(order, terms=()))
    desk.works()
    desk.at(FIRST_DAY - timedelta(days=7))
    assert desk.purposes("r1") == ["paid_ahead", "renewal"]


@pytest.mark.parametrize("days", [7, 10])  # the mail leaves at once, or in three days
def test_what_is_paid_shortly_before_its_mail_is_not_announced(desk: Desk, days: int) -> None:
    desk.tells("base")
    desk.clock.move_to(morning_of(FIRST_DAY - timedelta(days=days), ZONE))
    desk.renews("r1")

    assert "paid_ahead" not in desk.purposes("r1")


def test_nothing_is_announced_of_what_waits_for_a_person_before_that_person_agrees(desk: Desk) -> None:
    desk.tells("base")
    desk.renews("r1")
    desk.renews("r2")
    assert desk.purposes("r2") == []

    desk.calls("POST", RELEASE, {}, name="r2")

    assert desk.purposes("r2") == ["paid_ahead"]


def test_a_setting_turns_the_announcement_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPOST_PAID_AHEAD", "off")
    wiring.forget()
    desk.tells("base")
    desk.renews("r1")

    assert desk.purposes("r1") == []


def test_an_announcement_that_became_untrue_before_it_left_is_dropped(desk: Desk) -> None:
    desk.tells("base")

    def refuse() -> None:
        raise SesFault(429, "TooManyRequestsException")

    desk.local.mailbox.before_send = refuse
    desk.renews("r1")
    assert [mail.state for mail in desk.order("r1").mails] == [MailState.PENDING]

    desk.local.mailbox.before_send = lambda: None
    desk.calls("POST", STOP, {}, name="r1")

    assert [mail.state for mail in desk.order("r1").mails] == [MailState.DROPPED]
