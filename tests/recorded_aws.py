"""Services of AWS that answer as recorded, for what the emulator lacks."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import boto3
from botocore.stub import Stubber


@cache
def client_of(service: str) -> Any:
    """One for all tests: to build one takes as long as twenty calls."""
    return boto3.Session("k", "s", region_name="eu-west-1").client(service)  # type: ignore[call-overload]


class Session:
    """A session whose services answer as recorded, one answer after another, until another session is used."""

    active: ClassVar[dict[str, Stubber]] = {}

    def __init__(self, answers: Mapping[str, list[tuple[str, Any]]]) -> None:
        self._answers = answers

    def client(self, service: str, **_: Any) -> Any:
        client = client_of(service)
        if before := self.active.pop(service, None):
            before.deactivate()
        stub = self.active[service] = Stubber(client)
        for operation, answer in self._answers[service]:
            if isinstance(answer, str):
                stub.add_client_error(operation, answer, http_status_code=400)
            else:
                stub.add_response(operation, answer)
        stub.activate()
        return client
