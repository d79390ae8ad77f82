"""A person who is forgotten, under all addresses; and customers who are forgotten by themselves."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

import find_due_orders
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.errors import NotFound
from keypost.core.finding import hidden_address
from keypost.core.mail import Asked
from keypost.core.order import Gone, Hold, Order, Reason, Renewal, Subscription, waiting_for
from keypost.core.payment import PaymentState, Refunded
from keypost.core.product import Kind, Line
from keypost.core.said import said
from keypost.emails.daily_note import compose_daily_note
from keypost.table import Store
from keypost.use_cases.forget_customers import forget_some
from keypost.use_cases.look_ahead import gather_note
from keypost.use_cases.poke_due import FORGET
from tests.builders import (
    NOW,
    SHOP,
    SKU,
    ZONE,
    loaded,
    of_customer,
    paid_order,
    pokes,
    put_item,
    sent_order,
    stored_item,
)
from tests.functions.support_calls import Context, call

ASKED = Asked(NOW, "anna")
OLD, NEW, OTHER = "old@klant.example", "new@klant.example", "iemand@elders.example"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def jan(wired: Stack) -> Store:
    """Jan bought as old@ and renewed as new@; somebody else bought as well."""
    store = wired.store
    first = paid_order("first", email=OLD, name="Jan de Vries")
    store.save(replace(first, renewals=(Renewal("renewal", 1, 1, None, 365),)))
    store.save(paid_order("renewal", Line(SKU, 1, Kind.RENEWAL, "first"), email=NEW, name="Jan de Vries"))
    store.save(paid_order("elsewhere", email=OTHER))
    return store


def test_an_erasure_says_which_orders_of_other_addresses_are_linked(jan: Store) -> None:
    """A11: only the renewal was erased, and nothing in the answer hinted at the first order."""
    status, told = call("POST", "/customers/erase", {"email": NEW}, headers={"Accept-Language": "en"})

    assert (status, told["order_ids"]) == (200, ["renewal"])
    assert told["linked"] == [
        {
            "order_id": "first",
            "email": "o…@klant.example",
            "why": {
                "code": "linked_by_renewal",
                "values": {"order": "renewal"},
                "text": "it is linked to order renewal by a renewal, a licence or a payment",
            },
        }
    ]
    assert loaded(jan, "first").customer.email == OLD


@pytest.mark.parametrize("also", [[OLD], ["first"], [" Old@klant.example\u00a0", "first"]])
def test_an_agent_takes_them_in_by_address_or_by_number(jan: Store, also: list[str]) -> None:
    status, told = call("POST", "/customers/erase", {"email": NEW, "and": also})

    assert (status, sorted(told["order_ids"]), told["linked"]) == (200, ["first", "renewal"], [])
    assert [loaded(jan, order_id).customer.email for order_id in ("first", "renewal", "elsewhere")] == [
        None,
        None,
        OTHER,
    ]


def test_what_was_left_can_be_taken_in_afterwards(jan: Store) -> None:
    call("POST", "/customers/erase", {"email": NEW})

    assert call("POST", "/customers/erase", {"email": NEW, "and": ["first"]})[1]["order_ids"] == ["first"]
    assert call("POST", "/customers/erase", {"email": NEW, "and": ["first"]})[1]["order_ids"] == []


def test_a_number_that_is_none_changes_nothing(jan: Store, wired: Stack) -> None:
    with pytest.raises(NotFound):
        wired.desk.erase(NEW, ASKED, 7, ["frist"])

    assert loaded(jan, "renewal").customer.email == NEW
    assert call("POST", "/customers/erase", {"email": NEW, "and": ["a/b"]})[1]["errors"][0]["code"] == (
        "neither_address_nor_number"
    )


def test_a_former_address_links_too(wired: Stack) -> None:
    store = wired.store
    store.save(paid_order("corrected", email=OLD))
    wired.desk.correct_address("corrected", NEW, ASKED)
    store.save(paid_order("not-corrected", email=OLD))

    for email, other in ((NEW, "not-corrected"), (OLD, "corrected")):
        found = call("POST", "/customers/export", {"email": email})[1]
        assert [(each["order_id"], each["why"]["code"]) for each in found["linked"]] == [(other, "linked_by_address")]


def test_a_license_that_moved_to_another_order_links_both(wired: Stack) -> None:
    order = ended("from")
    gone = Gone(order.licenses[0].id, "moved", "to")
    wired.store.save(replace(order, gone=(gone,)))
    wired.store.save(replace(of_customer(paid_order("to"), email=NEW), moved_from="from"))

    for email, other in ((OLD, "to"), (NEW, "from")):
        found = call("POST", "/customers/export", {"email": email})[1]
        assert [each["order_id"] for each in found["linked"]] == [other]


def test_an_export_takes_them_in_as_well(jan: Store) -> None:
    alone = call("POST", "/customers/export", {"email": OLD})[1]
    assert ([each["order_id"] for each in alone["orders"]], alone["linked"][0]["order_id"]) == (["first"], "renewal")

    both = call("POST", "/customers/export", {"email": OLD, "and": ["renewal"]})[1]
    assert (sorted(each["order_id"] for each in both["orders"]), both["linked"]) == (["first", "renewal"], [])


def test_an_address_that_is_shown_names_nobody() -> None:
    assert hidden_address("jan.devries@xn--mnchen-3ya.example") == "j…@münchen.example"


# Retention: the customer of these orders had a license from November 2026 to November 2027.
LATER = NOW.replace(year=2030)


def ended(order_id: str = "old", email: str = OLD) -> Order:
    """An order whose license ended on 22 November 2027, delivered, with nothing to come."""
    return replace(of_customer(sent_order(), email=email), id=order_id, version=0, reminders=())


@pytest.mark.parametrize(("years", "forgotten"), [(1, True), (3, True), (4, False)])
def test_a_customer_is_forgotten_so_many_years_after_their_last_license_ended(
    wired: Stack, years: int, *, forgotten: bool
) -> None:
    wired.store.save(ended())

    assert forget_some(wired.desk, LATER, years, 7) is False  # nothing more today
    assert loaded(wired.store, "old").is_erased is forgotten
    assert wired.store.forgotten(LATER - timedelta(hours=1), LATER) == int(forgotten)


@pytest.mark.parametrize(("day", "forgotten"), [(22, False), (23, True)])
def test_the_day_after_the_last_one_counts(wired: Stack, day: int, *, forgotten: bool) -> None:
    wired.store.save(ended())

    forget_some(wired.desk, NOW.replace(year=2028, day=day), 1, 7)
    assert loaded(wired.store, "old").is_erased is forgotten


def paid_back(order: Order) -> Order:
    """With all of its refund, and its code not blocked."""
    back = Refunded(NOW, "39.95", by="stripe")
    return replace(order, payments=tuple(replace(each, refunded=(back,)) for each in order.payments))


def still_running() -> Order:
    order = ended("other")
    return replace(order, licenses=tuple(replace(one, last_day=date(2030, 11, 30)) for one in order.licenses))


OPEN = {
    "a running license": still_running(),
    "a wait": waiting_for(ended("other"), Reason.STOCK, said("too_few_codes", skus=[SKU]), NOW, timedelta(days=1)),
    "an open payment": replace(paid_order("other", state=PaymentState.OPEN), lines=()),
    "a code to block": paid_back(ended("other")),
    "a hold": replace(ended("other"), hold=Hold(by_person=True, problem=said("no_lines"))),
    "a subscription": replace(ended("other"), subscription=Subscription(is_charged=True)),
    "something to be sent": paid_order("other"),
    "a recent order": replace(ended("other"), created_at=LATER - timedelta(days=30), licenses=()),
}


@pytest.mark.parametrize("order", OPEN.values(), ids=OPEN)
def test_nobody_is_forgotten_who_has_something_open_in_any_order(wired: Stack, order: Order) -> None:
    wired.store.save(ended())
    wired.store.save(of_customer(order, email=OLD))

    forget_some(wired.desk, LATER, 1, 7)

    assert not loaded(wired.store, "old").is_erased
    assert not loaded(wired.store, "other").is_erased


def test_an_order_that_cannot_be_read_keeps_its_customer(wired: Stack) -> None:
    wired.store.save(ended())
    wired.store.save(ended("bad"))
    item = stored_item(wired.store, "bad")
    put_item(wired.store, item | {"lines": "x"})

    forget_some(wired.desk, LATER, 1, 7)

    assert not loaded(wired.store, "old").is_erased


def test_the_work_of_a_day_is_bounded_goes_on_where_it_stopped_and_begins_anew(wired: Stack) -> None:
    for number in range(7):
        order = ended(f"old-{number}", f"c{number}@klant.example")
        wired.store.save(replace(order, created_at=NOW + timedelta(days=20 * number)))

    def forgotten() -> list[str]:
        return [f"old-{n}" for n in range(7) if loaded(wired.store, f"old-{n}").is_erased]

    assert forget_some(wired.desk, LATER, 1, 7, most=2, a_day=4) is True
    assert forgotten() == ["old-0", "old-1"]
    assert forget_some(wired.desk, LATER, 1, 7, most=2, a_day=4) is True
    assert forget_some(wired.desk, LATER, 1, 7, most=2, a_day=4) is False
    assert forgotten() == ["old-0", "old-1", "old-2", "old-3"]
    next_day = LATER + timedelta(days=1)
    while forget_some(wired.desk, next_day, 1, 7, most=2, a_day=4):
        pass
    assert forgotten() == [f"old-{n}" for n in range(7)]
    wired.store.save(ended("came-later"))
    forget_some(wired.desk, LATER + timedelta(days=2), 1, 7)
    assert loaded(wired.store, "came-later").is_erased


def test_it_is_off_unless_a_shop_wants_it(wired: Stack, template: dict[str, Any]) -> None:
    assert template["Parameters"]["ForgetAfterYears"]["Default"] == 0
    assert wiring.config().forget_after_years == 0


def test_the_daily_rule_begins_it_and_the_worker_does_it(
    wired: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPOST_FORGET_AFTER_YEARS", "1")
    wiring.forget()
    wired.store.save(ended())

    with time_machine.travel(LATER, tick=False):
        find_due_orders.handler({"rule": "daily"}, Context())
        assert pokes(wired, local) == [FORGET]
        wiring.try_order(FORGET, 1)

        note = gather_note(wired.store, LATER + timedelta(minutes=30), ZONE, {})
    assert loaded(wired.store, "old").is_erased
    assert (note.forgotten, note.says_something) == (1, True)
    message = compose_daily_note(note, SHOP, "nl", LATER)
    assert "1 klant gewist" in str(message["Subject"])
