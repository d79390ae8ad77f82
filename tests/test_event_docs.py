"""docs/events.md is true: its examples are what Keypost makes, its code verifies what Keypost signs, its pattern finds
what it says."""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks import WebhookVerificationError

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from keypost.core.events import TYPES
from keypost.core.mail import Purpose
from keypost.core.standard_webhooks import headers
from keypost.use_cases.deliver_event import PAUSES
from tests.bench.costs import prices
from tests.bench.events_out import of_bus, of_url
from tests.builders import WEBHOOK_SECRET
from tests.event_examples import examples
from tests.translated import metrics_of, of_type, stack_with

TEXT = (ROOT / "docs/events.md").read_text("utf-8")
SCHEMA = json.loads((ROOT / "docs/events.schema.json").read_text("utf-8"))
BODY = json.dumps(examples()["order.served"]).encode()


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    return in_process


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_each_event_has_an_example_which_is_what_keypost_makes() -> None:
    shown = {each["type"]: each for each in map(json.loads, blocks("json"))}

    assert shown == examples()
    assert {*re.findall(r"^### (.+)$", TEXT, re.MULTILINE)} == set(TYPES)


@pytest.mark.parametrize("type_", TYPES)
def test_each_event_is_as_the_schema_says_and_one_with_a_name_in_it_is_not(type_: str) -> None:
    valid = Draft202012Validator(SCHEMA).is_valid
    event: dict[str, Any] = examples()[type_]

    assert valid(event)
    assert not valid(event | {"data": event["data"] | {"name": "Anna"}})
    assert not valid(event | {"name": "Anna"})
    assert not valid(event | {"data": {}})


def test_the_schema_knows_every_type_and_every_purpose_of_a_mail() -> None:
    assert set(SCHEMA["properties"]["type"]["enum"]) == set(TYPES)
    assert set(SCHEMA["$defs"]["purpose"]["enum"]) == set(Purpose)
    named = TEXT.partition("`purpose` is one of ")[2].partition("\n```")[0]
    assert set(re.findall(r"`(\w+)`", named)) == set(Purpose)


def signed(secret: str = WEBHOOK_SECRET, ago: timedelta = timedelta()) -> dict[str, str]:
    return headers([secret], "evt_1", datetime.now(UTC) - ago, BODY)


ALARM = "AWS::CloudWatch::Alarm"
OTHER = "whsec_" + "A" * 32


def forged_ones() -> list[dict[str, str]]:
    return [signed(OTHER), signed(ago=timedelta(hours=1)), signed() | {"webhook-id": "evt_2"}]


def test_the_code_for_python_takes_what_keypost_signs_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPOST_EVENTS_SECRET", WEBHOOK_SECRET)
    (code,) = blocks("python verify")
    found: dict[str, Any] = {}
    exec(compile(code, "docs/events.md", "exec"), found)  # noqa: S102 - what the document says is the subject

    assert found["event_of"](BODY, signed()) == examples()["order.served"]
    for forged in forged_ones():
        with pytest.raises(WebhookVerificationError):
            found["event_of"](BODY, forged)


@pytest.mark.skipif(not shutil.which("node"), reason="not on this machine: node")
def test_the_code_for_node_takes_what_keypost_signs_and_nothing_else() -> None:
    (code,) = blocks("js verify")
    calls = json.dumps(
        [signed(), *forged_ones(), signed() | {"webhook-signature": f"v1,AAAA {signed()['webhook-signature']}"}]
    )
    asks = f"""
      const body = {json.dumps(BODY.decode())};
      const tried = {calls}.map((headers) => {{
        try {{ return eventOf(body, headers).type; }} catch (error) {{ return error.message; }}
      }});
      console.log(JSON.stringify(tried));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=code + asks,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"KEYPOST_EVENTS_SECRET": WEBHOOK_SECRET},
    )

    assert json.loads(done.stdout) == [
        "order.served", "forged", "too old, or from the future", "forged", "order.served",
    ]  # fmt: skip


def test_the_pattern_for_a_rule_finds_orders_that_wait_for_stock_and_no_others(local: LocalStack) -> None:
    (pattern,) = blocks("json pattern")
    waits = examples()["order.waits"]
    held = waits | {"data": waits["data"] | {"reason": "hold"}}

    def is_found(event: dict[str, Any]) -> bool:
        envelope = {
            "id": "1", "account": "1", "time": event["timestamp"], "region": "eu-west-1", "resources": [],
            "source": "keypost", "detail-type": event["type"], "detail": event,
        }  # fmt: skip
        client = local.session.client("events")
        return bool(client.test_event_pattern(EventPattern=pattern, Event=json.dumps(envelope))["Result"])

    assert [is_found(each) for each in (waits, held, examples()["order.served"])] == [True, False, False]


def test_the_page_says_how_often_and_for_how_long_a_call_is_repeated() -> None:
    said = re.search(r"repeated after (.*?), and then every (\d+) hours, for three days", TEXT, re.DOTALL)
    assert said is not None
    minutes = [each.total_seconds() / 60 for each in PAUSES]

    assert said[1] == "1 minute, 5 minutes, 30 minutes, 2, 5 and 10 hours"
    assert minutes[:6] == [1, 5, 30, 120, 300, 600]
    assert set(minutes[6:]) == {int(said[2]) * 60}
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)


def test_the_page_says_what_events_cost(template: dict[str, Any]) -> None:
    said = {
        name: float(dollars)
        for name, dollars in re.findall(r"^\| `(Events\w+)`: .* \| ([0-9.]+) \|$", TEXT, re.MULTILINE)
    }
    month = re.search(r"alarms cost\s+([0-9.]+) dollars a month with the bus and ([0-9.]+) with both", TEXT)
    assert month is not None

    def alarms(**parameters: str) -> float:
        here, without = (of_type(stack_with(template, each).resources, ALARM).values() for each in (parameters, {}))
        return (sum(len(metrics_of(one)) for one in here) - sum(len(metrics_of(one)) for one in without)) * prices()[
            "alarm_month"
        ]

    assert said == {"EventsBus": round(of_bus(prices()), 2), "EventsUrl": round(of_url(prices()), 2)}
    assert float(month[1]) == pytest.approx(alarms(EventsBus="on"))
    assert float(month[2]) == pytest.approx(alarms(EventsBus="on", EventsUrl="https://shop.example/"))
