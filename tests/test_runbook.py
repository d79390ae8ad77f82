"""Each alarm has a page that says what to do, and each command of these pages and of the symptom index does it."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from samtranslator.yaml_helper import yaml_parse

from cli.dead_letters import KEPT
from cli.local.deploy import ROOT
from cli.local.emulator import REGION
from cli.local.stack import LocalStack, sample_codes
from cli.main import cli
from cli.speech import Speech
from keypost.core.errors import KeypostError
from keypost.words import LANGUAGES, page_words
from tests.deployed import KASPERSKY, PRODUCTS, is_mailed, paid_session
from tests.translated import names_in, of_type, stack_with, whole

RUNBOOK = ROOT / "docs/runbook"
INDEX = RUNBOOK / "README.md"
PAGES = {path.name: path.read_text("utf-8") for path in sorted(RUNBOOK.glob("*.md")) if path != INDEX}
# A page that stops the whole stack has a stack of its own, in the drill of this file.
DRILLED = {"restore-the-table.md": "tests/test_restore.py"}
TRIED = {
    str(path.relative_to(ROOT)): path
    for path in [*sorted(RUNBOOK.glob("*.md")), ROOT / "docs/symptoms.md"]
    if path.name not in DRILLED
}
HEADINGS = ["What customers notice", "How long it may wait", "The first command", "The mend", "When it is over"]
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
WITH_ALL = {"EventsBus": "on", "EventsUrl": "https://shop.example/events"}  # the parts that not every stack has
# A stack that was deployed once has no way back; tests/test_safe_deploys.py goes back where there is one.
DEPLOYED_ONCE = ("keypost stack back --yes --stack keypost", "no_former_version")
TELLS = ("doctor", "alarms")  # their exit status tells whether something is wrong


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return whole(yaml_parse((ROOT / "template.yaml").read_text("utf-8")))  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> Mapping[str, Any]:
    return stack_with(template, WITH_ALL).resources


def pages_of_alarms(resources: Mapping[str, Any], base: str) -> dict[str, str]:
    """The page that each alarm names; empty for one that names none below this address."""
    found = {}
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        last = str(alarm.get("AlarmDescription", "")).rpartition(" ")[2]
        found[name] = last.removeprefix(f"{base}/") if last.startswith(base) else ""
    return found


def named(text: str) -> list[str]:
    return re.findall(r"`(\w+Alarm)`", text)


def test_each_alarm_names_its_page_and_each_page_its_alarms(template: dict[str, Any]) -> None:
    base = "https://wiki.shop.example/keypost"
    pages = pages_of_alarms(stack_with(template, {**WITH_ALL, "RunbookUrl": base}).resources, base)

    assert {name: page for name, page in pages.items() if page not in PAGES} == {}
    for page, text in PAGES.items():
        head = text.partition("\n## ")[0]
        if named(head):
            assert set(named(head)) == {alarm for alarm, of in pages.items() if of == page}, page
    assert set(pages) == {name for text in PAGES.values() for name in named(text.partition("\n## ")[0])}


def test_an_alarm_without_a_page_would_be_seen(resources: Mapping[str, Any]) -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmDescription": "Something is wrong"}}

    assert pages_of_alarms({"Newcomer": alarm}, "https://") == {"Newcomer": ""}


def sections(text: str) -> dict[str, str]:
    return {title: body for title, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])}


@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if named(text.partition("\n## ")[0])])
def test_each_page_answers_the_five_questions_and_begins_with_a_command(page: str) -> None:
    found = sections(PAGES[page])

    assert list(found) == HEADINGS
    assert [title for title, body in found.items() if len(body.split()) < 2] == []
    assert any(line.startswith("keypost ") for line in lines(found["The first command"], "emulator"))
    assert "over" not in found["When it is over"] or found["When it is over"].strip()


def test_the_index_has_every_alarm_once_with_its_page_and_how_long_it_may_wait(resources: Mapping[str, Any]) -> None:
    pages = pages_of_alarms(resources, default_base(resources))
    rows = re.findall(r"^\| (`\w+Alarm`.*?) \| \[(.*?)\]\((.*?)\) \| (.+) \|$", INDEX.read_text("utf-8"), re.MULTILINE)

    assert {name: page for names, _, page, _ in rows for name in named(names)} == pages
    assert sum(len(named(names)) for names, *_ in rows) == len(pages)
    assert {page: title for _, title, page, _ in rows} == {
        page: PAGES[page].partition("\n")[0].removeprefix("# ") for page in set(pages.values())
    }


def default_base(resources: Mapping[str, Any]) -> str:
    description = str(resources["OverdueAlarm"]["Properties"]["AlarmDescription"])
    return description.rpartition(" ")[2].rpartition("/")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_line_has_words_for_every_page_and_no_other(language: str, resources: Mapping[str, Any]) -> None:
    pages = set(pages_of_alarms(resources, default_base(resources)).values())

    assert set(page_words(language, "runbook.toml")["alarms"]) == {page.removesuffix(".md") for page in pages}


def failed_in(resources: Mapping[str, Any]) -> set[str]:
    """The queues to which something goes that failed."""
    places = [one["Properties"].get("RedrivePolicy") for one in resources.values()]
    places += [one["Properties"].get("DestinationConfig") for one in resources.values()]
    places += [
        target.get("DeadLetterConfig")
        for rule in of_type(resources, "AWS::Events::Rule").values()
        for target in rule["Targets"]
    ]
    return {name for name in names_in(places) if name in of_type(resources, "AWS::SQS::Queue")}


def test_every_queue_has_a_name_that_people_know(resources: Mapping[str, Any]) -> None:
    index = INDEX.read_text("utf-8")
    queues = set(of_type(resources, "AWS::SQS::Queue"))
    table = sections(index)["What a stack keeps, and how to read it"]

    assert {each.resource for each in KEPT} == failed_in(resources)
    assert {each.goes_to for each in KEPT if each.goes_to} <= queues
    assert {name for name in queues if f"`{name}`" not in table} == set()
    assert [each.name for each in KEPT if f"`{each.name}` is `{each.resource}`" not in table] == []


def test_every_log_group_is_that_of_a_function_and_is_named(resources: Mapping[str, Any]) -> None:
    groups = {name.removesuffix("Log") for name in of_type(resources, "AWS::Logs::LogGroup")}
    row = next(line for line in INDEX.read_text("utf-8").splitlines() if line.startswith("| the log of each function"))

    assert groups == set(of_type(resources, "AWS::Lambda::Function"))
    assert groups == set(re.findall(r"`(\w+)`", row.rpartition("FUNCTION`")[2]))


def blocks(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """What is typed into the commands of a block, and the commands."""
    for info, code in FENCE.findall(text):
        words = info.split()
        if words[:2] == ["sh", kind]:
            yield "".join(word.partition("=")[2] + "\n" for word in words[2:]), code


def lines(text: str, kind: str) -> list[str]:
    return [line for _, code in blocks(text, kind) for line in code.splitlines()]


@pytest.mark.parametrize("page", TRIED)
def test_each_block_of_a_page_is_one_that_is_tried(page: str) -> None:
    text = TRIED[page].read_text("utf-8")
    known = lines(text, "emulator") + lines(text, "setup")

    assert known
    assert [line for _, code in FENCE.findall(text) for line in code.splitlines() if line not in known] == []
    assert [line for line in known if not re.match(r"keypost [a-z]", line) or "--stack keypost" not in line] == []
    assert all(line == "keypost setup deploy --stack keypost" for line in lines(text, "setup"))  # tests/test_setup.py


def test_a_page_that_is_left_out_here_is_tried_by_its_drill() -> None:
    there = {page: drill for page, drill in DRILLED.items() if (RUNBOOK / page).exists()}

    assert [page for page, drill in there.items() if page not in (ROOT / drill).read_text("utf-8")] == []


@pytest.fixture(scope="module")
def shell(deployed: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A shell in a folder with the files that the pages name, and the AWS credentials of the emulator."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "products.toml").write_text((ROOT / "cli/local/products.toml").read_text("utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_REGION", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ENDPOINT_URL", deployed.endpoint_url)
        patch.setenv("AWS_ENDPOINT_URL_SESV2", deployed.mailbox.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.chdir(folder)
        shared = boto3.Session(region_name=REGION)
        patch.setattr(boto3, "Session", lambda **_: shared)  # a new one for each command takes as long as fifty calls
        yield


@pytest.fixture
def kept_secrets(local: LocalStack) -> Iterator[None]:
    """The pages set new secrets; the other tests need the old ones."""
    secrets = local.stack.secrets
    kept = secrets.client.get_secret_value(SecretId=secrets.secret_id)["SecretString"]
    yield
    secrets.client.put_secret_value(SecretId=secrets.secret_id, SecretString=kept)


def typed(line: str, text: str) -> Result:
    return CliRunner().invoke(cli, shlex.split(line)[1:], input=text, obj=Speech("en"))


@pytest.mark.journey
@pytest.mark.usefixtures("shell", "kept_secrets")
def test_every_command_of_every_page_works(local: LocalStack) -> None:
    for sku in (KASPERSKY, "KASPERSKY-PLUS-3D-1Y"):
        list(local.stack.store.add_codes(sku, sample_codes(PRODUCTS[sku], 2), "runbook", None))
    assert local.stripe_calls(paid_session("runbook")) == (200, "")
    local.order_when("runbook", is_mailed)
    commands = {
        line: given
        for path in TRIED.values()
        for given, code in blocks(path.read_text("utf-8"), "emulator")
        for line in code.splitlines()
    }

    assert len(commands) > 50
    for line, given in commands.items():
        done = typed(line.replace("2026-001234", "runbook").replace(" 2026-11 ", " runbook "), given)
        told = (line, done.output, done.exception)
        if isinstance(done.exception, KeypostError):
            assert (line, *done.exception.said.codes) == DEPLOYED_ONCE, told
            continue
        assert done.exception is None or isinstance(done.exception, SystemExit), told
        assert done.exit_code == 0 or (done.exit_code == 1 and shlex.split(line)[1] in TELLS), told
