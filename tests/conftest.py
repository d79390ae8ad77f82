"""The emulator that tests share, and what they ask of it: a table of their own, or the whole deployed stack."""

import io
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack, local_stack
from cli.stacks import Stack, stack_of
from keypost import telemetry, wiring
from keypost.clients.mailer import tag_value
from keypost.core.contents import canceled
from keypost.core.order import Reason
from keypost.table import Store
from tests.builders import PRODUCT, SECRETS

settings.register_profile("keypost", deadline=None, print_blob=True)
settings.load_profile("keypost")


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    return parsed


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole system: template.yaml as it is, deployed to the emulator, with the sample catalog but no stock."""
    with local_stack(tmp_path_factory.mktemp("stack"), lambda _: None, stocked=False) as stack:
        yield stack


@pytest.fixture
def stack(local: LocalStack, template: dict[str, Any]) -> Stack:
    """A table as template.yaml describes it and a queue, both empty but for one product."""
    name = f"test-{uuid4().hex}"
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    local.session.client("dynamodb").create_table(TableName=name, **{key: described[key] for key in wanted})
    queue = local.session.client("sqs").create_queue(QueueName=name)
    secret = local.session.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    outputs = {"TableName": name, "QueueUrl": queue["QueueUrl"], "SecretsArn": secret["ARN"]}
    outputs |= {"ConfigurationSet": "test", "SenderAddress": "licenties@mail.voorbeeld.example"}
    made = stack_of(local.session, outputs | {"Timezone": "Europe/Amsterdam", "FiscalYears": "7"})
    made.store.put_product(PRODUCT)
    return made


@pytest.fixture
def store(stack: Stack) -> Store:
    return stack.store


@pytest.fixture
def stocked(store: Store) -> Callable[[list[str]], None]:
    """Puts codes of the one product into the stock."""

    def add(codes: list[str], sku: str = PRODUCT.sku) -> None:
        assert not any(known for _, known in store.add_codes(sku, codes, "test", None))

    return add


@pytest.fixture
def wired(stack: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The environment of a function, so that a handler can be called here: test stack, own table and queue."""
    for name, value in SECRETS.items():
        stack.secrets.set(name, value)
    for name in [name for name in os.environ if name.startswith(("AWS_", "KEYPOST_"))]:
        monkeypatch.delenv(name)
    wishes = local.session.client("sqs").create_queue(QueueName=f"{stack.store.table}-wishes")
    environment = {
        "AWS_ENDPOINT_URL": local.endpoint_url,
        "AWS_ENDPOINT_URL_SESV2": local.mailbox.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "test",
        "KEYPOST_STAGE": "test",
        "KEYPOST_TIMEZONE": "Europe/Amsterdam",
        "KEYPOST_CURRENCY": "EUR",
        "KEYPOST_TABLE": stack.store.table,
        "KEYPOST_QUEUE_URL": stack.queue.url,
        "KEYPOST_WISHES_URL": wishes["QueueUrl"],
        "KEYPOST_SECRETS": stack.secrets.secret_id,
        "KEYPOST_MOLLIE_URL": local.providers.url,
        "KEYPOST_STRIPE_URL": local.providers.url,
        "KEYPOST_CONFIGURATION_SET": "test",
        "KEYPOST_SHOP_NAME": "Voorbeeld Software",
        "KEYPOST_SHOP_ADDRESS": "Voorbeeldstraat 1",
        "KEYPOST_SENDER_ADDRESS": "licenties@mail.voorbeeld.example",
        "KEYPOST_SUPPORT_ADDRESS": "hulp@voorbeeld.example",
        "KEYPOST_SUPPORT_LANGUAGE": "nl",
        "KEYPOST_FISCAL_YEARS": "7",
        "KEYPOST_MAILS_PER_SECOND": "1000000",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield stack
    _forget()


def _forget() -> None:
    for build in (
        wiring.config,
        wiring.store,
        wiring.queue,
        wiring.desk,
        wiring.wishes,
        wiring.worker,
        wiring.mailer,
        wiring.secrets,
        wiring.tokens,
        wiring.session,
    ):
        build.cache_clear()


@pytest.fixture
def sent(local: LocalStack) -> Callable[[str], list[str]]:
    """The texts of the mails that reached SES for an order, oldest first."""

    def texts(order_id: str) -> list[str]:
        return [mail.text for mail in local.mailbox.mails if mail.tags.get("order") == tag_value(order_id)]

    return texts


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the functions log."""
    stream = io.StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture(autouse=True)
def _faultless(request: pytest.FixtureRequest) -> Iterator[None]:
    """No fault that one test injects outlives it, and no order of it waits for the codes of another."""
    yield
    if "local" in request.fixturenames:
        stack = request.getfixturevalue("local")
        store, now = stack.stack.store, datetime.now(UTC).replace(microsecond=0)
        for order_id in [order_id for page in store.needing(Reason.STOCK) for order_id in page]:
            store.change(order_id, lambda order: canceled(order, now))
        stack.mailbox.before_send = stack.mailbox.after_send = lambda: None
        stack.providers.trouble = lambda: None


def pytest_configure() -> None:
    # Powertools traces nothing here, and tests print no metrics.
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    Path(".local").mkdir(exist_ok=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files of the mails anew.")
