"""DynamoDB, SQS and Secrets Manager of the emulator, in this process: botocore's requests are answered by
MiniStack's own handlers, without HTTP in between. Its clock is then the one of the simulation."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from ministack.services import dynamodb, secretsmanager, sqs

Answer = tuple[int, dict[str, str], bytes | str]
# May look at a request (service, operation or path, body) and answer it in the emulator's place.
Watch = Callable[[str, str, dict[str, Any]], Answer | None]

_SERVICES: Mapping[str, ModuleType] = {
    "dynamodb": dynamodb,
    "sqs": sqs,
    "secrets-manager": secretsmanager,
}
_one_by_one = threading.Lock()  # as in MiniStack's own process, which answers every request on one thread


def answer_here(session: Any, watch: Watch = lambda *_: None) -> None:
    """Keep all calls of a boto3 session in this process."""

    def answer(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        service = event_name.split(".")[1]
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body, path = _text(request.body or b"{}"), urlsplit(request.url).path
        operation = headers.get("x-amz-target", path).rpartition(".")[2]
        status, told, content = watch(service, operation, json.loads(body)) or answered(
            _SERVICES[service], request.method, path, headers, body.encode()
        )
        return response(request.url, status, told, content)

    session.events.register("before-send", answer)
    session.events.register("choose-signer", lambda **_: UNSIGNED)  # a fifth of a call's time


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


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


class _Raw:
    """A body as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content
