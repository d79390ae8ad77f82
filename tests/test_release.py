"""A release: the same bytes for the same commit, a true list of its parts, and a deploy from its files alone."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from standardwebhooks import Webhook

from cli.local.emulator import REGION, emulator
from cli.local.mailbox import SentMail, mailbox, over_http
from cli.local.samples import sample_products
from cli.local.stack import sample_codes
from cli.parts import PART_LISTS, bill_of_materials, licence_of, pins
from cli.places import ROOT
from cli.release import archive, version_of
from cli.setup.released import parameters, placed, upload
from cli.stacks import local_session
from cli.versions import OWN
from keypost.core.errors import KeypostError
from tests.bench.artifacts import lambdas_python

MOMENT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
LOCKS = {part: (ROOT / lock).read_text("utf-8") for part, lock in PART_LISTS.items()}
# What may be shipped under Apache-2.0 without asking anybody: none of it wants our own source in return.
FREE = ("Apache", "BSD", "ISC", "MIT", "PSF", "Unlicense")


def written(folder: Path, mode: int, moment: int, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(mode)
        os.utime(path, (moment, moment))
    return folder


def test_an_archive_is_the_same_whatever_the_order_the_modes_and_the_times_of_its_files(tmp_path: Path) -> None:
    made, again = tmp_path / "made.zip", tmp_path / "again.zip"

    archive(written(tmp_path / "a", 0o600, 1_700_000_000, "b/c.py", "a.py", "z.py"), made)
    archive(written(tmp_path / "o", 0o755, 1_800_000_000, "z.py", "a.py", "b/c.py"), again)

    assert made.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(made) as zipped:
        assert zipped.namelist() == ["a.py", "b/c.py", "z.py"]
        assert {each.external_attr >> 16 for each in zipped.infolist()} == {0o100644}
    written(tmp_path / "o", 0o755, 1_800_000_000, "another.py")
    archive(tmp_path / "o", again)
    assert made.read_bytes() != again.read_bytes()


def test_a_lock_is_read_with_who_needs_what() -> None:
    lock = (
        "# by make lock\nboto3==1.43.106 \\\n    --hash=sha256:aa\n    # via keypost (pyproject.toml)\n"
        "python-dateutil==2.9.0.post0 ; python_version > '3' \\\n    --hash=sha256:bb\n    # via\n"
        "    #   -c requirements/dev.txt\n    #   boto3\n    #   s3transfer\n\n# left out:\n# click\n"
    )

    found = [(pin.name, pin.version, sorted(pin.needed_by), pin.is_direct) for pin in pins(lock)]

    assert found == [
        ("boto3", "1.43.106", [], True),
        ("python-dateutil", "2.9.0.post0", ["boto3", "s3transfer"], False),
    ]


def test_the_list_of_parts_is_cyclonedx_and_names_every_pin_with_its_licence() -> None:
    made = bill_of_materials("1.2.0", MOMENT, LOCKS, {"functions.zip": "a" * 64})

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.replace('"library"', '"book"')) is not None
    assert made == bill_of_materials("1.2.0", MOMENT, LOCKS, {"functions.zip": "a" * 64})
    parts = {each["name"]: each for each in json.loads(made)["components"]}
    pinned = {pin.name: pin.version for lock in LOCKS.values() for pin in pins(lock)}
    assert {name: part.get("version") for name, part in parts.items()} == {"functions.zip": None, **pinned}
    assert [name for name in pinned if not parts[name].get("licenses")] == []
    needs = {each["ref"]: each.get("dependsOn", []) for each in json.loads(made)["dependencies"]}
    assert f"pkg:pypi/jinja2@{pinned['jinja2']}" in needs["keypost@1.2.0"]
    assert f"pkg:pypi/markupsafe@{pinned['markupsafe']}" in needs[f"pkg:pypi/jinja2@{pinned['jinja2']}"]


def is_free(licence: str | None) -> bool:
    return licence is not None and any(word in licence for word in FREE) and "GPL" not in licence


def test_everything_that_a_release_ships_has_a_licence_that_goes_with_ours() -> None:
    assert [is_free(each) for each in ("GPL-3.0-or-later", "MIT OR GPL-2.0", None, "Proprietary")] == [False] * 4
    shipped = {pin.name for lock in LOCKS.values() for pin in pins(lock)}

    assert {name: licence_of(name) for name in shipped if not is_free(licence_of(name))} == {}


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    """Only the commit that is released has a version without .dev0."""
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]

    assert version_of(ROOT) == OWN
    if OWN.endswith(".dev0"):
        assert headings[0] == "## [Unreleased]"
    else:
        assert headings[0].startswith(f"## [{OWN}] - 20")


# ---------------------------------------------------------------------------------------------------------------------
# What `keypost setup` makes of a release
# ---------------------------------------------------------------------------------------------------------------------


def test_addresses_take_the_places_of_the_archives_names_and_answers_those_of_defaults() -> None:
    template = (
        '{"CodeUri": "functions.zip", "Description": "functions.zips", "Parameters": {"Stage": {}, "Tracing": {}}}'
    )

    assert json.loads(
        placed(template, {"functions.zip": "s3://b/1/functions.zip"}, {"Stage": "live", "Gone": "x"})
    ) == {
        "CodeUri": "s3://b/1/functions.zip",
        "Description": "functions.zips",
        "Parameters": {"Stage": {"Default": "live"}, "Tracing": {}},
    }


def test_a_parameter_that_was_not_asked_keeps_the_value_of_the_stack_and_one_that_is_gone_is_left_out() -> None:
    described: dict[str, Any] = {"Stage": {}, "ShopName": {}, "KmsKey": {}, "Tracing": {}}

    given = parameters({"Stage": "live", "Gone": "x"}, {"Stage": "live", "KmsKey": "arn:key", "Old": "y"}, described)

    assert given == [
        {"ParameterKey": "Stage", "ParameterValue": "live"},
        {"ParameterKey": "KmsKey", "UsePreviousValue": True},
    ]


class Account:
    """A session whose clients answer as they are told."""

    region_name = "eu-central-1"

    def __init__(self) -> None:
        named = {"region_name": self.region_name, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.clients = {name: boto3.client(name, **named) for name in ("s3", "sts")}  # type: ignore[call-overload]
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name: str) -> Any:
        return self.clients[name]


def test_the_bucket_of_another_account_gets_nothing() -> None:
    account = Account()
    account.stubs["sts"].add_response("get_caller_identity", {"Account": "123456789012"})
    account.stubs["s3"].add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)

    with pytest.raises(KeypostError) as refused:
        upload(account, {})

    assert (refused.value.said.code, refused.value.said.values) == (
        "bucket_is_taken", {"bucket": "keypost-123456789012-eu-central-1"}
    )  # fmt: skip
    account.stubs["s3"].assert_no_pending_responses()


# ---------------------------------------------------------------------------------------------------------------------
# The whole way: build twice, deploy from the files alone
# ---------------------------------------------------------------------------------------------------------------------


def built(clone: Path, folder: Path, umask: str, **environment: str) -> dict[str, bytes]:
    """The files of a release of this clone, built under a umask and an environment."""
    program = f'umask {umask} && exec "$0" -m cli.release "$1" --python "$2"'
    words: list[str | Path] = ["sh", "-c", program, sys.executable, folder, lambdas_python()]
    done = subprocess.run(words, cwd=clone, env={**os.environ, **environment}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cloned(source: Path, clone: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", source, clone], check=True, capture_output=True)
    return clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built stays the same, also when somebody commits meanwhile."""
    return cloned(ROOT, tmp_path_factory.mktemp("clone") / "keypost")


