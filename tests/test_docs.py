"""The documents say what is so: each command, parameter, metric and file in them exists, and the other way round."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from cli.local.deploy import ROOT
from cli.main import cli
from keypost.clients.secrets import NAMES
from keypost.core.keys import SCOPES
from keypost.core.order import Reason
from keypost.inputs.catalog_file import ProductEntry
from keypost.providers import PROVIDERS
from keypost.use_cases.reconcile import WINDOWS

DOCUMENTS = [ROOT / "README.md", ROOT / "DECISIONS.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [*ROOT.glob("functions/*.py"), *ROOT.glob("layers/keypost/keypost/**/*.py"), *ROOT.glob("cli/**/*.py")]


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def first_column(document: str, heading: str) -> set[str]:
    """What the table after a heading names in its first column."""
    section = document.partition(heading)[2].partition("\n## ")[0]
    return {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }


def test_the_readme_lists_every_metric_and_no_other() -> None:
    named = set()
    for source in SOURCES:
        code = source.read_text("utf-8")
        named |= {name for call in re.findall(r"outcome\(([^,)]*)", code) for name in re.findall(r'"(\w+)"', call)}
        named |= set(re.findall(r'failed="(\w+)"', code))
        named |= set(re.findall(r'(?:Mail\w+|Fate\.\w+): "(Mail\w+)"', code))
        named |= set(re.findall(r'"(\w+)": after\.', code))

    assert first_column(text("docs/metrics.md"), "# Metrics") == named


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"\bmake ([a-z]+)\b", re.sub(r"and make\b.*", "", path.read_text("utf-8")))
    }

    assert {"demo", "run", "test", "check"} <= named <= targets


def test_every_keypost_command_that_a_document_names_exists() -> None:
    words = re.compile(r"\bkeypost ([a-z][a-z-]*) ([a-z]+(?:-[a-z]+)*)\b")
    named = {match for path in DOCUMENTS for match in words.findall(path.read_text("utf-8"))}

    assert {("products", "apply"), ("stock", "import"), ("support-key", "create")} <= named
    for group, command in named:
        found = cli.commands[group]
        assert isinstance(found, click.Group)
        assert command in found.commands


def test_deploying_lists_every_parameter_and_no_other(template: dict[str, Any]) -> None:
    assert first_column(text("docs/deploying.md"), "asks for these parameters") == set(template["Parameters"])


def test_deploying_lists_every_secret_and_no_other() -> None:
    assert first_column(text("docs/deploying.md"), "## Secrets") == set(NAMES)


def test_connecting_lists_every_way_in_and_what_it_is_verified_with() -> None:
    rows = re.findall(r"`/callbacks/([a-z-]+)` \| `(\w+)` \|(.*)\|$", text("docs/connecting-a-shop.md"), re.MULTILINE)
    listed = {name: (secret, set(re.findall(r"`(\w+)`", asks))) for name, secret, asks in rows}

    assert listed == {
        name: (provider.secret, {f"{provider.api}_api_key"} if provider.api else set())
        for name, provider in PROVIDERS.items()
    }


def test_connecting_says_how_far_back_each_provider_is_asked() -> None:
    chapter = text("docs/connecting-a-shop.md").partition("## What no callback told")[2]
    said = re.findall(r"(Mollie|Stripe) for the last (\d+) (hours|days)", chapter)

    assert {name.lower(): timedelta(**{unit: int(count)}) for name, count, unit in said} == WINDOWS


def test_every_way_in_that_a_document_names_exists() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"/callbacks/([a-z-]+)", path.read_text("utf-8"))}

    assert named == set(PROVIDERS)


def test_every_output_that_a_document_names_exists(template: dict[str, Any]) -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"<(\w+)>", path.read_text("utf-8"))}

    assert named <= set(template["Outputs"])


def test_operating_lists_every_reason_and_no_other() -> None:
    assert first_column(text("docs/operating.md"), "## What needs a person") == set(Reason)


def test_operating_lists_every_alarm_and_no_other(template: dict[str, Any]) -> None:
    resources = template["Resources"].items()
    alarms = {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"}

    assert first_column(text("docs/operating.md"), "## Alarms\n") == alarms


def test_operating_lists_every_scope_and_no_other() -> None:
    assert first_column(text("docs/operating.md"), "| scope | opens |") == set(SCOPES)


def test_the_catalog_page_lists_every_field_of_a_product() -> None:
    assert first_column(text("docs/catalog.md"), "## Products") == set(ProductEntry.model_fields)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    written = document.read_text("utf-8")
    paths = re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*|\w+\.(?:md|toml|yaml))`", written) + re.findall(
        r"\]\(([^)#h][^)]*)\)", written
    )

    bases = (ROOT, document.parent, ROOT / "layers/keypost/keypost", ROOT / "tests", ROOT / "functions")
    missing = [path for path in paths if not any((base / path).exists() for base in bases)]
    assert [
        path
        for path in missing
        if path not in {".local/stack.json", "products.toml", ".venv/bin", ".venv/bin/keypost", "Europe/Amsterdam"}
    ] == []


def test_nothing_that_is_kept_names_this_machine_or_a_host_that_packages_come_from() -> None:
    places = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w|pypi\.org|pythonhosted|registry\.npmjs")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = [path for path in listed.stdout.split() if path != "tests/test_docs.py"]

    assert kept
    assert [path for path in kept if places.search(text(path))] == []
