"""The layers, built by their own recipes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.deploy import ROOT
from tests.bench.cold import SETTINGS

_MODULES = (
    "advance_orders, find_due_orders, payment_callback, support_api, support_auth, support_page, "
    "keypost.providers.stripe, keypost.providers.webhook"
)
LOCKS = (
    "requirements/dev.txt",
    "requirements/command.txt",
    "requirements/sam.txt",
    "requirements/scan.txt",
    "layers/dependencies/requirements.txt",
    "layers/tokens/requirements.txt",
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


def files(lock: str) -> dict[str, set[str]]:
    """The hashes of the files of each package, by its pin."""
    entries = re.split(r"^(?=[a-z])", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    found = {entry.split()[0]: set(re.findall(r"--hash=(\S+)", entry)) for entry in entries if "==" in entry}
    assert found
    return found


def test_what_is_tested_here_is_what_is_deployed() -> None:
    here, deployed = pins("requirements/dev.txt"), pins("layers/dependencies/requirements.txt")
    deployed |= pins("layers/tokens/requirements.txt")

    assert {name: here.get(name) for name in deployed} == deployed


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_by_hash_and_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")

    entries = [entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if not entry.startswith("#")]
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)


def test_the_locks_have_the_same_files_of_each_package_and_all_of_them() -> None:
    """One that was written where only some files of a package could be found installs nowhere else."""
    locks = {lock: files(lock) for lock in LOCKS}

    whole = locks.pop("requirements/dev.txt")
    assert len(set().union(*locks.values()) & whole.keys()) > 50
    assert {pin: lock for lock, each in locks.items() for pin in each if each[pin] != whole.get(pin, each[pin])} == {}
    assert [pin for each in (whole, *locks.values()) for pin in each if len(each[pin]) < 2] == []  # source and wheel


@pytest.mark.drill
def test_the_layers_alone_hold_all_that_the_functions_import_and_call(tmp_path: Path) -> None:
    mine = [f"PYTHON={sys.executable}", f"TARGET={sys.executable}", "PLATFORM="]
    packages = build("dependencies", "build-DependenciesLayer", tmp_path / "dependencies", *mine)
    tokens = build("tokens", "build-TokensLayer", tmp_path / "tokens", *mine)
    keypost = build("keypost", "build-KeypostLayer", tmp_path / "keypost", *mine)
    program = f"""
import sys
sys.path[:0] = {[str(packages), str(keypost), str(ROOT / "functions")]!r}
import {_MODULES}
assert not {{"jwt", "cryptography"}} & sys.modules.keys()
sys.path.append({str(tokens)!r})
import keypost.clients.tokens
import boto3
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse
session = boto3.Session("id", "key", region_name="eu-west-1")
dynamodb, sqs, sesv2, secrets = map(session.client, ("dynamodb", "sqs", "sesv2", "secretsmanager"))
def answer(status, body):
    def send(request, **_):
        raw = HTTPResponse(body.encode(), preload_content=False)
        raw.stream = lambda **_: [body.encode()]
        return AWSResponse(request.url, status, {{"content-type": "application/json"}}, raw)
    return send
def answered(client, status, body):
    client.meta.events.register_first("before-send", answer(status, body), "answer")
    return client
answered(dynamodb, 200, '{{"Items": [{{"PK": {{"S": "ORDER#1"}}}}]}}')
pages = dynamodb.get_paginator("query").paginate(TableName="t")
assert [page["Items"] for page in pages] == [[{{"PK": {{"S": "ORDER#1"}}}}]]
sent = answered(sqs, 200, '{{"MessageId": "m"}}').send_message(QueueUrl="https://q", MessageBody="1")
assert sent["MessageId"] == "m"
entry = {{"Source": "s", "DetailType": "t", "Time": __import__("datetime").datetime(2026, 11, 23), "Detail": "{{}}"}}
events = answered(session.client("events"), 200, '{{"FailedEntryCount": 0}}')
assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
created = answered(secrets, 200, '{{"CreatedDate": 1764374400.0}}').get_secret_value(SecretId="s")["CreatedDate"]
assert created.isoformat().startswith("2025-11-2")
try:
    answered(sesv2, 404, '{{"__type": "NotFoundException"}}').get_suppressed_destination(EmailAddress="a@example.org")
except sesv2.exceptions.NotFoundException:
    pass
