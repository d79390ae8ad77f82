"""Purchases as the real handlers serve them, and each call of AWS that they make for that: for the measurement of
instructions (warm.py). Everything happens in this process, on the emulator's handlers."""

import io
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import boto3
import pytest
import time_machine
from botocore.config import Config
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from cli.local.samples import sample_products
from keypost import telemetry, wiring
from keypost.core.codes import NewCode
from keypost.table import Store
from tests.builders import LONG_AGO, SECRETS, Context, code, event, webhook_headers
from tests.in_process import URL, answering, empty
from tests.simulator.aws_here import ENVIRONMENT

MOMENT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # all happens in this second, so that no clock runs out between
_SKU = "KASPERSKY-STANDARD-3D-1Y"
_FREE_CODES = 200
_HOW_OFTEN_AND_LONG = ("retries", "connect_timeout", "read_timeout")
_NAMES = {
    "KEYPOST_STAGE": "test",
    "KEYPOST_TABLE": "keypost-table",
    "KEYPOST_SECRETS": "keypost-secrets",
    "KEYPOST_WISHES_URL": "http://127.0.0.1:9/000000000000/keypost-wishes",
    "KEYPOST_SHOP_KVK": "12345678",
    "KEYPOST_SHOP_PHONE": "020 123 45 67",
}


def recorded(count: int) -> dict[str, Any]:
    """So many purchases of one licence each, one after the other, of which the first finds nothing built yet. `calls`
    are in the order in which they were made, each with the number of its purchase."""
    calls: list[dict[str, Any]] = []
    configs: dict[str, Any] = {}
    with _aws(calls, configs) as environment:
        callback, advance = (import_module(name).handler for name in ("payment_callback", "advance_orders"))
        events = []
        for number in range(count):
            random.seed(number)  # serve_again.py does so too: a code is picked at random
            events.append({"callback": _callback(number), "poke": _poke(number)})
            mark = len(calls)
            answer = callback(events[-1]["callback"], Context())
            assert answer["statusCode"] == 204, answer
            assert advance(events[-1]["poke"], Context()) == {"batchItemFailures": []}
            _number(calls[mark:], number)
            assert calls[-1]["operation"] in ("PutItem", "UpdateItem"), "the last call says that the mail has left"
    told = {"moment": MOMENT.isoformat(), "environment": environment, "configs": configs}
    return {**told, "events": events, "calls": calls}


class _Session(boto3.Session):
    """Notes how often and how long a client of each service calls. What else our clients do otherwise than boto3's own
    is a saving of ours, and no part of what bare boto3 does."""

    def __init__(self, configs: dict[str, Any]) -> None:
        super().__init__()
        self._configs = configs

    def client(self, service: Any, *, config: Config | None = None, **how: Any) -> Any:  # type: ignore[override]
        given = vars(config)["_user_provided_options"] if config else {}
        self._configs[service] = {name: value for name, value in given.items() if name in _HOW_OFTEN_AND_LONG}
        return super().client(service, config=config, **how)


def _number(calls: list[dict[str, Any]], number: int) -> None:
    assert any(call["operation"] == "SendEmail" for call in calls), "no mail has left"
    for call in calls:
        call["purchase"] = number


@contextmanager
def _aws(calls: list[dict[str, Any]], configs: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The emulator with a table, a queue, a secret, the sample catalog and some codes, and the environment of a
    function. Every call that a function makes from now on is added to the list."""
    with answering(), time_machine.travel(MOMENT, tick=False), pytest.MonkeyPatch.context() as patch:
        empty()
        for name in [name for name in os.environ if name.startswith(("AWS_", "KEYPOST_", "POWERTOOLS_"))]:
            patch.delenv(name)
        patch.syspath_prepend(str(ROOT / "functions"))
        environment = ENVIRONMENT | _NAMES
        for name, value in (environment | {"AWS_ENDPOINT_URL": URL}).items():
            patch.setenv(name, value)
        environment["KEYPOST_QUEUE_URL"] = _prepared()
        patch.setenv("KEYPOST_QUEUE_URL", environment["KEYPOST_QUEUE_URL"])
        session = _Session(configs)
        _listen(session, calls)
        patch.setattr(boto3, "Session", lambda: session)
        wiring.forget()
        patch.setattr(telemetry.logger.registered_handler, "stream", io.StringIO())
        with redirect_stdout(io.StringIO()):
            yield environment
        wiring.forget()
        empty()


def _prepared() -> str:
    """Returns the URL of the queue."""
    session = boto3.Session()
    template = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    table = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    session.client("dynamodb").create_table(TableName=_NAMES["KEYPOST_TABLE"], **{name: table[name] for name in wanted})
    session.client("secretsmanager").create_secret(Name=_NAMES["KEYPOST_SECRETS"], SecretString=json.dumps(SECRETS))
    sender = ENVIRONMENT["KEYPOST_SENDER_ADDRESS"].partition("@")[2]
    session.client("sesv2").create_email_identity(EmailIdentity=sender)
    store = Store(session.client("dynamodb"), _NAMES["KEYPOST_TABLE"])
    store.put_start(LONG_AGO)
    for product in sample_products():
        store.put_product(product)
    days = (date(2027, 6, 1) + timedelta(number) for number in range(_FREE_CODES))  # each its own: then none is chance
    list(store.add([NewCode(_SKU, code(number), "batch", day) for number, day in enumerate(days)]))
    return str(session.client("sqs").create_queue(QueueName="keypost-queue")["QueueUrl"])


def _callback(number: int) -> dict[str, Any]:
    body = event("webhook/order.paid.json")
    body["timestamp"] = (MOMENT - timedelta(seconds=3)).isoformat().replace("+00:00", "Z")
    line = {"sku": _SKU, "quantity": 1, "kind": "new"}
    about = {"order_id": f"2026-{number:06d}", "payment_id": f"inv_{number:06d}", "lines": [line]}
    body["data"] |= about | {"amount": "39.95", "email": f"facturen@klant{number:06d}.example", "language": "nl"}
    text = json.dumps(body)
    return {
        "httpMethod": "POST",
        "pathParameters": {"provider": "webhook"},
        "queryStringParameters": None,
        "headers": webhook_headers(text.encode()),
        "body": text,
        "isBase64Encoded": False,
    }


def _poke(number: int) -> dict[str, Any]:
    poke: dict[str, Any] = event("queue/poke.json")
    poke["Records"][0]["body"] = f"2026-{number:06d}"
    return poke


def _listen(session: Any, calls: list[dict[str, Any]]) -> None:
    """Note of each call what it was asked for, as the code that calls says it, and what was answered, as it came."""

    def asked(params: dict[str, Any], model: Any, **_: Any) -> None:
        named = {"service": model.service_model.service_name, "operation": model.name}
        calls.append({**named, "params": as_json(params)})

    def answered(response_dict: dict[str, Any], **_: Any) -> None:
        calls[-1]["answer"] = {
            "status": response_dict["status_code"],
            "headers": {name.lower(): value for name, value in response_dict["headers"].items()},
            "body": response_dict["body"].decode(),
        }

    session.events.register("provide-client-params", asked)
    session.events.register("response-received", answered)


def as_json(value: Any) -> Any:
    """Bytes as an object that holds them as text: mails are ASCII."""
    if isinstance(value, bytes | bytearray):
        return {"bytes": value.decode("ascii")}
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, list | tuple) else value
