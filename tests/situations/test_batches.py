"""Kind: what was imported was wrong, a batch or some codes of it, and has to be put right."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core import support
from keypost.core.mail import MailState, Purpose
from keypost.core.order import Order
from keypost.core.product import Line
from keypost.table.batches import batch_id
from keypost.table.schedule import BATCH
from tests.builders import NOW, PRODUCT, SKU, code, loaded, paid_order, product
from tests.functions.support_calls import call

PLUS = "KASPERSKY-PLUS-3D-1Y"


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def desk(wired: Stack) -> Iterator[Stack]:
    wired.store.put_product(product(PLUS))
    with time_machine.travel(NOW, tick=False):
        yield wired


def stock(desk: Stack, *numbers: int, batch: str = "BAD", sku: str = SKU) -> None:
    assert not any(known for _, known in desk.store.add_codes(sku, [code(n) for n in numbers], batch, None))


def sold(desk: Stack, order_id: str, quantity: int = 1, sku: str = SKU) -> Order:
    desk.store.save(paid_order(order_id, Line(sku, quantity)))
    wiring.try_order(order_id, 1)
    return loaded(desk.store, order_id)


def free(desk: Stack, sku: str = SKU) -> set[str]:
    return {each.code for each in desk.store.pick(sku, 1000, NOW.date())}


def state(desk: Stack, number: int) -> tuple[str, str]:
    item = desk.store.code_item(code(number))
    assert item is not None
    return item["state"], item["sku"]


def withdraw(how: str = "withdraw", sku: str = SKU, dry: str = "", **body: Any) -> dict[str, Any]:
    status, said = call("POST", f"/stock/{{sku}}/{how}{dry}", body, sku=sku)
    assert status == 200, said
    return dict(said)


def replaced(desk: Stack, batch: str = "BAD", **body: Any) -> dict[str, Any]:
    """The batch is replaced, and the worker does all that it is poked for."""
    status, said = call("POST", "/batches/replace", {"batch": batch, **body})
    assert status == 202, said
    work(batch, body.get("sku", ""))
    return progress(batch, body.get("sku"))


def work(batch: str = "BAD", sku: str = "", times: int = 6) -> None:
    for _ in range(times):
        wiring.try_order(f"{BATCH}{batch_id(batch, sku)}", 1)


def progress(batch: str = "BAD", sku: str | None = None) -> dict[str, Any]:
    status, said = call("POST", "/batches/orders", {"batch": batch} | ({"sku": sku} if sku else {}))
    assert status == 200, said
    told: dict[str, Any] = said["progress"]
    return told


# itch.io #105 (open since 2015), snipe-it #7486, wc-serial-numbers #311: a mistake of an import cannot be taken back.
def test_the_free_codes_of_a_batch_are_withdrawn_and_stay_known_for_ever(desk: Stack) -> None:
    stock(desk, 1, 2, 3)
    stock(desk, 4, batch="GOOD")
    order = sold(desk, "A-1")
    bad = {code(n) for n in (1, 2, 3)} - {order.licenses[0].code}
    is_of_batch = order.licenses[0].code != code(4)

    would = withdraw(dry="?dry_run=true", batch="BAD", reason="revoked")
    assert (would["done"], would["dry_run"], len(free(desk))) == (len(bad), True, 3)
    did = withdraw(batch="BAD", reason="revoked")

    assert (did["done"], did["given"], did["is_whole"]) == (len(bad), int(is_of_batch), True)
    assert free(desk) <= {code(4)}
    item = next(desk.store.code_item(each) for each in bad)
    assert item is not None
    assert (item["state"], item["why"], item["who"]) == ("withdrawn", "revoked", "anna")
    _, again = call("POST", "/stock/{sku}", {"codes": sorted(bad), "batch": "NEW"}, sku=SKU)
    assert (again["added"], again["duplicate_count"]) == (0, len(bad))
    assert withdraw(batch="BAD")["done"] == 0


def test_withdrawn_codes_are_put_back_and_serve_who_waits(desk: Stack) -> None:
    stock(desk, 1)
    withdraw(batch="BAD")
    assert sold(desk, "A-1").licenses == ()

    assert withdraw("put-back", batch="BAD")["done"] == 1
    wiring.try_order("A-1", 1)

    assert [one.code for one in loaded(desk.store, "A-1").licenses] == [code(1)]


def test_codes_are_named_in_any_spelling_and_what_is_not_free_is_told_by_its_place(desk: Stack) -> None:
    stock(desk, 1)
    sold(desk, "A-1")
    stock(desk, 2, 3)

    said = withdraw(codes=[code(2).lower().replace("-", ""), code(1), code(9), f" {code(3)} "])

    assert said["done"] == 2
    assert [(each["line"], each["reason"]["code"]) for each in said["left_out"]] == [
        (2, "code_is_assigned"),
        (3, "code_unknown"),
    ]
    assert (state(desk, 2)[0], state(desk, 3)[0], state(desk, 1)[0]) == ("withdrawn", "withdrawn", "assigned")


def test_codes_of_the_wrong_product_are_moved_to_the_one_that_they_are_of(desk: Stack) -> None:
    stock(desk, 1, 2)
    assert sold(desk, "A-1", sku=PLUS).licenses == ()

    assert withdraw("move", dry="?dry_run=true", batch="BAD", to=PLUS)["done"] == 2
    assert state(desk, 1) == ("free", SKU)
    assert withdraw("move", batch="BAD", to=PLUS)["done"] == 2
    wiring.try_order("A-1", 1)

    assert free(desk) == set()
    assert loaded(desk.store, "A-1").licenses[0].code in {code(1), code(2)}
    assert len(free(desk, PLUS)) == 1


def test_codes_move_only_to_a_product_that_has_such_codes(desk: Stack) -> None:
    stock(desk, 1)
    desk.store.put_product(replace(PRODUCT, sku="ESET", code_pattern="[0-9]{4}", code_example="1234"))

    assert call("POST", "/stock/{sku}/move", {"batch": "BAD", "to": "ESET"}, sku=SKU)[0] == 400
    assert call("POST", "/stock/{sku}/move", {"batch": "BAD", "to": SKU}, sku=SKU)[0] == 400
    assert call("POST", "/stock/{sku}/move", {"batch": "BAD", "to": "NOPE"}, sku=SKU)[0] == 404
    assert state(desk, 1) == ("free", SKU)


@pytest.mark.parametrize("body", [{}, {"batch": "B", "codes": ["x"]}, {"codes": []}, {"batch": "x" * 65}])
def test_a_call_names_a_batch_or_codes(desk: Stack, body: dict[str, Any]) -> None:
    assert call("POST", "/stock/{sku}/withdraw", body, sku=SKU)[0] == 422


def test_a_code_of_a_withdrawn_batch_that_comes_back_from_an_order_is_not_sold_again(desk: Stack) -> None:
    stock(desk, 1)
    order = sold(desk, "A-1")
    withdraw(batch="BAD")

    desk.store.give_back(replace(order, licenses=()), order.licenses)

    assert state(desk, 1)[0] == "withdrawn"
    assert sold(desk, "A-2").licenses == ()


def test_no_code_is_imported_into_a_batch_that_was_withdrawn(desk: Stack) -> None:
    stock(desk, 1)
    withdraw(batch="BAD")

    _, said = call("POST", "/stock/{sku}", {"codes": [code(2)], "batch": "BAD"}, sku=SKU)

    assert (said["added"], [each["reason"]["code"] for each in said["invalid"]]) == (0, ["batch_is_withdrawn"])


def test_it_is_told_page_by_page_who_has_codes_of_a_batch(desk: Stack) -> None:
    stock(desk, *range(9))
    orders = [sold(desk, f"A-{n}", 2 if n == 3 else 1).id for n in (1, 10, 2, 3, 4)]

    _, said = call("POST", "/batches/orders", {"batch": "BAD"})
    first = desk.store.given("BAD", most=2)
    second = desk.store.given("BAD", behind=first[-1].order_id, most=9)
    _, behind = call("POST", "/batches/orders", {"batch": "BAD", "next": "A-2"})

    assert [each["order_id"] for each in said["orders"]] == orders
    assert [each.order_id for each in (*first, *second)] == orders
    assert [each["order_id"] for each in behind["orders"]] == ["A-3", "A-4"]
    assert (len(first), said["next"], said["progress"]["given"]) == (2, None, 6)
    assert said["orders"][3] == {"order_id": "A-3", "products": [SKU], "codes": 2}
    assert call("POST", "/batches/orders", {"batch": "OTHER"})[1]["orders"] == []


def test_everybody_of_a_replaced_batch_gets_another_code_with_one_mail_for_each_order(desk: Stack) -> None:
    stock(desk, *range(30))
    orders = [sold(desk, f"A-{n}", 9).id for n in range(3)]
    stock(desk, *range(100, 140), batch="GOOD")

    told = replaced(desk, note="revoked")

    assert (told["state"], told["replaced"], told["given"], told["left_out"]) == ("done", 27, 0, [])
    for order_id in orders:
        order = loaded(desk.store, order_id)
        assert all(one.code >= code(100) for one in order.licenses)
        mails = [mail for mail in order.mails if mail.purpose is Purpose.REPLACEMENT]
        assert [sorted(mail.licenses) for mail in mails] == [sorted(one.id for one in order.licenses)]
    assert len({one.code for o in orders for one in loaded(desk.store, o).licenses}) == 27
    assert {bad.note for bad in desk.store.claims("BAD")} == {"revoked"}
    assert len(desk.store.claims("BAD")) == 27
    assert all(state(desk, n)[0] in ("withdrawn", "quarantined") for n in range(30))

    assert replaced(desk)["replaced"] == 27  # twice is once
    assert all(len(loaded(desk.store, order_id).bad_codes) == 9 for order_id in orders)


def test_it_goes_on_where_it_stopped_and_never_ends_with_a_half(desk: Stack) -> None:
    """The function's time runs out anywhere: the worker is stopped after each of its steps, and sales go on."""
    stock(desk, *range(40))
    for n in range(25):
        sold(desk, f"A-{n:02}")
    stock(desk, *range(100, 140), batch="GOOD")
    call("POST", "/batches/replace", {"batch": "BAD"})

    states = []
    for n in range(7):
        work(times=1)
        sold(desk, f"B-{n:02}")  # nobody gets a bad code any more
        states.append(progress()["given"])

    assert states == sorted(states, reverse=True)
    assert len(set(states)) > 2
    assert (states[-1], progress()["state"], progress()["replaced"]) == (0, "done", 25)
    assert all(loaded(desk.store, f"B-{n:02}").licenses[0].code >= code(100) for n in range(7))


