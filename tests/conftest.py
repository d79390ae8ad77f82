"""The emulator that tests share, and what they ask of it: a table of their own, or the whole deployed stack."""

import gc
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from hypothesis import settings
from samtranslator.yaml_helper import yaml_parse
from xdist.scheduler import LoadScopeScheduling

from cli.local.deploy import ROOT
from cli.local.fake_shops import ADMINISTRATION
from cli.local.stack import LocalStack, local_stack
from cli.stacks import Stack, stack_of
from keypost import telemetry, wiring
from keypost.clients.mailer import tag_value
from keypost.core.contents import canceled
from keypost.core.order import Reason
from keypost.table import Store
from tests.anew import begin_anew
from tests.builders import LONG_AGO, PRODUCT, SECRETS
from tests.in_process import DYNAMODB, stack_in_process
from tests.programs import PROGRAMS

_LEFT_OUT = "not on this machine: "

settings.register_profile("keypost", deadline=None, print_blob=True)
settings.load_profile("keypost")


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    return parsed


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole system: template.yaml as it is, deployed to the emulator, with the sample catalog but no stock."""
    with local_stack(tmp_path_factory.mktemp("stack"), lambda _: None, stocked=False) as stack, _begun_anew(stack):
        yield stack


@pytest.fixture(scope="session")
def in_process() -> Iterator[LocalStack]:
    """AWS without HTTP and with nothing deployed, for tests of what needs no function: much faster."""
    with stack_in_process() as stack, _begun_anew(stack):
        yield stack


@pytest.fixture(scope="session")
def local(deployed: LocalStack) -> LocalStack:
    """What the tests of a folder run on: the deployed system, unless the folder's conftest says that AWS in this
    process is enough."""
    return deployed


@pytest.fixture
def stack(local: LocalStack, template: dict[str, Any]) -> Iterator[Stack]:
    """A table as template.yaml describes it and a queue, both empty but for one product."""
    name = f"test-{uuid4().hex}"
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb = local.session.client("dynamodb")
    dynamodb.create_table(TableName=name, **{key: described[key] for key in wanted})
    if DYNAMODB:
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    queue = local.session.client("sqs").create_queue(QueueName=name)
    secret = local.session.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    outputs = {"TableName": name, "QueueUrl": queue["QueueUrl"], "SecretsArn": secret["ARN"]}
    outputs |= {"ConfigurationSet": "test", "SenderAddress": "licenties@mail.voorbeeld.example"}
    made = stack_of(local.session, outputs | {"Timezone": "Europe/Amsterdam", "FiscalYears": "7", "Currency": "EUR"})
    made.store.put_product(PRODUCT)
    yield made
    if DYNAMODB:
        dynamodb.delete_table(TableName=name)


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
    """The environment of a function, so that a handler can be called here: test stack, own table and queue. It serves
    payments of any day."""
    stack.store.put_start(LONG_AGO)
    stack.secrets.client.put_secret_value(SecretId=stack.secrets.secret_id, SecretString=json.dumps(SECRETS))
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
        "KEYPOST_WOOCOMMERCE_URL": local.providers.url,
        "KEYPOST_MONEYBIRD_URL": local.providers.url,
        "KEYPOST_MONEYBIRD_ADMINISTRATION": ADMINISTRATION,
        "KEYPOST_CONFIGURATION_SET": "test",
        "KEYPOST_PUBLIC_URL": "https://keypost.example/v1",
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
    monkeypatch.setattr(boto3, "Session", lambda: local.session.session)  # a new one takes as long as fifty calls
    wiring.forget()
    yield stack
    wiring.forget()


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


_STACKS: list[LocalStack] = []  # those that this process runs


@contextmanager
def _begun_anew(stack: LocalStack) -> Iterator[None]:
    _STACKS.append(stack)
    yield
    _STACKS.remove(stack)


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test meets nothing of those that ran before it in this process, in whatever order they run. Only the table of
    the deployed system is one for all: each test has numbers of its own for its orders, and none leaves an order that
    waits for the codes of another."""
    begin_anew(_STACKS)
    yield
    if "deployed" in request.fixturenames:
        store, now = request.getfixturevalue("deployed").stack.store, datetime.now(UTC).replace(microsecond=0)
        for order_id in [order_id for page in store.needing(Reason.STOCK) for order_id in page]:
            store.change(order_id, lambda order: canceled(order, now))


# Tests that never ask for the deployed system, but for those of the support page.
_APART = (
    *("tests/bench/", "tests/functions/", "tests/hostile/", "tests/keypost/", "tests/simulator/", "tests/situations/"),
    *("tests/test_client.py", "tests/test_fuzz", "tests/test_house.py"),
)
# What takes longest of them begins first, so that no worker waits for it at the end.
_LONG = ("tests/simulator/years/", "tests/simulator/faults/test_ways_on.py", "tests/simulator/faults/test_two_versions")


def _is_apart(nodeid: str) -> bool:
    return nodeid.startswith(_APART) and "support_page" not in nodeid


class _OneDeploys(LoadScopeScheduling):  # xdist 3.8 has no marker that pytest 9.2 heeds
    """One worker deploys the system and runs all tests that may ask for it; all others go where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if _is_apart(nodeid) else "deployed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_is_apart(item.nodeid), not item.nodeid.startswith(_LONG)))
    for item in items:
        assert not (_is_apart(item.nodeid) and "deployed" in getattr(item, "fixturenames", ())), item.nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _OneDeploys(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A build server leaves nothing out: there a check that is skipped would be none."""
    leave_out = pytest.fail if os.environ.get("KEYPOST_LEAVE_OUT") == "nothing" else pytest.skip
    needed = {name for mark in item.iter_markers("needs") for name in mark.args}
    for name in needed | ({"chromium"} if "browser" in getattr(item, "fixturenames", ()) else set()):
        if not _is_here(name):
            leave_out(f"{_LEFT_OUT}{name}")


@cache
def _is_here(program: str) -> bool:
    return PROGRAMS[program].is_here()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = (str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()))
    counts = Counter(reason.partition(_LEFT_OUT)[2] for reason in reasons if _LEFT_OUT in reason)
    if counts:
        each = ", ".join(f"{program} ({count})" for program, count in sorted(counts.items()))
        terminalreporter.write_line(
            f"Left out: {counts.total()} tests that ask for {each}; see `make debian`", yellow=True
        )


def pytest_collection_finish() -> None:
    """What was collected lives as long as the process: each later look for garbage leaves it out."""
    gc.freeze()


def pytest_configure() -> None:
    # Powertools traces nothing here, and tests print no metrics.
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    Path(".local").mkdir(mode=0o700, exist_ok=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files of the mails anew.")
