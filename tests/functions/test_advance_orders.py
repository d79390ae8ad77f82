import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import advance_orders
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import MailState
from tests.builders import SKU, Context, code, event, leaked, loaded, log, paid_order
from tests.faults import Parameters, on_call


def test_each_poked_order_is_advanced(wired: Stack) -> None:
    list(wired.store.add_codes(SKU, [code(1)], None, None))
    wired.store.save(paid_order("2026-001234"))

    answer = advance_orders.handler(event("queue/poke.json"), Context())

    assert answer == {"batchItemFailures": []}
    order = wired.store.load("2026-001234")
    assert order is not None
    assert [mail.state for mail in order.mails] == [MailState.SENT]


def test_one_order_that_fails_comes_back_alone_and_its_text_is_not_logged(wired: Stack, logged: io.StringIO) -> None:
    list(wired.store.add_codes(SKU, [code(1), code(2)], None, None))
    (record,) = event("queue/poke.json")["Records"]
    records = [record | {"messageId": name, "body": name} for name in ("first", "bad", "last")]
    for each in records:
        wired.store.save(paid_order(each["body"]))

    def fail(get: Parameters) -> None:
        (keys,) = (asked["Keys"] for asked in get["RequestItems"].values())
        if {"pk": {"S": "ORDER#bad"}} in keys:
            raise ValueError("jan@klant.example has code AAAAA-BBBBB")

    on_call(wiring.store()._client, "BatchGetItem", fail)

    answer = advance_orders.handler({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert [bool(loaded(wired.store, each["body"]).mails) for each in records] == [True, False, True]
    printed = logged.getvalue()
    assert "ValueError" in printed
    assert "test_advance_orders.py:" in printed
    assert leaked(["klant.example", "AAAAA"], logged.getvalue, log) == []


def in_turn(receives: int, until: datetime) -> dict[str, Any]:
    (record,) = event("queue/poke.json")["Records"]
    attribute = {"stringValue": str(round(until.timestamp())), "dataType": "Number"}
    attributes = record["attributes"] | {"ApproximateReceiveCount": str(receives)}
    return {"Records": [record | {"attributes": attributes, "messageAttributes": {"until": attribute}}]}


@pytest.mark.parametrize(
    ("receives", "age", "mails"),
    [
        (1, timedelta(seconds=-5), 1),  # it comes in time
        (1, timedelta(seconds=5), 0),  # others wait, so it lets them go first
        (2, timedelta(seconds=5), 1),  # an earlier start had no end, and that is to be noticed
    ],
)
def test_a_planned_order_whose_turn_is_over_gives_way_to_the_customers_who_wait(
    wired: Stack, receives: int, age: timedelta, mails: int
) -> None:
    list(wired.store.add_codes(SKU, [code(1)], None, None))
    wired.store.save(paid_order("2026-001234"))

    answer = advance_orders.handler(in_turn(receives, datetime.now(UTC) - age), Context())

    assert answer == {"batchItemFailures": []}
    assert len(loaded(wired.store, "2026-001234").mails) == mails