def test_a_poke_that_is_lost_is_made_up_for_by_the_schedule(desk: Stack) -> None:
    stock(desk, 1)
    sold(desk, "A-1")
    call("POST", "/batches/replace", {"batch": "BAD"})

    due = [name for page in desk.store.due(NOW + timedelta(minutes=16)) for name in page]

    assert f"{BATCH}{batch_id('BAD', '')}" in due


def test_with_too_few_codes_it_waits_and_goes_on_when_codes_come(desk: Stack) -> None:
    stock(desk, 1, 2)
    sold(desk, "A-1", 2)

    told = replaced(desk)
    assert (told["state"], told["given"]) == ("short", 2)
    assert [(each["reason"]["code"], each["codes"]) for each in told["left_out"]] == [("no_other_code_free", 2)]
    stock(desk, 11, 12, batch="GOOD")
    work()

    assert (progress()["state"], progress()["given"]) == ("done", 0)
    assert {one.code for one in loaded(desk.store, "A-1").licenses} == {code(11), code(12)}


def test_lines_that_have_ended_and_orders_that_are_held_are_left_out_and_counted(desk: Stack) -> None:
    stock(desk, 1, 2, 3)
    ended, held, good = (sold(desk, name) for name in ("ENDED", "HELD", "GOOD"))
    yesterday = NOW.date() - timedelta(days=1)
    past = tuple(replace(one, first_day=yesterday, last_day=yesterday) for one in ended.licenses)
    desk.store.save(replace(ended, licenses=past))
    desk.store.change("HELD", lambda order: support.hold(order or held, "anna", NOW))
    stock(desk, 11, 12, 13, batch="OTHER")

    told = replaced(desk)

    assert (told["state"], told["replaced"], told["given"]) == ("done", 1, 2)
    assert sorted(each["reason"]["code"] for each in told["left_out"]) == ["held", "license_ended"]
    assert loaded(desk.store, "GOOD").licenses[0].code != good.licenses[0].code


