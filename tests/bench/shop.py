"""A shop on an AWS in this process, whose handlers are the real ones: what each event costs it, call by call."""

import base64
import io
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import boto3
import pytest
import time_machine
from botocore.useragent import UserAgentString
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from cli.local.fake_providers import FakeProviders, fake_providers
from keypost import telemetry, wiring
from keypost.core.keys import SCOPES
from keypost.providers import PROVIDERS
from keypost.table import Store
from tests.bench.capacity import Call, Index, indexes, made
from tests.builders import LONG_AGO, PRODUCT, SECRETS, SKU, code, event
from tests.simulator.aws_here import ENVIRONMENT, Answer, AwsCall, answer_here, ask_dynamodb, forget_tables
from tests.teller_kit import TELLERS, Told

_TABLE = "bench"
_ENVIRONMENT = {
    **ENVIRONMENT,
    "KEYPOST_STAGE": "test",  # what is kept for a minute on a deployed stack is kept here
    "KEYPOST_TABLE": _TABLE,
    "KEYPOST_QUEUE_URL": "http://127.0.0.1:9/000000000000/pokes",
    "KEYPOST_WISHES_URL": "http://127.0.0.1:9/000000000000/wishes",
    "KEYPOST_SECRETS": "secret",
}
NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)  # shortly after the moments in the recorded callbacks
_STOCK = 120  # more than the index gives in one page
_NOT_SUPPRESSED: Answer = 404, {"x-amzn-ErrorType": "NotFoundException"}, "{}"


@dataclass(frozen=True, slots=True)
class Event:
    """What one event cost: each call of AWS in its order, and how much its invocations logged."""

    name: str
    calls: tuple[Call, ...]
    log_bytes: int
    deliveries: int = 0  # by SQS to a function: a request to receive it and one to delete it, both by Lambda itself


@dataclass
class Shop:
    clock: time_machine.Traveller
    providers: FakeProviders
    indexes: Mapping[str, Index]
    log: io.StringIO  # all that functions print
    found: list[Event] = field(default_factory=list)
    calls: list[Call] | None = None  # of the event that is counted now
    deliveries: int = 0

    def watch(self, call: AwsCall) -> Answer | None:
        """What the SDK gets; None where the emulator answers."""
        if call.service == "dynamodb":
            return self._of_table(call)
        if self.calls is not None:
            self.calls.append(Call(call.service, call.operation, requests=int(call.service == "sqs")))
        return _ANSWERS[call.service](call)

    def _of_table(self, call: AwsCall) -> Answer | None:
        if self.calls is None:
            return None
        answer, cost = made(call, self.indexes)
        self.calls.append(cost)
        return answer

    @contextmanager
    def counted(self, name: str) -> Iterator[None]:
        """Keep what happens in between as an event of this name."""
        calls = self.calls = []
        deliveries, logged = self.deliveries, self.log.tell()
        yield
        self.calls = None
        length = len(self.log.getvalue()[logged:].encode())
        self.found.append(Event(name, tuple(calls), length, self.deliveries - deliveries))

    # What happens in a shop.

    def tell(self, provider: str, told: Told | None = None) -> None:
        """A provider calls: that the order is paid, if not told otherwise."""
        told = told or TELLERS[provider].paid
        self.providers.objects |= told.api
        signed = TELLERS[provider].sign(
            told.raw, SECRETS[PROVIDERS[provider].secret], int(datetime.now(UTC).timestamp())
        )
        answer = _handler("payment_callback")(
            {
                "httpMethod": "POST",
                "pathParameters": {"provider": provider},
                "queryStringParameters": signed.query or None,
                "headers": signed.headers,
                "body": base64.b64encode(told.raw).decode(),
                "isBase64Encoded": True,
            },
            Context(),
        )
        assert answer["statusCode"] == PROVIDERS[provider].accepted, answer

    def deliver(self, function: str, *bodies: Any) -> None:
        """Messages of a queue come together; in a small shop mostly one."""
        self.deliveries += 1
        (record,) = event("queue/poke.json")["Records"]
        texts = (body if isinstance(body, str) else json.dumps(body) for body in bodies)
        answer = _handler(function)({"Records": [record | {"body": text} for text in texts]}, Context())
        assert answer == {"batchItemFailures": []}, function

    def poke(self, order_id: str) -> None:
        self.deliver("advance_orders", order_id)

    def ask(self, method: str, path: str, body: Any = None, **parameters: str) -> None:
        """An agent calls the support API."""
        answer = _handler("support_api")(
            {
                "resource": path,
                "path": path.format_map(parameters),
                "httpMethod": method,
                "headers": {"Content-Type": "application/json"},
                "multiValueHeaders": {"Content-Type": ["application/json"]},
                "queryStringParameters": None,
                "multiValueQueryStringParameters": None,
                "pathParameters": parameters or None,
                "requestContext": {
                    "stage": "v1",
                    "requestId": "request-1",
                    "path": f"/v1{path}",
                    "authorizer": {"principalId": "0123456789", "agent": "anna", "scopes": " ".join(SCOPES)},
                },
                "body": body and json.dumps(body),
                "isBase64Encoded": False,
            },
            Context(),
        )
        assert answer["statusCode"] < 400, answer

    def ask_on_page(self, form: str) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "nl"}
        request = event("resend/post.json") | {"headers": headers, "multiValueHeaders": {}, "body": form}
        answer = _handler("self_service")(request, Context())
        assert answer["statusCode"] == 202, answer["statusCode"]

    def run(self, function: str) -> None:
        """A schedule starts a function."""
        _handler(function)(event("schedule/find_due_orders.json"), Context())

    def start_anew(self) -> None:
        """The next call of each function is in a new execution environment."""
        wiring.forget()

    @property
    def store(self) -> Store:
        return wiring.store()


