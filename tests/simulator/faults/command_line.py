"""The command line: `keypost` as somebody runs it on a deployed stack. Only the way to AWS is another one: its calls
come to the same model as those of functions."""

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import click.globals

from cli.versions import OWN
from tests.simulator.aws_here import Answer, AwsCall

STACK = "keypost"
_OUTPUTS = {
    "SecretsArn": "arn:secret",
    "Timezone": "Europe/Amsterdam",
    "FiscalYears": "7",
    "Currency": "EUR",
    "ConfigurationSet": "test",
    "SenderAddress": "licenties@mail.voorbeeld.example",
    "Version": OWN,
}
_PARAMETERS = {"Stage": "test", "ShopName": "Voorbeeld Software", "SupportAddress": "hulp@voorbeeld.example"}
_IN_TROUBLE = ("QueueUnavailable", "Conflict")  # errors that are not the fault of who asks
DONE, REFUSED, FAILED = 200, 409, 500  # as the support API says it
_DONE_IN_PART = ("lines_left_out", "codes_left_out")  # what was not done was done before


@dataclass(slots=True)
class Terminal:
    """What each command has for itself, though all run in one process: its words, what is typed into it, what it
    prints, and what click knows of it."""

    words: Sequence[str]
    typed: str
    printed: io.StringIO = field(default_factory=io.StringIO)
    stack: list[Any] = field(default_factory=list)
    _others: tuple[Any, ...] = ()

    def enter(self) -> None:
        self._others = sys.argv, sys.stdin, sys.stdout, sys.stderr, getattr(click.globals._local, "stack", [])
        sys.argv, sys.stdin = ["keypost", *self.words, "--stack", STACK], io.StringIO(self.typed)
        sys.stdout = sys.stderr = self.printed
        click.globals._local.stack = self.stack

    def leave(self) -> None:
        sys.argv, sys.stdin, sys.stdout, sys.stderr, click.globals._local.stack = self._others


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, as a status of the support API."""

    status: int
    why: str = ""  # the code of the error


def run(main: ModuleType, errors: ModuleType) -> Ended:
    """Run the words of the terminal that is in use."""
    try:
        main.main()
    except SystemExit as end:
        return _ended(end.__context__, errors) if end.code else Ended(DONE)
    raise AssertionError("the command has no end")


def _ended(error: BaseException | None, errors: ModuleType) -> Ended:
    if not isinstance(error, errors.KeypostError):
        return Ended(FAILED, repr(error))
    code = error.said.code
    if code in _DONE_IN_PART:
        return Ended(DONE, code)
    is_trouble = any(isinstance(error, getattr(errors, name)) for name in _IN_TROUBLE)
    return Ended(FAILED if is_trouble else REFUSED, code)


def of_cloudformation(outputs: Mapping[str, str], queues: Mapping[str, str]) -> Callable[[AwsCall], Answer]:
    """What CloudFormation says of the stack, which has these outputs besides, and these queues."""

    def answer(call: AwsCall) -> Answer:
        operation = call.operation
        if parse_qs(call.content)["StackName"] != [STACK]:
            raise AssertionError(call.content)
        said = _described({**_OUTPUTS, **outputs}) if operation == "DescribeStacks" else _resources(queues)
        return 200, {"content-type": "text/xml"}, f"<{operation}Response>{said}</{operation}Response>"

    return answer


def _described(outputs: Mapping[str, str]) -> str:
    about = f"<StackName>{STACK}</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>"
    lists = _pairs("Outputs", "Output", outputs) + _pairs("Parameters", "Parameter", _PARAMETERS)
    return f"<DescribeStacksResult><Stacks><member>{about}{lists}</member></Stacks></DescribeStacksResult>"


def _pairs(title: str, name: str, values: Mapping[str, str]) -> str:
    members = (
        f"<member><{name}Key>{key}</{name}Key><{name}Value>{escape(value)}</{name}Value></member>"
        for key, value in values.items()
    )
    return f"<{title}>{''.join(members)}</{title}>"


def _resources(queues: Mapping[str, str]) -> str:
    members = (
        f"<member><LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>{url}</PhysicalResourceId>"
        "<ResourceType>AWS::SQS::Queue</ResourceType></member>"
        for name, url in queues.items()
    )
    listed = f"<StackResourceSummaries>{''.join(members)}</StackResourceSummaries>"
    return f"<ListStackResourcesResult>{listed}</ListStackResourcesResult>"
