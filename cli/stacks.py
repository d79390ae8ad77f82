"""The stack with which a command works: a deployed one by its name, or the local one of `make run`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
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

from cli.versions import refuse_if_older
from keypost.clients.mailer import Mailer
from keypost.clients.queue import Queue
from keypost.core.errors import KeypostError
from keypost.core.references import numbers
from keypost.table import Store
from keypost.use_cases.help_customer import Desk
from keypost.wiring import ONE_ATTEMPT

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
class SecretsEditor:
    """The one place where secrets are written; the functions can only read them."""

    client: Any
    secret_id: str

    def set(self, name: str, value: str) -> None:
        self.client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(self._kept() | {name: value}))

    def names(self) -> frozenset[str]:
        """The names of the secrets that are set."""
        return frozenset(name for name, value in self._kept().items() if value)

    def _kept(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self.client.get_secret_value(SecretId=self.secret_id)["SecretString"])
        return kept


def connect(name: str | None) -> Stack:
    """The deployed stack of that name, with the AWS credentials of the shell; without a name, the local stack.

    KeypostError if there is no such stack."""
    return _local() if name is None else _deployed(name)


def connect_to_write(name: str | None) -> Stack:
    """The same, for a command that changes something. KeypostError when the stack is newer than this command line. The
    local stack always runs this clone."""
    stack = connect(name)
    if name is not None:
        refuse_if_older(stack.version)
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
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)  # noqa: S106
    return _Bound(session, endpoint_url)


@dataclass(frozen=True, slots=True)
class _Bound:
    session: boto3.Session
    endpoint_url: str

    def client(self, service: Any, **options: Any) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url, **options)


def _local() -> Stack:
    try:
        about = json.loads(LOCAL_STACK_FILE.read_text())
        endpoint_url, region, name = (about[key] for key in ("endpoint_url", "region", "stack"))
    except FileNotFoundError:
        raise KeypostError("no_local_stack") from None
    except (ValueError, KeyError, TypeError):
        raise KeypostError("stack_file_damaged") from None
    session = local_session(endpoint_url, region)
    try:
        outputs, parameters = _described(session.client("cloudformation", config=ONE_ATTEMPT), name)
        guide_url = about.get("guide_url") or outputs.get("GuideUrl", "")  # the template does not know this machine
        return stack_of(session, outputs | {"GuideUrl": guide_url}, parameters)
    except BotoCoreError:
        raise KeypostError("local_stack_silent") from None


def _deployed(name: str) -> Stack:
    try:
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))  # botocore reads AWS_DEFAULT_REGION only
        outputs, parameters = _described(session.client("cloudformation"), name)
    except NoRegionError:
        raise KeypostError("region_missing") from None
    except ProfileNotFound:
        raise KeypostError("profile_missing", profile=os.environ.get("AWS_PROFILE", "default")) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise KeypostError("credentials_missing") from None
    except BotoCoreError as error:
        raise KeypostError("aws_unreachable", error=type(error).__name__) from None
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # which is how CloudFormation says "not found"
            raise
        raise KeypostError("stack_not_found", stack=name) from None
    return stack_of(session, outputs, parameters)


def _described(cloudformation: Any, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The outputs of a stack, and its parameters."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return outputs, {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
