"""The local stack keeps what its functions log: without that, no test could find a leak in it."""

import json
from typing import Any

from cli.local.stack import LocalStack
from tests.deployed import logged_until


def test_each_function_keeps_its_log_lines_and_its_metrics(local: LocalStack) -> None:
    lines = logged_until(
        local,
        lambda: local.call("/callbacks/nobody", b"{}", {}),
        lambda text: '"message":"CallbackRefused"' in text and '"Name":"CallbackRefused"' in text,
        "PaymentCallback",
    )

    kept = [json.loads(line.text) for line in lines]
    refusals = [line for line in kept if line.get("message") == "CallbackRefused"]
    assert {line.function for line in lines} == {"PaymentCallback"}
    assert {line["service"] for line in kept if metrics(line)} == {"keypost"}
    assert "unknown" in {line["provider"] for line in refusals}
    assert {"Name": "CallbackRefused", "Unit": "Count"} in [metric for line in kept for metric in metrics(line)]
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def metrics(line: dict[str, Any]) -> list[dict[str, str]]:
    """The metrics of a line in CloudWatch's embedded metric format; none of another line."""
    counted = line.get("_aws", {}).get("CloudWatchMetrics", [])
    return [metric for directive in counted for metric in directive["Metrics"]]


def test_a_function_that_the_stack_does_not_have_logged_nothing(local: LocalStack) -> None:
    assert local.log_lines("Nobody") == []
