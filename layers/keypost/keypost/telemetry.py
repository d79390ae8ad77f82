"""Outcomes, each as a metric and a log line. They hold ids and counts only: no address, no name, no code, no body."""

import json
import os
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

_SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "keypost")  # of the stack, whose alarms count only its own
# What Powertools adds to each line and the log group's name says already: half of what an order logs.
_KNOWN = {"cold_start", "function_name", "function_memory_size", "function_arn", "service"}
_OF_INVOCATION = {"function_request_id", "xray_trace_id"}  # an outcome is found by its ids


def _line(log: dict[str, Any]) -> str:
    left_out = _KNOWN | _OF_INVOCATION if log["level"] == "INFO" else _KNOWN
    said = {name: value for name, value in log.items() if name not in left_out}
    return json.dumps(said, default=str, ensure_ascii=False, separators=(",", ":"))


# CloudWatch keeps the moment of each line beside it. An outcome is found by its name, and a failure says its place.
logger = Logger(service=_SERVICE, json_serializer=_line, timestamp=None, location=None)
metrics = Metrics(namespace="Keypost", service=_SERVICE)
warnings.filterwarnings("ignore", "No application metrics to publish")  # an invocation may count nothing


def outcome(name: str, count: int = 1, **fields: Any) -> None:
    """Count an outcome and log it with its ids; and how often, unless once."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    logger.info(name, extra=fields if count == 1 else {"count": count, **fields})


def note(name: str, **fields: Any) -> None:
    """Log what happens, with its ids, and count nothing."""
    logger.info(name, extra=fields)


def at_door(name: str, provider: str, **fields: Any) -> None:
    """Count what happened at the door of a provider, for each provider by itself, so that each has its own alarm."""
    with single_metric(name=name, unit=MetricUnit.Count, value=1, namespace="Keypost") as metric:
        metric.add_dimension(name="service", value=_SERVICE)
        metric.add_dimension(name="provider", value=provider)
    logger.info(name, extra={"provider": provider, **fields})


def failure(error: Exception, **fields: Any) -> None:
    """Log an error by its type and place, without its text, in which a library may have put an address or a code."""
    logger.error("failure", extra={"error": type(error).__name__, "place": _place(error), **fields})


def place(error: Exception) -> str:
    """The type and the place of an error, without its text, for people who mend it."""
    return f"{type(error).__name__} in {_place(error)}"


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


@contextmanager
def optional() -> Iterator[None]:
    """For a write that nothing depends on: if it fails, that is logged, and the program continues."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, what was promised must go on
        failure(error)
