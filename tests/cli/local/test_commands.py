import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.local import commands
from cli.local.stack import LocalStack
from keypost.errors import KeypostError

KEYPOST = [sys.executable, "-c", "from cli.main import main; main()", "local"]


def children(directory: Path) -> list[str]:
    """The command lines of all processes that run from this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if process.name != str(os.getpid()) and str(directory) in (process / "environ").read_text(
                "utf-8", "replace"
            ):
                found.append(b" ".join(words).decode())
        except OSError:
            continue
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"KEYPOST_TEST": str(tmp_path), "PYTHONUNBUFFERED": "1"}


def test_demo_sells_a_license_shows_the_mail_and_leaves_nothing_running(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*KEYPOST, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert "Subject: Uw activatiecode voor Kaspersky Standard (bestelling 2026-001234)" in done.stdout
    assert "license LIC-" in done.stdout
    assert "mail sent: purchase-1, attempt 1" in done.stdout
    assert (tmp_path / ".local/mail.html").read_text("utf-8").startswith("<!doctype html>")
    assert [line[:1] for line in done.stderr.splitlines()] == ["-"] * 5  # one line per thing it does
    assert children(tmp_path) == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_stays_up_until_it_is_told_to_stop_and_leaves_nothing_running(
    tmp_path: Path, environment: dict[str, str], ending: signal.Signals
) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen([*KEYPOST, "run"], cwd=tmp_path, stdout=output, stderr=output, env=environment)
    deadline = time.monotonic() + 60
    while "It stays up" not in log.read_text("utf-8") and time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")

    about = json.loads((tmp_path / ".local/stack.json").read_text("utf-8"))
    assert set(about) == {
        *("api_url", "endpoint_url", "region", "stack", "table", "mailbox_url"),
        *("stripe_webhook_secret", "webhook_secret", "mollie_token", "mollie_url", "stripe_url", "support_key"),
    }
    process.send_signal(ending)

    assert process.wait(30) == 0
    assert not (tmp_path / ".local/stack.json").exists()
    assert children(tmp_path) == []


def test_a_demo_in_which_something_does_not_happen_says_what(
    local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_SECONDS_TO_MAIL", 3)
    monkeypatch.setattr(commands, "_ORDER_ID", "never-sold")

    with pytest.raises(KeypostError, match="order never-sold did not become what it should within 3 s: there is none"):
        commands.sell_one(local)
