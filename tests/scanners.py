"""The scanners of `make check`, which come from an environment of their own (requirements/scan.txt). None of them has a
network. Each is also shown something bad that it has to find."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from cli.places import ROOT
from tests.translated import whole

SCAN = ROOT / ".venv-scan/bin"
NO_NETWORK = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https")}  # where nothing listens


def run(*words: str | Path, given: str | None = None, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", **NO_NETWORK}
    return subprocess.run(words, cwd=folder, env=own, input=given, capture_output=True, text=True, check=False)


# ---------------------------------------------------------------------------------------------------------------------
# checkov, cfn-lint: the template
# ---------------------------------------------------------------------------------------------------------------------

OPEN_TO_ALL = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
                }
            },
        },
    }
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The checks of checkov that each template fails, by its name, when none is left out."""
    folder = tmp_path_factory.mktemp("templates")
    raw = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    for name, template in {"raw": raw, "translated": whole(raw), "open": OPEN_TO_ALL}.items():
        (folder / f"{name}.json").write_text(json.dumps(template, indent=1))
    words = ("--framework", "cloudformation", "--skip-download", "--compact", "--output", "json", "--directory", ".")
    done = run(SCAN / "checkov", *words, folder=folder)
    told = json.loads(done.stdout)
    assert told["summary"]["parsing_errors"] == 0, done.stderr
    assert Counter(each["file_path"] for each in told["results"]["passed_checks"])["/translated.json"] > 200
    found: dict[str, set[str]] = {name: set() for name in ("raw", "translated", "open")}
    for each in told["results"]["failed_checks"]:
        found[Path(each["file_path"]).stem].add(each["check_id"])
    return found


def test_checkov_finds_in_the_template_what_is_left_out_with_a_reason_and_nothing_else(
    failed: dict[str, set[str]],
) -> None:
    written = (ROOT / ".checkov.yaml").read_text("utf-8")
    left_out = set(yaml.safe_load(written)["skip-check"])

    assert failed["raw"] | failed["translated"] == left_out
    assert len(re.findall(r"^  # .+\n  - CKV_", written, re.MULTILINE)) == len(left_out)


def test_checkov_finds_a_role_that_everybody_may_take_and_a_table_without_recovery(failed: dict[str, set[str]]) -> None:
    assert {"CKV_AWS_28", "CKV_AWS_60"} <= failed["open"]


def test_cfn_lint_finds_a_table_without_a_key(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}}}}))

    assert "KeySchema" in run(Path(sys.executable).parent / "cfn-lint", path).stdout


# ---------------------------------------------------------------------------------------------------------------------
# zizmor and check-jsonschema: what GitHub reads
# ---------------------------------------------------------------------------------------------------------------------

EVERYBODY_MAY_RUN = """name: bad
on: pull_request_target
jobs:
  bad:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }}
"""


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    done = run(SCAN / "zizmor", "--offline", "--no-progress", ROOT / ".github")

    assert (done.returncode, "completed" in done.stdout + done.stderr) == (0, True), done.stdout + done.stderr


def test_zizmor_finds_a_workflow_that_runs_what_a_stranger_writes(tmp_path: Path) -> None:
    path = tmp_path / ".github/workflows/bad.yml"
    path.parent.mkdir(parents=True)
    path.write_text(EVERYBODY_MAY_RUN)

    found = run(SCAN / "zizmor", "--offline", "--no-progress", "--format", "json", path)

    idents = {each["ident"] for each in json.loads(found.stdout)}
    assert {"dangerous-triggers", "template-injection", "unpinned-uses"} <= idents


SCHEMAS = {
    "vendor.github-workflows": ["workflows/*.yml"],
    "vendor.github-issue-forms": ["ISSUE_TEMPLATE/w*.yml"],
    "vendor.github-issue-config": ["ISSUE_TEMPLATE/config.yml"],
    "vendor.renovate": ["renovate.json"],
}


def test_every_setting_for_github_and_the_bot_is_one_that_they_know() -> None:
    checked = set()
    for schema, patterns in SCHEMAS.items():
        files = [path for pattern in patterns for path in (ROOT / ".github").glob(pattern)]
        checked |= set(files)
        done = run(SCAN / "check-jsonschema", "--builtin-schema", schema, *files)
        assert done.returncode == 0, done.stdout

    every = {path for path in (ROOT / ".github").rglob("*") if path.suffix in (".yml", ".json")}
    assert every == checked


def test_a_setting_that_the_bot_does_not_know_is_found(tmp_path: Path) -> None:
    path = tmp_path / "renovate.json"
    path.write_text('{"minimumReleaseAge": 7}')

    assert run(SCAN / "check-jsonschema", "--builtin-schema", "vendor.renovate", path).returncode == 1


