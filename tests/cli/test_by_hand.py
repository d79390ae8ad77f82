"""What is given, taken back and given to somebody else from a terminal."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack, stack_of
from keypost.core.order import Order, Renewal
from keypost.core.product import Line
from tests.builders import NOW, SKU, code, loaded, sent_order

Run = Callable[..., tuple[int, str, str]]
ID = "2026-001234"
GIVE = ("order", "by-hand", "--line", f"{SKU}:2", "--why", "goodwill")


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda email: monkeypatch.setattr("sys.stdin", io.StringIO(f"{email}\n"))


@pytest.fixture
def order(here: Stack) -> Order:
    """An order whose mail was sent, with a code of the stock."""
    list(here.store.add_codes(SKU, [code(0)], "test", None))
    (free,) = here.store.pick(SKU, 1, sent_order().created_at.date())
    return here.store.assign(sent_order(), [free], NOW.date())


def given(here: Stack, out: str) -> Order:
    return loaded(here.store, out.split()[1])


def test_an_order_by_hand_is_made_once_for_a_key_and_taken_back(
    run: Run, here: Stack, type_in: Callable[[str], None]
) -> None:
    words = (*GIVE, "--name", "Anna", "--language", "en", "--key", "k-1", "--reason", "sorry", "--agent", "sanne")
    type_in("anna@klant.example")
    status, out, err = run(*words)
    type_in("anna@klant.example")
    again = run(*words)

    made = given(here, out)
    assert (status, out, err) == again == (0, f"order {made.id} was made\n", "")
    assert made.lines == (Line(SKU, 2),)
    assert (made.customer.email, made.customer.name, made.customer.language) == ("anna@klant.example", "Anna", "en")
    assert [(each.code, each.who, each.words) for each in made.timeline if each.who == "sanne"] == [
        ("made_by_hand", "sanne", "sorry")
    ]
    assert run("order", "withdraw", made.id) == (0, f"order {made.id} was withdrawn\n", "")
    assert loaded(here.store, made.id).timeline[-1].code == "withdrawn"


def test_a_key_makes_no_other_order(run: Run, here: Stack, type_in: Callable[[str], None]) -> None:
    type_in("anna@klant.example")
    made = given(here, run(*GIVE, "--key", "k-1")[1])
    type_in("piet@klant.example")

    status, out, err = run(*GIVE, "--key", "k-1")

    assert (status, out) == (1, "")
    assert err.startswith(f"keypost: Another order, {made.id}, was made with this Idempotency-Key")


@pytest.mark.parametrize(
    ("words", "email", "says"),
    [
        ((*GIVE, "--line", f"{SKU}:0"), "anna@klant.example", "line 2 is neither SKU nor SKU:QUANTITY"),
        ((*GIVE, "--line", "NOPE"), "anna@klant.example", "There is no product NOPE"),
        ((*GIVE, *("--line", SKU) * 20), "anna@klant.example", "`--line` is too long: at most 20"),
        ((*GIVE, "--key", "a key"), "anna@klant.example", "`--key` does not have the right form"),
        (GIVE, "anna@gmial.com", "This looks like a typing error"),
        (GIVE, "anna", "That is not a usable e-mail address"),
    ],
)
def test_nothing_is_given_that_cannot_be_read(
    run: Run, here: Stack, type_in: Callable[[str], None], words: tuple[str, ...], email: str, says: str
) -> None:
    type_in(email)

    status, out, err = run(*words)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert says in err


def test_only_what_a_person_gave_is_taken_back(run: Run, here: Stack, order: Order) -> None:
    assert run("order", "withdraw", ID) == (
        1,
        "",
        "keypost: Order 2026-001234 was not made by hand: refund it at the payment provider instead.\n",
    )
    assert loaded(here.store, ID) == order


def test_a_license_moves_to_another_customer_but_not_to_the_same_one(run: Run, here: Stack, order: Order) -> None:
    (license_,) = order.licenses
    move = ("order", "move", ID, license_.id, "--to")

    status, _, refused = run(*move, "facturen@klant.example")
    assert (status, refused.startswith(f"keypost: Licence {license_.id} cannot be moved")) == (1, True)
    assert loaded(here.store, ID) == order

    status, out, err = run(*move, "piet@anders.example", "--name", "Piet", "--language", "en")

    (gone,) = loaded(here.store, ID).gone
    new = loaded(here.store, gone.order)
    assert (status, err) == (0, "")
    assert out == f"licence {license_.id} is now in order {new.id}, and will be sent to its new owner\n"
    assert (gone.license, new.moved_from) == (license_.id, ID)
    assert (new.customer.email, new.customer.name, new.customer.language) == ("piet@anders.example", "Piet", "en")
    assert [each.code for each in new.licenses] == [license_.code]


def test_whoever_moves_a_license_hears_of_its_renewals(run: Run, here: Stack, order: Order) -> None:
    here.store.save(replace(order, renewals=(Renewal("2027-000001", 1, 1, None, 365),)))

    status, out, _ = run("order", "move", ID, order.licenses[0].id, "--to", "piet@anders.example")

    assert status == 0
    assert out.splitlines()[1:] == ["renewals of the former customer, which stay as they are: 2027-000001"]


def test_one_license_is_sent_to_another_address_once(run: Run, here: Stack, order: Order) -> None:
    (license_,) = order.licenses

    status, out, err = run("order", "resend", ID, "--to", "piet@anders.example", "--license", license_.id)

    mail = next(each for each in loaded(here.store, ID).mails if each.to == "piet@anders.example")
    assert (status, out, err) == (0, f"order 2026-001234 will be sent again ({mail.id})\n", "")
    assert (mail.licenses, loaded(here.store, ID).customer.email) == ((license_.id,), "facturen@klant.example")


def test_an_address_is_read_where_a_dash_stands_for_it(
    run: Run, here: Stack, order: Order, type_in: Callable[[str], None]
) -> None:
    type_in("piet@anders.example")

    assert run("order", "resend", ID, "--to", "-")[0] == 0
    assert "piet@anders.example" in {each.to for each in loaded(here.store, ID).mails}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--license", "LIC-ABCDEFGH23"), "Order 2026-001234 has no licence LIC-ABCDEFGH23."),
        (("--to", "piet@gmial.com"), "This looks like a typing error"),
        (("--to", "piet"), "That is not a usable e-mail address"),
        (("--to", "piet@anders.example", "--lift-suppression"), "`lift_suppression` cannot be combined with"),
    ],
)
def test_what_cannot_be_sent_again_is_one_line_and_changes_nothing(
    run: Run, here: Stack, order: Order, words: tuple[str, ...], says: str
) -> None:
    status, out, err = run("order", "resend", ID, *words)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert says in err
    assert loaded(here.store, ID) == order


def test_a_stack_that_states_no_currency_sells_in_euros(here: Stack, local: LocalStack) -> None:
    outputs = {"TableName": "t", "QueueUrl": here.queue.url, "SecretsArn": "s", "Timezone": "Europe/Amsterdam"}
    outputs |= {"FiscalYears": "7", "ConfigurationSet": "test", "SenderAddress": here.sender}

    assert stack_of(local.session, outputs).currency == "EUR"
    assert stack_of(local.session, outputs | {"Currency": "GBP"}).currency == "GBP"