def test_an_order_of_more_codes_than_a_transaction_holds_gets_one_mail(desk: Stack) -> None:
    stock(desk, *range(120))
    order = sold(desk, "BIG", 110)
    stock(desk, *range(200, 320), batch="GOOD")

    replaced(desk)

    now = loaded(desk.store, "BIG")
    assert {one.code for one in now.licenses}.isdisjoint(one.code for one in order.licenses)
    mails = [mail for mail in now.mails if mail.purpose is Purpose.REPLACEMENT]
    assert [len(mail.licenses) for mail in mails] == [110]


def test_codes_that_were_not_sent_yet_are_replaced_without_a_mail(desk: Stack) -> None:
    stock(desk, 1)
    order = sold(desk, "A-1")
    unsent = tuple(replace(mail, state=MailState.PENDING, may_have_left=False, attempts=0) for mail in order.mails)
    desk.store.save(replace(order, mails=unsent))
    stock(desk, 2, batch="GOOD")

    replaced(desk)

    assert [mail.purpose for mail in loaded(desk.store, "A-1").mails] == [Purpose.PURCHASE]
    assert loaded(desk.store, "A-1").licenses[0].code == code(2)


def test_a_dry_run_of_replacing_tells_and_changes_nothing(desk: Stack) -> None:
    stock(desk, 1)
    sold(desk, "A-1")

    status, said = call("POST", "/batches/replace?dry_run=true", {"batch": "BAD"})

    assert (status, said["state"], said["given"]) == (202, "not begun", 1)
    assert progress()["state"] == "not begun"
    assert datetime.now(UTC) == NOW
