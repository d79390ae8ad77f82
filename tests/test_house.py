"""The house: rules about the tests and the functions that no linter knows."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local.deploy import ROOT

TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imported(code: str) -> Iterator[str]:
    """The modules that this code imports from."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def from_a_test(code: str) -> list[str]:
    return [name for name in imported(code) if re.match(r"tests\.(\w+\.)*test_\w+$", name)]


def test_no_test_imports_from_another_test() -> None:
    for borrowed in ("from tests.keypost.test_plan import x", "from tests.cli import test_main", "import tests.test_a"):
        assert from_a_test(borrowed) != []

    assert [(path.name, name) for path in TESTS for name in from_a_test(path.read_text("utf-8"))] == []


def test_a_function_holds_the_edge_and_nothing_else() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "functions").glob("*.py")}

    assert "advance_orders.py" in lengths
    assert {name: length for name, length in lengths.items() if length > 40} == {}


# What a test may put something else in place of: what Python and other libraries own, a stream, and nothing of ours.
PATCHED = {
    "'sys.argv'": "the words of a command line",
    "'sys.stdin'": "what somebody types",
    "'time.monotonic'": "a clock of Python's",
    "dns.resolver": "the name servers of this machine",
    "botocore.httpsession.URLLib3Session": "the network below every client of AWS",
    "mollie": "its program talks to Mollie itself",
    "stripe": "its program talks to Stripe itself",
    "telemetry.logger.registered_handler": "the stream that the functions log to",
    "boto3": "a session of its own takes as long as fifty calls",
    "URLLib3Session": "the network below every client of AWS",
    "Endpoint": "a name for each call that nobody reads",
    "EndpointRulesetResolver": "where an operation leads, which is found out once for each client",
    "JSONFileLoader": "the service descriptions of botocore, which are read once",
    "BotocoreStubber": "moto answers one call at a time",
    "threading.Thread": "the emulator starts none in the simulation",
    "time": "the simulation has a time of its own",
    "concurrent.futures": "the simulation runs one thing at a time",
    "module": "the simulation gives each version the time of the simulation",
    "os": "the simulation's chance can be played again; an account without a name",
    "retries": "the simulation gives each shop the whole of the SDK's retries",
    "random": "the simulation's chance can be played again",
    "urllib3.PoolManager": "the network below a provider's API, whose real address a live stack insists on",
    "UserAgentString": "a header that nobody reads",
    "dns.resolver.Resolver": "the name servers of this machine",
    "Config": "the provider of docs/adding-a-provider.md has no setting for the address of its API",
    "'click.termui.visible_prompt_func'": "the question that click asks, which a person breaks off with Ctrl-C",
}


def patched(code: str) -> list[str]:
    """Whose attributes this code replaces."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func).endswith(("setattr", "patch.object"))]


def test_no_test_patches_an_object_of_ours() -> None:
    for ours in ("monkeypatch.setattr(Store, 'save', x)", "patch.setattr(desk.store, 'load', x)", "setattr(a, 'b', x)"):
        assert set(patched(ours)) - set(PATCHED) != set()
    found = {target for path in TESTS for target in patched(path.read_text("utf-8"))}

    assert found == set(PATCHED)


CONTRACTS = ("pyproject.toml", "layers/keypost/keypost", "cli")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the import contracts are about."""
    for name in CONTRACTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def broken(tree: Path) -> str:
    """What lint-imports says of a tree; empty when it keeps all contracts."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tree / 'layers/keypost'}{os.pathsep}{tree}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tree, env=path, capture_output=True, text=True, check=False
    )
    assert "Contracts:" in done.stdout or done.returncode, done.stderr
    return done.stdout + done.stderr if done.returncode else ""


def test_the_rings_hold(tree: Path) -> None:
    assert broken(tree) == ""


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("discount.py", "import os\n"),
        ("services/__init__.py", "\n"),
        ("core/discount.py", "from keypost.table import Store\n"),
        ("core/discount.py", "import os\n"),
        ("table/discount.py", "from keypost.clients.queue import Queue\n"),
        ("clients/discount.py", "from keypost.clients.queue import Queue\n"),
        ("use_cases/discount.py", "from keypost import wiring\n"),
        ("words/discount.py", "from keypost import config\n"),
        ("emails/discount.py", "import cli.main\n"),
    ],
)
def test_a_module_in_no_ring_and_one_that_reaches_outward_break_the_contracts(
    tree: Path, module: str, code: str
) -> None:
    path = tree / "layers/keypost/keypost" / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)

    assert "discount" in broken(tree) or "services" in broken(tree)
