"""The documents are true: each command, parameter, metric, file and link in them exists, and the other way round."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from cli.doctor.checks import CHECKS
from cli.local.deploy import ROOT
from cli.main import cli
from cli.setup.command import STEPS
from keypost.clients.secrets import NAMES
from keypost.core.keys import SCOPES
from keypost.core.order import Reason
from keypost.core.progress import Progress
from keypost.inputs.catalog_file import ProductEntry
from keypost.providers import PROVIDERS
from keypost.use_cases.reconcile import WINDOWS
from tests.counted import counted_by_the_code

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def first_column(document: str, heading: str) -> set[str]:
    """The names in the first column of the table after a heading."""
    section = document.partition(heading)[2].partition("\n## ")[0]
    return {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }


def links(document: str) -> list[tuple[str, str]]:
    """The links to other documents and into them, as (path, anchor); either may be empty."""
    return re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document)


def anchors(document: str) -> list[str]:
    """The anchors that GitHub makes of the headings, in their order."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_the_page_of_metrics_lists_every_one_and_no_other() -> None:
    assert first_column(text("docs/metrics.md"), "# Metrics") == counted_by_the_code()


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)?)\b", re.sub(r"and make\b.*", "", path.read_text("utf-8")))
    }

    assert {"demo", "run", "test", "check"} <= named <= targets


def test_every_keypost_command_that_a_document_names_exists() -> None:
    words = re.compile(r"\bkeypost ([a-z][a-z-]*) ([a-z]+(?:-[a-z]+)*)\b")
    named = {match for path in DOCUMENTS for match in words.findall(path.read_text("utf-8"))}

    assert {("products", "apply"), ("stock", "import"), ("support-key", "create")} <= named
    for group, command in named:
        found = cli.commands[group]
        assert command in (found.commands if isinstance(found, click.Group) else steps_of(found))


def steps_of(command: click.Command) -> list[str]:
    """What may stand behind a command that does one of its steps only."""
    return [step for each in command.params if isinstance(each.type, click.Choice) for step in each.type.choices]


def test_deploying_lists_every_parameter_and_no_other(template: dict[str, Any]) -> None:
    assert first_column(text("docs/deploying.md"), "asks for these parameters") == set(template["Parameters"])


def test_deploying_lists_every_output_and_no_other(template: dict[str, Any]) -> None:
    assert first_column(text("docs/deploying.md"), "## The outputs of the stack") == set(template["Outputs"])


def test_deploying_lists_every_secret_and_no_other() -> None:
    assert first_column(text("docs/deploying.md"), "## Secrets") == set(NAMES)


def test_deploying_lists_every_step_of_setup_in_order_and_no_other() -> None:
    assert listed_in_order("## Set up a stack") == list(STEPS)


def test_deploying_lists_every_check_of_the_doctor_in_order_and_no_other() -> None:
    assert listed_in_order("## See what is not right yet") == list(CHECKS)


def listed_in_order(heading: str) -> list[str]:
    section = text("docs/deploying.md").partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_connecting_lists_every_way_in_and_what_it_is_verified_with() -> None:
    rows = re.findall(r"`/callbacks/([a-z-]+)` \| `(\w+)` \|(.*)\|$", text("docs/connecting-a-shop.md"), re.MULTILINE)
    listed = {name: (secret, set(re.findall(r"`(\w+)`", asks))) for name, secret, asks in rows}

    assert listed == {
        name: (provider.secret, {f"{provider.api}_api_key"} if provider.api else set())
        for name, provider in PROVIDERS.items()
    }


def test_connecting_says_how_far_back_each_provider_is_asked() -> None:
    chapter = text("docs/connecting-a-shop.md").partition("## What Keypost finds without a callback")[2]
    said = re.findall(r"(Mollie|Stripe|WooCommerce|Moneybird) for the last (\d+) (hours|days)", chapter)

    assert {name.lower(): timedelta(**{unit: int(count)}) for name, count, unit in said} == WINDOWS


def test_every_way_in_that_a_document_names_exists() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"/callbacks/([a-z-]+)", path.read_text("utf-8"))}

    assert named == set(PROVIDERS)


def test_every_output_that_a_document_names_exists(template: dict[str, Any]) -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"<(\w+)>", path.read_text("utf-8"))}

    assert named <= set(template["Outputs"])


def test_operating_lists_every_reason_and_no_other() -> None:
    assert first_column(text("docs/operating.md"), "## What needs a person") == set(Reason)


def test_the_order_card_page_lists_every_state_of_an_order_and_no_other() -> None:
    assert first_column(text("docs/order-card.md"), "### What became of the order") == set(Progress)


def test_operating_lists_every_scope_and_no_other() -> None:
    assert first_column(text("docs/operating.md"), "| scope | opens |") == set(SCOPES)


def test_the_catalog_page_lists_every_field_of_a_product() -> None:
    assert first_column(text("docs/catalog.md"), "## Products") == set(ProductEntry.model_fields)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    written = document.read_text("utf-8")
    paths = re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*|\w+\.(?:md|toml|yaml))`", written)
    paths += [path for path, _ in links(written) if path]

    bases = (ROOT, document.parent, ROOT / "layers/keypost/keypost", ROOT / "tests", ROOT / "functions")
    missing = [path for path in paths if not any((base / path).exists() for base in bases)]
    assert [
        path
        for path in missing
        if path
        not in {
            ".local/stack.json",
            "cli/artifacts",
            "dist/",
            "venv/bin",
            "venv/bin/keypost",
            "products.toml",
            ".venv/bin",
            ".venv/bin/keypost",
            "Europe/Amsterdam",
            "1201/1",
        }
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_heading_that_a_document_links_to_exists(document: Path) -> None:
    found = [(path, anchor) for path, anchor in links(document.read_text("utf-8")) if anchor]
    linked = [((document.parent / path).resolve() if path else document, anchor) for path, anchor in found]

    assert [(page.name, anchor) for page, anchor in linked if anchor not in anchors(page.read_text("utf-8"))] == []


def test_the_readme_shows_the_pictures_that_make_pictures_makes_and_says_in_words_what_they_show() -> None:
    shown = re.findall(r'<img src="docs/pictures/(\w+)\.png"[^>]* alt="([^"]+)"', text("README.md"))
    made = re.findall(r'take\([\w.]+, "(\w+)"\)', text("tests/keypost/support_desk/pictures.py"))
    pictures = [path for path in (ROOT / "docs/pictures").iterdir() if path.read_bytes().startswith(b"\x89PNG")]

    assert [name for name, _ in shown] == made == ["mail", "order"]
    assert sorted(path.stem for path in pictures) == sorted(made)
    assert max(path.stat().st_size for path in pictures) < 200_000
    assert min(len(words.split()) for _, words in shown) > 20
    assert "tests/keypost/support_desk/pictures.py" in text("Makefile").partition("\npictures:")[2].partition("\n\n")[0]


def test_the_index_of_the_decisions_lists_each_of_them_once() -> None:
    index, _, decisions = text("DECISIONS.md").partition("\n## 20")
    listed = re.findall(r"^- .*?\]\(#([^)]+)\)", index, re.MULTILINE)

    assert sorted(listed) == sorted(anchors("## 20" + decisions))


def test_nothing_that_is_kept_names_this_machine_or_a_host_that_packages_come_from() -> None:
    places = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w|pypi\.org|pythonhosted|registry\.npmjs")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = [path for path in listed.stdout.split() if path != "tests/test_docs.py"]

    assert kept
    assert [path for path in kept if places.search((ROOT / path).read_text("utf-8", "replace"))] == []
