"""What an operator does for a customer from a terminal."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.licensing import with_codes
from keypost.core.mail import Fate, MailSent
from keypost.core.mailing import settle_mail
from keypost.core.order import Order, TimelineEntry
from keypost.core.payment import PaymentState
from keypost.core.self_service import with_concern
from keypost.core.wish import Ask
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, loaded, paid_order, sent_order, with_fates

Run = Callable[..., tuple[int, str, str]]
ID = "2026-001234"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def order(here: Stack) -> Order:
    return here.store.save(sent_order())


def test_the_worklist_is_a_table_with_what_to_do_and_an_object_a_line_for_programs(run: Run, here: Stack) -> None:
    here.store.save(with_concern(sent_order(), Ask.NOTHING_CAME, NOW))

    status, out, _ = run("attention")
    _, told, _ = run("attention", "--json")

    assert status == 0
    titles, row, count = out.splitlines()
    assert titles.split() == ["Order", "Since", "Before", "Customer", "Reason", "To", "do"]
    assert row.startswith("2026-001234  23 November 2026  -       ")
    assert row.endswith(
        "someone reported on the customer page that no e-mail has arrived  "
        "find out what happened, answer the customer, then mark this as done"
    )
    assert count == "orders that need action: 1"
    (item,) = map(json.loads, told.splitlines())
    assert (item["order_id"], item["needs"], item["reason"]["code"]) == (ID, "concern", "nothing_came")
    assert run("attention", "--reason", "hold")[1] == "orders that need action: 0\n"


def test_the_worklist_has_all_pages(run: Run, here: Stack) -> None:
    for number in range(51):
        here.store.save(with_concern(replace(sent_order(), id=f"o-{number}", version=0), Ask.NOTHING_CAME, NOW))

    assert run("attention")[1].splitlines()[-1] == "orders that need action: 51"


def test_an_order_is_shown_with_its_mails_and_its_newest_entries_without_its_code(
    run: Run, here: Stack, order: Order
) -> None:
    old = tuple(TimelineEntry(NOW, "held", who="sanne", words=f"note {n}") for n in range(12))
    here.store.change_existing(ID, lambda order: replace(order, timeline=(*old, *order.timeline)))

    status, out, _ = run("order", "show", ID)
    _, whole, _ = run("order", "show", ID, "--all", "--lang", "nl")

    assert status == 0
    assert "Order           2026-001234\n" in out
    assert "Address         facturen@klant.example\n" in out
    assert "codes of the purchase  facturen@klant.example  sent" in out
    assert code(0) not in out
    assert code(0)[-5:] in out
    assert "note 0" not in out
    assert "earlier entries: --all" in out
    assert "note 0" in whole
    assert "\nTijdlijn\n" in whole


def test_an_order_is_one_object_for_programs(run: Run, order: Order) -> None:
    told = json.loads(run("order", "show", ID, "--json")[1])

    assert (told["order_id"], told["email"], told["standing"]) == (ID, "facturen@klant.example", "paid")


def test_an_order_that_does_not_exist_is_one_line_and_a_failure(run: Run, here: Stack) -> None:
    for words in (["show"], ["resend"], ["hold"], ["release"]):
        assert run("order", words[0], "none") == (
            1,
            "",
            "keypost: There is no order none: check the number, or search by e-mail address.\n",
        )


@pytest.mark.parametrize(("given", "who"), [([], "root"), (["--agent", "sanne"], "sanne")])
def test_an_order_is_sent_again_by_somebody_who_is_named_with_the_reason(
    run: Run, here: Stack, order: Order, monkeypatch: pytest.MonkeyPatch, given: list[str], who: str
) -> None:
    monkeypatch.setenv("LOGNAME", "root")

    status, out, _ = run("order", "resend", ID, "--reason", "she\tcalled", *given)

    assert (status, out) == (0, "order 2026-001234 will be sent again (resend-1)\n")
    entry = loaded(here.store, ID).timeline[-1]
    assert (entry.code, entry.who, entry.words) == ("resend_asked", who, "she called")


def test_an_order_is_held_and_released(run: Run, here: Stack, order: Order) -> None:
    assert run("order", "hold", ID, "--reason", "fraud?")[1] == "order 2026-001234 is on hold\n"
    assert loaded(here.store, ID).hold.by_person
    assert run("order", "release", ID)[1] == "order 2026-001234 is released\n"
    assert not loaded(here.store, ID).hold.by_person


def test_what_an_order_asks_a_person_for_is_closed_with_what_was_done(run: Run, here: Stack) -> None:
    here.store.save(with_concern(sent_order(), Ask.NOTHING_CAME, NOW))

    assert run("order", "close", ID)[0] == 2
    assert run("order", "close", ID, "--reason", "reached her by telephone")[:2] == (
        0,
        "order 2026-001234 is marked as done\n",
    )
    assert run("attention")[1] == "orders that need action: 0\n"


def typed(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(words))


def test_an_address_is_typed_and_not_an_argument_and_a_typing_error_is_asked_about(
    run: Run, here: Stack, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "anna@gmial.com\n")
    status, _, err = run("order", "address", ID)
    assert (status, err) == (
        1,
        "keypost: This looks like a typing error: correct the address, or confirm that it is right.\n",
    )

    typed(monkeypatch, "\u200banna@nieuw.example\n")
    assert run("order", "address", ID)[1] == "the address was changed for: 2026-001234\n"
    assert loaded(here.store, ID).customer.email == "anna@nieuw.example"


def sold(stack: Stack) -> Order:
    """An order with a code of the stock, which was mailed."""
    list(stack.store.add_codes(SKU, [code(0)], "A", None))
    order, taken = stack.store.save(paid_order(ID)), stack.store.pick(SKU, 1, NOW.date())
    order = stack.store.assign(with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE), taken, NOW.date())
    return stack.store.save(settle_mail(order, "purchase-1", 1, MailSent("m-1"), NOW))


def test_a_code_that_did_not_work_is_swapped(run: Run, here: Stack) -> None:
    (license_,) = sold(here).licenses
    list(here.store.add_codes(SKU, [code(2)], "B", None))

    status, out, err = run("order", "swap", ID, license_.id, "invalid", "--note", "says invalid")

    assert (status, err) == (0, "")
    assert out == f"licence {license_.id} has a new code, which will be sent to the customer\n"
    assert loaded(here.store, ID).licenses[0].code == code(2)


@pytest.mark.parametrize("wanted", [ID, "facturen@KLANT.example", code(0).lower(), "license"])
def test_an_order_is_found_by_whatever_is_known_of_it(
    run: Run, here: Stack, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    order = sold(here)
    typed(monkeypatch, f" {order.licenses[0].id.lower() if wanted == 'license' else wanted}\n")

    status, out, _ = run("search")

    assert status == 0
    assert out.splitlines()[1].startswith(ID)
    assert out.splitlines()[-1] == "orders found: 1"


def test_a_search_finds_nothing_and_says_so(run: Run, here: Stack, order: Order) -> None:
    assert run("search", "elsewhere") == (0, "orders found: 0\n", "")
    assert json.loads(run("search", ID, "--json")[1])["order_id"] == ID


def test_the_stock_is_listed_with_how_long_it_lasts(run: Run, here: Stack) -> None:
    list(here.store.add_codes(SKU, [code(n) for n in range(3)], "A", None))

    status, out, _ = run("stock", "list")

    assert status == 0
    titles, row = out.splitlines()
    assert titles == "Product             Free  Reserved  Waiting  Used  Lasts until        To order  Order before"
    assert row == "Kaspersky Standard  3     0         0        0     more than 60 days  -         -"
    told = json.loads(run("stock", "list", "--json")[1])
    assert (told["sku"], told["free"], told["runs_out"]) == (SKU, 3, None)


def test_the_products_are_listed(run: Run, here: Stack) -> None:
    _, out, _ = run("products", "list", "--lang", "nl")

    assert out.splitlines() == [
        "SKU                       Leverancier  Product             Dagen  Apparaten",
        "KASPERSKY-STANDARD-3D-1Y  Kaspersky    Kaspersky Standard  365    3",
    ]
    assert json.loads(run("products", "list", "--json")[1])["sku"] == SKU


def test_secrets_are_listed_by_name_and_never_by_value(run: Run, here: Stack) -> None:
    here.secrets.set("mollie_api_key", "live_canary")

    out = run("secrets", "list")[1] + run("secrets", "list", "--json")[1]

    assert "mollie_api_key       set\n" in out
    assert '{"name": "stripe_signing", "set": false}' in out
    assert "canary" not in out


@pytest.mark.parametrize("words", [("order", "hold", ID), ("order", "resend", ID), ("order", "release", ID)])
def test_an_older_command_line_than_its_stack_reads_and_does_not_write(
    run: Run, published: Callable[[str | None], Stack], words: tuple[str, ...]
) -> None:
    stack = published("99.0.0")
    before = stack.store.save(sent_order())

    status, _, err = run(*words, "--stack", stack.store.table)
    assert status == 1
    assert "99.0.0" in err
    assert loaded(stack.store, ID) == before
    assert run("order", "show", ID, "--stack", stack.store.table)[0] == 0
    assert run("attention", "--stack", stack.store.table)[0] == 0


def test_an_unpaid_order_is_not_sent_again_and_says_why(run: Run, here: Stack) -> None:
    here.store.save(paid_order(ID, state=PaymentState.OPEN))

    status, _, err = run("order", "resend", ID)

    assert status == 1
    assert "not been paid" in err
    assert Path(".local").exists()


@pytest.mark.parametrize("wanted", ["jansen", "klant.example", "001234"])
def test_an_order_is_found_by_a_part_of_a_name_an_address_or_a_number(
    run: Run, here: Stack, order: Order, wanted: str
) -> None:
    days = ("--from", "2026-11-01", "--until", "2026-11-30")

    assert run("search", wanted, *days)[1].splitlines()[1].startswith(ID)
    assert run("order", "list", *days)[1].splitlines()[1].startswith(ID)
    assert run("search", wanted, "--from", "2026-11-24", "--until", "2026-11-30")[1] == "orders found: 0\n"


def test_the_mails_of_a_day_are_listed_and_what_came_back_is_sent_again_with_progress(run: Run, here: Stack) -> None:
    with time_machine.travel(NOW, tick=False):
        order = replace(with_fates(sent_order(), Fate.RETURNED), version=0)
        here.store.save(order)
        here.store.mark_mail(ID, NOW.date(), NOW)

        _, listed, _ = run("mail", "list", "--day", "2026-11-23", "--lang", "nl")
        _, told, _ = run("mail", "list", "--json", "--state", "came_back")
        status, out, _ = run("mail", "resend", "--reason", "their server was down")
        _, again, _ = run("mail", "resend")

    assert listed.splitlines()[1].startswith("2026-001234  Anna Jansen  codes van de aankoop  teruggekomen")
    assert listed.splitlines()[-1] == "e-mails van 23 november 2026: 1"
    assert json.loads(told)["state"] == "came_back"
    assert (status, out) == (0, "orders sent again: 1, left out: 0\n")
    assert again == "orders sent again: 0, left out: 1\n"
    assert [mail.id for mail in loaded(here.store, ID).mails] == ["purchase-1", "resend-1"]


def test_a_day_whose_mails_are_not_kept_is_refused(run: Run, here: Stack) -> None:
    assert run("mail", "list", "--day", "2020-01-01")[0] == 1
