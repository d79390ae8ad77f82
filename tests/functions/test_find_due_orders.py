import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

import find_due_orders
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.aside import Aside, set_aside
from keypost.core.aside_reasons import AsideReason
from keypost.core.payment import PaymentState
from keypost.core.periods import morning_of
from keypost.table.clocks import with_lacking
from keypost.table.items import due_keys, to_wire
from tests.builders import NOW, ZONE, RunContext, event, paid_order, pokes, put_item, stored_item, without_start
from tests.faults import watch


def test_every_due_order_is_poked_once_and_no_other(wired: Stack, local: LocalStack) -> None:
    due = {f"due-{n}" for n in range(25)}
    for order_id in due:
        wired.store.save(paid_order(order_id))
    wired.store.save(paid_order("unpaid", state=PaymentState.OPEN))

    find_due_orders.handler(event("schedule/find_due_orders.json"), RunContext())

    assert sorted(pokes(wired, local)) == sorted(due)


def test_a_run_that_has_no_time_left_stops_between_pages_and_says_so(
    wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    for number in range(12):
        wired.store.save(paid_order(f"due-{number}"))
    first, second, *others = wired.store.due(datetime.now(UTC))

    find_due_orders.handler({}, RunContext(60_000, 39_000))

    assert others
    assert sorted(pokes(wired, local)) == sorted([*first, *second])
    assert "DueRunCutShort" in logged.getvalue()


def test_what_was_due_long_ago_and_is_still_there_is_counted_apart(wired: Stack, logged: io.StringIO) -> None:
    for order_id, since in (("late", timedelta(hours=3)), ("just-now", timedelta(minutes=1))):
        wired.store.save(paid_order(order_id, at=NOW - since))

    with time_machine.travel(NOW + timedelta(minutes=15), tick=False):
        find_due_orders.handler({}, RunContext())

    assert counts(logged) == {"OrdersOverdue": 1, "OrdersDue": 2, "OldestDueMinutes": 195}


@pytest.mark.parametrize("minutes", range(0, 60, 5))
def test_of_four_runs_in_an_hour_one_counts_the_orders_that_are_set_aside(
    wired: Stack, logged: io.StringIO, minutes: int
) -> None:
    put_item(wired.store, stored_item(wired.store, wired.store.save(paid_order("odd")).id) | {"lines": "odd"})
    wired.store.save_aside(set_aside(Aside("odd"), AsideReason.UNREADABLE, NOW, ""), NOW)

    found = []
    for number in range(4):
        with time_machine.travel(NOW + timedelta(minutes=minutes + 15 * number), tick=False):
            find_due_orders.handler({}, RunContext())
        found += [each for each in [counts(logged).get("OrderUnreadable")] if each is not None]
        logged.truncate(0)

    assert found == [1]


def counts(logged: io.StringIO) -> dict[str, int]:
    return {
        line["message"]: line.get("count", 1) for line in map(json.loads, logged.getvalue().strip("\0").splitlines())
    }


def test_the_daily_run_says_that_it_ran_and_the_safety_net_does_not(
    wired: Stack, logged: io.StringIO, template: dict[str, Any]
) -> None:
    events = template["Resources"]["FindDueOrders"]["Properties"]["Events"]
    find_due_orders.handler(json.loads(events["SafetyNet"]["Properties"].get("Input", "{}")), RunContext())
    assert "DailyRule" not in logged.getvalue()

    find_due_orders.handler(json.loads(events["Daily"]["Properties"]["Input"]), RunContext())
    assert "DailyRule" in logged.getvalue()


def test_a_run_after_the_deploy_writes_down_that_keypost_serves_since_a_day_before(wired: Stack) -> None:
    without_start(wired.store)
    with time_machine.travel(NOW, tick=False):
        find_due_orders.handler({}, RunContext())

    assert wired.store.start() == NOW - timedelta(hours=24)


def put_planned(wired: Stack, count: int) -> list[str]:
    """So many renewals that have been due since yesterday morning, as the index has them."""
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    names = [f"renewal-{number:03d}" for number in range(count)]
    for name in names:
        keys = due_keys(name, morning_of(yesterday, ZONE))
        item = {"pk": {"S": f"ORDER#{name}"}} | to_wire(keys | {"due_at": with_lacking(keys["due_at"], [])})
        wired.store._client.put_item(TableName=wired.store.table, Item=item)
    return names


def test_many_renewals_are_let_out_at_the_pace_of_the_mails_and_a_lost_purchase_goes_before_them(
    wired: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPOST_MAILS_PER_SECOND", "0.1")
    wiring.forget()
    names = put_planned(wired, 120)
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    wired.store.save(paid_order("purchase", at=morning_of(yesterday, ZONE)))  # to the second, and its poke was lost
    calls = watch(wiring.queue()._client, "SendMessageBatch")

    find_due_orders.handler({}, RunContext())

    sent = [(each["MessageBody"], each["DelaySeconds"]) for _, call in calls for each in call["Entries"]]
    assert sent[0] == ("purchase", 0)
    assert [name for name, _ in sent[1:]] == names[:85]  # as many as leave in a quarter, but for a share for purchases
    delays = [delay for _, delay in sent[1:]]
    assert (delays[0], delays) == (0, sorted(delays))
    assert 800 < delays[-1] <= 900


def test_a_few_renewals_are_poked_at_once(wired: Stack) -> None:
    names = put_planned(wired, 100)
    calls = watch(wiring.queue()._client, "SendMessageBatch")

    find_due_orders.handler({}, RunContext())

    sent = [each for _, call in calls for each in call["Entries"]]
    assert [each["MessageBody"] for each in sent] == names
    assert {(each["DelaySeconds"], "MessageAttributes" in each) for each in sent} == {(0, False)}
