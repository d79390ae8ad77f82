"""DynamoDB, SQS and Secrets Manager of the emulator, in this process: botocore's requests are answered by
MiniStack's own handlers, without HTTP in between. Its clock is then the one of the simulation."""

import importlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

Answer = tuple[int, dict[str, str], bytes | str]


def _imported(*names: str) -> Iterator[ModuleType]:
    """Modules of MiniStack, without the threads that they start: these would live by another clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: None)
        for name in names:
            yield importlib.import_module(f"ministack.services.{name}")


_SERVICES: Mapping[str, ModuleType] = dict(
    zip(("dynamodb", "sqs", "secrets-manager"), _imported("dynamodb", "sqs", "secretsmanager"), strict=True)
)
# What MiniStack reads in an expression is read once: it reads it anew for each item of a query.
for _reader in ("_tokenize", "_condition_syntax_error"):
    vars(_SERVICES["dynamodb"])[_reader] = cache(vars(_SERVICES["dynamodb"])[_reader])
_one_by_one = threading.Lock()  # as in MiniStack's own process, which answers every request on one thread
# That of a function, but for the names of what it uses.
ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nobody answers there: all calls stay in this process
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "test",
    "KEYPOST_STAGE": "local",
    "KEYPOST_TIMEZONE": "Europe/Amsterdam",
    "KEYPOST_CURRENCY": "EUR",
    "KEYPOST_MOLLIE_URL": "http://127.0.0.1:9",
    "KEYPOST_STRIPE_URL": "http://127.0.0.1:9",
    "KEYPOST_CONFIGURATION_SET": "test",
    "KEYPOST_PUBLIC_URL": "https://keypost.example/v1",
    "KEYPOST_SHOP_NAME": "Voorbeeld Software",
    "KEYPOST_SHOP_ADDRESS": "Voorbeeldstraat 1",
    "KEYPOST_SENDER_ADDRESS": "licenties@mail.voorbeeld.example",
    "KEYPOST_SUPPORT_ADDRESS": "hulp@voorbeeld.example",
    "KEYPOST_SUPPORT_LANGUAGE": "nl",
    "KEYPOST_FISCAL_YEARS": "7",
    "KEYPOST_MAILS_PER_SECOND": "1000000",
}


@dataclass(frozen=True)
class AwsCall:
    """A call of AWS as it leaves the SDK."""

    service: str  # as botocore names it: dynamodb, sqs, sesv2, secrets-manager
    operation: str
    path: str
    headers: Mapping[str, str]
    content: str

    @cached_property
    def body(self) -> dict[str, Any]:
        """Read once for all who look at it: nobody changes it."""
        read: dict[str, Any] = json.loads(self.content or "{}")
        return read


# May look at a call and answer it in the emulator's place.
Watch = Callable[[AwsCall], Answer | None]


def answer_here(session: Any, watch: Watch = lambda _: None) -> None:
    """Keep all calls of a boto3 session in this process."""

    def answer(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        call = AwsCall(service, operation, urlsplit(request.url).path, headers, _text(request.body or b""))
        return response(request.url, *(watch(call) or emulated(call)))

    session.events.register("before-send", answer)
    session.events.register("choose-signer", lambda **_: UNSIGNED)  # a fifth of a call's time


def emulated(call: AwsCall) -> Answer:
    """What MiniStack answers to a call."""
    return answered(_SERVICES[call.service], "POST", call.path, dict(call.headers), call.content.encode())


def answered(
    service: ModuleType, method: str, path: str, headers: dict[str, str], body: bytes, clock: Any = time
) -> Answer:
    """What a handler answers by this clock; it is a coroutine that waits for nothing."""
    try:
        with _one_by_one:
            vars(service)["time"] = clock
            service.handle_request(method, path, headers, body, {}).send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError(f"MiniStack waits for something: {path}")


def response(url: str, status: int, headers: Mapping[str, str], content: bytes | str) -> AWSResponse:
    """An answer as botocore gets it from urllib3."""
    raw = content.encode() if isinstance(content, str) else content
    lower: Any = {name.lower(): value for name, value in headers.items()}
    return AWSResponse(url, status, lower, _Raw(raw))


class NotTaken(Exception):
    """DynamoDB refused, with this."""


def ask_dynamodb(operation: str, **body: Any) -> dict[str, Any]:
    """The answer of the emulated DynamoDB to somebody who is not part of the system. NotTaken when it refuses."""
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
    status, _, content = emulated(AwsCall("dynamodb", operation, "/", headers, json.dumps(body)))
    answer: dict[str, Any] = json.loads(content)
    if status != 200:
        raise NotTaken(answer)
    return answer


def forget_tables() -> None:
    """An emulated DynamoDB in which nothing ever was."""
    _SERVICES["dynamodb"].reset()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


class _Raw:
    """A body as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content
