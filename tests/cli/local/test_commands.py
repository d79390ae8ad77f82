import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import partial
from pathlib import Path

import pytest

from cli.local import commands
from cli.local.stack import LocalStack, describe
from keypost.core.errors import KeypostError
from keypost.core.payment import Standing
from keypost.core.said import said
from keypost.words import reader, sentence
from tests.builders import SKU
from tests.deployed import logged_until

NOBODY_THERE = dict.fromkeys(("mailbox_url", "endpoint_url"), "http://127.0.0.1:1") | {
    "region": "x",
    "stack": "keypost",
}
UP = sentence(said("local_until"), reader("en", UTC))  # the last line that `keypost local run` prints
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


@pytest.mark.needs("/proc")
def test_demo_sells_a_license_shows_the_mail_and_leaves_nothing_running(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*KEYPOST, "demo", "--lang", "nl"], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert "Subject: Uw activatiecode voor Kaspersky Standard (2026-001234)" in done.stdout
    assert "license LIC-" in done.stdout
    assert "de e-mail met de codes is verstuurd" in done.stdout
    assert " cs_test_a1B2… " in done.stdout  # of 66 characters
    assert (tmp_path / ".local/mail.html").read_text("utf-8").startswith("<!doctype html>")
    assert "Both new periods start on" in done.stdout
    assert "toont de adressen van de pagina's (Postvak, Galerij van alle e-mails, " in done.stdout
    assert [line[:1] for line in done.stderr.splitlines()] == ["-"] * 7  # one line for each step that it reports
    assert children(tmp_path) == []


