"""`keypost events`."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.mail import Fate
from keypost.core.order import noted
from keypost.table.events_url import EventsUrl
from keypost.table.items import from_wire
from keypost.table.outbox import events_in
from tests.builders import NOW, licensed, paid_order, sent_order, with_fates
from tests.cli.conftest import name_here
from tests.event_examples import came

Run = Callable[..., tuple[int, str, str]]


def waiting(stack: Stack) -> set[str]:
    """The ids of the events that wait in the table to leave."""
    items = stack.store._client.scan(TableName=stack.store.table)["Items"]
    keys = [item["pk"]["S"] for item in items]
    assert all(from_wire(item)["expires"] > NOW.timestamp() for item in items if item["pk"]["S"].startswith("EVENT#"))
    return {key.removeprefix("EVENT#") for key in keys if key.startswith("EVENT#")}


@pytest.fixture
def sold(here: Stack) -> Stack:
    here.store.save(with_fates(sent_order(), Fate.DELIVERED))
    here.store.save(paid_order("quiet"))
    return here


def test_the_events_of_an_order_leave_again_with_the_ids_that_they_had(run: Run, sold: Stack) -> None:
    served, delivered = sent_order(), with_fates(sent_order(), Fate.DELIVERED)
    first = {each.id for each in (*came(served, licensed(paid_order())), *came(delivered, served))}

    status, out, _ = run("events", "again", "2026-001234")

    assert (status, out) == (0, "Events that leave again: 2\n")
    assert waiting(sold) == first


def test_an_item_that_waits_is_the_event_itself(run: Run, sold: Stack) -> None:
    run("events", "again", "2026-001234")

    items = [i for i in sold.store._client.scan(TableName=sold.store.table)["Items"] if "EVENT#" in i["pk"]["S"]]
    again = {each.type: each for item in items for each in events_in({"dynamodb": {"NewImage": item}})}
    assert again["order.served"] == came(sent_order(), licensed(paid_order()))[0]


def test_those_of_a_time_leave_again_of_whatever_order(run: Run, sold: Stack) -> None:
    assert run("events", "again", "--since", "2026-11-23")[1] == "Events that leave again: 2\n"
    assert run("events", "again", "--since", "2026-11-24")[1] == "Events that leave again: 0\n"
    assert run("events", "again", "2026-001234", "--since", "2026-11-24")[1] == "Events that leave again: 0\n"
    assert len(waiting(sold)) == 2


def test_an_order_of_which_older_entries_moved_out_tells_them_too(run: Run, here: Stack) -> None:
    order = sent_order()
    for number in range(100):
        order = noted(order, NOW + timedelta(seconds=number), "note")
    here.store.save(order)

    assert run("events", "again", order.id)[1] == "Events that leave again: 1\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [((), "Name at least one order, or a day with --since."), (("unknown",), "There is no order unknown:")],
)
def test_without_an_order_or_a_day_nothing_leaves(run: Run, sold: Stack, words: tuple[str, ...], error: str) -> None:
    status, out, said = run("events", "again", *words)

    assert (status, out) == (1, "")
    assert error in said
    assert waiting(sold) == set()


def test_a_url_that_was_gone_is_called_again(run: Run, here: Stack) -> None:
    here.store.part(EventsUrl).put_gone("https://shop.example/keypost", NOW)
    assert here.store.part(EventsUrl).is_gone("https://shop.example/keypost")

    assert run("events", "on")[0] == 0
    assert not here.store.part(EventsUrl).is_gone("https://shop.example/keypost")


@pytest.mark.parametrize(
    ("words", "parameters", "names"),
    [
        (("again", "2026-001234"), {"EventsBus": "off", "EventsUrl": ""}, "EventsBus, EventsUrl"),
        (("on",), {"EventsUrl": ""}, "EventsUrl"),
    ],
)
def test_of_a_stack_from_which_no_events_leave_none_is_written_that_nobody_reads(
    run: Run,
    published: Callable[..., Stack],
    local: LocalStack,
    words: tuple[str, ...],
    parameters: dict[str, str],
    names: str,
) -> None:
    stack = published(None, **parameters)
    name_here(stack, local)
    stack.store.save(sent_order())

    assert run("events", *words) == (
        1,
        "",
        f"keypost: No events leave this stack, because this is not set: {names} (docs/events.md).\n",
    )
    assert waiting(stack) == set()


def test_a_stack_that_has_only_the_bus_tells_events_again(
    run: Run, published: Callable[..., Stack], local: LocalStack
) -> None:
    stack = published(None, EventsUrl="")
    name_here(stack, local)
    stack.store.save(sent_order())

    assert run("events", "again", "2026-001234")[0] == 0
    assert len(waiting(stack)) == 1
