"""From an empty account to the first mail: `keypost setup` and `keypost doctor` on an emulator of its own."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from cli.local.deploy import ROOT
from cli.local.emulator import REGION, emulator
from cli.local.fake_providers import STRIPE_KEY, FakeProviders, fake_providers
from cli.local.samples import sample_products
from cli.local.stack import sample_codes
from cli.main import cli
from cli.setup.answers import Answers, load, save
from cli.speech import Speech
from keypost.core.errors import KeypostError

pytestmark = [pytest.mark.journey, pytest.mark.drill]

PRODUCTS = ROOT / "cli/local/products.toml"
SAM = ROOT / ".venv-sam/bin/sam"
ANSWERS = (
    "",  # Stage: test
    "mars-1", "",  # region: that is none; eu-west-1
    "", "Voorbeeld & Zoon",  # ShopName: empty
    "Straat 1, Ámsterdam",
    "",  # ShopKvk
    "mail", "mail.voorbeeld.example",  # MailDomain: no domain
    "hulp@voorbeeld.example",
    "", "", "",  # AlarmAddress, SupportLanguage, ShopLanguage
    "paypal", "stripe,webhook",  # providers: one that there is not
    "", "",  # EventsUrl, HeartbeatUrl
)  # fmt: skip


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProviders]:
    with fake_providers() as providers:
        yield providers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("Ons café")
    codes = [f"{code},{each.sku}" for each in sample_products() for code in sample_codes(each, 2)]
    (path / "codes.csv").write_text("\n".join(["code,sku", *codes]) + "\n")
    return path


@pytest.fixture(scope="module", autouse=True)
def account(folder: Path, fake: FakeProviders) -> Iterator[None]:
    """An empty account, in the environment of the shell."""
    with emulator(folder) as url, pytest.MonkeyPatch.context() as shell:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_SESV2"):
            shell.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            shell.setenv(name, "test")
        shell.setenv("AWS_ENDPOINT_URL", url)
        shell.chdir(folder)
        yield


def keypost(*words: str, typed: Sequence[str] = ()) -> Result:
    return CliRunner().invoke(cli, words, input="".join(f"{line}\n" for line in typed), obj=Speech("en"))


def state(session: Any) -> dict[str, Any]:
    """All that a second run could change twice."""
    found = session.client("cloudformation").describe_stacks(StackName="keypost-test")["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
    secret = session.client("secretsmanager").get_secret_value(SecretId=outputs["SecretsArn"])
    items = session.client("dynamodb").scan(TableName=outputs["TableName"])["Items"]
    keys = sorted(item["pk"]["S"] for item in items if item["pk"]["S"].startswith(("PRODUCT", "CODE")))
    return {
        "stack": (found["CreationTime"], found.get("LastUpdatedTime"), outputs),
        "secrets": json.loads(secret["SecretString"]),
        "table": keys,
    }


@pytest.fixture(scope="module")
def first(fake: FakeProviders) -> Result:
    """The first run. Between the questions and the deploy the test tells the stack where the fake of Stripe is."""
    asked = keypost("setup", "answers", typed=ANSWERS)
    assert asked.exit_code == 0, asked.output
    save(load("keypost-test").with_parameter("StripeUrl", fake.url))
    return keypost("setup", typed=["rk_live_wrong_mode", STRIPE_KEY, str(PRODUCTS), "nowhere.csv", "codes.csv"])


def test_it_asks_again_what_cannot_be_and_writes_no_secret_down(first: Result) -> None:
    kept = load("keypost-test")

    assert first.exit_code == 0, first.output
    assert (kept.region, kept.providers, kept.greeted) == ("eu-west-1", ("stripe", "webhook"), True)
    assert kept.parameters["ShopAddress"] == "Straat 1, Ámsterdam"
    written = kept.path.read_text()
    values = state(boto3.Session(region_name=REGION))["secrets"].values()
    assert [value for value in values if value in written + first.output] == []


def test_it_ends_with_all_that_is_left_to_do_and_the_command_for_it(first: Result, fake: FakeProviders) -> None:
    assert "is of mode `live`, but the stack is of stage `test`" in first.output
    assert "There is no file nowhere.csv." in first.output
    assert "the first e-mail was sent to hulp@voorbeeld.example" in first.output
    assert first.output.endswith("Everything is right.\n")
    (hook,) = fake.below("/v1/webhook_endpoints")
    assert hook["url"].endswith("/v1/callbacks/stripe")


def test_a_second_run_asks_nothing_and_changes_nothing_twice(first: Result, fake: FakeProviders) -> None:
    session = boto3.Session(region_name=REGION)
    before, hooks = state(session), fake.below("/v1/webhook_endpoints")

    again = keypost("setup")

    assert again.exit_code == 0, again.output
    assert "stands already as in the answers" in again.output
    assert "was sent before" in again.output
    assert (state(session), fake.below("/v1/webhook_endpoints")) == (before, hooks)


def test_doctor_finds_the_region_of_the_stack_by_itself_and_finds_everything_right(first: Result) -> None:
    found = keypost("doctor", "--stack", "keypost-test")

    assert found.exit_code == 0, found.output
    assert found.output.endswith("Everything is right.\n")


def test_a_stack_whose_answers_are_lost_is_taken_as_it_stands(
    first: Result, fake: FakeProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, kept = state(boto3.Session(region_name=REGION)), load("keypost-test")
    kept.path.unlink()
    monkeypatch.setenv("AWS_REGION", REGION)

    again = keypost("setup", typed=["stripe,webhook"])

    assert again.exit_code == 0, again.output
    assert "stands already as in the answers" in again.output
    assert dict(load("keypost-test").parameters) == dict(kept.parameters)
    assert state(boto3.Session(region_name=REGION)) == before


def test_an_answer_that_changes_is_deployed(first: Result) -> None:
    save(load("keypost-test").with_parameter("ShopPhone", "020 123 45 67"))

    assert keypost("setup", "deploy").exit_code == 0
    cloudformation = boto3.Session(region_name=REGION).client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="keypost-test")["Stacks"]
    assert {"ParameterKey": "ShopPhone", "ParameterValue": "020 123 45 67"} in stack["Parameters"]


def test_a_live_stack_stands_beside_it_with_a_domain_of_its_own(first: Result, fake: FakeProviders) -> None:
    live = ["live", "", "Voorbeeld", "Straat 1", "", "mail.voorbeeld.example", "hulp@voorbeeld.example", *[""] * 3]
    asked = keypost("setup", "answers", "--stack", "keypost", typed=[*live, "webhook", "", ""])
    assert asked.exit_code == 0, asked.output

    refused = keypost("setup", "deploy", "--stack", "keypost", typed=["n"])

    assert isinstance(refused.exception, KeypostError)
    assert "SES knows the domain mail.voorbeeld.example in this account already" in refused.output
    cloudformation = boto3.Session(region_name=REGION).client("cloudformation")
    assert [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]] == ["keypost-test"]

    save(load("keypost").with_parameter("MailDomain", "mail2.voorbeeld.example"))
    assert keypost("setup", "deploy", "--stack", "keypost").exit_code == 0
    stages = {
        each["StackName"]: parameter["ParameterValue"]
        for each in cloudformation.describe_stacks()["Stacks"]
        for parameter in each["Parameters"]
        if parameter["ParameterKey"] == "Stage"
    }
    assert stages == {"keypost-test": "test", "keypost": "live"}


def test_the_answers_of_another_stage_do_not_turn_a_stack_into_one_of_it(first: Result) -> None:
    kept = load("keypost-test")
    save(kept.with_parameter("Stage", "live"))

    refused = keypost("setup", "deploy")
    save(kept)

    assert isinstance(refused.exception, KeypostError)
    assert "The stack keypost-test exists already, with stage `test`." in refused.output


LIVE = ["live", "", "Voorbeeld", "Straat 1", "", "mail-live.voorbeeld.example", "hulp@voorbeeld.example", "", "", ""]


def commands_in(page: Path, kind: str) -> list[str]:
    blocks = re.findall(rf"```sh {kind}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_every_command_of_the_page_on_deploying_does_what_it_says(first: Result) -> None:
    """With the deploys of the runbook, which tests/test_runbook.py leaves to this test."""
    commands = commands_in(ROOT / "docs/deploying.md", "emulator")
    of_runbook = [line for page in (ROOT / "docs/runbook").glob("*.md") for line in commands_in(page, "setup")]
    assert set(of_runbook) == {"keypost setup deploy --stack keypost"}
    commands += of_runbook
    typed = {"keypost setup --stack keypost": [*LIVE, "webhook", "", "", str(PRODUCTS), "codes.csv"]}

    ended = {each: keypost(*shlex.split(each)[1:], typed=typed.get(each, [])) for each in commands}

    assert len(ended) > 3
    assert {each: result.exit_code for each, result in ended.items()} == dict.fromkeys(ended, 0)
    assert "keypost secrets generate webhook_signing --stack keypost" in ended["keypost setup --stack keypost"].output


ODD = {"ShopName": 'Voorbeeld "Software" & Zoon', "ShopAddress": "Straat 1 = hoek, 'Ámsterdam' \\ x", "ShopKvk": ""}


@pytest.mark.skipif(not SAM.exists(), reason="`make build` installs SAM, which is not there yet")
def test_sam_deploys_the_answers_letter_by_letter_and_a_second_time_nothing(folder: Path) -> None:
    """A small template in place of ours, which takes minutes to build."""
    answers = Answers("by-sam", REGION, ("stripe",), ODD)
    save(answers)
    (folder / "small.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nParameters:\n"
        + "".join(f"  {name}: {{Type: String, Default: none}}\n" for name in ODD)
        + "Resources: {Topic: {Type: AWS::SNS::Topic}}\n"
    )
    words: list[str | Path] = [
        SAM,
        "deploy",
        "--config-file",
        answers.path.absolute(),
        "--template-file",
        folder / "small.yaml",
    ]

    ended = [subprocess.run(words, capture_output=True, text=True, check=False) for _ in range(2)]

    assert [each.returncode for each in ended] == [0, 0], ended[0].stderr
    assert "No changes to deploy" in ended[1].stdout
    (stack,) = boto3.Session(region_name=REGION).client("cloudformation").describe_stacks(StackName="by-sam")["Stacks"]
    assert {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]} == ODD
