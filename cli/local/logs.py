"""What the functions of the local stack logged: log lines, metrics and tracebacks, as the emulator keeps them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cli.logs import LogLine, read

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def log_lines(session: Any, stack: str, function: str = "") -> list[LogLine]:
    """The lines of one function, or of all functions, the oldest first. No lines for a function that the stack does not
    have."""
    groups = {name: group for name, group in _log_groups(session.client("lambda"), stack) if function in {"", name}}
    return read(session.client("logs"), groups, _EVER)


def _log_groups(client: Any, stack: str) -> Iterator[tuple[str, str]]:
    """Each function's name in template.yaml, and its log group. CloudFormation adds the stack and a suffix."""
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"].removeprefix(f"{stack}-").rpartition("-")[0]
            yield name, function["LoggingConfig"]["LogGroup"]
