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


def test_a_line_says_what_happened_in_which_call_and_not_which_function_it_was_as_the_log_group_says_that(
    log: io.StringIO,
) -> None:
    @telemetry.logger.inject_lambda_context
    def handler(_event: object, _context: object) -> None:
        telemetry.outcome("OrderPaid", order_id="2026-1")

    handler({}, Context())

    line = json.loads(log.getvalue())
    assert line.pop("location").startswith("handler:")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", line.pop("timestamp"))  # RFC 3339
    assert line == {
        "level": "INFO",
        "message": "OrderPaid",
        "service": "keypost",
        "function_request_id": Context.aws_request_id,
        "count": 1,
        "order_id": "2026-1",
    }