@pytest.fixture(scope="module")
def release(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    built(clone, folder, "022")
    return folder


def in_the_wheel(release: Path) -> dict[str, bytes]:
    (path,) = release.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


@pytest.mark.drill
def test_the_same_commit_gives_the_same_bytes_in_another_clone_with_another_umask_zone_and_home(
    clone: Path, release: Path, tmp_path: Path
) -> None:
    another, home, scratch = cloned(clone, tmp_path / "Ons café" / "keypost"), tmp_path / "home", tmp_path / "scratch"
    for folder in (home, scratch):
        folder.mkdir()
    before = {path.name: path.read_bytes() for path in release.iterdir()}

    again = built(
        another,
        tmp_path / "dist",
        "077",
        TZ="Pacific/Auckland",
        HOME=str(home),
        TMPDIR=str(scratch),
        PYTHONHASHSEED="7",
    )

    assert sorted(again) == [
        "SHA256SUMS", f"keypost-{OWN}-py3-none-any.whl", f"keypost-{OWN}.cdx.json", "requirements.txt"
    ]  # fmt: skip
    assert [name for name in again if again[name] != before[name]] == []
    assert list(scratch.iterdir()) == []


@pytest.mark.drill
def test_a_release_holds_all_files_of_the_command_and_the_package_and_no_place_of_this_machine(
    clone: Path, release: Path
) -> None:
    files = in_the_wheel(release)
    tracked = subprocess.run(
        ["git", "ls-files", "cli", "layers/keypost/keypost"], cwd=clone, capture_output=True, check=True
    )

    wanted = {name.removeprefix("layers/keypost/") for name in tracked.stdout.decode().split()}
    assert wanted > {"cli/main.py", "keypost/words/de/sentences.py"}
    assert wanted - files.keys() == set()
    for name, content in files.items():
        if name.startswith("cli/artifacts/") and name.endswith(".zip"):
            (release.parent / "one.zip").write_bytes(content)
            with zipfile.ZipFile(release.parent / "one.zip") as zipped:
                inner = {each: zipped.read(each) for each in zipped.namelist()}
            here = (str(clone).encode(), str(ROOT).encode(), b"/keypost-release")
            assert [each for each, text in inner.items() if any(place in text for place in here)] == []
            assert name.endswith("functions.zip") or any(each.endswith(".cpython-313.pyc") for each in inner)


@pytest.mark.drill
def test_the_template_of_a_release_names_each_archive_beside_it_and_no_folder(release: Path) -> None:
    files = in_the_wheel(release)
    template = json.loads(files["cli/artifacts/template.json"])

    layers = [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::LayerVersion"]
    named = [template["Globals"]["Function"]["CodeUri"], *(each["Properties"]["ContentUri"] for each in layers)]
    assert sorted(f"cli/artifacts/{name}" for name in named) == sorted(
        name for name in files if name.startswith("cli/artifacts/") and name.endswith(".zip")
    )
    assert template["Outputs"]["Version"]["Value"] == OWN


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder of an operator who has a release and no clone, and an empty account."""

    folder: Path
    session: Any
    endpoint_url: str
    mails: list[SentMail]

    def run(self, *words: str, typed: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        own = {"PATH": f"{self.folder / 'venv/bin'}:/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        own |= {"AWS_ENDPOINT_URL": self.endpoint_url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        lines = "".join(f"{line}\n" for line in typed)
        return subprocess.run(words, cwd=self.folder, env=own, input=lines, capture_output=True, text=True, check=False)

    def stack(self) -> Any:
        return self.session.client("cloudformation").describe_stacks(StackName="keypost-test")["Stacks"][0]


ANSWERS = ("", "", "Voorbeeld & Zoon", "Straat 1, Ámsterdam", "", "mail.voorbeeld.example", "hulp@voorbeeld.example")
OTHERS = ("", "", "", "webhook", "", "")  # AlarmAddress, the two languages, providers, EventsUrl, HeartbeatUrl
REST = (*OTHERS, "products.toml", "codes.csv")


@pytest.fixture(scope="module")
def shell(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("Ons café")
    for path in release.iterdir():
        shutil.copy(path, folder)
    shutil.copy(ROOT / "cli/local/products.toml", folder)
    codes = [f"{code},{each.sku}" for each in sample_products() for code in sample_codes(each, 5)]  # the sale takes two
    (folder / "codes.csv").write_text("\n".join(["code,sku", *codes]) + "\n")
    with mailbox() as box, emulator(folder, box.url) as url:
        box.pass_on = partial(over_http, url)
        yield Shell(folder, local_session(url, REGION), url, box.mails)


@pytest.fixture(scope="module")
def installed(shell: Shell) -> Shell:
    """As docs/deploying.md says it; only the Python is this one."""
    page = (ROOT / "docs/deploying.md").read_text("utf-8")
    (block,) = (part.partition("```")[0] for part in page.split("```sh release\n")[1:])
    *lines, last = block.strip().splitlines()
    assert last == "venv/bin/keypost setup"
    for line in lines:
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        words = ["sh", "-c", line.replace("python3 ", f"{sys.executable} ", 1)]
        done = subprocess.run(
            words, cwd=shell.folder, env={"PATH": "/usr/bin:/bin", **pip}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    return shell


def for_this_processor(layer: Path) -> None:
    """Put the extension modules of this interpreter in the place of Lambda's: the emulator runs the functions here. It
    unpacks a layer for each function, so what this interpreter does not read is left out."""
    here = Path(sysconfig.get_path("purelib"))
    with zipfile.ZipFile(layer) as zipped:
        files = {name: zipped.read(name) for name in zipped.namelist()}
    with zipfile.ZipFile(layer, "w") as zipped:
        for name, content in files.items():
            module = name.removeprefix("python/").partition(".cpython-313-aarch64")[0]
            for path in here.glob(f"{module}.cpython-*.so") if name.endswith(".so") else ():
                zipped.write(path, f"python/{path.relative_to(here)}")
            if not name.endswith((".so", ".pyc")):
                zipped.writestr(name, content)


@pytest.fixture(scope="module")
def first(installed: Shell) -> subprocess.CompletedProcess[str]:
    for name in ("dependencies.zip", "keypost.zip"):
        (path,) = installed.folder.glob(f"venv/lib/*/site-packages/cli/artifacts/{name}")
        for_this_processor(path)
    return installed.run("keypost", "setup", typed=(*ANSWERS, *REST))


def is_so_in_a_minute(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    return is_so()


def sell(shell: Shell, outputs: dict[str, str]) -> None:
    kept = shell.session.client("secretsmanager").get_secret_value(SecretId=outputs["SecretsArn"])["SecretString"]
    now = datetime.now(UTC)
    sold = json.loads((ROOT / "events/webhook/order.paid.json").read_text("utf-8")) | {"timestamp": now.isoformat()}
    body = json.dumps(sold)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(json.loads(kept)["webhook_signing"]).sign("msg_1", now, body),
        "Content-Type": "application/json",
    }
    url = f"{shell.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/v1/callbacks/webhook"
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=60) as answer:
        assert answer.status == 204


@pytest.mark.drill
def test_a_release_deploys_from_its_files_alone_and_sells_a_licence(
    first: subprocess.CompletedProcess[str], shell: Shell
) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert not (shell.folder / "template.yaml").exists()
    outputs = {each["OutputKey"]: each["OutputValue"] for each in shell.stack()["Outputs"]}
    assert outputs["Version"] == OWN
    assert shell.run("keypost", "--version").stdout == f"keypost {OWN}\n"
    made = shell.run("keypost", "secrets", "generate", "webhook_signing", "--stack", "keypost-test")
    assert made.returncode == 0, made.stderr

    sell(shell, outputs)

    assert is_so_in_a_minute(lambda: any("2026-001235" in str(mail.message["Subject"]) for mail in shell.mails))


@pytest.mark.drill
def test_every_command_of_the_page_on_upgrading_works_with_a_release(
    first: subprocess.CompletedProcess[str], shell: Shell
) -> None:
    shell.run("keypost", "secrets", "generate", "webhook_signing", "--stack", "keypost-test")
    page = (ROOT / "docs/upgrading.md").read_text("utf-8")
    commands = [line for block in page.split("```sh emulator\n")[1:] for line in block.partition("```")[0].splitlines()]

    ended = {command: shell.run(*command.split()) for command in commands}

    assert len(ended) == 2
    assert {command: done.stdout + done.stderr for command, done in ended.items() if done.returncode} == {}


@pytest.mark.drill
def test_an_answer_that_changes_is_deployed_from_the_release_and_the_others_stay(
    first: subprocess.CompletedProcess[str], shell: Shell
) -> None:
    kept = shell.folder / ".keypost/keypost-test.toml"
    changed = kept.read_text("utf-8").replace("Voorbeeld & Zoon", "Voorbeeld & Dochter")
    kept.write_text(changed, "utf-8")

    again = shell.run("keypost", "setup", "deploy")

    assert again.returncode == 0, again.stdout + again.stderr
    stands = {each["ParameterKey"]: each["ParameterValue"] for each in shell.stack()["Parameters"]}
    assert (stands["ShopName"], stands["MailDomain"]) == ("Voorbeeld & Dochter", "mail.voorbeeld.example")
    assert "stands already" in shell.run("keypost", "setup", "deploy").stdout
