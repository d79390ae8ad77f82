"""A person who is forgotten, under all addresses; and customers who are forgotten by themselves."""

from dataclasses import replace

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.errors import NotFound
from keypost.core.finding import hidden_address
from keypost.core.mail import Asked
from keypost.core.order import Renewal
from keypost.core.product import Kind, Line
from keypost.table import Store
from tests.builders import NOW, SKU, loaded, paid_order
from tests.functions.support_calls import call

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
                "text": "it is linked to order renewal by a renewal or a payment",
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


def test_an_export_takes_them_in_as_well(jan: Store) -> None:
    alone = call("POST", "/customers/export", {"email": OLD})[1]
    assert ([each["order_id"] for each in alone["orders"]], alone["linked"][0]["order_id"]) == (["first"], "renewal")

    both = call("POST", "/customers/export", {"email": OLD, "and": ["renewal"]})[1]
    assert (sorted(each["order_id"] for each in both["orders"]), both["linked"]) == (["first", "renewal"], [])


def test_an_address_that_is_shown_names_nobody() -> None:
    assert hidden_address("jan.devries@xn--mnchen-3ya.example") == "j…@münchen.example"
