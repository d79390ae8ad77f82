"""What the functions of the local stack logged: log lines, metrics and tracebacks, as the emulator keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# The emulator writes these around each invocation. On AWS, SystemLogLevel of template.yaml leaves them out.
_PLATFORM = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")


@dataclass(frozen=True, slots=True)
class LogLine:
    function: str  # its name in template.yaml
    at: datetime  # UTC: when its invocation ended
    text: str


def log_lines(session: Any, stack: str, function: str = "") -> list[LogLine]:
    """The lines of one function, or of all functions, the oldest first. No lines for a function that the stack does not
    have."""
    lines = [
        line
        for name, group in _log_groups(session.client("lambda"), stack)
        if function in {"", name}
        for line in _lines_of(session.client("logs"), name, group)
    ]
    return sorted(lines, key=lambda line: line.at)


def _log_groups(client: Any, stack: str) -> Iterator[tuple[str, str]]:
    """Each function's name in template.yaml, and its log group. CloudFormation adds the stack and a suffix."""
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"].removeprefix(f"{stack}-").rpartition("-")[0]
            yield name, function["LoggingConfig"]["LogGroup"]


def _lines_of(client: Any, function: str, group: str) -> Iterator[LogLine]:
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            if not event["message"].startswith(_PLATFORM):
                yield LogLine(function, datetime.fromtimestamp(event["timestamp"] / 1000, UTC), event["message"])
