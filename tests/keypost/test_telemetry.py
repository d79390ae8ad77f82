"""What a line of the log says."""

import io
import json
import re

import pytest

from keypost import telemetry
from tests.builders import Context


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return stream


def test_a_line_says_what_happened_and_not_what_its_log_group_says_and_only_a_failure_names_its_call(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")  # as Lambda does

    @telemetry.logger.inject_lambda_context
    def handler(_event: object, _context: object) -> None:
        telemetry.outcome("OrderPaid", order_id="2026-1")
        telemetry.outcome("OrdersDue", 0)
        with telemetry.optional():
            int("jan@klant.example")

    handler({}, Context())

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert re.fullmatch(r"test_telemetry\.py:\d+", lines[2].pop("place"))
    assert lines == [
        {"level": "INFO", "message": "OrderPaid", "order_id": "2026-1"},
        {"level": "INFO", "message": "OrdersDue", "count": 0},
        {
            "level": "ERROR",
            "message": "failure",
            "function_request_id": Context.aws_request_id,
            "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
            "error": "ValueError",
        },
    ]
