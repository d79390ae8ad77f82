"""What is put right from a terminal."""

import io
from collections.abc import Callable

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.order import Order
from tests.builders import code, loaded, sent_order

Run = Callable[..., tuple[int, str, str]]
ID = "2026-001234"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def order(here: Stack) -> Order:
    return here.store.save(sent_order())


def test_a_note_stands_in_the_timeline_and_a_code_in_it_is_masked(run: Run, here: Stack, order: Order) -> None:
    status, out, _ = run("order", "note", ID, f"she reads {code(0)} to me", "--agent", "sanne")

    assert (status, out) == (0, "noted in order 2026-001234\n")
    entry = loaded(here.store, ID).timeline[-1]
    assert entry.who == "sanne"
    assert entry.words.startswith("she reads ")
    assert code(0) not in entry.words
    assert run("order", "note", ID, "\u200b")[0] == 1


def test_the_name_language_and_address_of_a_customer_are_corrected(
    run: Run, here: Stack, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("piet@klant.example\n"))

    status, out, _ = run("order", "customer", ID, "--name", "Piet de Vries", "--language", "en", "--address")

    assert (status, out) == (0, "the customer was changed in: 2026-001234\n")
    customer = loaded(here.store, ID).customer
    assert (customer.name, customer.language, customer.email) == ("Piet de Vries", "en", "piet@klant.example")
    assert run("order", "customer", ID)[2] == "keypost: give at least one of `email`, `name` and `language`\n"


def test_reminders_are_stopped_and_sent_again(run: Run, here: Stack, order: Order) -> None:
    assert run("order", "stop-reminders", ID)[1] == "no more reminders will be sent for order 2026-001234\n"
    stopped = loaded(here.store, ID)
    assert run("order", "stop-reminders", ID, "--undo")[1] == "reminders will be sent again for order 2026-001234\n"

    assert stopped.timeline[-1].code != order.timeline[-1].code
    assert loaded(here.store, ID).timeline[-1].code != stopped.timeline[-1].code


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lift-complaint", ID, "--reason", "a mistake"), "keypost: "),
        (("refunded", ID, "LIC-ABCDEFGH23"), "LIC-ABCDEFGH23"),
        (("renewal", ID, "1"), "keypost: give `renews`, `period_start` or both"),
        (("renewal", ID, "1", "--start", "someday"), "neither a date like 2027-12-31 nor `now`"),
        (("renewal", ID, "1", "--stop"), "keypost: "),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    run: Run, here: Stack, order: Order, words: tuple[str, ...], says: str
) -> None:
    status, out, err = run("order", *words)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert says in err
    assert loaded(here.store, ID) == order


@pytest.mark.parametrize("typed", [f"#{ID}", f" {ID} ", f"WC-{ID}", f"order {ID}"])
def test_an_order_is_meant_by_its_number_as_people_write_it(run: Run, order: Order, typed: str) -> None:
    assert run("order", "note", typed, "called back")[:2] == (0, f"noted in order {ID}\n")
    assert f" {ID}\n" in run("order", "show", typed)[1]
