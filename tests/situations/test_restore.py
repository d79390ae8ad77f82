"""Kind: the table is given back as it was at a moment, and what left since then is found again. Nobody gets a second
code, no code goes to two people, and nobody who paid is without."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

import reconcile_payments
from cli import restoring
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import telemetry, wiring
from keypost.core.mail import Asked, MailState
from keypost.core.order import Reason
from keypost.core.plan import attention
from tests.builders import NOW, SKU, Context, code, event, loaded, pokes
from tests.functions.callbacks import webhook

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


@pytest.fixture
def shop(wired: Stack, stocked: Any, logged: io.StringIO) -> Iterator[Stack]:
    stocked([code(number) for number in range(12)])
    with time_machine.travel(NOW, tick=False):
        yield wired


def told(order_id: str, kind: str = "order.paid", quantity: int = 1, **data: Any) -> None:
    """The shop's own program calls; it does so again when it is asked to."""
    lines = [{"sku": SKU, "quantity": quantity}]
    about = {"order_id": order_id, "payment_id": f"inv_{order_id}", "email": f"{order_id}@klant.example", "test": True}
    about |= {"currency": "EUR", "amount": "79.90"}
    body = {"type": kind, "timestamp": NOW.isoformat(), "data": about | {"language": "nl", "lines": lines} | data}
    answer = webhook(json.dumps(body).encode())
    assert answer["statusCode"] == 204, answer["body"]


def paid_at_stripe(local: LocalStack, order_id: str) -> None:
    """A payment that the hourly run finds at Stripe, and that no callback reports."""
    happened = event("stripe/checkout.session.completed.json") | {"id": "evt_1", "created": int(NOW.timestamp())}
    happened["data"]["object"] |= {"id": "cs_test_1", "payment_intent": "pi_1", "created": happened["created"]}
    happened["data"]["object"]["metadata"] |= {"order_id": order_id}
    local.providers.objects["/v1/events/evt_1"] = happened


def sold(shop: Stack, *order_ids: str, quantity: int = 1) -> dict[str, list[str]]:
    """Orders that are paid and mailed, and the codes of each."""
    for order_id in order_ids:
        told(order_id, quantity=quantity)
        wiring.try_order(order_id, 1)
    return {id_: [one.code for one in loaded(shop.store, id_).licenses] for id_ in order_ids}


def items(shop: Stack) -> list[dict[str, Any]]:
    return list(restoring.items_of(shop.store._client, shop.store.table))


def give_back(shop: Stack, was: list[dict[str, Any]]) -> restoring.Difference:
    changes = restoring.difference(was, items(shop))
    restoring.write(shop.store._client, shop.store.table, changes, lambda _: None)
    wiring.forget()  # functions begin anew, as after a pause
    return changes


def checked(shop: Stack, logged: io.StringIO, *, mend: bool = True) -> list[tuple[str, str, bool]]:
    mails = restoring.read_logs(logged.getvalue().splitlines())
    codes = list(restoring.codes_of(items(shop)))
    restorer = restoring.Restorer(shop.store, codes, wiring.config().zone, LATER, "anna", is_dry=not mend)
    return [(each.order_id, each.what.code, each.is_open) for each in restorer.check(mails)]


def work(shop: Stack, local: LocalStack) -> None:
    """The hand moves again: whatever was poked or is due."""
    with time_machine.travel(LATER + HOUR, tick=False):
        for order_id in {*pokes(shop, local), *(each.order_id for each in shop.store.coming(LATER + HOUR))}:
            wiring.try_order(order_id, 1)


def codes_of(shop: Stack, *order_ids: str) -> dict[str, list[str]]:
    return {id_: [one.code for one in loaded(shop.store, id_).licenses] for id_ in order_ids}


def all_codes(sent: Any, *order_ids: str) -> Counter[str]:
    """The codes that stand in any mail, each once for each order that it went to."""
    every = [code(number) for number in range(12)]
    return Counter(each for id_ in order_ids for each in every if any(each in text for text in sent(id_)))