def test_the_bot_sees_every_lock_and_knows_which_are_held_equal() -> None:
    bot = json.loads((ROOT / ".github/renovate.json").read_text("utf-8"))
    locks = [
        path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/*.txt"))
    ]

    patterns = [pattern.strip("/") for pattern in bot["pip_requirements"]["managerFilePatterns"]]
    assert [lock for lock in locks if not any(re.search(pattern, lock) for pattern in patterns)] == []
    equal = {lock for lock in locks if lock.startswith("layers/")} | {
        "requirements/dev.txt",
        "requirements/command.txt",
    }
    assert equal < set(locks)
    assert bot["packageRules"][0]["matchFileNames"] == ["requirements/dev.txt", "requirements/command.txt", "layers/**"]


# ---------------------------------------------------------------------------------------------------------------------
# detect-secrets
# ---------------------------------------------------------------------------------------------------------------------

# By names of variables it would find every sentence about secrets. Without verifying, which would ask the providers.
DETECT = ("scan", "--no-verify", "--disable-plugin", "KeywordDetector")
HASHES = (
    r"(^|/)requirements.*\.txt$|^requirements/|\.(png|gz)$|^docs/openapi\.json$|^tests/bench/|^LICENSE$"  # and pictures
)
# In tests and events, ids, tokens, codes and passwords are made up, and as random as real ones. Keys of AWS and of
# providers, and private keys, must not stand there either.
MADE_UP_IN = ("tests/", "events/")
MADE_UP = ("Base64 High Entropy String", "Basic Auth Credentials", "Hex High Entropy String", "JSON Web Token")


def secrets(folder: Path, *words: str) -> Iterator[tuple[str, str]]:
    """The places in a folder in which something may be a secret, and what it may be."""
    told = run(SCAN / "detect-secrets", "-C", folder, *DETECT, *words).stdout
    results: dict[str, list[dict[str, Any]]] = json.loads(told)["results"]
    for path, found in results.items():
        for each in found:
            if each["type"] not in MADE_UP or not path.startswith(MADE_UP_IN):
                yield path, each["type"]


def test_no_file_holds_a_secret() -> None:
    assert list(secrets(ROOT, "--exclude-files", HASHES)) == []


def test_a_secret_that_somebody_keeps_would_be_found(tmp_path: Path) -> None:
    kept = {
        "aws.py": f'key = "AKIA{"IOSFODNN7EXAMPLE"}"',
        "stripe.md": f"the key is sk_live_{'4eC39HqLyjWDarjtT1zdp7dc'}",
        "key.txt": f"-----BEGIN {'RSA'} PRIVATE KEY-----\nMIIEpAIBAAKCAQEAu1SU1LfVLPHCoz\n",
        "random.py": f'token = "{"Zx8Q0vT3mK7rP1wY" + "6bN9cL2sD5fG4hJ0"}"',
    }
    for name, text in kept.items():
        (tmp_path / name).write_text(text)

    assert {Path(path).name for path, _ in secrets(tmp_path, "--all-files", ".")} == set(kept)


# ---------------------------------------------------------------------------------------------------------------------
# ruff S, which is bandit
# ---------------------------------------------------------------------------------------------------------------------


def test_ruff_finds_a_shell_and_a_weak_digest_in_each_folder_of_the_program() -> None:
    code = "import hashlib\nimport os\n\nos.system('ls ' + input())\nhashlib.md5(b'')\n"
    for folder in ("cli", "functions", "layers/keypost/keypost/core"):
        words = ["--output-format", "concise", "--stdin-filename", f"{folder}/bad.py", "-"]
        found = run(Path(sys.executable).parent / "ruff", "check", *words, given=code).stdout
        assert ("S605" in found, "S324" in found) == (True, True)


def without_reason(text: str) -> list[str]:
    """The lines that turn off a rule of security and do not say why."""
    turned_off = re.compile(r"noqa: (?:[A-Z]+\d+, *)*S\d|^ *\"S\d+\"")
    return [line for line in text.splitlines() if turned_off.search(line) and not re.search(r"(\d - |, +# )\w", line)]


def test_a_rule_of_security_is_turned_off_with_its_reason_only() -> None:
    assert without_reason("x = run()  # noqa: S603\n") != []
    assert without_reason("x = run()  # noqa: BLE001, S112 - its own errors\n") == []
    assert without_reason('  "S101",\n') != []
    files = [
        *ROOT.glob("cli/**/*.py"),
        *ROOT.glob("functions/*.py"),
        *ROOT.glob("layers/**/*.py"),
        *ROOT.glob("tests/**/*.py"),
    ]
    files = [path for path in files if path.name != Path(__file__).name]

    found = {path.name: without_reason(path.read_text("utf-8")) for path in [*files, ROOT / "pyproject.toml"]}
    assert {name: lines for name, lines in found.items() if lines} == {}
