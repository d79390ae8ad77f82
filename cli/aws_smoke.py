"""What only an AWS account can tell, for `make aws-smoke`: makes a stack of its own, looks, removes all of it again,
and prints each point with how it is known: tried (here and now), read (in AWS's documentation) or assumed.

The exit status is 1 if a point is not as Keypost takes it to be."""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli import pausing, serving, stacks, tables
from cli.setup import deploying
from cli.setup.account import stack_there
from cli.setup.answers import Answers
from cli.stacks import Found
from keypost.core.errors import KeypostError

ELSEWHERE = "203.0.113.0/24"  # a network for documentation: nobody calls from there
CANARY = "canary-0123456789"
_CALLS = 40  # within the five minutes in which the firewall lets ten through
_LOOKS, _BETWEEN = 20, 15  # how often the firewall and X-Ray are looked at, and the seconds between


@dataclass(frozen=True, slots=True)
class Seen:
    is_as_taken: bool
    what: str


@dataclass(frozen=True, slots=True)
class Point:
    name: str
    takes: str  # what Keypost takes to be so
    until_tried: str  # how it is known without a trial: read or assumed
    look: Callable[[Found], Seen]
    on_emulator: bool = False  # whether the emulator can tell too


@dataclass(frozen=True, slots=True)
class Row:
    point: str
    known: str  # tried, read or assumed
    is_as_taken: bool | None  # None: not tried
    what: str


def call(at: Found, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> tuple[int, Any, bytes]:
    """Status, headers and body of an answer of the API."""
    body = b"{}" if method == "POST" else None
    request = urllib.request.Request(serving.api_url(at) + path, body, dict(headers or {}), method=method)  # noqa: S310 - our own API
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def _stands(at: Found) -> Seen:
    return Seen(at.status == "CREATE_COMPLETE", f"the stack is {at.status}, with VdmOptions and all other properties")


def _answers(at: Found) -> Seen:
    failed = [each for each in serving.answers(at, serving.functions_of(at)) if not each.is_right]
    failed = [each for each in failed if each.function not in ("SupportAuth", "SupportPage")]  # closed to this network
    return Seen(
        not failed, ", ".join(f"{each.function}: {each.answer}" for each in failed) or "each answers as it must"
    )


def _problem(at: Found) -> Seen:
    _, headers, _ = call(at, "/nothing")
    found = headers.get("Content-Type", "none")
    return Seen(found.startswith("application/problem+json"), f"Content-Type {found}")


def _refused(at: Found, path: str) -> Seen:
    status, _, body = call(at, path, headers={"Authorization": f"Bearer kp_{'0' * 10}_{'0' * 64}"})
    return Seen((status, b"network_refused" in body) == (403, True), f"{status} {body[:120].decode(errors='replace')}")


def _firewall(at: Found) -> Seen:
    """Callbacks are never blocked, while another path of the same address is."""
    for look in range(_LOOKS):
        callbacks = {call(at, "/callbacks/webhook", "POST")[0] for _ in range(_CALLS)}
        pages = {call(at, "/activate")[0] for _ in range(_CALLS)}
        if 403 in pages | callbacks or look == _LOOKS - 1:  # noqa: PLR2004 - what a firewall answers
            is_right = 403 in pages and 403 not in callbacks  # noqa: PLR2004
            return Seen(is_right, f"callbacks got {sorted(callbacks)}, the guide {sorted(pages)}")
        time.sleep(_BETWEEN)
    raise AssertionError("the last look returns")


def _traces(at: Found) -> Seen:
    call(at, f"/callbacks/mollie?token={CANARY}", "POST")
    client = at.session.client("xray")
    for _ in range(_LOOKS):
        now = datetime.now(UTC)
        found = client.get_trace_summaries(StartTime=now - timedelta(minutes=10), EndTime=now)["TraceSummaries"]
        urls = [str(each.get("Http", {}).get("HttpURL", "")) for each in found]
        if any("/callbacks/mollie" in url for url in urls):
            return Seen(
                not any(CANARY in url for url in urls), f"of {len(urls)} URLs, with the token: {CANARY in str(urls)}"
            )
        time.sleep(_BETWEEN)
    return Seen(is_as_taken=False, what="no trace of the call within five minutes")


def _pause(at: Found) -> Seen:
    pausing.pause(at)
    status, _, _ = call(at, "/callbacks/webhook", "POST")
    is_still = pausing.is_hand_still(at)
    pausing.resume(at)
    return Seen(is_still and status in (429, 500, 502, 503), f"a callback got {status}")


POINTS = (
    Point("deploy", "the template can be created as it is, VdmOptions included", "read", _stands, on_emulator=True),
    Point(
        "functions",
        "every function answers, with its own rights (LeadingKeys) alone",
        "read",
        _answers,
        on_emulator=True,
    ),
    Point("problems", "answers of API Gateway are application/problem+json", "assumed", _problem, on_emulator=True),
    Point("network", "another network gets `network_refused` for /due", "assumed", lambda at: _refused(at, "/due")),
    Point("slash", "and for /due/ as well", "assumed", lambda at: _refused(at, "/due/")),
    Point("firewall", "callbacks do not count, in whatever way the path is seen", "assumed", _firewall),
    Point("traces", "X-Ray keeps no query of a URL, where Mollie's token stands", "assumed", _traces),
    Point("pause", "`keypost stack pause` has callbacks refused, so that providers call again", "read", _pause),
)
LATER = {  # what takes longer than a quarter of an hour, or a domain of your own
    "gradual": ("read", "CodeDeploy shifts traffic at the second deploy of a stack, and after `keypost stack back`"),
    "restore": ("read", "`keypost restore table` makes a table of a moment: a quarter of an hour and more"),
    "mails": ("read", "`keypost mail smoke-test`: SES reports each mail, once the domain has its DNS records"),
}


def looked_at(at: Found) -> Iterator[Row]:
    is_emulated = at.parameters.get("Emulated") == "yes"
    for point in POINTS:
        if is_emulated and not point.on_emulator:
            yield Row(point.name, point.until_tried, None, point.takes)
            continue
        try:
            seen = point.look(at)
        except Exception as error:  # noqa: BLE001 - one point must not hide the others, nor keep the stack from going
            seen = Seen(is_as_taken=False, what=type(error).__name__)
        yield Row(point.name, "tried", seen.is_as_taken, f"{point.takes}: {seen.what}")
    for name, (known, takes) in LATER.items():
        yield Row(name, known, None, takes)


def answers_of(address: str, region: str) -> Answers:
    """A stack of its own, with a name that no other has, a firewall and a closed network."""
    name = f"keypost-smoke-{secrets.token_hex(3)}"
    shop = {"ShopName": "Smoke test", "ShopAddress": "Nowhere 1", "SupportAddress": address}
    of_test = {"Stage": "test", "Emulated": "no", "MailDomain": f"{name}.example.com", "GradualDeploys": "off"}
    looks = {"SupportNetworks": ELSEWHERE, "WafRequestLimit": "10", "Tracing": "all"}
    return Answers(name, region, (), {**shop, **of_test, **looks, "TableProtection": "off"})


def for_emulator(answers: Answers) -> Answers:
    """The same for an emulator, which has no firewall."""
    return answers.with_parameter("Emulated", "yes").with_parameter("WafRequestLimit", "0")


def remove(session: Any, name: str) -> list[str]:
    """Delete a stack, and the table and the secrets that stay without it. Returns its name if it is still there."""
    found = stack_there(session, name)
    if found is None:
        return []
    kept = {kind: list(serving.names_of(found, kind).values()) for kind in _KEPT}
    client = session.client("cloudformation")
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 240})
    for kind, names in kept.items():
        for each in names:
            _KEPT[kind](session, each)
    return [] if stack_there(session, name) is None else [name]


