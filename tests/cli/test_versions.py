"""A command line that is older than its stack reads, and changes nothing."""

import io
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest

from cli import main
from cli.local.stack import LocalStack
from cli.stacks import Stack
from cli.versions import OWN, ranked, refuse_if_older
from keypost.core.errors import KeypostError
from keypost.words import reader, sentence
from tests.builders import ZONE, code, loaded, paid_order
from tests.cli.conftest import name_here

Run = Callable[..., tuple[int, str, str]]
PRODUCTS = Path(__file__).parents[2] / "cli/local/products.toml"
SKU = "KASPERSKY-STANDARD-3D-1Y"
READING = {
    "attention": (),
    "mail list": (),
    "order list": (),
    "products list": (),
    "search": ("jansen",),
    "secrets list": (),
    "stock list": (),
    "stock order": (),
    "claims": ("--batch", "test"),
    "due": (),
    "inbox": (),
    "start": (),
    "guide export": ("guide",),
    "support-key list": (),
}
WRITING = {
    "products apply": (str(PRODUCTS),),
    "stock import": ("codes.csv",),
    "stock withdraw": (SKU, "--batch", "test"),
    "stock move": (SKU, "KASPERSKY-PLUS-3D-1Y", "--batch", "test"),
    "stock batch": ("test", "--replace"),
    "events again": ("written",),
    "events on": (),
    "mail resend": ("--day", "2026-11-23"),
    "order resend": ("written",),
    "order hold": ("written",),
    "order release": ("written",),
    "order close": ("written", "--reason", "done"),
    "order address": ("written",),
    "order swap": ("written", "LIC-ABCDEFGH23", "invalid"),
    "order note": ("written", "calls back"),
    "order contents": ("written", "--own-order", "pay_1"),
    "order customer": ("written", "--name", "Anna"),
    "order stop-reminders": ("written",),
    "order lift-complaint": ("written", "--reason", "by mistake"),
    "order by-hand": ("--line", SKU, "--why", "goodwill"),
    "order withdraw": ("written",),
    "order move": ("written", "LIC-ABCDEFGH23", "--to", "anna@anders.example"),
    "order resend --license": ("LIC-ABCDEFGH23", "written"),
    "order refunded": ("written", "LIC-ABCDEFGH23"),
    "order renewal": ("written", "1", "--start", "now"),
    "due --hold": ("written",),
    "due --release": ("written",),
    "start --from": ("2026-12-01",),
    "blocked": ("written",),
    "subscription-ended": ("written",),
    "erase": (),
    "secrets set": ("mollie_api_key",),
    "secrets generate": ("webhook_signing",),
    "support-key create": ("--agent", "anna"),
    "support-key revoke": ("0a1b2c3d4e",),
}
ELSEWHERE = {
    "export orders",  # reads, as `export` does; both are among the tests of the command line
    "order show",  # reads
    "order mail",  # reads
    "order proof",  # reads, and writes a file
    "alarms",  # reads CloudWatch
    "logs",  # reads CloudWatch
    "dead-letters list",  # reads queues, which a stack in the table alone lacks
    "dead-letters redrive",  # tests/cli/test_alarms.py; it refuses as all that write
    "dead-letters purge",  # as redrive
    "import licenses",  # tests/cli/test_licenses.py; it refuses as all that write
    "restore table",  # needs a table of AWS; these are tried in tests/test_restore.py
    "restore give-back",  # as above
    "restore check",  # as above
    "stack back",  # for a stack of any version: it is the way back from a newer one
    "stack check",  # as above
    "stack pause",  # as above
    "stack resume",  # as above
    "doctor",  # reads, and its exit status says what it found
    "setup",  # needs a deploy of its own; it refuses a newer stack before it changes anything
    "mail preview",  # needs no stack
    "mail smoke-test",  # stores nothing
}


@pytest.fixture
def typed(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`keypost` with these words, in a folder with a file of codes, and with an address for what asks for one."""
    Path("codes.csv").write_text(f"code,sku,batch\n{code(1)},KASPERSKY-STANDARD-3D-1Y,test\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("facturen@klant.example\n"))
    return run


@pytest.fixture
def newer(published: Callable[[str | None], Stack]) -> Stack:
    """A stack that runs a newer version."""
    return published("99.0.0")


def commands(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield path + name


def test_every_command_that_uses_a_stack_is_known_to_read_or_to_write() -> None:
    known = {*READING, *WRITING, *ELSEWHERE} - {"due --hold", "due --release", "order resend --license", "start --from"}

    assert {name for name in commands(main.cli) if not name.startswith("local ")} == known


@pytest.mark.parametrize("name", WRITING)
def test_no_command_writes_to_a_newer_stack(newer: Stack, typed: Run, name: str) -> None:
    newer.store.save(paid_order("written"))
    before = _everything(newer)

    status, out, errors = typed(*name.split(), *WRITING[name], "--stack", newer.store.table)

    assert (status, out) == (1, "")
    assert re.fullmatch(r"keypost: (stack_is_newer|.*99\.0\.0.*)\n", errors)
    assert _everything(newer) == before


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_refusal_names_both_versions(language: str) -> None:
    with pytest.raises(KeypostError) as error:
        refuse_if_older("99.0.0", "0.1.0")

    words = sentence(error.value.said, reader(language, ZONE))
    assert "99.0.0" in words
    assert "0.1.0" in words


def _everything(stack: Stack) -> Any:
    table = sorted(map(str, stack.store._client.scan(TableName=stack.store.table)["Items"]))
    secret = stack.secrets.client.get_secret_value(SecretId=stack.secrets.secret_id)["SecretString"]
    return table, secret


@pytest.mark.parametrize("name", READING)
def test_every_reading_command_reads_from_a_newer_stack(newer: Stack, typed: Run, name: str) -> None:
    status, _, errors = typed(*name.split(), *READING[name], "--stack", newer.store.table)

    assert (status, errors) == (0, "")


def test_nobody_is_stopped_on_the_local_stack(newer: Stack, run: Run, local: LocalStack) -> None:
    name_here(newer, local)
    newer.store.save(paid_order("here"))

    assert run("due", "--hold", "here")[0] == 0
    assert loaded(newer.store, "here").hold.by_person


@pytest.mark.parametrize("version", [OWN, "0.0.9", None])
def test_a_stack_of_this_version_or_an_older_one_is_written_to(
    published: Callable[[str | None], Stack], run: Run, version: str | None
) -> None:
    stack = published(version)
    stack.store.save(paid_order("same"))

    assert run("due", "--hold", "same", "--stack", stack.store.table)[0] == 0
    assert loaded(stack.store, "same").hold.by_person


def test_the_command_line_says_its_version(run: Run) -> None:
    assert run("--version") == (0, f"keypost {OWN}\n", "")


def test_versions_sort_as_people_read_them() -> None:
    rising = ["0.9", "0.10.dev1", "0.10a1", "0.10-beta.2", "0.10rc1", "0.10.0", "0.10.1", "1.0", "1.2.3", "1.10", "2"]

    assert all(ranked(older) < ranked(newer) for older, newer in pairwise(rising))
    assert ranked("1.2") == ranked("1.2.0") == ranked("v1.2.0+build.7")


@pytest.mark.parametrize("version", ["", "newest", "1..2", "1.2.x"])
def test_a_stack_whose_version_is_none_is_not_written_to(version: str) -> None:
    with pytest.raises(KeypostError, match="no_version"):
        refuse_if_older(version)
