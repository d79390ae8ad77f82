"""What a person looks at from a terminal: what an order is for, its proof of delivery, and its mails."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.contents import with_payment
from keypost.core.order import Order
from keypost.core.product import Line
from tests.builders import NOW, SKU, code, loaded, notice, paid_order, sent_order

Run = Callable[..., tuple[int, str, str]]
ID = "2026-001234"
OTHER = "OTHER"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def torn(here: Stack) -> Order:
    """An order of which a second payment tells other goods and another customer."""
    other = notice(ID, Line(SKU, 3), provider="mollie", payment_id="tr_2", email="piet@klant.example", amount="79.90")
    return here.store.save(with_payment(paid_order(ID), other, NOW, "EUR"))


@pytest.mark.usefixtures("torn")
def test_what_each_teller_says_is_shown_and_one_of_them_is_believed(run: Run, here: Stack) -> None:
    status, out, _ = run("order", "contents", ID)

    assert status == 0
    assert "facturen@klant.example" in out
    assert "piet@klant.example" in out
    assert f"3 x {SKU}" in out
    settled = run("order", "contents", f"#{ID}", "--payment", "mollie:tr_2", "--agent", "sanne")
    assert settled[:2] == (0, f"what order {ID} is for is settled\n")
    assert (loaded(here.store, ID).customer.email, loaded(here.store, ID).lines[0].quantity) == (
        "piet@klant.example",
        3,
    )


@pytest.mark.usefixtures("torn")
def test_a_payment_becomes_an_order_of_its_own_and_a_line_can_be_given(run: Run, here: Stack) -> None:
    assert run("order", "contents", ID, "--own-order", "mollie:tr_2")[:2] == (
        0,
        f"payment mollie:tr_2 is order {ID}-2 now\n",
    )
    assert loaded(here.store, f"{ID}-2").lines[0].quantity == 3

    assert run("order", "contents", ID, "--line", f"{SKU}:2")[0] == 0
    assert loaded(here.store, ID).lines[0].quantity == 2


@pytest.mark.parametrize("words", [("--by", "stripe"), ("--payment", "a:b", "--line", SKU), ("--to", "a@b.example")])
@pytest.mark.usefixtures("torn")
def test_contents_are_settled_in_one_way_at_a_time(run: Run, words: tuple[str, ...]) -> None:
    assert run("order", "contents", ID, *words)[0] == 1


def test_the_proof_of_delivery_is_written_into_a_file(run: Run, here: Stack, tmp_path: Path) -> None:
    order = here.store.save(sent_order())

    assert run("order", "proof", ID, "proof.html")[:2] == (
        0,
        f"the proof of delivery of order {ID} is in proof.html\n",
    )
    page = (tmp_path / "proof.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "facturen@klant.example" in page
    assert order.licenses[0].code[-5:] in page
    assert order.licenses[0].code not in page
    assert run("order", "proof", ID, "no/such/folder/proof.html")[0] == 1


def test_a_mail_is_shown_with_its_codes_masked(run: Run, here: Stack, tmp_path: Path) -> None:
    order = here.store.save(sent_order())

    assert order.mails[0].id in run("order", "mail", ID)[1]
    status, out, _ = run("order", "mail", ID, order.mails[0].id, "--html", "mail.html")

    assert status == 0
    assert "facturen@klant.example" in out
    assert code(0) == order.licenses[0].code
    for shown in (out, (tmp_path / "mail.html").read_text("utf-8")):
        assert f"…{code(0)[-5:]}" in shown
        assert code(0) not in shown
    assert run("order", "mail", ID, "purchase-99")[0] == 1
