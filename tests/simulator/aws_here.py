"""DynamoDB, SQS and Secrets Manager of the emulator, in this process: botocore's requests are answered by
MiniStack's own handlers, without HTTP in between. Its clock is then the one of the simulation."""

import json
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


def answer_here(session: Any, watch: Watch = lambda *_: None) -> None:
    """Keep all calls of a boto3 session in this process."""

    def answer(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        service = event_name.split(".")[1]
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body, path = _text(request.body or b"{}"), urlsplit(request.url).path
        operation = headers.get("x-amz-target", path).rpartition(".")[2]
        status, told, content = watch(service, operation, json.loads(body)) or _answered(
            _SERVICES[service], request.method, path, headers, body.encode()
        )
        raw = content.encode() if isinstance(content, str) else content
        answered: Any = {name.lower(): value for name, value in told.items()}
        return AWSResponse(request.url, status, answered, _Raw(raw))

    session.events.register("before-send", answer)
    session.events.register("choose-signer", lambda **_: UNSIGNED)  # a fifth of a call's time


def _answered(service: ModuleType, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """What a handler answers; it is a coroutine that waits for nothing."""
    try:
        service.handle_request(method, path, headers, body, {}).send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError(f"MiniStack waits for something: {path}")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


class _Raw:
    """A body as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content
