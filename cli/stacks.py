"""The stack with which a command works: a deployed one by its name, or the local one of `make run`."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from cli.setup.answers import load
from cli.versions import refuse_if_older
from keypost.clients.aws import ONE_ATTEMPT
from keypost.clients.mailer import Mailer
from keypost.clients.queue import Queue
from keypost.clients.secrets import NAMES
from keypost.core.errors import KeypostError
from keypost.core.references import numbers
from keypost.core.said import Said
from keypost.table import Store
from keypost.use_cases.help_customer import Desk

LOCAL_STACK_FILE = Path(".local/stack.json")


@dataclass(frozen=True, slots=True)
class Stack:
    store: Store
    queue: Queue
    secrets: "SecretsEditor"
    zone: tzinfo
    fiscal_years: int
    currency: str
    mailer: Mailer
    sender: str
    version: str | None = None  # None: it states none
    guide_url: str = ""  # empty: it has no guide
    parameters: Mapping[str, str] = field(default_factory=dict)  # as they were set at the last deploy

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.queue, self.zone)

    def number(self, typed: str) -> str:
        """The number of the order that somebody means; what was typed if there is none."""
        return self.store.first_of(numbers(typed)) or typed


@dataclass(frozen=True, slots=True)
class Found:
    """What CloudFormation says of a stack, and the way to its account."""

    name: str
    session: Any
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    is_local: bool = False

    def connected(self) -> Stack:
        """KeypostError if the stack is not whole, and so has no outputs."""
        if "TableName" not in self.outputs:
            raise KeypostError("stack_is_not_whole", stack=self.name, status=self.status)
        return stack_of(self.session, self.outputs, self.parameters)

    def resources(self, kind: str) -> dict[str, str]:
        """By its name in the template, the name in the account of each resource of a kind, such as AWS::SQS::Queue."""
        asked = self.session.client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
            for page in asked.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == kind
        }

    @property
    def option(self) -> str:
        """What names this stack to a command."""
        return "" if self.is_local else f" --stack {self.name}"


@dataclass(frozen=True, slots=True)
class SecretsEditor:
    """The one place where secrets are written; the functions can only read them."""

    client: Any
    secret_id: str

    def set(self, name: str, value: str) -> None:
        self.client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(self._kept() | {name: value}))

    def names(self) -> frozenset[str]:
        """The names of the secrets that are set."""
        return frozenset(name for name, value in self._kept().items() if value)

    def faults(self, fault_of: Callable[[str, str], Said | None]) -> dict[str, Said | None]:
        """By name, what is wrong with each secret that is set. The values stay here."""
        kept = self._kept()
        return {name: fault_of(name, kept[name]) for name in NAMES if kept.get(name)}

    def value(self, name: str) -> str:
        """The first value of a secret, for the one call that needs it; empty if it is not set."""
        return next(iter(self._kept().get(name, "").split()), "")

    def _kept(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self.client.get_secret_value(SecretId=self.secret_id)["SecretString"])
        return kept


def connect(name: str | None) -> Stack:
    """The deployed stack of that name, with the AWS credentials of the shell; without a name, the local stack.

    KeypostError if there is no such stack."""
    return found(name).connected()


def connect_to_write(name: str | None) -> Stack:
    """The same, for a command that changes something. KeypostError when the stack is newer than this command line. The
    local stack always runs this clone."""
    stack = connect(name)
    if name is not None:
        refuse_if_older(stack.version)
    return stack


def found_to_write(name: str | None) -> Found:
    """What CloudFormation says of a stack, for a command that changes something beside the table. Errors as `found` and
    `connect_to_write`."""
    stack = found(name)
    if name is not None:
        refuse_if_older(stack.outputs.get("Version"))
    return stack


def stack_of(session: Any, outputs: Mapping[str, str], parameters: Mapping[str, str] = MappingProxyType({})) -> Stack:
    return Stack(
        Store(session.client("dynamodb"), outputs["TableName"]),
        Queue(session.client("sqs"), outputs["QueueUrl"]),
        SecretsEditor(session.client("secretsmanager"), outputs["SecretsArn"]),
        ZoneInfo(outputs["Timezone"]),
        int(outputs["FiscalYears"]),
        outputs.get("Currency", "EUR"),  # older stacks state none
        Mailer(session.client("sesv2", config=ONE_ATTEMPT), outputs["ConfigurationSet"]),
        outputs["SenderAddress"],
        outputs.get("Version"),
        outputs.get("GuideUrl", ""),
        parameters,
    )


def local_session(endpoint_url: str, region: str) -> Any:
    """A session that can reach only the emulator on this machine: its credentials work nowhere else."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)  # noqa: S106 - they open nothing
    return _Bound(session, endpoint_url)


@dataclass(frozen=True, slots=True)
class _Bound:
    session: boto3.Session
    endpoint_url: str

    def client(self, service: Any, **options: Any) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url, **options)


def found(name: str | None) -> Found:
    """What CloudFormation says of a stack, whole or not. KeypostError if there is none, or no way to it."""
    return _local() if name is None else _deployed(name)


def _local() -> Found:
    try:
        about = json.loads(LOCAL_STACK_FILE.read_text())
        endpoint_url, region, name = (about[key] for key in ("endpoint_url", "region", "stack"))
    except FileNotFoundError:
        raise KeypostError("no_local_stack") from None
    except (ValueError, KeyError, TypeError):
        raise KeypostError("stack_file_damaged") from None
    session = local_session(endpoint_url, region)
    try:
        found = _described(session, session.client("cloudformation", config=ONE_ATTEMPT), name)
    except BotoCoreError:
        raise KeypostError("local_stack_silent") from None
    guide_url = about.get("guide_url") or found.outputs.get("GuideUrl", "")  # the template does not know this machine
    return replace(found, outputs={**found.outputs, "GuideUrl": guide_url}, is_local=True)


def _deployed(name: str) -> Found:
    try:
        session = session_here(region_of(name))
        return _described(session, session.client("cloudformation"), name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # which is how CloudFormation says "not found"
            raise
        raise KeypostError("stack_not_found", stack=name) from None
    except BotoCoreError as error:
        raise no_way_to_aws(error) from None


def region_of(name: str) -> str | None:
    """The region that the shell names, or else the one in which `keypost setup` has made the stack."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")  # botocore reads the second one only
    return named or load(name).region or None


def session_here(region: str | None) -> Any:
    """A session with the AWS credentials of the shell. BotoCoreError if it names a profile that there is not."""
    return boto3.Session(region_name=region)


def no_way_to_aws(error: BotoCoreError) -> KeypostError:
    """Why AWS was not reached, and what to do."""
    match error:
        case NoRegionError():
            return KeypostError("region_missing")
        case ProfileNotFound():
            return KeypostError("profile_missing", profile=os.environ.get("AWS_PROFILE", "default"))
        case NoCredentialsError() | PartialCredentialsError():
            return KeypostError("credentials_missing")
    return KeypostError("aws_unreachable", error=type(error).__name__)


def _described(session: Any, cloudformation: Any, name: str) -> Found:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    return Found(name, session, stack["StackStatus"], outputs, parameters)