class Context:
    """The context that Lambda passes to a function."""

    function_name = "Function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:Function"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class _Session(boto3.Session):
    """Gives a client that was asked for before: to build one takes as long as twenty calls."""

    def __init__(self) -> None:
        super().__init__(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
        self._kept: dict[str, Any] = {}

    def client(self, service: Any, *, config: Any = None, **how: Any) -> Any:  # type: ignore[override]
        name = f"{service} {vars(config)['_user_provided_options'] if config else None}"
        if name not in self._kept:
            self._kept[name] = super().client(service, config=config, **how)
        return self._kept[name]


@contextmanager
def shops() -> Iterator[Callable[..., Shop]]:
    """Opens shops, each on an AWS in which nothing else is, at NOW: with one product and its codes."""
    template: Any = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    described = template["Resources"]["Table"]["Properties"]
    session, log = _Session(), io.StringIO()
    shop: list[Shop] = []

    def watch(call: AwsCall) -> Answer | None:
        return shop[-1].watch(call)

    def opened(**settings: str) -> Shop:
        traveller.move_to(NOW)
        random.seed(1)  # which codes are near each other in the stock, and so how many calls a pick takes
        for name in [name for name in os.environ if name.startswith(("AWS_", "KEYPOST_", "POWERTOOLS_"))]:
            patch.delenv(name)
        urls = {f"KEYPOST_{each}_URL": providers.url for each in ("MOLLIE", "STRIPE", "WOOCOMMERCE", "MONEYBIRD")}
        for name, value in (_ENVIRONMENT | urls | settings).items():
            patch.setenv(name, value)
        providers.objects.clear()
        forget_tables()
        wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        ask_dynamodb("CreateTable", TableName=_TABLE, **{key: described[key] for key in wanted})
        wiring.forget()
        shop.append(Shop(traveller, providers, indexes(described), log))
        shop[-1].store.put_start(LONG_AGO)
        shop[-1].store.put_product(PRODUCT)
        list(shop[-1].store.add_codes(SKU, [code(n) for n in range(_STOCK)], "B-1", None))
        return shop[-1]

    answer_here(session, watch)
    with (
        time_machine.travel(NOW, tick=False) as traveller,
        pytest.MonkeyPatch.context() as patch,
        fake_providers() as providers,
        redirect_stdout(log),
    ):
        patch.setattr(telemetry.logger.registered_handler, "stream", log)
        patch.setattr(boto3, "Session", lambda: session)
        patch.setattr(random, "_urandom", random.randbytes)
        patch.setattr(UserAgentString, "to_string", lambda _: "bench")
        patch.syspath_prepend(str(ROOT / "functions"))
        try:
            yield opened
        finally:
            wiring.forget()


def _handler(function: str) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = import_module(function).handler
    return found


def _of_ses(call: AwsCall) -> Answer:
    """SES takes every mail and has nobody on its list."""
    if call.operation == "GetSuppressedDestination":
        return _NOT_SUPPRESSED
    quota = {"SendQuota": {"MaxSendRate": 1_000_000}}
    message_id = "0102018f3a5b7c9d-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000"
    return 200, {}, json.dumps(quota if call.operation == "GetAccount" else {"MessageId": message_id})


def _of_sqs(call: AwsCall) -> Answer:
    """SQS takes every message. Who is poked is told by the story."""
    entries = call.body.get("Entries")
    if entries is None:
        return 200, {}, json.dumps({"MessageId": "m-1"})
    taken = [{"Id": each["Id"], "MessageId": "m-1", "MD5OfMessageBody": ""} for each in entries]
    return 200, {}, json.dumps({"Successful": taken})


_ANSWERS: Mapping[str, Callable[[AwsCall], Answer]] = {
    "sesv2": _of_ses,
    "sqs": _of_sqs,
    "secrets-manager": lambda _: (200, {}, json.dumps({"SecretString": json.dumps(SECRETS)})),
}