else:
    raise AssertionError
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
    assert sum(path.stat().st_size for path in packages.rglob("*")) < 45_000_000  # the bench says how far below 35


@pytest.mark.drill
def test_a_cold_start_compiles_nothing_of_the_layers_whatever_became_of_their_times(tmp_path: Path) -> None:
    """A zip that is the same for the same files has made-up times, and Lambda's disk is read-only: byte code that goes
    by times would be made anew at each start."""
    mine = [f"PYTHON={sys.executable}", f"TARGET={sys.executable}", "PLATFORM="]
    packages = build("dependencies", "build-DependenciesLayer", tmp_path / "dependencies", *mine)
    keypost = build("keypost", "build-KeypostLayer", tmp_path / "keypost", *mine)
    for path in [*packages.rglob("*.py"), *keypost.rglob("*.py")]:
        os.utime(path, (315532800, 315532800))
    (tmp_path / "without_byte_code.py").write_text("", encoding="utf-8")
    program = f"""
import importlib, importlib.machinery, sys
sys.dont_write_bytecode = True
sys.path[:0] = {[str(packages), str(keypost), str(ROOT / "functions"), str(tmp_path)]!r}
compiled = []
make = importlib.machinery.SourceFileLoader.source_to_code
def compiling(loader, data, path, **options):
    compiled.append(str(path))
    return make(loader, data, path, **options)
importlib.machinery.SourceFileLoader.source_to_code = compiling
import pkgutil, keypost.core.frozen_inits
for module in pkgutil.iter_modules(keypost.core.__path__, "keypost.core."):
    importlib.import_module(module.name)
assert len(keypost.core.frozen_inits.MAKERS) > 100
assert keypost.core.frozen.MAKERS.keys() == keypost.core.frozen_inits.MAKERS.keys()  # none was compiled here
import {_MODULES}, without_byte_code
print(*[path for path in compiled if path.startswith({str(tmp_path)!r})], sep="\\n")
"""

    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(tmp_path / "without_byte_code.py")]


@pytest.mark.drill
def test_the_dependencies_are_those_of_lambdas_processor_and_python_whatever_is_here(tmp_path: Path) -> None:
    packages = build("dependencies", "build-DependenciesLayer", tmp_path, f"PYTHON={sys.executable}", "TARGET=none")

    extensions = list(packages.rglob("*.so"))
    assert extensions
    for path in extensions:
        assert "cpython-313-aarch64" in path.name or path.name.endswith(".abi3.so")
        assert int.from_bytes(path.read_bytes()[18:20], "little") == _AARCH64


_AWS = {"aws_lambda_powertools", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "urllib3"}
_ORDERS = _AWS | {"attr", "attrs", "cattrs"}
# What each function has loaded before its first call. A further library, or the core in a function that reads no order,
# is time that every caller of a new environment waits.
_LOADED = {
    "advance_orders": _ORDERS | {"jinja2", "markupsafe"},
    "deliver_events": _AWS,
    "find_due_orders": _AWS,
    "guide_page": _ORDERS,
    "mail_feedback": _ORDERS,
    "payment_callback": _ORDERS,
    "reconcile_payments": _ORDERS,
    "reminders_page": _ORDERS,
    "self_service": _AWS,
    "send_again": _ORDERS,
    "support_api": _ORDERS | {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"},
    "support_auth": _AWS,
    "tell_events": _ORDERS,
    "support_page": {"aws_lambda_powertools", "botocore", "jmespath"},
    "write_daily_note": _ORDERS,
}
_LIBRARIES = {"dns", "email_validator", "idna", "jinja2", "markupsafe", "jwt", "cryptography", "standardwebhooks"}
_LIBRARIES |= {"charset_normalizer", "requests", "stripe"} | set().union(*_LOADED.values())


def loaded(function: str) -> set[str]:
    """The modules that a function has loaded when Lambda has initialized it."""
    program = f"import sys; sys.path.insert(0, 'functions'); import {function}; print(*sys.modules)"
    settings = SETTINGS | {"PATH": os.environ["PATH"], "HOME": "/"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=settings
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("function", sorted(path.stem for path in (ROOT / "functions").glob("*.py")))
def test_a_function_loads_what_it_uses(function: str) -> None:
    modules = loaded(function)

    assert {name.partition(".")[0] for name in modules} & _LIBRARIES == _LOADED[function]
    assert ("keypost.core.order" in modules) == ("cattrs" in _LOADED[function])
