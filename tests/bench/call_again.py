"""A program, measured by warm.py: bare boto3 makes the calls of the first of the recorded purchases, and then those of
as many more as asked: with the same payloads, retries and timeouts, one session, one client per service."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config


def main(recording: str, count: int) -> None:
    told = json.loads(Path(recording).read_text("utf-8"), object_hook=_bytes)
    session, clients = boto3.Session(), {}
    for call in told["calls"]:
        if call["purchase"] > count:
            break
        if (service := call["service"]) not in clients:
            clients[service] = session.client(service, config=Config(**told["configs"][service]))
        getattr(clients[service], _method(call["operation"]))(**call["params"])


def _bytes(value: dict[str, Any]) -> Any:
    return value["bytes"].encode() if set(value) == {"bytes"} else value


def _method(operation: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