def _remove_table(session: Any, name: str) -> None:
    client = session.client("dynamodb")
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=name)
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 60})


def _remove_secret(session: Any, name: str) -> None:
    client = session.client("secretsmanager")
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


_KEPT: Mapping[str, Callable[[Any, str], None]] = {
    "AWS::DynamoDB::Table": _remove_table,
    "AWS::SecretsManager::Secret": _remove_secret,
}


def run(session: Any, answers: Answers, deploy: Callable[[Answers], object]) -> list[Row]:
    """Make the stack, look, and remove it whatever happens. KeypostError if something of it is still there."""
    try:
        deploy(answers)
        found = stack_there(session, answers.stack)
        if found is None:
            raise KeypostError("stack_not_found", stack=answers.stack)
        return list(looked_at(found))
    finally:
        answers.path.unlink(missing_ok=True)
        left = remove(session, answers.stack)
        click.echo(f"Removed {answers.stack}." if not left else f"STILL THERE: {', '.join(left)}", err=bool(left))


def show(rows: list[Row]) -> int:
    marks = {True: "as taken", False: "NOT AS TAKEN", None: "not tried"}
    tables.show(
        ["Point", "Known", "", "What"], [(each.point, each.known, marks[each.is_as_taken], each.what) for each in rows]
    )
    return int(any(each.is_as_taken is False for each in rows))


@click.command()
@click.option("--address", required=True, help="An address of yours: AWS sends it one mail, to confirm the alarms.")
@click.option("--region", default="eu-west-1", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def main(address: str, region: str, *, as_json: bool) -> None:
    """Make a stack in your account, look at what only AWS can tell, and remove it.

    It takes a quarter of an hour and costs less than a dollar.
    """
    session, answers = stacks.session_here(region), answers_of(address, region)
    if deploying.is_emulated(os.environ):
        rows = run(session, for_emulator(answers), lambda each: deploying.to_emulator(session, each))
    else:
        rows = run(session, answers, lambda each: deploying.with_sam([each]))
    if as_json:
        for row in rows:
            click.echo(json.dumps({name: getattr(row, name) for name in Row.__slots__}))
        sys.exit(int(any(row.is_as_taken is False for row in rows)))
    sys.exit(show(rows))


if __name__ == "__main__":
    main()