@pytest.mark.needs("/proc")
@pytest.mark.parametrize(
    "ending",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.drill),
        pytest.param(signal.SIGHUP, marks=pytest.mark.drill),
    ],
)
def test_run_stays_up_until_it_is_told_to_stop_and_leaves_nothing_running(
    tmp_path: Path, environment: dict[str, str], ending: signal.Signals
) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*KEYPOST, "run", "--lang", "en"], cwd=tmp_path, stdout=output, stderr=output, env=environment
        )
    deadline = time.monotonic() + 60
    while UP not in log.read_text("utf-8") and time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")
    assert UP in log.read_text("utf-8")

    about = json.loads((tmp_path / ".local/stack.json").read_text("utf-8"))
    assert set(about) == {
        *("api_url", "endpoint_url", "region", "stack", "table", "mailbox_url"),
        *("stripe_webhook_secret", "webhook_secret", "mollie_token", "mollie_url", "stripe_url", "support_key"),
        *("woocommerce_secret", "moneybird_secret", "mollie_secret", "support_page_url", "resend_url", "guide_url"),
    }
    assert [oct((tmp_path / name).stat().st_mode)[-3:] for name in (".local", ".local/stack.json")] == ["700", "600"]
    second = subprocess.run(
        [*KEYPOST, "run", "--lang", "en"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert f"A local stack is up already: its mailbox is {about['mailbox_url']}." in second.stderr
    for page in ("support_page_url", "resend_url", "guide_url"):
        with urllib.request.urlopen(about[page]) as answer:
            assert answer.status == 200
        assert f"  {about[page]}\n" in log.read_text("utf-8")
        with urllib.request.urlopen(about["mailbox_url"]) as answer:
            assert f'href="{about[page]}"' in answer.read().decode()
    for place in ("", "/gallery", "/#shop"):
        assert f"  {about['mailbox_url']}{place}\n" in log.read_text("utf-8")
    assert f"  {about['support_key']}\n" in log.read_text("utf-8")
    assert f'Authorization: Bearer {about["support_key"]}" {about["api_url"]}/orders/' in log.read_text("utf-8")
    process.send_signal(ending)

    assert process.wait(30) == 0
    assert not (tmp_path / ".local/stack.json").exists()
    assert children(tmp_path) == []


def test_a_demo_in_which_something_does_not_happen_says_what(local: LocalStack) -> None:
    with pytest.raises(
        KeypostError, match="order never-sold did not reach the expected state within 1 s: there is none"
    ):
        commands.sell_one(local, "never-sold", seconds=1)


def keypost_local(directory: Path, *words: str) -> tuple[int, str, str]:
    """Run `keypost local` with these arguments; returns exit status, output and errors."""
    done = subprocess.run([*KEYPOST, *words], cwd=directory, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def beside(local: LocalStack, tmp_path: Path) -> Path:
    """A folder in which the commands find the shared stack, as if `make run` had started it."""
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/stack.json").write_text(describe(local))
    return tmp_path


def test_a_visitor_pays_refunds_and_disputes_from_the_command_line(local: LocalStack, beside: Path) -> None:
    url = local.mailbox.url

    assert keypost_local(beside, "pay", "by-command") == (
        0,
        f"Order by-command is paid: Keypost answered the callback with 200\nLook at {url}/#shop\n",
        "",
    )
    order = local.order_when("by-command", lambda order: order.is_paid)
    assert (order.customer.email, order.customer.language, order.lines[0].sku) == ("klant@klant.example", "nl", SKU)

    assert "is disputed" in keypost_local(beside, "dispute", "by-command")[1]
    assert "is paid" in keypost_local(beside, "dispute", "by-command", "--won")[1]
    assert "is partly refunded" in keypost_local(beside, "refund", "by-command", "--amount", "10.00")[1]
    assert "is refunded" in keypost_local(beside, "refund", "by-command")[1]
    local.order_when("by-command", lambda order: order.standing is Standing.REFUNDED)


def test_what_the_shop_refuses_is_one_line_and_exit_status_1(beside: Path) -> None:
    status, out, err = keypost_local(beside, "refund", "never-sold")

    assert (status, out) == (1, "")
    assert err == "keypost: the shop has no order with this number: pay it first\n"


def test_a_callback_that_keypost_did_not_take_is_told(local: LocalStack, beside: Path) -> None:
    local.providers.trouble = lambda: (503, {}, b"")

    status, out, err = keypost_local(beside, "pay", "not-taken", "--provider", "mollie")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "Keypost answered the callback with 503" in err


def test_a_developer_reads_the_log_of_one_function(local: LocalStack, beside: Path) -> None:
    refuse = partial(local.call, "/callbacks/nobody", b"{}", {})
    logged_until(local, refuse, lambda text: '"CallbackRefused"' in text, "PaymentCallback")

    status, out, err = keypost_local(beside, "logs", "PaymentCallback")

    assert (status, err) == (0, "")
    assert '"message":"CallbackRefused"' in out
    assert {line.split()[1] for line in out.splitlines()} == {"PaymentCallback"}


def test_a_developer_who_asks_for_a_function_that_is_none_is_told_so(beside: Path) -> None:
    assert keypost_local(beside, "logs", "Nobody") == (0, "", "Nobody has logged nothing\n")


@pytest.fixture
def run_here(run: Callable[..., tuple[int, str, str]]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """`keypost local` without a process of its own, which takes a second to start. What it does at a signal ends with
    the test."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield partial(run, "local")
    for each, act in before.items():
        signal.signal(each, act)


@pytest.mark.parametrize("words", [["pay", "7"], ["refund", "7"], ["dispute", "7", "--won"], ["logs"]])
@pytest.mark.parametrize(
    ("about", "fault"),
    [
        (None, "No local stack is running: start one with `make run`"),
        (json.dumps(NOBODY_THERE), "does not answer: start it with `make run`"),
        ("{}", "is damaged: start the local stack again with `make run`"),
    ],
)
def test_without_a_stack_the_commands_say_how_to_start_one(
    tmp_path: Path, run_here: Callable[..., tuple[int, str, str]], words: list[str], about: str | None, fault: str
) -> None:
    if about is not None:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local/stack.json").write_text(about)

    status, out, err = run_here(*words)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert fault in err