def test_a_restored_table_gives_no_second_code_and_no_code_to_two_people_and_leaves_nobody_without(
    shop: Stack, local: LocalStack, sent: Any, logged: io.StringIO
) -> None:
    sold(shop, "before")
    told("waits")  # paid before the moment, and mailed after it
    was = items(shop)
    wiring.try_order("waits", 1)
    since = sold(shop, "shop-1", "shop-2") | {"waits": [one.code for one in loaded(shop.store, "waits").licenses]}
    paid_at_stripe(local, "stripe-1")
    reconcile_payments.handler({}, Context())
    wiring.try_order("stripe-1", 1)
    since |= codes_of(shop, "stripe-1")
    everybody = ("before", "waits", "shop-1", "shop-2", "stripe-1")
    mails = {id_: len(sent(id_)) for id_ in everybody}
    assert mails == dict.fromkeys(everybody, 1)

    give_back(shop, was)
    assert shop.store.load("stripe-1") is None  # or nothing was restored
    with time_machine.travel(LATER, tick=False):
        reconcile_payments.handler({}, Context())  # it looks back to its last run before the moment
    told("shop-1")  # the shop reports one of its orders again; the other only later
    first = checked(shop, logged)
    told("new")  # somebody buys before the other order is reported
    work(shop, local)
    told("shop-2")
    second = checked(shop, logged)
    work(shop, local)

    given, unknown = "restore_codes_given", "restore_order_unknown"
    assert first == [
        ("shop-1", given, False), ("shop-2", unknown, True), ("stripe-1", given, False), ("waits", given, False),
    ]  # fmt: skip
    assert second == [("shop-2", given, False)]
    assert codes_of(shop, *since) == since
    assert {id_: len(sent(id_)) for id_ in everybody} == mails
    assert {loaded(shop.store, id_).mails[0].state for id_ in everybody} == {MailState.SENT}
    assert set(all_codes(sent, *everybody, "new").values()) == {1}
    assert all_codes(sent, *everybody, "new").total() == 6
    assert checked(shop, logged) == []


def test_without_the_check_the_same_customers_would_get_a_second_code(
    shop: Stack, local: LocalStack, sent: Any
) -> None:
    was = items(shop)
    sold(shop, "a", "b", "c")

    give_back(shop, was)
    for order_id in ("a", "b", "c"):
        told(order_id)
    work(shop, local)

    assert {id_: len(sent(id_)) for id_ in ("a", "b", "c")} == {"a": 2, "b": 2, "c": 2}
    assert all_codes(sent, "a", "b", "c").total() > 3


def test_a_dry_check_changes_nothing(shop: Stack, logged: io.StringIO) -> None:
    was = items(shop)
    sold(shop, "a", "b")
    give_back(shop, was)
    told("a")
    before = sorted(map(repr, items(shop)))

    found = checked(shop, logged, mend=False)

    assert found == [("a", "restore_codes_given", False), ("b", "restore_order_unknown", True)]
    assert sorted(map(repr, items(shop))) == before


def test_an_order_with_several_codes_gets_each_of_them_back(shop: Stack, sent: Any, logged: io.StringIO) -> None:
    was = items(shop)
    had = sold(shop, "five", quantity=5)
    give_back(shop, was)
    told("five", quantity=5)

    assert checked(shop, logged) == [("five", "restore_codes_given", False)]
    assert sorted(codes_of(shop, "five")["five"]) == sorted(had["five"])
    assert shop.store.order_of_license(loaded(shop.store, "five").licenses[4].id) == "five"
    wiring.try_order("five", 1)
    assert len(sent("five")) == 1


def test_a_renewal_that_was_sent_is_the_renewal_again(shop: Stack, sent: Any, logged: io.StringIO) -> None:
    was = items(shop)
    renewal = [{"sku": SKU, "quantity": 1, "kind": "renewal", "renews": "OLD-1", "period_start": "2026-11-25"}]
    told("renewal", lines=renewal)
    wiring.try_order("renewal", 1)
    had = codes_of(shop, "renewal")
    assert len(sent("renewal")) == 1
    give_back(shop, was)
    told("renewal", lines=renewal)

    assert checked(shop, logged) == [("renewal", "restore_codes_given", False)]
    assert codes_of(shop, "renewal") == had
    assert [mail.id for mail in loaded(shop.store, "renewal").mails] == ["renewal-1"]
    assert loaded(shop.store, "renewal").licenses[0].first_day.isoformat() == "2026-11-25"


