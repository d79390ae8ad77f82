"""`keypost logs`: what the functions of a stack logged, in lines that a person can read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import click

from cli import stacks, tables
from cli.click_words import Command
from cli.orders import as_json, stack_option
from cli.speech import lang, say, text
from keypost.core.errors import KeypostError

# The emulator writes these around each invocation. On AWS, SystemLogLevel of template.yaml leaves them out.
_PLATFORM = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
# What stands in the first columns, or says nothing to a person.
_KNOWN = frozenset({"level", "location", "message", "timestamp", "service", "function_request_id", "xray_trace_id"})
# Outcomes that tell of trouble, although each is counted as every other outcome is.
TROUBLE = frozenset(
    {
        *("AdvanceFailed", "CallbackFailed", "CallbackRefused", "DailyNoteBounced", "DailyNoteNotSent"),
        *("DueRunCutShort", "FeedbackFailed", "GuideNotRead", "KeyUnreadable", "MailFailed", "MailNotSent"),
        *("MailPaused", "MailRejected", "MailUnknown", "PaymentUnreadable", "ProductUnreadable"),
        *("ProviderRefusedUs", "ReconcileFailed", "SignatureRefused", "WebhookSwitchedOff", "WishFailed"),
        *("WishNotTaken",),
    }
)


@dataclass(frozen=True)
class LogLine:
    function: str  # its name in template.yaml
    at: datetime  # UTC; in the emulator, when its invocation ended
    text: str

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """What stands in the line; nothing of a line that is no object of JSON, such as one of a traceback."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_metric(self) -> bool:
        """Each metric stands in a line of words too, which has the ids."""
        return "_aws" in self.fields

    @property
    def is_trouble(self) -> bool:
        found = self.fields
        is_loud = found.get("level") in ("WARNING", "ERROR", "CRITICAL") or "errorType" in found
        is_of_platform = str(found.get("type", "")).startswith("platform.")  # of these only warnings are logged
        return not found or is_loud or is_of_platform or found.get("message") in TROUBLE

    def is_about(self, order_id: str) -> bool:
        return order_id == self.fields.get("order_id") or order_id in self.fields.get("order_ids", ())

    @property
    def words(self) -> str:
        """The line for a person. Of a crash its type and place, without its text, which a library wrote."""
        found = self.fields
        if not found:
            return self.text
        if "errorType" in found:
            return _pairs("crash", {"error": found["errorType"], "place": _place(found.get("stackTrace"))})
        if "message" not in found:
            return _pairs(str(found.get("type", "")), found.get("record", {}))
        more = {name: value for name, value in found.items() if name not in _KNOWN and (name, value) != ("count", 1)}
        return _pairs(str(found["message"]), more)


def _pairs(name: str, values: Mapping[str, Any]) -> str:
    return " ".join([name, *(f"{key}={_value(value)}" for key, value in values.items() if value not in (None, ""))])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _place(trace: Any) -> str:
    """Where a crash was, from what Lambda writes of it: `File "/var/task/x.py", line 7, in f`."""
    places = re.findall(r'([^/"]+)", line (\d+)', " ".join(map(str, trace or ())))
    return ":".join(places[-1]) if places else ""


def log_groups(at: stacks.Found) -> dict[str, str]:
    """By the name of its function in template.yaml, each log group of a stack."""
    groups = at.resources("AWS::Logs::LogGroup")
    return {name.removesuffix("Log"): group for name, group in sorted(groups.items())}


def read(logs: Any, groups: Mapping[str, str], since: datetime, words: str = "") -> list[LogLine]:
    """What the functions of these groups have logged since then, the newest last; with `words`, only lines in which
    they stand."""
    found = (line for name, group in groups.items() for line in _lines(logs, name, group, since, words))
    return sorted(found, key=lambda line: line.at)


def _lines(logs: Any, function: str, group: str, since: datetime, words: str) -> Iterator[LogLine]:
    asked = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
    more = {"filterPattern": f'"{words.replace(chr(34), "")}"'} if words else {}
    for page in logs.get_paginator("filter_log_events").paginate(**asked, **more):
        for event in page["events"]:
            if not event["message"].startswith(_PLATFORM):
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield LogLine(function, at, event["message"].rstrip("\n"))


class Since(click.ParamType[timedelta]):
    """A time to look back over, such as 30m, 12h or 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if found := re.fullmatch(r"([1-9]\d{0,3})([mhd])", str(value)):
            return timedelta(**{_UNITS[found[2]]: int(found[1])})
        return self.fail(text("bad_since", typed=value), param, ctx)


@click.command("logs", cls=Command)
@click.argument("function", required=False, metavar="[FUNCTION]")
@click.option("--since", metavar="TIME", default="1h", show_default=True, type=Since(), help="Such as 30m, 12h or 7d.")
@click.option("--order", "order_id", metavar="ORDER", help="Only what is about this order.")
@click.option("--errors", "only_errors", is_flag=True, help="Only what failed, was refused or crashed.")
@as_json
@lang
@stack_option
def show_logs(
    function: str | None,
    since: timedelta,
    order_id: str | None,
    stack: str | None,
    *,
    only_errors: bool,
    as_json: bool,
) -> None:
    """Show what the functions of a stack logged, or only FUNCTION, by its name in template.yaml. The newest comes last.

    The lines hold numbers and counts, and nothing that names a customer. Times are those of the shop's time zone.
    """
    at = stacks.found(stack)
    to = at.connected()
    number = to.number(order_id) if order_id else ""
    groups = _chosen(log_groups(at), function)
    shown = [
        line
        for line in read(at.session.client("logs"), groups, datetime.now(UTC) - since, number)
        if not line.is_metric and (not number or line.is_about(number)) and (not only_errors or line.is_trouble)
    ]
    if as_json:
        for line in shown:
            told = {"at": line.at.isoformat(), "function": line.function, "line": line.fields or line.text}
            click.echo(json.dumps(told, ensure_ascii=False))
        return
    rows = [(f"{line.at.astimezone(to.zone):%Y-%m-%d %H:%M:%S}", line.function, line.words) for line in shown]
    tables.show([text(name) for name in ("col_when", "col_function", "col_what")], rows)
    say("log_count", count=len(rows))


def _chosen(groups: dict[str, str], function: str | None) -> dict[str, str]:
    chosen = {name: group for name, group in groups.items() if function is None or name.lower() == function.lower()}
    if not chosen:
        raise KeypostError("no_such_function", name=function, names=list(groups))
    return chosen
