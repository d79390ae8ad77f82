"""AWS in this process, for tests that need no deployed function: MiniStack's handlers answer every client that is made
for this endpoint, whoever makes it. Only SES stands behind a server, the mailbox, since tests break its connections."""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

import boto3
import pytest
import time_machine
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session
from botocore.loaders import JSONFileLoader
from botocore.regions import EndpointRulesetResolver
from botocore.useragent import UserAgentString
from ministack.services import dynamodb, eventbridge, secretsmanager, ses_v2, sqs

from cli.local.emulator import REGION
from cli.local.fake_providers import fake_providers
from cli.local.mailbox import mailbox
from cli.local.stack import LocalStack
from cli.stacks import local_session
from tests.builders import SHOP
from tests.simulator.aws_here import answered, response

URL = "http://aws.here.example"
# Another DynamoDB than the emulator's, for all tests that deploy nothing: DynamoDB Local, or that of a region. Its keys
# are those of the environment.
DYNAMODB = os.environ.get("KEYPOST_DYNAMODB_ENDPOINT", "")
_SERVICES = {
    "DynamoDB_20120810": dynamodb,
    "AmazonSQS": sqs,
    "secretsmanager": secretsmanager,
    "AWSEvents": eventbridge,
}


class _Clients(boto3.Session):
    """A session that lends each test the clients that earlier ones gave back: to build one takes as long as twenty
    calls. A test gets none twice, and a client at whose events a test did anything is lent no more."""

    def __init__(self) -> None:
        key, secret = (os.environ.get(f"AWS_{name}", "test") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        super().__init__(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
        self.events.register("choose-signer", _signer)
        self._free: dict[str, list[Any]] = defaultdict(list)
        self._lent: list[tuple[str, Any, object]] = []

    def client(self, service: Any, *, config: Config | None = None, **options: Any) -> Any:  # type: ignore[override]
        if service == "dynamodb" and DYNAMODB:
            options["endpoint_url"] = DYNAMODB
        wanted = repr((service, vars(config)["_user_provided_options"] if config else None, options, _endpoints()))
        free = self._free[wanted]
        client = free.pop() if free else super().client(service, config=config, **options)
        self._lent.append((wanted, client, _mark(client)))
        return client

    def take_back(self) -> None:
        lent, self._lent = self._lent, []
        for wanted, client, mark in lent:
            client.close()
            if _mark(client) is mark:
                self._free[wanted].append(client)


def _signer(signing_name: str, **_: Any) -> Any:
    """None is signed that is answered here: that is half of a call's time, with the user agent."""
    return None if signing_name == "dynamodb" and DYNAMODB else UNSIGNED


def _mark(client: Any) -> object:
    """Another object as soon as somebody has registered for an event of the client, or is no longer registered."""
    return client.meta.events._emitter._lookup_cache


def _endpoints() -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT"))


class _OwnClock:
    """The emulator's: a test that travels does not take it along, as it would not take another process along. It goes
    ahead where somebody would wait for a message."""

    ahead = 0.0  # seconds

    def time(self) -> float:
        hatch = time_machine.escape_hatch
        return float(hatch.time.time() if hatch.is_travelling() else time.time()) + self.ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_OWN_CLOCK = _OwnClock()
CLIENTS = _Clients()


@contextmanager
def stack_in_process() -> Iterator[LocalStack]:
    """A local stack into which nothing is deployed: no function, no API, no table but those that tests make."""
    with answering(), mailbox() as box, fake_providers() as providers:
        box.pass_on = _ses
        session = replace(local_session(URL, REGION), session=CLIENTS)
        session.client("sesv2").create_email_identity(EmailIdentity=SHOP.sender_address.partition("@")[2])
        nothing: Any = None
        yield LocalStack(
            api_url=nothing,
            endpoint_url=URL,
            outputs={},
            mailbox=box,
            providers=providers,
            stripe_webhook_secret="",
            webhook_secret="",
            mollie_token="",
            support_key="",
            other_signing_secret="",
            session=session,
            stack=nothing,
            events=nothing,
        )


@contextmanager
def answering() -> Iterator[None]:
    """Answer botocore's requests to URL here, and let all others go where they go. What botocore knows of services is
    read once: it would take each session, of each test, as long as fifty calls. Where an operation leads is found out
    once for each client, and no call has a name of its own: each takes a twentieth of a call's time."""
    send, load, resolve = URLLib3Session.send, JSONFileLoader.load_file, EndpointRulesetResolver.construct_endpoint
    known: dict[str, Any] = {}
    places: WeakKeyDictionary[EndpointRulesetResolver, dict[str, Any]] = WeakKeyDictionary()

    def sent(http: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return _answer(request) if request.url.startswith(URL) else send(http, request)

    def loaded(loader: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = load(loader, path)
        return known[path]

    def resolved(resolver: EndpointRulesetResolver, operation_model: Any, **about: Any) -> Any:
        if operation_model.service_model.service_name != "dynamodb":  # it may depend on the parameters
            return resolve(resolver, operation_model, **about)
        found = places.setdefault(resolver, {})
        if operation_model.name not in found:
            found[operation_model.name] = resolve(resolver, operation_model, **about)
        return found[operation_model.name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", sent)
        patch.setattr(EndpointRulesetResolver, "construct_endpoint", resolved)
        patch.setattr(Endpoint, "_update_retries_context", lambda *_, **__: None)
        patch.setattr(JSONFileLoader, "load_file", loaded)
        patch.setattr(UserAgentString, "to_string", lambda _: "test")
        yield


def _answer(request: AWSPreparedRequest) -> AWSResponse:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()} | {"host": urlsplit(URL).netloc}
    service = _SERVICES.get(headers.get("x-amz-target", "").partition(".")[0], ses_v2)
    body: Any = request.body or b""
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return response(request.url, *_stacks({name: value for name, (value, *_) in parse_qs(_text(body)).items()}))
    raw = body.encode() if isinstance(body, str) else bytes(body)
    if headers.get("x-amz-target") == "AmazonSQS.ReceiveMessage":
        asked = json.loads(raw)
        _OWN_CLOCK.ahead += asked.pop("WaitTimeSeconds", 0)
        raw = json.dumps(asked).encode()
    path = urlsplit(request.url).path
    return response(request.url, *answered(service, request.method, path, headers, raw, _OWN_CLOCK))


_STACKS: dict[str, Mapping[str, Any]] = {}  # the templates of the stacks, by name


def _stacks(asked: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    """CloudFormation, as far as the command line asks it: stacks that hold parameters and outputs, and nothing else."""
    name = asked["StackName"]
    if asked["Action"] == "CreateStack":
        _STACKS[name] = json.loads(asked["TemplateBody"])
    if name not in _STACKS:
        return (
            400,
            {},
            f"<ErrorResponse><Error><Code>ValidationError</Code><Message>{name}</Message></Error></ErrorResponse>",
        )
    outputs = _members("Output", {key: each["Value"] for key, each in _STACKS[name]["Outputs"].items()})
    parameters = {key: each["Default"] for key, each in _STACKS[name].get("Parameters", {}).items()}
    stack = f"<StackName>{name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>{outputs}"
    stack += _members("Parameter", parameters)
    result = f"{asked['Action']}Result"
    told = f"<{result}><StackId>{name}</StackId><Stacks><member>{stack}</member></Stacks></{result}>"
    return 200, {}, f"<{asked['Action']}Response>{told}</{asked['Action']}Response>"


def _members(kind: str, values: Mapping[str, str]) -> str:
    members = "".join(
        f"<member><{kind}Key>{key}</{kind}Key><{kind}Value>{escape(value)}</{kind}Value></member>"
        for key, value in values.items()
    )
    return f"<{kind}s>{members}</{kind}s>"


def empty() -> None:
    """An AWS in which nothing is, and whose clock goes with everybody's. What SES knows of the sender stays."""
    for service in _SERVICES.values():
        service.reset()
    CLIENTS.take_back()
    _STACKS.clear()
    _OWN_CLOCK.ahead = 0.0


def _ses(path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    lower = {name.lower(): value for name, value in headers.items()}
    status, _, content = answered(ses_v2, "POST", path, lower, body, _OWN_CLOCK)
    return status, content.encode() if isinstance(content, str) else content


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)