def test_when_the_money_went_back_meanwhile_a_person_is_asked_to_have_the_code_blocked(
    shop: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    was = items(shop)
    had = sold(shop, "back")
    give_back(shop, was)
    told("back")
    told("back", "order.refunded", full=True)

    assert checked(shop, logged) == [("back", "restore_codes_given", False)]
    work(shop, local)
    assert codes_of(shop, "back") == had
    assert attention(loaded(shop.store, "back")) == (Reason.BLOCK, NOW)


def test_an_order_that_owes_nothing_keeps_its_code_from_others_and_asks_a_person(
    shop: Stack, logged: io.StringIO
) -> None:
    was = items(shop)
    (codes,) = sold(shop, "open").values()
    give_back(shop, was)
    told("open", "order.open")

    assert checked(shop, logged) == [("open", "restore_not_owed", True)]
    item = shop.store.code_item(codes[0])
    assert item is not None
    assert (item["state"], item["order_id"]) == ("assigned", "open")
    told("open")
    assert checked(shop, logged) == [("open", "restore_codes_given", False)]
    assert codes_of(shop, "open") == {"open": codes}


def test_a_code_that_was_imported_since_then_has_to_be_imported_again(
    shop: Stack, stocked: Any, logged: io.StringIO
) -> None:
    sold(shop, *(f"old-{number}" for number in range(12)))  # the stock is sold out
    was = items(shop)
    stocked([code(99)])
    sold(shop, "late")
    give_back(shop, was)
    told("late")

    assert checked(shop, logged) == [("late", "restore_code_unknown", True)]
    stocked([code(99)])
    assert checked(shop, logged) == [("late", "restore_codes_given", False)]
    assert codes_of(shop, "late") == {"late": [code(99)]}


def test_a_mail_of_which_the_table_does_not_know_that_it_left_is_not_sent_twice(
    shop: Stack, local: LocalStack, sent: Any, logged: io.StringIO
) -> None:
    sold(shop, "mid")
    order = loaded(shop.store, "mid")
    began = replace(order.mails[0], state=MailState.SENDING, sent_at=None, message_id=None, next_at=NOW)
    shop.store.save(replace(order, mails=(began,)))

    assert checked(shop, logged) == [("mid", "restore_mail_settled", False)]
    work(shop, local)
    assert len(sent("mid")) == 1


def test_what_has_to_do_with_people_and_not_with_the_moment_does_not_go_back(shop: Stack) -> None:
    sold(shop, "erased")
    was = [*items(shop), {"pk": {"S": "KEY#revoked"}, "until": {"S": "2027"}}]
    shop.store._client.put_item(TableName=shop.store.table, Item={"pk": {"S": "KEY#revoked"}, "until": {"S": "2026"}})
    shop.store.stop_reminders("anna@klant.example", NOW, "anna")
    wiring.desk().erase("erased@klant.example", Asked(NOW, "anna"), 7)
    sold(shop, "later")

    changes = give_back(shop, was)

    assert changes.erased == ["erased"]
    stands = {item["pk"]["S"]: item for item in items(shop)}
    assert stands["KEY#revoked"]["until"] == {"S": "2026"}
    assert shop.store.unreminded("anna@klant.example")
    assert "ORDER#later" not in stands
    assert restoring.difference(was, items(shop)).to_put == []


def test_a_log_holds_the_trace_of_each_code_that_left_and_no_code(shop: Stack, logged: io.StringIO) -> None:
    codes = sold(shop, "a", "b")

    left = {each.order_id: each for each in restoring.read_logs(["no json", *logged.getvalue().splitlines()])}

    traces = {id_: tuple(one.id for one in loaded(shop.store, id_).licenses) for id_ in codes}
    assert {id_: each.codes for id_, each in left.items()} == traces
    assert {each.became for each in left.values()} == {"MailSent"}
    assert not any(each in logged.getvalue() for of_order in codes.values() for each in of_order)
    telemetry.logger.info("a code: %s", code(0))
    assert code(0) in logged.getvalue()
