from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import Mailer
from keypost.use_cases.advance_order import Worker
from tests import programs
from tests.builders import SHOP, Clock

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Tests that want it are left out where no browser is (tests/conftest.py)."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most tests need no browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(stack: Stack, local: LocalStack, clock: Clock) -> Worker:
    """Over the emulator's DynamoDB, SQS and SES, with a clock of its own."""
    client = local.session.session.client(
        "sesv2", endpoint_url=local.mailbox.url, config=Config(retries={"total_max_attempts": 1}, read_timeout=5)
    )
    return Worker(stack.store, stack.queue, Mailer(client, "test"), SHOP, clock)
