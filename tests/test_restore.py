"""The drill of docs/runbook/restore-the-table.md on the emulator: its commands, its pauses, and its worker's log."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import restoring
from cli.local.stack import LocalStack, describe, local_stack
from cli.main import cli
from cli.speech import Speech
from tests.deployed import is_mailed, logged_until, mails_to, paid_session

pytestmark = [pytest.mark.journey, pytest.mark.drill]

AT = "2026-11-01T07:15"  # the emulator restores what is there now, whatever the moment; the logs are read from here on


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    with local_stack(tmp_path / "stack", lambda _: None) as local:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local/stack.json").write_text(describe(local))
        monkeypatch.chdir(tmp_path)
        yield local


def keypost(*words: str, status: int = 0) -> str:
    ended = CliRunner().invoke(cli, words, obj=Speech("en"))
    assert ended.exit_code == status or (status == 1 and ended.exception), ended.output
    return f"{ended.output}{ended.exception or ''}"


def sell(local: LocalStack, *order_ids: str) -> dict[str, list[str]]:
    for order_id in order_ids:
        assert local.stripe_calls(paid_session(order_id)) == (200, "")
    codes = codes_of(local, *order_ids)
    logged_of(local, order_ids)
    return codes


def logged_of(local: LocalStack, order_ids: Iterable[str]) -> list[str]:
    """The log of the worker, once it tells for all these orders that codes left."""
    wakes = partial(local.stack.queue.poke, "nobodys-1")  # the last lines of a run may come with the next one
    lines = logged_until(local, wakes, lambda text: told_of(text.splitlines()) >= set(order_ids), "AdvanceOrders")
    return [line.text for line in lines]


def told_of(logged: list[str]) -> set[str]:
    return {each.order_id for each in restoring.read_logs(logged)}


def codes_of(local: LocalStack, *order_ids: str) -> dict[str, list[str]]:
    orders = {id_: local.order_when(id_, is_mailed, seconds=120) for id_ in order_ids}
    return {id_: [one.code for one in order.licenses] for id_, order in orders.items()}


def test_a_table_of_a_moment_is_given_back_and_everybody_keeps_their_code(local: LocalStack) -> None:
    sell(local, "before")
    keypost("restore", "table", "--at", AT)
    since = sell(local, "since-1", "since-2", "since-3")
    assert "stack_is_not_paused" in keypost("restore", "give-back", "--at", AT, "--yes", status=1)

    keypost("stack", "pause")
    local.stripe_calls(paid_session("paused"))  # the emulator lets it in; AWS refuses it, and the provider calls again
    assert mails_to(local, "paused") == []
    keypost("restore", "give-back", "--at", AT, "--yes")
    assert [local.stack.store.load(order_id) for order_id in since] == [None] * 3
    keypost("stack", "resume", "--doors")
    for order_id in ("paused", "since-1", "since-2"):  # and so does the provider of two of these
        assert local.stripe_calls(paid_session(order_id)) == (200, "")
    first = keypost("restore", "check", "--at", AT, "--mend", status=1)
    assert local.stripe_calls(paid_session("since-3")) == (200, "")
    second = keypost("restore", "check", "--at", AT, "--mend")
    keypost("stack", "resume")

    assert "since-3: codes were sent for it (1), and nobody has reported it yet" in first
    assert "Every code that was sent is in the table again" in second
    everybody = ("before", "since-1", "since-2", "since-3", "paused")
    has = codes_of(local, *everybody)
    assert {order_id: has[order_id] for order_id in since} == since
    assert set(Counter(code for codes in has.values() for code in codes).values()) == {1}
    assert {order_id: len(mails_to(local, order_id)) for order_id in everybody} == dict.fromkeys(everybody, 1)
    logged = logged_of(local, everybody)
    assert told_of(logged) == set(everybody)
    assert not any(code in json.dumps(logged) for codes in has.values() for code in codes)
