import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import main
from cli.local.deploy import outputs_when_done
from cli.local.emulator import REGION
from cli.local.stack import LocalStack
from cli.stacks import Stack

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `keypost` with these arguments in an empty folder; returns exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def keypost(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["keypost", *words])
        with pytest.raises(SystemExit) as end:
            main.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return keypost


@pytest.fixture
def aws(local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The AWS credentials of the shell, which are those of the emulator."""
    for name, value in {
        "AWS_ENDPOINT_URL": local.endpoint_url,
        "AWS_ENDPOINT_URL_SESV2": local.mailbox.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def published(stack: Stack, local: LocalStack, aws: None) -> Callable[..., Stack]:
    """Puts the stack into CloudFormation, under the name of its table, as one of this version, with parameters that are
    named."""

    def publish(version: str | None, **named: str) -> Stack:
        outputs = {
            "TableName": stack.store.table,
            "QueueUrl": stack.queue.url,
            "SecretsArn": stack.secrets.secret_id,
            "Timezone": "Europe/Amsterdam",
            "FiscalYears": str(stack.fiscal_years),
            "Currency": stack.currency,
            "ConfigurationSet": "test",
            "SenderAddress": stack.sender,
            "GuideUrl": "https://licenties.example.nl/activate",
        } | ({"Version": version} if version else {})
        parameters = {
            "Stage": "test",
            "ShopName": "Voorbeeld & Zoon",
            "ShopAddress": "Voorbeeldstraat 1",
            "ShopKvk": "12345678",
            "ShopPhone": "020 123 45 67",
            "ShopLogo": "",
            "ShopColor": "#b00020",
            "ShopLanguage": "nl",
            "SupportAddress": "hulp@voorbeeld.example",
            "SelfService": "on",
            "EventsBus": "on",
            "EventsUrl": "https://shop.example/keypost",
        } | named
        template = {
            "Parameters": {name: {"Type": "String", "Default": value} for name, value in parameters.items()},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        cloudformation = local.session.client("cloudformation")
        cloudformation.create_stack(StackName=stack.store.table, TemplateBody=json.dumps(template))
        assert outputs_when_done(cloudformation, stack.store.table) == outputs
        return stack

    return publish


@pytest.fixture
def here(run: Run, published: Callable[[str | None], Stack], local: LocalStack) -> Stack:
    """The stack that the command uses if it is given no name: .local/stack.json names it."""
    stack = published(None)
    name_here(stack, local)
    return stack


def name_here(stack: Stack, local: LocalStack) -> None:
    about = {"endpoint_url": local.endpoint_url, "region": REGION, "stack": stack.store.table}
    Path(".local").mkdir()
    Path(".local/stack.json").write_text(json.dumps(about))
