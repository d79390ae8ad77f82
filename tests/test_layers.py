"""The layers, built by their own recipes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.deploy import ROOT

_MODULES = (
    "advance_orders, find_due_orders, payment_callback, support_api, support_auth, support_page, "
    "keypost.providers.stripe, keypost.providers.webhook, keypost.clients.tokens"
)
_AARCH64 = 183  # as ELF numbers processors


def build(layer: str, target: str, artifacts: Path, *options: str) -> Path:
    subprocess.run(
        ["make", "--silent", "-C", str(ROOT / "layers" / layer), target, f"ARTIFACTS_DIR={artifacts}", *options],
        check=True,
        capture_output=True,
    )
    return artifacts / "python"


def pins(lock: str) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
    assert found
    return dict(found)


def test_what_is_tested_here_is_what_is_deployed() -> None:
    here, deployed = pins("requirements/dev.txt"), pins("layers/dependencies/requirements.txt")

    assert {name: here.get(name) for name in deployed} == deployed


@pytest.mark.parametrize(
    "lock", ["requirements/dev.txt", "requirements/sam.txt", "layers/dependencies/requirements.txt"]
)
def test_every_dependency_is_pinned_by_hash_and_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")

    entries = [entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if not entry.startswith("#")]
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)


@pytest.mark.drill
def test_the_layers_alone_hold_all_that_the_functions_import_and_call(tmp_path: Path) -> None:
    mine = [f"PYTHON={sys.executable}", f"TARGET={sys.executable}", "PLATFORM="]
    packages = build("dependencies", "build-DependenciesLayer", tmp_path / "dependencies", *mine)
    keypost = build("keypost", "build-KeypostLayer", tmp_path / "keypost", *mine)
    program = f"""
import sys
sys.path[:0] = {[str(packages), str(keypost), str(ROOT / "functions")]!r}
import {_MODULES}
import boto3
for service in ("dynamodb", "sqs", "sesv2", "secretsmanager"):
    boto3.Session(region_name="eu-west-1").client(service)
assert "<main" in support_page.handler({{"httpMethod": "GET"}}, None)["body"]
from zoneinfo import ZoneInfo, reset_tzpath
reset_tzpath(to=())
ZoneInfo("Europe/Amsterdam")
import jwt
assert jwt.algorithms.has_crypto
"""

    # -S: without the packages of this environment.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.returncode == 0
    assert sum(path.stat().st_size for path in packages.rglob("*")) < 120_000_000  # of the 250 MB that Lambda allows


@pytest.mark.drill
def test_the_dependencies_are_those_of_lambdas_processor_and_python_whatever_is_here(tmp_path: Path) -> None:
    packages = build("dependencies", "build-DependenciesLayer", tmp_path, f"PYTHON={sys.executable}", "TARGET=none")

    extensions = list(packages.rglob("*.so"))
    assert extensions
    for path in extensions:
        assert "cpython-313-aarch64" in path.name or path.name.endswith(".abi3.so")
        assert int.from_bytes(path.read_bytes()[18:20], "little") == _AARCH64


_VALIDATION = {"pydantic", "email_validator"}  # of every call of the support API


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("advance_orders", set()),
        ("find_due_orders", set()),
        ("payment_callback", set()),
        ("support_api", _VALIDATION),
        ("support_auth", set()),
        ("support_page", set()),
    ],
)
def test_a_function_starts_without_the_libraries_that_its_first_call_may_need(module: str, needed: set[str]) -> None:
    program = f"import sys; sys.path.insert(0, 'functions'); import {module}; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)

    later = {"stripe", "standardwebhooks", "jinja2", "jwt", "cryptography", *_VALIDATION} - needed
    assert not later & set(done.stdout.split())
