"""What a monitor outside of AWS hears of the daily rule."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine

import find_due_orders
from cli.stacks import Stack
from keypost import wiring
from keypost.core.aside import Aside, set_aside
from keypost.core.aside_reasons import AsideReason
from tests.builders import NOW, RunContext, paid_order

TOKEN = "token-of-the-monitor"
DAILY: dict[str, Any] = {"rule": "daily"}


@dataclass
class Monitor:
    url: str
    answer: int = 200
    heard: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def monitor(wired: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.heard.append((self.command, self.path))
            self.send_response(it.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it = Monitor(f"http://127.0.0.1:{server.server_port}/{TOKEN}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    use(it.url, monkeypatch)
    yield it
    server.shutdown()
    server.server_close()


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPOST_HEARTBEAT_URL", url)
    monkeypatch.setenv("KEYPOST_STAGE", "local")
    wiring.forget()


def run(rule: dict[str, Any] = DAILY, context: RunContext | None = None) -> None:
    with time_machine.travel(NOW, tick=False):
        find_due_orders.handler(rule, context or RunContext())


def test_a_daily_rule_that_found_everything_in_order_is_heard_once(wired: Stack, monitor: Monitor) -> None:
    wired.store.save(paid_order(at=NOW))

    run()

    assert monitor.heard == [("GET", f"/{TOKEN}")]


def test_the_safety_net_is_not_heard(monitor: Monitor) -> None:
    run({})

    assert monitor.heard == []


def test_an_order_that_is_overdue_is_not_in_order(wired: Stack, monitor: Monitor) -> None:
    wired.store.save(paid_order(at=NOW - timedelta(hours=3)))

    run()

    assert monitor.heard == []


def test_an_order_that_is_set_aside_is_not_in_order(wired: Stack, monitor: Monitor) -> None:
    wired.store.save_aside(set_aside(Aside("odd"), AsideReason.UNREADABLE, NOW, ""), NOW)

    run()

    assert monitor.heard == []


def test_a_run_that_is_cut_short_is_not_in_order(wired: Stack, monitor: Monitor) -> None:
    wired.store.save(paid_order(at=NOW))

    run(context=RunContext(39_000))

    assert monitor.heard == []


@pytest.mark.parametrize("answer", [301, 404, 500])
def test_a_monitor_that_has_trouble_fails_no_run_and_its_address_is_in_no_log(
    monitor: Monitor, logged: io.StringIO, answer: int
) -> None:
    monitor.answer = answer

    run()

    said = [json.loads(line)["message"] for line in logged.getvalue().splitlines()]
    assert said[-2:] == ["DailyRule", "HeartbeatNotHeard"]
    assert TOKEN not in logged.getvalue()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/" + TOKEN, "https://169.254.169.254/" + TOKEN, "https://[/" + TOKEN]
)
def test_an_address_that_cannot_be_called_fails_no_run(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO, url: str
) -> None:
    use(url, monkeypatch)

    run()

    assert "DailyRule" in logged.getvalue()
    assert TOKEN not in logged.getvalue()
